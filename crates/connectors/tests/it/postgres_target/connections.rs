//! Connections that end at any moment: given up by us, ended by the server, held up by others.

use super::rig::{Led, PATIENCE, Rig, TABLE, at, tenure};
use instep_connectors::postgres::PostgresTarget;
use model::{Batch, Code, Effect, Fate, Mode, Outcome, Tenure, Write};
use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;
use testkit::conformance::rows::{key, row};
use tokio::time::{Instant, sleep, timeout};

/// A batch of each kind: in bulk, as updates, in parts, with a row in the way of another, as deletes.
fn writes(rig: &Rig, number: i64) -> Vec<Write> {
    let first = number * 10;
    let mut writes: Vec<_> =
        (first..first + 10).map(|id| rig.insert(row(id, number, "a"))).collect();
    let earlier = (first - 10).max(10)..first;
    writes.extend(earlier.clone().map(|id| rig.put(row(id, number, "b"))));
    writes.extend(earlier.take(3).map(|id| rig.write(Effect::Delete(key(id)))));
    writes.push(rig.put(row(first, number, "c")));
    writes
}

/// What the table holds after so many batches.
fn expected(count: i64) -> String {
    let mut lines = Vec::new();
    for number in 1..=count {
        let first = number * 10;
        for id in first..first + 10 {
            let is_gone = number < count && id < first + 3;
            let is_last = number == count;
            let body = if is_last { if id == first { "c" } else { "a" } } else { "b" };
            let topic = if is_last { number } else { number + 1 };
            if !is_gone {
                lines.push(format!("{id}|{topic}|{body}"));
            }
        }
    }
    lines.join("\n")
}

fn dump(rig: &Rig) -> String {
    rig.sql("select id, topic, body from questions_copy order by id")
}

/// The next connection of the instance; what an earlier one has under way is fenced off.
async fn next(rig: &Rig, connection: &mut u64) -> Led {
    *connection += 1;
    timeout(PATIENCE, Led::by(rig, "lane", &tenure(*connection)))
        .await
        .expect("nobody is waited for")
}

async fn reached(led: &mut Led) -> i64 {
    let standing = led.target.standing(&led.lane).await.expect("a standing");
    let Some(watermark) = standing.watermark else { return 0 };
    (1..).find(|number: &i64| at(number.cast_unsigned()) == watermark).expect("one of ours")
}

/// A batch in two parts.
fn parts(led: &Led, number: i64, mut writes: Vec<Write>) -> [Batch; 2] {
    let rest = writes.split_off(writes.len() / 2);
    let mut first = led.batch(number.cast_unsigned(), writes);
    first.last = false;
    [first, led.batch(number.cast_unsigned(), rest)]
}

/// AP2, AP7.
#[tokio::test(flavor = "multi_thread")]
async fn work_that_is_given_up_at_any_moment_is_done_whole_or_not_at_all() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let (mut connection, mut done, mut polls) = (0, 0, 0);
    let mut led = next(&rig, &mut connection).await;
    while done < 8 {
        // Each time it comes a little further.
        polls += 1;
        let mode = if polls % 3 == 0 { Mode::RowByRow } else { Mode::Together };
        let [first, second] = parts(&led, done + 1, writes(&rig, done + 1));
        let work = async {
            led.target.apply(&first, mode).await.expect("taken");
            led.target.apply(&second, mode).await.expect("written");
        };
        let is_done = polled(work, polls % 23).await;
        if is_done && polls % 2 == 0 {
            done += 1;
            continue;
        }
        drop(led);
        led = next(&rig, &mut connection).await;
        let there = reached(&mut led).await;
        assert!(there == done || there == done + 1, "{there} after {done}");
        assert!(!is_done || there == done + 1);
        done = there;
        assert_eq!(dump(&rig), expected(done), "after {polls} polls");
    }
    drop(led);
    let open = "select count(*) from pg_stat_activity where datname = current_database()
        and pid <> pg_backend_pid() and xact_start is not null";
    let deadline = Instant::now() + PATIENCE;
    while rig.sql(open) != "0" {
        assert!(Instant::now() < deadline, "a transaction is left open");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Polls so often that there is something to do, then gives up; whether it was done.
async fn polled(work: impl Future<Output = ()>, polls_max: u32) -> bool {
    let mut work = std::pin::pin!(work);
    let mut polls = 0;
    poll_fn(|context| {
        polls += 1;
        match work.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if polls > polls_max => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// AP2: what the server has done when it ends a connection is read back, and nothing is done twice.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_server_ends_at_any_moment_leave_every_batch_in_effect_once() {
    let Some(rig) = Rig::new(&format!(
        "{TABLE}; create table ledger (id bigint, what text);
         create function noted() returns trigger language plpgsql as $$ begin
            insert into public.ledger values (coalesce(new.id, old.id), tg_op); return null; end $$;
         create trigger noted after insert or delete on questions_copy
            for each row execute function noted()"
    )) else {
        return;
    };
    let hand = rig.session().await;
    let over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let ends = tokio::spawn({
        let over = over.clone();
        async move {
            let end = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()";
            let (mut pause, mut ended) = (7, 0_u64);
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                pause = pause * 31 % 97;
                sleep(Duration::from_millis(10 + pause)).await;
                let rows = hand.query(end).await.expect("it works");
                ended += rows[0][0].as_deref().expect("a number").parse::<u64>().expect("a number");
            }
            ended
        }
    });
    let (mut connection, mut done, mut failed) = (0, 0, 0);
    let deadline = Instant::now() + 2 * PATIENCE;
    while done < 40 {
        assert!(Instant::now() < deadline, "{done} after {connection} connections");
        connection += 1;
        let Some(mut led) = tried(&rig, connection).await else { continue };
        let Ok(standing) = led.target.standing(&led.lane).await else { continue };
        let there = standing.watermark.map_or(0, |watermark| {
            (1..).find(|number: &i64| at(number.cast_unsigned()) == watermark).expect("one of ours")
        });
        assert!(there == done || there == done + 1, "{there} after {done}");
        done = there;
        while done < 40 {
            let mode = if done % 2 == 0 { Mode::Together } else { Mode::RowByRow };
            let [first, second] = parts(&led, done + 1, writes(&rig, done + 1));
            let outcome = match led.target.apply(&first, mode).await {
                Ok(_) => led.target.apply(&second, mode).await,
                Err(fault) => Err(fault),
            };
            match outcome {
                Ok(outcome) => {
                    assert!(
                        matches!(outcome, Outcome::Written { refused, .. } if refused.is_empty())
                    );
                    done += 1;
                }
                Err(fault) => {
                    assert_eq!(fault.fate, Fate::Retry, "{fault}");
                    failed += 1;
                    break;
                }
            }
        }
    }
    over.store(true, std::sync::atomic::Ordering::Relaxed);
    let ended = ends.await.expect("it ends");
    assert!(failed > 0 && ended > 0, "{failed} of {ended}");
    assert_eq!(dump(&rig), expected(40));
    let twice = "select id, what from ledger group by id, what having count(*) > 1";
    assert_eq!(rig.sql(twice), "");
}

async fn tried(rig: &Rig, connection: u64) -> Option<Led> {
    let mut target =
        rig.connect().await.map_err(|fault| assert_eq!(fault.fate, Fate::Retry, "{fault}")).ok()?;
    let lane = model::Lane::from("lane");
    let led = target.lead(&lane, &tenure(connection)).await;
    let led = led.map_err(|fault| assert_eq!(fault.fate, Fate::Retry, "{fault}")).ok()?;
    let model::Leadership::Held(epoch) = led else { panic!("{led:?}") };
    Some(Led { target, lane, epoch })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_with_somebody_elses_transaction_is_a_fault_to_try_again() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    let both = [1, 2].map(|id| rig.insert(row(id, 1, "a")));
    assert_eq!(led.together(1, both.into()).await, None);
    let other = rig.session().await;
    // The other is patient, so that it is we who notice.
    let theirs = "set deadlock_timeout = '60s'; begin;
        update public.questions_copy set body = 'theirs' where id = 2";
    other.query(theirs).await.expect("it works");
    let mut first = led.batch(2, vec![rig.put(row(1, 2, "ours"))]);
    first.last = false;
    led.target.apply(&first, Mode::Together).await.expect("taken");
    let ours = led.batch(2, vec![rig.put(row(2, 2, "ours"))]);
    let waits =
        other.query("update public.questions_copy set body = 'theirs' where id = 1; commit");
    let (answer, theirs) =
        tokio::join!(timeout(PATIENCE, led.target.apply(&ours, Mode::Together)), waits);
    let fault = answer.expect("it ends").expect_err("a deadlock");
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::TargetUnavailable), "{fault}");
    theirs.expect("they go on");
    assert_eq!(rig.sql("select id, body from questions_copy order by id"), "1|theirs\n2|theirs");
    // Nothing is left open, and the same connection goes on.
    let both = [1, 2].map(|id| rig.put(row(id, 2, "ours")));
    assert_eq!(led.together(2, both.into()).await, None);
    assert_eq!(rig.sql("select id, body from questions_copy order by id"), "1|ours\n2|ours");
}

/// What a role or a database sets for everybody is none of ours.
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_role_change_nothing() {
    let settings = [
        "default_transaction_isolation = 'serializable'",
        "default_transaction_read_only = on",
        "default_transaction_deferrable = on",
        "synchronous_commit = off",
        "statement_timeout = '400ms'",
        "lock_timeout = '300ms'",
        "idle_in_transaction_session_timeout = '300ms'",
        "search_path = 'nowhere'",
        "standard_conforming_strings = off",
        "array_nulls = off",
        "datestyle = 'German'",
        "bytea_output = 'escape'",
        "session_replication_role = 'origin'",
        "row_security = off",
    ];
    let Some(mut rig) = Rig::new(TABLE) else { return };
    let role = format!("odd_{}", rig.database);
    rig.sql(&format!("create role {role} login superuser"));
    rig.target = PostgresTarget::new(rig.access_as(&role), vec![rig.copy.clone()]);
    let settings = settings.map(|setting| format!("alter role {role} set {setting};"));
    rig.sql(&settings.concat());
    let mut led = Led::by(&rig, "la'n\\e", &tenure(1)).await;
    let null = model::Row::new([model::Value::Int(2), model::Value::Null, model::Value::Null]);
    let mut first = led.batch(1, vec![rig.insert(row(1, 1, "a\\'b"))]);
    first.last = false;
    led.target.apply(&first, Mode::Together).await.expect("taken");
    // Longer than what the role allows for a pause, and for a lock.
    let hand = rig.session().await;
    let holds = "begin read write; set local idle_in_transaction_session_timeout = 0;
        set local statement_timeout = 0; insert into public.questions_copy values (2, 0, 'x')";
    hand.query(holds).await.expect("it works");
    let second = led.batch(1, vec![rig.put(null)]);
    let work = led.target.apply(&second, Mode::Together);
    let lets_go = async {
        sleep(Duration::from_millis(700)).await;
        hand.query("rollback").await.expect("it works");
    };
    let (outcome, ()) = tokio::join!(work, lets_go);
    let outcome = outcome.expect("written");
    assert!(matches!(outcome, Outcome::Written { .. }), "{outcome:?}");
    let table = "public.questions_copy";
    let all = format!("select id, topic is null, coalesce(body, 'none') from {table} order by id");
    assert_eq!(rig.sql(&all), "1|f|a\\'b\n2|t|none");
    led.flush(2).await;
    let again = led.target.lead(&led.lane, &tenure(1)).await.expect("an answer");
    assert_eq!(again, model::Leadership::Held(led.epoch));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_silent_for_longer_than_the_lease_finds_the_transaction_ended_and_tries_again() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let short = Tenure { lasting: Duration::from_secs(2), ..tenure(1) };
    let mut led = Led::by(&rig, "lane", &short).await;
    let mut first = led.batch(1, vec![rig.insert(row(1, 1, "a"))]);
    first.last = false;
    led.target.apply(&first, Mode::Together).await.expect("taken");
    let open = "select count(*) from pg_stat_activity where datname = current_database()
        and pid <> pg_backend_pid() and state = 'idle in transaction'";
    let deadline = Instant::now() + PATIENCE;
    while rig.sql(open) != "0" {
        assert!(Instant::now() < deadline, "it is left open");
        sleep(Duration::from_millis(50)).await;
    }
    let second = led.batch(1, vec![rig.insert(row(2, 1, "a"))]);
    let fault = led.target.apply(&second, Mode::Together).await.expect_err("it was ended");
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::TargetUnavailable), "{fault}");
    assert_eq!(dump(&rig), "");
}
