//! What a SQLite file offers, as a source and as a target.

use super::source_kind::SourceKind;
use crate::config::{Config, Copy, Source, TableAt};
use async_trait::async_trait;
use connectors::CopyTo;
use connectors::sqlite::target::{SqliteCopyRows, SqliteTarget};
use connectors::sqlite::{self, File, Installation, SourceLimits, SqliteRows, SqliteSource};
use engine::Instance;
use engine::works::Tokens;
use model::{Code, CopyName, Fault, Identity, Inspect, Lane, Position, Started, TableName};
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

/// The name under which a pushed count stands in its file: no copy of a user has a slash in it.
pub(super) fn pushed(to: &TableAt) -> CopyName {
    to.to_string().as_str().into()
}

/// The file as a target of these copies of a source; the lanes of a group share it.
pub(super) fn target(path: &Path, copies: &[&Copy], source: &Source) -> SqliteTarget {
    let copies = copies.iter().map(|copy| copy_to(copy, source)).collect();
    SqliteTarget::new(File::new(path), copies)
}

/// The file as a target of one pushed count, whose table is made.
pub(super) fn pushed_target(path: &Path, to: &TableAt) -> SqliteTarget {
    let copy = CopyTo { create: true, ..CopyTo::new(pushed(to), &to.table) };
    SqliteTarget::new(File::new(path), vec![copy])
}

/// The rows of a copy; those of one lane where several feed it.
pub(super) fn copy_rows(
    path: &Path,
    copy: &Copy,
    source: &Source,
    lane: &Lane,
) -> Arc<dyn model::Service<dyn Inspect>> {
    let lane = (source.services.len() > 1).then(|| lane.clone());
    let to = copy_to(copy, source);
    Arc::new(SqliteCopyRows::new(File::new(path), to, copy.table.clone(), lane))
}

/// A copy of this source, as its file has it.
pub(super) fn copy_to(copy: &Copy, source: &Source) -> CopyTo {
    let fields = copy.fields.iter().map(|(to, from)| (to.as_str().into(), from.as_str().into()));
    CopyTo {
        name: copy.name.clone(),
        table: copy.to.table.as_str().into(),
        fields: fields.collect(),
        create: copy.create,
        shard_column: copy.shard_column.as_deref().map(Into::into),
        shard_in_key: source.shard_in_key,
    }
}
