//! Rows of a copy read back: in the order of keys, from one snapshot, and what others wrote there.

use super::rig::{Led, OWNED, Rig, TABLE, at};
use instep_connectors::CopyTo;
use model::{At, Cell, Code, Column, Digest, Key, Kind, Row, Seed, Selection, Table, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use testkit::conformance::rows::{self, key, row, rows};

#[tokio::test]
async fn a_lane_reads_its_own_rows_alone() {
    let rig = Rig::owned(OWNED);
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

#[tokio::test]
async fn rows_that_others_wrote_are_read_as_they_are() {
    let rig = Rig::new(TABLE);
    assert_eq!(rig.lead().await.together(1, vec![rig.put(row(1, 1, "a"))]).await, None);
    rig.hand()
        .execute_batch("insert into questions_copy values (2, 'no number', cast(x'ff' as text))")
        .expect("it works");
    let found = rows::all(rig.inspect().as_ref(), &rig.table).await;
    let strange = [Value::Int(2), Value::from("no number"), Value::text(b"\xff")];
    assert_eq!(found, rows([row(1, 1, "a"), Row::new(strange)]));
}

#[tokio::test]
async fn keys_of_mixed_kinds_come_in_the_order_of_keys() {
    let column = |name: &str| Column {
        name: name.into(),
        kind: Kind::Any,
        declared: "".into(),
        nullable: name != "id",
        compares: Default::default(),
    };
    let columns = vec![column("id"), column("part"), column("body")];
    let table = Arc::new(Table { name: "s".into(), version: 1, columns, key: vec![0, 1] });
    let statements = "create table questions_copy (
        id not null, part not null, body, primary key (id, part))";
    let rig = Rig::of(statements, CopyTo::new("copy", "questions_copy"), table.clone());
    let ids = [
        Value::Int(2),
        Value::from(1.5),
        Value::from("b"),
        Value::Int(-3),
        Value::from("B"),
        Value::Bytes([7].into()),
        Value::from(99.5),
        Value::Int(10),
        Value::from(""),
    ];
    let mut expected = BTreeMap::new();
    for id in &ids {
        for part in [Value::Int(1), Value::from(0.5)] {
            let row = Row::new([id.clone(), part.clone(), Value::from("x")]);
            expected.insert(Key::new([id.clone(), part]), row);
        }
    }
    let writes = expected.values().map(|row| rig.put(row.clone())).collect();
    assert_eq!(rig.lead().await.together(1, writes).await, None);
    let seed = Seed::from_bytes(*b"a seed of 16 byt");
    let mut inspect = rig.inspect().connect().await.expect("a connection");
    let ends: Vec<_> = [None].into_iter().chain(expected.keys().cloned().map(Some)).collect();
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
}

#[tokio::test]
async fn a_key_that_only_somebody_else_could_write_is_found_where_it_sorts() {
    let rig = Rig::new("create table questions_copy (id int not null primary key, topic, body)");
    let writes = [1, 2, 3].map(|id| rig.put(row(id, id, "a")));
    assert_eq!(rig.lead().await.together(1, writes.into()).await, None);
    rig.hand().execute("insert into questions_copy values (1.5, 0, 'b')", []).expect("it works");
    let strange = Key::new([Value::from(1.5)]);
    let mut inspect = rig.inspect().connect().await.expect("a connection");
    for (after, upto, wanted) in [
        (None, Some(key(2)), vec![key(1), strange.clone(), key(2)]),
        (Some(key(2)), None, vec![key(3)]),
        (None, None, vec![key(1), strange.clone(), key(2), key(3)]),
    ] {
        let selection = Selection::Range { after, upto };
        let found = inspect.rows(&rig.table, &selection, 9).await.expect("rows").found;
        let keys: Vec<_> = found.rows.into_iter().map(|(key, ..)| key).collect();
        assert_eq!(keys, wanted, "{selection:?}");
    }
}

#[tokio::test]
async fn a_file_in_another_encoding_is_read_in_the_order_of_keys() {
    let column = Column {
        name: "id".into(),
        kind: Kind::Text,
        declared: "text".into(),
        nullable: false,
        compares: Default::default(),
    };
    let table =
        Arc::new(Table { name: "s".into(), version: 1, columns: vec![column], key: vec![0] });
    let statements = "pragma encoding = 'UTF-16le';
        create table questions_copy (id text not null primary key)";
    let rig = Rig::of(statements, CopyTo::new("copy", "questions_copy"), table.clone());
    let ids = ["a", "ā", "z", "Ā", "\u{10000}", "\u{ffff}", "ab"];
    let writes = ids.iter().map(|id| rig.put(Row::new([*id]))).collect();
    assert_eq!(rig.lead().await.together(1, writes).await, None);
    let found = rows::all(rig.inspect().as_ref(), &table).await;
    let mut inspect = rig.inspect().connect().await.expect("a connection");
    let all = inspect.rows(&table, &Selection::ALL, 99).await.expect("rows").found;
    assert_eq!(found.len(), ids.len());
    assert!(all.rows.is_sorted_by(|one, other| one.0 < other.0));
}

#[tokio::test]
async fn an_answer_is_one_snapshot_with_its_watermark() {
    let rig = Rig::new(&format!("pragma journal_mode = wal; {TABLE}"));
    let mut led = rig.lead().await;
    let mut inspect = rig.inspect().connect().await.expect("a connection");
    for number in 1..20_i64 {
        let body = format!("{number}");
        let both = [1, 2].map(|id| rig.put(row(id, number, &body)));
        assert_eq!(led.together(number.cast_unsigned(), both.into()).await, None);
        let answer = inspect.rows(&rig.table, &Selection::ALL, 9).await.expect("rows");
        assert_eq!(answer.at, At::Target([("lane".into(), at(number.cast_unsigned()))].into()));
        let topics = answer.found.rows.iter().map(|(_, row, _)| row.0[1].clone());
        assert_eq!(topics.collect::<Vec<_>>(), [Cell::from(number), Cell::from(number)]);
    }
}

#[tokio::test]
async fn a_copy_without_a_table_is_a_fault_that_names_create() {
    let rig = Rig::new("create table others (id)");
    let mut inspect = rig.inspect().connect().await.expect("a connection");
    let fault = inspect.rows(&rig.table, &Selection::ALL, 9).await.expect_err("no table");
    assert_eq!(fault.code, Code::CopyTableMissing);
    assert_eq!(inspect.table(&rig.table.name).await.expect("an answer"), None);
}
