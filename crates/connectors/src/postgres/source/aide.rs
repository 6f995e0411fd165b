//! Aide: a connection beside the stream that writes markers and looks at what the stream says nothing
//! of: the slot, the publication, partitions.
//!
//! Invariant: it holds up nobody. What it finds is left where the stream's owner sees it; while the
//! server does not answer it there is just nothing new.

use super::begin::Wanted;
use super::publication;
use super::server;
use super::sight::Sight;
use super::slot;
use super::unready::Unready;
use super::witness::Witness;
use crate::postgres::lsn::Lsn;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use model::TableName;
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

/// What it has found, the newest of each.
#[derive(Debug, Default)]
struct Findings {
    /// The slot as it stands.
    slot: Option<slot::Standing>,
    /// What is to be noted from now on.
    witness: Option<Witness>,
    /// Why the history cannot go on.
    gap: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// A marker is wanted.
    wanted: Notify,
    /// The history cannot go on.
    gap: Notify,
}

#[derive(Debug, Default)]
struct State {
    marker: bool,
    /// How far the stream has come, and which transactions it said emptied tables.
    reached: Lsn,
    emptied: BTreeMap<TableName, u32>,
    findings: Findings,
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
        let work =
            Work { shared: shared.clone(), wanted, witness, slot, marked_at: None, unsaid: None };
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

    /// The slot as it stands and what is to be noted, if that was found since it was asked last.
    pub(super) fn findings(&self) -> (Option<slot::Standing>, Option<Witness>) {
        let mut state = self.shared.lock();
        let Findings { slot, witness, .. } = &mut state.findings;
        (slot.take(), witness.take())
    }

    /// Waits until the history cannot go on, and says why.
    pub(super) async fn gap(&self) -> String {
        loop {
            let notified = self.shared.gap.notified();
            let gap = self.shared.lock().findings.gap.clone();
            match gap {
                Some(gap) => return gap,
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
}

impl Work {
    async fn run(mut self) {
        loop {
            // The stream itself says what is wrong with the server, if anything is.
            if let Ok(session) = Session::connect(&self.wanted.access).await {
                drop(self.serve(&session).await);
            }
            sleep(MARK_PAUSE).await;
        }
    }

    async fn serve(&mut self, session: &Session) -> Result<(), Unready> {
        let mut look_at = Instant::now() + self.wanted.limits.look_pause;
        loop {
            tokio::select! {
                () = self.shared.wanted.notified() => {}
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
        self.look_at_tables(session).await
    }

    async fn look_at_tables(&mut self, session: &Session) -> Result<(), Unready> {
        let (follower, names) = (&self.wanted.follower, &self.wanted.tables);
        let sight = match Sight::of(session, names).await {
            Ok(sight) => sight,
            Err(Unready::Fault(fault)) => {
                self.lost(fault.what);
                return Ok(());
            }
            Err(unready) => return Err(unready),
        };
        let Some(publication) = publication::look(session, follower, &sight.tables).await? else {
            self.lost("the publication was dropped".to_owned());
            return Ok(());
        };
        let now = Witness {
            publication: (publication.oid, publication.changed),
            tables: sight.seen(|table| publication.place_of(table)),
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
            return Ok(());
        }
        self.unsaid = None;
        let now = now.with_those_before(&self.witness);
        if now != self.witness {
            self.witness = now.clone();
            self.shared.lock().findings.witness = Some(now);
        }
        Ok(())
    }

    fn lost(&self, why: String) {
        self.shared.lock().findings.gap = Some(why);
        self.shared.gap.notify_one();
    }
}

/// What the server answers, or nothing if it takes too long.
async fn within<T>(asked: impl Future<Output = Result<T, Unready>>) -> Result<T, Unready> {
    let slow = |_| Trouble::Silent("the server does not answer".to_owned());
    timeout(PATIENCE, asked).await.map_err(slow)?
}
