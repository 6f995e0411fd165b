//! A SQLite file: what is asked of it. What the answers mean is decided in `judge`.

mod judge;

use super::check::{Check, Layer};
use super::examine::{Database, Examine, apart};
use super::files;
use super::fit;
use super::part::Part;
use super::pinned::{self, FILE};
use crate::config::{Config, Copy};
use crate::registry;
use async_trait::async_trait;
use connectors::sqlite::Recording;
use connectors::sqlite::glance::{Glance, Holder};
use engine::Instance;
use model::{Lane, Table, TableName};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a lock is waited for; less than a layer may take.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// The pause between two looks at a lock.
const LOCK_LOOK: Duration = Duration::from_millis(20);

/// How long a read waits for a lock, once none was seen.
const READ_PATIENCE: Duration = Duration::from_millis(500);

/// A SQLite file.
pub(super) struct Sqlite {
    service: String,
    path: PathBuf,
    config: Arc<Config>,
    part: Part,
    /// The process of the Instep that runs, if one does and is known.
    running: Option<u32>,
    glance: Glance,
    /// Whether there is no file, and one will be made.
    is_to_come: bool,
    /// How long opening and reading took, and waiting for others before.
    took: Option<(Duration, Duration)>,
    tables: BTreeMap<TableName, Arc<Table>>,
}

impl Sqlite {
    /// The file of a service.
    pub(super) fn new(
        service: &str,
        path: &Path,
        config: Arc<Config>,
        running: Option<u32>,
    ) -> Self {
        Self {
            service: service.to_owned(),
            path: path.to_owned(),
            part: Part::of(service, &config),
            config,
            running,
            glance: Glance::new(path, READ_PATIENCE),
            is_to_come: false,
            took: None,
            tables: BTreeMap::new(),
        }
    }

    /// Asks the file on a thread of its own; an answer that never comes is nobody's.
    async fn ask<T: Send + 'static>(
        &self,
        layer: Layer,
        ask: impl FnOnce(Glance) -> T + Send + 'static,
    ) -> Result<T, Check> {
        let glance = self.glance.clone();
        let answer = apart(move || ask(glance)).await;
        answer.ok_or_else(|| Check::not_measured(layer, "ask the file", "it gave no answer"))
    }
}

#[async_trait]
impl Examine for Sqlite {
    fn about(&self) -> (String, String) {
        let about = format!("sqlite {}  ({})", self.path.display(), self.part);
        (self.service.clone(), about)
    }

    fn layers(&self) -> &'static [Layer] {
        use Layer::{Authentication, Capability, Connect, Identity, Latency, Name, Role};
        &[Name, Connect, Authentication, Identity, Role, Capability, Latency]
    }

    async fn look(&mut self, layer: Layer) -> Vec<Check> {
        let looked = match layer {
            Layer::Name => self.name().await,
            Layer::Authentication => self.rights().await,
            // There is nothing to ask yet.
            _ if self.is_to_come => Ok(Vec::new()),
            Layer::Connect => self.connect().await,
            Layer::Identity => self.identity().await,
            Layer::Role => self.role().await,
            Layer::Capability => self.capability().await,
            _ => Ok(self.took.map(judge::latency).into_iter().collect()),
        };
        looked.unwrap_or_else(|check| vec![check])
    }
}

impl Sqlite {
    async fn name(&mut self) -> Result<Vec<Check>, Check> {
        let path = self.path.clone();
        let look = move |_| (files::seen(&path), path.parent().is_some_and(Path::is_dir));
        let (seen, has_folder) = self.ask(Layer::Name, look).await?;
        let is_missing = seen.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        // A file is made, a folder is not.
        self.is_to_come = is_missing && has_folder && self.part.is_made;
        Ok(vec![judge::place(&self.path, self.is_to_come, seen)])
    }

    async fn connect(&mut self) -> Result<Vec<Check>, Check> {
        let layer = Layer::Connect;
        let tried = format!("open it as uid {}", files::user());
        let way = match self.ask(layer, |glance| glance.way()).await? {
            Ok(way) => way,
            Err(fault) => return Ok(vec![judge::unopened(tried, fault)]),
        };
        let began = Instant::now();
        let (looks, holder) = self.wait_for_lock().await?;
        let waited = began.elapsed();
        if let Some(holder) = holder {
            let check = judge::locked(holder, looks, waited, self.running);
            return Ok(vec![check]);
        }
        let began = Instant::now();
        let tables = self.ask(layer, |glance| glance.count_tables()).await?;
        self.took = Some((began.elapsed(), if looks > 1 { waited } else { Duration::ZERO }));
        Ok(vec![match tables {
            Ok(tables) => Check::good(layer, tried, judge::opened(way, tables)),
            Err(fault) => judge::unopened(tried, fault),
        }])
    }

    /// Looks until nobody holds the file locked, or patience is over; the times that it was looked,
    /// and who holds it still.
    async fn wait_for_lock(&self) -> Result<(u32, Option<Holder>), Check> {
        let until = Instant::now() + LOCK_PATIENCE;
        let mut looks = 0;
        loop {
            looks += 1;
            // Where the system does not tell, reading itself will show it.
            let holder = self.ask(Layer::Connect, |it| it.holder().ok().flatten()).await?;
            if holder.is_none() || Instant::now() >= until {
                return Ok((looks, holder));
            }
            sleep(LOCK_LOOK).await;
        }
    }

    async fn rights(&mut self) -> Result<Vec<Check>, Check> {
        let (path, part, is_to_come) = (self.path.clone(), self.part.clone(), self.is_to_come);
        let look = move |_| {
            let folder = files::folder_of(&path);
            let seen = files::seen(&path).ok();
            let may = judge::Rights {
                read: is_to_come || files::may_read(&path),
                write: is_to_come || files::may_write(&path),
                write_beside: files::may_write(&folder),
                folder,
            };
            judge::rights(&part, seen.as_ref(), &may)
        };
        Ok(vec![self.ask(Layer::Authentication, look).await?])
    }

    async fn recording(&self, layer: Layer) -> Result<Recording, Check> {
        let tables = self.part.tables.clone();
        let recording = self.ask(layer, move |glance| glance.recording(&tables)).await?;
        recording.map_err(|fault| Check::fault(layer, "read what is recorded there", fault))
    }

    async fn identity(&mut self) -> Result<Vec<Check>, Check> {
        let Some(source) = &self.part.source else { return Ok(Vec::new()) };
        let lane: Lane = registry::lane(source, &self.service);
        let catalog = registry::catalog_file(&self.config);
        let pinned = self.ask(Layer::Identity, move |_| engine::pinned(&catalog)).await?;
        let recording = self.recording(Layer::Identity).await?;
        let pinned = pinned.map(|pinned| pinned.get(&lane).cloned());
        if let (Ok(None), Some(noted)) = (&pinned, &recording.followed_by) {
            // Nothing was followed here yet, so that the place alone tells one Instep from another.
            let nobody = Instance { name: String::new(), run: 0 };
            if !noted.lets(&registry::installation(&self.config, &nobody)) {
                let tried = "ask who follows it";
                return Ok(vec![Check::fault(Layer::Identity, tried, noted.refusal())]);
            }
        }
        Ok(vec![pinned::identity(source, &FILE, pinned, recording.identity.as_ref())])
    }

    async fn role(&mut self) -> Result<Vec<Check>, Check> {
        let mut checks = Vec::new();
        if self.part.source.is_some() {
            checks.push(judge::source(&self.recording(Layer::Role).await?));
        }
        if self.part.is_target() {
            let notes = self.ask(Layer::Role, |glance| glance.notes()).await?;
            checks.push(judge::target(notes));
        }
        Ok(checks)
    }

    async fn capability(&mut self) -> Result<Vec<Check>, Check> {
        let layer = Layer::Capability;
        let names = self.part.tables.clone();
        let look = move |glance: Glance| {
            let table = |name: TableName| (glance.table(&name), name);
            names.into_iter().map(table).collect::<Vec<_>>()
        };
        let mut checks = Vec::new();
        for (table, name) in self.ask(layer, look).await? {
            let tried = format!("read the shape of {name}");
            checks.push(match table {
                Ok(table) => {
                    let check = Check::good(layer, tried, judge::followable(&table));
                    self.tables.insert(name, table);
                    check
                }
                Err(fault) => Check::fault(layer, tried, fault),
            });
        }
        let path = self.path.clone();
        let room = move |_| {
            let at = files::folder_of(&path);
            files::disk_checks(files::disk(&at), &at, ROOM_BYTES)
        };
        checks.extend(self.ask(layer, room).await?);
        Ok(checks)
    }
}

/// How much a file may grow before anybody looks again.
const ROOM_BYTES: u64 = 256 << 20;

#[async_trait]
impl Database for Sqlite {
    fn service(&self) -> &str {
        &self.service
    }

    fn tables(&self) -> &BTreeMap<TableName, Arc<Table>> {
        &self.tables
    }

    async fn fit(&self, copy: &Copy, shard: &str, table: &Arc<Table>) -> Vec<Check> {
        let tried = fit::tried(copy, shard);
        if self.is_to_come {
            return vec![Check::good(Layer::Capability, tried, "`instep run` makes the table")];
        }
        let Some(to) = registry::copy_to(copy, &self.config) else { return Vec::new() };
        let table = Arc::clone(table);
        let found = self.ask(Layer::Capability, move |glance| glance.fit(&to, &table)).await;
        // Names that differ in capitals alone are one.
        let is_filled =
            |table: &str| fit::filled(copy, &self.config).any(|it| it.eq_ignore_ascii_case(table));
        match found {
            Err(check) => vec![check],
            Ok(Err(fault)) => vec![Check::fault(Layer::Capability, tried, fault)],
            Ok(Ok(found)) => fit::fit(tried, &found, is_filled),
        }
    }
}
