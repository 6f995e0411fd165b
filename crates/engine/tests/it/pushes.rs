//! Counts that are kept in a store as rows.

use crate::rig::{Rig, Running, until};
use crate::workload::Workload;
use instep_engine::count::Count;
use instep_engine::push::{CountedShard, Push, lanes_at};
use instep_engine::{Board, Instance, Limits, Stop};
use model::{Cell, Claim, Moment, Op, Row, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use testkit::conformance::rows::{key, row, table};
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
    let pushing = push(&store, vec![shard("a", &running)], Arc::default(), 1);
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
        let shards = vec![shard("a", &a), shard("b", &b)];
        let pushing = push(&store, shards, Arc::default(), run);
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

/// P4: a row names the place at which it was written, which goes on being true of it.
#[tokio::test(start_paused = true)]
async fn a_row_says_where_and_when_its_number_was_true() {
    let store = Store::new(Manners::plain(Claim::Transactional));
    let (mut one, mut two) = (counting(), counting());
    two.lane = "questions/b".into();
    two.database = Database::new("server-2");
    two.database.define(&two.table);
    two.slot = two.database.slot("main");
    let (a, b) = (one.start().await, two.start().await);
    let shards = vec![shard("b", &b), shard("a", &a)];
    let _pushing = push(&store, shards, Arc::default(), 1);
    let place = |rig: &Rig| rig.database.end().to_number().expect("a number");
    let mut told = BTreeMap::new();
    for topic in 0..4 {
        let rig = if topic % 2 == 0 { &one } else { &two };
        rig.change([Op::Insert(row(100 + topic, topic, "body"))]);
        until("it is there", || pushed(&store) == recount(&[&one, &two])).await;
        let at = store.look(|kept| kept.watermarks.values().next().and_then(lanes_at));
        let at = at.expect("a place").into_values().map(|at| at.position.to_number());
        let [at_one, at_two] = at.collect::<Vec<_>>()[..] else { panic!("two lanes") };
        let at = [at_two, at_one].map(|at| at.expect("a number"));
        assert!(at[usize::from(topic % 2 == 0)] >= place(rig), "{at:?}");
        told.insert(Value::Int(topic), format!("b:{},a:{}", at[0], at[1]));
        let rows = places(&store);
        let named = rows.iter().map(|(topic, (position, _))| (topic.clone(), position.clone()));
        assert_eq!(named.collect::<BTreeMap<_, _>>(), told, "the others keep theirs");
        let times: Vec<_> = rows.into_values().map(|(_, as_of)| as_of).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
    let last = places(&store).into_values().map(|(_, as_of)| as_of).next_back();
    assert!(last.is_some_and(|last| last.is_some()), "both sources have told their time");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_lost_its_rows_is_written_anew() {
    let (mut rig, store) = (counting(), Store::new(Manners::plain(Claim::Transactional)));
    rig.insert(0..10);
    let running = rig.start().await;
    let pushing = push(&store, vec![shard("a", &running)], Arc::default(), 1);
    until("it is there", || pushed(&store) == recount(&[&rig])).await;
    pushing.abort();
    store.tamper(|kept| {
        kept.rows.clear();
        kept.passes.clear();
        kept.watermarks.clear();
    });
    let _pushing = push(&store, vec![shard("a", &running)], Arc::default(), 2);
    until("it is there again", || pushed(&store) == recount(&[&rig])).await;
}

#[tokio::test(start_paused = true)]
async fn a_push_whose_answer_is_lost_is_neither_lost_nor_done_twice() {
    let (mut rig, store) = (counting(), Store::new(Manners::plain(Claim::Transactional)));
    rig.insert(0..10);
    let running = rig.start().await;
    let replies: Arc<Queued> = Arc::default();
    let _pushing = push(&store, vec![shard("a", &running)], replies.clone(), 1);
    for id in 0..10 {
        let reply = if id % 2 == 0 { Reply::FailAfterWrite } else { Reply::Refuse };
        replies.push(Call::Apply, reply);
        rig.change([Op::Delete(key(id))]);
        until("it is there", || pushed(&store) == recount(&[&rig])).await;
    }
}

fn shard(service: &str, running: &Running) -> CountedShard {
    CountedShard {
        service: service.into(),
        numbers: running.numbers.clone(),
        board: running.board.clone(),
        write: |position| position.to_number().expect("a number").to_string(),
    }
}

fn push(
    store: &Store,
    shards: Vec<CountedShard>,
    replies: Arc<Queued>,
    run: u64,
) -> JoinHandle<()> {
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
        shards,
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

/// Where each number is true, and as of when.
fn places(store: &Store) -> BTreeMap<Value, (String, Option<i64>)> {
    store.look(|kept| {
        let rows = kept.rows.get(&"counts".into()).into_iter().flatten();
        let place = |row: &Row| match &row.0[3..] {
            [Cell::Value(Value::Text(position)), Cell::Value(Value::Null)] => {
                (position.to_string(), None)
            }
            [
                Cell::Value(Value::Text(position)),
                Cell::Value(Value::TimestampTz(Moment::At(time))),
            ] => (position.to_string(), Some(*time)),
            other => panic!("{other:?} is no place"),
        };
        rows.map(|(key, kept)| (key.values()[1].clone(), place(&kept.row))).collect()
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
