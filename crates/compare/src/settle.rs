//! Looks again at what did not match, until each key is the same, stays different, or never stands
//! still.

use crate::line::Line;
use crate::plan::{self, Plan};
use crate::progress::{Progress, Stop};
use crate::suspect::{Finding, Look, Suspect, Waits};
use crate::verdict::{Cause, ColumnDifference, Difference, Kind};
use model::{Fault, Found, Key, Mark};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// What has settled.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Keys that only the source has.
    pub(crate) missing: u64,
    /// Keys that only the copy has.
    pub(crate) extra: u64,
    /// Keys whose rows are not the same.
    pub(crate) different: u64,
    /// Keys whose rows never stood still.
    pub(crate) unsettled: u64,
    /// The first differences.
    pub(crate) listed: Vec<Difference>,
    /// How much memory their values take.
    pub(crate) bytes: usize,
    /// What ended it before its end.
    pub(crate) fault: Option<Fault>,
}

/// Looks again at suspects.
pub(crate) struct Settle {
    /// What each side is asked.
    pub(crate) plan: Arc<Plan>,
    /// To the source.
    pub(crate) source: Line,
    /// To the copy.
    pub(crate) copy: Line,
    /// How long to wait.
    pub(crate) waits: Waits,
    /// How many differences are listed.
    pub(crate) listed_max: usize,
    /// How many rows are read again at once.
    pub(crate) keys_max: usize,
    /// Who watches.
    pub(crate) progress: Arc<Progress>,
    /// Ends it early.
    pub(crate) stop: Stop,
}

/// The source's row, as far as it can be told from others: none if it is not there, or not within
/// what is compared.
type State = Option<(u64, Mark)>;

type Suspects = BTreeMap<Key, Suspect<State>>;

/// How many suspects wait at the same time; whoever finds more waits with them.
const SUSPECTS_MAX: usize = 50_000;
/// Rows that are read again at once: so many, as far as they fit into so much memory going by the last
/// ones.
const KEYS_MAX: usize = 500;
pub(crate) const KEYS_FIRST: usize = 20;
const BYTES_MAX: usize = 4 << 20;
/// How much memory the values of listed differences may take; what comes later is only counted.
const LISTED_BYTES_MAX: usize = 16 << 20;

impl Settle {
    /// Takes suspects until there will be no more, and looks at each until it is settled.
    pub(crate) async fn run(mut self, mut found: mpsc::Receiver<Vec<Key>>) -> Settled {
        let mut settled = Settled::default();
        let mut suspects = Suspects::new();
        let mut due: BTreeSet<(Instant, Key)> = BTreeSet::new();
        let mut is_open = true;
        while is_open || !suspects.is_empty() {
            let next = due.first().map(|(at, _)| *at);
            if is_open && suspects.len() < SUSPECTS_MAX {
                match until(next, found.recv()).await {
                    Some(Some(keys)) => {
                        let now = Instant::now();
                        for key in keys {
                            suspects.entry(key.clone()).or_insert_with(|| {
                                due.insert((now, key));
                                Suspect::new()
                            });
                        }
                    }
                    Some(None) => is_open = false,
                    None => {}
                }
            } else if let Some(next) = next {
                if !is_open {
                    self.progress.does("waiting for rows that changed to settle");
                }
                until(Some(next), std::future::pending::<()>()).await;
            }
            self.progress.suspect(suspects.len() as u64);
            if self.stop.is_told() {
                found.close();
                break;
            }
            let keys = take_due(&mut due, self.keys_max);
            if keys.is_empty() {
                continue;
            }
            if let Err(fault) = self.look(keys, &mut suspects, &mut due, &mut settled).await {
                settled.fault = Some(fault);
                found.close();
                break;
            }
        }
        settled.unsettled += suspects.len() as u64;
        settled
    }

    async fn look(
        &mut self,
        keys: Vec<Key>,
        suspects: &mut Suspects,
        due: &mut BTreeSet<(Instant, Key)>,
        settled: &mut Settled,
    ) -> Result<(), Fault> {
        let plan = Arc::clone(&self.plan);
        let began = Instant::now();
        let mut of_source = self.source.find(&plan.source, &keys).await?;
        let mut of_copy = self.copy.find(&plan.copy, &keys).await?;
        let ended = Instant::now();
        self.keys_max = fitting(of_source.values().chain(of_copy.values()));
        for key in keys {
            let (source, copy) = (of_source.remove(&key), of_copy.remove(&key));
            let difference = plan.judge(&key, source.as_ref(), copy.as_ref());
            let Some(suspect) = suspects.get_mut(&key) else { continue };
            let state = source.filter(|it| it.is_within);
            let state = state.map(|it| (it.version, plan.mark(&key, it.row)));
            let look = Look { began, ended, source: state, is_same: difference.is_none() };
            match suspect.look(look, self.waits) {
                Finding::Again(at) => {
                    due.insert((at, key));
                    continue;
                }
                Finding::Same => {}
                Finding::Unsettled => settled.unsettled += 1,
                Finding::Different => settled.add(difference, self.listed_max),
            }
            suspects.remove(&key);
        }
        self.progress.differ(settled.missing + settled.extra + settled.different);
        Ok(())
    }
}

/// How soon it is noticed that somebody said stop.
const STOP_WITHIN: std::time::Duration = std::time::Duration::from_millis(100);

/// What comes of it, unless it takes longer than until then.
async fn until<T>(at: Option<Instant>, of: impl Future<Output = T>) -> Option<T> {
    let soon = Instant::now() + STOP_WITHIN;
    timeout_at(at.map_or(soon, |at| at.min(soon)), of).await.ok()
}

/// How many rows like these may be read at once.
fn fitting<'a>(rows: impl Iterator<Item = &'a Found>) -> usize {
    let largest = rows.map(|found| found.row.bytes()).max().unwrap_or(1);
    (BYTES_MAX / largest.max(1)).clamp(1, KEYS_MAX)
}

/// The keys whose turn it is, so many at most.
fn take_due(due: &mut BTreeSet<(Instant, Key)>, keys_max: usize) -> Vec<Key> {
    let now = Instant::now();
    let mut keys = Vec::new();
    while keys.len() < keys_max && due.first().is_some_and(|(at, _)| *at <= now) {
        keys.extend(due.pop_first().map(|(_, key)| key));
    }
    keys
}

impl Settled {
    fn add(&mut self, difference: Option<Difference>, listed_max: usize) {
        let Some(difference) = difference else { return };
        match difference.kind {
            Kind::Missing => self.missing += 1,
            Kind::Extra => self.extra += 1,
            Kind::Different | Kind::Orphan => self.different += 1,
        }
        let bytes = difference.bytes();
        if self.listed.len() < listed_max && self.bytes + bytes <= LISTED_BYTES_MAX {
            self.bytes += bytes;
            self.listed.push(difference);
        }
    }
}

impl Plan {
    /// What is wrong with a key, if anything is.
    fn judge(&self, key: &Key, source: Option<&Found>, copy: Option<&Found>) -> Option<Difference> {
        let is_within = |it: Option<&Found>| it.is_some_and(|it| it.is_within);
        let (kind, columns) = match (source, copy) {
            // Which of the copy's rows are meant is up to the source, if it has the row.
            (Some(source), Some(copy)) if source.is_within || copy.is_within => {
                let unlike = self.unlike(&source.row, &copy.row);
                match (unlike.is_empty(), source.is_within) {
                    (true, true) => return None,
                    // Each store has an order of its own, and so others for the newest.
                    (true, false) if self.is_of_newest() => return None,
                    (true, false) => (Kind::Extra, (0..self.rules.len()).collect()),
                    (false, _) => (Kind::Different, unlike),
                }
            }
            (source, None) if is_within(source) => {
                (Kind::Missing, (0..self.rules.len()).collect::<Vec<_>>())
            }
            (None, copy) if is_within(copy) => (Kind::Extra, (0..self.rules.len()).collect()),
            _ => return None,
        };
        let cell = |found: Option<&Found>, place: usize| {
            found.and_then(|found| plan::value(found.row.0.get(place)?))
        };
        let columns = columns.into_iter().map(|place| ColumnDifference {
            name: Arc::clone(self.name(place)),
            source: cell(source, place),
            copy: cell(copy, place),
        });
        let values = key.values().iter().cloned();
        Some(Difference {
            key: self.key_names().cloned().zip(values).collect(),
            kind,
            cause: Cause::Unknown,
            columns: columns.collect(),
        })
    }
}
