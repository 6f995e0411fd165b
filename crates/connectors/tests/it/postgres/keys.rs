//! Rows come in our order of their keys, and are found by them, whatever the server's own order is.

use super::asking::{open, paged, read, table};
use super::rig::{Database, until};
use model::{Code, Key, Rows, Seed, Selection, Value};

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

/// BF10: a stretch or some keys are found by an index, whatever the table's size is.
#[tokio::test(flavor = "multi_thread")]
async fn rows_are_found_by_the_index_of_their_key() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.one (id int primary key, v text);
             create table public.text (id text primary key, v text);
             create table public.two (a uuid, b bigint, v text, primary key (a, b));
             create table public.other (id text collate \"en-x-icu\" primary key, v text);
             create index on public.other (id collate \"C\");
             insert into public.one select n, 'v' from generate_series(1, 20000) n;
             insert into public.text select 'id ' || n, 'v' from generate_series(1, 20000) n;
             insert into public.other select * from public.text;
             insert into public.two select md5((n % 100)::text)::uuid, n, 'v'
                 from generate_series(1, 20000) n;
             analyze",
        )
        .await;
    // What it took to make them is told now, and then forgotten.
    database.run("select pg_stat_force_next_flush()").await;
    database.run("select pg_stat_reset()").await;
    for name in ["one", "text", "two", "other"] {
        let mut rows = open(&database).await;
        let table = table(&mut rows, &format!("public.{name}")).await;
        let page = read(&mut rows, &table, &Selection::ALL, 100).await.unwrap().found;
        let keys = page.rows.iter().take(9).map(|(key, ..)| key.clone()).collect();
        read(&mut rows, &table, &Selection::Keys(keys), 100).await.unwrap();
        let (after, upto) = (page.upto.clone(), None);
        read(&mut rows, &table, &Selection::Range { after, upto }, 100).await.unwrap();
        drop(rows);
        // Numbers are told when a connection ends.
        let scans = format!(
            "select seq_scan || ' ' || (idx_scan >= 3)::text from pg_stat_user_tables
             where relname = '{name}'"
        );
        until(name, async || database.one(&scans).await.ends_with("true")).await;
        assert_eq!(database.one(&scans).await, "0 true", "{name}");
    }
}
