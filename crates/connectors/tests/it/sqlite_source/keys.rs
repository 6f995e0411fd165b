//! Keys of every kind that SQLite knows, and texts that are not UTF-8.

use super::rig::{Reader, Rig};
use instep_connectors::sqlite::SourceLimits;
use model::{Cell, Digest, Inspect, Key, Row, Seed, Selection, Table, Value};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;

/// Values that sit close to each other, or count as the same.
const VALUES: [&str; 20] = [
    "0",
    "-0.0",
    "1",
    "1.0",
    "1.5",
    "-1",
    "-1.5",
    "9007199254740993",
    "9007199254740992.0",
    "1e300",
    "-1e300",
    "9223372036854775807",
    "9223372036854775807.0",
    "''",
    "'1'",
    "'a'",
    "'B'",
    "'é'",
    "x''",
    "x'31'",
];

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(24) })]

    #[test]
    fn keys_of_mixed_kinds_are_followed_and_read_in_their_order(
        table in select(vec![
            "create table t (a not null, b, primary key (a))",
            "create table t (a numeric not null, b, primary key (a))",
            "create table t (a int not null, b, primary key (a)) without rowid",
            "create table t (a real not null primary key, b)",
            "create table t (a text not null primary key, b)",
            "create table t (a not null, b not null, primary key (b, a)) without rowid",
            "create table t (a any not null, b any not null, primary key (a, b)) strict",
        ]),
        rows in prop::collection::vec((select(VALUES.to_vec()), select(VALUES.to_vec())), 1..40),
        rows_max in 1..6_usize,
    ) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follow_and_page(table, &rows, rows_max));
    }
}

async fn follow_and_page(table: &str, rows: &[(&str, &str)], rows_max: usize) {
    let rig = Rig::new(table);
    let limits =
        SourceLimits { look_pause_max: Duration::from_millis(2), ..SourceLimits::default() };
    let mut reader = Reader::begin(&rig.service_with(&["t"], limits)).await;
    let user = rig.open();
    user.execute_batch("pragma synchronous = off; begin").expect("it works");
    for (place, (a, b)) in rows.iter().enumerate() {
        // Some meet a row whose key is another way to write theirs.
        let or = ["or replace", "or ignore"][place % 2];
        user.execute_batch(&format!("insert {or} into t (a, b) values ({a}, {b})"))
            .expect("it works");
        if place % 5 == 4 {
            user.execute_batch(&format!("delete from t where a = {b}")).expect("it works");
            user.execute_batch("commit; begin").expect("it works");
            reader.catch_up(&rig).await;
        }
    }
    user.execute_batch("commit").expect("it works");
    reader.catch_up(&rig).await;
    let count: i64 = rig.number("select count(*) from t");
    let all = rig.rows("t").await;
    assert_eq!(all.len(), usize::try_from(count).expect("it works"), "no two rows have one key");
    assert_eq!(reader.rows("t"), all);
    let mut inspect = rig.inspect().await;
    let table = inspect.table(&"t".into()).await.expect("it works").expect("it works");
    page(inspect.as_mut(), &table, &all, rows_max).await;
    select_each(inspect.as_mut(), &table, &all).await;
}

async fn page(
    inspect: &mut dyn Inspect,
    table: &Arc<Table>,
    all: &BTreeMap<Key, Row>,
    rows_max: usize,
) {
    let (mut after, mut paged) = (None, Vec::new());
    loop {
        let selection = Selection::Range { after: after.clone(), upto: None };
        let found = inspect.rows(table, &selection, rows_max).await.expect("it works").found;
        assert!(found.rows.len() <= rows_max);
        paged.extend(found.rows.into_iter().map(|(key, row, _)| (key, row)));
        let Some(upto) = found.upto else { break };
        after = Some(upto);
    }
    assert_eq!(paged, all.clone().into_iter().collect::<Vec<_>>());
}

async fn select_each(inspect: &mut dyn Inspect, table: &Arc<Table>, all: &BTreeMap<Key, Row>) {
    let seed = Seed::from_bytes([7; 16]);
    let keys: Vec<_> = all.keys().cloned().collect();
    let mut selections = vec![Selection::Keys(keys.clone()), Selection::ALL, Selection::Nothing];
    for pair in keys.windows(3).map(|keys| [&keys[0], &keys[2]]) {
        let [after, upto] = pair.map(|key| Some(key.clone()));
        selections.push(Selection::Range { after, upto });
    }
    let digests = inspect.digests(table, &selections, seed).await.expect("it works").found;
    for (selection, digest) in selections.iter().zip(digests) {
        let rows = all.iter().filter(|(key, _)| selection.contains(key));
        let expected: Digest = rows.map(|(key, row)| Digest::of(seed, table, key, row)).sum();
        assert_eq!(digest, expected, "{selection:?}");
    }
}

#[tokio::test]
async fn a_number_written_otherwise_is_the_same_key() {
    let rig = Rig::new("create table t (id not null primary key, a);");
    let mut reader = rig.follow(&["t"]).await;
    rig.write("insert into t values (1, 'a')");
    reader.catch_up(&rig).await;
    rig.write("update t set id = 1.0, a = 'b'");
    reader.catch_up(&rig).await;
    let rows = reader.rows("t");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[&Key::new([1])].0[0], Cell::Value(Value::from(1.0)), "as the source shows it");
    rig.write("delete from t where id = 1");
    reader.catch_up(&rig).await;
    assert!(reader.rows("t").is_empty());
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_read_as_it_is_and_holds_nothing_up() {
    let rig = Rig::new("create table t (id text not null primary key, a text);");
    let mut reader = rig.follow(&["t"]).await;
    rig.write(
        "insert into t values ('41', cast(x'ff61' as text)), ('42', x'ff61'), ('43', 'fine'),
         (cast(x'3431ff' as text), 'a key'), (cast(x'ff' as text), null)",
    );
    reader.catch_up(&rig).await;
    let rows = reader.rows("t");
    let cell = |key: Value| rows[&Key::new([key])].0[1].clone();
    assert_eq!(cell("41".into()), Cell::Value(Value::text(b"\xffa")));
    assert_eq!(cell("42".into()), Cell::Value(Value::Bytes(b"\xffa"[..].into())));
    assert_eq!(cell(Value::text(b"41\xff")), Cell::from("a key"));
    // Inspection sees them in the order in which keys sort.
    assert_eq!(rows, rig.rows("t").await);
    rig.write(
        "update t set a = 'mended' where id = '41'; delete from t where id = cast(x'ff' as text)",
    );
    reader.catch_up(&rig).await;
    assert_eq!(reader.rows("t"), rig.rows("t").await);
    assert_eq!(reader.rows("t").len(), 4);
}
