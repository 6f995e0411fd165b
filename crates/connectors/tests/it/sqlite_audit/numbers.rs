//! Numbers by group, keys that are useless, rows that refer to none, and the position.

use super::rig::{Rig, ask, key, range, wanted};
use model::{Code, Flaw, Groups, Key, Kind, Reference, Selection, Value};

const TABLE: &str = "create table t (id integer primary key, topic, lang text collate nocase);
     insert into t (topic, lang) values (1, 'de'), (1.0, 'DE'), ('1', 'de'), (null, 'de'), (null, null),
         (2, 'de'), (2, 'de');";

fn groups(by: &[(&str, Kind)]) -> Groups {
    let by = by.iter().map(|it| wanted(it.0, it.1)).collect();
    Groups { by, value: None, only: None, groups_max: 100 }
}

#[tokio::test]
async fn rows_are_counted_by_what_their_columns_mean() {
    let rig = Rig::new(TABLE);
    let mut session = rig.session().await;
    let asked = ask("t", &[], &[]);
    let found = session.groups(&asked, &groups(&[("topic", Kind::Any)])).await.unwrap();
    let by_value = vec![(key(Value::Null), 2), (key(1), 2), (key(2), 2), (key("1"), 1)];
    assert_eq!((found.found, found.more), (by_value, false));
    let found = session.groups(&asked, &groups(&[("topic", Kind::Int)])).await.unwrap();
    assert_eq!(found.found, [(key(Value::Null), 2), (key(1), 3), (key(2), 2)]);
    let found = session.groups(&asked, &groups(&[("lang", Kind::Text)])).await.unwrap();
    assert_eq!(found.found, [(key(Value::Null), 1), (key("DE"), 1), (key("de"), 5)]);
    let found = session.groups(&asked, &groups(&[])).await.unwrap();
    assert_eq!(found.found, [(Key::new([] as [Value; 0]), 7)]);
}

#[tokio::test]
async fn only_the_groups_that_are_wanted_come_and_not_too_many() {
    let rig = Rig::new(TABLE);
    let mut session = rig.session().await;
    let mut asked = ask("t", &[], &[]);
    asked.condition = Some("id > 1".into());
    let by = groups(&[("topic", Kind::Int), ("lang", Kind::Text)]);
    let pair = |topic: Value, lang: &str| Key::new([topic, lang.into()]);
    let only = vec![
        pair(1.into(), "de"),
        pair(1.into(), "DE"),
        pair(1.into(), "De"),
        pair(Value::Null, "de"),
        pair(1.into(), "de"),
    ];
    let wanted = Groups { only: Some(only), ..by.clone() };
    let found = session.groups(&asked, &wanted).await.unwrap();
    assert_eq!(
        (found.found, found.more),
        (
            vec![
                (pair(Value::Null, "de"), 1),
                (pair(1.into(), "DE"), 1),
                (pair(1.into(), "de"), 1)
            ],
            false
        )
    );
    let few = Groups { groups_max: 2, ..by };
    let found = session.groups(&asked, &few).await.unwrap();
    assert_eq!((found.found.len(), found.more), (2, true));
}

#[tokio::test]
async fn numbers_that_are_kept_are_read_and_not_counted() {
    let rig = Rig::new(
        "create table n (topic int, lane text, value);
         insert into n values (1, 'a', 5), (1, 'b', 7), (2, 'a', 0), (3, 'a', 2.0);
         create table wrong (topic int, value); insert into wrong values (1, null);
         create table large (topic int, value);
         insert into large values (1, 9223372036854775807), (1, 1);",
    );
    let mut session = rig.session().await;
    let by = Groups { value: Some("value".into()), ..groups(&[("topic", Kind::Int)]) };
    let found = session.groups(&ask("n", &[], &[]), &by).await.unwrap();
    assert_eq!(found.found, [(key(1), 12), (key(2), 0), (key(3), 2)]);
    for table in ["wrong", "large"] {
        let refused = session.groups(&ask(table, &[], &[]), &by).await.unwrap_err();
        assert_eq!(refused.code, Code::SqliteRefused, "{table}");
    }
}

#[tokio::test]
async fn a_key_that_tells_nothing_apart_is_told() {
    let rig = Rig::new(
        "create table t (k collate nocase, v); insert into t values ('a', 1), ('A', 2), (1, 3), ('1', 4);",
    );
    let (mut session, hand) = (rig.session().await, rig.hand());
    let mut asked = ask("t", &[("k", Kind::Any)], &[]);
    assert_eq!(session.flaw(&asked, &Selection::ALL).await.unwrap(), None);
    hand.execute_batch("insert into t values (1.0, 5)").unwrap();
    assert_eq!(session.flaw(&asked, &Selection::ALL).await.unwrap(), Some(Flaw::Twice(key(1))));
    let behind = range(Some(key(1)), None);
    assert_eq!(session.flaw(&asked, &behind).await.unwrap(), None, "only what is selected counts");
    let keys = Selection::Keys(vec![key("a"), key(1)]);
    assert_eq!(session.flaw(&asked, &keys).await.unwrap(), Some(Flaw::Twice(key(1))));
    hand.execute_batch("insert into t values (null, 6), (null, 7)").unwrap();
    assert_eq!(session.flaw(&asked, &Selection::Nothing).await.unwrap(), Some(Flaw::Null(2)));
    assert_eq!(session.flaw(&asked, &behind).await.unwrap(), None, "no stretch has them");
    asked.condition = Some("v < 5".into());
    assert_eq!(session.flaw(&asked, &Selection::ALL).await.unwrap(), None);
    assert_eq!(session.flaw(&asked, &Selection::Nothing).await.unwrap(), None);
}

#[tokio::test]
async fn rows_that_refer_to_none_are_told() {
    let rig = Rig::new(
        "pragma foreign_keys = off; create table topic (id integer primary key);
         insert into topic values (1), (2);
         create table t (id integer primary key, topic int, above int);
         insert into t values (1, 1, null), (2, 3, 1), (3, null, 9), (4, 4, 4), (5, 5, 1);",
    );
    let mut session = rig.session().await;
    let mut asked = ask("t", &[("id", Kind::Int)], &[]);
    let refers = |column: &str, table: &str| Reference {
        column: column.into(),
        table: table.into(),
        key: "id".into(),
    };
    let topic = refers("topic", "topic");
    let found = session.orphans(&asked, &topic, &Selection::ALL, 2).await.unwrap();
    assert_eq!((found.found, found.more), (vec![(key(2), ()), (key(4), ())], true));
    let behind = range(Some(key(2)), Some(key(4)));
    let found = session.orphans(&asked, &topic, &behind, 9).await.unwrap();
    assert_eq!((found.found, found.more), (vec![(key(4), ())], false));
    let found = session.orphans(&asked, &refers("above", "t"), &Selection::ALL, 9).await.unwrap();
    assert_eq!(found.found, [(key(3), ())], "a table may refer to itself");
    asked.condition = Some("topic <> 4".into());
    let keys = Selection::Keys(vec![key(4), key(5)]);
    let found = session.orphans(&asked, &topic, &keys, 9).await.unwrap();
    assert_eq!(found.found, [(key(5), ())]);
    let refused = session.orphans(&asked, &refers("topic", "no"), &Selection::ALL, 9).await;
    assert_eq!(refused.unwrap_err().code, Code::SqliteRefused);
}

#[tokio::test]
async fn the_position_is_that_of_the_last_recorded_change() {
    let rig = Rig::new("create table t (id integer primary key autoincrement)");
    let mut session = rig.session().await;
    assert_eq!(session.position().await.unwrap(), None);
    rig.hand()
        .execute_batch(
            "create table instep_changes (id integer primary key autoincrement);
             insert into instep_changes values (41), (42); delete from instep_changes",
        )
        .unwrap();
    assert_eq!(session.position().await.unwrap().as_deref(), Some("42"));
}
