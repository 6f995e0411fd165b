//! State: one store per lane for what can be computed again from the source: row memory and counts.
//!
//! Kept beside the lane's offset, which is written as one more key: whatever a crash leaves is what
//! stood at some offset. Must not know: what keys and values mean.

pub(crate) mod sorted;

use async_trait::async_trait;
use bytes::Bytes;
use model::Fault;

/// Sorted keys and values. After a crash the store holds what some prefix of the whole `write`s
/// left, at least all before the last `sync`.
#[async_trait]
pub trait State: Send + Sync {
    /// The values of these keys, in their order.
    async fn get(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, Fault>;

    /// Entries whose key begins with `prefix`, in key order, those after `after` if given, at most
    /// `most`.
    async fn scan(
        &self,
        prefix: Bytes,
        after: Option<Bytes>,
        most: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault>;

    /// Writes all of it at once (None deletes): seen by every call after it, durable after the next
    /// `sync`.
    async fn write(&self, writes: Vec<(Bytes, Option<Bytes>)>) -> Result<(), Fault>;

    /// Everything written before survives a crash.
    async fn sync(&self) -> Result<(), Fault>;
}
