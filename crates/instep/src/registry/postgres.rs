//! What a PostgreSQL database offers, as a source and as a target.

use super::source_kind::SourceKind;
use super::target_kind::{MakeTable, TargetKind};
use crate::config::Config;
use async_trait::async_trait;
use connectors::CopyTo;
use connectors::postgres::{
    self, Access, Lsn, Outbox, PostgresCopyRows, PostgresRows, PostgresSource, PostgresTarget,
    SourceLimits, glance,
};
use engine::Instance;
use engine::works::Tokens;
use model::{
    CopyName, Fault, Identity, Inspect, Lane, Position, Service, Source, Table, TableName,
};
use std::sync::Arc;

/// A PostgreSQL database, by how to get into it.
pub(super) struct PostgresDatabase<'a> {
    pub(super) access: &'a Access,
    /// The outbox of its source.
    pub(super) outbox: Option<&'a Outbox>,
}

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
        let (access, tables) = (self.access.clone(), tables.to_vec());
        let limits = limits(config);
        let source = PostgresSource::new(access, tables, &instance.name, limits);
        Arc::new(match self.outbox {
            Some(outbox) => source.with_outbox(outbox.clone()),
            None => source,
        })
    }

    fn rows(&self, _: &Instance) -> Arc<dyn Service<dyn Inspect>> {
        let rows = PostgresRows::new(self.access.clone().to_primary());
        Arc::new(match self.outbox {
            Some(outbox) => rows.with_outbox(outbox.clone()),
            None => rows,
        })
    }

    async fn identity(&self, _: &[TableName]) -> Result<Identity, Fault> {
        glance::identity(self.access).await
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
        postgres::detach(self.access, &instance.name).await
    }
}

/// A PostgreSQL database that is written to; always where writes are taken.
pub(super) struct WrittenDatabase<'a>(pub(super) &'a Access);

impl TargetKind for WrittenDatabase<'_> {
    fn target(&self, copies: Vec<CopyTo>) -> Arc<dyn MakeTable> {
        Arc::new(PostgresTarget::new(self.0.clone().to_primary(), copies))
    }

    fn rows(
        &self,
        copy: CopyTo,
        of: &TableName,
        lane: Option<Lane>,
    ) -> Arc<dyn Service<dyn Inspect>> {
        Arc::new(PostgresCopyRows::new(self.0.clone().to_primary(), copy, of.clone(), lane))
    }
}

#[async_trait]
impl MakeTable for PostgresTarget {
    async fn make_table(&self, copy: &CopyName, table: &Arc<Table>) -> Result<(), Fault> {
        self.make_table(copy, table).await
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
