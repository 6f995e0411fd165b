//! Tables and files that a copy makes.

use super::rig::Rig;
use instep_connectors::CopyTo;
use model::{Code, Column, Effect, Key, Kind, Row, Table, Value};
use std::sync::Arc;
use testkit::conformance::rows::{self, row, table};

#[tokio::test]
async fn a_missing_file_and_its_table_are_made() {
    let rig = Rig::without_file(creating("made"), table("questions"));
    let mut led = rig.lead().await;
    // A pass reads the copy before it writes the first row.
    assert_eq!(rows::all(rig.inspect().as_ref(), &rig.table).await, [].into());
    assert_eq!(led.together(1, vec![rig.put(row(1, 7, "a"))]).await, None);
    assert_eq!(
        rig.dump("select sql from sqlite_schema where name = 'made'"),
        "CREATE TABLE \"made\" (\"id\" integer not null, \"topic\" bigint, \"body\" text, \
         primary key (\"id\"))"
    );
    assert_eq!(rig.dump("pragma journal_mode"), "wal");
    assert_eq!(rows::all(rig.inspect().as_ref(), &rig.table).await, rows::rows([row(1, 7, "a")]));
}

#[tokio::test]
async fn a_table_may_be_made_before_there_is_a_row() {
    let rig = Rig::without_file(creating("made"), table("questions"));
    for _ in 0..2 {
        rig.target.make_table(&rig.copy.name, &rig.table).await.expect("it can be made");
    }
    assert_eq!(rig.dump("select count(*) from made"), "0");
    let rig = Rig::new("create table questions_copy (id primary key)");
    let made = rig.target.make_table(&"another".into(), &rig.table).await;
    assert_eq!(made.expect_err("there is no such copy").code, Code::Broken);
}

#[tokio::test]
async fn a_table_that_is_made_in_a_transaction_is_gone_with_it() {
    let rig = Rig::without_file(creating("made"), table("questions"));
    let mut led = rig.lead().await;
    let missing = Effect::Patch(rows::key(1), rows::row_with_same_body(1, 1));
    assert_eq!(led.together(1, vec![rig.write(missing)]).await.as_deref(), Some("row_missing"));
    assert_eq!(rig.dump("select name from sqlite_schema where name = 'made'"), "");
    assert_eq!(led.together(1, vec![rig.put(row(1, 7, "a"))]).await, None);
    assert_eq!(rig.dump("select id from made"), "1");
}

#[tokio::test]
async fn a_column_made_for_any_value_keeps_each_as_it_is_at_the_source() {
    // The values that SQLite itself would store in a source's column of each declared type.
    let declared = ["INTEGER", "VARCHAR(9)", "", "REAL", "DECIMAL(10,2)", "date", "blob"];
    let raw = ["7", "'7'", "7.0", "7.5", "'7.50'", "x'07'", "'seven'", "null", "9e999", "''"];
    for declared in declared {
        let source = Rig::new(&format!("create table questions_copy (id text, cell {declared})"));
        let column = |name: &str, declared: &str| Column {
            name: name.into(),
            kind: Kind::Any,
            declared: declared.into(),
            nullable: name != "id",
            compares: Default::default(),
        };
        let columns = vec![column("id", "text"), column("cell", declared)];
        let table = Table { name: "s".into(), version: 1, columns, key: vec![0] };
        let copy = Rig::without_file(creating("questions_copy"), Arc::new(table));
        let mut led = copy.lead().await;
        let mut writes = Vec::new();
        for (id, raw) in raw.iter().enumerate() {
            let hand = source.hand();
            let insert = format!("insert into questions_copy values ('{id:02}', {raw})");
            hand.execute(&insert, []).expect("it works");
            let ask = format!("select cell from questions_copy where id = '{id:02}'");
            let value = hand.query_row(&ask, [], |row| Ok(as_value(row.get_ref(0)?)));
            let id = Value::from(format!("{id:02}").as_str());
            writes.push(copy.put(Row::new([id, value.expect("a row")])));
        }
        assert_eq!(led.together(1, writes).await, None);
        let dump = "select id, typeof(cell), cell from questions_copy order by id";
        assert_eq!(copy.dump(dump), source.dump(dump), "{declared}");
    }
}

#[tokio::test]
async fn a_pushed_count_keeps_one_row_for_each_group_null_among_them() {
    let column = |name: &str, kind, declared: &str, nullable| Column {
        name: name.into(),
        kind,
        declared: declared.into(),
        nullable,
        compares: Default::default(),
    };
    let columns = vec![
        column("count", Kind::Text, "text", false),
        column("topic", Kind::Int, "bigint", true),
        column("value", Kind::Int, "bigint", false),
    ];
    let table = Arc::new(Table { name: "counts".into(), version: 1, columns, key: vec![0, 1] });
    let by_hand = "create table counts (count text not null, topic int, value int not null,
        unique (count, topic))";
    for rig in [
        Rig::without_file(creating("counts"), table.clone()),
        Rig::of(by_hand, creating("counts"), table.clone()),
    ] {
        let mut led = rig.lead().await;
        let name = || Value::from("questions");
        let put = |topic: Value, value| rig.put(Row::new([name(), topic, Value::Int(value)]));
        let writes = vec![rig.write(Effect::Truncate), put(Value::Null, 1), put(Value::Int(7), 2)];
        assert_eq!(led.together(1, writes).await, None);
        let writes = vec![put(Value::Null, 3), put(Value::Int(7), 4), put(Value::Int(8), 5)];
        assert_eq!(led.together(2, writes).await, None);
        let dump = "select count, topic, value from counts order by topic";
        assert_eq!(rig.dump(dump), "questions|-|3\nquestions|7|4\nquestions|8|5");
        let there = rows::all(rig.inspect().as_ref(), &table).await;
        assert_eq!(there.len(), 3);
        let gone = [Value::Null, Value::Int(8)];
        let gone = gone.map(|topic| rig.write(Effect::Delete(Key::new([name(), topic]))));
        assert_eq!(led.together(3, gone.into()).await, None);
        assert_eq!(rig.dump(dump), "questions|7|4");
    }
}

fn creating(table: &str) -> CopyTo {
    CopyTo { create: true, ..CopyTo::new("copy", table) }
}

fn as_value(raw: rusqlite::types::ValueRef<'_>) -> Value {
    use rusqlite::types::ValueRef;
    match raw {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Real(float) => Value::from(float),
        ValueRef::Text(text) => Value::from(std::str::from_utf8(text).expect("it is UTF-8")),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.into()),
    }
}
