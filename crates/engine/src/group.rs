//! Groups of copies: what one apply task brings forward.

use model::{CopyName, Inspect, Service, TableName, Target, TargetName};
use std::fmt;
use std::sync::Arc;

/// Copies of one source in one service, moved together.
#[derive(Clone)]
pub struct Group {
    /// The group's name, for people.
    pub name: TargetName,
    /// Where connections to it come from.
    pub service: Arc<dyn Service<dyn Target>>,
    /// The copies.
    pub copies: Vec<Copy>,
    /// What happens when the log is full and this group is why.
    pub when_full: WhenFull,
}

/// What happens to a group that holds up the log when the log is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The log lets go of what it needs; when it comes back it is compared with the source.
    #[default]
    Detach,
    /// Capture waits for it.
    Wait,
}

/// Rows kept equal to a source table.
#[derive(Clone)]
pub struct Copy {
    /// The copy's name.
    pub name: CopyName,
    /// The source table.
    pub of: TableName,
    /// Where its rows are read back; nowhere if the service can not be read. Where several lanes
    /// feed the copy, this gives the rows of the pipeline's own lane and no others: a row of another
    /// shard is none that the source lacks, and one that both have is not this lane's yet.
    pub inspect: Option<Arc<dyn Service<dyn Inspect>>>,
    /// Whether it keeps rows that the source has no more: those of an outbox, which is trimmed. What
    /// is read there says nothing of what is not there; only what comes through the log does.
    pub keeps: bool,
}

impl fmt::Debug for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name, self.of)
    }
}

impl Group {
    /// The tables that its copies are of.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &TableName> {
        self.copies.iter().map(|copy| &copy.of)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.copies)
    }
}
