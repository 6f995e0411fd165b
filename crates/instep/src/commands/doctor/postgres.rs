//! A PostgreSQL database: what is asked of it. What the answers mean is decided in `judge`.
//!
//! ```text
//!   dial                names, addresses, and whether anything answers there
//!   clock               this machine's, to compare with the server's
//!   written             what it takes to write there
//!   judge               server, rights, written, kept, open                  (pure)
//! ```

mod clock;
mod dial;
mod judge;
mod written;

use super::check::{Check, Layer};
use super::examine::{Database, Examine, apart};
use super::fit;
use super::part::Part;
use super::pinned::{self, SERVER};
use crate::config::{Capture, Config, Copy};
use crate::registry;
use async_trait::async_trait;
use connectors::postgres::glance::{self, Glance, Rights, Streaming};
use connectors::postgres::schema::Described;
use connectors::postgres::{Access, PostgresTarget, Side, Trouble, publication_name, slot_name};
use model::{Code, Fault, Lane, Table, TableName};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How long a connection may take, all servers together; less than a layer may take.
const CONNECT_MAX: Duration = Duration::from_secs(4);

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(4);

/// The time between two looks at transactions whose beginning we may not know.
const OPEN_LOOK: Duration = Duration::from_secs(1);

/// A PostgreSQL database.
pub(super) struct Postgres {
    service: String,
    access: Access,
    config: Arc<Config>,
    part: Part,
    /// How the login for the stream of changes went.
    stream: Option<Result<Streaming, Fault>>,
    glance: Option<Glance>,
    tables: BTreeMap<TableName, Arc<Table>>,
}

impl Postgres {
    /// The database of a service.
    pub(super) fn new(service: &str, access: &Access, config: Arc<Config>) -> Self {
        let mut access = access.clone().to_primary();
        let servers = u32::try_from(access.servers.len()).unwrap_or(1).max(1);
        access.connect_timeout = access.connect_timeout.min(CONNECT_MAX / servers);
        Self {
            service: service.to_owned(),
            access,
            part: Part::of(service, &config),
            config,
            stream: None,
            glance: None,
            tables: BTreeMap::new(),
        }
    }

    fn fault(&self, trouble: Trouble) -> Fault {
        connectors::postgres::judge(self.side(), &self.access.to_string(), trouble)
    }

    /// What trouble means for the look that met it.
    fn met(&self, layer: Layer, tried: &str, trouble: Trouble) -> Check {
        Check::fault(layer, tried, self.fault(trouble))
    }

    /// Whether its changes are followed, or are only to come to it.
    fn side(&self) -> Side {
        match self.is_only_written() {
            true => Side::Target,
            false => Side::Source,
        }
    }

    /// Whether it is written to, and nothing of it is followed.
    fn is_only_written(&self) -> bool {
        self.part.source.is_none() && self.part.is_target()
    }

    /// The code under which it is not there.
    fn unavailable(&self) -> Code {
        match self.side() {
            Side::Source => Code::SourceUnavailable,
            Side::Target => Code::TargetUnavailable,
        }
    }

    /// Whether triggers record its changes.
    fn is_recorded(&self) -> bool {
        self.part.source.is_some() && self.part.capture == Capture::Triggers
    }

    /// The session that looks; a layer that needs one stands below the one that opened it.
    fn glance(&self, layer: Layer) -> Result<&Glance, Check> {
        let none = || Check::not_measured(layer, "ask the server", "there is no session with it");
        self.glance.as_ref().ok_or_else(none)
    }
}

#[async_trait]
impl Examine for Postgres {
    fn about(&self) -> (String, String) {
        let about = format!("postgres {} as {}  ({})", self.access, self.access.user, self.part);
        (self.service.clone(), about)
    }

    fn layers(&self) -> &'static [Layer] {
        use Layer::{Authentication, Capability, Connect, Identity, Latency, Name, Role, Tls};
        &[Name, Connect, Tls, Authentication, Identity, Role, Capability, Latency]
    }

    async fn look(&mut self, layer: Layer) -> Vec<Check> {
        let looked = match layer {
            Layer::Name => {
                Ok(vec![judge::names(&dial::names(&self.access).await, self.unavailable())])
            }
            Layer::Connect => {
                Ok(vec![judge::answers(&dial::answers(&self.access).await, self.unavailable())])
            }
            Layer::Tls => self.encryption().await,
            Layer::Authentication => self.login().await,
            // Nothing is wanted of a service that nothing names.
            _ if self.part.source.is_none() && !self.part.is_target() => Ok(Vec::new()),
            Layer::Identity => self.identity().await,
            Layer::Role => self.role().await,
            Layer::Capability => self.capability().await,
            _ => self.latency().await,
        };
        looked.unwrap_or_else(|check| vec![check])
    }
}

impl Postgres {
    /// Logs in for the stream: first, because a pooler refuses that and is asked nothing else.
    async fn encryption(&mut self) -> Result<Vec<Check>, Check> {
        if self.is_recorded() {
            return Ok(Vec::new());
        }
        let at = self.access.to_string();
        let streaming = glance::stream(&self.access).await;
        let streaming = streaming.map_err(|trouble| glance::judge_stream(&at, trouble));
        let checks = match &streaming {
            // Nothing comes from there; it is a pooler or none, and what else there is, queries tell.
            _ if self.is_only_written() => Vec::new(),
            Ok(streaming) => vec![judge::encryption(&self.access, streaming.is_encrypted)],
            Err(fault) if fault.code == Code::PostgresTls => {
                vec![Check::bad(Layer::Tls, "encrypt the connection", fault.code, &*fault.what)]
            }
            // It never came to that, or nobody knows.
            Err(_) => Vec::new(),
        };
        self.stream = Some(streaming);
        Ok(checks)
    }

    async fn login(&mut self) -> Result<Vec<Check>, Check> {
        if self.is_recorded() {
            return self.login_for_queries().await;
        }
        if self.is_only_written() {
            return match &self.stream {
                Some(Err(fault)) if fault.code == Code::PostgresPooler => {
                    Ok(vec![judge::pooler("log in")])
                }
                _ => self.login_for_queries().await,
            };
        }
        let (layer, tried) = (Layer::Authentication, "log in for the stream of changes");
        let Some(streaming) = &self.stream else { return Ok(Vec::new()) };
        if let Err(fault) = streaming
            && !judge::may_be_asked(fault.code)
        {
            return Ok(vec![judge::refused(tried, &self.access, fault)]);
        }
        let glance = Glance::connect(&self.access, ANSWER_MAX).await;
        let glance = glance.map_err(|trouble| self.met(layer, "log in for queries", trouble))?;
        let mut checks = Vec::new();
        if streaming.is_err() {
            // What the stream would have shown.
            let server = glance.server().await;
            let server = server.map_err(|trouble| self.met(layer, tried, trouble))?;
            checks.push(judge::encryption(&self.access, server.tls.is_some()));
        }
        checks.push(judge::let_in(tried, &self.access, streaming.as_ref().err()));
        self.glance = Some(glance);
        Ok(checks)
    }

    /// Logs in where no stream is wanted.
    async fn login_for_queries(&mut self) -> Result<Vec<Check>, Check> {
        let (layer, tried) = (Layer::Authentication, "log in");
        let met = |trouble| self.met(layer, tried, trouble);
        let glance = Glance::connect(&self.access, ANSWER_MAX).await.map_err(met)?;
        let server = glance.server().await.map_err(met)?;
        let encrypted = judge::encryption(&self.access, server.tls.is_some());
        self.glance = Some(glance);
        Ok(vec![encrypted, judge::let_in(tried, &self.access, None)])
    }

    async fn identity(&mut self) -> Result<Vec<Check>, Check> {
        let (layer, tried) = (Layer::Identity, "ask who it is");
        let Some(source) = &self.part.source else { return Ok(Vec::new()) };
        let found = match &self.stream {
            Some(Ok(streaming)) => streaming.identity.clone(),
            _ => match self.glance(layer)?.identity().await {
                Ok(identity) => identity,
                Err(trouble) => {
                    let why = self.fault(trouble).what;
                    return Ok(vec![Check::not_measured(layer, tried, why)]);
                }
            },
        };
        let lane: Lane = registry::lane(source, &self.service);
        let catalog = registry::catalog_file(&self.config);
        let pinned = apart(move || engine::pinned(&catalog)).await;
        let none = || Check::not_measured(layer, tried, "the catalog did not answer");
        let pinned = pinned.ok_or_else(none)?.map(|pinned| pinned.get(&lane).cloned());
        Ok(vec![pinned::identity(source, &SERVER, pinned, Some(&found))])
    }

    async fn role(&mut self) -> Result<Vec<Check>, Check> {
        let (layer, tried) = (Layer::Role, "ask what it is");
        let server = self.glance(layer)?.server().await;
        let server = server.map_err(|trouble| self.met(layer, tried, trouble))?;
        let is_followed = self.part.source.is_some() && !self.is_recorded();
        let mut checks = vec![judge::version(&server, is_followed), judge::primary(&server)];
        if self.part.is_target() {
            let rights = self.glance(layer)?.rights().await;
            let rights = rights.map_err(|trouble| self.met(layer, tried, trouble))?;
            checks.push(judge::takes_writes(&server, &rights));
        }
        Ok(checks)
    }

    /// What it takes to have changes recorded by triggers.
    async fn recording(&mut self) -> Result<Vec<Check>, Check> {
        let (layer, tried) = (Layer::Capability, "ask what it can do");
        let met = |trouble| self.met(layer, tried, trouble);
        let glance = self.glance(layer)?;
        let rights = glance.rights().await.map_err(met)?;
        let follower = self.follower().await?;
        let (mut checks, found) = self.shapes().await?;
        let names: Vec<_> = found.iter().map(|it| it.table.name.clone()).collect();
        let tables = glance.table_rights(&names).await.map_err(met)?;
        checks.extend(tables.iter().map(|it| judge::reads(&rights, it)));
        let schema = follower.as_deref().map(publication_name);
        let is_there = match &schema {
            Some(schema) => glance.has_schema(schema).await.map_err(met)?,
            None => false,
        };
        checks.push(judge::schema(&rights, is_there));
        checks.extend(tables.iter().map(|it| judge::records(&rights, it)));
        self.tables = found.into_iter().map(|it| (it.table.name.clone(), it.table)).collect();
        Ok(checks)
    }

    async fn capability(&mut self) -> Result<Vec<Check>, Check> {
        let mut checks = match (&self.part.source, self.is_recorded()) {
            (None, _) => Vec::new(),
            (Some(_), true) => self.recording().await?,
            (Some(_), false) => self.following().await?,
        };
        if self.part.is_target() {
            let (layer, tried) = (Layer::Capability, "ask what may be written");
            let written = written::written(self.glance(layer)?, &self.part.written).await;
            checks.extend(written.map_err(|trouble| self.met(layer, tried, trouble))?);
        }
        Ok(checks)
    }

    /// What it takes to follow it by its log.
    async fn following(&mut self) -> Result<Vec<Check>, Check> {
        let (layer, tried) = (Layer::Capability, "ask what it can do");
        let met = |trouble| self.met(layer, tried, trouble);
        let glance = self.glance(layer)?;
        let (server, rights) = (glance.server().await.map_err(met)?, glance.rights().await);
        let rights = rights.map_err(met)?;
        let kept = glance.kept().await.map_err(met)?;
        let follower = self.follower().await?;
        let own = follower.as_deref().map(|it| slot_name(it, rights.database_oid));
        let has_slot = kept.iter().any(|kept| Some(&kept.slot) == own.as_ref());
        let mut checks = vec![judge::wal_level(&server)];
        let had_sender = matches!(self.stream, Some(Ok(_)));
        checks.extend(judge::room(&server, has_slot, had_sender));
        checks.push(judge::bound(&server, self.config.slot_wal_bytes_max));
        checks.extend(judge::kept(&kept, own.as_deref()));
        checks.push(judge::replicates(&rights));
        let (shapes, found) = self.shapes().await?;
        checks.extend(shapes);
        checks.extend(self.tables_of(&rights, follower.as_deref(), &found).await?);
        if !has_slot {
            checks.push(self.open().await?);
        }
        self.tables = found.into_iter().map(|it| (it.table.name.clone(), it.table)).collect();
        if let Some(outbox) = &self.part.outbox
            && let Some(table) = self.tables.get(&outbox.table)
        {
            let (tried, layer) = (format!("read {} as an outbox", outbox.table), Layer::Capability);
            match outbox.tables(table) {
                Ok(kinds) => {
                    let told = format!("{} kinds are followed", kinds.len());
                    checks.push(Check::good(layer, tried, told));
                    self.tables.extend(kinds.into_iter().map(|it| (it.name.clone(), it)));
                }
                Err(fault) => checks.push(Check::fault(layer, tried, fault)),
            }
        }
        Ok(checks)
    }

    /// The name under which slot and publication are made; none before the first run.
    async fn follower(&self) -> Result<Option<String>, Check> {
        let catalog = registry::catalog_file(&self.config);
        let (layer, tried) = (Layer::Capability, "read the name of this Instep");
        let none = || Check::not_measured(layer, tried, "the catalog did not answer");
        let named = apart(move || engine::named(&catalog)).await.ok_or_else(none)?;
        named.map_err(|fault| Check::not_measured(layer, tried, fault.to_string()))
    }

    /// Whether each table can be followed, and those that can.
    async fn shapes(&self) -> Result<(Vec<Check>, Vec<Described>), Check> {
        let layer = Layer::Capability;
        let described = self.glance(layer)?.tables(&self.part.tables).await;
        let described = described.map_err(|it| self.met(layer, "read the tables", it))?;
        let (mut checks, mut found) = (Vec::new(), Vec::new());
        for (name, described) in self.part.tables.iter().zip(described) {
            let tried = format!("read the shape of {name}");
            checks.push(match described {
                Ok(described) => {
                    let check = Check::good(layer, tried, judge::followable(&described));
                    found.push(described);
                    check
                }
                Err(unfit) => Check::fault(layer, tried, unfit.into()),
            });
        }
        Ok((checks, found))
    }

    /// What we may do with the tables that can be followed, and with their publication.
    async fn tables_of(
        &self,
        rights: &Rights,
        follower: Option<&str>,
        found: &[Described],
    ) -> Result<Vec<Check>, Check> {
        let (layer, tried) = (Layer::Capability, "ask what the role may do with its tables");
        let met = |trouble| self.met(layer, tried, trouble);
        let glance = self.glance(layer)?;
        let names: Vec<_> = found.iter().map(|it| it.table.name.clone()).collect();
        let tables = glance.table_rights(&names).await.map_err(met)?;
        let mut checks: Vec<_> = tables.iter().map(|it| judge::reads(rights, it)).collect();
        let name = follower.map(publication_name);
        let publication = match &name {
            Some(name) => glance.publication(name).await.map_err(met)?,
            None => None,
        };
        if !tables.is_empty() {
            let has_root = found.iter().any(|it| it.is_partitioned);
            let wanted = judge::Wanted { tables: &tables, has_root, name: name.as_deref() };
            checks.push(judge::publication(rights, &wanted, publication.as_ref()));
        }
        Ok(checks)
    }

    /// Transactions that would hold up the making of a slot.
    async fn open(&self) -> Result<Check, Check> {
        let (layer, tried) = (Layer::Capability, judge::OPEN);
        let met = |trouble| self.met(layer, tried, trouble);
        let glance = self.glance(layer)?;
        let open = glance.open().await.map_err(met)?;
        if !judge::has_hidden(&open) {
            return Ok(judge::open(&open, &open));
        }
        sleep(OPEN_LOOK).await;
        Ok(judge::open(&open, &glance.open().await.map_err(met)?))
    }

    async fn latency(&mut self) -> Result<Vec<Check>, Check> {
        let (layer, tried) = (Layer::Latency, "ask the smallest question");
        let met = |trouble| self.met(layer, tried, trouble);
        let glance = self.glance(layer)?;
        let took = glance.latency().await.map_err(met)?;
        let before = clock::micros();
        let server = glance.server().await.map_err(met)?;
        let clock = judge::clock(before, server.clock_micros, clock::micros());
        Ok(vec![judge::latency(tried, took), clock])
    }
}

#[async_trait]
impl Database for Postgres {
    fn service(&self) -> &str {
        &self.service
    }

    fn tables(&self) -> &BTreeMap<TableName, Arc<Table>> {
        &self.tables
    }

    async fn fit(&self, copy: &Copy, shard: &str, table: &Arc<Table>) -> Vec<Check> {
        let tried = fit::tried(copy, shard);
        let Some(to) = registry::copy_to(copy, &self.config) else { return Vec::new() };
        let target = PostgresTarget::new(self.access.clone(), vec![to]);
        match target.fit(&copy.name, table).await {
            Err(fault) => vec![Check::fault(Layer::Capability, tried, fault)],
            Ok(found) => {
                let is_filled = |table: &str| fit::filled(copy, &self.config).any(|it| it == table);
                fit::fit(tried, &found, is_filled)
            }
        }
    }
}
