//! What a table looks like to whoever compares it.

use super::rig::Rig;
use std::sync::Arc;

async fn unique(statements: &str, table: &str) -> Vec<String> {
    let rig = Rig::new(statements);
    let looked = rig.session().await.look(&table.into()).await.unwrap().unwrap();
    let joined = |it: &Vec<Arc<str>>| it.iter().map(|name| &**name).collect::<Vec<_>>().join("+");
    looked.unique.iter().map(joined).collect()
}

#[tokio::test]
async fn what_is_never_twice_and_never_null_tells_rows_apart() {
    for (columns, found) in [
        ("(id integer primary key, v)", vec!["id"]),
        ("(id integer primary key desc, v)", vec![]),
        ("(id int primary key, v)", vec![]),
        ("(id int primary key not null, v)", vec!["id"]),
        ("(a text, b text, primary key (b, a)) without rowid", vec!["b+a"]),
        ("(a text primary key, b int) strict", vec!["a"]),
        ("(a text primary key not null, b int unique) strict", vec!["a"]),
        ("(a text not null collate nocase, b not null, unique (a, b))", vec!["a+b"]),
        ("(a not null unique, id integer primary key)", vec!["id", "a"]),
        ("(a not null, b, unique (a, b))", vec![]),
        ("(v)", vec![]),
    ] {
        let made = format!("create table t {columns}");
        let unique = unique(&made, "t").await;
        assert_eq!(unique, found, "{columns}");
    }
}

#[tokio::test]
async fn an_index_over_some_rows_or_over_what_is_no_column_tells_nothing() {
    let statements = "create table t (id, a not null, b not null, c not null);
         create unique index partial on t (a) where b > 1;
         create unique index expression on t (b + 1);
         create unique index mixed on t (b, lower(a));
         create unique index own on t (c collate rtrim);
         create index plain on t (b);
         create view s as select a from t;";
    assert_eq!(unique(statements, "t").await, ["c"]);
    assert_eq!(unique(statements, "s").await, Vec::<String>::new());
}

#[tokio::test]
async fn columns_say_how_they_are_sorted() {
    let rig = Rig::new(
        "create table t (id integer primary key, a, b text, c text collate NoCase, d decimal(9,2),
             e blob, f as (b) stored);
         insert into t (b) values ('x'), ('y');
         create view s as select id, c from t; create virtual table w using fts5(body);",
    );
    let mut session = rig.session().await;
    let looked = session.look(&"t".into()).await.unwrap().unwrap();
    let sorted: Vec<_> = looked.columns.iter().map(|it| it.sorted.as_deref().unwrap()).collect();
    assert_eq!(sorted, ["number", "bytes", "bytes", "nocase", "number", "bytes", "bytes"]);
    assert_eq!((looked.sums, looked.rows), (None, Some(2)));
    assert!(looked.columns.iter().all(|it| it.written.is_none() && it.unreadable.is_none()));
    assert!(looked.store.starts_with("SQLite 3."), "{}", looked.store);
    assert_eq!((looked.table.key, looked.table.columns.len()), (vec![0], 7));
    let view = session.look(&"s".into()).await.unwrap().unwrap();
    assert_eq!((view.table.key.len(), view.table.columns.len(), view.rows), (0, 2, None));
    assert!(view.columns.iter().all(|it| it.sorted.is_none()));
    assert!(session.look(&"w".into()).await.unwrap().is_some());
    assert_eq!(session.look(&"no".into()).await.unwrap(), None);
}
