//! What the two halves of a feed and its owner tell each other, without ever waiting.

use crate::postgres::lsn::Lsn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::Notify;

/// Shared by the halves and the owner.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The end of what came.
    received: AtomicU64,
    /// The end of what is durable with us.
    durable: AtomicU64,
    /// The server wants to hear from us.
    asked: AtomicBool,
    /// We want to hear from the server.
    asking: AtomicBool,
    /// The owner has had enough.
    ending: AtomicBool,
    changed: Notify,
}

/// What the server is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// The end of what came.
    pub(super) received: Lsn,
    /// The end of what is durable with us, never beyond what came.
    pub(super) durable: Lsn,
    /// Whether the server is to answer.
    pub(super) answer: bool,
    /// Whether this is the last word.
    pub(super) last: bool,
}

impl Known {
    /// What is known when a stream begins: everything before it is ours.
    pub(super) fn at(after: Lsn) -> Self {
        let known = Self::default();
        known.received.store(after.0, Ordering::Release);
        known.durable.store(after.0, Ordering::Release);
        known
    }

    /// More came, up to here.
    pub(super) fn received(&self, end: Lsn) {
        self.received.fetch_max(end.0, Ordering::AcqRel);
    }

    /// Everything up to here is durable with us.
    pub(super) fn durable(&self, end: Lsn) {
        if self.durable.fetch_max(end.0, Ordering::AcqRel) < end.0 {
            self.changed.notify_one();
        }
    }

    /// The server wants to hear from us.
    pub(super) fn asked(&self) {
        self.asked.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// We want to hear from the server.
    pub(super) fn ask(&self) {
        self.asking.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Nothing more is wanted.
    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Whether somebody cannot wait.
    pub(super) fn is_urgent(&self) -> bool {
        [&self.asked, &self.asking, &self.ending].iter().any(|it| it.load(Ordering::Acquire))
    }

    /// Waits until there is something to tell.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What the server is to be told now.
    pub(super) fn tell(&self) -> Told {
        self.asked.store(false, Ordering::Release);
        let received = self.received.load(Ordering::Acquire);
        let durable = self.durable.load(Ordering::Acquire).min(received);
        Told {
            received: Lsn(received),
            durable: Lsn(durable),
            answer: self.asking.swap(false, Ordering::AcqRel),
            last: self.ending.load(Ordering::Acquire),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, Lsn};

    #[test]
    fn nothing_is_told_to_be_durable_that_did_not_come() {
        let known = Known::at(Lsn(10));
        known.durable(Lsn(30));
        assert_eq!(known.tell().durable, Lsn(10));
        known.received(Lsn(20));
        assert_eq!(known.tell().durable, Lsn(20));
        known.received(Lsn(40));
        known.durable(Lsn(5));
        assert_eq!((known.tell().durable, known.tell().received), (Lsn(30), Lsn(40)));
    }

    #[test]
    fn a_question_is_asked_once_and_an_end_is_the_last_word() {
        let known = Known::at(Lsn(0));
        known.ask();
        assert!(known.is_urgent() && known.tell().answer && !known.tell().answer);
        assert!(!known.is_urgent());
        known.end();
        assert!(known.tell().last && known.is_urgent());
    }
}
