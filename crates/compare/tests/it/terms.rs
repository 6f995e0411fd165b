//! What is asked for is what is compared.

use crate::memory::Store;
use crate::world::World;
use instep_compare::{
    Counts, End, Method, Outcome, Progress, Reference, Refused, Rule, Scope, Stop, Terms, prepare,
};
use model::{Cell, Key, Kind, Row, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

fn row(cells: impl IntoIterator<Item = Value>) -> Row {
    Row(cells.into_iter().map(Cell::Value).collect())
}

#[tokio::test(start_paused = true)]
async fn numbers_are_compared_by_group() {
    let mut world = World::new(4, 300);
    let key = world.sound_key().unwrap();
    let mut moved = world.copy.get(&key).unwrap();
    let topic = moved.0[2].clone();
    moved.0[2] = Cell::Value(Value::Int(99));
    world.copy.put(moved);
    let counts = |by: &[&str]| Terms {
        counts: Some(Counts { by: by.iter().map(|it| (*it).into()).collect(), value: None }),
        ..Terms::default()
    };
    let verdict = world.compare(counts(&["topic"])).await;
    assert_eq!((verdict.method, verdict.different), (Method::Counts, 2));
    let found = World::found(&verdict);
    assert!(found.contains_key(&Key::new([99])) && found.len() == 2, "{found:?}");
    let Cell::Value(topic) = topic else { panic!() };
    assert!(found.contains_key(&Key::new([topic])));
    let verdict = world.compare(counts(&[])).await;
    assert_eq!((verdict.outcome(), verdict.compared), (Outcome::Equal, 1), "one total");
}

#[tokio::test(start_paused = true)]
async fn numbers_that_the_copy_keeps_are_compared_with_the_source_s_rows() {
    let world = World::new(6, 200);
    let kept = Store::new(&[("topic", Kind::Int), ("questions", Kind::Int)], &[0]);
    let mut numbers: BTreeMap<Value, i64> = BTreeMap::new();
    for (row, ..) in world.source.held().rows.values() {
        let Cell::Value(topic) = row.0[2].clone() else { panic!() };
        *numbers.entry(topic).or_default() += 1;
    }
    for (topic, number) in &numbers {
        kept.put(row([topic.clone(), Value::Int(*number)]));
    }
    kept.put(row([Value::Int(3), Value::Int(numbers[&Value::Int(3)] + 1)]));
    let world = World { copy: kept, ..world };
    let counts = Counts { by: vec!["topic".into()], value: Some("questions".into()) };
    let verdict = world.compare(Terms { counts: Some(counts), ..Terms::default() }).await;
    assert_eq!((verdict.different, verdict.compared), (1, numbers.len() as u64));
    let [column] = &verdict.differences[0].columns[..] else { panic!() };
    assert_eq!(&*column.name, "questions");
}

#[tokio::test(start_paused = true)]
async fn only_rows_that_are_asked_for_are_compared() {
    let mut world = World::new(2, 200);
    for _ in 0..20 {
        let _ = world.damage();
    }
    let found = |verdict: &instep_compare::Verdict| World::found(verdict).len() as u64;
    let all = world.compare(Terms::default()).await;
    assert_eq!(found(&all), world.wrong.len() as u64);
    let title = Terms { columns: Some(vec!["price".into()]), ..Terms::default() };
    let some = world.compare(title).await;
    assert!(found(&some) < found(&all));
    let newest = Scope::Newest { rows: 20, by: "a".into() };
    let newest = world.compare(Terms { scope: newest, ..Terms::default() }).await;
    assert!(newest.compared == 20 && found(&newest) <= found(&all), "{newest:?}");
    let sample = Terms { scope: Scope::Sample(1.0), ..Terms::default() };
    let sample = world.compare(sample).await;
    assert_eq!(sample.sampled, Some(1.0));
    // A sample that has no row says nothing of the table.
    let none = Terms { scope: Scope::Sample(0.0), seed: 3, ..Terms::default() };
    let empty = World::new(2, 0).compare(none).await;
    assert_eq!((empty.outcome(), empty.compared), (Outcome::Unverified, 0));
}

/// In one store 9 is above 10, as it is where numbers are texts.
#[tokio::test(start_paused = true)]
async fn a_row_that_is_the_newest_for_the_copy_alone_is_no_extra_row() {
    let source = Store::new(&[("id", Kind::Int), ("at", Kind::Int)], &[0]);
    let copy = Store::new(&[("id", Kind::Int), ("at", Kind::Int)], &[0]);
    for number in 1..=12 {
        source.put(row([Value::Int(number), Value::Int(number)]));
        copy.put(row([Value::Int(number), Value::Int(number)]));
    }
    copy.held().newest_as_text = true;
    copy.put(row([Value::Int(12), Value::Int(13)]));
    copy.put(row([Value::Int(95), Value::Int(95)]));
    let scope = Scope::Newest { rows: 3, by: "at".into() };
    let world = World { source, copy, ..World::new(0, 0) };
    let verdict = world.compare(Terms { scope, ..Terms::default() }).await;
    assert_eq!((verdict.extra, verdict.different, verdict.missing), (1, 1, 0), "{verdict:?}");
}

#[tokio::test(start_paused = true)]
async fn rows_that_refer_to_none_are_orphans() {
    let world = World::new(9, 100);
    world.copy.held().others = (0..6).map(Value::Int).collect();
    let references =
        vec![Reference { column: "topic".into(), table: "topics".into(), key: "id".into() }];
    let verdict = world.compare(Terms { references, ..Terms::default() }).await;
    let rows = &world.copy.held().rows;
    let orphans = rows.values().filter(|(row, ..)| row.0[2] == Cell::Value(Value::Int(6))).count();
    assert!(orphans > 0);
    assert_eq!((verdict.orphans, verdict.found()), (orphans as u64, orphans as u64));
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_before_a_row_is_read() {
    let world = World::new(0, 5);
    let refused = |terms: Terms| {
        let world = &world;
        async move { world.try_compare(terms, &Stop::default()).await.unwrap_err() }
    };
    let named = |names: &[&str]| Some(names.iter().map(|it| (*it).into()).collect());
    for terms in [
        Terms { columns: named(&["nothing"]), ..Terms::default() },
        Terms { key: named(&["nothing"]), ..Terms::default() },
        Terms { map: [("title".into(), "nothing".into())].into(), ..Terms::default() },
        Terms { leave_out: vec!["nothing".into()], ..Terms::default() },
        Terms { scope: Scope::Newest { rows: 1, by: "x".into() }, ..Terms::default() },
        Terms {
            key: named(&["title"]),
            rules: [("title".into(), Rule::Trim)].into(),
            ..Terms::default()
        },
    ] {
        let shown = format!("{terms:?}");
        assert!(matches!(refused(terms).await, Refused::Terms { .. }), "{shown}");
    }
    let keyless = Store::new(&[("a", Kind::Int)], &[]);
    let world = World { copy: keyless.clone(), source: keyless, ..World::new(0, 5) };
    let error = world.try_compare(Terms::default(), &Stop::default()).await.unwrap_err();
    let Refused::Store { fault, .. } = error else { panic!("{error:?}") };
    assert_eq!(fault.code, model::Code::TableNoKey);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_does_not_tell_rows_apart_is_no_key() {
    let world = World::new(1, 60);
    let terms = Terms { key: Some(vec!["topic".into()]), ..Terms::default() };
    let verdict = world.compare(terms).await;
    assert_eq!(verdict.outcome(), Outcome::Unverified);
    assert_eq!(verdict.unread[0].why.code, model::Code::KeyFlawed);
}

#[tokio::test(start_paused = true)]
async fn columns_that_are_called_otherwise_are_compared_under_both_names() {
    let source = Store::new(&[("id", Kind::Int), ("name", Kind::Text)], &[0]);
    let copy = Store::new(&[("key", Kind::Int), ("title", Kind::Text), ("x", Kind::Int)], &[0]);
    source.put(row([Value::Int(1), Value::from("a")]));
    copy.put(row([Value::Int(1), Value::from("a"), Value::Int(0)]));
    let end =
        |store: &Store| End { store: Arc::new(store.clone()), table: "t".into(), condition: None };
    let map = BTreeMap::from([("key".into(), "id".into()), ("title".into(), "name".into())]);
    let terms = Terms { map, ..Terms::default() };
    let prepared = prepare(&end(&source), &end(&copy), terms.clone()).await.unwrap();
    assert_eq!(prepared.alone(), [("x".into(), "copy")]);
    let verdict = prepared.run(&Arc::new(Progress::default()), &Stop::default()).await;
    assert_eq!((verdict.outcome(), verdict.agreed.len()), (Outcome::Equal, 2));
    source.put(row([Value::Int(1), Value::from("b")]));
    let prepared = prepare(&end(&source), &end(&copy), terms).await.unwrap();
    let verdict = prepared.run(&Arc::new(Progress::default()), &Stop::default()).await;
    assert_eq!(verdict.differences[0].columns[0].name, "title".into());
}
