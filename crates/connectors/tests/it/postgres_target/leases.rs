//! Who leads, while instances come, pause and go (HA1, HA3).

use super::rig::{Led, PATIENCE, Rig, TABLE, at, tenure};
use model::{Code, Epoch, Fate, Leadership, Mode, Outcome, Tenure};
use std::time::Duration;
use testkit::conformance::rows::row;
use tokio::time::{Instant, sleep, timeout};

fn of(instance: &str, connection: u64, lasting: Duration) -> Tenure {
    Tenure { instance: instance.into(), run: 1, connection, lasting }
}

/// Leads as soon as nobody else does.
async fn waits_to_lead(rig: &Rig, tenure: &Tenure) -> Led {
    let mut target = rig.connect().await.expect("a connection");
    let lane = model::Lane::from("lane");
    let deadline = Instant::now() + PATIENCE;
    loop {
        match target.lead(&lane, tenure).await.expect("an answer") {
            Leadership::Held(epoch) => return Led { target, lane, epoch },
            Leadership::Elsewhere { remaining, .. } => {
                assert!(Instant::now() < deadline, "nobody lets go");
                sleep(remaining.min(Duration::from_millis(50))).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_that_is_over_never_writes_however_the_instances_take_turns() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let lasting = Duration::from_millis(200);
    let mut number = 0;
    let mut last: Option<(Led, Option<u64>)> = None;
    for turn in 0_u64..16 {
        let name = if turn % 2 == 0 { "one" } else { "two" };
        let mut led = waits_to_lead(&rig, &of(name, turn, lasting)).await;
        let standing = led.target.standing(&led.lane).await.expect("a standing");
        // A commit may have been made of which the answer was lost.
        let mut ends = [number, number + 1].into_iter();
        let end = ends.find(|&end| standing.watermark == (end > 0).then(|| at(end)));
        number = end.expect("nothing is lost, and nothing comes late");
        // What the one before had begun, or wants to begin, comes to nothing.
        if let Some((mut before, open)) = last.take() {
            assert!(before.epoch < led.epoch);
            let id = i64::try_from(1_000 + turn).expect("small");
            let late = before.batch(open.unwrap_or(number + 50), vec![rig.put(row(id, 0, "late"))]);
            let late = timeout(PATIENCE, before.target.apply(&late, Mode::Together)).await;
            let fault = late.expect("nobody is waited for").expect_err("its epoch is over");
            let codes = [Code::Superseded, Code::TargetUnavailable];
            assert!(fault.fate == Fate::Retry && codes.contains(&fault.code), "{fault}");
        }
        let writes = |count: u64| -> Vec<_> {
            let id = i64::try_from(turn % 3).expect("small");
            let topic = i64::try_from(count).expect("small");
            vec![rig.put(row(id, topic, name)), rig.put(row(99, topic, name))]
        };
        let mut goes_on = true;
        for _ in 0..turn % 4 {
            let batch = led.batch(number + 1, writes(number + 1));
            let answer = timeout(PATIENCE, led.target.apply(&batch, Mode::Together)).await;
            match answer.expect("nobody is waited for") {
                Ok(outcome) => assert!(matches!(outcome, Outcome::Written { .. }), "{outcome:?}"),
                // On a slow machine it may have been silent for longer than its lease.
                Err(fault) => {
                    assert_eq!(fault.fate, Fate::Retry, "{fault}");
                    goes_on = false;
                    break;
                }
            }
            number += 1;
        }
        // Every other one pauses in the middle of a transaction, its connection alive.
        let open = (goes_on && turn % 3 != 0).then_some(number + 1);
        if let Some(open) = open {
            let mut batch = led.batch(open, writes(0));
            batch.last = false;
            if let Err(fault) = led.target.apply(&batch, Mode::Together).await {
                assert_eq!(fault.fate, Fate::Retry, "{fault}");
            }
        }
        last = Some((led, open));
    }
    assert!(number > 0, "somebody has written");
    let topics = rig.sql("select max(topic), min(topic) from questions_copy where id = 99");
    let ends = [number, number + 1].map(|end| format!("{end}|{end}"));
    assert!(ends.contains(&topics), "{topics} after {number}");
    assert_eq!(rig.sql("select count(*) from questions_copy where id >= 1000"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_beside_a_large_transaction_and_its_epoch_stays() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    for part in 0_i64..5 {
        let rows = (part * 500..part * 500 + 500).map(|id| rig.insert(row(id, part, "a")));
        let mut batch = led.batch(1, rows.collect());
        batch.last = part == 4;
        let before = rig.sql("select until from instep.leases");
        let again = led.target.lead(&led.lane, &tenure(1)).await.expect("an answer");
        assert_eq!(again, Leadership::Held(led.epoch));
        assert!(rig.sql("select until from instep.leases") > before);
        led.target.apply(&batch, Mode::Together).await.expect("taken");
    }
    assert_eq!(rig.sql("select count(*), max(topic) from questions_copy"), "2500|4");
    assert_eq!(rig.sql("select epoch, connection from instep.leases"), "1|1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_term_on_the_same_connection_ends_what_the_earlier_one_has_open() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    let mut first = led.batch(1, vec![rig.insert(row(1, 1, "a"))]);
    first.last = false;
    led.target.apply(&first, Mode::Together).await.expect("taken");
    let later = led.target.lead(&led.lane, &tenure(2)).await.expect("an answer");
    assert_eq!(later, Leadership::Held(Epoch(2)));
    let last = led.batch(1, vec![rig.insert(row(2, 1, "a"))]);
    let fault = led.target.apply(&last, Mode::Together).await.expect_err("its epoch is over");
    assert!([Code::Superseded, Code::TargetUnavailable].contains(&fault.code), "{fault}");
    assert_eq!(rig.sql("select count(*) from questions_copy"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_run_or_connection_of_an_instance_never_takes_the_lease_back() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let _later = Led::by(&rig, "lane", &Tenure { run: 2, ..tenure(5) }).await;
    let mut target = rig.connect().await.expect("a connection");
    for earlier in [tenure(9), Tenure { run: 2, ..tenure(4) }] {
        let answer = target.lead(&"lane".into(), &earlier).await.expect("an answer");
        assert!(matches!(answer, Leadership::Elsewhere { .. }), "{answer:?}");
    }
    assert_eq!(rig.sql("select run, connection, epoch from instep.leases"), "2|5|1");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_where_a_lane_stands_gives_up_what_is_open() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    let mut first = led.batch(1, vec![rig.insert(row(1, 1, "a"))]);
    first.last = false;
    led.target.apply(&first, Mode::Together).await.expect("taken");
    assert_eq!(led.target.standing(&led.lane).await.expect("a standing").watermark, None);
    assert_eq!(led.together(1, vec![rig.insert(row(2, 2, "b"))]).await, None);
    assert_eq!(rig.sql("select id from questions_copy"), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_of_one_database_stand_each_for_itself_whatever_they_are_called() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let names = ["one", "a'b", "a\\b", "a\"b", "$1", "lane; drop table x", "ü", ""];
    for (number, name) in (1_u64..).zip(names) {
        let id = i64::try_from(number).expect("small");
        let mut led = Led::new(&rig, name).await;
        assert_eq!(led.together(number, vec![rig.insert(row(id, 1, name))]).await, None);
        assert_eq!(led.each(number, vec![rig.put(row(id, 1, "refused"))]).await, [0], "{name}");
    }
    for (number, name) in (1_u64..).zip(names) {
        let mut led = Led::by(&rig, name, &tenure(2)).await;
        let standing = led.target.standing(&led.lane).await.expect("a standing");
        assert_eq!(standing.watermark, Some(at(number)), "{name}");
        assert_eq!(standing.holds.len(), 1, "{name}");
    }
    let lanes = rig.sql("select count(distinct lane) from instep.watermarks");
    assert_eq!(lanes, names.len().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_kept_while_the_server_takes_longer_than_it_lasts_for_one_statement() {
    let slow = format!(
        "{TABLE}; create function public.wait() returns trigger language plpgsql as
             $$ begin perform pg_sleep(3); return new; end $$;
         create trigger wait before insert on public.questions_copy
             for each row execute function public.wait()"
    );
    let Some(rig) = Rig::new(&slow) else { return };
    let lasting = Duration::from_millis(1_500);
    let mut one = waits_to_lead(&rig, &of("one", 1, lasting)).await;
    let batch = one.batch(1, vec![rig.insert(row(1, 7, "slow"))]);
    let work = one.target.apply(&batch, Mode::Together);
    let two = of("two", 1, lasting);
    let other = waits_to_lead(&rig, &two);
    // Whoever else wants to lead waits until the work is done, and the lease then runs out.
    let (outcome, other) = tokio::join!(work, other);
    assert!(matches!(outcome, Ok(Outcome::Written { .. })), "{outcome:?}");
    assert_eq!(rig.sql("select body from questions_copy"), "slow");
    assert!(other.epoch > one.epoch);
}
