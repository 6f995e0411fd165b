//! Values as the kind that is wanted, where they mean exactly the same as that.

use super::asks::{audit, between, everything, key};
use crate::postgres::rig::Database;
use model::{Ask, Audit, Cell, Kind, Moment, Row, Selection, Value, Wanted};

async fn as_kind(audit: &mut Box<dyn Audit>, ask: &Ask, column: &str, kind: Kind) -> Value {
    let wanted = Wanted { name: column.into(), kind };
    let ask = Ask { columns: vec![wanted], ..ask.clone() };
    let mut listed = audit.rows(&ask, &Selection::ALL, 9).await.unwrap();
    let (_, Row(mut cells)) = listed.found.remove(0);
    match cells.remove(0) {
        Cell::Value(value) => value,
        other => panic!("no value: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_comes_as_the_kind_that_is_wanted_or_as_it_is() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, i int8, one int, f float8, r real, d numeric,
                 day date, at timestamp, noon timestamp, b bool, u text, j text, when_ text, n text,
                 raw bytea, id_ uuid, truth text, filled char(9), zoned text, huge text);
             insert into public.t values (1, 9007199254740993, 1, 0.1, 0.1, 5.00, '2026-11-21',
                 '2026-11-21', '2026-11-21 12:00', true, '0A0B0C0D-0000-0000-0000-00000000000f',
                 '{\"a\": 1}', '2026-11-21 12:00:00.5', '1.50', '\\x01',
                 '0a0b0c0d-0000-0000-0000-00000000000f', 'true', '7',
                 '2026-11-21T14:00:00+02:00', '1e999')",
        )
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    let uuid = Value::Uuid([10, 11, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 15]);
    let days = 20_778;
    let micros = days * 86_400_000_000;
    for (column, kind, value) in [
        ("i", Kind::Int, Value::Int(9_007_199_254_740_993)),
        ("i", Kind::Decimal, decimal("9007199254740993")),
        ("i", Kind::Float, Value::Int(9_007_199_254_740_993)),
        ("i", Kind::Bool, Value::Int(9_007_199_254_740_993)),
        ("i", Kind::Any, Value::Int(9_007_199_254_740_993)),
        ("i", Kind::Text, Value::from("9007199254740993")),
        ("one", Kind::Bool, Value::Bool(true)),
        ("one", Kind::Float, Value::from(1.0)),
        ("f", Kind::Decimal, decimal("0.1")),
        ("f", Kind::Int, Value::from(0.1)),
        ("r", Kind::Decimal, decimal("0.1")),
        ("r", Kind::Float, Value::from(f64::from(0.1_f32))),
        ("d", Kind::Int, Value::Int(5)),
        ("d", Kind::Decimal, decimal("5.00")),
        ("day", Kind::Timestamp, Value::Timestamp(Moment::At(micros))),
        ("at", Kind::Date, Value::Date(Moment::At(days))),
        ("noon", Kind::Date, Value::Timestamp(Moment::At(micros + 43_200_000_000))),
        ("noon", Kind::TimestampTz, Value::Timestamp(Moment::At(micros + 43_200_000_000))),
        ("b", Kind::Text, Value::from("t")),
        ("u", Kind::Uuid, uuid.clone()),
        ("id_", Kind::Uuid, uuid),
        ("id_", Kind::Text, Value::from("0a0b0c0d-0000-0000-0000-00000000000f")),
        ("j", Kind::Json, Value::Json("{\"a\": 1}".into())),
        ("when_", Kind::Timestamp, Value::Timestamp(Moment::At(micros + 43_200_500_000))),
        ("when_", Kind::Date, Value::from("2026-11-21 12:00:00.5")),
        ("n", Kind::Decimal, decimal("1.50")),
        ("n", Kind::Int, Value::from("1.50")),
        ("raw", Kind::Text, Value::Bytes([1].into())),
        ("truth", Kind::Bool, Value::Bool(true)),
        ("filled", Kind::Int, Value::Int(7)),
        ("filled", Kind::Text, Value::from("7        ")),
        ("zoned", Kind::TimestampTz, Value::TimestampTz(Moment::At(micros + 43_200_000_000))),
        ("zoned", Kind::Timestamp, Value::from("2026-11-21T14:00:00+02:00")),
        ("huge", Kind::Float, Value::from("1e999")),
    ] {
        assert_eq!(as_kind(&mut audit, &ask, column, kind).await, value, "{column} {kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_kind_finds_its_row_again() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (i int8, d numeric, f float8, r real, day date, at timestamp,
                 upper text, bent text, when_ text, u uuid, n text);
             insert into public.t select n, n::numeric(9, 2), n / 10.0, n / 10.0, date '2026-01-01' + n,
                 timestamp '2026-01-01' + n * interval '1 day', upper(md5(n::text)::uuid::text),
                 replace(md5(n::text)::uuid::text, '-', case when n = 1 then '' else '-' end),
                 '2026-01-0' || n || case when n = 1 then ' 00:00:00.0' else ' 00:00:00' end,
                 md5(n::text)::uuid, n || '.50'
                 from generate_series(0, 3) n",
        )
        .await;
    let mut audit = audit(&database).await;
    for (column, kind) in [
        ("i", Kind::Decimal),
        ("i", Kind::Float),
        ("i", Kind::Text),
        ("d", Kind::Int),
        ("f", Kind::Decimal),
        ("r", Kind::Decimal),
        ("r", Kind::Float),
        ("day", Kind::Timestamp),
        ("at", Kind::Date),
        ("upper", Kind::Uuid),
        ("bent", Kind::Uuid),
        ("n", Kind::Decimal),
        ("n", Kind::Float),
        ("when_", Kind::Timestamp),
        ("u", Kind::Text),
        ("i", Kind::Bool),
    ] {
        let mut ask = everything(&mut audit, "public.t", &[column]).await;
        ask.key[0].kind = kind;
        let listed = audit.rows(&ask, &Selection::ALL, 9).await.unwrap().found;
        let keys: Vec<_> = listed.into_iter().map(|(key, _)| key).collect();
        let found = audit.find(&ask, &keys).await.unwrap();
        assert_eq!(found.len(), 4, "{column} {kind:?}: {keys:?} {found:?}");
        for at in &keys {
            let both = [between(None, Some(at.clone())), between(Some(at.clone()), None)];
            let mut rows = 0;
            for of in both {
                rows += audit.sum(&ask, &of).await.unwrap().rows;
            }
            assert_eq!(rows, 4, "{column} {kind:?} {at:?}");
        }
        let middle = keys[1].clone();
        let below = audit.sum(&ask, &between(None, Some(middle))).await.unwrap().rows;
        assert_eq!(below, 2, "{column} {kind:?}: {keys:?}");
    }
    let ask = everything(&mut audit, "public.t", &["i"]).await;
    let found = audit.find(&ask, &[key([Value::Decimal("2.0".parse().unwrap())])]).await.unwrap();
    assert!(found.is_empty(), "it is the key of another kind");
}
