//! Everything of an instance, as it is seen and asked from outside.

use crate::rig::{Rig, name, until};
use instep_engine::count::{Count, Group};
use instep_engine::works::{
    AtLeast, BadPosition, CopyPhase, Followed, KeptCopy, KeptCount, NotDecided, Shard, Tokens,
    Unanswered, Verdict, Works,
};
use instep_engine::{Pipeline, Stop};
use model::{Claim, Op, Position, Row, Value};
use std::sync::Arc;
use std::time::Duration;
use testkit::conformance::rows::{key, row};
use testkit::faulty::{Call, Reply};
use testkit::memory::database::Database;
use testkit::memory::store::Manners;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const TOKENS: Tokens = Tokens {
    write: |position| position.to_number().map_or_else(String::new, |number| number.to_string()),
    read: |text| text.parse().ok().map(Position::from_number),
};

#[tokio::test(start_paused = true)]
async fn a_number_is_told_with_its_place_in_every_shard_and_not_before_what_is_asked_for() {
    let (mut one, mut two) = (counting("a"), counting("b"));
    one.insert(0..3);
    two.insert(10..14);
    let works = works(&mut [&mut one, &mut two]);
    let _running = run(&works);
    let count = "by topic".into();
    let seven = [vec![Value::Int(7), Value::from("7")]];
    let told = works.value(&count, &seven, &AtLeast::default(), soon()).await.expect("told");
    let [a, b] = [&one, &two].map(|rig| rig.database.end().to_number().expect("a number"));
    assert_eq!((told.value, told.position), (7, format!("a:{a},b:{b}")));

    let later = works.at_least(&count, &format!("b:{}", b + 1)).expect("a position");
    let early = works.value(&count, &seven, &later, Instant::now()).await;
    assert_eq!(early, Err(Unanswered::NotReached(format!("a:{a},b:{b}"))));
    let waiting = works.value(&count, &seven, &later, soon());
    let write = async {
        sleep(Duration::from_millis(50)).await;
        two.insert([20]);
    };
    let (told, ()) = tokio::join!(waiting, write);
    assert_eq!(told.expect("told").value, 8);
}

#[tokio::test(start_paused = true)]
async fn positions_are_read_as_they_are_written() {
    let (mut one, mut two) = (counting("a"), counting("b"));
    let both = works(&mut [&mut one, &mut two]);
    let alone = works(&mut [&mut one]);
    let count = "by topic".into();
    assert!(alone.at_least(&count, "12").is_ok() && alone.at_least(&count, "a:12").is_ok());
    assert!(both.at_least(&count, "b:1,a:2").is_ok() && both.at_least(&count, "a:1").is_ok());
    for (works, text, said) in [
        (&alone, "x", "\"x\" is no position of a"),
        (&alone, "b:1", "\"b:1\" is no position of a"),
        (&both, "12", "\"12\" does not say which shard it is of; write a:12, with one of: a, b"),
        (&both, "a:1,a:2", "a is named twice"),
    ] {
        assert_eq!(works.at_least(&count, text), Err(BadPosition(said.to_owned())), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_hold_every_group_once_with_its_sum() {
    let (mut one, mut two) = (counting("a"), counting("b"));
    for (rig, first) in [(&one, 0), (&two, 100)] {
        rig.change((0..10).map(|id| Op::Insert(row(first + id, (first + id) % 7, "body"))));
    }
    let works = works(&mut [&mut one, &mut two]);
    let _running = run(&works);
    let (count, at_least) = ("by topic".into(), AtLeast::default());
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = works.page(&count, &[None], (after.as_ref(), 3), (&at_least, soon())).await;
        let page = page.expect("told").value;
        after = page.groups.last().map(|(group, _)| group.clone());
        seen.extend(page.groups);
        if !page.more {
            break;
        }
    }
    let expected = [3, 3, 4, 3, 3, 2, 2];
    let group = |(topic, number): (i64, i64)| (Group::new([topic]), number);
    assert_eq!(seen, (0..7).zip(expected).map(group).collect::<Vec<_>>());
    let only = [Some(vec![Value::Int(3)])];
    let page = works.page(&count, &only, (None, 3), (&at_least, soon())).await.expect("told");
    assert_eq!(page.value.groups, [(Group::new([3]), 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_is_unknown_or_not_filled_yet_says_so() {
    let mut rig = counting("a");
    let works = works(&mut [&mut rig]);
    let ask = |name: &'static str| {
        let works = works.clone();
        async move { works.value(&name.into(), &[], &AtLeast::default(), Instant::now()).await }
    };
    assert_eq!(ask("nothing").await, Err(Unanswered::Unknown));
    assert!(matches!(ask("by topic").await, Err(Unanswered::NotYet(_))));
}

#[tokio::test(start_paused = true)]
async fn a_position_of_another_server_is_not_waited_for() {
    let mut rig = counting("a");
    rig.insert(0..3);
    let works = works(&mut [&mut rig]);
    let _running = run(&works);
    let (count, seven) = ("by topic".into(), [vec![Value::Int(7)]]);
    works.value(&count, &seven, &AtLeast::default(), soon()).await.expect("told");
    rig.database.become_another("server-9");
    let capture = || works.sources[0].shards[0].pipeline.board.snapshot().capture;
    until("it is noticed", || capture().trouble.is_some()).await;
    let later = works.at_least(&count, "99999").expect("a position");
    let answer = timeout(Duration::from_secs(1), works.value(&count, &seven, &later, soon())).await;
    assert!(matches!(answer, Ok(Err(Unanswered::SourceChanged(_)))), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_copy_says_where_it_stands_and_how_far_behind_it_is() {
    let mut rig = Rig::new(1);
    rig.insert(0..5);
    let works = works(&mut [&mut rig]);
    assert_eq!(works.copy_status()[0].phase, CopyPhase::Filling);
    assert_eq!(works.copy_status()[0].position, None);
    let _running = run(&works);
    rig.in_step(0).await;
    let is_there = || {
        let end = rig.database.end().to_number().map(|number| number.to_string());
        let status = &works.copy_status()[0];
        status.position == end && status.lag_changes == Some(0)
    };
    until("it follows", is_there).await;
    let status = &works.copy_status()[0];
    assert_eq!((status.phase, status.verdict), (CopyPhase::Following, Verdict::Unverified));
    rig.insert(5..9);
    until("it follows again", is_there).await;
    let target = &works.target_status()[0];
    assert!(target.latency.counts.iter().sum::<u64>() >= 1, "{target:?}");
    assert_eq!((target.waits_since, target.failures), (None, 0));
    let source = &works.source_status()[0];
    assert!(source.services[0].connected && source.captured >= 4, "{source:?}");
    let log = works.log_status().await.expect("a log");
    assert_eq!(log.lanes[0].last, source.services[0].position);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_listed_with_its_reason_and_can_be_tried_again() {
    let mut rig = Rig::with([refusing()]);
    let works = works(&mut [&mut rig]);
    let _running = run(&works);
    rig.change([Op::Insert(row(1, 7, "bad")), Op::Insert(row(2, 7, "good"))]);
    until("it is listed", || works.failures().len() == 1).await;
    let failure = works.failures().remove(0);
    assert_eq!((failure.key, failure.reason.as_str()), (key(1), "bad"));
    assert!(failure.since > 0 && failure.next_retry.is_some());
    assert_eq!(works.copy_status()[0].verdict, Verdict::Diverged);
    until("it was tried again", || works.failures().iter().any(|it| it.attempts > 3)).await;
    assert_eq!(works.failures()[0].id, failure.id);
    assert_eq!(works.failures()[0].since, failure.since);

    rig.targets[0].store.set_rule(Arc::new(|_| None));
    let before = Instant::now();
    assert_eq!(works.retry(&failure.id), Ok(()));
    assert_eq!(works.retry("0123456789abcdef"), Err(NotDecided::Unknown));
    until("it has passed", || works.failures().is_empty()).await;
    assert!(before.elapsed() < Duration::from_secs(3), "it did not wait for its turn");
    rig.in_step(0).await;
}

/// What the one that follows says of a copy is what the copy's own store has.
#[tokio::test(start_paused = true)]
async fn of_two_instances_the_one_that_does_not_write_says_so_and_decides_nothing() {
    let mut rig = Rig::with([refusing()]);
    let mut second = rig.second();
    let (leads, follows) = (works(&mut [&mut rig]), works(&mut [&mut second]));
    let _leading = run(&leads);
    rig.change([Op::Insert(row(1, 7, "bad")), Op::Insert(row(2, 7, "good"))]);
    until("it is listed", || leads.failures().len() == 1).await;
    let _following = run(&follows);
    until("the other one lists it, too", || follows.failures().len() == 1).await;
    let (led, followed) = (leads.copy_status().remove(0), follows.copy_status().remove(0));
    assert_eq!((led.elsewhere.len(), followed.elsewhere.len()), (0, 1));
    assert_eq!((followed.phase, followed.verdict), (CopyPhase::Following, Verdict::Diverged));
    assert!(followed.position.is_some() && followed.trouble.is_none());
    let id = follows.failures().remove(0).id;
    assert_eq!(follows.retry(&id), Err(NotDecided::NotNow));
    assert_eq!(follows.discard(&id).await, Err(NotDecided::NotNow));
    assert_eq!(leads.discard(&id).await.map(|failure| failure.key), Ok(key(1)));
    until("the other one hears of it", || follows.failures().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn a_discarded_failure_is_gone_and_its_row_stays_as_it_was() {
    let mut rig = Rig::with([refusing()]);
    rig.change([Op::Insert(row(1, 7, "was good"))]);
    let works = works(&mut [&mut rig]);
    let _running = run(&works);
    rig.in_step(0).await;
    rig.change([Op::Update { before: key(1), row: row(1, 7, "bad") }]);
    until("it is listed", || works.failures().len() == 1).await;
    let id = works.failures().remove(0).id;
    assert_eq!(works.discard("0123456789abcdef").await, Err(NotDecided::Unknown));
    assert_eq!(works.discard(&id).await.map(|failure| failure.key), Ok(key(1)));
    until("it is gone", || works.failures().is_empty()).await;
    assert_eq!(works.copy_status()[0].verdict, Verdict::Unverified);
    assert_eq!(rig.rows(0)[&key(1)], row(1, 7, "was good"));
    // What changes later is applied like any other row.
    rig.change([Op::Update { before: key(1), row: row(1, 8, "good again") }]);
    rig.in_step(0).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_discarded_where_nobody_writes() {
    let mut rig = Rig::with([refusing()]);
    let (works, stop) = (works(&mut [&mut rig]), Stop::new());
    let running = run_until(&works, stop.clone());
    rig.change([Op::Insert(row(1, 7, "bad"))]);
    until("it is listed", || works.failures().len() == 1).await;
    let id = works.failures().remove(0).id;
    stop.ask();
    running.await.expect("it ends");
    assert_eq!(works.discard(&id).await, Err(NotDecided::NotNow));
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn refusing() -> Manners {
    let rule = |row: &Row| {
        let is_bad = row.0[2] == "bad".into();
        is_bad.then(|| "bad".to_owned())
    };
    Manners { rule: Arc::new(rule), ..Manners::plain(Claim::Transactional) }
}

fn counting(service: &str) -> Rig {
    let mut rig = Rig::new(0);
    rig.lane = format!("questions/{service}").as_str().into();
    rig.database = Database::new(&format!("server-{service}"));
    rig.database.define(&rig.table);
    rig.slot = rig.database.slot("main");
    let (name, of) = ("by topic".into(), rig.table.name.clone());
    rig.counts = vec![Count { name, of, by: vec!["topic".into()], condition: None }];
    rig
}

/// The pipelines of these rigs as the shards of one source.
fn works(rigs: &mut [&mut Rig]) -> Arc<Works> {
    let (log, table) = (rigs[0].log.clone(), rigs[0].table.name.clone());
    let counts = rigs[0].counts.clone();
    let mut shards = Vec::new();
    for rig in rigs {
        let (pipeline, _) = rig.pipeline();
        let service = rig.lane.as_str().rsplit('/').next().expect("a part").into();
        let pipeline = Pipeline { log: log.clone(), ..pipeline };
        shards.push(Shard { service, pipeline, tokens: TOKENS });
    }
    let copies = KeptCopy {
        name: "copy".into(),
        source: 0,
        of: table,
        to: "search/questions".into(),
        group: name(0),
    };
    let copies = if counts.is_empty() { vec![copies] } else { Vec::new() };
    let kept = |count| KeptCount { source: 0, count, pushes: Vec::new() };
    let works = Works {
        sources: vec![Followed { name: "questions".into(), shards }],
        copies,
        counts: counts.into_iter().map(kept).collect(),
        log,
    };
    Arc::new(works)
}

fn run(works: &Arc<Works>) -> JoinHandle<()> {
    run_until(works, Stop::new())
}

fn run_until(works: &Arc<Works>, stop: Stop) -> JoinHandle<()> {
    let works = works.clone();
    tokio::spawn(async move { works.run(&stop).await })
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_is_filled_says_how_far_it_has_come() {
    let mut rig = Rig::new(1);
    rig.insert(0..200);
    rig.limits.ask_rows_max = 10;
    rig.limits.stretches_ahead_max = 2;
    for _ in 0..100 {
        let slow = Reply::RespondSlowly(Duration::from_millis(500), Duration::ZERO);
        rig.targets[0].replies.push(Call::Apply, slow);
    }
    let works = works(&mut [&mut rig]);
    assert_eq!(works.copy_status()[0].progress, Some(instep_engine::Progress::default()));
    let _running = run(&works);
    let progress = || works.copy_status()[0].progress;
    until("half of it is there", || {
        progress().and_then(|it| it.rows_done).is_some_and(|done| done >= 100)
    })
    .await;
    let now = progress().expect("it is under way");
    assert_eq!(now.rows_estimated, Some(200));
    let (done, rate) = (now.rows_done.expect("a number"), now.rows_per_second.expect("a speed"));
    // What is said to be there is there.
    assert!(done <= rig.rows(0).len() as u64 && done < 200, "{now:?}");
    assert!((1..=40).contains(&rate), "{now:?}");
    assert_eq!(now.eta_seconds, (200 - done).checked_div(rate));
    rig.in_step(0).await;
    until("it follows", || works.copy_status()[0].phase == CopyPhase::Following).await;
    assert_eq!(progress(), None);
}
