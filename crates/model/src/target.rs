//! Port: a target, anything that changes are applied to.

use crate::batch::{Batch, Hold, Mode, Outcome, Pass};
use crate::fault::Fault;
use crate::position::{CopyName, Epoch, Lane, Watermark};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One connection to a target.
///
/// `apply` with `last` makes all writes since the previous `last` and the watermark visible at
/// once; a refused or dropped target transaction leaves nothing. Under the weaker claims a row is
/// written only if its version is newer, and the watermark after the rows. A `Retry` fault says
/// nothing about whether the batch was written, or still will be: ask `standing` on a new
/// connection that leads, after which no batch of an older epoch is taken (`Superseded`), however
/// late it arrives. A batch without writes asks for its watermark to be made durable, which
/// the answer to a later one may say. A copy that
/// several lanes feed keeps each row's lane: a delete or truncate spares the rows of other lanes,
/// and a write that meets one is refused.
#[async_trait]
pub trait Target: Send {
    /// What this target can promise.
    fn claim(&self) -> Claim;

    /// Takes or renews the lease under which the lane is written to this target. Stands by itself,
    /// also while a target transaction is open. Lanes that feed one target are led each by itself.
    async fn lead(&mut self, lane: &Lane, tenure: &Tenure) -> Result<Leadership, Fault>;

    /// Where the lane stands in the target, as its store has it.
    async fn standing(&mut self, lane: &Lane) -> Result<Standing, Fault>;

    /// Writes a batch and its watermark.
    async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault>;
}

/// Where a lane stands in a target; one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Up to where the target holds every effect of the lane.
    pub watermark: Option<Watermark>,
    /// The keys of the lane that are held.
    pub holds: Vec<Hold>,
    /// How far each copy has been passed over; a copy that never began is not there.
    pub passes: BTreeMap<CopyName, Pass>,
    /// The copies whose rows refer to rows of others, which have to be there first.
    pub refers: BTreeMap<CopyName, BTreeSet<CopyName>>,
}

/// What a target can promise about a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A batch and its watermark are one transaction.
    Transactional,
    /// Each row carries its version, and only a newer one wins.
    Versioned,
    /// The receiver drops what it has seen, by its idempotency key.
    Idempotent,
}

/// Who wants to lead a target, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// The instance.
    pub instance: String,
    /// The run of that instance, rising with every start. A later run takes over from an earlier
    /// one at once; an earlier one has to wait as any other instance has.
    pub run: u64,
    /// The connection within the run, rising likewise: a later one takes over from an earlier one,
    /// so that what the earlier one has under way is fenced off.
    pub connection: u64,
    /// How long the lease lasts from now, by the target's clock.
    pub lasting: Duration,
}

/// How a target answered `lead`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// The asker leads under this epoch, higher than any before it.
    Held(Epoch),
    /// Another instance leads.
    Elsewhere {
        /// Which one.
        instance: String,
        /// How long its lease lasts if it is not renewed.
        remaining: Duration,
    },
}
