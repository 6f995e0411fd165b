//! PURE: what came of all that was compared: one verdict for each service of the source.

use compare::{Outcome, Verdict};
use model::Code;
use std::time::Duration;

/// What came of all that was compared. There is at least one part.
#[derive(Debug)]
pub(super) struct Whole {
    /// One for each service of the source.
    pub(super) parts: Vec<Compared>,
    /// Whether some services were not come to.
    pub(super) is_cut_short: bool,
}

/// What came of one comparison.
#[derive(Debug)]
pub(super) struct Compared {
    /// The service of the source, where there are several.
    pub(super) shard: Option<String>,
    /// The source and the copy.
    pub(super) sides: [Side; 2],
    /// What came of it.
    pub(super) verdict: Verdict,
}

/// One of the two tables, for whoever reads about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Side {
    /// What kind of store it is in, such as `PostgreSQL 15.4`.
    pub(super) store: String,
    /// Its name there.
    pub(super) table: String,
    /// Where the store is.
    pub(super) at: String,
}

/// The numbers of all parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) compared: u64,
    pub(super) missing: u64,
    pub(super) extra: u64,
    pub(super) different: u64,
    pub(super) orphans: u64,
    pub(super) unsettled: u64,
    /// Differences of the copy that are not listed.
    pub(super) more: u64,
}

impl Whole {
    /// The first part, by which all are named.
    pub(super) fn first(&self) -> &Compared {
        self.parts.first().expect("BUG: a source has a service")
    }

    /// The numbers of all parts.
    pub(super) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for Compared { verdict, .. } in &self.parts {
            sums.compared += verdict.compared;
            sums.missing += verdict.missing;
            sums.extra += verdict.extra;
            sums.different += verdict.different;
            sums.orphans += verdict.orphans;
            sums.unsettled += verdict.unsettled;
            let listed = u64::try_from(verdict.differences.len()).unwrap_or(u64::MAX);
            sums.more += verdict.found().saturating_sub(listed);
        }
        sums
    }

    /// The word for all of it.
    pub(super) fn outcome(&self) -> Outcome {
        let is = |outcome| move |part: &Compared| part.verdict.outcome() == outcome;
        if self.parts.iter().any(is(Outcome::Differences)) {
            Outcome::Differences
        } else if self.is_partial() || !self.parts.iter().all(is(Outcome::Equal)) {
            Outcome::Unverified
        } else {
            Outcome::Equal
        }
    }

    /// Whether it was told to stop before its end.
    pub(super) fn is_partial(&self) -> bool {
        self.is_cut_short || self.parts.iter().any(|part| part.verdict.is_partial)
    }

    /// Whether not all could be looked at for as long as was asked for: it was told to stop, or rows
    /// could not be read. Columns that are not compared keep nothing else from being so.
    pub(super) fn is_cut_off(&self) -> bool {
        let mut unread = self.parts.iter().flat_map(|part| &part.verdict.unread);
        self.is_partial() || unread.any(|unread| unread.why.code != Code::ColumnUnlike)
    }

    /// The source's position: that of its one service, or `a:TOKEN,b:TOKEN` of all of them.
    pub(super) fn position(&self) -> Option<String> {
        let tokens = self.parts.iter().map(|part| {
            let token = part.verdict.position.as_ref()?;
            Some(part.shard.as_ref().map_or_else(|| token.clone(), |it| format!("{it}:{token}")))
        });
        let tokens: Option<Vec<_>> = tokens.collect();
        tokens.filter(|_| !self.is_cut_short).map(|tokens| tokens.join(","))
    }

    /// How long it took.
    pub(super) fn took(&self) -> Duration {
        self.parts.iter().map(|part| part.verdict.took).sum()
    }
}
