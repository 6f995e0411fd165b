//! What single statements do, and what their writers notice of being followed.

use super::rig::Rig;
use model::{Key, Op, Position, Value};
use rusqlite::Connection;

fn key(id: i64) -> Key {
    Key::new([id])
}

#[tokio::test]
async fn rows_that_replace_takes_away_are_told_as_gone_through_every_kind_of_index() {
    let indexes = [
        "create unique index i on t (a)",
        "create unique index i on t (b collate nocase)",
        "create unique index i on t (a) where b <> 'zzz'",
        "create unique index i on t (lower(b))",
        "create unique index i on t (sum)",
        "create unique index i on t (a, sum desc) where lower(b) in ('x', 'y')",
    ];
    for index in indexes {
        let rig = Rig::new(
            "create table t (id integer primary key, a int, b text, sum int as (a + 1));
             insert into t values (1, 7, 'x'), (2, 8, 'y');",
        );
        rig.write(index);
        let mut reader = rig.follow(&["t"]).await;
        rig.write("update t set a = a where id < 3");
        reader.catch_up(&rig).await;
        rig.write("insert or replace into t (id, a, b) values (3, 7, 'X')");
        reader.catch_up(&rig).await;
        assert_eq!(reader.rows("t").into_keys().collect::<Vec<_>>(), [key(2), key(3)], "{index}");
        rig.write("update or replace t set a = 8, b = 'Y' where id = 3");
        reader.catch_up(&rig).await;
        assert_eq!(reader.rows("t").into_keys().collect::<Vec<_>>(), [key(3)], "{index}");
    }
}

#[tokio::test]
async fn rows_in_the_way_of_values_that_sqlite_makes_up_late_are_told_as_gone() {
    let cases = [
        // A default that feeds a generated column in place of a NULL; the same in an update.
        ("n int not null default 3, g as (n + 1) unique", "(n) values (3)", "(n) values (null)"),
        ("n int not null default 3, g as (n + 1) unique", "(n) values (3), (7)", ""),
        // A number that is not brought and feeds a generated column, or an expression.
        ("n int, g as (id % 3) unique", "(n) values (1), (2), (3)", "(n) values (4)"),
        ("n int", "(n) values (5)", "(n) values (4)"),
    ];
    for (columns, before, after) in cases {
        let rig = Rig::new(&format!("create table t (id integer primary key, {columns});"));
        rig.write("create unique index i on t (n + id)");
        let mut reader = rig.follow(&["t"]).await;
        rig.write(&format!("insert into t {before}"));
        reader.catch_up(&rig).await;
        let count = reader.rows("t").len();
        match after {
            "" => rig.write("update or replace t set n = null where n = 7"),
            after => rig.write(&format!("insert or replace into t {after}")),
        }
        reader.catch_up(&rig).await;
        assert_eq!(reader.rows("t"), rig.rows("t").await, "{columns}");
        assert!(reader.rows("t").len() <= count, "a row was in the way: {columns}");
    }
}

#[tokio::test]
async fn a_row_is_found_gone_that_lost_its_number_to_another() {
    let rig = Rig::new("create table t (id text not null primary key);");
    let mut reader = rig.follow(&["t"]).await;
    rig.write("insert into t (rowid, id) values (5, 'old')");
    reader.catch_up(&rig).await;
    rig.write("insert or replace into t (rowid, id) values (5, 'new')");
    reader.catch_up(&rig).await;
    assert_eq!(reader.rows("t").into_keys().collect::<Vec<_>>(), [Key::new(["new"])]);
}

#[tokio::test]
async fn a_writer_reads_his_token_in_his_own_transaction() {
    let rig = Rig::new("create table t (id integer primary key, a int unique);");
    let mut reader = rig.follow(&["t"]).await;
    let user = rig.open();
    let statements = [
        "insert into t values (1, 1)",
        "insert or fail into t values (2, 2), (3, 3), (4, 1)",
        "update or fail t set a = case id when 1 then 9 else 2 end",
        "create table other (id integer primary key); insert into other values (1)",
    ];
    for statement in statements {
        user.execute_batch("begin").unwrap();
        let _ = user.execute_batch(statement);
        let token = token(&user);
        user.execute_batch("commit").unwrap();
        reader.reach(&token).await;
        assert_eq!(reader.rows("t"), rig.rows("t").await, "{statement}");
    }
}

fn token(user: &Connection) -> Position {
    let token = "select seq from sqlite_sequence where name = 'instep_changes'";
    let token: i64 = user.query_row(token, [], |row| row.get(0)).expect("it works");
    Position::from_number(token.try_into().expect("it works"))
}

#[tokio::test]
async fn what_is_gone_comes_first_and_rows_in_the_order_in_which_they_were_touched() {
    let rig = Rig::new(
        "create table parent (id integer primary key, children int default 0, name text unique);
         create table child (id integer primary key, parent int references parent);",
    );
    let mut reader = rig.follow(&["child", "parent"]).await;
    rig.write("insert into parent values (1, 0, 'a')");
    reader.catch_up(&rig).await;
    rig.write(
        "begin; insert into parent values (2, 0, 'b'); insert into child values (7, 2);
         update parent set children = 1 where id = 2; delete from parent where id = 1;
         update parent set name = 'a' where id = 2; commit",
    );
    reader.catch_up(&rig).await;
    let told: Vec<_> = reader.parts.iter().flatten().map(|it| (&it.table.name, &it.op)).collect();
    let shown: Vec<_> = told
        .iter()
        .map(|(table, op)| match op {
            Op::Delete(key) => format!("{table} without {:?}", key.values()),
            Op::Update { before, .. } => format!("{table} with {:?}", before.values()),
            other => panic!("nobody can know that: {other:?}"),
        })
        .collect();
    assert_eq!(shown, ["parent without [Int(1)]", "parent with [Int(2)]", "child with [Int(7)]"]);
}

#[tokio::test]
async fn a_writer_sees_his_own_numbers_and_not_ours() {
    let rig = Rig::new("create table t (id integer primary key, a int);");
    let _reader = rig.follow(&["t"]).await;
    let user = rig.open();
    user.execute_batch("insert into t values (41, 1)").unwrap();
    assert_eq!(user.execute("insert into t (a) values (2), (3)", []).unwrap(), 2);
    assert_eq!(user.last_insert_rowid(), 43);
}

#[tokio::test]
async fn statements_that_only_fail_to_be_indexed_fail_no_earlier_for_being_followed() {
    let rig = Rig::new(
        "create table t (id integer primary key, a text);
         create unique index i on t (json_extract(a, '$.x')) where json_valid(a);
         insert into t values (1, 'no json');",
    );
    let mut reader = rig.follow(&["t"]).await;
    rig.write("insert into t values (2, 'none either'), (3, '{\"x\": 1}')");
    rig.write("insert or replace into t values (4, '{\"x\": 1}')");
    reader.catch_up(&rig).await;
    assert_eq!(reader.rows("t").into_keys().collect::<Vec<_>>(), [key(2), key(4)]);
}

#[tokio::test]
async fn values_come_as_sqlite_stores_them() {
    let rig = Rig::new(
        "create table t (id integer primary key, i int, r real, t text, b blob, n numeric, x, \
         g as (i || '!') stored) ",
    );
    let mut reader = rig.follow(&["t"]).await;
    rig.write("insert into t (id, i, r, t, b, n, x) values (1, '7', 7, 7, x'00ff', '7.50', null)");
    reader.catch_up(&rig).await;
    let rows = reader.rows("t");
    let values = [
        Value::Int(1),
        Value::Int(7),
        Value::from(7.0),
        Value::from("7"),
        Value::Bytes([0, 255].into()),
        Value::from(7.5),
        Value::Null,
        Value::from("7!"),
    ];
    assert_eq!(rows[&key(1)], model::Row::new(values));
}
