//! Every type of the server: what it becomes, and that it comes back as it was.

use super::rig::{Database, PATIENCE};
use instep_connectors::postgres::pgoutput::{Datum, Decoder, Message};
use instep_connectors::postgres::replication::Carried;
use instep_connectors::postgres::types::{Types, page, read, write};
use instep_connectors::postgres::{Follow, Lsn, Replication};
use model::{Kind, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};
use tokio::time::timeout;

/// A type, the kind that it becomes, and values of it as SQL.
pub(crate) type Sample = (&'static str, Kind, &'static [&'static str]);

pub(crate) const SAMPLES: [Sample; 53] = [
    ("boolean", Kind::Bool, &["true", "false"]),
    ("smallint", Kind::Int, &["-32768", "32767"]),
    ("integer", Kind::Int, &["-2147483648", "0", "2147483647"]),
    ("bigint", Kind::Int, &["-9223372036854775808", "9223372036854775807"]),
    ("oid", Kind::Int, &["0", "4294967295"]),
    ("xid8", Kind::Decimal, &["'18446744073709551615'"]),
    (
        "real",
        Kind::Float,
        &["0.1", "-1e-45", "3.4028235e38", "'NaN'", "'Infinity'", "'-Infinity'", "'-0'"],
    ),
    (
        "double precision",
        Kind::Float,
        &[
            "0.1",
            "5e-324",
            "1.7976931348623157e308",
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "'-0'",
            "123456789012345680",
        ],
    ),
    (
        "numeric",
        Kind::Decimal,
        &[
            "0",
            "1.50",
            "-0.00",
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "1e1000",
            "1e-1000",
            "123456789012345678901234567890.123456789012345678901234567890",
            "repeat('9', 131072)::numeric",
            "('0.' || repeat('7', 16383))::numeric",
        ],
    ),
    ("numeric(10, 2)", Kind::Decimal, &["1.5", "-99999999.99", "'NaN'"]),
    ("numeric(3, -2)", Kind::Decimal, &["12345"]),
    ("money", Kind::Text, &["12.34", "-1234567.89", "null"]),
    (
        "text",
        Kind::Text,
        &["''", "'NULL'", "E'a\\tb\\n\\\\N\\r'", "'é𝄞'", "repeat('long', 100000)"],
    ),
    ("varchar(5)", Kind::Text, &["'a b  '"]),
    ("char(5)", Kind::Text, &["'ab'", "''"]),
    ("name", Kind::Text, &["'a name'"]),
    ("\"char\"", Kind::Text, &["'a'", "''"]),
    ("bytea", Kind::Bytes, &["''", "'\\x00ff5c27'"]),
    (
        "date",
        Kind::Date,
        &[
            "'2026-11-21'",
            "'0001-01-01'",
            "'0044-03-15 BC'",
            "'4714-11-24 BC'",
            "'5874897-12-31'",
            "'infinity'",
            "'-infinity'",
            "'2024-02-29'",
            "'1900-02-28'",
            "'0001-12-31 BC'",
        ],
    ),
    ("time", Kind::Time, &["'00:00:00'", "'23:59:59.999999'", "'24:00:00'", "'12:34:56.7'"]),
    ("time(0)", Kind::Time, &["'12:34:56.7'"]),
    ("timetz", Kind::TimeTz, &["'12:34:56.789+02'", "'00:00:00-15:59:59'", "'24:00:00+05:30'"]),
    (
        "timestamp",
        Kind::Timestamp,
        &[
            "'2026-11-21 12:00:00.000001'",
            "'0044-03-15 23:59:59.999999 BC'",
            "'4714-11-24 00:00:00 BC'",
            "'294246-12-31 23:59:59.999999'",
            "'294276-12-31 23:59:59.999999'",
            "'infinity'",
            "'-infinity'",
            "'1969-12-31 23:59:59.999999'",
            "'1677-09-21 00:12:43'",
        ],
    ),
    (
        "timestamptz",
        Kind::TimestampTz,
        &[
            "'2026-11-21 12:00:00.5+05:30'",
            "'0044-03-15 12:00:00+00 BC'",
            "'294276-12-31 23:59:59.999999+00'",
            "'infinity'",
            "'-infinity'",
            "'10000-01-01 00:00:00+00'",
        ],
    ),
    (
        "interval",
        Kind::Interval,
        &[
            "'0'",
            "'1 year 2 months -3 days 04:05:06.7'",
            "'-00:00:00.5'",
            "'-178956970 years -8 months'",
            "'178956970 years 7 months'",
            "'1 month -30 days'",
            "'2147483647 days'",
            "'-2562047788 hours'",
            "'1 day -1 hour 0.000001 seconds'",
        ],
    ),
    ("uuid", Kind::Uuid, &["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"]),
    (
        "json",
        Kind::Json,
        &[
            "'{\"b\": 1,  \"a\": 1.0, \"a\": null}'",
            "'\"\\u00e9\"'",
            "'123456789012345678901234567890'",
        ],
    ),
    ("jsonb", Kind::Json, &["'{\"b\": 1e2, \"aa\": [], \"a\": \"é\"}'", "'null'", "'1.00'"]),
    ("xml", Kind::Text, &["'<a b=\"c\">d</a>'"]),
    ("bit(4)", Kind::Text, &["B'0101'"]),
    ("varbit", Kind::Text, &["B''", "B'01'"]),
    ("inet", Kind::Text, &["'10.0.0.1'", "'10.0.0.1/8'", "'::1'"]),
    ("cidr", Kind::Text, &["'10.0.0.0/8'"]),
    ("macaddr", Kind::Text, &["'08:00:2b:01:02:03'"]),
    ("macaddr8", Kind::Text, &["'08:00:2b:01:02:03:04:05'"]),
    ("point", Kind::Text, &["'(1.5,-2)'"]),
    ("box", Kind::Text, &["'(1,2),(0,0)'"]),
    ("tsvector", Kind::Text, &["'a:1 b:2A'"]),
    ("tsquery", Kind::Text, &["'a & !b'"]),
    ("pg_lsn", Kind::Text, &["'16/B374D848'"]),
    ("regclass", Kind::Text, &["'public.pairs'", "'pg_class'"]),
    ("int4range", Kind::Text, &["'[1,5)'", "'empty'", "'(,)'"]),
    ("tstzrange", Kind::Text, &["'[2026-01-01 00:00:00+00,infinity)'"]),
    ("nummultirange", Kind::Text, &["'{[1.0,2.50),(3,)}'"]),
    ("public.mood", Kind::Text, &["'sad'", "'it''s \"fine\"'"]),
    ("public.positive", Kind::Int, &["7"]),
    ("public.pair", Kind::Text, &["row(1, 'a \"b\", c')", "row(null, '')"]),
    ("public.numbers", Kind::Array, &["'{1,2}'"]),
    (
        "integer[]",
        Kind::Array,
        &["'{}'", "'{1,null,3}'", "'[2:3]={1,2}'", "'{{1,2},{3,4}}'", "'[0:0][-1:0]={{1,2}}'"],
    ),
    (
        "text[]",
        Kind::Array,
        &["array['', 'NULL', 'null', null, 'a,b', '{\"x\"}', E'\\\\', ' ', E'\\n']"],
    ),
    (
        "timestamptz[]",
        Kind::Array,
        &["'{infinity,\"2026-11-21 12:00:00.5+00\",\"0044-03-15 12:00:00+00 BC\"}'"],
    ),
    ("box[]", Kind::Array, &["'{(1,2),(0,0);(3,4),(1,1)}'"]),
    ("public.mood[]", Kind::Array, &["'{sad,\"it''s \\\"fine\\\"\"}'"]),
];

pub(crate) const MADE: &str = "create type public.mood as enum ('sad', 'it''s \"fine\"');
    create domain public.positive as int check (value > 0);
    create type public.pair as (n int, t text);
    create table public.pairs (n int);
    create domain public.numbers as int[]";

/// PC11.
#[tokio::test]
async fn every_type_of_the_server_becomes_something_and_stands_in_the_reference() {
    let Some(database) = Database::new().await else { return };
    let types = Types::read(&database.session.query(Types::QUERY).await.unwrap()).unwrap();
    let page = page();
    let names =
        "select typname from pg_type where typtype = 'b' and typoutput <> 'array_out'::regproc
        and typnamespace = 'pg_catalog'::regnamespace";
    let names = database.session.query(names).await.unwrap();
    let names: BTreeSet<String> = names.into_iter().map(|row| row[0].clone().unwrap()).collect();
    for name in &names {
        assert!(page.contains(&format!("| `{name}` |")), "{name} is not in the reference");
    }
    let told = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let only_told: Vec<&str> = told.filter(|name| !names.contains(*name)).collect();
    assert!(only_told.is_empty(), "no types of this server: {only_told:?}");
    let arrays = types.iter().filter(|(_, known)| known.form.kind() == Kind::Array).count();
    let all =
        "select count(*) from pg_type where typoutput = 'array_out'::regproc and typtype = 'b'";
    assert_eq!(arrays.to_string(), database.one(all).await);
}

/// PC11 to PC15: what is odd about values, each in both directions.
#[tokio::test]
async fn a_value_comes_back_as_it_was_through_the_stream_and_in_bulk() {
    let Some(mut database) = Database::new().await else { return };
    database.run(MADE).await;
    let types = Types::read(&database.session.query(Types::QUERY).await.unwrap()).unwrap();
    let slot = database.slot().await;
    for (number, (name, _, values)) in SAMPLES.iter().enumerate() {
        database
            .run(&format!("create table public.t{number} (id int primary key, v {name})"))
            .await;
        for (id, value) in values.iter().enumerate() {
            database.run(&format!("insert into public.t{number} values ({id}, {value})")).await;
        }
    }
    let mut streamed = streamed(&database, &slot).await;
    for (number, (name, kind, values)) in SAMPLES.iter().enumerate() {
        let oid = "select atttypid from pg_attribute where attname = 'v' and attrelid =";
        let oid = database.one(&format!("{oid} 'public.t{number}'::regclass")).await;
        let form = types.get(oid.parse().unwrap()).expect(name).form.clone();
        assert_eq!(form.kind(), *kind, "{name}");
        let query = format!("select v from public.t{number} order by id");
        let mut rows = database.session.copy_out(&query).await.unwrap();
        let mut bulk = Vec::new();
        while let Some(mut row) = rows.next().await.unwrap() {
            bulk.push(row.remove(0));
        }
        assert_eq!(bulk.len(), values.len(), "{name}");
        for ((id, shown), cell) in values.iter().enumerate().zip(bulk) {
            let came = streamed.remove(&(number, id)).expect("it came");
            assert_eq!(came, cell, "{name} {shown}: the stream and the bulk differ");
            let Some(text) = cell else { continue };
            let value =
                read(&form, text.as_bytes()).unwrap_or_else(|it| panic!("{name} {text}: {it}"));
            let written = write(&form, &value).unwrap();
            // The server itself says whether it is the same: as it compares, and as it shows.
            let same = format!(
                "select (v::text is not distinct from $1::{name}::text)::text from public.t{number}
                 where id = {id}"
            );
            let same = database.session.ask(&same, &[written.as_deref()]).await;
            let same = same.unwrap_or_else(|it| panic!("{name} {shown}: {written:?}: {it}"));
            assert_eq!(same[0][0].as_deref(), Some("true"), "{name} {shown}: {written:?}");
            if let Value::Text(_) = value {
                assert!(matches!(kind, Kind::Text | Kind::Timestamp | Kind::TimestampTz), "{name}");
            }
        }
    }
    assert_eq!(streamed, BTreeMap::new());
}

/// Every value that came through the slot, by the number of its table and of its row.
async fn streamed(database: &Database, slot: &str) -> BTreeMap<(usize, usize), Option<String>> {
    let follow = Follow {
        slot: slot.to_owned(),
        after: Lsn(0),
        publications: vec!["everything".into()],
        streaming: false,
        two_phase: false,
        local_only: false,
    };
    let replication = Replication::connect(&database.access).await.unwrap();
    let mut feed = replication.follow(&follow, &super::rig::limits()).await.unwrap();
    let (mut decoder, mut tables) = (Decoder::new(), BTreeMap::new());
    let (mut values, wanted) = (BTreeMap::new(), SAMPLES.iter().map(|(.., it)| it.len()).sum());
    while values.len() < wanted {
        let lump = timeout(PATIENCE, feed.next()).await.expect("a lump").unwrap();
        for carried in lump.carried() {
            let Carried::Message { message, .. } = carried.unwrap() else { continue };
            match decoder.read(message).unwrap() {
                Message::Relation { relation, .. } => {
                    tables.insert(relation.oid, relation.name[1..].parse().unwrap());
                }
                Message::Insert { relation, new, .. } => {
                    let cells: Vec<Option<String>> = new.cells().map(text).collect();
                    let id = cells[0].as_ref().unwrap().parse().unwrap();
                    values.insert((tables[&relation], id), cells[1].clone());
                }
                _ => {}
            }
        }
    }
    values
}

fn text(datum: Datum<'_>) -> Option<String> {
    match datum {
        Datum::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
        Datum::Null => None,
        other => panic!("{other:?} in a new row"),
    }
}

#[test]
fn the_reference_says_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/postgres-types.md");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let stale = "is stale: UPDATE=1 cargo test -p instep-connectors --test it postgres::types";
    assert!(found == page(), "docs/reference/postgres-types.md {stale}");
}
