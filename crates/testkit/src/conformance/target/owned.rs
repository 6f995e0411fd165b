//! A copy that several lanes feed: each row belongs to the lane that wrote it.

use super::subject::{Led, Subject, at, put};
use crate::conformance::rows::{key, row, row_with_same_body, rows};
use model::{Effect, Lane, Mode, Outcome};

pub(super) async fn a_write_that_meets_a_row_of_another_lane_is_refused(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(1, [put(row(1, 7, "a"))]).await;
    led.switch(&other()).await;
    led.write(1, [put(row(2, 7, "b"))]).await;
    let moved = |before, after| Effect::Move {
        before: key(before),
        key: key(after),
        row: row_with_same_body(after, 8),
    };
    for effect in [
        put(row(1, 8, "other")),
        Effect::Patch(key(1), row_with_same_body(1, 8)),
        moved(1, 3),
        moved(2, 1),
    ] {
        let batch = led.batch(2, [effect.clone()]);
        let outcome = led.target.apply(&batch, Mode::Together).await.expect("an answer");
        assert!(matches!(&outcome, Outcome::Refused(_)), "{effect:?}: {outcome:?}");
        assert_eq!(led.rows().await, rows([row(1, 7, "a"), row(2, 7, "b")]));
        assert_eq!(led.watermark().await, Some(at(1)));
    }
}

pub(super) async fn a_refused_row_of_another_lane_is_held_by_the_lane_that_met_it(
    subject: &Subject,
) {
    let mut led = Led::new(subject).await;
    led.write(1, [put(row(1, 7, "a"))]).await;
    led.switch(&other()).await;
    let batch = led.batch(1, [put(row(1, 8, "other")), put(row(2, 8, "b"))]);
    led.target.apply(&batch, Mode::RowByRow).await.expect("written");
    let holds = led.holds().await;
    assert_eq!(holds.iter().map(|hold| &hold.key).collect::<Vec<_>>(), [&key(1)]);
    led.switch(&subject.lane).await;
    assert_eq!(led.holds().await, []);
    // Once the owner has let the row go, the other lane may have it.
    led.write(2, [Effect::Delete(key(1))]).await;
    led.switch(&other()).await;
    assert_eq!(led.holds().await, holds, "what another lane deletes ends no hold");
    led.write(2, [put(row(1, 8, "other"))]).await;
    assert_eq!(led.holds().await, []);
    assert_eq!(led.rows().await, rows([row(1, 8, "other"), row(2, 8, "b")]));
}

pub(super) async fn a_delete_spares_the_row_of_another_lane(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(1, [put(row(1, 7, "a"))]).await;
    led.switch(&other()).await;
    led.write(5, [Effect::Delete(key(1))]).await;
    assert_eq!(led.watermark().await, Some(at(5)), "it is not refused");
    assert_eq!(led.rows().await, rows([row(1, 7, "a")]));
}

pub(super) async fn a_truncate_spares_the_rows_and_holds_of_another_lane(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(1, [put(row(1, 7, "a"))]).await;
    led.switch(&other()).await;
    let batch = led.batch(1, [put(row(1, 8, "other")), put(row(2, 8, "b"))]);
    led.target.apply(&batch, Mode::RowByRow).await.expect("written");
    let holds = led.holds().await;
    led.switch(&subject.lane).await;
    led.write(5, [Effect::Truncate, put(row(3, 7, "c"))]).await;
    assert_eq!(led.rows().await, rows([row(2, 8, "b"), row(3, 7, "c")]));
    led.switch(&other()).await;
    assert_eq!(led.holds().await, holds);
}

pub(super) async fn versions_of_two_lanes_are_not_compared(subject: &Subject) {
    let mut led = Led::new(subject).await;
    led.write(9, [put(row(1, 7, "a")), Effect::Delete(key(2))]).await;
    led.write(10, [Effect::Delete(key(1))]).await;
    led.switch(&other()).await;
    led.write(1, [put(row(1, 8, "other")), put(row(2, 8, "b"))]).await;
    assert_eq!(led.rows().await, rows([row(1, 8, "other"), row(2, 8, "b")]));
    assert_eq!(led.watermark().await, Some(at(1)));
    led.switch(&subject.lane).await;
    assert_eq!(led.watermark().await, Some(at(10)));
}

/// A second lane that feeds the copy.
fn other() -> Lane {
    "another/lane".into()
}
