//! Catalog: the durable notes that are neither data nor a watermark.

use async_trait::async_trait;
use model::{Fault, Identity, Incarnation, Lane, Position};

/// Keeps what cannot be computed again. Each call is durable when it returns.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// The history that the lane follows, if it has begun.
    async fn history(&self, lane: &Lane) -> Result<Option<History>, Fault>;

    /// A new history begins for the lane.
    async fn begin(&self, lane: &Lane, history: &History) -> Result<(), Fault>;
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
}
