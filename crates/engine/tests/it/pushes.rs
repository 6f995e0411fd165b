//! Counts that are kept in a store as rows.

use crate::rig::{Rig, until};
use crate::workload::Workload;
use instep_engine::count::Count;
use instep_engine::push::{Push, lanes_at};
use instep_engine::{Board, Instance, Limits, Numbers, Stop};
use model::{Cell, Claim, Op, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use testkit::conformance::rows::{key, table};
use testkit::faulty::{Call, Faulty, Queued, Reply};
use testkit::memory::database::Database;
use testkit::memory::store::{Manners, Store};
use tokio::task::JoinHandle;

/// P4: the rows are the count at the place that comes with them.
#[tokio::test(start_paused = true)]
async fn what_is_pushed_is_the_count_at_its_place() {
    let (mut rig, store) = (counting(), Store::new(Manners::plain(Claim::Transactional)));
    rig.insert(0..30);
    let running = rig.start().await;
    let pushing = push(&store, vec![running.numbers.clone()], Arc::default(), 1);
    let mut workload = Workload::new(3);
    let mut truths = BTreeMap::from([(rig.database.end(), recount(&[&rig]))]);
    for _ in 0..200 {
        workload.run(&rig, 1).await;
        truths.insert(rig.database.end(), recount(&[&rig]));
        if let Some(watermark) = store.look(|kept| kept.watermarks.values().next().cloned()) {
            let at = lanes_at(&watermark).expect("a place").into_values().next().expect("a lane");
            let truth = truths.range(..=at.position).next_back().map(|(_, truth)| truth.clone());
            assert_eq!(Some(pushed(&store)), truth);
        }
    }
    until("the rest arrives", || pushed(&store) == recount(&[&rig])).await;
    pushing.abort();
}

#[tokio::test(start_paused = true)]
async fn two_lanes_are_summed_and_a_restart_goes_on() {
    let store = Store::new(Manners::plain(Claim::Transactional));
    let mut one = counting();
    let mut two = counting();
    two.lane = "questions/b".into();
    two.database = Database::new("server-2");
    two.database.define(&two.table);
    two.slot = two.database.slot("main");
    one.insert(0..10);
    two.insert(100..110);
    for run in 1..5 {
        let (a, b) = (one.start().await, two.start().await);
        let numbers = vec![a.numbers.clone(), b.numbers.clone()];
        let pushing = push(&store, numbers, Arc::default(), run);
        Workload::new(run).run(&one, 10).await;
        Workload::new(run + 9).run(&two, 10).await;
        until("the sum is there", || pushed(&store) == recount(&[&one, &two])).await;
        pushing.abort();
        a.crash().await;
        b.crash().await;
        one.change([Op::Delete(one.truth().keys().next().cloned().expect("a row"))]);
    }
    assert_eq!(anew(&store), 1, "only the first push wrote everything");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_lost_its_rows_is_written_anew() {
    let (mut rig, store) = (counting(), Store::new(Manners::plain(Claim::Transactional)));
    rig.insert(0..10);
    let running = rig.start().await;
    let pushing = push(&store, vec![running.numbers.clone()], Arc::default(), 1);
    until("it is there", || pushed(&store) == recount(&[&rig])).await;
    pushing.abort();
    store.tamper(|kept| {
        kept.rows.clear();
        kept.passes.clear();
        kept.watermarks.clear();
    });
    let _pushing = push(&store, vec![running.numbers.clone()], Arc::default(), 2);
    until("it is there again", || pushed(&store) == recount(&[&rig])).await;
}

#[tokio::test(start_paused = true)]
async fn a_push_whose_answer_is_lost_is_neither_lost_nor_done_twice() {
    let (mut rig, store) = (counting(), Store::new(Manners::plain(Claim::Transactional)));
    rig.insert(0..10);
    let running = rig.start().await;
    let replies: Arc<Queued> = Arc::default();
    let _pushing = push(&store, vec![running.numbers.clone()], replies.clone(), 1);
    for id in 0..10 {
        let reply = if id % 2 == 0 { Reply::FailAfterWrite } else { Reply::Refuse };
        replies.push(Call::Apply, reply);
        rig.change([Op::Delete(key(id))]);
        until("it is there", || pushed(&store) == recount(&[&rig])).await;
    }
}

fn push(store: &Store, numbers: Vec<Numbers>, replies: Arc<Queued>, run: u64) -> JoinHandle<()> {
    // Only for what its columns are.
    let source = Database::new("server-1");
    source.define(&table("questions"));
    let push = Push {
        name: "counts".into(),
        service: Faulty::target(Arc::new(store.clone()), replies),
        copy: "counts".into(),
        count: "by topic".into(),
        of: "questions".into(),
        by: vec!["topic".into()],
        source: Arc::new(source),
        numbers,
        limits: Limits {
            push_pause: Duration::from_millis(10),
            retry_pause_max: Duration::from_secs(1),
            ..Limits::default()
        },
        instance: Instance { name: "one".into(), run },
        board: Board::new(),
    };
    tokio::spawn(push.run(Stop::new()))
}

fn counting() -> Rig {
    let mut rig = Rig::new(0);
    let (name, of) = ("by topic".into(), rig.table.name.clone());
    rig.counts = vec![Count { name, of, by: vec!["topic".into()], condition: None }];
    rig
}

/// How often everything was written anew.
fn anew(store: &Store) -> u32 {
    store.look(|kept| {
        let emptied = kept.ledger.iter().filter(|((_, _, key, _), _)| key.is_none());
        emptied.map(|(_, times)| *times).sum()
    })
}

fn pushed(store: &Store) -> BTreeMap<Value, i64> {
    store.look(|kept| {
        let rows = kept.rows.get(&"counts".into()).into_iter().flatten();
        rows.map(|(key, kept)| {
            let Cell::Value(Value::Int(number)) = &kept.row.0[2] else { panic!("a number") };
            (key.values()[1].clone(), *number)
        })
        .collect()
    })
}

fn recount(rigs: &[&Rig]) -> BTreeMap<Value, i64> {
    let mut groups = BTreeMap::new();
    for row in rigs.iter().flat_map(|rig| rig.truth().into_values()) {
        let Cell::Value(topic) = &row.0[1] else { panic!("complete") };
        *groups.entry(topic.clone()).or_default() += 1;
    }
    groups
}
