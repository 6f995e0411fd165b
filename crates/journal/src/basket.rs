//! Basket: collects the entries of one read, and decides how much that is.
//!
//! The first thing always fits, whole if it cannot be divided; changes of one transaction are
//! divided by their average size. Must not know: where entries come from.

use model::{Change, Commit, CommittedPart, Entry, Fault};

/// Why reading stopped early.
pub(crate) enum Stop {
    /// What was to be read is trimmed by now.
    Trimmed,
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

/// What was collected for one read.
pub(crate) struct Basket {
    entries: Vec<Entry>,
    bytes: usize,
    bytes_max: usize,
    is_full: bool,
}

impl Basket {
    /// An empty one.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { entries: Vec::new(), bytes: 0, bytes_max, is_full: false }
    }

    /// What was put in last.
    pub(crate) fn last(&self) -> Option<&Entry> {
        self.entries.last()
    }

    /// What was put in.
    pub(crate) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// Whether nothing more is taken.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Whether this many bytes more still fit; if not, the basket is full. The first thing always
    /// fits.
    pub(crate) fn fits(&mut self, bytes: usize) -> bool {
        self.is_full |= !self.entries.is_empty() && self.bytes + bytes > self.bytes_max;
        !self.is_full
    }

    /// Takes an entry.
    pub(crate) fn put(&mut self, entry: Entry, bytes: usize) {
        self.entries.push(entry);
        self.bytes += bytes;
        self.is_full |= self.bytes >= self.bytes_max;
    }

    /// Takes changes of a transaction from the ordinal `first` on; as many as there is room for if
    /// they are too large to be handed over at once. `is_end` says that no change follows them.
    /// Returns whether all were taken.
    pub(crate) fn put_changes(
        &mut self,
        commit: &Commit,
        first: u64,
        mut changes: Vec<Change>,
        bytes: usize,
        is_end: bool,
    ) -> bool {
        let all = changes.len();
        if bytes > self.bytes_max && all > 1 {
            let most = (self.bytes_max / (bytes / all).max(1)).clamp(1, all);
            changes.truncate(most);
        }
        let (taken, whole) = (changes.len(), changes.len() == all);
        let part = CommittedPart { commit: commit.clone(), first, changes, last: is_end && whole };
        self.put(Entry::Part(part), bytes / all.max(1) * taken);
        self.is_full |= !whole;
        whole
    }
}
