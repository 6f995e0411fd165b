//! Count: what is counted, as the configuration says it.

use super::condition::Condition;
use model::{CountName, TableName};
use std::sync::Arc;

/// A named number kept equal to how many rows of a table are TRUE under a condition, by group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Its name.
    pub name: CountName,
    /// The source table whose rows it counts.
    pub of: TableName,
    /// The columns that it groups by, in the order of a group's values; none for one number.
    pub by: Vec<Arc<str>>,
    /// Which rows count; all of them without one.
    pub condition: Option<Condition>,
}
