//! What one instance brings forward, and how all of it is run.

use crate::count::Count;
use crate::pipeline::Pipeline;
use crate::push::{CountedShard, Push};
use crate::task::Stop;
use model::{CopyName, CountName, Log, Position, TableName, TargetName};
use std::fmt;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Everything that one instance brings forward.
pub struct Works {
    /// The sources.
    pub sources: Vec<Followed>,
    /// The copies, in the order of the configuration.
    pub copies: Vec<KeptCopy>,
    /// The counts, in the order of the configuration.
    pub counts: Vec<KeptCount>,
    /// Where changes are kept until every group has them.
    pub log: Arc<dyn Log>,
}

/// A source.
pub struct Followed {
    /// Its name.
    pub name: Arc<str>,
    /// Its shards, in the order of the configuration.
    pub shards: Vec<Shard>,
}

/// One shard of a source.
pub struct Shard {
    /// The service that it lives in.
    pub service: Arc<str>,
    /// The lane.
    pub pipeline: Pipeline,
    /// How people write its positions.
    pub tokens: Tokens,
}

/// A copy, over all shards of its source.
pub struct KeptCopy {
    /// Its name.
    pub name: CopyName,
    /// Which source it is of.
    pub source: usize,
    /// The table that it is of.
    pub of: TableName,
    /// Service and table that it is in, as the configuration says it.
    pub to: Arc<str>,
    /// The group that brings it forward in every lane of the source.
    pub group: TargetName,
}

/// A count, over all shards of its source.
pub struct KeptCount {
    /// Which source it is over.
    pub source: usize,
    /// What is counted.
    pub count: Count,
    /// The stores that it is pushed to.
    pub pushes: Vec<Push>,
}

/// How people write the positions of a source.
#[derive(Clone, Copy, Debug)]
pub struct Tokens {
    /// A position in writing.
    pub write: fn(&Position) -> String,
    /// A position from writing, unless it is none.
    pub read: fn(&str) -> Option<Position>,
}

impl Shard {
    /// The shard as one that a pushed count is over; none where nothing is counted.
    pub fn counted(&self) -> Option<CountedShard> {
        Some(CountedShard {
            service: self.service.clone(),
            numbers: self.pipeline.counting.as_ref()?.numbers.clone(),
            board: self.pipeline.board.clone(),
            write: self.tokens.write,
        })
    }
}

impl Works {
    /// Brings everything forward until a stop is asked for and every task has ended, or the time
    /// for that is up. Not to be run twice over one opened log.
    pub async fn run(&self, stop: &Stop) {
        let mut running = JoinSet::new();
        for shard in self.sources.iter().flat_map(|source| &source.shards) {
            running.spawn(shard.pipeline.clone().run(stop.clone()));
        }
        for push in self.counts.iter().flat_map(|count| &count.pushes) {
            running.spawn(push.clone().run(stop.clone()));
        }
        while running.join_next().await.is_some() {}
    }

    pub(super) fn shards(&self, source: usize) -> &[Shard] {
        self.sources.get(source).map_or(&[], |source| &source.shards)
    }

    pub(super) fn count(&self, name: &CountName) -> Option<&KeptCount> {
        self.counts.iter().find(|it| it.count.name == *name)
    }
}

impl fmt::Debug for Works {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.sources.iter().map(|source| &source.name).collect();
        f.debug_struct("Works").field("sources", &names).finish_non_exhaustive()
    }
}
