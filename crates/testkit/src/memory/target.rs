//! A connection to the memory store: the target port, and reading rows back.

use super::overlay::{Overlay, is_spared};
use super::store::{KeptRow, State, Store, StoreBug};
use async_trait::async_trait;
use model::{
    Answer, At, Batch, Claim, Code, CopyName, Digest, Effect, Fault, Hold, Inspect, Key, Lane,
    Leadership, Mode, Offset, Outcome, Refusal, Row, Rows, Seed, Selection, Service, Standing,
    Table, TableName, Target, Tenure, Write,
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
    fn transact(&mut self, state: &mut State, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let mut overlay = self.open.take().unwrap_or_else(|| Overlay::new(&batch.lane));
        assert_eq!(*overlay.lane(), batch.lane, "BUG: a transaction of another lane is open");
        let mut refused = Vec::new();
        for (copy, key) in &batch.discards {
            overlay.discard(copy, key);
        }
        for (index, write) in batch.writes.iter().enumerate() {
            let written = overlay.write(state, write);
            state.refusals += u64::from(written.is_err());
            match (written, mode) {
                (Ok(()), _) => {}
                (Err(reason), Mode::Together) => return Ok(Outcome::Refused(reason)),
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
        overlay.pass(&batch.passes);
        if !batch.last {
            self.open = Some(overlay);
            return Ok(Outcome::Written { flushed: None, refused });
        }
        if overlay.is_overtaken(state) {
            let what = "another lane was faster with one of the rows";
            return Err(Fault::retry(Code::TargetUnavailable, what));
        }
        let flushed = overlay.commit_with(state, batch).then(|| batch.watermark.clone());
        Ok(Outcome::Written { flushed, refused })
    }
}

#[async_trait]
impl Target for Connection {
    fn claim(&self) -> Claim {
        self.claim
    }

    async fn lead(&mut self, lane: &Lane, tenure: &Tenure) -> Result<Leadership, Fault> {
        let mut state = self.store.lock();
        self.check(&state)?;
        Ok(state.lead(lane, tenure))
    }

    async fn standing(&mut self, lane: &Lane) -> Result<Standing, Fault> {
        let state = self.store.lock();
        self.check(&state)?;
        Ok(state.standing(lane))
    }

    async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let store = self.store.clone();
        let mut state = store.lock();
        self.check(&state)?;
        let highest = state.epoch(&batch.lane);
        if batch.epoch.0 < highest && !state.has(StoreBug::IgnoreEpoch) {
            self.open = None;
            let what = format!("epoch {} is over, {highest} leads", batch.epoch.0);
            return Err(Fault::retry(Code::Superseded, what));
        }
        match self.claim {
            Claim::Transactional => self.transact(&mut state, batch, mode),
            Claim::Versioned | Claim::Idempotent => each(&mut state, batch, mode),
        }
    }
}

/// A batch as so many single writes; each judges by the row's version whether it is new.
fn each(state: &mut State, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
    let mut refused = Vec::new();
    let fail_after = state.fail_after_rows.take();
    let mut overlay = Overlay::new(&batch.lane);
    for (copy, key) in &batch.discards {
        overlay.discard(copy, key);
    }
    overlay.commit(state);
    for (index, write) in batch.writes.iter().enumerate() {
        if fail_after == Some(index) {
            return Err(Fault::retry(Code::TargetUnavailable, "the server went away half-way"));
        }
        if matches!(write.effect, Effect::Truncate) {
            empty(state, &batch.lane, write);
            continue;
        }
        if is_old(state, &batch.lane, write) {
            continue;
        }
        let mut overlay = Overlay::new(&batch.lane);
        let written = overlay.write(state, write);
        state.refusals += u64::from(written.is_err());
        match (written, mode) {
            (Ok(()), _) => remember_gone(state, &batch.lane, write),
            (Err(reason), Mode::Together) => return Ok(Outcome::Refused(reason)),
            (Err(reason), Mode::RowByRow) => {
                for key in write.effect.keys() {
                    overlay.hold(hold(write, key, &reason));
                }
                refused.push(Refusal { write: index, reason });
            }
        }
        overlay.commit(state);
        state.commit();
    }
    let mut overlay = Overlay::new(&batch.lane);
    for hold in &batch.holds {
        overlay.hold(hold.clone());
    }
    overlay.pass(&batch.passes);
    let flushed = overlay.commit_with(state, batch).then(|| batch.watermark.clone());
    Ok(Outcome::Written { flushed, refused })
}

/// Where each row is judged by its own version, emptying a table spares what is newer. Versions of
/// several lanes do not compare.
fn empty(state: &mut State, lane: &Lane, write: &Write) {
    let old = |version: &Offset| *version < write.version;
    let mut rows = state.now.rows.remove(&write.copy).unwrap_or_default();
    let is_gone = |row: &KeptRow| match state.is_foreign(row, lane) {
        true => !is_spared(state, row, lane),
        false => old(&row.version),
    };
    let gone: Vec<_> = rows.extract_if(.., |_, row| is_gone(row)).collect();
    state.now.rows.insert(write.copy.clone(), rows);
    for (key, _) in gone {
        let name = (lane.clone(), write.copy.clone(), key);
        state.now.gone.insert(name, write.version.clone());
    }
    state.now.tables.insert(write.copy.clone(), Arc::clone(&write.table));
    state
        .now
        .holds
        .retain(|(of, copy, _), hold| (of, copy) != (lane, &write.copy) || !old(&hold.offset));
    state.commit();
}

/// Whether the row, or its absence, is already of this version or a newer one.
fn is_old(state: &State, lane: &Lane, write: &Write) -> bool {
    let version = |key: &Key| {
        let name = (lane.clone(), write.copy.clone(), key.clone());
        let kept = state.now.rows.get(&write.copy).and_then(|rows| rows.get(key));
        let kept = kept.filter(|row| !state.is_foreign(row, lane)).map(|row| &row.version);
        let held = state.now.holds.get(&name).map(|hold| &hold.offset);
        [kept, held, state.now.gone.get(&name)].into_iter().flatten().max()
    };
    let newest = write.effect.keys().filter_map(version).max();
    newest.is_some_and(|newest| *newest >= write.version)
}

/// Where no transaction protects the order, a deleted row leaves its version behind.
fn remember_gone(state: &mut State, lane: &Lane, write: &Write) {
    if let Effect::Delete(key) | Effect::Move { before: key, .. } = &write.effect {
        let name = (lane.clone(), write.copy.clone(), key.clone());
        state.now.gone.insert(name, write.version.clone());
    }
}

fn hold(write: &Write, key: &Key, reason: &str) -> Hold {
    Hold {
        copy: write.copy.clone(),
        key: key.clone(),
        offset: write.version.clone(),
        reason: reason.to_owned(),
        since: 0,
    }
}

/// Reads one copy of a store back.
#[derive(Clone, Debug)]
pub struct CopyOf {
    /// The store.
    pub store: Store,
    /// The copy.
    pub copy: CopyName,
    /// The lane whose rows are read, if several feed the copy; else those of all.
    pub lane: Option<Lane>,
}

#[async_trait]
impl Service<dyn Inspect> for CopyOf {
    async fn connect(&self) -> Result<Box<dyn Inspect>, Fault> {
        Ok(Box::new(self.clone()))
    }
}

type Found = (Key, Row, Option<Offset>);

impl CopyOf {
    fn selected(&self, state: &State, selection: &Selection) -> Vec<Found> {
        let rows = state.now.rows.get(&self.copy).into_iter().flatten();
        let is_ours =
            |row: &KeptRow| self.lane.as_ref().is_none_or(|lane| !state.is_foreign(row, lane));
        rows.filter(|(key, kept)| selection.contains(key) && is_ours(kept))
            .map(|(key, kept)| (key.clone(), kept.row.clone(), Some(kept.version.clone())))
            .collect()
    }

    fn at(&self, state: &State) -> At {
        At::Target(state.now.watermarks.clone())
    }
}

#[async_trait]
impl Inspect for CopyOf {
    async fn table(&mut self, name: &TableName) -> Result<Option<Arc<Table>>, Fault> {
        let state = self.store.lock();
        Ok(state.now.tables.get(&self.copy).filter(|table| table.name == *name).cloned())
    }

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
