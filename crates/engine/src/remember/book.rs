//! What a lane remembers, in its state store: read, and written batch by batch with the offset up
//! to which it goes.

use super::layout::{self, Head, Place, Slab, TableHead};
use crate::count::{Group, Known, Memory, Outcome};
use crate::numbers::Changes;
use crate::state::State;
use bytes::Bytes;
use model::codec::Malformed;
use model::{Code, CopyName, CountName, Fault, Key, Offset, Pass, Purpose, TableName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Entries read, or cleared, at once.
const SLICE: usize = 1_000;

/// The open book of a lane.
pub(super) struct Book {
    state: Arc<dyn State>,
    pub(super) head: Head,
    /// Rows that are there but not known.
    pub(super) unsure: BTreeMap<TableName, BTreeSet<Key>>,
}

/// One number as it is kept.
pub(super) struct Number {
    pub(super) count: CountName,
    pub(super) group: Group,
    pub(super) number: i64,
    pub(super) changed: Offset,
}

impl Book {
    /// The book as it was left, if it is one and of these counts.
    pub(super) async fn open(
        state: Arc<dyn State>,
        definition: &str,
    ) -> Result<Result<Self, Option<Head>>, Fault> {
        let found = state.get(vec![layout::head_key()]).await?.pop().flatten();
        let head = found.and_then(|bytes| layout::head(&bytes));
        let Some(head) = head else {
            clear(state.as_ref()).await?;
            return Ok(Err(None));
        };
        if head.definition != definition {
            return Ok(Err(Some(head)));
        }
        let mut book = Self { state, head, unsure: BTreeMap::new() };
        for (table, place) in book.tables() {
            let keys = book.scan(&layout::unsure_in(place)).await?;
            let keys: Result<BTreeSet<_>, _> =
                keys.iter().map(|(key, _)| layout::key_of(key)).collect();
            let keys = keys.map_err(damaged)?;
            if !keys.is_empty() {
                book.unsure.insert(table, keys);
            }
        }
        Ok(Ok(book))
    }

    /// A new book that begins here and is to be filled; what stood in the old one is cleared little
    /// by little.
    pub(super) async fn begin(
        state: Arc<dyn State>,
        definition: String,
        at: Offset,
        of: (BTreeSet<TableName>, BTreeSet<CountName>),
        before: Option<&Head>,
    ) -> Result<Self, Fault> {
        let mut head = Head::new(at.clone(), definition, before);
        for table in of.0 {
            let place = head.new_place();
            let (purpose, began) = (Purpose::Fill, at.clone());
            let pass = Pass::Under { purpose, began, upto: None, deleted: 0 };
            head.tables.insert(table, TableHead { place, pass });
        }
        for count in of.1 {
            let place = head.new_place();
            head.counts.insert(count, place);
        }
        let book = Self { state, head, unsure: BTreeMap::new() };
        book.state.write(vec![(layout::head_key(), Some(layout::head_bytes(&book.head)))]).await?;
        Ok(book)
    }

    /// Every number that is kept.
    pub(super) async fn numbers(&self) -> Result<Vec<Number>, Fault> {
        let mut numbers = Vec::new();
        for (count, place) in &self.head.counts {
            for (key, value) in self.scan(&layout::numbers_in(*place)).await? {
                let group = layout::group_of(&key).map_err(damaged)?;
                let (number, changed) = layout::number(&value).map_err(damaged)?;
                numbers.push(Number { count: count.clone(), group, number, changed });
            }
        }
        Ok(numbers)
    }

    /// What is remembered of these rows.
    pub(super) async fn fetch(
        &self,
        keys: &BTreeMap<TableName, BTreeSet<Key>>,
    ) -> Result<Memory, Fault> {
        let mut memory = Memory::new(Some(self.head.offset.clone()));
        for (table, keys) in keys {
            let Some(place) = self.head.tables.get(table).map(|table| table.place) else {
                continue;
            };
            let mut slab = Slab::default();
            keys.iter().for_each(|key| slab.put_memo_key(place, key));
            let found = self.state.get(slab.pieces().collect()).await?;
            for (key, found) in keys.iter().zip(found) {
                if let Some(bytes) = found {
                    memory.remember(table, key.clone(), layout::memo(&bytes).map_err(damaged)?);
                }
            }
        }
        Ok(memory)
    }

    /// The tables of which every row is known once a batch that touched these keys is written.
    pub(super) fn known_with(
        &self,
        outcome: &Outcome,
        touched: &BTreeMap<TableName, BTreeSet<Key>>,
    ) -> BTreeSet<TableName> {
        let is_known = |table: &TableName| {
            let unsure = self.unsure.get(table).into_iter().flatten();
            let touched = touched.get(table);
            let left = unsure.filter(|key| !touched.is_some_and(|touched| touched.contains(key)));
            let was_emptied = outcome.emptied.contains_key(table);
            (was_emptied || left.count() == 0) && !outcome.unknown.contains_key(table)
        };
        let tables = self.head.tables.iter();
        let known = tables.filter(|(name, head)| head.pass == Pass::Done && is_known(name));
        known.map(|(name, _)| name.clone()).collect()
    }

    /// Writes what a batch did, and that everything up to here is in it. The rows that are known
    /// again.
    pub(super) async fn write(
        &mut self,
        outcome: &Outcome,
        numbers: &BTreeMap<CountName, Changes>,
        touched: &BTreeMap<TableName, BTreeSet<Key>>,
        upto: &Offset,
    ) -> Result<Vec<(TableName, Key)>, Fault> {
        let (mut writes, mut settled) = (Vec::new(), Vec::new());
        for table in outcome.emptied.keys() {
            let place = self.head.new_place();
            if let Some(head) = self.head.tables.get_mut(table) {
                self.head.garbage.push(std::mem::replace(&mut head.place, place));
            }
            let unsure = self.unsure.remove(table).unwrap_or_default();
            settled.extend(unsure.into_iter().map(|key| (table.clone(), key)));
        }
        for (table, memos) in &outcome.memos {
            self.write_memos(table, memos, &mut writes);
        }
        for (table, keys) in touched {
            settled.extend(self.settle(table, keys, &mut writes));
        }
        for (table, keys) in &outcome.unknown {
            let Some(place) = self.head.tables.get(table).map(|table| table.place) else {
                continue;
            };
            for key in keys {
                writes.push((layout::unsure_key(place, key), Some(Bytes::new())));
                self.unsure.entry(table.clone()).or_default().insert(key.clone());
            }
        }
        for (count, changes) in numbers {
            let Some(place) = self.head.counts.get(count) else { continue };
            for (group, number) in changes {
                let value = layout::number_bytes(*number, upto);
                writes.push((layout::number_key(*place, group), Some(value)));
            }
        }
        self.clear_some(&mut writes).await?;
        self.head.offset = upto.clone();
        writes.push((layout::head_key(), Some(layout::head_bytes(&self.head))));
        self.state.write(writes).await?;
        settled.retain(|(table, key)| !self.is_unsure(table, key));
        Ok(settled)
    }

    /// Forgets numbers that are zero. What changed before this place is not known one by one any
    /// more, which is written together with it.
    pub(super) async fn forget(
        &mut self,
        groups: &[(CountName, Group)],
        upto: Offset,
    ) -> Result<(), Fault> {
        let place = |count| self.head.counts.get(count).copied();
        let gone = groups.iter().filter_map(|(count, group)| Some((place(count)?, group)));
        let gone = gone.map(|(place, group)| (layout::number_key(place, group), None));
        let mut writes: Vec<_> = gone.collect();
        self.head.began = self.head.began.clone().max(upto);
        writes.push((layout::head_key(), Some(layout::head_bytes(&self.head))));
        self.state.write(writes).await
    }

    /// How far each table has been read, under the name that its pass has.
    pub(super) fn passes(&self) -> BTreeMap<CopyName, Pass> {
        let tables = self.head.tables.iter();
        tables.map(|(name, table)| (layout::copy_of(name), table.pass.clone())).collect()
    }

    /// Whether every table has been read to its end.
    pub(super) fn is_complete(&self) -> bool {
        self.head.tables.values().all(|table| table.pass == Pass::Done)
    }

    /// Makes everything durable.
    pub(super) async fn sync(&self) -> Result<(), Fault> {
        self.state.sync().await
    }

    fn write_memos(
        &self,
        table: &TableName,
        memos: &BTreeMap<Key, Known>,
        writes: &mut Vec<(Bytes, Option<Bytes>)>,
    ) {
        let Some(place) = self.head.tables.get(table).map(|table| table.place) else { return };
        let mut slab = Slab::default();
        for (key, known) in memos {
            slab.put_memo_key(place, key);
            if let Known::Row(memo) = known {
                slab.put_memo(memo);
            }
        }
        let mut pieces = slab.pieces();
        for known in memos.values() {
            let key = pieces.next().expect("BUG: every key was put");
            let is_there = matches!(known, Known::Row(_));
            writes.push((key, if is_there { pieces.next() } else { None }));
        }
    }

    /// What a batch touched is known, or it says otherwise.
    fn settle(
        &mut self,
        table: &TableName,
        keys: &BTreeSet<Key>,
        writes: &mut Vec<(Bytes, Option<Bytes>)>,
    ) -> Vec<(TableName, Key)> {
        let mut settled = Vec::new();
        let Some(head) = self.head.tables.get(table) else { return settled };
        let Some(unsure) = self.unsure.get_mut(table) else { return settled };
        for key in keys.iter().filter(|key| unsure.remove(key)) {
            writes.push((layout::unsure_key(head.place, key), None));
            settled.push((table.clone(), key.clone()));
        }
        if unsure.is_empty() {
            self.unsure.remove(table);
        }
        settled
    }

    /// Whether the row is there but not known.
    fn is_unsure(&self, table: &TableName, key: &Key) -> bool {
        self.unsure.get(table).is_some_and(|keys| keys.contains(key))
    }

    /// Clears a little of what is no longer used.
    async fn clear_some(&mut self, writes: &mut Vec<(Bytes, Option<Bytes>)>) -> Result<(), Fault> {
        let Some(place) = self.head.garbage.last().copied() else { return Ok(()) };
        let before = writes.len();
        for prefix in layout::all_in(place) {
            let found = self.state.scan(prefix, None, SLICE).await?;
            writes.extend(found.into_iter().map(|(key, _)| (key, None)));
        }
        if writes.len() == before {
            self.head.garbage.pop();
        }
        Ok(())
    }

    fn tables(&self) -> Vec<(TableName, Place)> {
        self.head.tables.iter().map(|(name, table)| (name.clone(), table.place)).collect()
    }

    async fn scan(&self, prefix: &Bytes) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        let mut all: Vec<(Bytes, Bytes)> = Vec::new();
        loop {
            let after = all.last().map(|(key, _)| key.clone());
            let found = self.state.scan(prefix.clone(), after, SLICE).await?;
            let is_last = found.len() < SLICE;
            all.extend(found);
            if is_last {
                return Ok(all);
            }
        }
    }
}

/// Nobody knows which places are taken: none of them may be.
async fn clear(state: &dyn State) -> Result<(), Fault> {
    loop {
        let found = state.scan(Bytes::new(), None, SLICE).await?;
        if found.is_empty() {
            return Ok(());
        }
        state.write(found.into_iter().map(|(key, _)| (key, None)).collect()).await?;
    }
}

/// Bytes that state does not understand: it is to be rebuilt.
fn damaged(malformed: Malformed) -> Fault {
    Fault::stop(Code::StateDamaged, format!("row memory: {malformed}"))
}
