//! Aide: a connection beside the stream that writes markers and looks at what the stream says nothing
//! of: the slot, the publication, partitions. It keeps the outbox small.
//!
//! Invariant: it holds up nobody. What it finds is left where the stream's owner sees it; while the
//! server does not answer it there is just nothing new.

use super::begin::Wanted;
use super::publication;
use super::server;
use super::sight::Sight;
use super::slot;
use super::trim::Trim;
use super::unready::Unready;
use super::witness::Witness;
use crate::postgres::lsn::Lsn;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use model::{Code, TableName};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// An aide at work; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Aide {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What it has found since it was asked last, the newest of each.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The slot as it stands.
    pub(super) slot: Option<slot::Standing>,
    /// What is to be noted from now on.
    pub(super) witness: Option<Witness>,
    /// What a person should know.
    pub(super) notices: Vec<(Code, String)>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// A marker is wanted.
    wanted: Notify,
    /// The history cannot go on.
    gap: Notify,
    /// The server shuts down.
    leaving: Notify,
}

#[derive(Debug, Default)]
struct State {
    marker: bool,
    /// How far the stream has come, and which transactions it said emptied tables.
    reached: Lsn,
    emptied: BTreeMap<TableName, u32>,
    /// How far everything is durable.
    confirmed: Lsn,
    findings: Findings,
    /// Why the history cannot go on.
    gap: Option<String>,
    /// What the server says while it shuts down.
    leaving: Option<Trouble>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Markers are no more than one a second.
const MARK_PAUSE: Duration = Duration::from_secs(1);

/// How long a query may take; then its connection is given up.
const PATIENCE: Duration = Duration::from_secs(10);

impl Aide {
    /// Sets to work; `witness` is what has to stay as it is.
    pub(super) fn begin(wanted: Wanted, witness: Witness, slot: String) -> Self {
        let shared = Arc::new(Shared::default());
        let (marked_at, unsaid, trim) = (None, None, Trim::default());
        let work = Work { shared: shared.clone(), wanted, witness, slot, marked_at, unsaid, trim };
        Self { shared, task: tokio::spawn(work.run()) }
    }

    /// Asks for a marker. Never blocks.
    pub(super) fn mark(&self) {
        self.shared.lock().marker = true;
        self.shared.wanted.notify_one();
    }

    /// How far the stream has come. Never blocks.
    pub(super) fn reached(&self, (reached, emptied): (Lsn, &BTreeMap<TableName, u32>)) {
        let mut state = self.shared.lock();
        state.reached = reached;
        if state.emptied != *emptied {
            state.emptied.clone_from(emptied);
        }
    }

    /// Everything up to here is durable, of the history that is followed. Never blocks.
    pub(super) fn confirmed(&self, upto: Lsn) {
        let mut state = self.shared.lock();
        state.confirmed = state.confirmed.max(upto);
    }

    /// What was found since it was asked last.
    pub(super) fn findings(&self) -> Findings {
        std::mem::take(&mut self.shared.lock().findings)
    }

    /// Waits until the history cannot go on, and says why.
    pub(super) async fn gap(&self) -> String {
        loop {
            let notified = self.shared.gap.notified();
            let gap = self.shared.lock().gap.clone();
            match gap {
                Some(gap) => return gap,
                None => notified.await,
            }
        }
    }

    /// Waits until the server shuts down, and says how it put that.
    pub(super) async fn leaving(&self) -> Trouble {
        loop {
            let notified = self.shared.leaving.notified();
            let leaving = self.shared.lock().leaving.take();
            match leaving {
                Some(trouble) => return trouble,
                None => notified.await,
            }
        }
    }
}

impl Drop for Aide {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Work {
    shared: Arc<Shared>,
    wanted: Wanted,
    witness: Witness,
    slot: String,
    marked_at: Option<Instant>,
    /// Something was done that the stream has not said; it says so before this, if ever.
    unsaid: Option<Lsn>,
    trim: Trim,
}

impl Work {
    async fn run(mut self) {
        loop {
            match Session::connect(&self.wanted.access).await {
                Ok(session) => drop(self.serve(&session).await),
                Err(trouble) if is_leaving(&trouble) => {
                    self.shared.lock().leaving = Some(trouble);
                    self.shared.leaving.notify_one();
                }
                // The stream itself says what else is wrong with the server, if anything is.
                Err(_) => {}
            }
            sleep(MARK_PAUSE).await;
        }
    }

    async fn serve(&mut self, session: &Session) -> Result<(), Unready> {
        let mut look_at = Instant::now() + self.wanted.limits.look_pause;
        loop {
            tokio::select! {
                () = self.shared.wanted.notified() => {}
                () = closed(session) => return Ok(()),
                () = sleep_until(look_at) => {
                    within(self.look(session)).await?;
                    look_at = Instant::now() + self.wanted.limits.look_pause;
                }
            }
            self.mark(session).await?;
        }
    }

    async fn mark(&mut self, session: &Session) -> Result<(), Unready> {
        if !self.shared.lock().marker {
            return Ok(());
        }
        if let Some(at) = self.marked_at {
            sleep_until(at + MARK_PAUSE).await;
        }
        self.shared.lock().marker = false;
        self.marked_at = Some(Instant::now());
        within(async { Ok(server::mark(session).await?) }).await
    }

    async fn look(&mut self, session: &Session) -> Result<(), Unready> {
        let standing = slot::look(session, &self.slot).await?;
        let bound = self.wanted.limits.slot_wal_bytes_max;
        if let Some(standing) = standing.as_ref().filter(|it| bound > 0 && it.retained > bound) {
            let retained = standing.retained;
            self.lost(format!(
                "the slot {} kept {retained} bytes of the log, more than slot_wal_bytes_max ({bound}), \
                 and is dropped",
                self.slot
            ));
            // Whoever should read it may be held up for long: the server comes first.
            slot::drop_it(session, &self.slot).await?;
        }
        self.shared.lock().findings.slot = standing;
        self.drop_left(session).await?;
        match self.look_at_tables(session).await? {
            Some(sight) => self.trim(session, &sight).await,
            None => Ok(()),
        }
    }

    /// Another Instep of this database that does not run can not give up its slot itself, and may be
    /// gone for good: the server comes first.
    async fn drop_left(&self, session: &Session) -> Result<(), Unready> {
        let bound = self.wanted.limits.slot_wal_bytes_max;
        if bound == 0 {
            return Ok(());
        }
        for (slot, retained) in slot::left(session, bound).await? {
            if slot != self.slot && slot::drop_left(session, &slot).await? {
                let what = format!(
                    "nobody reads the slot {slot} of another Instep, for which {retained} bytes of the \
                     log were kept, more than slot_wal_bytes_max ({bound}), and it is dropped"
                );
                self.shared.lock().findings.notices.push((Code::PostgresSlot, what));
            }
        }
        Ok(())
    }

    /// Keeps the outbox small, where the tables were found to be told of.
    async fn trim(&mut self, session: &Session, sight: &Sight) -> Result<(), Unready> {
        let (Some(outbox), Some(described)) = (&sight.outbox, sight.tables.last()) else {
            return Ok(());
        };
        let (confirmed, only) = (self.shared.lock().confirmed, described.only());
        let outbox = (&outbox.table, &*only);
        let notice = self.trim.look(session, outbox, &self.witness, confirmed).await?;
        self.shared.lock().findings.notices.extend(notice);
        Ok(())
    }

    /// The tables as they are, if everything that was done to them is told.
    async fn look_at_tables(&mut self, session: &Session) -> Result<Option<Sight>, Unready> {
        let Wanted { follower, tables, outbox, .. } = &self.wanted;
        let sight = match Sight::of(session, tables, outbox.as_ref()).await {
            Ok(sight) => sight,
            Err(Unready::Fault(fault)) => {
                self.lost(fault.what);
                return Ok(None);
            }
            Err(unready) => return Err(unready),
        };
        let Some(publication) = publication::look(session, follower, &sight.tables).await? else {
            self.lost("the publication was dropped".to_owned());
            return Ok(None);
        };
        let now = Witness {
            publication: (publication.oid, publication.changed),
            tables: sight.seen(
                |table| publication.place_of(table),
                |kind| self.witness.since(kind).unwrap_or(u64::MAX),
            ),
            ..self.witness.clone()
        };
        // Whatever is seen now lies before this.
        let written = server::written(session).await?;
        let (reached, emptied) = {
            let state = self.shared.lock();
            (state.reached, state.emptied.clone())
        };
        let told = |name: &str, by: u32| emptied.get(&name.into()) == Some(&by);
        if let Some(missed) = self.witness.missed(&now, &told) {
            // The stream may still come to say it.
            let is_certain = self.witness.missed(&now, &|_, _| true).is_some();
            if is_certain || reached >= *self.unsaid.get_or_insert(written) {
                self.lost(missed);
            }
            return Ok(None);
        }
        self.unsaid = None;
        let now = now.with_those_before(&self.witness);
        if now != self.witness {
            self.witness = now.clone();
            self.shared.lock().findings.witness = Some(now);
        }
        Ok(Some(sight))
    }

    fn lost(&self, why: String) {
        self.shared.lock().gap = Some(why);
        self.shared.gap.notify_one();
    }
}

/// Whether the server shuts down. It then waits until every stream was read and confirmed up to the
/// end of its log, and a last transaction never is, so that it comes again: its reader has to leave.
fn is_leaving(trouble: &Trouble) -> bool {
    trouble.refused().is_some_and(|refused| refused.sqlstate == "57P03")
}

/// Waits until the server has closed a session.
async fn closed(session: &Session) {
    while !session.is_closed() {
        sleep(MARK_PAUSE).await;
    }
}

/// What the server answers, or nothing if it takes too long.
async fn within<T>(asked: impl Future<Output = Result<T, Unready>>) -> Result<T, Unready> {
    let slow = |_| Trouble::Silent("the server does not answer".to_owned());
    timeout(PATIENCE, asked).await.map_err(slow)?
}
