//! PURE: changes that are handed over together: of one transaction and sub-transaction, and not too
//! many.

use model::{Change, Step, TransactionId};

/// What was gathered.
#[derive(Debug)]
pub(super) struct Part {
    bytes_max: usize,
    bytes: usize,
    /// The transaction, and the sub-transaction within it.
    of: Option<(TransactionId, TransactionId)>,
    changes: Vec<Change>,
}

impl Part {
    /// Nothing yet.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, bytes: 0, of: None, changes: Vec::new() }
    }

    /// One more change, and what has to be handed over before it.
    pub(super) fn add(
        &mut self,
        transaction: TransactionId,
        sub: TransactionId,
        change: Change,
    ) -> Option<Step> {
        let of = Some((transaction, sub));
        let bytes = change.bytes();
        let before =
            if self.of != of || self.bytes + bytes > self.bytes_max { self.take() } else { None };
        self.of = of;
        self.bytes += bytes;
        self.changes.push(change);
        before
    }

    /// What was gathered, if anything was.
    pub(super) fn take(&mut self) -> Option<Step> {
        let (transaction, sub) = self.of.take()?;
        self.bytes = 0;
        Some(Step::Part { transaction, sub, changes: std::mem::take(&mut self.changes) })
    }
}
