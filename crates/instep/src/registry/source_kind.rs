//! What each kind of service offers as a source. All that differs between them stands in the file of
//! the kind.

use crate::config::Config;
use async_trait::async_trait;
use engine::Instance;
use engine::works::Tokens;
use model::{Fault, Identity, Inspect, Service, Source, TableName};
use std::sync::Arc;

/// A service as a source.
#[async_trait]
pub(crate) trait SourceKind: Send + Sync {
    /// How its positions are written and read.
    fn tokens(&self) -> Tokens;

    /// Its changes to these tables.
    fn source(
        &self,
        tables: &[TableName],
        config: &Config,
        instance: &Instance,
    ) -> Arc<dyn Service<dyn Source>>;

    /// Its rows.
    fn rows(&self, instance: &Instance) -> Arc<dyn Service<dyn Inspect>>;

    /// Who answers now.
    async fn identity(&self, tables: &[TableName]) -> Result<Identity, Fault>;

    /// A person has said that this installation follows it from now on; whether another one did.
    async fn take_over(&self, config: &Config, instance: &Instance) -> Result<bool, Fault>;

    /// Takes out of it what was put there to follow it; whether there was anything.
    async fn detach(&self, config: &Config, instance: &Instance) -> Result<bool, Fault>;
}
