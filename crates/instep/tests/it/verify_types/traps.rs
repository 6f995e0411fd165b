//! Values that are easily taken for others, and whether they are the same.

use super::stores::{AT_ONCE, Stores, Table};
use compare::{Kind, Progress, Stop, Terms, prepare};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Same,
    Different,
    /// There is no such row.
    Missing,
}
use Found::{Different, Missing, Same};

/// A column of one side, and what is in it; nothing for no row.
type Side = (Table, &'static str, &'static str);

/// Two values that are easily taken for the same, or for others.
pub(super) struct Trap {
    /// What it is about.
    pub(super) about: &'static str,
    pub(super) sides: [Side; 2],
    /// Behind `--treat`, if anything is.
    pub(super) rule: &'static str,
    pub(super) found: Found,
}

const fn trap(about: &'static str, source: Side, copy: Side, found: Found) -> Trap {
    Trap { about, sides: [source, copy], rule: "", found }
}

const fn treated(rule: &'static str, source: Side, copy: Side, found: Found) -> Trap {
    Trap { about: "", sides: [source, copy], rule, found }
}

const fn pg(declared: &'static str, value: &'static str) -> Side {
    (Table::Postgres, declared, value)
}

const fn lite(declared: &'static str, value: &'static str) -> Side {
    (Table::Plain, declared, value)
}

const NULL: &str = "null";

pub(super) const TRAPS: [Trap; 90] = [
    trap("NULL, nothing and no row", pg("text", NULL), pg("text", "''"), Different),
    trap("", pg("text", NULL), lite("text", NULL), Same),
    trap("", pg("text", NULL), pg("text", ""), Missing),
    trap("", pg("integer", NULL), pg("integer", "0"), Different),
    trap("", pg("jsonb", NULL), pg("jsonb", "'null'"), Different),
    trap("", pg("bytea", "''"), pg("bytea", NULL), Different),
    trap("", pg("integer[]", "'{}'"), pg("integer[]", NULL), Different),
    trap("", pg("text", "''"), lite("blob", "x''"), Different),
    trap("zeros and NaN", pg("double precision", "'-0'"), pg("double precision", "0"), Same),
    trap("", pg("real", "'-0'"), pg("integer", "0"), Same),
    trap("", pg("text", "'-0'"), pg("text", "'0'"), Different),
    trap("", pg("double precision", "'NaN'"), pg("double precision", "'NaN'"), Same),
    trap("", pg("double precision", "'NaN'"), pg("numeric", "'NaN'"), Same),
    trap("", pg("double precision", "'NaN'"), lite("real", "'NaN'"), Same),
    trap("", pg("double precision", "'NaN'"), lite("real", NULL), Different),
    trap("", pg("double precision", "'Infinity'"), lite("real", "9e999"), Same),
    trap("", pg("numeric", "'Infinity'"), pg("double precision", "'-Infinity'"), Different),
    trap("", pg("double precision", "'Infinity'"), pg("text", "'1e999'"), Different),
    trap("digits", pg("numeric", "1.0"), pg("numeric", "1.00"), Same),
    trap("", pg("text", "'1.0'"), pg("text", "'1.00'"), Different),
    trap("", pg("numeric", "1.0"), pg("text", "'1.00'"), Same),
    trap("", pg("numeric", "1.005"), pg("numeric(10,2)", "1.005"), Different),
    trap("", pg("integer", "1"), pg("numeric", "1.0"), Same),
    trap("", pg("integer", "1"), pg("text", "'01'"), Same),
    trap("", pg("integer", "1"), pg("text", "'1.0'"), Different),
    trap("", pg("integer", "1"), pg("text", "' 1'"), Different),
    trap(
        "",
        pg("bigint", "9007199254740993"),
        pg("double precision", "9007199254740993"),
        Different,
    ),
    trap("", pg("bigint", "9007199254740993"), lite("real", "9007199254740993"), Different),
    trap("", pg("numeric", "0.1"), pg("double precision", "0.1"), Same),
    trap("", pg("numeric", "0.1"), lite("real", "0.1"), Same),
    trap(
        "",
        pg("numeric", "0.12345678901234567890"),
        lite("numeric", "0.12345678901234567890"),
        Different,
    ),
    trap("32 and 64 bits", pg("real", "0.1"), pg("double precision", "0.1"), Different),
    treated("single", pg("real", "0.1"), pg("double precision", "0.1"), Same),
    trap("", pg("real", "0.1"), pg("numeric", "0.1"), Same),
    trap("", pg("real", "0.1"), pg("text", "'0.1'"), Same),
    treated("single", pg("double precision", "0.1"), pg("numeric", "0.1"), Same),
    trap("", pg("real", "0.1"), lite("real", "0.1"), Different),
    treated("single", pg("real", "0.1"), lite("real", "0.1"), Same),
    treated("single", pg("double precision", "0.1"), pg("double precision", "0.2"), Different),
    trap("a number or its digits", pg("text", "'1'"), lite("text", "1"), Same),
    trap("", pg("text", "'1'"), lite("integer", "'1'"), Different),
    trap("", pg("integer", "1"), lite("text", "1"), Same),
    trap("", lite("integer", "1"), lite("text", "1"), Different),
    trap("", lite("integer", "1"), lite("real", "1"), Same),
    trap("", lite("blob", "1"), lite("blob", "1.0"), Different),
    trap("true and false", pg("boolean", "true"), pg("integer", "1"), Same),
    trap("", pg("boolean", "true"), pg("integer", "2"), Different),
    trap("", pg("boolean", "true"), pg("text", "'true'"), Same),
    trap("", pg("boolean", "true"), pg("text", "'t'"), Same),
    trap("", pg("boolean", "true"), pg("text", "'yes'"), Different),
    trap("", pg("boolean", "true"), lite("text", "'TRUE'"), Same),
    trap("blanks", pg("char(5)", "'a'"), pg("text", "'a'"), Same),
    trap("", pg("char(5)", "'a'"), lite("text", "'a'"), Same),
    trap("", pg("char(5)", "'1'"), pg("integer", "1"), Same),
    trap("", pg("char(5)", "''"), pg("char(9)", "''"), Same),
    trap("", pg("char(5)", "'a'"), pg("text", "' a'"), Different),
    trap("", pg("text", "'a'"), pg("text", "'a '"), Different),
    treated("trim", pg("text", "'a'"), pg("text", "'a '"), Same),
    treated("trim", pg("text", "'a'"), pg("text", "e'a\\t'"), Different),
    trap("letters", pg("text", "'A'"), pg("text", "'a'"), Different),
    trap("", lite("text collate nocase", "'A'"), lite("text collate nocase", "'a'"), Different),
    trap("", lite("text collate rtrim", "'a'"), lite("text collate rtrim", "'a '"), Different),
    trap("", pg("text", "e'\\u00e9'"), pg("text", "e'e\\u0301'"), Different),
    trap("", pg("text", "e'\\u00e9'"), lite("text", "char(233)"), Same),
    trap("", pg("text", "'a'"), lite("text", "x'61'"), Different),
    trap("", pg("inet", "'10.0.0.1'"), pg("text", "'10.0.0.1'"), Same),
    trap("", pg("inet", "'10.0.0.1'"), pg("text", "'10.0.0.1'::inet::text"), Different),
    trap(
        "time",
        pg("timestamptz", "'2026-11-21 12:00+02'"),
        pg("timestamptz", "'2026-11-21 10:00+00'"),
        Same,
    ),
    trap(
        "",
        pg("timestamptz", "'2026-11-21 12:00+02'"),
        lite("text", "'2026-11-21T10:00:00Z'"),
        Same,
    ),
    trap(
        "",
        pg("timestamptz", "'2026-11-21 12:00+02'"),
        lite("text", "'2026-11-21 10:00:00'"),
        Same,
    ),
    trap(
        "",
        pg("timestamptz", "'2026-11-21 12:00+02'"),
        pg("text", "'2026-11-21T10:00:00Z'"),
        Same,
    ),
    trap("", pg("timestamptz", "'2026-11-21 12:00+02'"), lite("integer", "1795255200"), Different),
    trap(
        "",
        pg("timestamptz", "'2026-11-21 10:00:00.1234+00'"),
        pg("timestamptz(3)", "'2026-11-21 10:00:00.1234+00'"),
        Different,
    ),
    trap(
        "",
        pg("timestamptz", "'2026-11-21 12:00+02'"),
        pg("text", "'2026-11-21 13:00:00+03'"),
        Same,
    ),
    trap(
        "",
        pg("timestamp", "'2026-11-21 10:00'"),
        pg("text", "'2026-11-21 12:00:00+02'"),
        Different,
    ),
    trap(
        "",
        pg("timestamp", "'0044-03-15 10:00 BC'"),
        pg("text", "'0044-03-15 10:00:00 BC'"),
        Same,
    ),
    trap(
        "",
        pg("timestamp", "'0044-03-15 10:00 BC'"),
        pg("text", "'0044-03-15 12:00:00+02 BC'"),
        Different,
    ),
    treated(
        "ms",
        pg("timestamptz", "'2026-11-21 10:00:00.1234+00'"),
        pg("timestamptz(3)", "'2026-11-21 10:00:00.1234+00'"),
        Same,
    ),
    treated(
        "seconds",
        pg("timestamp", "'1969-12-31 23:59:59.9'"),
        pg("timestamp", "'1970-01-01 00:00'"),
        Different,
    ),
    trap("", pg("timetz", "'12:00+02'"), pg("timetz", "'10:00+00'"), Different),
    trap("", pg("time", "'24:00'"), pg("time", "'00:00'"), Different),
    trap("", pg("interval", "'1 year'"), pg("interval", "'12 months'"), Same),
    trap("", pg("interval", "'1 day'"), pg("interval", "'24 hours'"), Different),
    trap("JSON", pg("json", "'{\"a\": 1, \"b\": 2}'"), pg("json", "'{\"b\":2,\"a\":1.0}'"), Same),
    trap("", pg("json", "'{\"a\": 1, \"a\": 2}'"), pg("jsonb", "'{\"a\": 2}'"), Same),
    trap("", pg("jsonb", "'[1, 2]'"), pg("jsonb", "'[2, 1]'"), Different),
    trap("", pg("jsonb", "'1e2'"), lite("text", "'100.0'"), Same),
    trap("", pg("jsonb", "'{\"a\": null}'"), pg("jsonb", "'{}'"), Different),
    trap("", pg("json", "'\"\\u00e9\"'"), pg("jsonb", "'\"\u{e9}\"'"), Same),
    trap(
        "",
        pg("jsonb", "'12345678901234567890.1'"),
        pg("jsonb", "'12345678901234567890.2'"),
        Different,
    ),
];

/// Those that are not as they say.
pub(super) async fn check(stores: &Arc<Stores>) -> Vec<String> {
    let mut made = [String::new(), String::new()];
    for (number, trap) in TRAPS.iter().enumerate() {
        for ((table, declared, value), side) in trap.sides.iter().zip(["source", "copy"]) {
            let name = name(*table, number, side);
            let statements = &mut made[usize::from(*table == Table::Postgres)];
            *statements += &format!("create table {name} (id integer primary key, v {declared});");
            if !value.is_empty() {
                *statements += &format!("insert into {name} values (1, {value});");
            }
        }
    }
    for (statements, table) in made.iter().zip([Table::Plain, Table::Postgres]) {
        tokio::task::block_in_place(|| stores.run(table, statements));
    }
    let (mut left, mut looking) = (0..TRAPS.len(), JoinSet::new());
    let mut wrong = Vec::new();
    loop {
        while looking.len() < AT_ONCE
            && let Some(number) = left.next()
        {
            let stores = Arc::clone(stores);
            looking.spawn(async move { (number, found(&stores, number).await) });
        }
        let Some(looked) = looking.join_next().await else { return wrong };
        let (number, (found, shown)) = looked.unwrap_or_else(|error| panic!("{error}"));
        let trap = &TRAPS[number];
        if found != trap.found {
            wrong.push(format!("{found:?}: {:?} {}: {shown}", trap.sides, trap.rule));
        }
    }
}

fn name(table: Table, number: usize, side: &str) -> String {
    let schema = if table == Table::Postgres { "public." } else { "" };
    format!("{schema}trap{number}_{side}")
}

async fn found(stores: &Stores, number: usize) -> (Found, String) {
    let trap = &TRAPS[number];
    let end = |place: usize, side| {
        let table = trap.sides[place].0;
        stores.end(table, &name(table, number, side))
    };
    let rule = trap.rule.parse().ok().map(|rule| ("v".into(), rule));
    let terms = Terms {
        rules: rule.into_iter().collect(),
        settle: Duration::ZERO,
        connections: 1,
        ..Terms::default()
    };
    let prepared = prepare(&end(0, "source"), &end(1, "copy"), terms).await;
    let prepared = prepared.unwrap_or_else(|it| panic!("{it:?}"));
    let verdict = prepared.run(&Arc::new(Progress::default()), &Stop::default()).await;
    let shown = format!("{:?} {:?}", verdict.differences, verdict.unread);
    assert!(verdict.unread.is_empty(), "{shown}");
    let found = match verdict.differences.iter().map(|it| it.kind).collect::<Vec<_>>()[..] {
        [] => Same,
        [Kind::Different] => Different,
        [Kind::Missing] => Missing,
        _ => panic!("{shown}"),
    };
    (found, shown)
}
