//! Rows that a table refuses, and rows that are there although nobody expected them.

use super::rig::{Led, Rig, TABLE, tenure};
use model::{Code, Effect, Mode};
use testkit::conformance::rows::{key, row};

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_there_already_is_written_over() {
    let Some(rig) = Rig::new(TABLE) else { return };
    rig.sql("insert into questions_copy values (1, 1, 'old'), (2, 2, 'old')");
    let mut led = rig.lead().await;
    let rows = (2..=4).map(|id| rig.insert(row(id, 7, "new"))).collect();
    assert_eq!(led.together(1, rows).await, None);
    let all = rig.sql("select id, topic, body from questions_copy order by id");
    assert_eq!(all, "1|1|old\n2|7|new\n3|7|new\n4|7|new");
}

#[tokio::test(flavor = "multi_thread")]
async fn among_many_rows_just_those_are_held_that_are_refused() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    let body = |id| if [13, 700, 999].contains(&id) { "refused" } else { "a" };
    let rows: Vec<_> = (1..=1_000).map(|id| rig.insert(row(id, 7, body(id)))).collect();
    let reason = led.together(1, rows.clone()).await.expect("three are refused");
    assert!(reason.contains("questions_copy_body_check"), "{reason}");
    assert_eq!(rig.sql("select count(*) from questions_copy"), "0");
    assert_eq!(led.each(1, rows).await, [12, 699, 998]);
    assert_eq!(rig.sql("select count(*) from questions_copy"), "997");
    assert_eq!(led.held().await, [key(13), key(700), key(999)]);
    assert!(led.holds().await.iter().all(|hold| hold.since > 0));
    assert_eq!(led.together(2, vec![rig.put(row(700, 7, "a"))]).await, None);
    assert_eq!(led.held().await, [key(13), key(999)]);
    assert_eq!(led.together(3, vec![rig.write(Effect::Truncate)]).await, None);
    assert_eq!(led.held().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leads_anew_ends_what_an_earlier_leader_has_left_open() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut earlier = rig.lead().await;
    let mut first = earlier.batch(1, vec![rig.insert(row(1, 7, "early"))]);
    first.last = false;
    earlier.target.apply(&first, Mode::Together).await.expect("taken");
    let mut later = Led::by(&rig, "lane", &tenure(2)).await;
    // The row of the open transaction would keep this one waiting.
    assert_eq!(later.together(1, vec![rig.insert(row(1, 7, "late"))]).await, None);
    let last = earlier.batch(1, vec![rig.insert(row(2, 7, "early"))]);
    let fault = earlier.target.apply(&last, Mode::Together).await.expect_err("it was ended");
    assert!([Code::TargetUnavailable, Code::Superseded].contains(&fault.code), "{fault}");
    assert_eq!(rig.sql("select id, body from questions_copy"), "1|late");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_batch_is_on_the_disk_is_told_by_a_later_answer() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.insert(row(1, 7, "a"))]).await, None);
    led.flush(1).await;
    assert_eq!(rig.sql("select lane from instep.flushes"), "lane");
}
