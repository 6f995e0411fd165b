//! What each kind of service offers as a target. All that differs between them stands in the file of
//! the kind.

use async_trait::async_trait;
use connectors::CopyTo;
use model::{CopyName, Fault, Inspect, Lane, Service, Table, TableName, Target};
use std::sync::Arc;

/// A service as a target.
pub(super) trait TargetKind: Send + Sync {
    /// The target of these copies, or of a pushed count; the lanes of a group share it.
    fn target(&self, copies: Vec<CopyTo>) -> Arc<dyn MakeTable>;

    /// The rows of a copy of a source table; where several lanes feed it, those of this lane.
    fn rows(
        &self,
        copy: CopyTo,
        of: &TableName,
        lane: Option<Lane>,
    ) -> Arc<dyn Service<dyn Inspect>>;
}

/// A target that makes a table before anything is written to it.
#[async_trait]
pub(super) trait MakeTable: Service<dyn Target> {
    /// Makes the table of a copy that may be made, if it is not there.
    async fn make_table(&self, copy: &CopyName, table: &Arc<Table>) -> Result<(), Fault>;
}
