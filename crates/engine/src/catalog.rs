//! Catalog: the durable notes that are neither data nor a watermark.

pub(crate) mod sqlite;

use async_trait::async_trait;
use bytes::Bytes;
use model::{Bounds, Fault, Identity, Incarnation, Lane, Offset, Position, TargetName};

/// Keeps what cannot be computed again. Each call is durable when it returns.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// The history that the lane follows, if it has begun.
    async fn history(&self, lane: &Lane) -> Result<Option<History>, Fault>;

    /// The number of a history before which nothing is known: above each that an earlier catalog has
    /// given, which was lost. Targets may still stand in one of those, and have to be told apart from
    /// what begins now. A catalog that is never lost begins with 1.
    async fn first(&self) -> Result<Incarnation, Fault> {
        Ok(Incarnation(1))
    }

    /// A new history begins for the lane.
    async fn begin(&self, lane: &Lane, history: &History) -> Result<(), Fault>;

    /// The lane's history is known by another witness from now on, and is the same.
    async fn renew(&self, lane: &Lane, witness: &Bytes) -> Result<(), Fault>;

    /// A person has said that the server of this identity is the right one from now on.
    async fn adopt(&self, lane: &Lane, identity: &Identity) -> Result<(), Fault>;

    /// The identity that a person has adopted since the lane's history began.
    async fn adopted(&self, lane: &Lane) -> Result<Option<Identity>, Fault>;

    /// A person allows a pass over this target to delete so many rows in the lane's history.
    async fn allow_deletes(&self, lane: &Lane, target: &TargetName, rows: u64)
    -> Result<(), Fault>;

    /// How many rows a pass over this target may delete by a person's word in this history.
    async fn deletes_allowed(&self, lane: &Lane, target: &TargetName) -> Result<u64, Fault>;
}

/// One unbroken history of a source: which server, and from where on it is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Its number; rises when history was lost.
    pub incarnation: Incarnation,
    /// The server that it belongs to; another one is refused.
    pub identity: Identity,
    /// Where following began.
    pub began: Position,
    /// What the source gave to know that place by.
    pub witness: Bytes,
}

impl History {
    /// Where it begins.
    pub(crate) fn beginning(&self) -> Offset {
        Offset::whole(self.incarnation, self.began.clone())
    }

    /// Where a log ends in this history; nowhere as long as the log does not say that it began.
    pub(crate) fn end_of(&self, bounds: &Bounds) -> Option<Offset> {
        let began = self.beginning();
        match &bounds.last {
            None => Some(began),
            Some(last) => {
                let is_in =
                    (last.incarnation, &last.position) >= (began.incarnation, &began.position);
                is_in.then(|| last.clone())
            }
        }
    }
}
