//! What a SQLite file offers, as a source and as a target.

use super::source_kind::SourceKind;
use super::target_kind::{MakeTable, TargetKind};
use crate::config::Config;
use async_trait::async_trait;
use connectors::CopyTo;
use connectors::sqlite::target::{SqliteCopyRows, SqliteTarget};
use connectors::sqlite::{self, File, Installation, SourceLimits, SqliteRows, SqliteSource};
use engine::Instance;
use engine::works::Tokens;
use model::{Code, CopyName, Fault, Identity, Inspect, Lane, Position, Started, Table, TableName};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A SQLite file, by its path.
pub(super) struct SqliteFile<'a>(pub(super) &'a Path);

/// Positions are numbers: those of the changes that the file has recorded.
const TOKENS: Tokens = Tokens {
    write: |position| position.to_number().map_or_else(String::new, |number| number.to_string()),
    read: |text| Some(Position::from_number(text.parse().ok()?)),
};

#[async_trait]
impl SourceKind for SqliteFile<'_> {
    fn tokens(&self) -> Tokens {
        TOKENS
    }

    fn source(
        &self,
        tables: &[TableName],
        config: &Config,
        instance: &Instance,
    ) -> Arc<dyn model::Service<dyn model::Source>> {
        let part_bytes_max = config.part_bytes_max;
        let limits = SourceLimits { part_bytes_max, ..SourceLimits::default() };
        let source = SqliteSource::new(File::new(self.0), tables.to_vec(), limits);
        Arc::new(source.by(installation(config, instance)))
    }

    fn rows(&self, _: &Instance) -> Arc<dyn model::Service<dyn Inspect>> {
        Arc::new(SqliteRows::new(File::new(self.0)))
    }

    async fn identity(&self, tables: &[TableName]) -> Result<Identity, Fault> {
        let file = File::new(self.0);
        let service = SqliteSource::new(file, tables.to_vec(), SourceLimits::default());
        let mut source = model::Service::<dyn model::Source>::connect(&service).await?;
        match source.start(None).await? {
            Started::Fresh(place) => Ok(place.identity),
            Started::Resumed | Started::Lost { .. } => {
                Err(Fault::stop(Code::Broken, "the source did not begin where it was asked to"))
            }
        }
    }

    async fn take_over(&self, config: &Config, instance: &Instance) -> Result<bool, Fault> {
        sqlite::adopt(&File::new(self.0), &installation(config, instance)).await
    }

    async fn detach(&self, config: &Config, instance: &Instance) -> Result<bool, Fault> {
        sqlite::detach(&File::new(self.0), Some(&installation(config, instance))).await
    }
}

impl TargetKind for SqliteFile<'_> {
    fn target(&self, copies: Vec<CopyTo>) -> Arc<dyn MakeTable> {
        Arc::new(SqliteTarget::new(File::new(self.0), copies))
    }

    fn rows(
        &self,
        copy: CopyTo,
        of: &TableName,
        lane: Option<Lane>,
    ) -> Arc<dyn model::Service<dyn Inspect>> {
        Arc::new(SqliteCopyRows::new(File::new(self.0), copy, of.clone(), lane))
    }
}

#[async_trait]
impl MakeTable for SqliteTarget {
    async fn make_table(&self, copy: &CopyName, table: &Arc<Table>) -> Result<(), Fault> {
        self.make_table(copy, table).await
    }
}

/// Who follows, as a source's file notes it.
pub(crate) fn installation(config: &Config, instance: &Instance) -> Installation {
    let dir = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
    // A directory that is not there yet is known by where it would be.
    let of_parent = |_| {
        let (parent, name) = (dir.parent(), dir.file_name());
        let parent = parent.and_then(|parent| parent.canonicalize().ok());
        parent.zip(name).map(|(parent, name)| parent.join(name)).ok_or(())
    };
    let dir = dir.canonicalize().or_else(of_parent).unwrap_or_else(|()| dir.clone());
    // Where a system has no such file, directories are told apart by their paths alone.
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let place = format!("{}:{}", machine.trim(), dir.display());
    Installation { name: instance.name.clone(), run: instance.run, place }
}
