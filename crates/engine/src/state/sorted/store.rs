//! Store: what the thread of one store does, call by call.
//!
//! After the first failure of the disk nobody knows what is on it, so every later call fails like
//! the first until the store is opened again. Only what found no room has left nothing behind: a
//! write may be made again, and a merge begins again with the next call.

use super::bounds::StateBounds;
use super::cursor::Cursor;
use super::delta::Delta;
use super::folder::{Folder, SetAside, sheet_name, sync_names, tail_name};
use super::list::{self, List};
use super::merge::Merge;
use super::sheet::{Loaded, Sheet};
use super::tail::Tail;
use super::trouble::disk;
use bytes::Bytes;
use model::{Code, Fate, Fault};
use std::collections::BTreeSet;
use std::ops::{Bound, RangeInclusive};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

/// The parts of an open store.
#[derive(Debug)]
pub(crate) struct Store {
    folder: Folder,
    bounds: StateBounds,
    sheets: Vec<Arc<Sheet>>,
    /// The writes that are being merged.
    merging: Option<Merging>,
    delta: Delta,
    tail: Tail,
    /// A block that was read last: keys in order often meet it again.
    loaded: Loaded,
    /// The failure after which nothing is done any more.
    failed: Option<(Code, String)>,
}

/// A merge, and the thread that it is on; none while it waits for room.
#[derive(Debug)]
struct Merging {
    merge: Arc<Merge>,
    work: Option<JoinHandle<Merged>>,
}

/// The sheets after a merge; none if it was abandoned.
type Merged = Result<Option<Vec<Arc<Sheet>>>, Fault>;

impl Store {
    /// Opens the store; what cannot be read is set aside.
    pub(crate) fn open(
        dir: PathBuf,
        bounds: StateBounds,
    ) -> Result<(Self, Option<SetAside>), Fault> {
        let folder = Folder::open(dir)?;
        let (parts, aside) = match read(&folder) {
            Ok(Some(parts)) => (parts, None),
            Ok(None) => (begin(&folder)?, None),
            Err(fault) if fault.code == Code::StateDamaged => {
                let aside = folder.set_aside(&fault)?;
                (begin(&folder)?, Some(aside))
            }
            Err(fault) => return Err(fault),
        };
        let Parts { sheets, delta, tail } = parts;
        let (merging, loaded, failed) = (None, Loaded::default(), None);
        let store = Self { folder, bounds, sheets, merging, delta, tail, loaded, failed };
        Ok((store, aside))
    }

    pub(crate) fn get(&mut self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, Fault> {
        self.checked(|store| {
            let mut order: Vec<_> = keys.iter().enumerate().collect();
            // The way to one key is most of the way to the next.
            order.sort_unstable_by_key(|(_, key)| *key);
            let mut found = vec![None; keys.len()];
            for (place, key) in order {
                found[place] = store.get_one(key)?;
            }
            Ok(found)
        })
    }

    pub(crate) fn scan(
        &mut self,
        prefix: &[u8],
        after: Option<&[u8]>,
        most: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        self.checked(|store| store.walk(prefix, after, most))
    }

    pub(crate) fn write(&mut self, writes: &[(Bytes, Option<Bytes>)]) -> Result<(), Fault> {
        self.checked(|store| {
            // Memory and tail do not grow while a merge that is due has no room.
            store.make_room()?;
            store.tail.append(writes)?;
            let mut order: Vec<_> = writes.iter().collect();
            // Of writes to one key the last stays the last.
            order.sort_by_key(|(key, _)| key);
            for (key, value) in order {
                store.delta.set(key, value.as_deref());
            }
            match store.make_room() {
                // These are written; the next ones wait.
                Err(fault) if fault.fate == Fate::Retry => Ok(()),
                done => done,
            }
        })
    }

    pub(crate) fn sync(&mut self) -> Result<(), Fault> {
        self.checked(|store| store.tail.sync())
    }

    /// Does the work unless the store has failed, and remembers if it fails now.
    fn checked<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if let Some((code, what)) = &self.failed {
            return Err(Fault::stop(*code, what.clone()));
        }
        let done = match &self.merging {
            Some(Merging { work: Some(work), .. }) if work.is_finished() => self.end_merge(),
            Some(Merging { work: None, .. }) => self.start_merge(),
            _ => Ok(()),
        };
        let answer = done.and_then(|()| work(self));
        if let Err(fault) = &answer
            && fault.fate != Fate::Retry
        {
            self.failed = Some((fault.code, fault.what.clone()));
            if fault.code == Code::StateDamaged {
                list::mark_broken(self.folder.path());
            }
        }
        answer
    }

    fn get_one(&mut self, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        let older = self.merging.as_ref().map(|merging| &merging.merge.delta);
        let known = self.delta.get(key).or_else(|| older?.get(key));
        if let Some(known) = known {
            return Ok(known.map(Bytes::copy_from_slice));
        }
        let after = self.sheets.partition_point(|sheet| sheet.first_key() <= key);
        match after.checked_sub(1) {
            Some(sheet) => self.sheets[sheet].get(key, &mut self.loaded),
            None => Ok(None),
        }
    }

    fn walk(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        most: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        let after = after.filter(|after| *after >= prefix);
        let from = after.map_or(Bound::Included(prefix), Bound::Excluded);
        let older = self
            .merging
            .iter()
            .flat_map(|merging| merging.merge.delta.range(from, Bound::Unbounded));
        let mut newer = self.delta.range(from, Bound::Unbounded).peekable();
        let mut older = older.peekable();
        let mut sheets = Cursor::seek(&self.sheets, after.unwrap_or(prefix))?;
        if sheets.entry().is_some_and(|(key, _)| Some(key) == after) {
            sheets.advance()?;
        }
        let mut found = Vec::new();
        while found.len() < most {
            let heads = [newer.peek().map(|write| write.0), older.peek().map(|write| write.0)];
            let old = sheets.entry();
            let least = heads.into_iter().flatten().chain(old.map(|old| old.0)).min();
            let Some(key) = least.filter(|key| key.starts_with(prefix)) else {
                break;
            };
            let key = Bytes::copy_from_slice(key);
            let old = old.filter(|old| old.0 == key).map(|old| Bytes::copy_from_slice(old.1));
            let middle = older.next_if(|write| write.0 == key);
            let top = newer.next_if(|write| write.0 == key);
            if old.is_some() {
                sheets.advance()?;
            }
            let value = match top.or(middle) {
                Some((_, value)) => value.map(Bytes::copy_from_slice),
                None => old,
            };
            found.extend(value.map(|value| (key, value)));
        }
        Ok(found)
    }

    /// Begins a merge if as much was written as may wait for one.
    fn make_room(&mut self) -> Result<(), Fault> {
        let sheets = self.sheets.iter().map(|sheet| sheet.bytes).sum();
        let is_full = self.delta.bytes() >= self.bounds.delta_bytes(sheets)
            || self.tail.length() >= self.bounds.tail_bytes_max;
        if is_full { self.begin_merge() } else { Ok(()) }
    }

    /// Hands the delta to a merge and begins the next tail. Waits for the merge before, if there
    /// still is one: memory holds two deltas and no more.
    fn begin_merge(&mut self) -> Result<(), Fault> {
        self.end_merge()?;
        // The next tail may only have a record once this one is durable as a whole.
        self.tail.sync()?;
        let dir = self.folder.path().to_owned();
        self.tail = Tail::create(&dir, self.tail.number() + 1)?;
        sync_names(&dir)?;
        let merge = Merge {
            dir,
            bounds: self.bounds,
            sheets: self.sheets.clone(),
            delta: std::mem::take(&mut self.delta),
            first_tail: self.tail.number(),
            abandoned: AtomicBool::new(false),
        };
        self.merging = Some(Merging { merge: Arc::new(merge), work: None });
        self.start_merge()
    }

    /// Puts a merge that waits on its thread.
    fn start_merge(&mut self) -> Result<(), Fault> {
        let Some(merging) = self.merging.as_mut().filter(|merging| merging.work.is_none()) else {
            return Ok(());
        };
        let merge = merging.merge.clone();
        let work = Builder::new().name("state-merge".to_owned()).spawn(move || merge.run());
        merging.work = Some(work.map_err(disk("start a merge in", self.folder.path()))?);
        Ok(())
    }

    /// Waits for the merge, if there is one, and reads from its sheets from now on. One that found
    /// no room is begun anew, and what it has written is taken away.
    fn end_merge(&mut self) -> Result<(), Fault> {
        self.start_merge()?;
        let Some(mut merging) = self.merging.take() else {
            return Ok(());
        };
        let panicked =
            |_| Err(Fault::stop(Code::Broken, "a merge of state ended without an answer"));
        let merged = merging.work.take().map(|work| work.join().unwrap_or_else(panicked));
        let tail = self.tail.number();
        match merged.expect("BUG: a merge that was started has a thread") {
            Ok(merged) => {
                self.sheets = merged.expect("BUG: only a dropped store abandons its merge");
                self.loaded = Loaded::default();
                sweep(&self.folder, &self.sheets, tail..=tail)
            }
            Err(fault) if fault.fate == Fate::Retry => {
                self.merging = Some(merging);
                sweep(&self.folder, &self.sheets, tail - 1..=tail)?;
                Err(fault)
            }
            Err(fault) => Err(fault),
        }
    }
}

impl Drop for Store {
    /// What was being merged is in the tail, too, and is merged another time.
    fn drop(&mut self) {
        if let Some(merging) = self.merging.take() {
            merging.merge.abandoned.store(true, Ordering::Relaxed);
            // Whatever it answers is of no use any more.
            let _ = merging.work.map(JoinHandle::join);
        }
    }
}

/// What the files of a store hold.
struct Parts {
    sheets: Vec<Arc<Sheet>>,
    delta: Delta,
    tail: Tail,
}

/// Reads the files, if a store was begun here, and removes what a crash has left of a merge.
fn read(folder: &Folder) -> Result<Option<Parts>, Fault> {
    let dir = folder.path();
    let Some(list) = List::read(dir)? else {
        return Ok(None);
    };
    let open = |(number, bytes)| Sheet::open(dir, number, bytes).map(Arc::new);
    let sheets = list.sheets.into_iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let mut delta = Delta::default();
    let mut number = list.first_tail;
    loop {
        let last = !dir.join(tail_name(number + 1)).exists();
        let tail = Tail::replay(dir, number, last, &mut delta)?;
        if last {
            sweep(folder, &sheets, list.first_tail..=number)?;
            return Ok(Some(Parts { sheets, delta, tail }));
        }
        number += 1;
    }
}

/// Begins an empty store. The list is written last: without it nothing else counts.
fn begin(folder: &Folder) -> Result<Parts, Fault> {
    folder.sweep(|_| false)?;
    let tail = Tail::create(folder.path(), 1)?;
    List { first_tail: tail.number(), sheets: Vec::new() }.write(folder.path())?;
    Ok(Parts { sheets: Vec::new(), delta: Delta::default(), tail })
}

/// Removes the files that the store does not need any more.
fn sweep(folder: &Folder, sheets: &[Arc<Sheet>], tails: RangeInclusive<u64>) -> Result<(), Fault> {
    let sheets = sheets.iter().map(|sheet| sheet_name(sheet.number));
    let mut needed: BTreeSet<String> = sheets.chain(tails.map(tail_name)).collect();
    needed.insert(list::NAME.to_owned());
    folder.sweep(|name| needed.contains(name))
}
