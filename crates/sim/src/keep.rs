//! What a process keeps beside its journal: the catalog and the state of each lane, both as weak
//! as real ones are. A process that has lost the disk has lost these as well.

use crate::mount::Mount;
use crate::oracle::Incarnations;
use crate::random::Random;
use crate::trace::Trace;
use async_trait::async_trait;
use bytes::Bytes;
use engine::{Catalog, History, State};
use model::{Code, Fault, Identity, Lane, Offset, TargetName};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// The catalog of an instance: each call is durable when it returns.
#[derive(Debug, Default)]
pub struct Notes(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    histories: BTreeMap<Lane, History>,
    adopted: BTreeMap<Lane, Identity>,
    allowed: BTreeMap<(Lane, TargetName), u64>,
    /// Where each history began.
    began: BTreeMap<Lane, Vec<Offset>>,
    /// Told of each history that begins.
    incarnations: BTreeMap<Lane, (Incarnations, Trace)>,
}

impl Notes {
    /// How many lanes have begun their history.
    pub fn count(&self) -> usize {
        self.lock().histories.len()
    }

    /// Where histories of the lane began.
    pub fn began(&self, lane: &Lane) -> Vec<Offset> {
        self.lock().began.get(lane).cloned().unwrap_or_default()
    }

    /// Everything is lost.
    pub fn lose(&self) {
        let mut kept = self.lock();
        kept.histories.clear();
        kept.adopted.clear();
        kept.allowed.clear();
    }

    /// Histories of the lane are told to the oracle when they begin.
    pub fn tell(&self, lane: &Lane, incarnations: Incarnations, trace: &Trace) {
        self.lock().incarnations.insert(lane.clone(), (incarnations, trace.clone()));
    }

    /// A person says that this server is the right one.
    pub fn adopt(&self, lane: &Lane, identity: &str) {
        self.lock().adopted.insert(lane.clone(), identity.into());
    }

    /// A person allows deletes without bound.
    pub fn allow(&self, lane: &Lane, target: &TargetName) {
        self.lock().allowed.insert((lane.clone(), target.clone()), u64::MAX);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One process's handle on the catalog.
pub struct NotesOf {
    notes: Arc<Notes>,
    mount: Mount,
}

impl NotesOf {
    /// A handle that works as long as the mount does.
    pub fn new(notes: Arc<Notes>, mount: Mount) -> Arc<Self> {
        Arc::new(Self { notes, mount })
    }

    fn kept(&self) -> Result<MutexGuard<'_, Kept>, Fault> {
        if self.mount.is_cut_off() {
            return Err(Fault::retry(Code::JournalDisk, "the disk is gone"));
        }
        Ok(self.notes.lock())
    }
}

#[async_trait]
impl Catalog for NotesOf {
    async fn history(&self, lane: &Lane) -> Result<Option<History>, Fault> {
        Ok(self.kept()?.histories.get(lane).cloned())
    }

    async fn begin(&self, lane: &Lane, history: &History) -> Result<(), Fault> {
        let mut kept = self.kept()?;
        if let Some((incarnations, trace)) = kept.incarnations.get(lane) {
            trace.note(format_args!(
                "{lane}: {:?} begins at {:?}",
                history.incarnation, history.began
            ));
            incarnations.begins(history.incarnation);
        }
        let began = Offset::whole(history.incarnation, history.began.clone());
        kept.began.entry(lane.clone()).or_default().push(began);
        kept.histories.insert(lane.clone(), history.clone());
        kept.adopted.remove(lane);
        kept.allowed.retain(|(of, _), _| of != lane);
        Ok(())
    }

    async fn renew(&self, lane: &Lane, witness: &Bytes) -> Result<(), Fault> {
        if let Some(history) = self.kept()?.histories.get_mut(lane) {
            history.witness.clone_from(witness);
        }
        Ok(())
    }

    async fn adopt(&self, lane: &Lane, identity: &Identity) -> Result<(), Fault> {
        self.kept()?.adopted.insert(lane.clone(), identity.clone());
        Ok(())
    }

    async fn adopted(&self, lane: &Lane) -> Result<Option<Identity>, Fault> {
        Ok(self.kept()?.adopted.get(lane).cloned())
    }

    async fn allow_deletes(
        &self,
        lane: &Lane,
        target: &TargetName,
        rows: u64,
    ) -> Result<(), Fault> {
        self.kept()?.allowed.insert((lane.clone(), target.clone()), rows);
        Ok(())
    }

    async fn deletes_allowed(&self, lane: &Lane, target: &TargetName) -> Result<u64, Fault> {
        Ok(self.kept()?.allowed.get(&(lane.clone(), target.clone())).copied().unwrap_or(0))
    }
}

type Entries = BTreeMap<Bytes, Bytes>;
type Write = Vec<(Bytes, Option<Bytes>)>;

/// What is stored of a lane's state, and what of it would survive a loss of power.
#[derive(Debug, Default)]
pub struct Stored(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    now: Entries,
    synced: Entries,
    unsynced: Vec<Write>,
}

impl Stored {
    /// The power goes: what was not synced is there up to some write.
    pub fn lose_power(&self, draw: &mut dyn FnMut(u64) -> u64) {
        let mut contents = self.lock();
        let kept = draw(contents.unsynced.len() as u64 + 1);
        let unsynced = std::mem::take(&mut contents.unsynced);
        let mut now = contents.synced.clone();
        for write in unsynced.into_iter().take(usize::try_from(kept).unwrap_or(0)) {
            put(&mut now, write);
        }
        contents.synced.clone_from(&now);
        contents.now = now;
    }

    /// Everything is lost.
    pub fn lose(&self) {
        *self.lock() = Contents::default();
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put(entries: &mut Entries, write: Write) {
    for (key, value) in write {
        match value {
            Some(value) => entries.insert(key, value),
            None => entries.remove(&key),
        };
    }
}

/// One process's handle on a lane's state.
pub struct StateOf {
    stored: Arc<Stored>,
    mount: Mount,
    delays: Mutex<Random>,
}

impl StateOf {
    /// A handle that works as long as the mount does.
    pub fn new(stored: Arc<Stored>, mount: Mount, seed: u64) -> Arc<Self> {
        let delays = Mutex::new(Random::stream(seed, "state delays"));
        Arc::new(Self { stored, mount, delays })
    }

    async fn contents(&self) -> Result<MutexGuard<'_, Contents>, Fault> {
        let millis = {
            let mut delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner);
            if delays.chance(200) { delays.below(8) } else { 0 }
        };
        if millis > 0 {
            sleep(Duration::from_millis(millis)).await;
        }
        if self.mount.is_cut_off() {
            return Err(Fault::retry(Code::StateDisk, "the disk is gone"));
        }
        Ok(self.stored.lock())
    }
}

#[async_trait]
impl State for StateOf {
    async fn get(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, Fault> {
        let contents = self.contents().await?;
        Ok(keys.iter().map(|key| contents.now.get(key).cloned()).collect())
    }

    async fn scan(
        &self,
        prefix: Bytes,
        after: Option<Bytes>,
        most: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        let contents = self.contents().await?;
        let from = contents.now.range(prefix.clone()..);
        let found = from.take_while(|(key, _)| key.starts_with(&prefix));
        let behind = |key: &Bytes| after.as_ref().is_none_or(|after| key > after);
        let found = found.filter(|(key, _)| behind(key)).take(most);
        Ok(found.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    async fn write(&self, writes: Vec<(Bytes, Option<Bytes>)>) -> Result<(), Fault> {
        let mut contents = self.contents().await?;
        put(&mut contents.now, writes.clone());
        contents.unsynced.push(writes);
        Ok(())
    }

    async fn sync(&self) -> Result<(), Fault> {
        let mut contents = self.contents().await?;
        contents.unsynced.clear();
        contents.synced = contents.now.clone();
        Ok(())
    }
}
