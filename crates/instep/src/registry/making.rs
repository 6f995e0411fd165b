//! A target whose tables are made before it is used: one of `create: true` comes into being even
//! where its source has no row yet.

use super::target_kind::MakeTable;
use async_trait::async_trait;
use model::{CopyName, Fault, Inspect, Service, TableName, Target};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A target, and the copies of it that are made.
pub(super) struct Making {
    target: Arc<dyn MakeTable>,
    source: Arc<dyn Service<dyn Inspect>>,
    copies: Vec<(CopyName, TableName)>,
    is_made: AtomicBool,
}

impl Making {
    pub(super) fn new(
        target: Arc<dyn MakeTable>,
        source: Arc<dyn Service<dyn Inspect>>,
        copies: Vec<(CopyName, TableName)>,
    ) -> Self {
        Self { target, source, copies, is_made: AtomicBool::new(false) }
    }

    /// Makes what can be made now. A source that does not answer is not waited for: the first row
    /// of a copy brings its table, too.
    async fn make(&self) -> Result<(), Fault> {
        let Ok(mut source) = self.source.connect().await else { return Ok(()) };
        for (copy, of) in &self.copies {
            let Ok(Some(table)) = source.table(of).await else { return Ok(()) };
            self.target.make_table(copy, &table).await?;
        }
        self.is_made.store(true, Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait]
impl Service<dyn Target> for Making {
    async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        if !self.is_made.load(Ordering::Relaxed) {
            self.make().await?;
        }
        self.target.connect().await
    }
}
