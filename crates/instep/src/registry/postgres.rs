//! What a PostgreSQL database offers.

use super::source_kind::SourceKind;
use crate::config::Config;
use async_trait::async_trait;
use connectors::postgres::{self, Access, Lsn, PostgresRows, PostgresSource, SourceLimits, glance};
use engine::Instance;
use engine::works::Tokens;
use model::{Fault, Identity, Inspect, Position, Service, Source, TableName};
use std::sync::Arc;

/// A PostgreSQL database, by how to get into it.
pub(super) struct PostgresDatabase<'a>(pub(super) &'a Access);

/// Positions are those of the write-ahead log, as the server writes them.
pub(super) const TOKENS: Tokens = Tokens {
    write: |position| position.to_number().map_or_else(String::new, |at| Lsn(at).to_string()),
    read: |text| Some(Position::from_number(text.parse::<Lsn>().ok()?.0)),
};

/// The bounds of a source.
pub(super) fn limits(config: &Config) -> SourceLimits {
    SourceLimits {
        part_bytes_max: config.part_bytes_max,
        slot_wal_bytes_max: config.slot_wal_bytes_max,
        ..SourceLimits::default()
    }
}

#[async_trait]
impl SourceKind for PostgresDatabase<'_> {
    fn tokens(&self) -> Tokens {
        TOKENS
    }

    fn source(
        &self,
        tables: &[TableName],
        config: &Config,
        instance: &Instance,
    ) -> Arc<dyn Service<dyn Source>> {
        let (access, limits) = (self.0.clone(), limits(config));
        Arc::new(PostgresSource::new(access, tables.to_vec(), &instance.name, limits))
    }

    fn rows(&self, _: &Instance) -> Arc<dyn Service<dyn Inspect>> {
        Arc::new(PostgresRows::new(self.0.clone().to_primary()))
    }

    async fn identity(&self, _: &[TableName]) -> Result<Identity, Fault> {
        glance::identity(self.0).await
    }

    /// Slot and publication have the name of the installation that made them, so that nothing in
    /// the database is another one's to take over.
    async fn take_over(&self, _: &Config, _: &Instance) -> Result<bool, Fault> {
        Ok(false)
    }

    async fn detach(&self, _: &Config, instance: &Instance) -> Result<bool, Fault> {
        // Who never ran has no name, and nothing there.
        if instance.name.is_empty() {
            return Ok(false);
        }
        postgres::detach(self.0, &instance.name).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_written_and_read_as_the_server_does() {
        let position = Position::from_number(0x016b_3748);
        assert_eq!((TOKENS.write)(&position), "0/16B3748");
        assert_eq!((TOKENS.read)("0/16b3748"), Some(position));
        for wrong in ["", "7", "0/", "x/1", "0/16B3748 "] {
            assert_eq!((TOKENS.read)(wrong), None, "{wrong}");
        }
    }
}
