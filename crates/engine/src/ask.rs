//! What is asked of a source, and what came back: the values that pass between the one who wants
//! rows, the one who reads them and the one who places them.

use model::{
    CopyName, Inspect, Key, Offset, Placement, Purpose, Row, Service, Stretch, Table, TableName,
    TargetName,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rows that somebody wants placed in the lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    /// Who wants them.
    pub(crate) target: TargetName,
    /// Why.
    pub(crate) purpose: Purpose,
    /// Their table.
    pub(crate) table: Arc<Table>,
    /// Which of its rows.
    pub(crate) wanted: Wanted,
    /// They count only behind this offset: what the target has already must not be above them.
    pub(crate) behind: Option<Offset>,
}

/// Which rows are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// These.
    Keys(BTreeSet<Key>),
    /// Those of a stretch, of which the target now has these.
    Stretch(Stretch, BTreeMap<Key, Row>),
}

impl Ask {
    /// Whether the other asks for another stretch of the same pass.
    pub(crate) fn is_beside(&self, other: &Ask) -> bool {
        self.target == other.target && self.wanted.pass() == other.wanted.pass()
    }
}

impl Wanted {
    /// Whether the key is among them.
    pub(crate) fn contains(&self, key: &Key) -> bool {
        match self {
            Wanted::Keys(keys) => keys.contains(key),
            Wanted::Stretch(Stretch { after, upto, .. }, _) => {
                after.as_ref().is_none_or(|after| key > after)
                    && upto.as_ref().is_none_or(|upto| key <= upto)
            }
        }
    }

    /// The stretch that they are.
    pub(crate) fn stretch(&self) -> Option<&Stretch> {
        match self {
            Wanted::Keys(_) => None,
            Wanted::Stretch(stretch, _) => Some(stretch),
        }
    }

    /// The pass that they are a stretch of.
    pub(crate) fn pass(&self) -> Option<(&CopyName, &Offset)> {
        self.stretch().map(|stretch| (&stretch.copy, &stretch.began))
    }
}

/// One reading of the source, in one snapshot of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Its ticket, drawn before the source was asked.
    pub(crate) ticket: u64,
    /// What the snapshot contains.
    pub(crate) placement: Placement,
    /// The rows that it found.
    pub(crate) rows: BTreeMap<Key, Row>,
}

/// What the reader hands to the one who places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No rows; only how far sessions see by now.
    Look(Reading),
    /// What was asked for.
    First(Box<Ask>, Reading),
    /// Keys of an earlier ask, read again.
    Again(u64, BTreeSet<Key>, Reading),
}

impl Answer {
    /// The reading that it comes from.
    pub(crate) fn reading(&self) -> &Reading {
        match self {
            Answer::Look(reading) | Answer::First(_, reading) | Answer::Again(_, _, reading) => {
                reading
            }
        }
    }
}

/// Keys of an ask that the one who places wants read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentBack {
    /// The ask's number.
    pub(crate) number: u64,
    /// The table.
    pub(crate) table: Arc<Table>,
    /// The keys.
    pub(crate) keys: BTreeSet<Key>,
}

/// A pass over a copy, as its target wants it.
#[derive(Clone)]
pub(crate) struct PassWish {
    /// The source table.
    pub(crate) table: TableName,
    /// Why.
    pub(crate) purpose: Purpose,
    /// Which pass.
    pub(crate) began: Offset,
    /// How far it has come.
    pub(crate) upto: Option<Key>,
    /// Where the rows that the copy has now are read; nowhere if it can not be read.
    pub(crate) inspect: Option<Arc<dyn Service<dyn Inspect>>>,
    /// The copies that its rows refer to: passes over these come first.
    pub(crate) behind: BTreeSet<CopyName>,
}

/// What the reader does next.
pub(crate) enum Errand {
    /// Look how far sessions see.
    Look,
    /// Read these keys for a target.
    Keys { target: TargetName, table: TableName, keys: BTreeSet<Key>, behind: Option<Offset> },
    /// Read the next stretch of a pass.
    Stretch { target: TargetName, copy: CopyName, wish: PassWish, behind: Option<Offset> },
    /// Read again what was sent back.
    SentBack(SentBack),
}
