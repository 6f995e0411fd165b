//! The registry: makes of a configuration everything that runs.
//!
//! ```text
//!   source_kind         what a service offers as a source
//!   target_kind         and as a target
//!     sqlite  postgres  each kind of service
//!     recorded          a PostgreSQL that is followed by triggers
//!   making              a target whose tables are made before it is used
//!   written             a copy and a pushed count as connectors take them   (pure)
//! ```

mod making;
mod postgres;
mod recorded;
mod source_kind;
mod sqlite;
mod target_kind;
mod written;

pub(crate) use source_kind::SourceKind;
pub(crate) use sqlite::installation;

use crate::config::{Capture, Config, Copy, Count, Service, Source};
use connectors::CopyTo;
use connectors::postgres::PostgresAudit;
use connectors::sqlite::{File, SqliteAudit};
use engine::works::{Followed, KeptCopy, KeptCount, Shard, Works};
use engine::{
    Board, Catalog, Counting, Group, Instance, Numbers, Pipeline, Push, SetAside, SortedState,
    SqliteCatalog, StateBounds,
};
use journal::{Journal, RealDisk, Threads};
use making::Making;
use model::{Audit, Code, Fault, Inspect, Lane, TableName, TargetName};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use target_kind::{MakeTable, TargetKind};

/// Everything that was opened, ready to run.
pub(crate) struct Opened {
    /// What runs.
    pub works: Works,
    /// What a person should know about how it was found.
    pub warnings: Vec<String>,
}

/// Opens the data directory, and makes everything that the configuration names.
pub(crate) async fn open(config: &Config, clock: fn() -> i64) -> Result<Opened, Fault> {
    let dir = &config.data_dir;
    fs::create_dir_all(dir).map_err(|error| {
        let what = format!("the data directory {} can not be made", dir.display());
        Fault::stop(Code::JournalDisk, what).because(error)
    })?;
    // Its lock is that of the whole directory.
    let journal = Journal::open(
        Arc::new(RealDisk),
        &dir.join("journal"),
        config.journal.clone(),
        Arc::new(Threads),
    )?;
    let catalog = SqliteCatalog::open(&catalog_file(config)).await?;
    let instance = catalog.catalog.begin_run().await?;
    let mut making = Registry {
        config,
        clock,
        log: Arc::new(journal),
        catalog: Arc::new(catalog.catalog),
        instance,
        warnings: Vec::new(),
    };
    let works = making.works().await?;
    if catalog.begun && making.log_is_older(&works).await? {
        making.warnings.push(format!(
            "{} was missing beside a journal, so an empty one was begun: every source begins a new \
             history, and every copy is compared with its source",
            dir.join("catalog.db").display()
        ));
    }
    Ok(Opened { works, warnings: making.warnings })
}

/// A service as this source: the one place that tells its kinds apart.
pub(crate) fn source_kind<'a>(
    service: &'a Service,
    source: &'a Source,
) -> Box<dyn SourceKind + 'a> {
    match (service, source.capture) {
        (Service::Sqlite(path), _) => Box::new(sqlite::SqliteFile(path)),
        (Service::Postgres(access), Capture::Log) => {
            Box::new(postgres::PostgresDatabase { access, outbox: source.outbox.as_ref() })
        }
        (Service::Postgres(access), Capture::Triggers) => {
            Box::new(recorded::RecordedDatabase(access))
        }
    }
}

/// A service as a target: the one place that tells its kinds apart.
fn target_kind(service: &Service) -> Box<dyn TargetKind + '_> {
    match service {
        Service::Sqlite(path) => Box::new(sqlite::SqliteFile(path)),
        Service::Postgres(access) => Box::new(postgres::WrittenDatabase(access)),
    }
}

/// A service as one side of a comparison that needs nothing of ours in it.
pub(crate) fn audit(service: &Service) -> Arc<dyn model::Service<dyn Audit>> {
    match service {
        Service::Sqlite(path) => Arc::new(SqliteAudit::new(File::new(path))),
        Service::Postgres(access) => Arc::new(PostgresAudit::new((**access).clone())),
    }
}

/// Where the catalog is.
pub(crate) fn catalog_file(config: &Config) -> PathBuf {
    config.data_dir.join("catalog.db")
}

/// A copy as its store has it; none if its source is not of this configuration.
pub(crate) fn copy_to(copy: &Copy, config: &Config) -> Option<CopyTo> {
    let source = config.sources.iter().find(|source| source.name == copy.source)?;
    Some(written::copy_to(copy, source))
}

/// The lane of one shard of a source.
pub(crate) fn lane(source: &str, service: &str) -> Lane {
    format!("{source}/{service}").as_str().into()
}

/// The copies of a source in one service, brought forward together.
struct Copies<'a> {
    service: &'a str,
    copies: Vec<&'a Copy>,
    kind: Box<dyn TargetKind + 'a>,
    target: Arc<dyn MakeTable>,
}

/// What is at hand while everything is made.
struct Registry<'a> {
    config: &'a Config,
    clock: fn() -> i64,
    log: Arc<Journal>,
    catalog: Arc<dyn Catalog>,
    instance: Instance,
    warnings: Vec<String>,
}

impl<'a> Registry<'a> {
    async fn works(&mut self) -> Result<Works, Fault> {
        let mut sources = Vec::new();
        for source in &self.config.sources {
            let targets = self.targets(source);
            let mut shards = Vec::new();
            for service in &source.services {
                shards.push(self.shard(source, service, &targets).await?);
            }
            sources.push(Followed { name: source.name.as_str().into(), shards });
        }
        let place = |name: &str| self.config.sources.iter().position(|it| it.name == name);
        let copy = |copy: &Copy| {
            Some(KeptCopy {
                name: copy.name.clone(),
                source: place(&copy.source)?,
                of: copy.table.clone(),
                to: copy.to.to_string().into(),
                group: copy.to.service.as_str().into(),
            })
        };
        let copies = self.config.copies.iter().filter_map(copy).collect();
        let count = |count: &Count| {
            let source = place(&count.source)?;
            let pushes = self.pushes(count, &sources[source].shards);
            Some(KeptCount { source, count: count.definition.clone(), pushes })
        };
        let counts = self.config.counts.iter().filter_map(count).collect();
        Ok(Works { sources, copies, counts, log: self.log.clone() })
    }

    /// One shard of a source, with everything that it feeds.
    async fn shard(
        &mut self,
        source: &Source,
        service: &str,
        targets: &[Copies<'_>],
    ) -> Result<Shard, Fault> {
        let lane = lane(&source.name, service);
        let limits = self.config.limits.clone();
        let tables = self.tables_of(source);
        let kind = source_kind(&self.config.services[service], source);
        let inspect = kind.rows(&self.instance);
        let counting = self.counting(source, &lane).await?;
        let pipeline = Pipeline {
            source: kind.source(&tables, self.config, &self.instance),
            inspect: inspect.clone(),
            log: self.log.clone(),
            catalog: self.catalog.clone(),
            groups: self.groups(source, &lane, &inspect, targets),
            counting,
            limits,
            instance: self.instance.clone(),
            board: Board::with_clock(self.clock),
            lane,
        };
        Ok(Shard { service: service.into(), pipeline, tokens: kind.tokens() })
    }

    /// The tables of a source.
    fn tables_of(&self, source: &Source) -> Vec<TableName> {
        let tables: BTreeSet<_> = source.tables.iter().cloned().collect();
        tables.into_iter().collect()
    }

    async fn counting(&mut self, source: &Source, lane: &Lane) -> Result<Option<Counting>, Fault> {
        let of = self.config.counts.iter().filter(|count| count.source == source.name);
        let counts: Vec<_> = of.map(|count| count.definition.clone()).collect();
        if counts.is_empty() {
            return Ok(None);
        }
        let dir = self.config.data_dir.join("state").join(lane.as_str());
        let opened = SortedState::open(&dir, StateBounds::default()).await?;
        if let Some(SetAside { files, why }) = opened.aside {
            self.warnings.push(format!(
                "the state of lane {lane} could not be read ({why}); its files are in {}, and it is \
                 built again from the source",
                files.display()
            ));
        }
        let numbers = Numbers::new(lane, &counts, self.config.limits.groups_max);
        Ok(Some(Counting { counts, state: Arc::new(opened.store), numbers }))
    }

    /// The copies of a source, by the service that they are in.
    fn targets(&self, source: &Source) -> Vec<Copies<'a>> {
        let config = self.config;
        let mut groups: BTreeMap<&str, Vec<&Copy>> = BTreeMap::new();
        for copy in config.copies.iter().filter(|copy| copy.source == source.name) {
            groups.entry(&copy.to.service).or_default().push(copy);
        }
        let copies = |(service, copies): (_, Vec<&'a Copy>)| {
            let kind = target_kind(&config.services[service]);
            let target =
                kind.target(copies.iter().map(|it| written::copy_to(it, source)).collect());
            Copies { service, copies, kind, target }
        };
        groups.into_iter().map(copies).collect()
    }

    /// The groups of one lane.
    fn groups(
        &self,
        source: &Source,
        lane: &Lane,
        rows: &Arc<dyn model::Service<dyn Inspect>>,
        targets: &[Copies<'_>],
    ) -> Vec<Group> {
        let of_several = (source.services.len() > 1).then_some(lane);
        let group = |Copies { service, copies, kind, target }: &Copies<'_>| {
            let made = copies.iter().filter(|copy| copy.create);
            let made = made.map(|copy| (copy.name.clone(), copy.table.clone())).collect();
            let kept = |copy: &&Copy| engine::Copy {
                name: copy.name.clone(),
                of: copy.table.clone(),
                inspect: Some(kind.rows(
                    written::copy_to(copy, source),
                    &copy.table,
                    of_several.cloned(),
                )),
                keeps: source.has_kind(&copy.table),
            };
            Group {
                name: TargetName::from(*service),
                copies: copies.iter().map(kept).collect(),
                service: Arc::new(Making::new(target.clone(), rows.clone(), made)),
                when_full: self.config.when_full,
            }
        };
        targets.iter().map(group).collect()
    }

    /// The stores that a count is pushed to.
    fn pushes(&self, count: &Count, shards: &[Shard]) -> Vec<Push> {
        let counted: Vec<_> = shards.iter().filter_map(Shard::counted).collect();
        let Some(first) = shards.first() else { return Vec::new() };
        let push = |to: &crate::config::TableAt| Push {
            name: format!("{} in {to}", count.definition.name).as_str().into(),
            service: target_kind(&self.config.services[&to.service])
                .target(vec![written::count_to(to)]),
            copy: written::pushed(to),
            count: count.definition.name.clone(),
            of: count.definition.of.clone(),
            by: count.definition.by.clone(),
            source: first.pipeline.inspect.clone(),
            shards: counted.clone(),
            limits: self.config.limits.clone(),
            instance: self.instance.clone(),
            board: Board::new(),
        };
        count.to.iter().map(push).collect()
    }

    /// Whether the log holds anything from before this run.
    async fn log_is_older(&self, works: &Works) -> Result<bool, Fault> {
        let status = works.log_status().await?;
        Ok(status.lanes.iter().any(|lane| lane.last.is_some()))
    }
}
