//! The suite of the target port.

mod owned;
mod subject;

use super::rows::{key, row, row_with_same_body, rows};
use model::{
    Batch, Claim, Code, Effect, Leadership, Mode, Outcome, Pass, Purpose, Standing, Tenure,
};
use std::time::Duration;
use subject::{LEASE, Led, at, put, tenure};

pub use subject::Subject;

/// Runs everything that the subject's claim implies, each on a fresh subject.
pub async fn suite(make: impl AsyncFn() -> Subject) {
    a_new_target_has_no_watermark(&make().await).await;
    rows_and_watermark_are_written(&make().await).await;
    a_put_wins_over_whatever_was_there(&make().await).await;
    a_patch_keeps_what_is_unchanged(&make().await).await;
    a_move_changes_the_key_and_keeps_the_rest(&make().await).await;
    a_patch_of_no_row_is_refused(&make().await).await;
    a_delete_of_no_row_is_not_refused(&make().await).await;
    a_truncate_empties_the_copy(&make().await).await;
    applying_the_same_batch_twice_changes_nothing(&make().await).await;
    an_older_epoch_is_refused(&make().await).await;
    another_instance_waits_for_the_lease(&make().await).await;
    an_earlier_run_does_not_take_the_lease_back(&make().await).await;
    what_an_earlier_connection_has_under_way_is_fenced_off(&make().await).await;
    passes_travel_with_the_watermark(&make().await).await;
    that_everything_is_durable_is_told_in_time(&make().await).await;
    if make().await.owned {
        owned::a_write_that_meets_a_row_of_another_lane_is_refused(&make().await).await;
        owned::a_refused_row_of_another_lane_is_held_by_the_lane_that_met_it(&make().await).await;
        owned::a_delete_spares_the_row_of_another_lane(&make().await).await;
        owned::a_truncate_spares_the_rows_and_holds_of_another_lane(&make().await).await;
        owned::versions_of_two_lanes_are_not_compared(&make().await).await;
    }
    let subject = make().await;
    if subject.refused.is_some() {
        row_by_row_holds_what_is_refused_and_writes_the_rest(&subject).await;
        a_later_write_ends_a_hold(&make().await).await;
        a_later_write_of_the_same_batch_ends_a_hold(&make().await).await;
        a_discarded_hold_is_held_no_longer_and_its_row_stays(&make().await).await;
        a_key_is_held_since_it_was_first_refused(&make().await).await;
    }
    match subject.claim {
        Claim::Transactional => {
            an_unfinished_transaction_is_invisible_and_leaves_nothing(&make().await).await;
            if subject.refused.is_some() {
                a_refused_batch_leaves_nothing(&make().await).await;
            }
        }
        Claim::Versioned => an_older_version_never_wins(&make().await).await,
        Claim::Idempotent => {}
    }
}

async fn a_new_target_has_no_watermark(subject: &Subject) {
    let mut led = Led::new(subject).await;
    assert_eq!(led.standing().await, Standing::default());
}

async fn rows_and_watermark_are_written(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(1, [put(row(1, 7, "a")), put(row(2, 7, "b"))]).await;
    assert_eq!(led.rows().await, rows([row(1, 7, "a"), row(2, 7, "b")]));
    assert_eq!(led.watermark().await, Some(at(1)));
    led.write(2, [put(row(1, 8, "c")), Effect::Delete(key(2))]).await;
    assert_eq!(led.rows().await, rows([row(1, 8, "c")]));
    assert_eq!(led.watermark().await, Some(at(2)));
}

async fn a_put_wins_over_whatever_was_there(subject: &Subject) {
    let mut led = Led::new(subject).await;
    let put = |row, new| Effect::Put { key: key(1), row, new };
    for (number, body, new) in [(1, "a", false), (2, "b", true), (3, "c", false)] {
        led.write(number, [put(row(1, 7, body), new)]).await;
        assert_eq!(led.rows().await, rows([row(1, 7, body)]));
    }
}

async fn a_patch_keeps_what_is_unchanged(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(1, [put(row(1, 7, "long"))]).await;
    led.write(2, [Effect::Patch(key(1), row_with_same_body(1, 9))]).await;
    assert_eq!(led.rows().await, rows([row(1, 9, "long")]));
}

async fn a_move_changes_the_key_and_keeps_the_rest(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(1, [put(row(1, 7, "long"))]).await;
    let row_now = row_with_same_body(2, 7);
    led.write(2, [Effect::Move { before: key(1), key: key(2), row: row_now }]).await;
    assert_eq!(led.rows().await, rows([row(2, 7, "long")]));
}

async fn a_patch_of_no_row_is_refused(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(1, [put(row(1, 7, "a"))]).await;
    let batch = led.batch(2, [Effect::Patch(key(5), row_with_same_body(5, 1))]);
    let outcome = led.target.apply(&batch, Mode::Together).await.expect("an answer");
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    assert_eq!(led.watermark().await, Some(at(1)));
}

async fn a_delete_of_no_row_is_not_refused(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(1, [Effect::Delete(key(5))]).await;
    assert_eq!(led.watermark().await, Some(at(1)));
}

async fn a_truncate_empties_the_copy(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(1, [put(row(1, 7, "a")), put(row(2, 7, "b"))]).await;
    led.write(2, [Effect::Truncate]).await;
    assert_eq!(led.rows().await, rows([]));
    led.write(3, [put(row(2, 8, "c"))]).await;
    assert_eq!(led.rows().await, rows([row(2, 8, "c")]));
}

async fn applying_the_same_batch_twice_changes_nothing(subject: &Subject) {
    let mut led = Led::new(subject).await;
    let batch = led.batch(1, [put(row(1, 7, "a")), Effect::Delete(key(2))]);
    for _ in 0..2 {
        let outcome = led.target.apply(&batch, Mode::Together).await.expect("written");
        assert!(matches!(outcome, Outcome::Written { .. }), "{outcome:?}");
        assert_eq!(led.rows().await, rows([row(1, 7, "a")]));
    }
    assert_eq!(led.watermark().await, Some(at(1)));
}

async fn an_unfinished_transaction_is_invisible_and_leaves_nothing(subject: &Subject) {
    let mut led = Led::new(subject).await;
    let first = Batch { last: false, ..led.batch(1, [put(row(1, 7, "a"))]) };
    led.target.apply(&first, Mode::Together).await.expect("taken");
    assert_eq!(led.rows().await, rows([]));
    let mut led = Led::new(subject).await;
    assert_eq!((led.rows().await, led.watermark().await), (rows([]), None));
    let first = Batch { epoch: led.epoch, ..first };
    led.target.apply(&first, Mode::Together).await.expect("taken");
    led.write(1, [put(row(2, 7, "b"))]).await;
    assert_eq!(led.rows().await, rows([row(1, 7, "a"), row(2, 7, "b")]));
}

async fn a_refused_batch_leaves_nothing(subject: &Subject) {
    let refused = subject.refused.clone().expect("asked for before");
    let mut led = Led::new(subject).await;
    let first = Batch { last: false, ..led.batch(1, [put(row(1, 7, "a"))]) };
    led.target.apply(&first, Mode::Together).await.expect("taken");
    let batch = led.batch(1, [put(row(2, 7, "b")), put(refused)]);
    let outcome = led.target.apply(&batch, Mode::Together).await.expect("an answer");
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    assert_eq!((led.rows().await, led.watermark().await), (rows([]), None));
    // The connection is usable again, and nothing of the refused transaction comes back.
    led.write(2, [put(row(3, 7, "c"))]).await;
    assert_eq!(led.rows().await, rows([row(3, 7, "c")]));
}

async fn row_by_row_holds_what_is_refused_and_writes_the_rest(subject: &Subject) {
    let refused = subject.refused.clone().expect("asked for before");
    let mut led = Led::new(subject).await;
    let batch = led.batch(1, [put(row(1, 7, "a")), put(refused), put(row(2, 7, "b"))]);
    let outcome = led.target.apply(&batch, Mode::RowByRow).await.expect("written");
    let Outcome::Written { refused, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(refused.iter().map(|refusal| refusal.write).collect::<Vec<_>>(), vec![1]);
    assert!(!refused[0].reason.is_empty());
    assert_eq!(led.rows().await, rows([row(1, 7, "a"), row(2, 7, "b")]));
    assert_eq!(led.watermark().await, Some(at(1)));
    // The hold stands beside the watermark: another connection finds it.
    let mut led = Led::new(subject).await;
    let holds = led.holds().await;
    assert_eq!(holds.len(), 1, "{holds:?}");
    assert_eq!((&holds[0].copy, &holds[0].key), (&subject.copy, &key(13)));
    assert_eq!(holds[0].offset, batch.writes[1].version);
}

async fn a_later_write_ends_a_hold(subject: &Subject) {
    let refused = subject.refused.clone().expect("asked for before");
    let mut led = Led::new(subject).await;
    let batch = led.batch(1, [put(refused)]);
    led.target.apply(&batch, Mode::RowByRow).await.expect("written");
    led.write(2, [Effect::Delete(key(13))]).await;
    assert_eq!(led.holds().await, vec![]);
}

async fn a_later_write_of_the_same_batch_ends_a_hold(subject: &Subject) {
    let refused = subject.refused.clone().expect("asked for before");
    let mut led = Led::new(subject).await;
    let batch = led.batch(1, [put(refused), put(row(13, 7, "welcome"))]);
    let outcome = led.target.apply(&batch, Mode::RowByRow).await.expect("written");
    let Outcome::Written { refused, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(refused.iter().map(|refusal| refusal.write).collect::<Vec<_>>(), vec![0]);
    assert_eq!(led.holds().await, vec![]);
    assert_eq!(led.rows().await, rows([row(13, 7, "welcome")]));
}

async fn a_discarded_hold_is_held_no_longer_and_its_row_stays(subject: &Subject) {
    let refused = subject.refused.clone().expect("asked for before");
    let mut led = Led::new(subject).await;
    led.write(1, [put(row(13, 7, "was"))]).await;
    let batch = led.batch(2, [put(refused)]);
    led.target.apply(&batch, Mode::RowByRow).await.expect("written");
    assert_eq!(led.holds().await.len(), 1);
    let discards = vec![(subject.copy.clone(), key(13))];
    let batch = Batch { discards, ..led.batch(3, [put(row(1, 7, "a"))]) };
    led.target.apply(&batch, Mode::Together).await.expect("written");
    assert_eq!(led.holds().await, vec![]);
    assert_eq!(led.rows().await, rows([row(13, 7, "was"), row(1, 7, "a")]));
}

async fn a_key_is_held_since_it_was_first_refused(subject: &Subject) {
    let refused = subject.refused.clone().expect("asked for before");
    let mut led = Led::new(subject).await;
    let mut since = Vec::new();
    for number in 1..3 {
        let batch = led.batch(number, [put(refused.clone())]);
        led.target.apply(&batch, Mode::RowByRow).await.expect("written");
        since.push(led.holds().await[0].since);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(since[0] > 0, "the target says since when");
    assert_eq!(since[0], since[1]);
}

async fn passes_travel_with_the_watermark(subject: &Subject) {
    let under =
        |key| Pass::Under { purpose: Purpose::Bridge, began: at(1), upto: Some(key), deleted: 2 };
    let mut led = Led::new(subject).await;
    let copy = subject.copy.clone();
    let refused = Batch {
        passes: vec![(copy.clone(), under(key(1)))],
        ..led.batch(1, [Effect::Patch(key(5), row_with_same_body(5, 1))])
    };
    led.target.apply(&refused, Mode::Together).await.expect("an answer");
    assert!(led.standing().await.passes.is_empty(), "a refused batch leaves its passes behind");
    let steps = [(1, vec![put(row(1, 7, "a"))], under(key(1))), (2, vec![], under(key(4)))];
    for (number, effects, pass) in steps.into_iter().chain([(3, vec![], Pass::Done)]) {
        let passes = vec![(copy.clone(), pass.clone())];
        let batch = Batch { passes, ..led.batch(number, effects) };
        led.target.apply(&batch, Mode::Together).await.expect("written");
        // Another connection finds both, or neither.
        let standing = Led::new(subject).await.standing().await;
        assert_eq!(standing.watermark, Some(at(number)));
        assert_eq!(standing.passes, [(copy.clone(), pass)].into());
    }
    led.write(4, [Effect::Delete(key(1))]).await;
    assert_eq!(led.standing().await.passes, [(copy, Pass::Done)].into());
}

async fn that_everything_is_durable_is_told_in_time(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(1, [put(row(1, 7, "a"))]).await;
    for _ in 0..6_000 {
        let batch = led.batch(1, []);
        let outcome = led.target.apply(&batch, Mode::Together).await.expect("written");
        let Outcome::Written { flushed, .. } = outcome else { panic!("{outcome:?}") };
        if flushed == Some(at(1)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is never told");
}

async fn an_older_version_never_wins(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(5, [put(row(1, 7, "new")), Effect::Delete(key(2))]).await;
    led.write(3, [put(row(1, 7, "old")), put(row(2, 7, "old")), put(row(3, 7, "c"))]).await;
    assert_eq!(led.rows().await, rows([row(1, 7, "new"), row(3, 7, "c")]));
}

async fn an_older_epoch_is_refused(subject: &Subject) {
    let mut old = Led::new(subject).await;
    old.write(1, [put(row(1, 7, "a"))]).await;
    let mut new = Led::of_run(subject, 2).await;
    assert!(new.epoch > old.epoch);
    let late = old.batch(2, [put(row(1, 7, "late"))]);
    let fault = old.target.apply(&late, Mode::Together).await.expect_err("it is too late");
    assert_eq!(fault.code, Code::Superseded);
    assert_eq!(new.rows().await, rows([row(1, 7, "a")]));
    new.write(2, [put(row(1, 7, "b"))]).await;
    assert_eq!(new.rows().await, rows([row(1, 7, "b")]));
}

async fn an_earlier_run_does_not_take_the_lease_back(subject: &Subject) {
    let mut earlier = Led::new(subject).await;
    let later = Led::of_run(subject, 2).await;
    let answer = earlier.target.lead(&subject.lane, &tenure("one", 1)).await.expect("an answer");
    assert!(matches!(answer, Leadership::Elsewhere { .. }), "{answer:?}");
    drop(later);
}

async fn what_an_earlier_connection_has_under_way_is_fenced_off(subject: &Subject) {
    let mut earlier = Led::new(subject).await;
    let mut later = subject.service.connect().await.expect("a connection");
    let again = Tenure { connection: 2, ..tenure("one", 1) };
    let answer = later.lead(&subject.lane, &again).await.expect("an answer");
    assert!(matches!(answer, Leadership::Held(epoch) if epoch > earlier.epoch), "{answer:?}");
    let late = earlier.batch(1, [put(row(1, 7, "late"))]);
    let fault = earlier.target.apply(&late, Mode::Together).await.expect_err("it is too late");
    assert_eq!(fault.code, Code::Superseded);
    assert_eq!(earlier.rows().await, rows([]));
}

async fn another_instance_waits_for_the_lease(subject: &Subject) {
    let led = Led::new(subject).await;
    let mut other = subject.service.connect().await.expect("a connection");
    let tenure = tenure("two", 1);
    let answer = other.lead(&subject.lane, &tenure).await.expect("an answer");
    assert!(
        matches!(&answer, Leadership::Elsewhere { instance, .. } if instance == "one"),
        "{answer:?}"
    );
    tokio::time::sleep(LEASE + Duration::from_millis(50)).await;
    let answer = other.lead(&subject.lane, &tenure).await.expect("an answer");
    assert!(matches!(answer, Leadership::Held(epoch) if epoch > led.epoch), "{answer:?}");
}
