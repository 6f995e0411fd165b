//! Random tables, rows and conditions: every condition that is taken counts as SQLite does.

use super::values::{Filled, quoted};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rusqlite::types::Value as Stored;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Columns beside the key, with names that have to be quoted.
const NAMES: [&str; 5] = ["a", "order", "c d", "null", "\u{e9}\"'"];

const CONDITIONS: usize = 48;

/// CN10, CN11: numbers that look alike, texts that differ in case, blanks and form.
#[test]
fn random_counts_equal_those_of_sqlite() {
    let (taken, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let cases = (table(), vec(vec(stored(), NAMES.len()), 1..40), vec(counted(), CONDITIONS));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 96,
        max_shrink_iters: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let compare = |(table, rows, counts): (String, Vec<Vec<Stored>>, Vec<Counted>)| {
        let filled = Filled::new(|connection| {
            connection.execute_batch(&table).unwrap();
            for (id, row) in (1_i64..).zip(&rows) {
                connection.execute("insert into t (id) values (?1)", [id]).unwrap();
                for (name, value) in NAMES.iter().zip(row) {
                    let put = format!("update t set {} = ?1 where id = ?2", quoted(name));
                    // A STRICT table takes not every value.
                    let _ = connection.execute(&put, rusqlite::params![value, id]);
                }
            }
        });
        for (by, condition) in &counts {
            asked.fetch_add(1, Ordering::Relaxed);
            if let Ok(numbers) = filled.counted(by, condition) {
                taken.fetch_add(1, Ordering::Relaxed);
                let expected = filled.asked(by, condition);
                prop_assert_eq!(numbers, expected, "{:?} where {} in\n{}", by, condition, table);
            }
        }
        Ok(())
    };
    runner.run(&cases, compare).unwrap_or_else(|error| panic!("{error}"));
    let (taken, asked) = (taken.into_inner(), asked.into_inner());
    assert!(taken * 3 > asked, "only {taken} of {asked} conditions were taken");
}

/// The columns to group by, and the condition.
type Counted = (Vec<&'static str>, String);

fn table() -> impl Strategy<Value = String> {
    let loose = select(vec![
        "",
        "int",
        "integer",
        "text",
        "varchar(9)",
        "real",
        "double",
        "numeric",
        "decimal(9, 2)",
        "blob",
        "any",
        "boolean",
        "datetime",
        "floating point",
        "string",
    ]);
    let strict = select(vec!["int", "integer", "real", "text", "blob", "any"]);
    let collations =
        select(vec!["", "", "", "", "collate binary", "collate nocase", "collate rtrim"]);
    let columns = prop_oneof![
        3 => (vec(loose, NAMES.len()), Just("")),
        1 => (vec(strict, NAMES.len()), Just("strict")),
    ];
    (columns, vec(collations, NAMES.len()), any::<bool>()).prop_map(
        |((types, end), collations, without_rowid)| {
            let columns = NAMES.iter().zip(types).zip(collations);
            let columns: String = columns
                .map(|((name, of), collation)| format!(", {} {of} {collation}", quoted(name)))
                .collect();
            let of = if end.is_empty() { "varchar" } else { "text" };
            let (key, more) = match without_rowid {
                true => ("id int primary key not null", "without rowid"),
                false => ("id integer primary key", ""),
            };
            let end = [end, more].iter().filter(|it| !it.is_empty()).copied().collect::<Vec<_>>();
            format!(
                "create table t ({key}{columns}, made {of} as (a), kept any as (\"order\") stored) {}",
                end.join(", ")
            )
        },
    )
}

fn stored() -> impl Strategy<Value = Stored> {
    let big = (1_i64 << 53) + 1;
    let ints = select(vec![0, 1, -1, 2, 10, big, big - 1, 1 << 62, i64::MAX, i64::MIN]);
    let floats = select(vec![
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.1,
        0.3,
        0.1 + 0.2,
        1.5,
        10.0,
        9_007_199_254_740_992.0,
        4_611_686_018_427_387_904.0,
        9_223_372_036_854_775_808.0,
        -9_223_372_036_854_775_808.0,
        1e22,
        1e300,
        5e-324,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ]);
    let blobs = select(vec![&b""[..], b"1", b"a", b"\xff", b"\0"]);
    prop_oneof![
        1 => Just(Stored::Null),
        3 => ints.prop_map(Stored::Integer),
        3 => floats.prop_map(Stored::Real),
        4 => select(TEXTS.to_vec()).prop_map(|text| Stored::Text(text.into())),
        1 => blobs.prop_map(|bytes| Stored::Blob(bytes.to_vec())),
    ]
}

/// Texts, many of which are numbers to some columns.
const TEXTS: [&str; 34] = [
    "",
    " ",
    "1",
    "01",
    "1.0",
    "1.50",
    "1.5",
    " 1 ",
    "\t1\n",
    "\u{a0}1",
    "1e0",
    "1e1",
    "1E+01",
    "1e",
    "1e400",
    "-0",
    "-0.0",
    "0x1",
    "+1",
    "+ 1",
    "-1",
    "1.",
    ".5",
    ".",
    "10",
    "9007199254740993",
    "9223372036854775807",
    "a",
    "A",
    "a ",
    "ab",
    "\u{e9}",
    "true",
    "1_0",
];

fn counted() -> impl Strategy<Value = Counted> {
    let names: Vec<_> = NAMES.into_iter().chain(["made", "kept", "id"]).collect();
    (subsequence(names, 0..3), condition())
}

fn condition() -> impl Strategy<Value = String> {
    let truth = select(vec!["true", "false", "null"]).prop_map(str::to_owned);
    let leaf = prop_oneof![8 => comparison(), 1 => truth];
    leaf.prop_recursive(3, 12, 3, |part| {
        let is = select(vec!["is null", "is not null", "is true", "is not true", "is false"]);
        prop_oneof![
            part.clone().prop_map(|part| format!("not {part}")),
            (part.clone(), part.clone()).prop_map(|(one, other)| format!("({one} and {other})")),
            (part.clone(), part.clone()).prop_map(|(one, other)| format!("({one} or {other})")),
            (part.clone(), part.clone()).prop_map(|(one, other)| format!("{one} and {other}")),
            (part, is).prop_map(|(part, is)| format!("({part}) {is}")),
        ]
    })
}

fn comparison() -> impl Strategy<Value = String> {
    let sign = || select(vec!["=", "<>", "<", "<=", ">", ">="]);
    let not = || select(vec!["", "not "]);
    prop_oneof![
        6 => (column(), sign(), literal()).prop_map(|(one, sign, other)| format!("{one} {sign} {other}")),
        2 => (literal(), sign(), column()).prop_map(|(one, sign, other)| format!("{one} {sign} {other}")),
        2 => (column(), sign(), column()).prop_map(|(one, sign, other)| format!("{one} {sign} {other}")),
        1 => (literal(), sign(), literal()).prop_map(|(one, sign, other)| format!("{one} {sign} {other}")),
        3 => (column(), not(), vec(literal(), 1..4))
            .prop_map(|(one, not, list)| format!("{one} {not}in ({})", list.join(", "))),
        1 => (operand(), not(), vec(operand(), 1..3))
            .prop_map(|(one, not, list)| format!("{one} {not}in ({})", list.join(", "))),
        3 => (column(), not(), literal(), literal())
            .prop_map(|(one, not, low, high)| format!("{one} {not}between {low} and {high}")),
        1 => (operand(), not(), operand(), operand())
            .prop_map(|(one, not, low, high)| format!("{one} {not}between {low} and {high}")),
        1 => (column(), not()).prop_map(|(one, not)| format!("{one} is {not}null")),
    ]
}

fn operand() -> impl Strategy<Value = String> {
    prop_oneof![column(), literal()]
}

fn column() -> impl Strategy<Value = String> {
    let names: Vec<_> = NAMES.into_iter().chain(["made", "kept", "id"]).collect();
    select(names).prop_map(quoted)
}

fn literal() -> impl Strategy<Value = String> {
    let numbers = select(vec![
        "0",
        "1",
        "-1",
        "+2",
        "007",
        "10",
        "9007199254740992",
        "9007199254740993",
        "4611686018427387904",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "0.0",
        "-0.0",
        "0.1",
        "0.3",
        "1.0",
        "1.50",
        "1.5",
        ".5",
        "10.0",
        "10000000000000000000000",
        "123456789.012345",
        "0.30000000000000004",
        "9007199254740992.0",
        "9007199254740992.5",
    ]);
    let texts = select(TEXTS.to_vec()).prop_map(|text| format!("'{text}'"));
    let words = select(vec!["true", "false", "null"]);
    prop_oneof![
        5 => numbers.prop_map(str::to_owned),
        4 => texts,
        1 => words.prop_map(str::to_owned),
    ]
}
