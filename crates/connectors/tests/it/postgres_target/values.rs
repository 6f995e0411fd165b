//! Values on their way into columns of every type, and back (AP14): what is taken comes back as it
//! was, and what would not is refused, by its table or row by row.

use super::rig::Rig;
use crate::postgres::types::{MADE, SAMPLES};
use instep_connectors::CopyTo;
use instep_connectors::postgres::types::{Types, read};
use instep_connectors::postgres::{PostgresCopyRows, PostgresTarget};
use model::{
    Cell, Code, Column, Digest, Effect, Key, Kind, Mode, Outcome, Row, Seed, Table, Value, Write,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use testkit::conformance::rows;

/// What it is called, whether the row is there before, and the write.
type Way<'a> = (&'a str, bool, &'a dyn Fn(&Row) -> Write);

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_every_type_comes_back_as_it_was_in_whatever_way_it_is_written() {
    let columns = SAMPLES.iter().enumerate().map(|(at, (of, ..))| format!("c{at} {of}"));
    let columns: Vec<_> = columns.collect();
    let mut made = format!("{MADE}; create schema s;");
    for table in ["s.source", "public.questions_copy"] {
        made += &format!("create table {table} (id bigint primary key, {});", columns.join(", "));
    }
    let most = SAMPLES.iter().map(|(.., values)| values.len()).max().unwrap_or(0);
    for id in 0..most {
        let values = SAMPLES.iter().map(|(.., values)| values.get(id).copied().unwrap_or("null"));
        let values: Vec<_> = values.collect();
        made += &format!("insert into s.source values ({id}, {});", values.join(", "));
    }
    let Some(mut rig) = Rig::new(&made) else { return };
    let (table, source) = source(&rig, "s.source").await;
    rig.table = table;
    let mut led = rig.lead().await;
    let blank = || {
        let blank = |row: &Row| {
            let cells = row.0.iter().enumerate();
            let cell = |(at, cell): (usize, &Cell)| {
                if at == 0 { cell.clone() } else { Value::Null.into() }
            };
            rig.put(Row(cells.map(cell).collect()))
        };
        source.iter().map(blank).collect::<Vec<_>>()
    };
    let inserts = |row: &Row| rig.insert(row.clone());
    let puts = |row: &Row| rig.put(row.clone());
    let patches = |row: &Row| {
        let key = rig.table.key_of(row).expect("a key");
        rig.write(Effect::Patch(key, row.clone()))
    };
    let ways: [Way; 5] = [
        ("in bulk", false, &inserts),
        ("over what is there", true, &inserts),
        ("as new rows", false, &puts),
        ("as an update", true, &puts),
        ("as a patch", true, &patches),
    ];
    for (number, (way, is_there, write)) in (1..).step_by(3).zip(ways) {
        assert_eq!(led.together(number, vec![rig.write(Effect::Truncate)]).await, None);
        if is_there {
            assert_eq!(led.together(number + 1, blank()).await, None);
        }
        let writes = source.iter().map(write).collect();
        assert_eq!(led.together(number + 2, writes).await, None, "{way}");
        let other = rig.sql(
            "select (s.id, c.id) from s.source s full join questions_copy c using (id)
             where s::text is distinct from c::text",
        );
        assert_eq!(other, "", "{way}");
        let found = rows::all(rig.inspect().as_ref(), &rig.table).await;
        let found: Vec<_> = found.into_values().collect();
        assert!(found == source, "{way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_mean_something_to_somebody_on_the_way_are_texts() {
    let texts = [
        "",
        "\\N",
        "\\.",
        "\\",
        "\"",
        "'",
        "{",
        "}",
        ",",
        "NULL",
        "null",
        "\t",
        "\n",
        "\r\n",
        "\u{8}\u{b}\u{c}\u{1b}\u{7f}",
        " ",
        "  a  ",
        "$1",
        "--",
        "é𝄞\u{feff}",
        "\\x00",
        "a\\'b\\\"",
    ];
    let statements = "create table public.questions_copy (
        id text primary key, topic text[], body varchar)";
    let Some(mut rig) = Rig::new(statements) else { return };
    rig.table = of_texts("text[]", Kind::Array);
    let mut led = rig.lead().await;
    let array = |text: &str| {
        let shape = vec![model::Dimension { length: 2, lower: 1 }];
        let elements = vec![text.into(), Value::Null];
        Value::Array(Box::new(model::Array { shape, elements }))
    };
    let rows: Vec<_> =
        texts.iter().map(|&text| Row::new([text.into(), array(text), text.into()])).collect();
    let expected: BTreeMap<_, _> =
        rows.iter().map(|row| (rig.table.key_of(row).expect("a key"), row.clone())).collect();
    for new in [true, false, false] {
        let write = |row: &Row| if new { rig.insert(row.clone()) } else { rig.put(row.clone()) };
        assert_eq!(led.together(1, rows.iter().map(write).collect()).await, None);
        assert_eq!(rows::all(rig.inspect().as_ref(), &rig.table).await, expected);
    }
    let gone = expected.keys().map(|key| rig.write(Effect::Delete(key.clone()))).collect();
    assert_eq!(led.together(2, gone).await, None);
    assert_eq!(rig.sql("select count(*) from questions_copy"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_no_server_takes_holds_its_row_until_the_source_deletes_it() {
    let statements =
        "create table public.questions_copy (id text primary key, topic text, body text)";
    let Some(mut rig) = Rig::new(statements) else { return };
    rig.table = of_texts("text", Kind::Text);
    let mut led = rig.lead().await;
    let odd = || [Value::from("a\0b"), Value::text(b"\xff")];
    for (number, new) in (1..).step_by(4).zip([true, false]) {
        let rows = || {
            let of_key = odd().map(|id| Row::new([id, "a".into(), "b".into()]));
            let of_cell = odd().map(|it| {
                Row::new([format!("{}", it == odd()[0]).as_str().into(), it, "b".into()])
            });
            let good = Row::new(["good", "a", "b"].map(Value::from));
            of_key.into_iter().chain(of_cell).chain([good])
        };
        let writes = || -> Vec<_> {
            rows().map(|row| if new { rig.insert(row) } else { rig.put(row) }).collect()
        };
        let reason = led.together(number, writes()).await.expect("they are refused");
        assert!(reason.contains("PostgreSQL does not take"), "{reason}");
        assert_eq!(led.each(number, writes()).await, [0, 1, 2, 3]);
        assert_eq!(rig.sql("select id from questions_copy"), "good");
        assert_eq!(led.holds().await.len(), 4);
        let keys: Vec<_> = rows().map(|row| rig.table.key_of(&row).expect("a key")).collect();
        let patches = rows().zip(&keys);
        let patches = patches.map(|(row, key)| rig.write(Effect::Patch(key.clone(), row)));
        assert_eq!(led.each(number + 1, patches.collect()).await, [0, 1, 2, 3]);
        let gone = || keys.iter().map(|key| rig.write(Effect::Delete(key.clone()))).collect();
        let mode = if new { Mode::Together } else { Mode::RowByRow };
        let batch = led.batch(number + 2, gone());
        let outcome = led.target.apply(&batch, mode).await.expect("an answer");
        assert_eq!(outcome, Outcome::Written { flushed: None, refused: vec![] });
        assert_eq!(led.holds().await, []);
    }
}

/// Types of columns beside those of the samples that a user might have chosen.
const MORE: [&str; 20] = [
    "integer",
    "oid",
    "xid8",
    "inet",
    "public.price",
    "public.code",
    "public.hour",
    "public.numberss",
    "timestamp(3)",
    "timestamptz(0)",
    "interval(0)",
    "interval day to second",
    "varbit(3)",
    "bit(8)",
    "bigint[]",
    "smallint[]",
    "numeric(10,2)[]",
    "varchar(2)[]",
    "timestamp[]",
    "real[]",
];

const MORE_MADE: &str = "create domain public.price as numeric(10, 2);
    create domain public.code as varchar(5);
    create domain public.hour as time(0);
    create domain public.numberss as public.numbers";

/// Types of sources whose values more than one type here might seem to take.
const FROM: [&str; 26] = [
    "boolean",
    "smallint",
    "bigint",
    "real",
    "double precision",
    "numeric",
    "numeric(10, 2)",
    "text",
    "varchar(5)",
    "char(5)",
    "bytea",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "bit(4)",
    "public.mood",
    "public.numbers",
    "integer[]",
    "text[]",
    "timestamptz[]",
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_column_takes_a_value_gives_it_back_and_else_the_table_or_the_row_is_refused() {
    let samples: Vec<_> = SAMPLES.iter().filter(|it| FROM.contains(&it.0)).collect();
    let mut made = format!("{MADE}; {MORE_MADE}; create schema s; create schema c;");
    for (at, (of, _, values)) in samples.iter().enumerate() {
        made += &format!("create table s.s{at} (id bigint primary key, v {of});");
        let more: &[&str] = match *of {
            "text" => &["'abcde   '", "'7'", "'2026-11-21'", "'{1,2}'"],
            "numeric" => &["1.234", "-1", "7"],
            "bigint" => &["-1", "7", "5000000000"],
            "public.numbers" => &["'{-1,100000}'"],
            _ => &[],
        };
        for (id, value) in values.iter().chain(more).enumerate() {
            // Those with room for a page each are tried in columns of their own type.
            if !value.contains("repeat") {
                made += &format!("insert into s.s{at} values ({id}, {value});");
            }
        }
    }
    assert_eq!(samples.len(), FROM.len());
    let here: Vec<_> = samples.iter().map(|(of, ..)| *of).chain(MORE).collect();
    let mut copies = Vec::new();
    for (at, of) in here.iter().enumerate() {
        made += &format!("create table c.c{at} (id bigint primary key, v {of});");
        copies.push(CopyTo::new(format!("c{at}").as_str(), &format!("c.c{at}")));
    }
    let Some(mut rig) = Rig::new(&made) else { return };
    rig.target = PostgresTarget::new(rig.access(), copies.clone());
    let mut led = rig.lead().await;
    let (mut number, mut bent, mut taken) = (0, Vec::new(), 0);
    for (from, (of, ..)) in samples.iter().enumerate() {
        let (table, source) = source(&rig, &format!("s.s{from}")).await;
        for (copy, is) in copies.iter().zip(&here) {
            number += 1;
            let name = copy.name.clone();
            let put = |row: &Row| {
                let key = table.key_of(row).expect("a key");
                let effect = Effect::Put { key, row: row.clone(), new: row.0[0] == Cell::from(0) };
                Write { copy: name.clone(), table: table.clone(), ..rig.write(effect) }
            };
            let emptied =
                Write { copy: name.clone(), table: table.clone(), ..rig.write(Effect::Truncate) };
            let writes = [emptied].into_iter().chain(source.iter().map(put)).collect();
            let batch = led.batch(number, writes);
            let refused = match led.target.apply(&batch, Mode::RowByRow).await {
                Ok(Outcome::Written { refused, .. }) => refused,
                Err(fault) if fault.code == Code::CopyColumns => continue,
                other => panic!("{of} into {is}: {other:?}"),
            };
            taken += 1;
            let is_refused = |at: usize| refused.iter().any(|it| it.write == at + 1);
            let expected = source.iter().enumerate().filter(|(at, _)| !is_refused(*at));
            let expected: BTreeMap<_, _> =
                expected.map(|(_, row)| (table.key_of(row).expect("a key"), row.clone())).collect();
            let service =
                PostgresCopyRows::new(rig.access(), copy.clone(), table.name.clone(), None);
            let found = rows::all(&service, &table).await;
            if digests(&table, &found) != digests(&table, &expected) {
                let other = expected.iter().find(|(key, row)| found.get(key) != Some(row));
                bent.push(format!("{of} into {is}: {other:?}"));
            }
        }
    }
    assert_eq!(bent, [] as [String; 0], "of {taken}");
    assert!(taken > samples.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_made_for_a_type_keeps_its_values() {
    let mut made = format!("{MADE}; create schema s;");
    for (at, (of, _, values)) in SAMPLES.iter().enumerate() {
        made += &format!("create table s.s{at} (id bigint primary key, v {of});");
        for (id, value) in values.iter().enumerate() {
            made += &format!("insert into s.s{at} values ({id}, {value});");
        }
    }
    let Some(mut rig) = Rig::new(&made) else { return };
    let copy = |at: usize| {
        let copy = CopyTo::new(format!("m{at}").as_str(), &format!("public.m{at}"));
        CopyTo { create: true, ..copy }
    };
    let copies: Vec<_> = (0..SAMPLES.len()).map(copy).collect();
    rig.target = PostgresTarget::new(rig.access(), copies.clone());
    let mut led = rig.lead().await;
    for (at, (of, ..)) in SAMPLES.iter().enumerate() {
        let (table, source) = source(&rig, &format!("s.s{at}")).await;
        let put = |row: &Row| {
            let key = table.key_of(row).expect("a key");
            let effect = Effect::Put { key, row: row.clone(), new: true };
            Write { copy: copies[at].name.clone(), table: table.clone(), ..rig.write(effect) }
        };
        let number = u64::try_from(at).expect("few") + 1;
        let reason = led.together(number, source.iter().map(put).collect()).await;
        if *of == "public.numbers" {
            // The name of a domain does not say that it is an array of numbers; its values do.
            assert!(reason.expect("it is refused").contains("another kind"));
            continue;
        }
        assert_eq!(reason, None, "{of}");
        let service =
            PostgresCopyRows::new(rig.access(), copies[at].clone(), table.name.clone(), None);
        let found = rows::all(&service, &table).await;
        let expected: BTreeMap<_, _> =
            source.into_iter().map(|row| (table.key_of(&row).expect("a key"), row)).collect();
        assert!(digests(&table, &found) == digests(&table, &expected), "{of}");
    }
}

/// Columns of SQLite hold what they are given: here each is of one kind.
#[tokio::test(flavor = "multi_thread")]
async fn values_of_columns_of_any_kind_come_back_or_are_refused() {
    let values = [
        Value::Null,
        Value::Int(0),
        Value::Int(1),
        Value::Int(-7),
        Value::Int(i64::MAX),
        Value::from(0.5),
        Value::from(-1e300),
        Value::from(f64::INFINITY),
        Value::from(7.0),
        Value::from("7"),
        Value::from("7.0"),
        Value::from("text"),
        Value::from(""),
        Value::from("a\0b"),
        Value::text(b"\xff"),
        Value::Bytes([0, 255].into()),
        Value::Bytes([].into()),
    ];
    let of = [
        ("boolean", 2),
        ("smallint", 3),
        ("bigint", 4),
        ("numeric", 5),
        ("double precision", 3),
        ("text", 4),
        ("varchar(3)", 2),
        ("bytea", 2),
    ];
    let mut made = String::new();
    let mut copies = Vec::new();
    for (at, (of, _)) in of.iter().enumerate() {
        made += &format!("create table public.c{at} (id bigint primary key, v {of});");
        copies.push(CopyTo::new(format!("c{at}").as_str(), &format!("public.c{at}")));
    }
    let Some(mut rig) = Rig::new(&made) else { return };
    rig.target = PostgresTarget::new(rig.access(), copies.clone());
    let columns = vec![column("id", Kind::Int, "bigint"), column("v", Kind::Any, "")];
    let table = Arc::new(Table { name: "s".into(), version: 1, columns, key: vec![0] });
    let mut led = rig.lead().await;
    for (copy, (of, taken_min)) in copies.iter().zip(of) {
        let rows: Vec<_> =
            (0_i64..).zip(&values).map(|(id, it)| Row::new([Value::Int(id), it.clone()])).collect();
        let put = |row: &Row| {
            let key = table.key_of(row).expect("a key");
            let effect = Effect::Put { key, row: row.clone(), new: false };
            Write { copy: copy.name.clone(), table: table.clone(), ..rig.write(effect) }
        };
        let refused = led.each(1, rows.iter().map(put).collect()).await;
        let kept = rows.iter().enumerate().filter(|(at, _)| !refused.contains(at));
        let expected: BTreeMap<_, _> =
            kept.map(|(_, row)| (table.key_of(row).expect("a key"), row.clone())).collect();
        let service = PostgresCopyRows::new(rig.access(), copy.clone(), table.name.clone(), None);
        let found = rows::all(&service, &table).await;
        assert_eq!(found, expected, "{of}");
        assert!(found.len() > taken_min, "{of}: {found:?}");
    }
}

fn digests(table: &Table, rows: &BTreeMap<Key, Row>) -> BTreeMap<Key, Digest> {
    let seed = Seed::from_bytes(*b"a seed of 16 byt");
    rows.iter().map(|(key, row)| (key.clone(), Digest::of(seed, table, key, row))).collect()
}

/// A table with the types as its source declares them, and its rows as its source would send them.
async fn source(rig: &Rig, name: &str) -> (Arc<Table>, Vec<Row>) {
    let mut session = rig.session().await;
    let types = Types::read(&session.query(Types::QUERY).await.expect("types")).expect("types");
    let ask = format!(
        "select attname, atttypid, format_type(atttypid, atttypmod) from pg_attribute
         where attrelid = '{name}'::regclass and attnum > 0 order by attnum"
    );
    let described = session.query(&ask).await.expect("columns");
    let (mut columns, mut forms) = (Vec::new(), Vec::new());
    for row in described {
        let text = |at: usize| row[at].clone().expect("a text");
        let form = types.get(text(1).parse().expect("a number")).expect("a type").form.clone();
        columns.push(column(&text(0), form.kind(), &text(2)));
        forms.push(form);
    }
    let mut copied =
        session.copy_out(&format!("select * from {name} order by id")).await.expect("rows");
    let mut rows = Vec::new();
    while let Some(cells) = copied.next().await.expect("a row") {
        let value = |(cell, form): (Option<String>, _)| match cell {
            Some(text) => read(form, text.as_bytes()).expect("a value"),
            None => Value::Null,
        };
        rows.push(Row::new(cells.into_iter().zip(&forms).map(value)));
    }
    (Arc::new(Table { name: name.into(), version: 1, columns, key: vec![0] }), rows)
}

fn of_texts(declared: &str, kind: Kind) -> Arc<Table> {
    let columns = vec![
        column("id", Kind::Text, "text"),
        column("topic", kind, declared),
        column("body", Kind::Text, "text"),
    ];
    Arc::new(Table { name: "questions".into(), version: 1, columns, key: vec![0] })
}

fn column(name: &str, kind: Kind, declared: &str) -> Column {
    let nullable = name != "id";
    let compares = model::Compares::default();
    Column { name: name.into(), kind, declared: declared.into(), nullable, compares }
}
