//! Every code that an error can carry, with the text that `explain` prints.
//!
//! A code is born together with its explanation; the table is the whole list.

use std::fmt;

/// A stable name for one kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// Another process holds the data directory.
    DataLocked,
    /// Bytes of the journal are not what was written.
    JournalDamaged,
    /// The journal was written by a newer Instep.
    JournalNewer,
    /// The journal or its disk is full.
    JournalFull,
    /// The disk answered with an error.
    JournalDisk,
    /// A later epoch has written to this lane or target.
    Superseded,
    /// An offset did not follow the one before it.
    OutOfOrder,
    /// The source is another server than the one pinned.
    SourceChanged,
    /// The source no longer has what comes after our position.
    SourceHistoryLost,
    /// The log no longer has what comes after a watermark.
    LogHistoryLost,
    /// A source could not be reached or did not answer.
    SourceUnavailable,
    /// A target could not be reached or did not answer.
    TargetUnavailable,
    /// A target refused rows and none could be blamed, or too many were.
    TargetRefused,
    /// A promise was broken inside Instep; the check that found it stopped the pipeline.
    Broken,
}

impl Code {
    /// Every code, in the order of the reference page.
    pub const ALL: [Code; 14] = [
        Code::DataLocked,
        Code::JournalDamaged,
        Code::JournalNewer,
        Code::JournalFull,
        Code::JournalDisk,
        Code::Superseded,
        Code::OutOfOrder,
        Code::SourceChanged,
        Code::SourceHistoryLost,
        Code::LogHistoryLost,
        Code::SourceUnavailable,
        Code::TargetUnavailable,
        Code::TargetRefused,
        Code::Broken,
    ];

    /// The code as users see it.
    pub const fn name(self) -> &'static str {
        self.entry().0
    }

    /// What the code means, why it comes up and what to do, for `explain`.
    pub const fn explain(self) -> &'static str {
        self.entry().1
    }

    #[rustfmt::skip]
    const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Code::DataLocked => ("E-DATA-LOCKED",
                "Another process works in this data directory. Two writers would destroy the journal, \
                 so the second one does not start. Stop the other process, or give this one its own data_dir."),
            Code::JournalDamaged => ("E-JOURNAL-DAMAGED",
                "A record of the journal fails its checksum at a place that was once synced, so this is no \
                 torn tail of a crash. Nothing is skipped and nothing is cut. Check the disk, then restore \
                 the data directory from a backup, or move it away and let Instep fill it again from the source."),
            Code::JournalNewer => ("E-JOURNAL-NEWER",
                "The journal was written by a newer Instep whose format this one does not know. \
                 Run the newer version, or restore a backup taken before the upgrade."),
            Code::JournalFull => ("E-JOURNAL-FULL",
                "The journal has reached journal_bytes_max, or its disk is full. Capture waits; what is \
                 already in the journal is still read and applied. Free disk space, raise the limit, or \
                 mend the slowest target: the journal shrinks once every target has what it holds. A single \
                 transaction that would not fit into an empty journal stops its lane; only a higher limit helps."),
            Code::JournalDisk => ("E-JOURNAL-DISK",
                "The disk answered a write or a sync of the journal with an error. After a failed sync \
                 nobody knows what is on the disk, so the journal takes no more input until it is opened \
                 again. Check the disk and the file system, then restart."),
            Code::Superseded => ("E-SUPERSEDED",
                "Another instance has taken over this lane or target with a higher epoch. This one has \
                 stopped writing to it, and follows again when it holds the lease."),
            Code::OutOfOrder => ("E-OUT-OF-ORDER",
                "An entry was about to be logged at or below the end of its lane. That would break the order \
                 of the source, so it was refused and the lane was stopped."),
            Code::SourceChanged => ("E-SOURCE-CHANGED",
                "The server behind this address is not the one that Instep followed before. It may be a \
                 restored backup, a clone or a wrong address. Nothing is read from it until a person says \
                 that it is the right one."),
            Code::SourceHistoryLost => ("E-SOURCE-HISTORY-LOST",
                "The source no longer keeps the changes that come after the position that Instep holds, \
                 so going on would skip some. The lane has stopped; the copies keep what they have."),
            Code::LogHistoryLost => ("E-LOG-HISTORY-LOST",
                "The log no longer holds what comes after this target's watermark, so going on would skip \
                 changes. The target has stopped and keeps what it has."),
            Code::SourceUnavailable => ("E-SOURCE-UNAVAILABLE",
                "The source could not be reached or did not answer. Instep tries again, with growing pauses; \
                 nothing is lost, because the source keeps what was not confirmed."),
            Code::TargetUnavailable => ("E-TARGET-UNAVAILABLE",
                "The target could not be reached or did not answer. Instep tries again, with growing pauses; \
                 other targets go on, and the log keeps what this one still needs."),
            Code::TargetRefused => ("E-TARGET-REFUSED",
                "The target refused rows and no single row could be blamed, or more keys are held than \
                 held_keys_max allows. The target has stopped and keeps what it has."),
            Code::Broken => ("E-BROKEN",
                "A check inside Instep found one of its own promises broken and stopped this pipeline before \
                 it could write anything wrong. Please report it with the message."),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_its_own_name_and_an_explanation() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.name().starts_with("E-"), "{code}");
            assert!(code.explain().len() > 80, "{code} is hardly explained");
        }
    }
}
