//! What really happened at a source: every transaction that committed, and from it every row at
//! every position. When the source is restored, its positions are given out a second time: another
//! timeline begins, and each incarnation belongs to one of them.

use model::{Cell, Change, Incarnation, Key, Offset, Op, Position, Row, TableName, TransactionId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// A transaction as the workload committed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Where it stands.
    pub position: Position,
    /// Its number.
    pub transaction: TransactionId,
    /// Its surviving changes, in order.
    pub changes: Vec<Change>,
}

/// The history of one source.
#[derive(Debug)]
pub struct Truth {
    /// Which rows a store may have reason to refuse.
    is_bad: fn(&Row) -> bool,
    /// The last one is the one that the source lives in.
    timelines: Vec<Timeline>,
    incarnations: Incarnations,
}

/// Which timeline an incarnation belongs to, as the world saw it begin.
#[derive(Clone, Debug, Default)]
pub struct Incarnations(Arc<Mutex<(usize, BTreeMap<Incarnation, usize>)>>);

impl Incarnations {
    /// An incarnation begins: it belongs to the timeline of now. Another one than before would mean
    /// that two histories are taken for one.
    pub fn begins(&self, incarnation: Incarnation) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = state.0;
        state.1.insert(incarnation, now);
    }

    /// The source was restored to a state that has all of what was followed: the incarnation goes
    /// on in the new timeline.
    pub fn goes_on(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = state.0;
        if let Some(mut last) = state.1.last_entry() {
            last.insert(now);
        }
    }

    fn timeline(&self, incarnation: Incarnation) -> usize {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.get(&incarnation).copied().unwrap_or(0)
    }

    fn next(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 += 1;
    }
}

/// What happened from one restored state of the source to the next.
#[derive(Clone, Debug, Default)]
struct Timeline {
    transactions: Vec<Committed>,
    /// What each row was, from each place on where it changed.
    rows: BTreeMap<(TableName, Key), Vec<Version>>,
}

/// A row from one place on.
#[derive(Clone, Debug)]
struct Version {
    position: Position,
    ordinal: u64,
    row: Option<Row>,
    /// Whether a store that refuses bad rows may hold the key from here on: a bad row was written
    /// to it, or moved to or from it, and it has not been deleted since.
    is_tainted: bool,
}

impl Truth {
    /// Nothing has happened yet.
    pub fn new(is_bad: fn(&Row) -> bool, incarnations: Incarnations) -> Self {
        Self { is_bad, timelines: vec![Timeline::default()], incarnations }
    }

    /// A transaction committed.
    pub fn committed(&mut self, committed: Committed) {
        let is_bad = self.is_bad;
        let now = self.now_mut();
        for (ordinal, change) in (0..).zip(&committed.changes) {
            now.change(is_bad, &committed.position, ordinal, change);
        }
        now.transactions.push(committed);
    }

    /// The source is as it was at this position, and goes on from there.
    pub fn restored(&mut self, position: &Position) {
        let mut timeline = self.now().clone();
        timeline.transactions.retain(|it| it.position <= *position);
        for versions in timeline.rows.values_mut() {
            versions.retain(|version| version.position <= *position);
        }
        self.timelines.push(timeline);
        self.incarnations.next();
    }

    /// Another source, with nothing in it, is the one that counts from now on.
    pub fn replaced(&mut self) {
        self.timelines.push(Timeline::default());
        self.incarnations.next();
    }

    /// Every transaction of an incarnation, in order.
    pub fn transactions(&self, incarnation: Incarnation) -> &[Committed] {
        &self.of(incarnation).transactions
    }

    /// The transactions of the timeline that the source lives in.
    pub fn latest(&self) -> &[Committed] {
        &self.now().transactions
    }

    /// Every key that ever was.
    pub fn keys(&self) -> BTreeSet<&(TableName, Key)> {
        self.timelines.iter().flat_map(|timeline| timeline.rows.keys()).collect()
    }

    /// The row once everything up to the position of this offset has happened; nothing before the
    /// first.
    pub fn row_at(&self, name: &(TableName, Key), at: Option<&Offset>) -> Option<&Row> {
        let at = at?;
        let versions = self.of(at.incarnation).rows.get(name)?;
        let after = versions.partition_point(|version| version.position <= at.position);
        versions[..after].last()?.row.as_ref()
    }

    /// The row as it is now.
    pub fn row_now(&self, name: &(TableName, Key)) -> Option<&Row> {
        self.now().rows.get(name)?.last()?.row.as_ref()
    }

    /// The row that a version is of: right after that change, or as the source had it where rows
    /// were placed.
    pub fn row_of(&self, name: &(TableName, Key), version: &Offset) -> Option<&Row> {
        if version.epoch != model::Epoch::LIVE {
            return self.row_at(name, Some(version));
        }
        let versions = self.of(version.incarnation).rows.get(name)?;
        let upto = (&version.position, version.ordinal);
        let after = versions.partition_point(|it| (&it.position, it.ordinal) <= upto);
        versions[..after].last()?.row.as_ref()
    }

    /// Whether a store may hold the key once everything up to this offset has happened.
    pub fn is_tainted(&self, name: &(TableName, Key), offset: &Offset) -> bool {
        let Some(versions) = self.of(offset.incarnation).rows.get(name) else { return false };
        let is_live = offset.epoch == model::Epoch::LIVE;
        let ordinal = if is_live { offset.ordinal } else { u64::MAX };
        let upto = (&offset.position, ordinal);
        let after = versions.partition_point(|it| (&it.position, it.ordinal) <= upto);
        versions[..after].last().is_some_and(|version| version.is_tainted)
    }

    /// Whether a store that refuses bad rows has reason to refuse the row as it is now.
    pub fn is_bad_now(&self, name: &(TableName, Key)) -> bool {
        self.row_now(name).is_some_and(self.is_bad)
    }

    fn of(&self, incarnation: Incarnation) -> &Timeline {
        let index = self.incarnations.timeline(incarnation).min(self.timelines.len() - 1);
        &self.timelines[index]
    }

    fn now(&self) -> &Timeline {
        self.timelines.last().expect("BUG: there is always one")
    }

    fn now_mut(&mut self) -> &mut Timeline {
        self.timelines.last_mut().expect("BUG: there is always one")
    }
}

impl Timeline {
    fn change(
        &mut self,
        is_bad: fn(&Row) -> bool,
        position: &Position,
        ordinal: u64,
        change: &Change,
    ) {
        let table = &change.table.name;
        match &change.op {
            Op::Insert(row) => {
                let key = change.table.key_of(row).expect("BUG: the workload wrote no key");
                let is_tainted = is_bad(row) || self.was_tainted(table, &key);
                let version = Version::new(position, ordinal, Some(row.clone()), is_tainted);
                self.set(table, key, version);
            }
            Op::Update { before, row } => {
                let key = change.table.key_of(row).expect("BUG: the workload wrote no key");
                let earlier = self.latest(table, before);
                let cells = row.0.iter().enumerate().map(|(index, cell)| match cell {
                    Cell::Unchanged => {
                        earlier.as_ref().map_or(Cell::Missing, |it| it.0[index].clone())
                    }
                    known => known.clone(),
                });
                let row = Row(cells.collect());
                let is_tainted = is_bad(&row)
                    || self.was_tainted(table, before)
                    || self.was_tainted(table, &key);
                if key != *before {
                    // What cannot be moved is held at both its keys.
                    let gone = Version::new(position, ordinal, None, is_tainted);
                    self.set(table, before.clone(), gone);
                }
                let version = Version::new(position, ordinal, Some(row), is_tainted);
                self.set(table, key, version);
            }
            Op::Delete(key) => {
                self.set(table, key.clone(), Version::new(position, ordinal, None, false));
            }
            Op::Truncate => {
                let keys: BTreeSet<_> =
                    self.rows.keys().filter(|(of, _)| of == table).cloned().collect();
                for (_, key) in keys {
                    self.set(table, key, Version::new(position, ordinal, None, false));
                }
            }
        }
    }

    fn was_tainted(&self, table: &TableName, key: &Key) -> bool {
        let versions = self.rows.get(&(table.clone(), key.clone()));
        versions.and_then(|versions| versions.last()).is_some_and(|it| it.is_tainted)
    }

    fn latest(&self, table: &TableName, key: &Key) -> Option<Row> {
        self.rows.get(&(table.clone(), key.clone()))?.last()?.row.clone()
    }

    fn set(&mut self, table: &TableName, key: Key, version: Version) {
        self.rows.entry((table.clone(), key)).or_default().push(version);
    }
}

impl Version {
    fn new(position: &Position, ordinal: u64, row: Option<Row>, is_tainted: bool) -> Self {
        Self { position: position.clone(), ordinal, row, is_tainted }
    }
}
