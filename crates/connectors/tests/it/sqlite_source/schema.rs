//! Tables that change while they are followed, and those that can not be followed.

use super::rig::Rig;
use model::{Code, Fate, Key, Selection, Service, Started};

const TABLE: &str = "create table t (id integer primary key, a int, b text);";

#[tokio::test]
async fn a_table_that_is_made_anew_has_lost_history() {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    rig.write("insert into t values (1, 1, 'a')");
    reader.catch_up(&rig).await;
    rig.write(
        "begin; create table new (id integer primary key, a int, b text);
         insert into new select id, a + 1, b from t; drop table t;
         alter table new rename to t; commit; insert into t values (2, 2, 'unseen')",
    );
    let service = rig.service(&["t"]);
    assert_eq!(reader.fault().await.fate, Fate::Retry);
    // Whoever reads meanwhile would read what no change tells of.
    let mut inspect = rig.inspect().await;
    let table = inspect.table(&"t".into()).await.unwrap().unwrap();
    let fault = inspect.rows(&table, &Selection::ALL, 10).await.unwrap_err();
    assert_eq!(fault.fate, Fate::Retry);
    reader.lose(&service, true).await;
    rig.write("insert into t values (3, 3, 'c')");
    reader.catch_up(&rig).await;
    assert!(reader.rows("t").contains_key(&Key::new([3])));
}

#[tokio::test]
async fn history_stays_lost_until_a_reader_has_begun_anew() {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    rig.write("drop trigger \"instep_t:insert\"; insert into t values (1, 1, 'unseen')");
    let service = rig.service(&["t"]);
    for _ in 0..3 {
        assert!(matches!(
            reader.start_anew(&service).await,
            Started::Lost { same_history: true, .. }
        ));
    }
    reader.lose(&service, true).await;
    reader.go_on(&service).await;
}

#[tokio::test]
async fn an_added_column_makes_another_version_and_loses_nothing() {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    let service = rig.service(&["t"]);
    rig.write("insert into t values (1, 1, 'a')");
    reader.catch_up(&rig).await;
    assert_eq!(reader.shapes[&"t".into()].version, 1);
    rig.write("alter table t add column c int default 5; insert into t values (2, 2, 'b', 6)");
    assert_eq!(reader.fault().await.fate, Fate::Retry);
    for _ in 0..2 {
        reader.go_on(&service).await;
        rig.write("update t set a = a + 1 where id = 2");
        reader.catch_up(&rig).await;
        let shape = &reader.shapes[&"t".into()];
        assert_eq!((shape.version, shape.columns.len()), (2, 4), "and the same after a restart");
    }
    let mut inspect = rig.inspect().await;
    assert_eq!(inspect.table(&"t".into()).await.unwrap().unwrap(), reader.shapes[&"t".into()]);
    assert_eq!(reader.rows("t")[&Key::new([2])], rig.rows("t").await[&Key::new([2])]);
}

#[tokio::test]
async fn columns_that_are_not_indexed_can_be_dropped_and_renamed_while_they_are_followed() {
    let rig = Rig::new(&format!("{TABLE} create unique index i on t (lower(b));"));
    let mut reader = rig.follow(&["t"]).await;
    rig.write("alter table t drop column a; alter table t rename column b to \"b b\"");
    reader.fault().await;
    // What a new name did to the triggers is not known, so they are made anew.
    reader.lose(&rig.service(&["t"]), true).await;
    rig.write("insert into t values (1, 'x'); insert or replace into t values (2, 'X')");
    reader.catch_up(&rig).await;
    assert_eq!(reader.rows("t"), rig.rows("t").await);
}

#[tokio::test]
async fn a_new_unique_index_loses_history_because_replace_may_have_used_it_unseen() {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    rig.write("insert into t values (1, 1, 'a')");
    reader.catch_up(&rig).await;
    rig.write("create unique index i on t (a); insert or replace into t values (2, 1, 'b')");
    assert_eq!(reader.fault().await.fate, Fate::Retry);
    let service = rig.service(&["t"]);
    reader.lose(&service, true).await;
    reader.tables.insert("t".into(), rig.rows("t").await);
    rig.write("insert or replace into t values (3, 1, 'c')");
    reader.catch_up(&rig).await;
    assert_eq!(reader.rows("t"), rig.rows("t").await);
    rig.write("drop index i; insert into t values (4, 1, 'd')");
    reader.fault().await;
    reader.go_on(&service).await;
    reader.catch_up(&rig).await;
    assert_eq!(reader.rows("t"), rig.rows("t").await);
    let triggers = "select count(*) from sqlite_master where type = 'trigger' and name like '%:i'";
    assert_eq!(rig.number(triggers), 0);
}

#[tokio::test]
async fn a_trigger_that_ends_ours_before_it_has_run_is_noticed_and_outrun() {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    rig.write(
        "create trigger theirs after insert on t begin select Raise (IGNORE); end;
         insert into t values (1, 1, 'unseen')",
    );
    assert_eq!(reader.fault().await.fate, Fate::Retry);
    reader.lose(&rig.service(&["t"]), true).await;
    reader.tables.insert("t".into(), rig.rows("t").await);
    rig.write("insert into t values (2, 2, 'seen')");
    reader.catch_up(&rig).await;
    assert_eq!(reader.rows("t"), rig.rows("t").await);
}

#[tokio::test]
async fn what_does_not_concern_the_followed_tables_goes_by() {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    rig.write("create table other (x); create index i on t (a); vacuum; analyze");
    rig.write("insert into t values (1, 1, 'a')");
    reader.catch_up(&rig).await;
    assert_eq!(reader.rows("t"), rig.rows("t").await);
}

#[tokio::test]
async fn a_table_that_is_gone_is_missed_by_its_name() {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    for statement in ["alter table t rename to other", "drop table other"] {
        rig.write(statement);
        let fault = match rig.service(&["t"]).connect().await {
            Ok(mut source) => source.start(Some(&reader.resume())).await.unwrap_err(),
            Err(fault) => fault,
        };
        assert_eq!((fault.code, fault.fate), (Code::TableMissing, Fate::Retry), "{fault}");
        assert!(fault.what.contains('t'), "{fault}");
    }
    assert_eq!(reader.fault().await.code, Code::TableMissing);
    let mut inspect = rig.inspect().await;
    assert_eq!(inspect.table(&"t".into()).await.unwrap(), None);
    rig.write(TABLE);
    reader.lose(&rig.service(&["t"]), true).await;
}

#[tokio::test]
async fn a_table_is_followed_later_without_a_loss_to_the_others_but_not_for_the_second_time() {
    let rig = Rig::new(&format!("{TABLE} create table u (id integer primary key);"));
    let mut reader = rig.follow(&["t"]).await;
    let mut inspect = rig.inspect().await;
    let table = inspect.table(&"u".into()).await.unwrap().unwrap();
    let fault = inspect.rows(&table, &Selection::ALL, 10).await.unwrap_err();
    assert_eq!(fault.fate, Fate::Retry, "its changes are not recorded yet");
    reader.go_on(&rig.service(&["t", "u"])).await;
    inspect.rows(&table, &Selection::ALL, 10).await.unwrap();
    reader.go_on(&rig.service(&["t"])).await;
    rig.write("insert into u values (1)");
    reader.lose(&rig.service(&["t", "u"]), true).await;
}

#[tokio::test]
async fn what_is_recorded_of_a_table_that_is_followed_no_more_goes_by() {
    let rig = Rig::new(&format!("{TABLE} create table u (id integer primary key);"));
    let mut reader = rig.follow(&["t", "u"]).await;
    rig.write("insert into t values (1, 1, 'a')");
    reader.catch_up(&rig).await;
    rig.write("insert into u values (1)");
    let service = rig.service(&["t"]);
    reader.go_on(&service).await;
    reader.catch_up(&rig).await;
    reader.go_on(&service).await;
    assert!(reader.rows("u").is_empty());
}

#[tokio::test]
async fn what_can_not_be_followed_is_refused_with_its_reason() {
    let cases = [
        ("create table t (id int)", Code::TableNoKey, "no primary key"),
        ("create table t (id text primary key)", Code::TableNoKey, "not null"),
        (
            "create table t (a int not null, b int, primary key (a, b))",
            Code::TableNoKey,
            "b is not",
        ),
        ("create table t (id integer primary key desc)", Code::TableNoKey, "not null"),
        ("create view t as select 1 as id", Code::TableUnsuitable, "view"),
        (
            "create table t (id text not null collate nocase primary key)",
            Code::TableUnsuitable,
            "NOCASE",
        ),
        (
            "create table t (id text not null collate rtrim, primary key (id collate binary))",
            Code::TableUnsuitable,
            "RTRIM",
        ),
        (
            "create table t (id text not null, primary key (id collate nocase)) without rowid",
            Code::TableUnsuitable,
            "nocase",
        ),
    ];
    for (table, code, why) in cases {
        let rig = Rig::new(table);
        let mut source = rig.service(&["t"]).connect().await.unwrap();
        let fault = source.start(None).await.unwrap_err();
        assert_eq!((fault.code, fault.fate), (code, Fate::Retry), "{table}");
        assert!(fault.what.contains(why), "{table}: {fault}");
        assert_eq!(rig.number("select count(*) from sqlite_master where name like 'instep%'"), 0);
    }
    let rig = Rig::empty();
    rig.write(&format!("pragma encoding = 'UTF-16le'; {TABLE}"));
    let mut source = rig.service(&["t"]).connect().await.unwrap();
    let fault = source.start(None).await.unwrap_err();
    assert_eq!(fault.code, Code::TableUnsuitable);
}

#[tokio::test]
async fn keys_that_are_never_null_are_followed() {
    let tables = [
        "create table t (id integer primary key)",
        "create table t (id int not null primary key)",
        "create table t (id, primary key (id)) without rowid",
        "create table t (id any not null primary key) strict",
        "create table t (a text not null, id text not null, primary key (id, a))",
    ];
    for table in tables {
        let rig = Rig::new(table);
        rig.follow(&["t"]).await;
    }
}
