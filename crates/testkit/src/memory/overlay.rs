//! What a batch writes to the memory store, before it is visible: rows over those of the server.

use super::store::{Kept, KeptRow, State, StoreBug};
use model::{Batch, CopyName, Effect, Hold, Key, Lane, Offset, Pass, Row, Table, Write};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rows that one lane writes: those of the server, with what was written over them so far.
pub(super) struct Overlay {
    lane: Lane,
    rows: BTreeMap<(CopyName, Key), Option<KeptRow>>,
    emptied: BTreeSet<CopyName>,
    tables: BTreeMap<CopyName, Arc<Table>>,
    holds: BTreeMap<(CopyName, Key), Option<Hold>>,
    passes: BTreeMap<CopyName, Pass>,
    ledger: Vec<(CopyName, Option<Key>, Offset)>,
}

impl Overlay {
    pub(super) fn new(lane: &Lane) -> Self {
        Self {
            lane: lane.clone(),
            rows: BTreeMap::new(),
            emptied: BTreeSet::new(),
            tables: BTreeMap::new(),
            holds: BTreeMap::new(),
            passes: BTreeMap::new(),
            ledger: Vec::new(),
        }
    }

    /// The lane that writes.
    pub(super) fn lane(&self) -> &Lane {
        &self.lane
    }

    /// Writes a row, or says why not.
    pub(super) fn write(&mut self, under: &State, write: &Write) -> Result<(), String> {
        let copy = &write.copy;
        match &write.effect {
            Effect::Put { key, row, .. } => {
                self.check_owner(under, write)?;
                self.put(under, write, key, row.clone())?;
            }
            Effect::Patch(key, row) => {
                self.check_owner(under, write)?;
                let row = self.filled(under, copy, key, row)?;
                self.put(under, write, key, row)?;
            }
            Effect::Move { before, key, row } => {
                self.check_owner(under, write)?;
                let row = self.filled(under, copy, before, row)?;
                self.put(under, write, key, row)?;
                self.remove(under, copy, before);
            }
            Effect::Delete(key) => self.remove(under, copy, key),
            Effect::Truncate => self.empty(copy),
        }
        self.tables.insert(copy.clone(), Arc::clone(&write.table));
        if matches!(write.effect, Effect::Truncate) {
            self.ledger.push((copy.clone(), None, write.version.clone()));
        }
        for key in write.effect.keys() {
            self.ledger.push((copy.clone(), Some(key.clone()), write.version.clone()));
        }
        Ok(())
    }

    /// Holds a key.
    pub(super) fn hold(&mut self, hold: Hold) {
        self.holds.insert((hold.copy.clone(), hold.key.clone()), Some(hold));
    }

    /// Ends a hold without a row for its key.
    pub(super) fn discard(&mut self, copy: &CopyName, key: &Key) {
        self.holds.insert((copy.clone(), key.clone()), None);
    }

    /// Notes how far passes have come.
    pub(super) fn pass(&mut self, passes: &[(CopyName, Pass)]) {
        self.passes.extend(passes.iter().cloned());
    }

    /// Whether another lane has written a row since that this one is about to write, too.
    pub(super) fn is_overtaken(&self, state: &State) -> bool {
        self.rows.iter().any(|((copy, key), row)| {
            let kept = state.now.rows.get(copy).and_then(|rows| rows.get(key));
            row.is_some() && kept.is_some_and(|kept| state.is_foreign(kept, &self.lane))
        })
    }

    /// Makes the rows and holds visible at once.
    pub(super) fn commit(&mut self, state: &mut State) {
        let lane = &self.lane;
        for copy in std::mem::take(&mut self.emptied) {
            remove_all(state, &copy, lane);
            state.now.holds.retain(|(of, held, _), _| (of, held) != (lane, &copy));
        }
        for ((copy, key), row) in std::mem::take(&mut self.rows) {
            let mut rows = state.now.rows.remove(&copy).unwrap_or_default();
            // What was gone when it was deleted may be another lane's row by now.
            let is_foreign = rows.get(&key).is_some_and(|kept| state.is_foreign(kept, lane));
            match row {
                Some(row) => _ = rows.insert(key, row),
                None if is_foreign => {}
                None => _ = rows.remove(&key),
            }
            state.now.rows.insert(copy, rows);
        }
        let now = state.clock();
        let Kept { tables, holds, ledger, .. } = &mut state.now;
        tables.append(&mut self.tables);
        for ((copy, key), hold) in std::mem::take(&mut self.holds) {
            let name = (lane.clone(), copy, key);
            match hold {
                Some(mut hold) => {
                    hold.since = holds.get(&name).map_or(now, |before| before.since);
                    holds.insert(name, hold)
                }
                None => holds.remove(&name),
            };
        }
        for (copy, key, version) in std::mem::take(&mut self.ledger) {
            *ledger.entry((lane.clone(), copy, key, version)).or_default() += 1;
        }
    }

    /// Makes everything visible with the watermark of its last batch; whether it is durable.
    pub(super) fn commit_with(mut self, state: &mut State, batch: &Batch) -> bool {
        self.commit(state);
        state.advance(batch, self.passes)
    }

    /// Refuses a write to a row of another lane.
    fn check_owner(&self, under: &State, write: &Write) -> Result<(), String> {
        let is_foreign = |key| {
            let row = self.row(under, &write.copy, key);
            row.is_some_and(|row| under.is_foreign(row, &self.lane))
        };
        match write.effect.keys().any(is_foreign) {
            true => Err("owned_by_another_lane".to_owned()),
            false => Ok(()),
        }
    }

    fn filled(
        &self,
        under: &State,
        copy: &CopyName,
        key: &Key,
        row: &Row,
    ) -> Result<Row, &'static str> {
        let earlier = self.row(under, copy, key).ok_or("row_missing")?;
        let mut row = row.clone();
        row.fill_unchanged_from(&earlier.row);
        Ok(row)
    }

    fn put(&mut self, under: &State, write: &Write, key: &Key, row: Row) -> Result<(), String> {
        if let Some(reason) = (under.manners.rule)(&row) {
            return Err(reason);
        }
        let name = (write.copy.clone(), key.clone());
        self.holds.insert(name.clone(), None);
        let (version, lane) = (write.version.clone(), self.lane.clone());
        self.rows.insert(name, Some(KeptRow { row, version, lane }));
        Ok(())
    }

    /// There is no row with this key any more, unless it is another lane's.
    fn remove(&mut self, under: &State, copy: &CopyName, key: &Key) {
        let name = (copy.clone(), key.clone());
        self.holds.insert(name.clone(), None);
        let found = self.row(under, copy, key);
        if !found.is_some_and(|row| under.is_foreign(row, &self.lane)) {
            self.rows.insert(name, None);
        }
    }

    fn empty(&mut self, copy: &CopyName) {
        self.rows.retain(|(of, _), _| of != copy);
        self.holds.retain(|(of, _), _| of != copy);
        self.emptied.insert(copy.clone());
    }

    fn row<'a>(&'a self, under: &'a State, copy: &CopyName, key: &Key) -> Option<&'a KeptRow> {
        if let Some(written) = self.rows.get(&(copy.clone(), key.clone())) {
            return written.as_ref();
        }
        let row = under.now.rows.get(copy)?.get(key)?;
        let is_gone = self.emptied.contains(copy) && !is_spared(under, row, &self.lane);
        (!is_gone).then_some(row)
    }
}

/// Removes the rows of a copy, but for those of other lanes.
fn remove_all(state: &mut State, copy: &CopyName, lane: &Lane) {
    let mut rows = state.now.rows.remove(copy).unwrap_or_default();
    rows.retain(|_, row| is_spared(state, row, lane));
    state.now.rows.insert(copy.clone(), rows);
}

/// Whether a row stays when this lane empties its copy.
pub(super) fn is_spared(state: &State, row: &KeptRow, lane: &Lane) -> bool {
    state.is_foreign(row, lane) && !state.has(StoreBug::TruncateAllLanes)
}
