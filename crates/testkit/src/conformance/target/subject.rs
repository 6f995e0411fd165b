//! What is judged, and a connection that the suite of the target port writes through.

use crate::conformance::rows::{all, table};
use model::{
    Batch, Claim, CopyName, Effect, Epoch, Hold, Incarnation, Inspect, Key, Lane, Leadership, Mode,
    Offset, Outcome, Position, Row, Service, Standing, Table, Target, Tenure, Watermark, Write,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// An implementation to judge: a fresh, empty target and what it claims.
pub struct Subject {
    /// Opens connections to it.
    pub service: Arc<dyn Service<dyn Target>>,
    /// Reads the copy back.
    pub inspect: Arc<dyn Service<dyn Inspect>>,
    /// The copy and the table that it is of, as [`crate::conformance::rows::table`] describes it.
    pub copy: CopyName,
    /// The table.
    pub table: Arc<Table>,
    /// The lane that writes.
    pub lane: Lane,
    /// What it claims.
    pub claim: Claim,
    /// A row with the id 13 that it refuses, if it refuses any.
    pub refused: Option<Row>,
    /// Whether several lanes feed the copy, so that each row belongs to one of them.
    pub owned: bool,
}

pub(super) const LEASE: Duration = Duration::from_millis(500);

pub(super) fn tenure(instance: &str, run: u64) -> Tenure {
    Tenure { instance: instance.into(), run, connection: 1, lasting: LEASE }
}

/// A connection that leads, and writes from one lane.
pub(super) struct Led<'a> {
    subject: &'a Subject,
    pub(super) target: Box<dyn Target>,
    pub(super) epoch: Epoch,
    lane: Lane,
}

impl<'a> Led<'a> {
    pub(super) async fn new(subject: &'a Subject) -> Self {
        Self::of_run(subject, 1).await
    }

    pub(super) async fn of_run(subject: &'a Subject, run: u64) -> Self {
        let mut target = subject.service.connect().await.expect("a connection");
        let answer = target.lead(&subject.lane, &tenure("one", run)).await.expect("an answer");
        let Leadership::Held(epoch) = answer else { panic!("{answer:?}") };
        Self { subject, target, epoch, lane: subject.lane.clone() }
    }

    /// From now on it writes from this lane.
    pub(super) async fn switch(&mut self, lane: &Lane) {
        let answer = self.target.lead(lane, &tenure("one", 1)).await.expect("an answer");
        let Leadership::Held(epoch) = answer else { panic!("{answer:?}") };
        (self.lane, self.epoch) = (lane.clone(), epoch);
    }

    pub(super) fn batch(&self, number: u64, effects: impl IntoIterator<Item = Effect>) -> Batch {
        let write = |(ordinal, effect)| Write {
            copy: self.subject.copy.clone(),
            table: self.subject.table.clone(),
            version: at(number).change(ordinal),
            effect,
        };
        Batch {
            lane: self.lane.clone(),
            epoch: self.epoch,
            writes: Arc::new((0..).zip(effects).map(write).collect()),
            holds: Vec::new(),
            discards: Vec::new(),
            passes: Vec::new(),
            watermark: at(number),
            last: true,
        }
    }

    pub(super) async fn write(&mut self, number: u64, effects: impl IntoIterator<Item = Effect>) {
        let batch = self.batch(number, effects);
        let outcome = self.target.apply(&batch, Mode::Together).await.expect("written");
        assert!(matches!(outcome, Outcome::Written { .. }), "{outcome:?}");
    }

    pub(super) async fn standing(&mut self) -> Standing {
        self.target.standing(&self.lane).await.expect("a standing")
    }

    pub(super) async fn watermark(&mut self) -> Option<Watermark> {
        self.standing().await.watermark
    }

    pub(super) async fn holds(&mut self) -> Vec<Hold> {
        self.standing().await.holds
    }

    pub(super) async fn rows(&self) -> BTreeMap<Key, Row> {
        all(self.subject.inspect.as_ref(), &self.subject.table).await
    }
}

pub(super) fn put(row: Row) -> Effect {
    let key = table("any").key_of(&row).expect("a key");
    Effect::Put { key, row, new: true }
}

pub(super) fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}
