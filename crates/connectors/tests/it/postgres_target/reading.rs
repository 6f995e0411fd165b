//! Rows of a copy read back: in the order of keys, from one snapshot, and what others wrote there.

use super::rig::{Led, OWNED, Rig, TABLE, at, copy, tenure};
use model::{
    At, Cell, Code, Column, Digest, Effect, Key, Kind, Row, Seed, Selection, Table, Value,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use testkit::conformance::rows::{self, key, row, rows};

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_reads_its_own_rows_alone() {
    let Some(rig) = Rig::owned(OWNED) else { return };
    let (mut one, mut two) = (Led::new(&rig, "one").await, Led::new(&rig, "two").await);
    assert_eq!(one.together(1, vec![rig.put(row(1, 1, "a"))]).await, None);
    assert_eq!(two.together(2, vec![rig.put(row(2, 2, "b"))]).await, None);
    let of = async |lane| rows::all(rig.inspect_lane(lane).as_ref(), &rig.table).await;
    assert_eq!(of(None).await, rows([row(1, 1, "a"), row(2, 2, "b")]));
    assert_eq!(of(Some("one")).await, rows([row(1, 1, "a")]));
    let mut inspect = rig.inspect_lane(Some("two")).connect().await.expect("a connection");
    let selection = Selection::Keys(vec![key(1), key(2)]);
    let answer = inspect.rows(&rig.table, &selection, 9).await.expect("rows");
    assert_eq!(answer.found.rows.len(), 1);
    let watermarks = [("one".into(), at(1)), ("two".into(), at(2))].into();
    assert_eq!(answer.at, At::Target(watermarks));
}

/// Keys of two columns, one of them a text under another order, and one that may be NULL.
#[tokio::test(flavor = "multi_thread")]
async fn keys_come_in_their_order_whatever_order_the_table_has() {
    let column = |name: &str, kind, declared: &str| Column {
        name: name.into(),
        kind,
        declared: declared.into(),
        nullable: name == "part",
        compares: model::Compares::default(),
    };
    let columns = vec![
        column("id", Kind::Text, "text"),
        column("part", Kind::Decimal, "numeric"),
        column("body", Kind::Text, "text"),
    ];
    let table = Arc::new(Table { name: "s".into(), version: 1, columns, key: vec![0, 1] });
    let statements = "create table public.questions_copy (
        id text collate \"und-x-icu\" not null, part numeric, body text,
        unique nulls not distinct (part, id))";
    let Some(rig) = Rig::of(statements, copy(), table.clone()) else { return };
    let decimal = |text: &str| Value::Decimal(text.parse().expect("a decimal"));
    let parts = [decimal("10"), decimal("9.5"), decimal("-1"), Value::Null, decimal("NaN")];
    let mut expected = BTreeMap::new();
    for id in ["a", "B", "ä", "Z", "", "a b", "ab"] {
        for part in &parts {
            let row = Row::new([id.into(), part.clone(), Value::from("x")]);
            expected.insert(table.key_of(&row).expect("a key"), row);
        }
    }
    let writes = expected.values().map(|row| rig.put(row.clone())).collect();
    assert_eq!(rig.lead().await.together(1, writes).await, None);
    let seed = Seed::from_bytes(*b"a seed of 16 byt");
    let mut inspect = rig.inspect().connect().await.expect("a connection");
    let ends = expected.keys().step_by(5).cloned().map(Some);
    let ends: Vec<_> = [None].into_iter().chain(ends).collect();
    for after in &ends {
        for upto in &ends {
            let selection = Selection::Range { after: after.clone(), upto: upto.clone() };
            let wanted: Vec<_> =
                expected.iter().filter(|(key, _)| selection.contains(key)).collect();
            let found = inspect.rows(&table, &selection, 3).await.expect("rows").found;
            let keys: Vec<_> = found.rows.iter().map(|(key, row, _)| (key, row)).collect();
            assert_eq!(keys, wanted[..wanted.len().min(3)], "{selection:?}");
            assert_eq!(found.upto.as_ref(), (wanted.len() > 3).then(|| wanted[2].0));
            let digests = inspect.digests(&table, &[selection], seed).await.expect("digests").found;
            let sum: Digest =
                wanted.iter().map(|(key, row)| Digest::of(seed, &table, key, row)).sum();
            assert_eq!(digests, [sum]);
        }
    }
    let keys: Vec<_> = expected.keys().cloned().collect();
    let all = inspect.rows(&table, &Selection::Keys(keys), 99).await.expect("rows").found;
    assert_eq!(all.rows.len(), expected.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_only_somebody_else_could_write_is_found_where_it_sorts() {
    let statements =
        "create table public.questions_copy (id numeric primary key, topic int, body text)";
    let Some(rig) = Rig::new(statements) else { return };
    let writes = [1, 2, 3].map(|id| rig.put(row(id, id, "a")));
    assert_eq!(rig.lead().await.together(1, writes.into()).await, None);
    rig.sql("insert into questions_copy values (1.5, 0, 'b')");
    let strange = Key::new([Value::from(1.5)]);
    let mut inspect = rig.inspect().connect().await.expect("a connection");
    for (after, upto, wanted) in [
        (None, Some(key(2)), vec![key(1), strange.clone(), key(2)]),
        (Some(key(2)), None, vec![key(3)]),
        (Some(strange.clone()), None, vec![key(2), key(3)]),
        (None, None, vec![key(1), strange.clone(), key(2), key(3)]),
    ] {
        let selection = Selection::Range { after, upto };
        let found = inspect.rows(&rig.table, &selection, 9).await.expect("rows").found;
        let keys: Vec<_> = found.rows.into_iter().map(|(key, ..)| key).collect();
        assert_eq!(keys, wanted, "{selection:?}");
    }
    // A repair takes it away.
    let gone = rig.write(Effect::Delete(strange));
    let mut led = Led::by(&rig, "lane", &tenure(2)).await;
    assert_eq!(led.together(2, vec![gone]).await, None);
    assert_eq!(rig.sql("select count(*) from questions_copy"), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_one_snapshot_with_its_watermark() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    let mut inspect = rig.inspect().connect().await.expect("a connection");
    let writes = async {
        for number in 1..100_i64 {
            let both = [1, 2].map(|id| rig.put(row(id, number, "a")));
            assert_eq!(led.together(number.cast_unsigned(), both.into()).await, None);
        }
    };
    let reads = async {
        loop {
            let answer = inspect.rows(&rig.table, &Selection::ALL, 9).await.expect("rows");
            let At::Target(watermarks) = answer.at else { panic!("{:?}", answer.at) };
            let Some(watermark) = watermarks.into_values().next() else { continue };
            let mut numbers = 1..100_i64;
            let number = numbers.find(|number| at(number.cast_unsigned()) == watermark);
            let number = number.expect("one of ours");
            let topics = answer.found.rows.iter().map(|(_, row, _)| row.0[1].clone());
            assert_eq!(topics.collect::<Vec<_>>(), [Cell::from(number), Cell::from(number)]);
            if number == 99 {
                return;
            }
        }
    };
    tokio::join!(writes, reads);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_without_a_table_is_a_fault_that_names_create() {
    let Some(rig) = Rig::new("create table others (id int)") else { return };
    let mut inspect = rig.inspect().connect().await.expect("a connection");
    let fault = inspect.rows(&rig.table, &Selection::ALL, 9).await.expect_err("no table");
    assert_eq!(fault.code, Code::CopyTableMissing);
    assert_eq!(inspect.table(&rig.table.name).await.expect("an answer"), None);
}
