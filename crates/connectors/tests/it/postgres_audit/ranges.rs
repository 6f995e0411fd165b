//! Stretches of a table in the server's own order, every row in exactly one.

use super::asks::{audit, between, by_stretches, everything, key};
use crate::postgres::rig::Database;
use model::{Ask, Cell, Key, Row, Selection, Value, Wanted};
use std::collections::BTreeSet;

/// A table with thirty rows, and a column of every type by which rows can be told apart.
async fn fill(database: &Database) {
    database
        .run(
            "create schema ext; create extension citext schema ext;
             create type public.mood as enum ('sad', 'it''s \\ fine', 'happy');
             create type public.pair as (a int, b text);
             create collation public.loose (provider = icu, locale = 'und-u-ks-level2',
                 deterministic = false);
             create table public.everything (n int, i int8, s text, c char(6), v varchar(9) collate
                 \"und-x-icu\", loose text collate public.loose, f float8, r float4, d numeric, b bytea,
                 day date, at timestamp, tz timestamptz, clock time, span interval, u uuid, ip inet,
                 m public.mood, ci ext.citext, ar int[], co public.pair, bits bit(6), rng int4range,
                 ok bool, doc jsonb)",
        )
        .await;
    database
        .run(
            "insert into public.everything select n, n * 1000000000::int8, chr(65 + n % 50) || n,
                 'c' || n, 'v' || chr(65 + n % 26) || n, 'l' || n, n / 7.0, n / 7.0, n / 4.0,
                 decode(lpad(to_hex(n), 4, '0'), 'hex'), date '0001-01-01 BC' + n, timestamp
                 '1969-12-31' + n * interval '1 h', timestamptz '1969-12-31Z' + n * interval '1 us',
                 time '00:00' + n * interval '1 min', n * interval '1 day', md5(n::text)::uuid,
                 '10.0.0.0'::inet + n, (enum_range(null::public.mood))[1 + n % 3], 'Ci' || n,
                 array[n, null], format('(%s,x)', n)::public.pair, n::bit(6), int4range(n, n + 9), n % 2 = 0,
                 jsonb_build_object('n', n) from generate_series(0, 29) n;
             update public.everything set day = 'infinity', at = '-infinity', tz = 'infinity',
                 f = 'NaN', r = '-Infinity', d = 'NaN' where n = 17;
             update public.everything set at = '294276-12-30 00:00:00' where n = 18",
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stretches_cover_every_row_once_whatever_the_key_is() {
    let Some(database) = Database::new().await else { return };
    fill(&database).await;
    let mut audit = audit(&database).await;
    for columns in [
        &["i"][..],
        &["s"],
        &["c"],
        &["v"],
        &["loose"],
        &["f"],
        &["r"],
        &["d"],
        &["b"],
        &["day"],
        &["at"],
        &["tz"],
        &["clock"],
        &["span"],
        &["u"],
        &["ip"],
        &["m", "n"],
        &["ci"],
        &["ar"],
        &["co"],
        &["bits"],
        &["rng"],
        &["ok", "ci", "n"],
        &["doc"],
        &["m", "ci"],
        &["f", "v", "n"],
    ] {
        let is_unique = database
            .one(&format!(
                "select count(*) = count(distinct ({})) from public.everything",
                columns.join(", ")
            ))
            .await;
        let ask = everything(&mut audit, "public.everything", columns).await;
        assert_eq!(is_unique, "t", "{columns:?}");
        let keys = by_stretches(&mut audit, &ask, 4).await;
        assert_eq!(keys.len(), 30, "{columns:?}: {keys:?}");
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 30, "{columns:?}");
        let found = audit.find(&ask, &keys).await.unwrap();
        assert_eq!(found.len(), 30, "{columns:?}: {found:?}");
        let all = Selection::Keys(keys.clone());
        assert_eq!(audit.rows(&ask, &all, 99).await.unwrap().found.len(), 30, "{columns:?}");
        let (whole, by_keys) =
            (audit.sum(&ask, &Selection::ALL).await.unwrap(), audit.sum(&ask, &all).await.unwrap());
        assert_eq!(whole, by_keys, "{columns:?}");
        assert_eq!(audit.flaw(&ask, &Selection::ALL).await.unwrap(), None, "{columns:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_that_a_column_cannot_hold_lose_and_double_no_row() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create type public.mood as enum ('sad', 'happy');
             create table public.t (i smallint, f real, d date, m public.mood, u uuid, s text, b bool);
             insert into public.t select i, i, date '2026-01-01' + i, (case when i < 1 then 'sad'
                 else 'happy' end)::public.mood, md5(i::text)::uuid, i, i > 0
                 from generate_series(-3, 3) i",
        )
        .await;
    let mut audit = audit(&database).await;
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    let ends = [
        Value::Int(i64::MAX),
        Value::Int(i64::MIN),
        Value::Int(1),
        decimal("0.5"),
        decimal("-1.5"),
        decimal("1e400"),
        decimal("-1e40"),
        decimal("NaN"),
        Value::from(f64::NAN),
        Value::from(-0.5),
        Value::from(f64::MAX),
        Value::from("it's"),
        Value::from("happy"),
        Value::from("2026-13-99"),
        Value::from("a\0b"),
        Value::text(b"\xff"),
        Value::Date(model::Moment::At(i64::MAX)),
        Value::Date(model::Moment::At(i64::MIN)),
        Value::Timestamp(model::Moment::At(i64::MIN)),
        Value::Time(-1),
        Value::Uuid([0x88; 16]),
        Value::Bool(true),
        Value::Bytes([1].into()),
        Value::Null,
    ];
    for column in ["i", "f", "d", "m", "u", "s", "b"] {
        let ask = everything(&mut audit, "public.t", &[column]).await;
        for end in &ends {
            let end = key([end.clone()]);
            let mut rows = 0;
            for of in [between(None, Some(end.clone())), between(Some(end.clone()), None)] {
                rows += audit.sum(&ask, &of).await.unwrap().rows;
            }
            assert_eq!(rows, 7, "{column} {end:?}");
            let found = audit.find(&ask, std::slice::from_ref(&end)).await.unwrap();
            assert!(found.len() <= 1 && found.keys().all(|it| *it == end), "{column} {found:?}");
            audit.cut(&ask, Some(&end), 2).await.unwrap();
        }
    }
    let ask = everything(&mut audit, "public.t", &["i", "s"]).await;
    let below = key([Value::Int(0), Value::Bytes([1].into())]);
    let upto = audit.sum(&ask, &between(None, Some(below.clone()))).await.unwrap();
    assert_eq!(upto.rows, 4);
    assert_eq!(audit.sum(&ask, &between(Some(below), None)).await.unwrap().rows, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_read_with_its_partitions_and_without_its_heirs_and_views_as_they_are() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.p (id int primary key) partition by range (id);
             create table public.p1 partition of public.p for values from (0) to (5);
             create table public.p2 partition of public.p default;
             insert into public.p select generate_series(1, 9);
             create table public.t (id int primary key);
             create table public.heir () inherits (public.t);
             insert into public.t values (1); insert into public.heir values (1), (2);
             create view public.v as select id from public.p where id > 2;
             create materialized view public.m as select id from public.p where id > 3",
        )
        .await;
    let mut audit = audit(&database).await;
    for (table, count, has_versions) in [
        ("public.p", 9, true),
        ("public.t", 1, true),
        ("public.v", 7, false),
        ("public.m", 6, true),
    ] {
        let ask = everything(&mut audit, table, &["id"]).await;
        let keys = by_stretches(&mut audit, &ask, 2).await;
        assert_eq!(keys.len(), count, "{table}");
        let found = audit.find(&ask, &keys).await.unwrap();
        assert_eq!(found.len(), count, "{table}");
        assert!(found.values().all(|it| (it.version != 0) == has_versions), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_whether_there_is_more_and_is_never_very_large() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, body text);
             insert into public.t select i, repeat('x', 500000) from generate_series(1, 40) i",
        )
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    let (mut after, mut keys, mut answers) = (None, Vec::<Key>::new(), 0);
    loop {
        let listed = audit.rows(&ask, &between(after, None), 100).await.unwrap();
        let bytes: usize = listed.found.iter().map(|(_, row)| row.bytes()).sum();
        assert!(bytes < 5 << 20, "{bytes}");
        keys.extend(listed.found.into_iter().map(|(key, _)| key));
        answers += 1;
        if !listed.more {
            break;
        }
        after = keys.last().cloned();
    }
    assert_eq!(keys, (1..=40).map(|id| key([id])).collect::<Vec<_>>());
    assert!(answers > 4);
    let marks = audit.marks(&ask, &Selection::ALL, 40).await.unwrap();
    assert_eq!((marks.found.len(), marks.more), (40, false));
    let marks = audit.marks(&ask, &Selection::ALL, usize::MAX).await.unwrap();
    assert_eq!((marks.found.len(), marks.more), (40, false));
    let marks = audit.marks(&ask, &Selection::ALL, 39).await.unwrap();
    assert_eq!((marks.found.len(), marks.more), (39, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_rows_that_are_meant_are_read_and_found_rows_say_whether_they_are() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, at timestamp, topic int);
             insert into public.t select i, timestamp '2026-01-01' + i * interval '1 day', i % 2
                 from generate_series(1, 10) i; insert into public.t values (11, null, null)",
        )
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    let by = Wanted { name: "at".into(), kind: ask.columns[0].kind };
    let third = audit.newest(&ask, &by, 3).await.unwrap().unwrap();
    assert_eq!(audit.newest(&ask, &by, 11).await.unwrap(), None);
    let ask = Ask { from: Some((by.clone(), third)), condition: Some("topic = 1".into()), ..ask };
    assert_eq!(by_stretches(&mut audit, &ask, 2).await, [key([9])]);
    let found = audit.find(&ask, &[7, 8, 9, 10, 11, 12].map(|id| key([id]))).await.unwrap();
    let within: Vec<_> = found.iter().filter(|(_, it)| it.is_within).map(|(key, _)| key).collect();
    assert_eq!((found.len(), within), (5, vec![&key([9])]));
    let at_null = &found[&key([11])];
    assert_eq!(at_null.row, Row(vec![Cell::Value(Value::Null), Cell::Value(Value::Null)]));
    let version = found[&key([7])].version;
    database.run("update public.t set topic = topic where id = 7").await;
    let again = audit.find(&ask, &[key([7]), key([8])]).await.unwrap();
    assert_ne!(again[&key([7])].version, version);
    assert_eq!(again[&key([8])], found[&key([8])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_table_is_read_as_if_it_were_here() {
    let Some(server) = testkit::postgres::shared() else { return };
    let database = Database::new().await.unwrap();
    let made = format!(
        "create extension postgres_fdw schema public;
         create server loop foreign data wrapper postgres_fdw
             options (host '127.0.0.1', port '{}', dbname '{}');
         create user mapping for current_user server loop options (user 'postgres');
         create table public.t (id bigint primary key, body text);
         insert into public.t select i, 'b' || i from generate_series(1, 50) i;
         create foreign table public.f (id bigint, body text) server loop
             options (schema_name 'public', table_name 't')",
        server.port(),
        database.name
    );
    database.run(&made).await;
    let mut audit = audit(&database).await;
    let here = everything(&mut audit, "public.t", &["id"]).await;
    let ask = everything(&mut audit, "public.f", &["id"]).await;
    audit.admit(&ask).await.unwrap();
    assert_eq!(by_stretches(&mut audit, &ask, 20).await.len(), 50);
    let one = audit.sum(&here, &Selection::ALL).await.unwrap();
    assert_eq!(one, audit.sum(&ask, &Selection::ALL).await.unwrap());
    let found = audit.find(&ask, &[key([7]), key([70])]).await.unwrap();
    assert_eq!((found.len(), found[&key([7])].version), (1, 0));
}
