//! Rows read back from a real server: in our order, whole, and with the exact place of each answer.

use super::rig::{Database, PATIENCE, until};
use instep_connectors::postgres::{PostgresRows, Session};
use model::{Answer, At, Code, Fault, Inspect, Key, Rows, Seed, Selection, Service, Table, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use testkit::conformance::inspect;
use testkit::conformance::rows::table as suite_table;
use tokio::time::timeout;

async fn open(database: &Database) -> Box<dyn Inspect> {
    PostgresRows::new(database.access.clone()).connect().await.unwrap()
}

async fn table(rows: &mut Box<dyn Inspect>, name: &str) -> Arc<Table> {
    rows.table(&name.into()).await.unwrap().expect("there is such a table")
}

/// Every key, read in pages of this size.
async fn paged(rows: &mut Box<dyn Inspect>, table: &Arc<Table>, rows_max: usize) -> Vec<Key> {
    let (mut keys, mut after) = (Vec::new(), None);
    loop {
        let selection = Selection::Range { after: after.clone(), upto: None };
        let Rows { rows: found, upto } =
            read(rows, table, &selection, rows_max).await.unwrap().found;
        assert!(found.len() <= rows_max);
        keys.extend(found.into_iter().map(|(key, ..)| key));
        match upto {
            Some(upto) => after = Some(upto),
            None => return keys,
        }
    }
}

async fn read(
    rows: &mut Box<dyn Inspect>,
    table: &Arc<Table>,
    selection: &Selection,
    rows_max: usize,
) -> Result<Answer<Rows>, Fault> {
    timeout(PATIENCE, rows.rows(table, selection, rows_max)).await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_keeps_the_promises_of_inspection() {
    if testkit::postgres::shared().is_none() {
        return;
    }
    inspect::suite(async || {
        let database = Database::new().await.expect("a database");
        database
            .run("create table public.questions (id bigint primary key, topic bigint, body text)")
            .await;
        for row in inspect::filled() {
            let cells = row.0.iter().map(|cell| match cell {
                model::Cell::Value(Value::Int(int)) => int.to_string(),
                model::Cell::Value(Value::Text(text)) => format!("'{text}'"),
                other => panic!("not in these rows: {other:?}"),
            });
            let cells = cells.collect::<Vec<_>>().join(", ");
            database.run(&format!("insert into public.questions values ({cells})")).await;
        }
        let service = Arc::new(PostgresRows::new(database.access.clone()));
        inspect::Subject { service, table: suite_table("public.questions"), is_source: true }
    })
    .await;
}

/// A type, and values of it that no two are one key, as SQL.
const KEYS: [(&str, &[&str]); 27] = [
    ("smallint", &["-32768", "0", "7", "32767"]),
    ("bigint", &["-9223372036854775808", "-1", "0", "10", "9", "9223372036854775807"]),
    ("oid", &["0", "5", "4294967295"]),
    ("xid8", &["'0'", "'9'", "'10'", "'18446744073709551615'"]),
    ("boolean", &["true", "false"]),
    ("real", &["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "0.1", "1e-45", "-3e38", "16777217"]),
    (
        "double precision",
        &[
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "'-0'",
            "0.1",
            "-5e-324",
            "1e300",
            "0.30000000000000004",
        ],
    ),
    (
        "numeric",
        &[
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "-0.00",
            "1.50",
            "1.5000001",
            "10",
            "9",
            "-10",
            "-9",
            "1e1000",
            "-1e-1000",
            "0.1",
        ],
    ),
    ("numeric(10, 2)", &["1.5", "-2", "0", "'NaN'"]),
    (
        "date",
        &[
            "'infinity'",
            "'-infinity'",
            "'0044-03-15 BC'",
            "'2026-11-21'",
            "'1969-12-31'",
            "'12026-01-01'",
        ],
    ),
    (
        "timestamp",
        &[
            "'infinity'",
            "'-infinity'",
            "'0044-03-15 BC'",
            "'2026-11-21 01:02:03.000004'",
            "'1970-01-01'",
        ],
    ),
    (
        "timestamptz",
        &["'infinity'", "'-infinity'", "'2026-11-21 00:00:00+02'", "'1000-01-01 00:00:00 BC'"],
    ),
    ("time", &["'00:00:00'", "'24:00:00'", "'23:59:59.999999'"]),
    (
        "uuid",
        &[
            "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
            "'00000000-0000-0000-0000-000000000000'",
            "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        ],
    ),
    ("bytea", &["''", "'\\x00'", "'\\x0000'", "'\\xff'", "'\\x27'", "'\\x5c'"]),
    ("text", TEXTS),
    ("text collate \"en-x-icu\"", TEXTS),
    ("text collate public.nocase", &["'a'", "'b'", "'Z'", "'_'", "'é'"]),
    ("varchar(20) collate \"en-x-icu\"", TEXTS),
    ("char(5)", &["'a'", "E'a\\t'", "'a b'", "'A'", "'é'", "''"]),
    ("name", &["'a'", "'B'", "'it''s'", "'_'"]),
    ("public.mood", &["'sad'", "'it''s \"fine\"'", "'a'"]),
    ("public.short", &["'b'", "'a'", "'C'"]),
    ("inet", &["'10.0.0.1'", "'10.0.0.1/8'", "'9.0.0.0'", "'::1'"]),
    ("int4range", &["'[1,5)'", "'empty'", "'(,)'", "'[10,20)'"]),
    ("public.pair", &["'(1,b)'", "'(10,a)'", "'(2,\"x y\")'"]),
    ("\"char\"", &["'a'", "'B'", "''"]),
];

const TEXTS: &[&str] = &[
    "''",
    "'a'",
    "'B'",
    "'b'",
    "'A'",
    "'é'",
    "'𝄞'",
    "'\u{ffff}'",
    "'z'",
    "'_'",
    "'a b'",
    "E'a\\tb'",
    "E'a\\nb'",
    "'a\\b'",
    "'it''s'",
    "'NULL'",
    "'\"'",
    "'10'",
    "'9'",
    "E'\\x01'",
];

/// BF7: the server is asked for our own order of every type that can be a key. It is checked again
/// with each row.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_type_come_in_our_order_whatever_the_servers_is() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create collation public.nocase (provider = icu, locale = 'und-u-ks-level2',
                 deterministic = false);
             create type public.mood as enum ('sad', 'it''s \"fine\"', 'a');
             create domain public.short as text check (length(value) < 3);
             create type public.pair as (n int, t text)",
        )
        .await;
    let mut rows = open(&database).await;
    for (number, (kind, values)) in KEYS.iter().enumerate() {
        let name = format!("public.t{number}");
        database.run(&format!("create table {name} (id {kind} primary key, n int)")).await;
        for (n, value) in values.iter().enumerate() {
            database.run(&format!("insert into {name} values ({value}, {n})")).await;
        }
        let table = table(&mut rows, &name).await;
        let all = paged(&mut rows, &table, 1_000).await;
        assert_eq!(all.len(), values.len(), "{kind}");
        for rows_max in [1, 2] {
            assert_eq!(paged(&mut rows, &table, rows_max).await, all, "{kind}");
        }
        let keys = Selection::Keys(all.iter().rev().cloned().collect());
        let found = read(&mut rows, &table, &keys, 1_000).await.unwrap().found;
        let found: Vec<Key> = found.rows.into_iter().map(|(key, ..)| key).collect();
        assert_eq!(found, all, "{kind}");
        for (at, key) in all.iter().enumerate() {
            let upto = Selection::Range { after: None, upto: Some(key.clone()) };
            let found = read(&mut rows, &table, &upto, 1_000).await.unwrap().found;
            assert_eq!(found.rows.len(), at + 1, "{kind}: up to {key:?}");
            let one = read(&mut rows, &table, &Selection::Keys(vec![key.clone()]), 9).await;
            assert_eq!(one.unwrap().found.rows.len(), 1, "{kind}: {key:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_several_columns_and_wide_tables_come_whole() {
    let Some(database) = Database::new().await else { return };
    let columns: Vec<String> = (0..300).map(|n| format!("c{n} int default {n}")).collect();
    let made = format!(
        "create type public.mood as enum ('sad', 'fine');
         create table public.t (\"b \"\"c\" text collate \"en-x-icu\", a int, m public.mood, {},
             primary key (m, \"b \"\"c\", a));
         insert into public.t
             select 'x' || n % 7, n, (array['sad', 'fine'])[n % 2 + 1]::public.mood
             from generate_series(1, 2000) n",
        columns.join(", ")
    );
    database.run(&made).await;
    let mut rows = open(&database).await;
    let table = table(&mut rows, "public.t").await;
    let all = paged(&mut rows, &table, usize::MAX).await;
    assert_eq!(all.len(), 2_000);
    assert_eq!(paged(&mut rows, &table, 300).await, all);
    // More than are asked for in one statement, and more than come in one answer.
    let none = ["no'", "fine"].map(|mood| Key::new([mood.into(), Value::from("x"), Value::Int(0)]));
    let (mut left, mut found) = (all.clone(), Vec::new());
    left.extend(none);
    loop {
        let keys = Selection::Keys(left.clone());
        let answer = read(&mut rows, &table, &keys, 1_500).await.unwrap().found;
        found.extend(answer.rows.into_iter().map(|(key, ..)| key));
        let Some(upto) = answer.upto else { break };
        left.retain(|key| *key > upto);
    }
    assert_eq!(found, all);
    // Keys that no row of this table can have.
    let odd = [Key::new([1_i64]), Key::new([Value::Null, "x".into(), Value::Int(1)])];
    let keys = Selection::Keys(odd.into());
    assert_eq!(read(&mut rows, &table, &keys, 9).await.unwrap().found, Rows::default());
    let seed = Seed::from_bytes(*b"a seed of 16 byt");
    let halves = |at: &Key| {
        let (after, upto) = (Some(at.clone()), Some(at.clone()));
        [Selection::Range { after: None, upto }, Selection::Range { after, upto: None }]
    };
    let selections = [&[Selection::ALL, Selection::Keys(all.clone())], &halves(&all[777])[..]];
    let sums = rows.digests(&table, &selections.concat(), seed).await.unwrap().found;
    let mut half = sums[2];
    half += sums[3];
    assert_eq!((sums[0], sums[0]), (sums[1], half));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_read_with_its_partitions_and_without_its_heirs() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.p (id int primary key) partition by range (id);
             create table public.p1 partition of public.p for values from (0) to (5);
             create table public.p2 partition of public.p default;
             insert into public.p select generate_series(1, 9);
             create table public.t (id int primary key);
             create table public.heir () inherits (public.t);
             insert into public.t values (1); insert into public.heir values (1), (2)",
        )
        .await;
    let mut rows = open(&database).await;
    for (name, count) in [("public.p", 9), ("public.t", 1)] {
        let table = table(&mut rows, name).await;
        assert_eq!(paged(&mut rows, &table, 4).await.len(), count, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_hides_rows_is_an_error_and_not_rows_that_are_gone() {
    let Some(database) = Database::new().await else { return };
    let role = format!("reader_of_{}", database.name);
    let made = format!(
        "create role {role} login; create table public.t (id int primary key);
         insert into public.t values (1), (2); grant select on public.t to {role};
         alter table public.t enable row level security;
         create policy p on public.t using (id = 1)"
    );
    database.run(&made).await;
    let mut access = database.access.clone();
    access.user = role.clone();
    let mut rows = PostgresRows::new(access).connect().await.unwrap();
    let table = table(&mut rows, "public.t").await;
    let fault = read(&mut rows, &table, &Selection::ALL, 9).await.unwrap_err();
    assert_eq!(fault.code, Code::PostgresPrivilege, "{fault}");
    assert!(fault.what.contains("row-level security"), "{fault}");
    database.run(&format!("alter role {role} bypassrls")).await;
    assert_eq!(paged(&mut rows, &table, 9).await.len(), 2);
    database.run(&format!("revoke select on public.t from {role}")).await;
    let fault = read(&mut rows, &table, &Selection::ALL, 9).await.unwrap_err();
    assert_eq!(fault.code, Code::PostgresPrivilege, "{fault}");
    database.run(&format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_changes_is_not_read_as_what_it_was() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, v text, w text);
             insert into public.t select n, 'v', 'w' from generate_series(1, 50) n",
        )
        .await;
    let mut rows = open(&database).await;
    let before = table(&mut rows, "public.t").await;
    database.run("alter table public.t drop w, add x int").await;
    let fault = read(&mut rows, &before, &Selection::ALL, 9).await.unwrap_err();
    assert_eq!(fault.code, Code::SourceUnavailable, "{fault}");
    let now = table(&mut rows, "public.t").await;
    assert!(now.version > before.version);
    assert_eq!(paged(&mut rows, &now, 20).await.len(), 50);

    // What rewrites a table leaves it empty for snapshots that are older.
    let other = Session::connect(&database.access).await.unwrap();
    other.query("begin; alter table public.t alter id type bigint").await.unwrap();
    let reading = tokio::spawn(async move { paged(&mut rows, &now, 100).await });
    until("the reader waits for its lock", async || {
        let waits = "select count(*) from pg_locks where not granted
            and relation = 'public.t'::regclass";
        other.query(waits).await.unwrap()[0][0].as_deref() == Some("1")
    })
    .await;
    other.query("commit").await.unwrap();
    assert_eq!(reading.await.unwrap().len(), 50);

    let mut rows = open(&database).await;
    let last = table(&mut rows, "public.t").await;
    database.run("drop table public.t").await;
    let fault = read(&mut rows, &last, &Selection::ALL, 9).await.unwrap_err();
    assert_eq!(fault.code, Code::TableMissing, "{fault}");
    assert_eq!(rows.table(&"public.t".into()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_no_number_of_ours_reaches_is_refused_as_a_key() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (at timestamptz primary key);
             insert into public.t values ('2026-11-21 00:00:00+00'), ('294270-01-01 00:00:00+00')",
        )
        .await;
    let mut rows = open(&database).await;
    let table = table(&mut rows, "public.t").await;
    let fault = read(&mut rows, &table, &Selection::ALL, 9).await.unwrap_err();
    assert_eq!(fault.code, Code::TableUnsuitable, "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_takes_no_more_memory_than_it_may() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, v text);
             alter table public.t alter v set storage external;
             insert into public.t select n, repeat('x', 300000) from generate_series(1, 40) n",
        )
        .await;
    let mut rows = open(&database).await;
    let table = table(&mut rows, "public.t").await;
    let (mut after, mut ids) = (None, BTreeSet::new());
    loop {
        let selection = Selection::Range { after: after.clone(), upto: None };
        let found = read(&mut rows, &table, &selection, 1_000).await.unwrap().found;
        let bytes: usize = found.rows.iter().map(|(_, row, _)| row.bytes()).sum();
        assert!(bytes < 3 << 20, "{bytes}");
        ids.extend(found.rows.into_iter().map(|(key, ..)| key));
        match found.upto {
            Some(upto) => after = Some(upto),
            None => break,
        }
    }
    assert_eq!(ids.len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_dropped_half_way_leaves_nothing_behind() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, v text);
             insert into public.t select n, repeat('x', 100) from generate_series(1, 20000) n",
        )
        .await;
    let mut rows = open(&database).await;
    let table = table(&mut rows, "public.t").await;
    let all = paged(&mut rows, &table, 10_000).await;
    assert_eq!(all.len(), 20_000);
    // Dropped at its first, second, … time to wait: in each statement, and between them.
    for waits in 1..60 {
        let answer = rows.rows(&table, &Selection::ALL, 100);
        let mut answer = std::pin::pin!(answer);
        let mut left = waits;
        let polled = std::future::poll_fn(|context| {
            left -= 1;
            match answer.as_mut().poll(context) {
                std::task::Poll::Pending if left > 0 => std::task::Poll::Pending,
                other => std::task::Poll::Ready(other.is_ready()),
            }
        });
        let is_whole = timeout(PATIENCE, polled).await.expect("it moves on");
        if is_whole {
            assert!(waits > 3, "an answer has several statements");
            break;
        }
    }
    let found = read(&mut rows, &table, &Selection::ALL, 100).await.unwrap().found;
    assert_eq!(found.rows.iter().map(|(key, ..)| key).collect::<Vec<_>>(), {
        all.iter().take(100).collect::<Vec<_>>()
    });
    until("the server has ended what was given up", async || {
        let left = "select count(*) from pg_stat_activity where datname = current_database()
            and state <> 'idle' and pid <> pg_backend_pid()";
        database.one(left).await == "0"
    })
    .await;
    assert!(matches!(
        read(&mut rows, &table, &Selection::Nothing, 0).await.unwrap().at,
        At::Source(_)
    ));
}

/// PC11: the operators of an extension are in a schema of somebody's own.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_an_extensions_type_are_found() {
    let Some(database) = Database::new().await else { return };
    let made = "create extension citext schema public;
        create table public.t (id public.citext primary key);
        insert into public.t values ('b'), ('A'), ('a b')";
    if let Err(trouble) = database.session.query(made).await {
        println!("NOT RUN: this server has no citext: {trouble}");
        return;
    }
    let mut rows = open(&database).await;
    let table = table(&mut rows, "public.t").await;
    let key = |text: &str| Key::new([text]);
    assert_eq!(paged(&mut rows, &table, 2).await, ["A", "a b", "b"].map(key));
    // Equal to the extension, but no key of any row.
    let keys = Selection::Keys(["a", "A", "B"].map(key).into());
    let found = read(&mut rows, &table, &keys, 9).await.unwrap().found;
    assert_eq!(found.rows.into_iter().map(|(key, ..)| key).collect::<Vec<_>>(), [key("A")]);
}
