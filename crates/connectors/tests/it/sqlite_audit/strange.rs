//! Tables as nobody would make them, but some do.

use super::rig::{Rig, all, ask, key, keys, range, values};
use model::{Code, Flaw, Key, Kind, Selection, Value};

#[tokio::test]
async fn names_may_be_anything() {
    let rig = Rig::new(
        "create table \"it's \"\"t\"\"; -- \" (\"select\" integer primary key, \"\" text, \"a\"\"b'c\" int,
             \"x.y\" int, \"?1\" int);
         insert into \"it's \"\"t\"\"; -- \" values (1, 'v', 2, 3, 4);
         create table \"\" (\"\" integer primary key, b); insert into \"\" values (7, 8);",
    );
    let mut session = rig.session().await;
    let name = "it's \"t\"; -- ";
    assert!(session.look(&name.into()).await.unwrap().is_some());
    let columns = ["", "a\"b'c", "x.y", "?1"].map(|it| (it, Kind::Any));
    let mut asked = ask(name, &[("select", Kind::Int)], &columns);
    asked.condition = Some("\"x.y\" = 3 and \"a\"\"b'c\" = 2".into());
    let rows = all(session.as_mut(), &asked, 1).await;
    assert_eq!(rows[0].0, key(1));
    assert_eq!(values(&rows[0].1), [Value::from("v"), 2.into(), 3.into(), 4.into()]);
    let asked = ask("", &[("", Kind::Int)], &[("b", Kind::Any)]);
    assert!(session.look(&"".into()).await.unwrap().is_some());
    assert_eq!(keys(session.as_mut(), &asked, 1).await, [key(7)]);
    assert_eq!(session.find(&asked, &[key(7)]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_collation_that_only_another_program_has_is_done_without() {
    let rig = Rig::new(
        "create table t (k text collate nocase primary key, v text collate nocase);
         insert into t values ('b', 1), ('a', 2), ('B ', 3);
         pragma writable_schema = on;
         update sqlite_master set sql = replace(sql, 'nocase', 'own') where name = 't';",
    );
    let mut session = rig.session().await;
    let looked = session.look(&"t".into()).await.unwrap().unwrap();
    assert_eq!(looked.columns[0].sorted.as_deref(), Some("own"));
    let asked = ask("t", &[("k", Kind::Text)], &[("v", Kind::Any)]);
    session.admit(&asked).await.unwrap();
    let sorted = [key("B "), key("a"), key("b")];
    assert_eq!(keys(session.as_mut(), &asked, 1).await, sorted);
    assert_eq!(session.cut(&asked, None, 2).await.unwrap(), Some(key("a")));
    assert_eq!(session.find(&asked, &sorted).await.unwrap().len(), 3);
    assert_eq!(session.flaw(&asked, &Selection::ALL).await.unwrap(), None);
    let refused = session.newest(&asked, &super::rig::wanted("v", Kind::Any), 1).await.unwrap_err();
    assert_eq!(refused.code, Code::SqliteRefused, "its greatest is known to that program alone");
}

#[tokio::test]
async fn generated_columns_are_read_and_may_be_a_key() {
    let rig = Rig::new(
        "create table t (id integer primary key, a int, twice int as (a * 2), stored text
             as ('n' || a) stored unique not null);
         insert into t (id, a) values (1, 5), (2, 4);",
    );
    let mut session = rig.session().await;
    let looked = session.look(&"t".into()).await.unwrap().unwrap();
    assert_eq!(looked.unique.iter().map(|it| &*it[0]).collect::<Vec<_>>(), ["id", "stored"]);
    let asked = ask("t", &[("stored", Kind::Text)], &[("twice", Kind::Int)]);
    let rows = all(session.as_mut(), &asked, 1).await;
    assert_eq!(rows.iter().map(|it| it.0.clone()).collect::<Vec<_>>(), [key("n4"), key("n5")]);
    assert_eq!(values(&rows[0].1), [Value::Int(8)]);
}

#[tokio::test]
async fn a_text_that_is_not_utf8_is_read_found_and_bounds_a_stretch() {
    let rig = Rig::new(
        "create table t (k text primary key, v text);
         insert into t values (cast(x'61ff' as text), cast(x'fe' as text)), ('a', 'b'), ('b', 'c');",
    );
    let mut session = rig.session().await;
    for kind in [Kind::Text, Kind::Any, Kind::Uuid, Kind::Decimal] {
        let asked = ask("t", &[("k", kind)], &[("v", kind)]);
        let raw = key(Value::text(b"a\xff"));
        let rows = all(session.as_mut(), &asked, 1).await;
        assert_eq!(rows[1].0, raw);
        assert_eq!(values(&rows[1].1), [Value::text(b"\xfe")]);
        assert_eq!(session.find(&asked, std::slice::from_ref(&raw)).await.unwrap().len(), 1);
        let behind = session.rows(&asked, &range(Some(raw), None), 9).await.unwrap();
        assert_eq!(behind.found.len(), 1);
    }
}

#[tokio::test]
async fn the_ends_of_whole_numbers_are_not_rounded() {
    let rig = Rig::new(
        "create table t (k primary key, v);
         insert into t values (9223372036854775807, 1), (9223372036854775808.0, 2),
             (9223372036854775806, 3), (-9223372036854775808, 4), (-9.3e18, 5), (9007199254740993, 6),
             (9007199254740994.0, 7), (9e999, 8), (-9e999, 9);",
    );
    let mut session = rig.session().await;
    let asked = ask("t", &[("k", Kind::Any)], &[("v", Kind::Int)]);
    let rows = all(session.as_mut(), &asked, 1).await;
    let order: Vec<_> = rows.iter().map(|(_, row)| values(row)[0].clone()).collect();
    assert_eq!(order, [9, 5, 4, 6, 7, 3, 1, 2, 8].map(Value::Int));
    let wanted: Vec<Key> = rows.iter().map(|it| it.0.clone()).collect();
    let found = session.find(&asked, &wanted).await.unwrap();
    assert!(rows.iter().all(|(key, row)| found[key].row == *row));
}

#[tokio::test]
async fn null_in_columns_that_are_called_unique_is_told_as_a_flaw() {
    let rig = Rig::new(
        "create table t (a int, b int, v, unique (a, b));
         insert into t values (1, null, 1), (1, null, 2), (1, 1, 3), (null, 1, 4);",
    );
    let mut session = rig.session().await;
    let asked = ask("t", &[("a", Kind::Int), ("b", Kind::Int)], &[("v", Kind::Any)]);
    assert_eq!(session.flaw(&asked, &Selection::Nothing).await.unwrap(), Some(Flaw::Null(3)));
    assert_eq!(keys(session.as_mut(), &asked, 1).await, [Key::new([1_i64, 1])]);
}

#[tokio::test]
async fn a_view_that_fails_says_so_and_the_session_goes_on() {
    let rig = Rig::new(
        "create table t (id integer primary key, v text); insert into t values (1, '{'), (2, '{}');
         create view bad as select id, json_extract(v, '$.a') as a from t;
         create view gone as select id from nowhere;",
    );
    let mut session = rig.session().await;
    let asked = ask("bad", &[("id", Kind::Int)], &[("a", Kind::Any)]);
    let refused = session.rows(&asked, &Selection::ALL, 9).await.unwrap_err();
    assert_eq!(refused.code, Code::SqliteRefused);
    assert!(refused.what.contains("malformed JSON"), "{}", refused.what);
    let gone = session.look(&"gone".into()).await.unwrap_err();
    assert_eq!(gone.code, Code::SqliteRefused);
    let asked = ask("t", &[("id", Kind::Int)], &[]);
    assert_eq!(keys(session.as_mut(), &asked, 9).await.len(), 2);
}

#[tokio::test]
async fn asking_with_keys_that_do_not_fit_is_a_broken_promise_and_no_panic() {
    let rig = Rig::new("create table t (id integer primary key, v)");
    let mut session = rig.session().await;
    let asked = ask("t", &[("id", Kind::Int)], &[]);
    let two = Key::new([1_i64, 2]);
    let broken = session.find(&asked, std::slice::from_ref(&two)).await.unwrap_err();
    assert_eq!(broken.code, Code::Broken);
    let broken = session.rows(&asked, &range(Some(two), None), 1).await.unwrap_err();
    assert_eq!(broken.code, Code::Broken);
    let null = range(None, Some(key(Value::Null)));
    assert_eq!(session.rows(&asked, &null, 1).await.unwrap_err().code, Code::Broken);
    let keyless = ask("t", &[], &[]);
    assert_eq!(session.cut(&keyless, None, 1).await.unwrap_err().code, Code::Broken);
}
