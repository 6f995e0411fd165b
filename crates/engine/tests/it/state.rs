//! A state store in memory: what was not synced can be lost.

use async_trait::async_trait;
use bytes::Bytes;
use instep_engine::State;
use model::Fault;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::sleep;

type Entries = BTreeMap<Bytes, Bytes>;

/// Sorted keys and values, as they are and as they would be after a crash.
#[derive(Debug, Default)]
pub(crate) struct MemoryState(Mutex<(Entries, Entries)>, AtomicU64);

impl MemoryState {
    /// A write takes so many milliseconds.
    pub(crate) fn slow_down(&self, milliseconds: u64) {
        self.1.store(milliseconds, Ordering::SeqCst);
    }

    /// What was not synced is lost.
    pub(crate) fn crash(&self) {
        let mut kept = self.0.lock().expect("no panic");
        kept.0 = kept.1.clone();
    }

    /// Everything is lost.
    pub(crate) fn lose(&self) {
        *self.0.lock().expect("no panic") = Default::default();
    }

    /// Changes what is kept behind Instep's back.
    pub(crate) fn tamper(&self, change: impl FnOnce(&mut Entries)) {
        change(&mut self.0.lock().expect("no panic").0);
    }
}

#[async_trait]
impl State for MemoryState {
    async fn get(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, Fault> {
        let kept = self.0.lock().expect("no panic");
        Ok(keys.iter().map(|key| kept.0.get(key).cloned()).collect())
    }

    async fn scan(
        &self,
        prefix: Bytes,
        after: Option<Bytes>,
        most: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        let kept = self.0.lock().expect("no panic");
        let from = kept.0.range(after.clone().unwrap_or_else(|| prefix.clone())..);
        let behind = from.filter(|(key, _)| after.as_ref() != Some(*key));
        let within = behind.take_while(|(key, _)| key.starts_with(&prefix));
        Ok(within.take(most).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    async fn write(&self, writes: Vec<(Bytes, Option<Bytes>)>) -> Result<(), Fault> {
        match self.1.load(Ordering::SeqCst) {
            0 => {}
            slow => sleep(Duration::from_millis(slow)).await,
        }
        let mut kept = self.0.lock().expect("no panic");
        for (key, value) in writes {
            match value {
                Some(value) => kept.0.insert(key, value),
                None => kept.0.remove(&key),
            };
        }
        Ok(())
    }

    async fn sync(&self) -> Result<(), Fault> {
        let mut kept = self.0.lock().expect("no panic");
        kept.1 = kept.0.clone();
        Ok(())
    }
}
