//! The catalog in one SQLite file, `catalog.db`, which people can open, too.
//!
//! What stands here cannot be computed again, so a file that is damaged or newer is refused and
//! never replaced. `docs/formats/catalog.md` has the tables.

use crate::catalog::{Catalog, History};
use crate::instance::Instance;
use async_trait::async_trait;
use bytes::Bytes;
use model::{Code, Fault, Identity, Incarnation, Lane, Position, TargetName};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, params};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use worker::Worker;

/// The catalog over its file. Dropping it ends its thread and closes the file.
#[derive(Debug)]
pub struct SqliteCatalog {
    worker: Worker<Connection>,
}

/// A catalog that was opened, and whether it was there before.
#[derive(Debug)]
pub struct OpenedCatalog {
    /// The catalog.
    pub catalog: SqliteCatalog,
    /// Whether there was no file, so that an empty one was begun: right only where nothing else is
    /// there yet, for a lost catalog makes every target unverified.
    pub begun: bool,
}

impl SqliteCatalog {
    /// Opens the catalog in this file, and begins an empty one if there is none.
    pub async fn open(path: &Path) -> Result<OpenedCatalog, Fault> {
        let path = path.to_owned();
        let (worker, begun) = Worker::open("catalog", move || {
            let begun = begin(&path)?;
            Ok((connect(&path)?, begun))
        })
        .await?;
        Ok(OpenedCatalog { catalog: Self { worker }, begun })
    }

    /// Another run of this instance begins. Its name was drawn when the catalog was begun.
    pub async fn begin_run(&self) -> Result<Instance, Fault> {
        const BEGIN: &str = "insert into instance (one, name, run)
                             values (1, lower(hex(randomblob(8))), 1)
                             on conflict do update set run = run + 1 returning name, run";
        self.run(|connection| connection.query_row(BEGIN, [], instance)).await
    }

    /// The run of this instance that would begin next.
    pub async fn next_run(&self) -> Result<Instance, Fault> {
        const ASK: &str = "insert into instance (one, name, run)
                           values (1, lower(hex(randomblob(8))), 0)
                           on conflict do update set run = run returning name, run + 1";
        self.run(|connection| connection.query_row(ASK, [], instance)).await
    }

    /// Forgets the history of a lane, and what a person decided about it: whatever answers next is
    /// followed in a history of its own.
    pub async fn forget(&self, lane: &Lane) -> Result<(), Fault> {
        let lane = lane.clone();
        let forget = move |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            for table in ["history", "adopted", "allowed_deletes"] {
                let forget = format!("delete from {table} where lane = ?1");
                transaction.execute(&forget, [lane.as_str()])?;
            }
            transaction.commit()
        };
        self.run(forget).await
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        self.worker.run(|connection| job(connection).map_err(judge)).await
    }
}

#[async_trait]
impl Catalog for SqliteCatalog {
    async fn history(&self, lane: &Lane) -> Result<Option<History>, Fault> {
        const ASK: &str =
            "select incarnation, identity, began, witness from history where lane = ?1";
        let lane = lane.clone();
        let ask = move |connection: &mut Connection| {
            connection.query_row(ASK, [lane.as_str()], history).optional()
        };
        self.run(ask).await
    }

    /// Seconds: a history lasts longer than one.
    async fn first(&self) -> Result<Incarnation, Fault> {
        const ASK: &str = "select max(1, unixepoch() - unixepoch('2026-01-01'))";
        let ask = |connection: &mut Connection| connection.query_row(ASK, [], |row| row.get(0));
        Ok(Incarnation(self.run(ask).await?))
    }

    async fn begin(&self, lane: &Lane, history: &History) -> Result<(), Fault> {
        const BEGIN: &str = "insert or replace into history
                             (lane, incarnation, identity, began, witness) values (?1, ?2, ?3, ?4, ?5)";
        let (lane, history) = (lane.clone(), history.clone());
        let begin = move |connection: &mut Connection| {
            let (lane, began) = (lane.as_str(), history.began.as_bytes());
            let transaction = connection.transaction()?;
            let (incarnation, identity) = (history.incarnation.0, history.identity.as_str());
            let row = params![lane, incarnation, identity, began, history.witness.as_ref()];
            transaction.execute(BEGIN, row)?;
            transaction.execute("delete from adopted where lane = ?1", [lane])?;
            transaction.execute("delete from allowed_deletes where lane = ?1", [lane])?;
            transaction.commit()
        };
        self.run(begin).await
    }

    async fn renew(&self, lane: &Lane, witness: &Bytes) -> Result<(), Fault> {
        const RENEW: &str = "update history set witness = ?2 where lane = ?1";
        let (lane, witness) = (lane.clone(), witness.clone());
        let renew = move |connection: &mut Connection| {
            connection.execute(RENEW, params![lane.as_str(), witness.as_ref()]).map(drop)
        };
        self.run(renew).await
    }

    async fn adopt(&self, lane: &Lane, identity: &Identity) -> Result<(), Fault> {
        const ADOPT: &str = "insert or replace into adopted (lane, identity) values (?1, ?2)";
        let (lane, identity) = (lane.clone(), identity.clone());
        let adopt = move |connection: &mut Connection| {
            connection.execute(ADOPT, [lane.as_str(), identity.as_str()]).map(drop)
        };
        self.run(adopt).await
    }

    async fn adopted(&self, lane: &Lane) -> Result<Option<Identity>, Fault> {
        const ASK: &str = "select identity from adopted where lane = ?1";
        let lane = lane.clone();
        let ask = move |connection: &mut Connection| {
            connection.query_row(ASK, [lane.as_str()], |row| identity(row, 0)).optional()
        };
        self.run(ask).await
    }

    async fn allow_deletes(
        &self,
        lane: &Lane,
        target: &TargetName,
        rows: u64,
    ) -> Result<(), Fault> {
        const ALLOW: &str = "insert or replace into allowed_deletes (lane, target, deletes)
                             values (?1, ?2, ?3)";
        let (lane, target) = (lane.clone(), target.clone());
        // SQLite's numbers end there, and so does every table.
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let allow = move |connection: &mut Connection| {
            connection.execute(ALLOW, params![lane.as_str(), target.as_str(), rows]).map(drop)
        };
        self.run(allow).await
    }

    async fn deletes_allowed(&self, lane: &Lane, target: &TargetName) -> Result<u64, Fault> {
        const ASK: &str = "select deletes from allowed_deletes where lane = ?1 and target = ?2";
        let (lane, target) = (lane.clone(), target.clone());
        let ask = move |connection: &mut Connection| {
            let names = [lane.as_str(), target.as_str()];
            let rows: Option<i64> =
                connection.query_row(ASK, names, |row| row.get(0)).optional()?;
            Ok(rows.and_then(|rows| u64::try_from(rows).ok()).unwrap_or(0))
        };
        self.run(ask).await
    }
}

fn instance(row: &Row<'_>) -> rusqlite::Result<Instance> {
    Ok(Instance { name: row.get(0)?, run: row.get::<_, u32>(1)?.into() })
}

fn history(row: &Row<'_>) -> rusqlite::Result<History> {
    Ok(History {
        incarnation: Incarnation(row.get(0)?),
        identity: identity(row, 1)?,
        began: Position::new(row.get::<_, Vec<u8>>(2)?),
        witness: row.get::<_, Vec<u8>>(3)?.into(),
    })
}

fn identity(row: &Row<'_>, column: usize) -> rusqlite::Result<Identity> {
    Ok(row.get_ref(column)?.as_str()?.into())
}

/// Marks the file as a catalog of ours: `INST`.
const APPLICATION: i32 = 0x494e_5354;

/// The format of the tables; a change of them takes the next number.
const VERSION: i32 = 1;

const TABLES: &str = "
    create table history (
        lane text primary key,
        incarnation integer not null,
        identity text not null,
        began blob not null,
        witness blob not null
    ) strict;
    create table instance (
        one integer primary key check (one = 1),
        name text not null,
        run integer not null
    ) strict;
    create table adopted (
        lane text primary key,
        identity text not null
    ) strict;
    create table allowed_deletes (
        lane text not null,
        target text not null,
        deletes integer not null,
        primary key (lane, target)
    ) strict;
";

/// How long a call waits while another program has the file locked.
const BUSY: Duration = Duration::from_secs(5);

/// Makes an empty catalog if there is no file: whole under another name, then renamed, so that a
/// file of this name which is not whole was damaged.
fn begin(path: &Path) -> Result<bool, Fault> {
    if path.try_exists().map_err(|error| on_disk("look for", path, error))? {
        return Ok(false);
    }
    let log = beside(path, "-wal");
    if log.exists() {
        // SQLite would read it into the new file.
        let what = format!("{} is there, but the file to which it belongs is not", log.display());
        return Err(Fault::stop(Code::CatalogDamaged, what));
    }
    let new = beside(path, "-new");
    for left in [new.clone(), beside(&new, "-journal")] {
        match fs::remove_file(&left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(on_disk("remove", &left, error));
            }
            _ => {}
        }
    }
    create(&new).map_err(judge)?;
    fs::rename(&new, path).map_err(|error| on_disk("rename", &new, error))?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(|error| on_disk("sync", dir, error))?;
    Ok(true)
}

fn create(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute_batch(&format!(
        "begin; {TABLES} pragma application_id = {APPLICATION};
         pragma user_version = {VERSION}; commit;"
    ))?;
    connection.close().map_err(|(_, error)| error)
}

/// Opens the file and makes sure that it is a sound catalog of a format that is known.
fn connect(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(judge)?;
    connection.busy_timeout(BUSY).map_err(judge)?;
    check_format(&connection, path)?;
    prepare(&connection).map_err(judge)?;
    let check = |row: &Row<'_>| row.get::<_, String>(0);
    let found = connection.query_row("pragma integrity_check(1)", [], check).map_err(judge)?;
    if found != "ok" {
        let what = format!("{}: {found}", path.display());
        return Err(Fault::stop(Code::CatalogDamaged, what));
    }
    Ok(connection)
}

/// Makes sure that the file is a catalog of a format that is known.
fn check_format(connection: &Connection, path: &Path) -> Result<(), Fault> {
    let number = |name: &str| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(judge)
    };
    let version = number("user_version")?;
    if number("application_id")? != APPLICATION || version < 1 {
        let what = format!("{} is no catalog of Instep", path.display());
        return Err(Fault::stop(Code::CatalogDamaged, what));
    }
    if version > VERSION {
        let what = format!("{} has format {version}, known is {VERSION}", path.display());
        return Err(Fault::stop(Code::CatalogNewer, what));
    }
    Ok(())
}

/// The server that a lane is pinned to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The one that it was followed at.
    pub identity: Identity,
    /// Another one that a person has adopted since.
    pub adopted: Option<Identity>,
}

/// Which servers the lanes are pinned to, read without writing to the file or beside it; nothing if
/// there is no catalog. It blocks.
pub fn pinned(path: &Path) -> Result<BTreeMap<Lane, Pinned>, Fault> {
    const ASK: &str = "select lane, history.identity, adopted.identity
                       from history left join adopted using (lane)";
    let ask = |connection: &Connection| {
        let mut found = connection.prepare(ASK)?;
        let found = found.query_map([], |row| {
            let lane: String = row.get(0)?;
            let adopted: Option<String> = row.get(2)?;
            let adopted = adopted.map(|identity| identity.as_str().into());
            Ok((lane.as_str().into(), Pinned { identity: identity(row, 1)?, adopted }))
        })?;
        found.collect()
    };
    look(path, ask)
}

/// The name of the instance that this is the catalog of, read in the same way; none if it has none
/// yet. It blocks.
pub fn named(path: &Path) -> Result<Option<String>, Fault> {
    let ask = "select name from instance";
    look(path, |connection| connection.query_row(ask, [], |row| row.get(0)).optional())
}

/// Reads from a catalog without writing to the file or beside it; nothing if there is none.
fn look<T: Default>(
    path: &Path,
    ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, Fault> {
    if !path.try_exists().map_err(|error| on_disk("look for", path, error))? {
        return Ok(T::default());
    }
    let log = fs::metadata(beside(path, "-wal"));
    let has_log = log.is_ok_and(|log| log.len() > 0);
    if has_log && !beside(path, "-shm").exists() {
        let what = format!("{} has a log without an index, which reading makes", path.display());
        return Err(Fault::retry(Code::NotMeasured, what));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(read_only(path, has_log), flags).map_err(judge)?;
    connection.busy_timeout(BUSY).map_err(judge)?;
    check_format(&connection, path)?;
    ask(&connection).map_err(judge)
}

/// The address under which SQLite makes nothing beside the file: the index of a log that is in use
/// is only read, and a file without a log is nobody's at this moment.
fn read_only(path: &Path, has_log: bool) -> String {
    let how = if has_log { "readonly_shm=1" } else { "immutable=1" };
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let path: String = bytes.map(|byte| format!("%{byte:02x}")).collect();
    format!("file:{path}?mode=ro&{how}")
}

/// One sync for each commit, and people who read do not hold up who writes.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // Only macOS needs to be told that a sync has to reach the disk itself.
    connection.pragma_update(None, "fullfsync", true)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn on_disk(what: &str, path: &Path, error: io::Error) -> Fault {
    Fault::stop(Code::CatalogDisk, format!("cannot {what} {}", path.display())).because(error)
}

/// The one place where SQLite's errors are judged.
fn judge(error: rusqlite::Error) -> Fault {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    let fault = match &error {
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) => {
            Fault::stop(Code::CatalogDamaged, "the catalog holds a value that was never written")
        }
        error => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Fault::stop(Code::CatalogDamaged, "the catalog is damaged")
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Fault::retry(Code::CatalogDisk, "another program has the catalog locked")
            }
            _ => Fault::stop(Code::CatalogDisk, "the catalog cannot be read or written"),
        },
    };
    fault.because(error)
}
