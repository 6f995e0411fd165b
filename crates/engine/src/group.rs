//! Groups of copies: what one apply task brings forward.

use model::{CopyName, Service, TableName, Target, TargetName};
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
}

/// Rows kept equal to a source table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The copy's name.
    pub name: CopyName,
    /// The source table.
    pub of: TableName,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.copies)
    }
}
