//! Counts behind capture: filled, kept in step, rebuilt, and told only where they are true.

use crate::rig::{Rig, Running, until};
use crate::workload::Workload;
use bytes::Bytes;
use instep_engine::Untold;
use instep_engine::count::{Count, Group};
use model::{Cell, CountName, Op, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::conformance::rows::{key, row, row_with_same_body};
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn a_count_is_filled_and_follows_what_changes() {
    let mut rig = counting();
    rig.insert(0..50);
    let running = rig.start().await;
    assert!(running.numbers.all(&count()).is_err(), "nothing is told before it is filled");
    in_step(&rig, &running).await;
    rig.change([Op::Delete(key(1)), Op::Update { before: key(2), row: row(2, 9, "moved") }]);
    in_step(&rig, &running).await;
    rig.change([Op::Truncate]);
    in_step(&rig, &running).await;
}

/// P4: what is told is a recount at the place that comes with it.
#[tokio::test(start_paused = true)]
async fn what_is_told_is_exact_at_its_place() {
    for seed in 0..6 {
        let mut rig = counting();
        rig.insert(0..40);
        let running = rig.start().await;
        let mut workload = Workload::new(seed);
        let mut truths = BTreeMap::from([(rig.database.end(), recount(&rig))]);
        let mut told = 0;
        for _ in 0..150 {
            workload.run(&rig, 1).await;
            truths.insert(rig.database.end(), recount(&rig));
            if let Ok(numbers) = running.numbers.all(&count()) {
                let truth = truths.range(..=numbers.position.position.clone()).next_back();
                assert_eq!(Some(&numbers.value), truth.map(|(_, truth)| truth), "seed {seed}");
                told += 1;
            }
        }
        assert!(told > 50, "it was told {told} times");
        in_step(&rig, &running).await;
    }
}

#[tokio::test(start_paused = true)]
async fn counts_survive_crashes_of_everything() {
    for seed in 0..60 {
        let mut rig = counting();
        rig.insert(0..60);
        let mut workload = Workload::new(seed);
        workload.truncates = seed % 2 == 1;
        for _ in 0..6 {
            let running = rig.start().await;
            let transactions = usize::try_from(workload.draw(15)).expect("small");
            workload.run(&rig, transactions).await;
            if workload.draw(2) == 0 {
                rig.database.crash();
            }
            sleep(Duration::from_millis(workload.draw(20))).await;
            running.crash().await;
            workload.run(&rig, 2).await;
            match workload.draw(3) {
                0 => rig.state.crash(),
                1 => rig.state.lose(),
                _ => {}
            }
        }
        let running = rig.start().await;
        in_step(&rig, &running).await;
    }
}

/// What state had not taken yet is still in the log; what is read once more ends at other keys.
#[tokio::test(start_paused = true)]
async fn a_fill_of_state_goes_on_whatever_is_placed_twice() {
    for time in (5..120).step_by(5) {
        let mut rig = counting();
        rig.insert(0..400);
        rig.limits.read_bytes_max = 500;
        rig.state.slow_down(5);
        let running = rig.launch();
        sleep(Duration::from_millis(time)).await;
        running.crash().await;
        rig.change((0..400).filter(|id| id % 7 == 3).map(|id| Op::Delete(key(id))));
        let running = rig.start().await;
        in_step(&rig, &running).await;
    }
}

#[tokio::test(start_paused = true)]
async fn counts_of_another_definition_are_begun_anew() {
    let mut rig = counting();
    rig.insert(0..20);
    let running = rig.start().await;
    in_step(&rig, &running).await;
    running.crash().await;
    rig.counts[0].by = vec!["body".into()];
    let running = rig.start().await;
    let all = || running.numbers.all(&count()).map(|told| told.value);
    let expected = BTreeMap::from([(Group::new([Value::from("body")]), 20)]);
    until("it is counted anew", || all().as_ref() == Ok(&expected)).await;
}

/// State of another version, or damaged: none of it may count.
#[tokio::test(start_paused = true)]
async fn a_head_that_can_not_be_read_is_begun_anew() {
    let mut rig = counting();
    rig.insert(0..20);
    let running = rig.start().await;
    in_step(&rig, &running).await;
    running.crash().await;
    rig.change((0..10).map(|id| Op::Delete(key(id))));
    rig.state.tamper(|kept| _ = kept.insert(Bytes::from_static(&[0]), Bytes::from_static(&[99])));
    let running = rig.start().await;
    in_step(&rig, &running).await;
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_not_remembered_is_read_again() {
    let mut rig = counting();
    // The topic is what is counted by; it is the body that counts here.
    rig.counts[0].by = vec!["body".into()];
    rig.insert([1, 2]);
    let running = rig.start().await;
    let all = || running.numbers.all(&count()).map(|told| told.value);
    let two = BTreeMap::from([(Group::new([Value::from("body")]), 2)]);
    until("it is counted", || all().as_ref() == Ok(&two)).await;
    running.crash().await;
    let row_1 = |kept: &mut BTreeMap<Bytes, Bytes>| {
        let first = kept.keys().find(|key| key[0] == 1).cloned().expect("a memo");
        kept.remove(&first);
        // Nor is it counted.
        for (_, value) in kept.iter_mut().filter(|(key, _)| key[0] == 2) {
            let mut bytes = value.to_vec();
            bytes[0] = 1;
            *value = bytes.into();
        }
    };
    rig.state.tamper(row_1);
    let running = rig.start().await;
    rig.change([Op::Update { before: key(1), row: row_with_same_body(1, 9) }]);
    let all = || running.numbers.all(&count()).map(|told| told.value);
    until("it is counted", || all().as_ref() == Ok(&two)).await;
}

#[tokio::test(start_paused = true)]
async fn a_count_that_does_not_fit_its_table_stops_before_the_first_row_and_no_other_does() {
    let mut rig = counting();
    let other = Count { name: "other".into(), by: vec!["nowhere".into()], ..rig.counts[0].clone() };
    rig.counts.push(other);
    let running = rig.start().await;
    let why = || running.numbers.stopped().get(&"other".into()).cloned();
    until("it stops", || why().is_some()).await;
    let why = why().expect("it has stopped");
    assert!(why.what.contains("column nowhere: "), "{why}");
    in_step(&rig, &running).await;
    rig.change([Op::Insert(row(1, 1, "body"))]);
    in_step(&rig, &running).await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_number_stops_its_count_and_no_other() {
    let mut rig = counting();
    rig.counts.push(Count { name: "all".into(), by: vec![], ..rig.counts[0].clone() });
    rig.limits.groups_max = 3;
    rig.change((0..3).map(|id| Op::Insert(row(id, id, "body"))));
    let running = rig.start().await;
    in_step(&rig, &running).await;
    rig.change([Op::Insert(row(3, 3, "body"))]);
    let stopped = || matches!(running.numbers.all(&count()), Err(Untold::Stopped(_)));
    until("it stops", stopped).await;
    let all = || running.numbers.of(&"all".into(), &Group::new(Vec::<Value>::new()));
    assert_eq!(all().expect("told").value, 4);
    // After a restart it is right, or not told; what it was when it stopped is no number.
    rig.change([Op::Delete(key(0)), Op::Delete(key(1))]);
    until("the other goes on", || all().expect("told").value == 2).await;
    running.crash().await;
    let running = rig.start().await;
    in_step(&rig, &running).await;
}

/// A column that a count reads is gone: the other counts of the table go on.
#[tokio::test(start_paused = true)]
async fn a_count_that_no_longer_fits_its_table_stops_and_no_other() {
    let mut rig = counting();
    rig.counts.push(Count {
        name: "bodies".into(),
        by: vec!["body".into()],
        ..rig.counts[0].clone()
    });
    rig.insert(0..4);
    let running = rig.start().await;
    in_step(&rig, &running).await;
    let mut narrow = model::Table::clone(&rig.table);
    narrow.columns.pop();
    narrow.version = 2;
    rig.table = std::sync::Arc::new(narrow);
    let row = |id, topic| model::Row(vec![Cell::from(id), Cell::from(topic)]);
    rig.change([Op::Update { before: key(1), row: row(1, 9) }, Op::Insert(row(9, 9))]);
    in_step(&rig, &running).await;
    assert!(running.numbers.stopped().contains_key(&"bodies".into()));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_slow_to_read_does_not_keep_counts_from_moving() {
    let mut rig = counting();
    rig.log = crate::slow_log::slow_log();
    rig.insert(0..4);
    let running = rig.start().await;
    in_step(&rig, &running).await;
}

fn counting() -> Rig {
    let mut rig = Rig::new(0);
    rig.limits.ask_rows_max = 5;
    rig.limits.reread_pause = Duration::from_millis(5);
    let (name, of) = (count(), rig.table.name.clone());
    rig.counts = vec![Count { name, of, by: vec!["topic".into()], condition: None }];
    rig
}

fn count() -> CountName {
    "by topic".into()
}

async fn in_step(rig: &Rig, running: &Running) {
    let told = || running.numbers.all(&count()).map(|told| told.value);
    until("the count equals a recount", || told().as_ref() == Ok(&recount(rig))).await;
}

fn recount(rig: &Rig) -> BTreeMap<Group, i64> {
    let mut groups = BTreeMap::new();
    for row in rig.truth().into_values() {
        let Cell::Value(topic) = &row.0[1] else { panic!("complete") };
        *groups.entry(Group::new([topic.clone()])).or_default() += 1;
    }
    groups
}
