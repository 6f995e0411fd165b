//! Verdict: what came of a comparison.

use crate::rule::Rule;
use model::{Fault, Value};
use std::sync::Arc;
use std::time::Duration;

/// What came of a comparison.
#[derive(Debug)]
pub struct Verdict {
    /// Rows of the source that were compared; groups, where numbers were.
    pub compared: u64,
    /// Keys that only the source has.
    pub missing: u64,
    /// Keys that only the copy has.
    pub extra: u64,
    /// Keys whose rows are not the same.
    pub different: u64,
    /// Rows that refer to one that is not there.
    pub orphans: u64,
    /// Keys whose rows did not stand still for as long as was waited.
    pub unsettled: u64,
    /// What could not be read or compared, and why.
    pub unread: Vec<Unread>,
    /// The source's position when the comparison began, where it has one.
    pub position: Option<String>,
    /// The first differences, in no order that means anything; as many as were asked for, unless their
    /// values take too much memory.
    pub differences: Vec<Difference>,
    /// How each column was compared.
    pub agreed: Vec<Agreed>,
    /// Columns that only one side has, and that nobody asked for, with that side.
    pub alone: Vec<(Arc<str>, &'static str)>,
    /// How rows were compared.
    pub method: Method,
    /// For how long the source's row had to stand still.
    pub settle: Duration,
    /// Whether it was told to stop before its end.
    pub is_partial: bool,
    /// Which part was compared, if not all was meant to be: hundredths.
    pub sampled: Option<f64>,
    /// How long it took.
    pub took: Duration,
}

/// The word for a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every row was read on both sides, and is the same.
    Equal,
    /// At least one difference has settled.
    Differences,
    /// No difference has settled, but not everything could be compared.
    Unverified,
}

/// How a column was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Its name in the copy.
    pub copy: Arc<str>,
    /// Its name at the source.
    pub source: Arc<str>,
    /// What it is declared as in the copy, and at the source.
    pub declared: [Arc<str>; 2],
    /// Whether it is of the key.
    pub is_key: bool,
    /// What makes two values the same.
    pub rule: Rule,
    /// Whether somebody asked for that rule, rather than that it follows from the columns.
    pub is_declared: bool,
    /// What else is to be said about it to a person: what the values of both sides are taken as.
    pub note: Option<String>,
}

/// How rows were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Both servers made sums of hashes; only rows where these differ were read.
    Sums,
    /// Every row was read.
    Rows,
    /// Numbers of rows by group.
    Counts,
}

/// Something that could not be read or compared.
#[derive(Debug)]
pub struct Unread {
    /// What: a column, a stretch, a key.
    pub what: String,
    /// Why.
    pub why: Fault,
}

/// A key whose rows are proven to differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The key: names as in the copy, and values.
    pub key: Vec<(Arc<str>, Value)>,
    /// What is wrong.
    pub kind: Kind,
    /// Why, as far as the rows themselves tell.
    pub cause: Cause,
    /// The columns that differ; of a missing or extra row all, with one side's values.
    pub columns: Vec<ColumnDifference>,
}

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The copy lacks it.
    Missing,
    /// The source lacks it.
    Extra,
    /// Both have it, with other values.
    Different,
    /// The copy's row refers to one that is not there.
    Orphan,
}

/// What a difference looks like. Without a log nobody can know more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Nothing tells.
    Unknown,
}

/// A column of a row that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDifference {
    /// Its name in the copy.
    pub name: Arc<str>,
    /// The source's value; none where it has no such row.
    pub source: Option<Value>,
    /// The copy's.
    pub copy: Option<Value>,
}

impl Difference {
    /// About how much memory its values take.
    pub(crate) fn bytes(&self) -> usize {
        let of_key = self.key.iter().map(|(_, value)| value);
        let of_columns = self.columns.iter().flat_map(|it| it.source.iter().chain(&it.copy));
        of_key.chain(of_columns).map(|it| it.heap_bytes() + size_of::<Value>()).sum()
    }
}

impl Verdict {
    /// The word for it.
    pub fn outcome(&self) -> Outcome {
        if self.found() > 0 {
            Outcome::Differences
        } else if self.unsettled > 0 || !self.unread.is_empty() || self.is_partial {
            Outcome::Unverified
        } else {
            Outcome::Equal
        }
    }

    /// How many differences have settled.
    pub fn found(&self) -> u64 {
        self.missing + self.extra + self.different + self.orphans
    }
}

impl Kind {
    /// Its word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Missing => "missing",
            Kind::Extra => "extra",
            Kind::Different => "different",
            Kind::Orphan => "orphan",
        }
    }
}

impl Cause {
    /// Its word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Unknown => "unknown",
        }
    }
}

impl Method {
    /// Its word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Method::Sums => "sums",
            Method::Rows => "rows",
            Method::Counts => "counts",
        }
    }
}
