//! Statements that mend a copy, run by SQLite itself; and such as can not be written.

use super::super::sampled::whole;
use super::*;
use compare::{Cause, ColumnDifference, Verdict};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value as Owned;
use std::collections::BTreeMap;
use std::sync::Arc;

fn difference(key: Value, kind: Kind, columns: Vec<ColumnDifference>) -> Difference {
    Difference { key: vec![("the \"key\"".into(), key)], kind, cause: Cause::Unknown, columns }
}

fn column(name: &str, source: Option<Value>) -> ColumnDifference {
    ColumnDifference { name: name.into(), source, copy: None }
}

fn value() -> impl Strategy<Value = Owned> {
    prop_oneof![
        Just(Owned::Null),
        any::<i64>().prop_map(Owned::Integer),
        any::<f64>().prop_filter("no store keeps it", |it| !it.is_nan()).prop_map(Owned::Real),
        any::<String>().prop_map(Owned::Text),
        "[-'\";\\\\/*\n a]{0,12}".prop_map(Owned::Text),
        any::<Vec<u8>>().prop_map(Owned::Blob),
    ]
}

fn ours(value: &Owned) -> Value {
    match value {
        Owned::Null => Value::Null,
        Owned::Integer(int) => Value::Int(*int),
        Owned::Real(float) => Value::from(*float),
        Owned::Text(text) => Value::from(&**text),
        Owned::Blob(bytes) => Value::Bytes(bytes.as_slice().into()),
    }
}

type Rows = BTreeMap<String, Owned>;

const TABLE: &str = "od\"d; drop table x --";

fn filled(rows: &Rows) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let table = sqlite::literal::table(TABLE);
    let make =
        format!("create table {table} (\"the \"\"key\"\"\" text primary key, v, other default 7)");
    connection.execute(&make, []).unwrap();
    for (key, value) in rows {
        let insert = format!("insert into {table} values (?1, ?2, 7)");
        connection.execute(&insert, (key, value)).unwrap();
    }
    connection
}

fn read(connection: &Connection) -> Rows {
    let query = format!(
        "select \"the \"\"key\"\"\", v from {} where other = 7",
        sqlite::literal::table(TABLE)
    );
    let mut statement = connection.prepare(&query).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn told(source: &Rows, copy: &Rows) -> Vec<Difference> {
    let of = |key: &str, kind| {
        let columns = vec![column("v", source.get(key).map(ours))];
        difference(Value::from(key), kind, columns)
    };
    let missing = source.keys().filter(|key| !copy.contains_key(*key));
    let extra = copy.keys().filter(|key| !source.contains_key(*key));
    let both = source.iter().filter(|(key, value)| copy.get(*key).is_some_and(|it| it != *value));
    let mut all: Vec<_> = missing.map(|key| of(key, Kind::Missing)).collect();
    all.extend(extra.map(|key| of(key, Kind::Extra)));
    all.extend(both.map(|(key, _)| of(key, Kind::Different)));
    all
}

fn sql_of(kind: ServiceKind, change: impl FnOnce(&mut Verdict)) -> String {
    let mut whole = whole(change);
    whole.parts[0].sides[1].table = TABLE.to_owned();
    sql(&whole, Dialect::of(kind))
}

proptest! {
    #[test]
    fn the_statements_mend_a_copy_in_sqlite(
        source in prop::collection::btree_map("[-'a\"\\\\\n]{0,3}", value(), 0..6),
        copy in prop::collection::btree_map("[-'a\"\\\\\n]{0,3}", value(), 0..6),
    ) {
        let connection = filled(&copy);
        let text = sql_of(ServiceKind::Sqlite, |it| it.differences = told(&source, &copy));
        connection.execute_batch(&text).unwrap();
        prop_assert_eq!(read(&connection), source);
    }
}

#[test]
fn comments_hold_no_statement_whatever_is_in_a_row() {
    let evil = || Value::from("x\n; drop table a; \0--");
    let text = sql_of(ServiceKind::Postgres, |it| {
        it.differences = vec![
            difference(evil(), Kind::Missing, Vec::new()),
            difference(evil(), Kind::Orphan, vec![column("topic\nid", None)]),
        ];
    });
    let others: Vec<_> = text.lines().filter(|line| !line.starts_with("-- ")).collect();
    assert_eq!(others, ["begin;", "commit;"], "{text}");
    assert!(text.contains("No PostgreSQL takes the values of the row"), "{text}");
    assert!(text.contains("The row {"), "{text}");
}

#[test]
fn each_difference_is_one_statement_of_the_columns_that_differ() {
    let text = sql_of(ServiceKind::Postgres, |it| {
        (it.missing, it.different, it.extra) = (1, 1, 5);
        it.differences = vec![
            difference(
                Value::Int(1),
                Kind::Missing,
                vec![
                    column("a", Some(Value::from("it's"))),
                    column("the \"key\"", Some(Value::Int(1))),
                    column("gone", None),
                ],
            ),
            difference(Value::Int(2), Kind::Different, vec![column("a", Some(Value::from(true)))]),
            difference(Value::Int(3), Kind::Extra, vec![column("a", None)]),
        ];
    });
    let table = "\"od\"\"d; drop table x --\"";
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("--")).collect();
    assert_eq!(
        lines,
        [
            "begin;",
            &format!("delete from {table} where \"the \"\"key\"\"\" = '3';"),
            &format!("update {table} set \"a\" = 't' where \"the \"\"key\"\"\" = '2';"),
            &format!("insert into {table} (\"the \"\"key\"\"\", \"a\") values ('1', 'it''s');"),
            "commit;",
        ]
    );
    assert!(text.contains("-- 4 more are not listed here"), "{text}");
    let none = sql_of(ServiceKind::Sqlite, |_| {});
    assert!(none.lines().all(|line| line.starts_with("-- ")), "{none}");
    let names: Vec<Arc<str>> = vec!["a".into(), "b".into()];
    let key = names.iter().map(|name| (name.clone(), Value::Null)).collect();
    let text = sql_of(ServiceKind::Sqlite, |it| {
        it.differences =
            vec![Difference { key, ..difference(Value::Null, Kind::Extra, Vec::new()) }];
    });
    assert!(text.contains("where \"a\" is null and \"b\" is null;"), "{text}");
}
