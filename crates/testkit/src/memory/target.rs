//! A connection to the memory store: the target port, and reading rows back.

use super::store::{Overlay, State, Store};
use async_trait::async_trait;
use model::{
    Answer, At, Batch, Claim, Code, CopyName, Digest, Effect, Fault, Hold, Inspect, Key, Lane,
    Leadership, Mode, Offset, Outcome, Refusal, Row, Rows, Seed, Selection, Service, Table, Target,
    Tenure, Watermark, Write,
};
use std::sync::Arc;

#[async_trait]
impl Service<dyn Target> for Store {
    async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        let (boot, claim) = {
            let state = self.lock();
            (state.boots, state.manners.claim)
        };
        Ok(Box::new(Connection { store: self.clone(), boot, claim, open: None }))
    }
}

struct Connection {
    store: Store,
    boot: u64,
    claim: Claim,
    /// The target transaction that goes on with the next batch; gone with the connection.
    open: Option<Overlay>,
}

impl Connection {
    fn check(&self, state: &State) -> Result<(), Fault> {
        if state.boots == self.boot {
            return Ok(());
        }
        Err(Fault::retry(Code::TargetUnavailable, "the server has closed the connection"))
    }

    /// A batch as part of one transaction.
    fn transact(&mut self, state: &mut State, batch: &Batch, mode: Mode) -> Outcome {
        let mut overlay = self.open.take().unwrap_or_else(Overlay::new);
        let mut refused = Vec::new();
        for (index, write) in batch.writes.iter().enumerate() {
            let written = overlay.write(state, write);
            state.refusals += u64::from(written.is_err());
            match (written, mode) {
                (Ok(()), _) => {}
                (Err(reason), Mode::Together) => return Outcome::Refused(reason),
                (Err(reason), Mode::RowByRow) => {
                    for key in write.effect.keys() {
                        overlay.hold(hold(write, key, &reason));
                    }
                    refused.push(Refusal { write: index, reason });
                }
            }
        }
        for hold in &batch.holds {
            overlay.hold(hold.clone());
        }
        if !batch.last {
            self.open = Some(overlay);
            return Outcome::Written { durable: false, refused };
        }
        overlay.commit(state, &batch.lane);
        let durable = state.advance(&batch.lane, &batch.watermark, batch.writes.is_empty());
        Outcome::Written { durable, refused }
    }
}

#[async_trait]
impl Target for Connection {
    fn claim(&self) -> Claim {
        self.claim
    }

    async fn lead(&mut self, tenure: &Tenure) -> Result<Leadership, Fault> {
        let mut state = self.store.lock();
        self.check(&state)?;
        Ok(state.lead(tenure))
    }

    async fn watermark(&mut self, lane: &Lane) -> Result<Option<Watermark>, Fault> {
        let state = self.store.lock();
        self.check(&state)?;
        Ok(state.now.watermarks.get(lane).cloned())
    }

    async fn holds(&mut self, lane: &Lane) -> Result<Vec<Hold>, Fault> {
        let state = self.store.lock();
        self.check(&state)?;
        let of_lane = state.now.holds.values().filter(|(of, _)| of == lane);
        Ok(of_lane.map(|(_, hold)| hold.clone()).collect())
    }

    async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let store = self.store.clone();
        let mut state = store.lock();
        self.check(&state)?;
        if batch.epoch.0 < state.now.epoch {
            self.open = None;
            let what = format!("epoch {} is over, {} leads", batch.epoch.0, state.now.epoch);
            return Err(Fault::retry(Code::Superseded, what));
        }
        match self.claim {
            Claim::Transactional => Ok(self.transact(&mut state, batch, mode)),
            Claim::Versioned | Claim::Idempotent => each(&mut state, batch, mode),
        }
    }
}

/// A batch as so many single writes; each judges by the row's version whether it is new.
fn each(state: &mut State, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
    let mut refused = Vec::new();
    let fail_after = state.fail_after_rows.take();
    for (index, write) in batch.writes.iter().enumerate() {
        if fail_after == Some(index) {
            return Err(Fault::retry(Code::TargetUnavailable, "the server went away half-way"));
        }
        if matches!(write.effect, Effect::Truncate) {
            empty(state, write);
            continue;
        }
        if is_old(state, write) {
            continue;
        }
        let mut overlay = Overlay::new();
        let written = overlay.write(state, write);
        state.refusals += u64::from(written.is_err());
        match (written, mode) {
            (Ok(()), _) => remember_gone(state, write),
            (Err(reason), Mode::Together) => return Ok(Outcome::Refused(reason)),
            (Err(reason), Mode::RowByRow) => {
                for key in write.effect.keys() {
                    overlay.hold(hold(write, key, &reason));
                }
                refused.push(Refusal { write: index, reason });
            }
        }
        overlay.commit(state, &batch.lane);
        state.commit();
    }
    let mut overlay = Overlay::new();
    for hold in &batch.holds {
        overlay.hold(hold.clone());
    }
    overlay.commit(state, &batch.lane);
    let durable = state.advance(&batch.lane, &batch.watermark, batch.writes.is_empty());
    Ok(Outcome::Written { durable, refused })
}

/// Where each row is judged by its own version, emptying a table spares what is newer.
fn empty(state: &mut State, write: &Write) {
    let old = |version: &Offset| *version < write.version;
    let rows = state.now.rows.entry(write.copy.clone()).or_default();
    for (key, _) in rows.extract_if(.., |_, (_, version)| old(version)) {
        state.now.gone.insert((write.copy.clone(), key), write.version.clone());
    }
    state.now.holds.retain(|(copy, _), (_, hold)| *copy != write.copy || !old(&hold.offset));
    state.commit();
}

/// Whether the row, or its absence, is already of this version or a newer one.
fn is_old(state: &State, write: &Write) -> bool {
    let version = |key: &Key| {
        let kept = state.now.rows.get(&write.copy).and_then(|rows| rows.get(key));
        let gone = state.now.gone.get(&(write.copy.clone(), key.clone()));
        kept.map(|(_, version)| version).into_iter().chain(gone).max().cloned()
    };
    let held = |key: &Key| {
        let hold = state.now.holds.get(&(write.copy.clone(), key.clone()));
        hold.map(|(_, hold)| hold.offset.clone())
    };
    let newest = write.effect.keys().flat_map(|key| [version(key), held(key)]).flatten().max();
    newest.is_some_and(|newest| newest >= write.version)
}

/// Where no transaction protects the order, a deleted row leaves its version behind.
fn remember_gone(state: &mut State, write: &Write) {
    if let Effect::Delete(key) | Effect::Move { before: key, .. } = &write.effect {
        let name = (write.copy.clone(), key.clone());
        state.now.gone.insert(name, write.version.clone());
    }
}

fn hold(write: &Write, key: &Key, reason: &str) -> Hold {
    Hold {
        copy: write.copy.clone(),
        key: key.clone(),
        offset: write.version.clone(),
        reason: reason.to_owned(),
    }
}

/// Reads one copy of a store back.
#[derive(Clone, Debug)]
pub struct CopyOf {
    /// The store.
    pub store: Store,
    /// The copy.
    pub copy: CopyName,
}

#[async_trait]
impl Service<dyn Inspect> for CopyOf {
    async fn connect(&self) -> Result<Box<dyn Inspect>, Fault> {
        Ok(Box::new(self.clone()))
    }
}

type Kept = (Key, Row, Option<Offset>);

impl CopyOf {
    fn selected(&self, state: &State, selection: &Selection) -> Vec<Kept> {
        let rows = state.now.rows.get(&self.copy).into_iter().flatten();
        rows.filter(|(key, _)| selection.contains(key))
            .map(|(key, (row, version))| (key.clone(), row.clone(), Some(version.clone())))
            .collect()
    }

    fn at(&self, state: &State) -> At {
        At::Target(state.now.watermarks.clone())
    }
}

#[async_trait]
impl Inspect for CopyOf {
    async fn rows(
        &mut self,
        _table: &Arc<Table>,
        selection: &Selection,
        rows_max: usize,
    ) -> Result<Answer<Rows>, Fault> {
        let state = self.store.lock();
        let mut rows = self.selected(&state, selection);
        let more = rows.len() > rows_max;
        rows.truncate(rows_max);
        let upto = rows.last().filter(|_| more).map(|(key, ..)| key.clone());
        Ok(Answer { at: self.at(&state), found: Rows { rows, upto } })
    }

    async fn digests(
        &mut self,
        table: &Arc<Table>,
        selections: &[Selection],
        seed: Seed,
    ) -> Result<Answer<Vec<Digest>>, Fault> {
        let state = self.store.lock();
        let digest = |selection: &Selection| {
            let mut sum = Digest::default();
            for (key, row, _) in self.selected(&state, selection) {
                sum += Digest::of(seed, table, &key, &row);
            }
            sum
        };
        let found = selections.iter().map(digest).collect();
        Ok(Answer { at: self.at(&state), found })
    }
}
