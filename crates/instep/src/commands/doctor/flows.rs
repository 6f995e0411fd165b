//! Copies and counts: whether what the source has fits what is to be made of it.

use super::check::{Check, Group, Layer};
use super::examine::{Database, look_within};
use super::fit;
use crate::config::{Config, Copy, Count};
use crate::problem::Problem;
use engine::count::{CountFault, Folds};
use model::{Code, Table, TableName};
use std::sync::Arc;

/// The services that were looked at, each with whether anything failed there.
pub(super) type Looked = Vec<(Box<dyn Database>, bool)>;

/// What is known of all copies; none where there are none.
pub(super) async fn copies(config: &Config, looked: &Looked) -> Option<Group> {
    let mut group = Group::new("copies", "how rows fit into their tables");
    for copy in &config.copies {
        group.checks.extend(copied(config, looked, copy).await);
    }
    (!group.checks.is_empty()).then_some(group)
}

/// What is known of all counts; none where there are none.
pub(super) fn counts(config: &Config, looked: &Looked) -> Option<Group> {
    let mut group = Group::new("counts", "whether their columns are there");
    for count in &config.counts {
        group.checks.extend(counted(config, looked, count));
    }
    (!group.checks.is_empty()).then_some(group)
}

async fn copied(config: &Config, looked: &Looked, copy: &Copy) -> Vec<Check> {
    let layer = Layer::Capability;
    let mut checks = Vec::new();
    for shard in shards(config, &copy.source) {
        let table = match table_of(looked, shard, &copy.table) {
            Ok(table) => table,
            Err(unread) => {
                checks.push(Check::problem(layer, fit::tried(copy, shard), unread));
                continue;
            }
        };
        let target = looked.iter().find(|(it, _)| it.service() == copy.to.service);
        match target {
            Some((target, false)) => {
                checks.extend(look_within(layer, target.fit(copy, shard, &table)).await);
            }
            _ => {
                let unread = unread(&copy.to.service);
                checks.push(Check::problem(layer, fit::tried(copy, shard), unread));
            }
        }
    }
    checks
}

fn counted(config: &Config, looked: &Looked, count: &Count) -> Vec<Check> {
    let of = shards(config, &count.source).iter();
    of.map(|shard| counted_in(looked, shard, &count.definition)).collect()
}

fn counted_in(looked: &Looked, shard: &str, count: &engine::count::Count) -> Check {
    let layer = Layer::Capability;
    let tried = format!("{} of {shard}/{}", count.name, count.of);
    let table = match table_of(looked, shard, &count.of) {
        Ok(table) => table,
        Err(unread) => return Check::problem(layer, tried, unread),
    };
    match Folds::new(std::slice::from_ref(count), &table) {
        Ok(folds) if folds.columns().is_empty() => Check::good(layer, tried, "it needs no column"),
        Ok(folds) => {
            let columns: Vec<_> = folds.columns().iter().map(|it| &**it).collect();
            Check::good(layer, tried, format!("{} are there", columns.join(", ")))
        }
        Err(faults) => {
            let whats: Vec<_> = faults.iter().map(CountFault::to_string).collect();
            Check::bad(layer, tried, Code::ConfigWhere, whats.join("; "))
        }
    }
}

/// The services of a source.
fn shards<'a>(config: &'a Config, source: &str) -> &'a [String] {
    let source = config.sources.iter().find(|it| it.name == source);
    source.map_or(&[], |source| &source.services)
}

/// A table as a service has it.
fn table_of(looked: &Looked, service: &str, name: &TableName) -> Result<Arc<Table>, Problem> {
    let found = looked.iter().find(|(it, _)| it.service() == service);
    let table = found.and_then(|(it, _)| it.tables().get(name));
    table.cloned().ok_or_else(|| unread(service))
}

fn unread(service: &str) -> Problem {
    let what = format!("it needs `{service}`, which could not be looked at in full");
    let why = "nobody knows how this check would have ended, so it is not good";
    Problem::new(Code::NotMeasured, what, why, format!("mend `{service}` first"))
}
