//! Compares the numbers of rows by group.

use crate::line::Line;
use crate::plan::Plan;
use crate::progress::{Progress, Stop};
use crate::settle::Settled;
use crate::suspect::{Finding, Look, Suspect, Waits};
use crate::verdict::{Cause, ColumnDifference, Difference, Kind};
use model::{Ask, Code, Fault, Groups, Key, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// Compares numbers.
pub(crate) struct Numbers {
    /// What each side is asked; the key of its asks are the columns that make a group.
    pub(crate) plan: Arc<Plan>,
    /// To the source.
    pub(crate) source: Line,
    /// To the copy.
    pub(crate) copy: Line,
    /// The column in which the copy keeps the numbers, if it does.
    pub(crate) value: Option<Arc<str>>,
    /// How long to wait.
    pub(crate) waits: Waits,
    /// How many differences are listed.
    pub(crate) listed_max: usize,
    /// Who watches.
    pub(crate) progress: Arc<Progress>,
    /// Ends it early.
    pub(crate) stop: Stop,
}

/// Groups that are compared at once.
const GROUPS_MAX: usize = 500_000;
/// Groups that are looked at again at once.
const KEYS_MAX: usize = 500;
/// What a number is called in a difference.
const NUMBER: &str = "count";

type Found = BTreeMap<Key, i64>;

impl Numbers {
    /// Compares all groups, and looks again at those that differ. How many there are.
    pub(crate) async fn run(mut self) -> (u64, Settled) {
        let mut settled = Settled::default();
        let mut groups = 0;
        if let Err(fault) = self.compare(&mut settled, &mut groups).await {
            settled.fault = Some(fault);
        }
        (groups, settled)
    }

    async fn compare(&mut self, settled: &mut Settled, groups: &mut u64) -> Result<(), Fault> {
        self.progress.does("counting");
        let (source, copy) = self.ask(None).await?;
        let all: BTreeSet<&Key> = source.keys().chain(copy.keys()).collect();
        *groups = all.len() as u64;
        self.progress.add_compared(*groups);
        let now = Instant::now();
        let unlike = all.into_iter().filter(|key| number(&source, key) != number(&copy, key));
        let mut suspects: BTreeMap<Key, (Suspect<i64>, Instant)> =
            unlike.map(|key| (key.clone(), (Suspect::new(), now))).collect();
        while !suspects.is_empty() {
            self.progress.does("waiting for numbers that changed to settle");
            self.progress.suspect(suspects.len() as u64);
            let Some(next) = suspects.values().map(|(_, due)| *due).min() else { break };
            while Instant::now() < next && !self.stop.is_told() {
                let soon = Instant::now() + std::time::Duration::from_millis(100);
                sleep_until(soon.min(next)).await;
            }
            if self.stop.is_told() {
                settled.unsettled += suspects.len() as u64;
                return Ok(());
            }
            let now = Instant::now();
            let due = suspects.iter().filter(|(_, (_, due))| *due <= now);
            let keys: Vec<Key> = due.map(|(key, _)| key.clone()).take(KEYS_MAX).collect();
            self.look(keys, &mut suspects, settled).await?;
        }
        Ok(())
    }

    async fn look(
        &mut self,
        keys: Vec<Key>,
        suspects: &mut BTreeMap<Key, (Suspect<i64>, Instant)>,
        settled: &mut Settled,
    ) -> Result<(), Fault> {
        let began = Instant::now();
        let (source, copy) = self.ask(Some(keys.clone())).await?;
        let ended = Instant::now();
        for key in keys {
            let Some((suspect, due)) = suspects.get_mut(&key) else { continue };
            let (of_source, of_copy) = (number(&source, &key), number(&copy, &key));
            let look = Look { began, ended, source: of_source, is_same: of_source == of_copy };
            match suspect.look(look, self.waits) {
                Finding::Again(at) => {
                    *due = at;
                    continue;
                }
                Finding::Same => {}
                Finding::Unsettled => settled.unsettled += 1,
                Finding::Different => {
                    settled.different += 1;
                    if settled.listed.len() < self.listed_max {
                        settled.listed.push(self.difference(&key, of_source, of_copy));
                    }
                }
            }
            suspects.remove(&key);
        }
        self.progress.differ(settled.different);
        Ok(())
    }

    fn difference(&self, key: &Key, source: i64, copy: i64) -> Difference {
        let values = key.values().iter().cloned();
        Difference {
            key: self.plan.key_names().cloned().zip(values).collect(),
            kind: Kind::Different,
            cause: Cause::Unknown,
            columns: vec![ColumnDifference {
                name: self.value.clone().unwrap_or_else(|| NUMBER.into()),
                source: Some(Value::Int(source)),
                copy: Some(Value::Int(copy)),
            }],
        }
    }

    /// The source is asked first, so that a copy that follows it can have come as far.
    async fn ask(&mut self, only: Option<Vec<Key>>) -> Result<(Found, Found), Fault> {
        let plan = Arc::clone(&self.plan);
        let groups = |ask: &Ask, value: &Option<Arc<str>>| Groups {
            by: ask.key.clone(),
            value: value.clone(),
            only: only.clone(),
            groups_max: GROUPS_MAX,
        };
        let of_source = groups(&plan.source, &None);
        let of_copy = groups(&plan.copy, &self.value);
        let source = self.source.groups(&plan.source, &of_source).await?;
        let copy = self.copy.groups(&plan.copy, &of_copy).await?;
        if source.more || copy.more {
            let what = format!("there are more than {GROUPS_MAX} groups");
            return Err(Fault::stop(Code::GroupsMany, what));
        }
        Ok((source.found.into_iter().collect(), copy.found.into_iter().collect()))
    }
}

/// A group that is not there has no rows.
fn number(groups: &Found, key: &Key) -> i64 {
    groups.get(key).copied().unwrap_or(0)
}
