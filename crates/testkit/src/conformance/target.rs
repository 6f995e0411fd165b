//! The suite of the target port.

use super::rows::{all, key, row, row_with_same_body, rows};
use model::{
    Batch, Claim, Code, CopyName, Effect, Epoch, Incarnation, Inspect, Lane, Leadership, Mode,
    Offset, Outcome, Position, Row, Service, Table, Target, Tenure, Watermark, Write,
};
use std::sync::Arc;
use std::time::Duration;

/// An implementation to judge: a fresh, empty target and what it claims.
pub struct Subject {
    /// Opens connections to it.
    pub service: Arc<dyn Service<dyn Target>>,
    /// Reads the copy back.
    pub inspect: Arc<dyn Service<dyn Inspect>>,
    /// The copy and the table that it is of, as [`super::rows::table`] describes it.
    pub copy: CopyName,
    /// The table.
    pub table: Arc<Table>,
    /// The lane that writes.
    pub lane: Lane,
    /// What it claims.
    pub claim: Claim,
    /// A row with the id 13 that it refuses, if it refuses any.
    pub refused: Option<Row>,
}

/// Runs everything that the subject's claim implies, each on a fresh subject.
pub async fn suite(make: impl AsyncFn() -> Subject) {
    a_new_target_has_no_watermark(&make().await).await;
    rows_and_watermark_are_written(&make().await).await;
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
    let subject = make().await;
    if subject.refused.is_some() {
        row_by_row_holds_what_is_refused_and_writes_the_rest(&subject).await;
        a_later_write_ends_a_hold(&make().await).await;
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
    assert_eq!(led.watermark().await, None);
    assert_eq!(led.target.holds(&subject.lane).await.expect("holds"), vec![]);
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
    let holds = led.target.holds(&subject.lane).await.expect("holds");
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
    assert_eq!(led.target.holds(&subject.lane).await.expect("holds"), vec![]);
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
    let answer = earlier.target.lead(&tenure("one", 1)).await.expect("an answer");
    assert!(matches!(answer, Leadership::Elsewhere { .. }), "{answer:?}");
    drop(later);
}

async fn what_an_earlier_connection_has_under_way_is_fenced_off(subject: &Subject) {
    let mut earlier = Led::new(subject).await;
    let mut later = subject.service.connect().await.expect("a connection");
    let again = Tenure { connection: 2, ..tenure("one", 1) };
    let answer = later.lead(&again).await.expect("an answer");
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
    let answer = other.lead(&tenure).await.expect("an answer");
    assert!(
        matches!(&answer, Leadership::Elsewhere { instance, .. } if instance == "one"),
        "{answer:?}"
    );
    tokio::time::sleep(LEASE + Duration::from_millis(50)).await;
    let answer = other.lead(&tenure).await.expect("an answer");
    assert!(matches!(answer, Leadership::Held(epoch) if epoch > led.epoch), "{answer:?}");
}

const LEASE: Duration = Duration::from_millis(500);

fn tenure(instance: &str, run: u64) -> Tenure {
    Tenure { instance: instance.into(), run, connection: 1, lasting: LEASE }
}

/// A connection that leads.
struct Led<'a> {
    subject: &'a Subject,
    target: Box<dyn Target>,
    epoch: Epoch,
}

impl<'a> Led<'a> {
    async fn new(subject: &'a Subject) -> Self {
        Self::of_run(subject, 1).await
    }

    async fn of_run(subject: &'a Subject, run: u64) -> Self {
        let mut target = subject.service.connect().await.expect("a connection");
        let answer = target.lead(&tenure("one", run)).await.expect("an answer");
        let Leadership::Held(epoch) = answer else { panic!("{answer:?}") };
        Self { subject, target, epoch }
    }

    fn batch(&self, number: u64, effects: impl IntoIterator<Item = Effect>) -> Batch {
        let write = |(ordinal, effect)| Write {
            copy: self.subject.copy.clone(),
            table: self.subject.table.clone(),
            version: at(number).change(ordinal),
            effect,
        };
        Batch {
            lane: self.subject.lane.clone(),
            epoch: self.epoch,
            writes: (0..).zip(effects).map(write).collect(),
            holds: Vec::new(),
            watermark: at(number),
            last: true,
        }
    }

    async fn write(&mut self, number: u64, effects: impl IntoIterator<Item = Effect>) {
        let batch = self.batch(number, effects);
        let outcome = self.target.apply(&batch, Mode::Together).await.expect("written");
        assert!(matches!(outcome, Outcome::Written { .. }), "{outcome:?}");
    }

    async fn watermark(&mut self) -> Option<Watermark> {
        self.target.watermark(&self.subject.lane).await.expect("a watermark")
    }

    async fn rows(&self) -> std::collections::BTreeMap<model::Key, Row> {
        all(self.subject.inspect.as_ref(), &self.subject.table).await
    }
}

fn put(row: Row) -> Effect {
    let key = super::rows::table("any").key_of(&row).expect("a key");
    Effect::Put { key, row, new: true }
}

fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}
