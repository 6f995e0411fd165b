//! Port: a source, where the truth of some tables lives.

use crate::change::Change;
use crate::code::Code;
use crate::entry::Commit;
use crate::fault::Fault;
use crate::position::{Place, Position, TransactionId};
use async_trait::async_trait;
use bytes::Bytes;

/// Follows the committed changes of one source shard.
///
/// After `start` answers `Resumed`, the steps hold every transaction after the given place, in
/// commit order, each once; transactions that were not confirmed may come again before them. Parts
/// of transactions still open may come between those of others; a transaction counts only with its
/// commit. Positions of commits rise, and no transaction comes at or below a progress before it.
/// Dropping a future loses nothing that was not returned. The source keeps enough of what was
/// confirmed to tell whether the last transaction that we have is still a part of its history; if
/// it finds only afterwards that it is not, it fails before anything new, and the next start says so.
#[async_trait]
pub trait Source: Send {
    /// Starts after the given place, or wherever the source begins if there is none.
    async fn start(&mut self, after: Option<&Resume>) -> Result<Started, Fault>;

    /// The next step; waits until there is one.
    async fn next(&mut self) -> Result<Step, Fault>;

    /// The log holds everything up to here durably: the source may forget it. Never blocks.
    fn confirm(&self, position: &Position);

    /// Somebody waits for a position: if the source is idle, a step is to come that lies behind
    /// everything committed by now. Where that takes a marker, the source writes at most one a
    /// second. It is said again and again as long as somebody waits. Never blocks.
    fn mark(&self);

    /// What became known beside the steps since this was asked last. Never blocks.
    fn news(&mut self) -> News {
        News::default()
    }
}

/// What became known of a source beside its steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// What its history is to be known by from now on, in place of the witness that was noted.
    pub witness: Option<Bytes>,
    /// What a person should know.
    pub notices: Vec<(Code, String)>,
    /// How many bytes the source keeps because of us.
    pub retained_bytes: Option<u64>,
}

/// Where a source is to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// After this place.
    pub place: Place,
    /// The last transaction that we have, at or before the place; the place's own witness speaks
    /// if there is none. If the source has another one there, or none, it was restored, and what
    /// follows the place is not what followed then.
    pub last: Option<Commit>,
}

/// How a source answered `start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// Going on right after the place that was asked for.
    Resumed,
    /// There was no place to go on from; following begins here.
    Fresh(Place),
    /// What comes after the place is gone, or this is another server. Nothing follows until the
    /// source is started anew; it could begin at `now`.
    Lost {
        /// Why, with the facts at hand.
        why: String,
        /// Whether places of before still mean what they meant, so that only a stretch is missing;
        /// not so where the server was restored.
        same_history: bool,
        /// Where following could begin.
        now: Place,
    },
}

/// What a source hands over next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Some changes of a transaction whose end is not known yet, at most `part_bytes_max` of them.
    Part {
        /// The transaction.
        transaction: TransactionId,
        /// The sub-transaction within it; the transaction itself if there is none.
        sub: TransactionId,
        /// The changes, in order.
        changes: Vec<Change>,
    },
    /// The transaction is committed; its parts came before.
    Commit {
        /// The transaction.
        transaction: TransactionId,
        /// Where it stands in the source.
        position: Position,
        /// When, in microseconds since 1970 by the source's clock.
        committed_at: i64,
    },
    /// The sub-transaction is rolled back; so is the whole if it names the transaction itself.
    Abort {
        /// The transaction.
        transaction: TransactionId,
        /// What is rolled back.
        sub: TransactionId,
    },
    /// Nothing to hand over up to here.
    Progress {
        /// How far the source has come.
        position: Position,
        /// The source's clock, in microseconds since 1970.
        source_time: i64,
    },
}
