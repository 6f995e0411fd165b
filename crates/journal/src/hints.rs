//! Hints: where readers stopped, so that one that goes on does not search.
//!
//! Only a shortcut: whatever is not hinted is found through waypoints. Must not know: files.

use crate::frame::Cursor;
use model::Offset;
use std::collections::{BTreeMap, VecDeque};

/// More readers than this at different places search now and then.
const HINTS_MAX: usize = 64;

/// Where a reader goes on after an offset.
#[derive(Clone, Debug)]
pub(crate) struct Hint {
    /// The segment's number.
    pub(crate) segment: u64,
    /// The frame to begin with: the next, or the one that the offset stands inside.
    pub(crate) cursor: Cursor,
    /// Where in the staged file, if the offset stands inside an adopted transaction.
    pub(crate) staged: Option<StagedPlace>,
}

/// A place between two parts of a staged file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StagedPlace {
    pub(crate) cursor: Cursor,
    /// How many changes that count came before.
    pub(crate) ordinal: u64,
}

/// The newest hints.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    by_offset: BTreeMap<Offset, Hint>,
    order: VecDeque<Offset>,
}

impl Hints {
    /// Remembers where to go on after an offset.
    pub(crate) fn remember(&mut self, after: Offset, hint: Hint) {
        if self.by_offset.insert(after.clone(), hint).is_none() {
            self.order.push_back(after);
        }
        if self.order.len() > HINTS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_offset.remove(&oldest);
        }
    }

    /// Where to go on after an offset.
    pub(crate) fn get(&self, after: &Offset) -> Option<Hint> {
        self.by_offset.get(after).cloned()
    }
}
