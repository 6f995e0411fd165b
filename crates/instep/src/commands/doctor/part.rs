//! PURE: what part a service plays in a configuration.

use crate::config::{Capture, Config, Source};
use connectors::postgres::Outbox;
use model::TableName;
use std::collections::BTreeMap;
use std::fmt;

/// What part a service plays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// The source that it is, or is a shard of.
    pub(super) source: Option<String>,
    /// The tables that are followed there, and the outbox.
    pub(super) tables: Vec<TableName>,
    /// How its changes are found there.
    pub(super) capture: Capture,
    /// The outbox.
    pub(super) outbox: Option<Outbox>,
    /// The tables that copies and counts are written to there, each with whether it is made.
    pub(super) written: BTreeMap<TableName, bool>,
    /// Whether its file is made if it is missing.
    pub(super) is_made: bool,
}

impl Part {
    /// The part of a service.
    pub(super) fn of(service: &str, config: &Config) -> Self {
        let is_it = |name: &String| name == service;
        let source = config.sources.iter().find(|source| source.services.iter().any(is_it));
        let copies = config.copies.iter().filter(|copy| is_it(&copy.to.service));
        let pushes = config.counts.iter().flat_map(|count| &count.to);
        let pushes = pushes.filter(|to| is_it(&to.service));
        let copied = copies.map(|copy| (copy.to.table.as_str().into(), copy.create));
        let pushed = pushes.map(|to| (to.table.as_str().into(), true));
        let written: BTreeMap<_, _> = copied.chain(pushed).collect();
        Self {
            source: source.map(|source| source.name.clone()),
            tables: source.map(tables).unwrap_or_default(),
            capture: source.map(|source| source.capture).unwrap_or_default(),
            outbox: source.and_then(|source| source.outbox.clone()),
            // An empty source would be taken for the truth.
            is_made: source.is_none() && written.values().any(|&is_made| is_made),
            written,
        }
    }

    /// Whether copies or counts are written to it.
    pub(super) fn is_target(&self) -> bool {
        !self.written.is_empty()
    }
}

fn tables(source: &Source) -> Vec<TableName> {
    let outbox = source.outbox.iter().map(|outbox| &outbox.table);
    source.tables.iter().chain(outbox).cloned().collect()
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.source, self.is_target()) {
            (Some(source), false) => write!(f, "source {source}"),
            (Some(source), true) => write!(f, "source {source}, and target"),
            (None, true) => f.write_str("target"),
            (None, false) => f.write_str("used by nothing"),
        }
    }
}
