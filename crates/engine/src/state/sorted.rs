//! Sorted state: the store of one lane, in sorted files and a tail of recent writes.
//!
//! ```text
//!   write ──▶ tail file (a crash reads it back)          get, scan: newest first
//!        └──▶ delta, sorted, in memory  ──merge──▶  sheets, sorted files that never change
//!                                         └──────▶  list, the sheets that count
//! ```
//!
//! A change costs one append and one sorted insert. Once the delta has reached its bound, another
//! thread merges it into those sheets whose keys it touches, each file written once from begin to end,
//! while a new delta takes the writes. So rows that change all over a large table cost a sequential
//! rewrite from time to time, never a page each. `docs/formats/state.md` has the bytes.
//!
//! Must not know: what keys and values mean.

mod bounds;
mod cursor;
mod delta;
mod folder;
mod list;
mod merge;
mod pack;
mod sheet;
mod store;
mod tail;
mod trouble;
mod wire;

pub use bounds::StateBounds;
pub use folder::SetAside;

use crate::state::State;
use async_trait::async_trait;
use bytes::Bytes;
use model::Fault;
use std::path::Path;
use store::Store;
use worker::Worker;

/// A store in a directory of its own. Dropping it ends its thread and frees its lock.
#[derive(Debug)]
pub struct SortedState {
    worker: Worker<Store>,
}

/// A store that was opened, and what had to be put away for it.
#[derive(Debug)]
pub struct OpenedState {
    /// The store.
    pub store: SortedState,
    /// What stood there and could not be read: the store is then empty and has to be filled again.
    pub aside: Option<SetAside>,
}

impl SortedState {
    /// Opens the store in this directory, which is made if it is not there. Files that are damaged,
    /// or that a newer version wrote, are moved aside, and an empty store is begun.
    pub async fn open(dir: &Path, bounds: StateBounds) -> Result<OpenedState, Fault> {
        let dir = dir.to_owned();
        let (worker, aside) = Worker::open("state", move || Store::open(dir, bounds)).await?;
        Ok(OpenedState { store: Self { worker }, aside })
    }
}

#[async_trait]
impl State for SortedState {
    async fn get(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, Fault> {
        self.worker.run(move |store| store.get(&keys)).await
    }

    async fn scan(
        &self,
        prefix: Bytes,
        after: Option<Bytes>,
        most: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        self.worker.run(move |store| store.scan(&prefix, after.as_deref(), most)).await
    }

    async fn write(&self, writes: Vec<(Bytes, Option<Bytes>)>) -> Result<(), Fault> {
        self.worker.run(move |store| store.write(&writes)).await
    }

    async fn sync(&self) -> Result<(), Fault> {
        self.worker.run(Store::sync).await
    }
}
