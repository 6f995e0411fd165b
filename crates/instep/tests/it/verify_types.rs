//! Every type against every other: how `instep verify` compares them, shown by values, and written into
//! `docs/reference/verify-types.md`.

mod how;
mod page;
mod stores;
mod traps;
mod types;

use compare::{Agreed, Method, Progress, Refused, Rule, Stop, Terms, Verdict, prepare};
use how::{How, Matrix};
use model::{Code, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};
use stores::{Stores, Table};
use tokio::task::JoinSet;
use types::{MEANINGS, TYPES, Type};

fn terms(columns: impl IntoIterator<Item = Arc<str>>) -> Terms {
    let columns = Some(columns.into_iter().collect());
    Terms { columns, settle: Duration::ZERO, connections: 1, ..Terms::default() }
}

/// One column of the source beside some of the copy.
fn over(source: usize, copies: impl IntoIterator<Item = usize>) -> Terms {
    let copies: Vec<usize> = copies.into_iter().collect();
    let map = copies.iter().map(|&copy| (types::column(copy), types::column(source))).collect();
    Terms { map, ..terms(copies.into_iter().map(types::column)) }
}

async fn compare(stores: &Stores, tables: [Table; 2], terms: Terms) -> (Method, Verdict) {
    let [source, copy] = stores.ends(tables);
    let prepared = prepare(&source, &copy, terms).await.unwrap_or_else(|it| panic!("{it:?}"));
    let method = prepared.method();
    (method, prepared.run(&Arc::new(Progress::default()), &Stop::default()).await)
}

fn told(agreed: &Agreed) -> String {
    match (&agreed.note, agreed.rule) {
        (Some(note), _) => note.clone(),
        (None, Rule::Exact) => "the same value".to_owned(),
        (None, rule) => panic!("{rule}, and nobody is told why"),
    }
}

/// The columns of the copy that differ, by the row.
fn differing(verdict: &Verdict) -> BTreeMap<i64, BTreeSet<Arc<str>>> {
    let rows = verdict.differences.iter().map(|it| {
        let [(_, Value::Int(id))] = it.key[..] else { panic!("{it:?}") };
        (id, it.columns.iter().map(|column| Arc::clone(&column.name)).collect())
    });
    rows.collect()
}

/// What both columns write is equal where it is, and different where it is not; how many such there are.
fn check_values(source: usize, copy: usize, verdict: &Verdict, wrong: &mut Vec<String>) -> usize {
    let (differing, name) = (differing(verdict), types::column(copy));
    let differs = |row: i64| differing.get(&row).is_some_and(|columns| columns.contains(&name));
    let mut shown = 0;
    for (number, meaning) in (0_i64..).zip(MEANINGS.iter()) {
        let both = [source, copy].map(|place| meaning.written(TYPES[place].id));
        let [Some(at_source), Some(in_copy)] = both else { continue };
        shown += 1;
        let [source, copy] = [&TYPES[source], &TYPES[copy]];
        let (what, source, copy) = (meaning.what, source.id, copy.id);
        let pair = format!("{what}: {source} {at_source:?}, {copy} {in_copy:?}");
        if differs(types::row(number, false)) {
            wrong.push(format!("a false difference: {pair}"));
        }
        if !differs(types::row(number, true)) {
            wrong.push(format!("a difference that was missed: {pair}"));
        }
    }
    shown
}

/// A text that is no number, no time and nothing else is only ever another text.
fn is_never_the_same(source: usize, copy: usize, told: &str) -> bool {
    let is_address = |place: usize| TYPES[place].id == "inet";
    told.starts_with("texts are read as") && (is_address(source) || is_address(copy))
}

/// How one type of a source is compared with all of a table, and that it is so.
async fn look(stores: &Stores, source: usize, table: Table, wrong: &mut Vec<String>) -> Matrix {
    let tables = [TYPES[source].table, table];
    let places = || (0..TYPES.len()).filter(|&place| TYPES[place].table == table);
    let (_, verdict) = compare(stores, tables, over(source, places())).await;
    let mut matrix = Matrix::new();
    for copy in places() {
        let name = types::column(copy);
        let shown = || format!("{:?} {:?}", TYPES[source], TYPES[copy]);
        let unread = verdict.unread.iter().find(|it| it.what == format!("column {name}"));
        let agreed = verdict.agreed.iter().find(|it| it.copy == name);
        match (agreed, unread) {
            (Some(agreed), None) => {
                let told = told(agreed);
                let values = check_values(source, copy, &verdict, wrong);
                let is_never = is_never_the_same(source, copy, &told);
                assert!(values > 0 || is_never, "no value shows it: {}", shown());
                matrix.insert([source, copy], How { told, has_sums: false });
            }
            (None, Some(unread)) => assert_eq!(unread.why.code, Code::ColumnUnlike, "{}", shown()),
            both => panic!("{}: {both:?}", shown()),
        }
    }
    if tables == [Table::Postgres; 2] {
        look_for_sums(stores, source, &mut matrix, wrong).await;
    }
    matrix
}

/// Which of them are compared by sums, and that these find the same.
async fn look_for_sums(
    stores: &Stores,
    source: usize,
    matrix: &mut Matrix,
    wrong: &mut Vec<String>,
) {
    let tables = [Table::Postgres; 2];
    // What is read as something else is read.
    for (&[_, copy], how) in matrix.iter_mut().filter(|(_, how)| !how.told.contains("read as")) {
        let [at_source, in_copy] = stores.ends(tables);
        let prepared = prepare(&at_source, &in_copy, over(source, [copy])).await.expect("as above");
        how.has_sums = prepared.method() == Method::Sums;
    }
    let summed: Vec<usize> =
        matrix.iter().filter(|(_, how)| how.has_sums).map(|([_, copy], _)| *copy).collect();
    let (method, verdict) = compare(stores, tables, over(source, summed.clone())).await;
    assert_eq!(method, Method::Sums, "{:?}", TYPES[source]);
    for copy in summed {
        assert!(check_values(source, copy, &verdict, wrong) > 0);
    }
}

/// What is said of two columns that can not be compared.
async fn refusal(stores: &Stores) -> String {
    let [bool, date] = ["bool", "date"].map(types::place);
    let (_, verdict) = compare(stores, [Table::Postgres; 2], over(bool, [date])).await;
    let [unread] = &verdict.unread[..] else { panic!("{verdict:?}") };
    let what = unread.why.to_string();
    let shown = |place: usize| TYPES[place].shown;
    assert!(verdict.outcome() == compare::Outcome::Unverified, "{} {}", shown(bool), shown(date));
    what.replace(&*types::column(date), "v")
}

/// Rows are looked for by their keys, which blanks would hide.
async fn refuses_a_padded_key(stores: &Stores) {
    let [padded, int] = ["char", "int4"].map(types::place);
    let terms = Terms { key: Some(vec![types::column(int)]), ..over(padded, [int]) };
    let [source, copy] = stores.ends([Table::Postgres; 2]);
    let Err(Refused::Store { fault, .. }) = prepare(&source, &copy, terms).await else {
        panic!("it is taken for a key");
    };
    assert_eq!(fault.code, Code::ColumnUnlike, "{fault}");
    assert!(fault.what.contains("blanks fill it up"), "{fault}");
}

/// All of them, some at a time.
async fn all(stores: &Arc<Stores>, wrong: &mut Vec<String>) -> Matrix {
    let mut left = (0..TYPES.len()).flat_map(|source| Table::ALL.map(|table| (source, table)));
    let (mut looking, mut matrix) = (JoinSet::new(), Matrix::new());
    loop {
        while looking.len() < stores::AT_ONCE
            && let Some((source, table)) = left.next()
        {
            let stores = Arc::clone(stores);
            looking.spawn(async move {
                let mut wrong = Vec::new();
                let seen = look(&stores, source, table, &mut wrong).await;
                (seen, wrong)
            });
        }
        let Some(looked) = looking.join_next().await else { return matrix };
        let (seen, these) = looked.unwrap_or_else(|error| panic!("{error}"));
        matrix.extend(seen);
        wrong.extend(these);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn types_are_compared_as_the_reference_says() {
    let Some(stores) = tokio::task::block_in_place(Stores::new) else { return };
    let (stores, mut wrong) = (Arc::new(stores), Vec::new());
    let matrix = all(&stores, &mut wrong).await;
    for ([source, copy], how) in &matrix {
        let shown: [&Type; 2] = [&TYPES[*source], &TYPES[*copy]];
        assert_eq!(matrix.get(&[*copy, *source]), Some(how), "not the same both ways: {shown:?}");
    }
    refuses_a_padded_key(&stores).await;
    wrong.extend(traps::check(&stores).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let text = page::page(&matrix, &refusal(&stores).await);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/verify-types.md");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let stale = "is stale: UPDATE=1 cargo test -p instep --test it verify_types";
    assert!(found == text, "docs/reference/verify-types.md {stale}");
}
