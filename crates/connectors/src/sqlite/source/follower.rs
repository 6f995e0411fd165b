//! Reads on in a followed file: what was touched since, as one transaction, and the rows as they are
//! in the same snapshot. Lives on the thread of its connection.
//!
//! Everything after the last reading that its snapshot sees is one transaction to the reader: a union
//! of whole ones of the file. Its number and position are those of the last change.
//!
//! Must not know: when to look again.

use super::books;
use super::history::{self, Witness};
use super::install::{self, install};
use super::installation::{self, Installation};
use super::installed::Installed;
use super::limits::SourceLimits;
use super::spool::Spool;
use crate::sqlite::fault::Side;
use crate::sqlite::file::File;
use crate::sqlite::inode::Inode;
use crate::sqlite::trouble::Trouble;
use model::{Code, Fault, Resume, Started, Step, TableName, TransactionId};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// How long a write of ours waits for others: they come first.
const PATIENCE: Duration = Duration::from_millis(20);

/// How many statements are kept ready.
const STATEMENTS_MAX: usize = 128;

/// A connection that follows a file.
#[derive(Debug)]
pub(super) struct Follower {
    connection: Connection,
    file: File,
    inode: Inode,
    names: Vec<TableName>,
    limits: SourceLimits,
    /// Who follows, if that is to be noted.
    installation: Option<Installation>,
    reading: Option<Reading>,
}

/// What is wanted of a follower beside the next steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wishes {
    /// What the log holds durably.
    pub(super) confirmed: i64,
    /// Whether a marker is to be written if there is nothing else.
    pub(super) marker: bool,
    /// What time it is.
    pub(super) now: Instant,
}

/// What a look at the file has brought.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// The next steps, in order.
    pub(super) steps: Vec<Step>,
    /// Whether something was handed over, so that a marker is not wanted any more.
    pub(super) has_moved: bool,
}

/// How far a history was read.
#[derive(Debug)]
struct Reading {
    installed: Installed,
    spool: Spool,
    /// The last change that was read.
    read: Witness,
    /// Whether the spool holds the transaction that ends there.
    is_open: bool,
    /// The change by which the file is known again; never deleted.
    kept: i64,
    /// Transactions that were handed over and are not confirmed yet.
    handed: VecDeque<i64>,
    /// SQLite's number of the file's content when it was read last.
    content: Option<i64>,
    /// When it was last said that there is nothing new.
    idle_at: Option<Instant>,
    /// When a marker was last written.
    marked_at: Option<Instant>,
    /// Everything confirmed below this is deleted.
    trimmed: i64,
    /// When to delete again.
    trim_at: Option<Instant>,
}

impl Follower {
    /// Opens the file; it has to be there.
    pub(super) fn open(
        file: File,
        names: Vec<TableName>,
        limits: SourceLimits,
        installation: Option<Installation>,
    ) -> Result<Self, Fault> {
        // Looked at before: if another file is moved there meanwhile, the first look says so.
        let inode = Inode::of(&file.path).map_err(|error| {
            let what = format!("{} can not be opened: {error}", file.path.display());
            Fault::retry(Code::SourceUnavailable, what).because(error)
        })?;
        let connection = file.open(Side::Source, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Ok(Self { connection, file, inode, names, limits, installation, reading: None })
    }

    /// Begins to follow.
    pub(super) fn start(&mut self, after: Option<&Resume>) -> Result<Started, Fault> {
        self.reading = None;
        let started = self.try_start(after);
        started.map_err(|trouble| self.judged(trouble))
    }

    /// Looks for the next steps.
    pub(super) fn look(&mut self, wishes: Wishes) -> Result<Looked, Fault> {
        let looked = self.try_look(wishes);
        looked.map_err(|trouble| self.judged(trouble))
    }

    fn judged(&self, trouble: Trouble) -> Fault {
        match trouble {
            Trouble::Sqlite(error)
                if matches!(
                    error.sqlite_error_code(),
                    Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
                ) =>
            {
                let what = format!("{} may not be written", self.file.path.display());
                Fault::retry(Code::SourceReadOnly, what).because(error)
            }
            trouble => trouble.judged(Side::Source, &self.file.path),
        }
    }

    /// The path still names the file that is open here.
    fn check_inode(&self) -> Result<(), Fault> {
        let path = self.file.path.display();
        let what = match Inode::of(&self.file.path) {
            Ok(inode) if inode == self.inode => return Ok(()),
            Ok(_) => format!("{path} is another file now"),
            Err(error) => format!("{path} is gone: {error}"),
        };
        Err(Fault::retry(Code::SourceUnavailable, what))
    }

    fn try_start(&mut self, after: Option<&Resume>) -> Result<Started, Trouble> {
        self.check_inode()?;
        self.connection.busy_timeout(self.file.busy)?;
        self.check_installation()?;
        let installed = install(&mut self.connection, &self.names)?;
        self.note_installation()?;
        let spool = Spool::new(&self.connection, &installed.tables)?;
        let snapshot = self.connection.transaction()?;
        let (started, kept) = history::begin(&snapshot, &installed, after)?;
        let read = match (&started, after) {
            (Started::Resumed, Some(after)) => history::number(&after.place.position),
            (Started::Fresh(now), _) => history::number(&now.position),
            _ => return Ok(started),
        };
        let read = Witness::at(&snapshot, read.unwrap_or(kept.number))?.unwrap_or(kept);
        drop(snapshot);
        self.reading = Some(Reading {
            installed,
            spool,
            read,
            is_open: false,
            kept: kept.number,
            handed: VecDeque::new(),
            content: None,
            // Soon after the start it is known what time it is there.
            idle_at: None,
            marked_at: None,
            trimmed: 0,
            trim_at: None,
        });
        Ok(started)
    }

    /// No other Instep follows the file.
    fn check_installation(&self) -> Result<(), Trouble> {
        let Some(installation) = &self.installation else { return Ok(()) };
        installation::check(&self.connection, installation)
    }

    /// Notes in the file who follows it. Where only the number of the run is new, that gives way to
    /// other writers.
    fn note_installation(&mut self) -> Result<(), Trouble> {
        let Some(installation) = &self.installation else { return Ok(()) };
        match installation::noted_run(&self.connection, installation)? {
            None => return installation::take(&mut self.connection, installation),
            Some(run) if run == installation.run => return Ok(()),
            Some(_) => {}
        }
        self.connection.busy_timeout(PATIENCE)?;
        let taken = installation::take(&mut self.connection, installation);
        self.connection.busy_timeout(self.file.busy)?;
        match taken {
            Err(Trouble::Sqlite(error)) => write::<()>(Err(error)).map(drop).map_err(Into::into),
            taken => taken,
        }
    }

    fn try_look(&mut self, wishes: Wishes) -> Result<Looked, Trouble> {
        self.check_inode()?;
        let is_to_trim =
            self.reading.as_mut().is_some_and(|reading| reading.is_to_trim(wishes, &self.limits));
        if is_to_trim {
            // What another one has not read must not go.
            self.check_installation()?;
        }
        let Some(reading) = &mut self.reading else {
            return Err(Fault::stop(Code::Broken, "a source was not started").into());
        };
        let (connection, limits) = (&mut self.connection, &self.limits);
        if is_to_trim {
            connection.busy_timeout(PATIENCE)?;
            write(reading.trim(connection, wishes.confirmed, limits))?;
            connection.busy_timeout(self.file.busy)?;
        }
        if reading.is_open {
            return reading.hand_over(connection, limits);
        }
        let looked = reading.look(connection, &self.names, limits, wishes.now)?;
        let is_soon = |at| wishes.now.duration_since(at) < MARK_PAUSE;
        if looked.has_moved || !wishes.marker || reading.marked_at.is_some_and(is_soon) {
            return Ok(looked);
        }
        connection.busy_timeout(PATIENCE)?;
        if write(reading.mark(connection))?.is_some() {
            reading.marked_at = Some(wishes.now);
        }
        connection.busy_timeout(self.file.busy)?;
        reading.look(connection, &self.names, limits, wishes.now)
    }
}

/// How long no other marker is written after one.
const MARK_PAUSE: Duration = Duration::from_secs(1);

/// How often it is said of an idle file that there is nothing new.
const IDLE_PAUSE: Duration = Duration::from_secs(1);

/// The time by the same clock by which changes are recorded, in microseconds since 1970.
fn clock(connection: &Connection) -> rusqlite::Result<i64> {
    let ask = "select cast((julianday('now') - 2440587.5) * 86400000.0 as integer) * 1000";
    connection.prepare_cached(ask)?.query_row([], |row| row.get(0))
}

/// A write that may come later if others hold the file locked.
fn write<T>(written: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match written {
        Ok(done) => Ok(Some(done)),
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl Reading {
    /// Reads on if the file's content is another one than before.
    fn look(
        &mut self,
        connection: &mut Connection,
        names: &[TableName],
        limits: &SourceLimits,
        now: Instant,
    ) -> Result<Looked, Trouble> {
        // The clock is read before the file is looked at: nothing after what was read is older.
        let is_due = self.idle_at.is_none_or(|at| now.duration_since(at) >= IDLE_PAUSE);
        let time = if is_due { Some(clock(connection)?) } else { None };
        let content: i64 = connection
            .prepare_cached("pragma main.data_version")?
            .query_row([], |row| row.get(0))?;
        if self.content == Some(content) {
            let idle = time.map(|time| Step::Progress {
                position: history::position(self.read.number),
                source_time: time.max(self.read.at),
            });
            self.idle_at = if idle.is_some() { Some(now) } else { self.idle_at };
            return Ok(Looked { steps: idle.into_iter().collect(), has_moved: false });
        }
        let snapshot = connection.transaction()?;
        let upto = self.read_on(&snapshot, names)?;
        let is_ours = match upto {
            Some(upto) => self.spool.fill(&snapshot, self.read.number, upto.number)?,
            None => false,
        };
        snapshot.commit()?;
        self.content = Some(content);
        let Some(upto) = upto else { return Ok(Looked::default()) };
        self.read = upto;
        self.is_open = is_ours;
        if is_ours {
            return self.hand_over(connection, limits);
        }
        let position = history::position(upto.number);
        let step = Step::Progress { position, source_time: upto.at };
        Ok(Looked { steps: vec![step], has_moved: true })
    }

    /// The last change, if it is after what was read; and everything is as it has to be.
    fn read_on(
        &mut self,
        snapshot: &Connection,
        names: &[TableName],
    ) -> Result<Option<Witness>, Trouble> {
        let schema = install::schema_number(snapshot)?;
        if schema != self.installed.schema {
            self.installed = install::standing(snapshot, names)?
                .filter(|standing| standing.tables == self.installed.tables)
                .ok_or_else(|| {
                    changed("the schema has changed, so triggers are looked at again")
                })?;
        }
        let last = history::last(snapshot)?;
        let is_known = Witness::at(snapshot, self.read.number)? == Some(self.read);
        if !is_known || !history::is_unbroken(snapshot, self.read.number, last)? {
            return Err(changed("recorded changes are not those that were there before").into());
        }
        Ok(Witness::at(snapshot, last)?.filter(|last| last.number > self.read.number))
    }

    /// Hands over the next part of the transaction that was read, and behind the last one its end.
    fn hand_over(
        &mut self,
        connection: &Connection,
        limits: &SourceLimits,
    ) -> Result<Looked, Trouble> {
        let transaction = TransactionId(self.read.number.unsigned_abs());
        let changes = self.spool.part(connection, limits.part_bytes_max)?;
        let mut steps = Vec::with_capacity(2);
        if !changes.is_empty() {
            steps.push(Step::Part { transaction, sub: transaction, changes });
        }
        if self.spool.is_done() {
            self.is_open = false;
            self.handed.push_back(self.read.number);
            let position = history::position(self.read.number);
            steps.push(Step::Commit { transaction, position, committed_at: self.read.at });
        }
        Ok(Looked { steps, has_moved: true })
    }

    /// Writes a marker; the next look finds it.
    fn mark(&mut self, connection: &mut Connection) -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        books::mark(&transaction)?;
        transaction.commit()?;
        // Nobody is told of his own writes.
        self.content = None;
        Ok(())
    }

    fn is_to_trim(&mut self, wishes: Wishes, limits: &SourceLimits) -> bool {
        let is_time = self.trim_at.is_none_or(|at| wishes.now >= at);
        let is_to_trim = is_time && wishes.confirmed.min(self.read.number) > self.trimmed;
        if is_to_trim {
            self.trim_at = Some(wishes.now + limits.trim_pause_max);
        }
        is_to_trim
    }

    /// Deletes some of what is confirmed, but for what the file is known by.
    fn trim(
        &mut self,
        connection: &Connection,
        confirmed: i64,
        limits: &SourceLimits,
    ) -> rusqlite::Result<()> {
        while let Some(&number) = self.handed.front().filter(|number| **number <= confirmed) {
            self.kept = number;
            self.handed.pop_front();
        }
        let trim = "delete from main.instep_changes where seq in (select seq \
                    from main.instep_changes where seq < ?1 and seq <> ?2 order by seq limit ?3)";
        let upto = confirmed.min(self.read.number);
        let bounds = rusqlite::params![upto, self.kept, limits.trim_rows_max];
        let trimmed = connection.prepare_cached(trim)?.execute(bounds)?;
        if trimmed == limits.trim_rows_max as usize {
            // There is more.
            self.trim_at = None;
        } else {
            self.trimmed = upto;
        }
        Ok(())
    }
}

/// What is found anew, and judged, when the source is started again.
fn changed(what: &str) -> Fault {
    Fault::retry(Code::SourceHistoryLost, what)
}

#[cfg(test)]
mod tests {
    use super::{Follower, Inode, SourceLimits};
    use crate::sqlite::file::File;
    use model::{Code, Fate};
    use rusqlite::{Connection, OpenFlags};

    #[test]
    fn a_file_that_may_not_be_written_is_named_as_that() {
        let name = format!("instep-read-only-{}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        Connection::open(&path)
            .unwrap()
            .execute_batch("create table t (id integer primary key)")
            .unwrap();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(&path, flags).unwrap();
        let (file, inode) = (File::new(&path), Inode::of(&path).unwrap());
        let (names, limits) = (vec!["t".into()], SourceLimits::default());
        let installation = None;
        let mut follower =
            Follower { connection, file, inode, names, limits, installation, reading: None };
        let fault = follower.start(None).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert_eq!((fault.code, fault.fate), (Code::SourceReadOnly, Fate::Retry), "{fault}");
    }
}
