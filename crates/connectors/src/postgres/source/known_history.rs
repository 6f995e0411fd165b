//! PURE: whether what the server sends again is what we have already.
//!
//! A server that was restored, or a standby that was promoted before it had everything, goes on from
//! an earlier place and gives out the same positions a second time. The last transaction that we have
//! is still unconfirmed there, so it has to come again, the same; and nothing of ours behind it, up to
//! where we are.

use crate::postgres::lsn::Lsn;
use model::{TableName, TransactionId};
use std::collections::BTreeSet;

/// A transaction, by what cannot be the same in another history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) end: Lsn,
    pub(super) transaction: TransactionId,
    pub(super) committed_at: i64,
}

/// What has come again so far.
#[derive(Clone, Debug)]
pub(super) struct Again {
    /// The server begins here.
    from: Lsn,
    /// We have everything up to here.
    upto: Lsn,
    /// Our history begins here: what came before was never ours.
    began: Lsn,
    last: Option<Known>,
    /// What is followed only since: what comes again of it never was ours.
    new: BTreeSet<TableName>,
    has_come: bool,
    /// Where a transaction of ours ended that we do not have.
    strange: Option<Lsn>,
}

impl Again {
    /// Nothing yet; the server begins at `from`, and we have everything from `began` up to `upto`.
    pub(super) fn new(from: Lsn, (began, upto): (Lsn, Lsn), last: Option<Known>) -> Self {
        Self { from, upto, began, last, new: BTreeSet::new(), has_come: false, strange: None }
    }

    /// The same, where these are followed only since.
    #[must_use]
    pub(super) fn without(self, new: BTreeSet<TableName>) -> Self {
        Self { new, ..self }
    }

    /// Whether a change of this table that comes again is one that we have.
    pub(super) fn counts(&self, table: &TableName) -> bool {
        !self.new.contains(table)
    }

    /// Whether what ends here, or begins to be committed here, is among what we have.
    pub(super) fn covers(&self, at: Lsn) -> bool {
        at <= self.upto
    }

    /// A transaction has come again; whether it holds changes of our tables.
    pub(super) fn saw(&mut self, known: Known, has_changes: bool) {
        if self.last == Some(known) {
            self.has_come = true;
        } else if has_changes
            && known.end > self.began
            && self.last.is_none_or(|last| known.end >= last.end)
        {
            self.strange = self.strange.or(Some(known.end));
        }
    }

    /// The server has come past what we have: why its history is another one, if it is.
    pub(super) fn judge(&self) -> Option<String> {
        if let Some(last) = self.last.filter(|last| last.end > self.from && !self.has_come) {
            return Some(format!(
                "restored: the transaction that ended at {} did not come again as it was",
                last.end
            ));
        }
        let strange = self.strange?;
        let upto = self.upto;
        Some(format!("restored: a transaction at {strange} was not there when {upto} was reached"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Again, Known, Lsn, TransactionId};

    fn known(end: u64) -> Known {
        Known { end: Lsn(end), transaction: TransactionId(end * 2), committed_at: 7 }
    }

    fn judged(from: u64, upto: u64, last: Option<Known>, came: &[(Known, bool)]) -> bool {
        let mut again = Again::new(Lsn(from), (Lsn(11), Lsn(upto)), last);
        came.iter().for_each(|(known, has_changes)| again.saw(*known, *has_changes));
        again.judge().is_none()
    }

    #[test]
    fn what_is_followed_only_since_never_was_ours() {
        let again = Again::new(Lsn(10), (Lsn(11), Lsn(20)), None).without(["new".into()].into());
        assert!(again.counts(&"old".into()) && !again.counts(&"new".into()));
    }

    #[test]
    fn the_last_transaction_has_to_come_again_as_it_was() {
        let last = Some(known(20));
        assert!(judged(10, 20, last, &[(known(15), true), (known(20), true)]));
        assert!(judged(10, 30, last, &[(known(20), false), (known(25), false)]));
        assert!(!judged(10, 20, last, &[(known(15), true)]));
        let other = Known { committed_at: 8, ..known(20) };
        assert!(!judged(10, 20, last, &[(other, true)]));
        assert!(!judged(
            10,
            20,
            last,
            &[(Known { transaction: TransactionId(1), ..known(20) }, false)]
        ));
    }

    #[test]
    fn what_was_forgotten_on_our_word_need_not_come_again() {
        assert!(judged(20, 30, Some(known(20)), &[]));
        assert!(judged(25, 30, Some(known(20)), &[(known(28), false)]));
    }

    #[test]
    fn nothing_of_ours_comes_behind_the_last_one_where_there_was_nothing() {
        assert!(!judged(10, 30, Some(known(20)), &[(known(20), true), (known(25), true)]));
        assert!(!judged(20, 30, Some(known(20)), &[(known(25), true)]));
        assert!(!judged(10, 30, None, &[(known(25), true)]));
        assert!(judged(10, 30, None, &[(known(25), false)]));
        assert!(judged(5, 30, None, &[(known(9), true)]), "that was before our history");
    }
}
