//! What a PostgreSQL database offers whose changes are recorded by triggers.

use super::postgres::{TOKENS, limits};
use super::source_kind::SourceKind;
use crate::config::Config;
use async_trait::async_trait;
use connectors::postgres::{self, Access, PostgresRows, PostgresTriggers, glance};
use engine::Instance;
use engine::works::Tokens;
use model::{Fault, Identity, Inspect, Service, Source, TableName};
use std::sync::Arc;

/// A PostgreSQL database, by how to get into it.
pub(super) struct RecordedDatabase<'a>(pub(super) &'a Access);

#[async_trait]
impl SourceKind for RecordedDatabase<'_> {
    fn tokens(&self) -> Tokens {
        TOKENS
    }

    fn source(
        &self,
        tables: &[TableName],
        config: &Config,
        instance: &Instance,
    ) -> Arc<dyn Service<dyn Source>> {
        let access = self.0.clone();
        let limits = limits(config);
        Arc::new(PostgresTriggers::new(access, tables.to_vec(), &instance.name, limits))
    }

    fn rows(&self, instance: &Instance) -> Arc<dyn Service<dyn Inspect>> {
        let rows = PostgresRows::new(self.0.clone().to_primary());
        Arc::new(rows.recorded_for(&instance.name))
    }

    async fn identity(&self, _: &[TableName]) -> Result<Identity, Fault> {
        glance::recorded_identity(self.0).await
    }

    /// What is recorded stands in a schema that has the name of the installation that made it.
    async fn take_over(&self, _: &Config, _: &Instance) -> Result<bool, Fault> {
        Ok(false)
    }

    async fn detach(&self, _: &Config, instance: &Instance) -> Result<bool, Fault> {
        // Who never ran has no name, and nothing there.
        if instance.name.is_empty() {
            return Ok(false);
        }
        postgres::detach_triggers(self.0, &instance.name).await
    }
}
