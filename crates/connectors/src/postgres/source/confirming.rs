//! PURE: what the server is told to be durable, so that the last transaction comes again.
//!
//! The server forgets transactions whose commit begins before the place that was confirmed. So with
//! a transaction the place where its commit *begins* is confirmed: at the next start it comes again,
//! and shows that the server's history is the one that we know. Only a server that asks is told of all:
//! it does so when it is to stop, and stops no sooner than we have everything.

use crate::postgres::lsn::Lsn;
use std::collections::VecDeque;

/// What was handed over and may be confirmed.
#[derive(Debug, Default)]
pub(super) struct Confirming {
    /// Commits that were handed over, in order: where each ends, and where it begins.
    handed: VecDeque<(Lsn, Lsn)>,
    /// What was confirmed before it was known that the history is ours.
    held: Option<Lsn>,
    is_known: bool,
    /// Everything up to here is durable.
    durable: Lsn,
    /// The server waits until everything up to here is.
    asked: Option<Lsn>,
}

impl Confirming {
    /// A transaction was handed over.
    pub(super) fn handed(&mut self, end: Lsn, commit: Lsn) {
        self.handed.push_back((end, commit));
    }

    /// Everything up to here is durable; what the server may be told because of it.
    pub(super) fn confirm(&mut self, upto: Lsn) -> Option<Lsn> {
        if !self.is_known {
            self.held = self.held.max(Some(upto));
            return None;
        }
        self.durable = self.durable.max(upto);
        let is_asked = self.asked.take_if(|asked| *asked <= upto).is_some();
        let mut last = None;
        while let Some(&(end, commit)) = self.handed.front().filter(|(end, _)| *end <= upto) {
            last = Some((end, commit));
            self.handed.pop_front();
        }
        match last {
            // It stays the last one until something behind it is confirmed.
            Some((end, commit)) if end == upto && !is_asked => Some(commit),
            _ => Some(upto),
        }
    }

    /// The server asks whether everything up to here is durable; what it may be told at once.
    pub(super) fn asked(&mut self, end: Lsn) -> Option<Lsn> {
        if self.is_known && self.durable >= end {
            return Some(self.durable);
        }
        self.asked = Some(end);
        None
    }

    /// The history is the one that we know: what was held back may be told.
    pub(super) fn known(&mut self) -> Option<Lsn> {
        self.is_known = true;
        let held = self.held.take()?;
        self.confirm(held)
    }
}

#[cfg(test)]
mod tests {
    use super::{Confirming, Lsn};

    fn known() -> Confirming {
        let mut confirming = Confirming::default();
        assert_eq!(confirming.known(), None);
        confirming
    }

    #[test]
    fn the_last_transaction_is_not_forgotten_before_there_is_more() {
        let mut confirming = known();
        confirming.handed(Lsn(20), Lsn(12));
        confirming.handed(Lsn(40), Lsn(33));
        assert_eq!(confirming.confirm(Lsn(20)), Some(Lsn(12)));
        assert_eq!(confirming.confirm(Lsn(40)), Some(Lsn(33)));
        assert_eq!(confirming.confirm(Lsn(55)), Some(Lsn(55)), "nothing came up to here");
    }

    #[test]
    fn a_server_that_is_to_stop_is_told_of_all_that_is_durable_as_soon_as_it_is() {
        let mut confirming = known();
        confirming.handed(Lsn(20), Lsn(12));
        assert_eq!(confirming.asked(Lsn(20)), None);
        assert_eq!(confirming.confirm(Lsn(15)), Some(Lsn(15)));
        assert_eq!(confirming.confirm(Lsn(20)), Some(Lsn(20)));
        confirming.handed(Lsn(40), Lsn(33));
        assert_eq!(confirming.confirm(Lsn(40)), Some(Lsn(33)), "nobody asks any more");
        assert_eq!(confirming.asked(Lsn(40)), Some(Lsn(40)));
    }

    #[test]
    fn nothing_is_told_before_the_history_is_known() {
        let mut confirming = Confirming::default();
        confirming.handed(Lsn(20), Lsn(12));
        assert_eq!(confirming.confirm(Lsn(15)), None);
        assert_eq!(confirming.confirm(Lsn(20)), None);
        assert_eq!(confirming.known(), Some(Lsn(12)));
    }
}
