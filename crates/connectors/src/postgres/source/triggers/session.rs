//! A connection that follows by triggers: reads again and again, and hands over step by step.

use super::begin::{Begun, begin};
use super::books;
use super::install;
use super::reading::{Read, Reading, Steps};
use crate::postgres::fault::{Side, judge};
use crate::postgres::lsn::Lsn;
use crate::postgres::source::begin::Wanted;
use crate::postgres::source::names::lsn;
use crate::postgres::source::server;
use crate::postgres::source::sight::Sight;
use crate::postgres::source::unready::Unready;
use crate::postgres::source::witness::Witness;
use async_trait::async_trait;
use bytes::Bytes;
use model::{Code, Fate, Fault, News, Position, Resume, Source, Started, Step};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// Steps that may wait for their owner.
const STEPS_MAX: usize = 4;

/// The pause after a reading that found something, and the longest on an idle database.
const PAUSE: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// How often the log's end is moved while somebody waits for it. It takes some bytes, no transaction
/// and no sync: readings stand behind it, and on an idle server each would wait for the next.
const NUDGE_PAUSE: Duration = Duration::from_millis(50);

/// How often what is confirmed is forgotten.
const SECOND: Duration = Duration::from_secs(1);

/// A connection that follows, or is about to.
pub(super) struct Recorded {
    wanted: Wanted,
    running: Option<Running>,
}

/// Readings under way, in a task of their own; it ends when this is dropped.
struct Running {
    steps: Receiver<Result<Step, Unready>>,
    told: Arc<Told>,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the owner and the readings tell each other.
#[derive(Debug, Default)]
struct Told {
    confirmed: AtomicU64,
    marker: AtomicBool,
    wake: Notify,
    witness: Mutex<Option<Bytes>>,
}

impl Recorded {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self { wanted, running: None }
    }

    fn judged(&self, unready: Unready) -> Fault {
        let at = self.wanted.access.to_string();
        match unready {
            Unready::Fault(fault) => Fault { what: format!("{at}: {}", fault.what), ..fault },
            Unready::Trouble(trouble) => judge(Side::Source, &at, trouble),
        }
    }
}

#[async_trait]
impl Source for Recorded {
    async fn start(&mut self, after: Option<&Resume>) -> Result<Started, Fault> {
        self.running = None;
        let begun = begin(&self.wanted, after).await;
        let (started, begun) = begun.map_err(|unready| self.judged(unready))?;
        if let Some(Begun { reading, witness }) = begun {
            let (sender, steps) = channel(STEPS_MAX);
            let told = Arc::new(Told::default());
            let noted = match (&started, after) {
                (Started::Fresh(place), _) => Some(&place.witness),
                (_, after) => after.map(|after| &after.place.witness),
            };
            let bytes = witness.to_bytes();
            if noted != Some(&bytes) {
                *told.witness.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
            }
            let work = Work { told: told.clone(), wanted: self.wanted.clone(), reading, witness };
            let task = tokio::spawn(work.run(sender));
            self.running = Some(Running { steps, told, task });
        }
        Ok(started)
    }

    async fn next(&mut self) -> Result<Step, Fault> {
        let Some(running) = &mut self.running else {
            return Err(Fault::stop(Code::Broken, "a source was not started"));
        };
        match running.steps.recv().await {
            Some(Ok(step)) => Ok(step),
            // The next start finds out what is to be done about it.
            Some(Err(unready)) => Err(Fault { fate: Fate::Retry, ..self.judged(unready) }),
            None => Err(Fault::retry(Code::SourceUnavailable, "the readings have ended")),
        }
    }

    fn confirm(&self, position: &Position) {
        if let (Some(running), Some(Lsn(upto))) = (&self.running, lsn(position)) {
            running.told.confirmed.fetch_max(upto, Ordering::Relaxed);
        }
    }

    fn mark(&self) {
        if let Some(running) = &self.running {
            running.told.marker.store(true, Ordering::Relaxed);
            running.told.wake.notify_one();
        }
    }

    fn news(&mut self) -> News {
        let witness = self.running.as_ref().and_then(|running| {
            running.told.witness.lock().unwrap_or_else(PoisonError::into_inner).take()
        });
        News { witness, ..News::default() }
    }
}

/// The readings.
struct Work {
    told: Arc<Told>,
    wanted: Wanted,
    reading: Reading,
    witness: Witness,
}

impl Work {
    async fn run(mut self, steps: Steps) {
        if let Err(unready) = self.work(&steps).await {
            // Nobody may be there to hear it.
            drop(steps.send(Err(unready)).await);
        }
    }

    async fn work(&mut self, steps: &Steps) -> Result<(), Unready> {
        let mut pause = PAUSE;
        let (mut marked_at, mut trimmed_at, mut looked_at) = (None, Instant::now(), Instant::now());
        let is_due = |at: Instant, every: Duration| Instant::now() >= at + every;
        loop {
            let may_mark = marked_at.is_none_or(|at| is_due(at, NUDGE_PAUSE));
            if may_mark && self.told.marker.swap(false, Ordering::Relaxed) {
                server::nudge(&self.reading.session).await?;
                marked_at = Some(Instant::now());
            }
            pause = match self.reading.read(steps).await? {
                Read::Something => PAUSE,
                Read::Nothing => (pause * 2).min(PAUSE_MAX),
                Read::Unwanted => return Ok(()),
            };
            if is_due(trimmed_at, SECOND) {
                let upto = Lsn(self.told.confirmed.load(Ordering::Relaxed));
                let has_more =
                    books::trim(&self.reading.session, &self.reading.schema, upto).await?;
                trimmed_at = if has_more { trimmed_at } else { Instant::now() };
            }
            if is_due(looked_at, self.wanted.limits.look_pause) {
                self.look().await?;
                looked_at = Instant::now();
            }
            let _ = timeout(pause, self.told.wake.notified()).await;
        }
    }

    /// Looks at what no trigger tells of, and at the columns.
    async fn look(&mut self) -> Result<(), Unready> {
        let Reading { session, schema, .. } = &self.reading;
        let sight = Sight::of(session, &self.wanted.tables, None).await?;
        let standing = install::look(session, schema).await?.unwrap_or_default();
        let now = Witness {
            publication: (standing.schema, 0),
            tables: sight.seen(|table| standing.tables.get(&table.oid).copied(), |_| 0),
            ..self.witness.clone()
        };
        if let Some(missed) = self.witness.missed(&now, &|_, _| false) {
            return Err(Fault::retry(Code::SourceHistoryLost, missed).into());
        }
        let now = now.with_those_before(&self.witness);
        if now != self.witness {
            let told = Some(now.to_bytes());
            *self.told.witness.lock().unwrap_or_else(PoisonError::into_inner) = told;
            self.witness = now;
        }
        if sight.tables != self.reading.tables {
            self.reading.tables = sight.tables;
        }
        Ok(())
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}
