//! Numbers by group, and rows that refer to nothing.

use super::asks::{audit, between, everything, key};
use crate::postgres::rig::Database;
use model::{Ask, Audit, Code, Groups, Key, Kind, Listed, Reference, Selection, Value, Wanted};

fn by(columns: &[(&str, Kind)]) -> Groups {
    let wanted = |&(name, kind): &(&str, Kind)| Wanted { name: name.into(), kind };
    let by = columns.iter().map(wanted).collect();
    Groups { by, value: None, only: None, groups_max: 100 }
}

async fn told(audit: &mut Box<dyn Audit>, ask: &Ask, groups: &Groups) -> Vec<(Key, i64)> {
    let Listed { found, more } = audit.groups(ask, groups).await.unwrap();
    assert!(!more);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_counted_by_group_as_they_differ_to_us() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create collation public.loose (provider = icu, locale = 'und-u-ks-level2',
                 deterministic = false);
             create table public.t (id int primary key, topic int, name text collate public.loose,
                 n numeric, span interval, doc json);
             insert into public.t values (1, 1, 'a', 1.0, '1 mon', '1'), (2, 1, 'A', 1.00, '30 days', '1'),
                 (3, null, null, null, null, null), (4, 2, 'a', 2, '1 mon', '2')",
        )
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    let null = || Value::Null;
    let one = |value: Value, rows: i64| (key([value]), rows);
    assert_eq!(
        told(&mut audit, &ask, &by(&[("topic", Kind::Decimal)])).await,
        [one(null(), 1), one(Value::Decimal(1.into()), 2), one(Value::Decimal(2.into()), 1)]
    );
    assert_eq!(
        told(&mut audit, &ask, &by(&[("name", Kind::Text)])).await,
        [one(null(), 1), one("A".into(), 1), one("a".into(), 2)]
    );
    assert_eq!(told(&mut audit, &ask, &by(&[("n", Kind::Decimal)])).await.len(), 3);
    assert_eq!(told(&mut audit, &ask, &by(&[("span", Kind::Interval)])).await.len(), 3);
    assert_eq!(told(&mut audit, &ask, &by(&[("doc", Kind::Json)])).await.len(), 3);
    assert_eq!(told(&mut audit, &ask, &by(&[])).await, [(Key::new(Vec::<Value>::new()), 4)]);
    let both = by(&[("topic", Kind::Int), ("name", Kind::Text)]);
    assert_eq!(told(&mut audit, &ask, &both).await.len(), 4);
    let only = vec![
        key([Value::Int(1), Value::from("A")]),
        key([null(), null()]),
        key([null(), Value::from("a")]),
        key([Value::from("x"), Value::from("a")]),
    ];
    let some = Groups { only: Some(only.clone()), ..both.clone() };
    let mut expected = vec![(only[0].clone(), 1), (only[1].clone(), 1)];
    expected.sort();
    assert_eq!(told(&mut audit, &ask, &some).await, expected);
    let few = audit.groups(&ask, &Groups { groups_max: 2, ..both }).await.unwrap();
    assert_eq!((few.found.len(), few.more), (2, true));
    let ask = Ask { condition: Some("id > 1".into()), ..ask };
    assert_eq!(told(&mut audit, &ask, &by(&[])).await[0].1, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_keep_a_number_tell_that_of_their_group() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (topic int primary key, n numeric, f float8, s text);
             insert into public.t values (1, 5.0, 7, 'x'), (2, null, 1e15, 'x'), (3, 2.5, 0.5, 'x')",
        )
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["topic"]).await;
    let groups = |value: &str| Groups { value: Some(value.into()), ..by(&[("topic", Kind::Int)]) };
    let whole = Ask { condition: Some("topic < 3".into()), ..ask.clone() };
    let one = |topic: i64, number: i64| (key([topic]), number);
    assert_eq!(told(&mut audit, &whole, &groups("n")).await, [one(1, 5), one(2, 0)]);
    let many = [one(1, 7), one(2, 1_000_000_000_000_000)];
    assert_eq!(told(&mut audit, &whole, &groups("f")).await, many);
    let fault = audit.groups(&ask, &groups("n")).await.unwrap_err();
    assert_eq!(fault.code, Code::CountWrong, "{fault}");
    let fault = audit.groups(&ask, &groups("s")).await.unwrap_err();
    assert_eq!(fault.code, Code::PostgresRefused, "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_refer_to_nothing_are_found() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.topics (id bigint primary key, topic int);
             create table public.t (id int primary key, topic int);
             insert into public.topics values (1, 4), (2, 5);
             insert into public.t values (1, 1), (2, 4), (3, null), (4, 2), (5, 5), (6, 6)",
        )
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    let refers =
        |table: &str| Reference { column: "topic".into(), table: table.into(), key: "id".into() };
    let keys = |listed: Listed<()>| {
        (listed.found.into_iter().map(|(key, ())| key).collect::<Vec<_>>(), listed.more)
    };
    let all = audit.orphans(&ask, &refers("public.topics"), &Selection::ALL, 9).await.unwrap();
    assert_eq!(keys(all), (vec![key([2]), key([5]), key([6])], false));
    let of = between(Some(key([2])), Some(key([6])));
    let some = audit.orphans(&ask, &refers("public.topics"), &of, 1).await.unwrap();
    assert_eq!(keys(some), (vec![key([5])], true));
    let own = audit.orphans(&ask, &refers("public.t"), &Selection::ALL, 9).await.unwrap();
    assert_eq!(keys(own), (vec![], false));
    let fault = audit.orphans(&ask, &refers("public.none"), &Selection::ALL, 9).await.unwrap_err();
    assert_eq!(fault.code, Code::TableMissing, "{fault}");
}
