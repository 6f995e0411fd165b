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
    /// A pass would delete more than it may without a person's word.
    DeletesGuarded,
    /// The source has no table of this name.
    TableMissing,
    /// The condition of a count cannot be read, or does not fit its table.
    ConfigWhere,
    /// A count would have become negative, or larger than a number can be.
    CountWrong,
    /// A count has more groups than it may have.
    CountGroups,
    /// A lane's state could not be read or written.
    StateDisk,
    /// A lane's state is not what was written.
    StateDamaged,
    /// The disk answered with an error about the catalog.
    CatalogDisk,
    /// The catalog is not what was written.
    CatalogDamaged,
    /// The catalog was written by a newer Instep.
    CatalogNewer,
    /// A promise was broken inside Instep; the check that found it stopped the pipeline.
    Broken,
}

impl Code {
    /// Every code, in the order of the reference page.
    pub fn all() -> impl Iterator<Item = Code> {
        ENTRIES.into_iter().map(|(code, ..)| code)
    }

    /// The code as users see it.
    pub const fn name(self) -> &'static str {
        ENTRIES[self as usize].1
    }

    /// What the code means, why it comes up and what to do, for `explain`.
    pub const fn explain(self) -> &'static str {
        ENTRIES[self as usize].2
    }
}

/// Every code with its name and its explanation, in the order of the enumeration and of the
/// reference page.
#[rustfmt::skip]
const ENTRIES: [(Code, &str, &str); 24] = [
    (Code::DataLocked, "E-DATA-LOCKED",
        "Another process works in this data directory. Two writers would destroy the journal, \
         so the second one does not start. Stop the other process, or give this one its own data_dir."),
    (Code::JournalDamaged, "E-JOURNAL-DAMAGED",
        "A record of the journal fails its checksum at a place that was once synced, so this is no \
         torn tail of a crash. Nothing is skipped and nothing is cut. Check the disk, then restore \
         the data directory from a backup, or move it away and let Instep fill it again from the source."),
    (Code::JournalNewer, "E-JOURNAL-NEWER",
        "The journal was written by a newer Instep whose format this one does not know. \
         Run the newer version, or restore a backup taken before the upgrade."),
    (Code::JournalFull, "E-JOURNAL-FULL",
        "The journal has reached journal_bytes_max, or its disk is full. Capture waits; what is \
         already in the journal is still read and applied. Targets that hold it up are let go, and \
         compared with the source when they come back, but for those that are to hold it up \
         (when_full: wait). Free disk space, raise the limit, or mend the slowest target. A single \
         transaction that would not fit into an empty journal stops its lane; only a higher limit helps."),
    (Code::JournalDisk, "E-JOURNAL-DISK",
        "The disk answered a write or a sync of the journal with an error. After a failed sync \
         nobody knows what is on the disk, so the journal takes no more input until it is opened \
         again. Check the disk and the file system, then restart."),
    (Code::Superseded, "E-SUPERSEDED",
        "Another instance has taken over this lane or target with a higher epoch. This one has \
         stopped writing to it, and follows again when it holds the lease."),
    (Code::OutOfOrder, "E-OUT-OF-ORDER",
        "An entry was about to be logged at or below the end of its lane. That would break the order \
         of the source, so it was refused and the lane was stopped."),
    (Code::SourceChanged, "E-SOURCE-CHANGED",
        "The server behind this address is not the one that Instep followed before. It may be a \
         restored backup, a clone or a wrong address. Nothing is read from it until a person says \
         that it is the right one."),
    (Code::SourceHistoryLost, "E-SOURCE-HISTORY-LOST",
        "The source no longer keeps the changes that come after the position that Instep holds, \
         so going on would skip some, or it was restored to an earlier state. A new history begins; \
         each copy is compared with the source as it is now, row by row, and mended, and reports no \
         position until that is done."),
    (Code::LogHistoryLost, "E-LOG-HISTORY-LOST",
        "The log no longer holds what comes after this target's watermark, so going on would skip \
         changes. Its copies are compared with the source as it is now, row by row, and mended; they \
         report no position until that is done."),
    (Code::SourceUnavailable, "E-SOURCE-UNAVAILABLE",
        "The source could not be reached or did not answer. Instep tries again, with growing pauses; \
         nothing is lost, because the source keeps what was not confirmed."),
    (Code::TargetUnavailable, "E-TARGET-UNAVAILABLE",
        "The target could not be reached or did not answer. Instep tries again, with growing pauses; \
         other targets go on, and the log keeps what this one still needs."),
    (Code::TargetRefused, "E-TARGET-REFUSED",
        "The target refused rows and no single row could be blamed, or more keys are held than \
         held_keys_max allows. The target has stopped and keeps what it has."),
    (Code::DeletesGuarded, "E-DELETES-GUARDED",
        "A pass of the source over a copy would delete more rows than bridge_deletes_max, or the \
         source is empty while the copy is not. An empty or wrong source must never empty a copy, so \
         the copy keeps what it has until a person has looked and allows so many deletes."),
    (Code::TableMissing, "E-TABLE-MISSING",
        "The source has no table of this name, or the user that Instep connects as may not see it. \
         Check the name with its schema, the database and the grants; Instep looks again with growing \
         pauses and goes on by itself."),
    (Code::ConfigWhere, "E-CONFIG-WHERE",
        "The `where` of a count cannot be read, or does not fit the columns of its table. It compares \
         columns and literals with = <> < <= > >=, is null, is true, in and between, joined by and, or \
         and not, without functions. The message says at which byte it stops, and what to write instead."),
    (Code::CountWrong, "E-COUNT-WRONG",
        "A group of this count would have become negative, or larger than 64 bits hold. A number like \
         that is never shown and never rounded to zero: the count has stopped at its last true position. \
         Other counts and copies go on. Build the count anew from its source, and report the message, \
         since what it was told cannot all have happened."),
    (Code::CountGroups, "E-COUNT-GROUPS",
        "This count has more groups than groups_max allows, so it has stopped; other counts go on. \
         Often a column of `by` is nearly unique, such as an id or a time. Group by fewer columns, or \
         raise groups_max if there is memory for that many."),
    (Code::StateDisk, "E-STATE-DISK",
        "The disk answered a read, a write or a sync of a lane's state with an error, or it is full. \
         State takes nothing more until it is opened again. Copies and the log are not concerned. \
         Check the disk and the file system, then restart; state can be rebuilt from the source."),
    (Code::StateDamaged, "E-STATE-DAMAGED",
        "A file of a lane's state is not what was written there, or a newer Instep wrote it. When \
         state is opened next, its files are moved into the directory `aside` beside it and an empty \
         state is begun, because it can be rebuilt by a pass over the source. Counts answer again \
         once they are filled. Check the disk if no newer version was at work."),
    (Code::CatalogDisk, "E-CATALOG-DISK",
        "The disk answered a read or a write of catalog.db with an error, it is full, or another program \
         holds the file locked. Check the disk, close other programs that use the file, then restart."),
    (Code::CatalogDamaged, "E-CATALOG-DAMAGED",
        "catalog.db is not what was written. It holds what cannot be computed again, so it is never \
         replaced in silence. Restore it from a backup; or move it away, and every target is unverified \
         until it has been compared with its source anew."),
    (Code::CatalogNewer, "E-CATALOG-NEWER",
        "catalog.db was written by a newer Instep whose format this one does not know. \
         Run the newer version, or restore a backup taken before the upgrade."),
    (Code::Broken, "E-BROKEN",
        "A check inside Instep found one of its own promises broken and stopped this pipeline before \
         it could write anything wrong. Please report it with the message."),
];

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
        let names: BTreeSet<_> = Code::all().map(Code::name).collect();
        assert_eq!(names.len(), Code::all().count());
        for (place, code) in Code::all().enumerate() {
            assert_eq!(code as usize, place, "{code} is out of order");
            assert!(code.name().starts_with("E-"), "{code}");
            assert!(code.explain().len() > 80, "{code} is hardly explained");
        }
    }
}
