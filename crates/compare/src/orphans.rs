//! Rows of the copy that refer to one that is not there, looked at again until it is sure.

use crate::line::Line;
use crate::plan::Plan;
use crate::progress::Stop;
use crate::suspect::Waits;
use crate::terms::Reference;
use crate::verdict::{Cause, ColumnDifference, Difference, Kind};
use model::{Fault, Key, Selection};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Orphans that stayed so.
#[derive(Debug, Default)]
pub(crate) struct Orphaned {
    /// How many.
    pub(crate) rows: u64,
    /// How many could not be looked at for long enough.
    pub(crate) unsettled: u64,
    /// The first of them.
    pub(crate) listed: Vec<Difference>,
    /// What ended it before its end.
    pub(crate) fault: Option<Fault>,
}

/// Looks again at orphans.
pub(crate) struct Orphans {
    /// What each side is asked.
    pub(crate) plan: Arc<Plan>,
    /// To the copy.
    pub(crate) copy: Line,
    /// What rows refer to.
    pub(crate) references: Vec<Reference>,
    /// How long to wait.
    pub(crate) waits: Waits,
    /// How many are listed.
    pub(crate) listed_max: usize,
    /// Ends it early.
    pub(crate) stop: Stop,
}

/// Orphans that wait at the same time; whoever finds more waits with them.
const WAITING_MAX: usize = 20_000;
const KEYS_MAX: usize = 500;

impl Orphans {
    /// Takes orphans until there will be no more, and looks at each again once it has settled.
    pub(crate) async fn run(mut self, mut found: mpsc::Receiver<(usize, Key)>) -> Orphaned {
        let mut orphaned = Orphaned::default();
        let mut is_open = true;
        while is_open {
            let mut waiting: BTreeMap<usize, Vec<Key>> = BTreeMap::new();
            for _ in 0..WAITING_MAX {
                match found.recv().await {
                    Some((place, key)) => waiting.entry(place).or_default().push(key),
                    None => {
                        is_open = false;
                        break;
                    }
                }
            }
            self.wait(!waiting.is_empty()).await;
            for (place, keys) in waiting {
                if self.stop.is_told() {
                    orphaned.unsettled += keys.len() as u64;
                    continue;
                }
                for keys in keys.chunks(KEYS_MAX) {
                    if let Err(fault) = self.look(place, keys, &mut orphaned).await {
                        orphaned.fault = Some(fault);
                        return orphaned;
                    }
                }
            }
        }
        orphaned
    }

    async fn wait(&mut self, is_any: bool) {
        let until = Instant::now() + self.waits.settle;
        while is_any && !self.stop.is_told() && Instant::now() < until {
            let soon = Instant::now() + std::time::Duration::from_millis(100);
            sleep_until(soon.min(until)).await;
        }
    }

    async fn look(
        &mut self,
        place: usize,
        keys: &[Key],
        orphaned: &mut Orphaned,
    ) -> Result<(), Fault> {
        let plan = Arc::clone(&self.plan);
        let Reference { column, table, key } = self.references[place].clone();
        let refers = model::Reference { column: Arc::clone(&column), table, key };
        let of = Selection::Keys(keys.to_vec());
        let found = self.copy.orphans(&plan.copy, &refers, &of, keys.len()).await?;
        for (key, ()) in found.found {
            orphaned.rows += 1;
            if orphaned.listed.len() < self.listed_max {
                let values = key.values().iter().cloned();
                orphaned.listed.push(Difference {
                    key: plan.key_names().cloned().zip(values).collect(),
                    kind: Kind::Orphan,
                    cause: Cause::Unknown,
                    columns: vec![ColumnDifference {
                        name: Arc::clone(&column),
                        source: None,
                        copy: None,
                    }],
                });
            }
        }
        Ok(())
    }
}
