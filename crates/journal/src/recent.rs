//! Recent: the last entries as they were appended, for readers who are abreast of the writer. They
//! need neither the file nor a thread for it.
//!
//! Only a shortcut: whatever is not here is read from the files. Must not know: what is durable;
//! whoever asks says up to where he may see.

use model::codec::Record;
use model::{CommittedPart, Entry, Offset};
use std::collections::VecDeque;

/// As much of a lane is kept. Readers who are further behind have much to read, and are quick at it.
pub(crate) const RECENT_BYTES_MAX: usize = 256 << 10;

/// The last entries of a lane, without a gap.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// The last offset before them; none where the lane begins with them.
    before: Option<Offset>,
    entries: VecDeque<Kept>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    end: Offset,
    entry: Entry,
    bytes: usize,
}

impl Recent {
    /// Takes what was appended behind `before`, each record with its bytes in the file.
    pub(crate) fn append(&mut self, before: Option<Offset>, records: Vec<(Record, usize)>) {
        if self.end() != before.as_ref() {
            self.clear(before);
        }
        for (record, bytes) in records {
            match entry(record) {
                Ok(entry) => self.push(Kept { end: entry.end(), entry, bytes }),
                Err(passed) => self.clear(passed),
            }
        }
    }

    /// Forgets everything; the lane goes on behind `before`.
    pub(crate) fn clear(&mut self, before: Option<Offset>) {
        self.entries.clear();
        (self.before, self.bytes) = (before, 0);
    }

    /// What comes after `after`, up to `upto` at most and about `bytes_max` of it; nothing if that is
    /// to be read from the files.
    pub(crate) fn read(
        &self,
        after: Option<&Offset>,
        upto: Option<&Offset>,
        bytes_max: usize,
    ) -> Option<Vec<Entry>> {
        if after < self.before.as_ref() || after.is_some_and(Offset::is_inside) {
            return None;
        }
        let first = self.entries.partition_point(|kept| Some(&kept.end) <= after);
        let mut bytes = 0;
        let fits = |kept: &&Kept| {
            bytes += kept.bytes;
            bytes <= bytes_max && Some(&kept.end) <= upto
        };
        let found: Vec<_> = self.entries.range(first..).take_while(fits).collect();
        (!found.is_empty()).then(|| found.into_iter().map(|kept| kept.entry.clone()).collect())
    }

    fn end(&self) -> Option<&Offset> {
        self.entries.back().map(|kept| &kept.end).or(self.before.as_ref())
    }

    fn push(&mut self, kept: Kept) {
        self.bytes += kept.bytes;
        self.entries.push_back(kept);
        while self.bytes > RECENT_BYTES_MAX
            && let Some(oldest) = self.entries.pop_front()
        {
            self.bytes -= oldest.bytes;
            self.before = Some(oldest.end);
        }
    }
}

/// The entry that a reader gets for a record; where there is none that can be handed over whole, the
/// offset that has to be read from the file.
fn entry(record: Record) -> Result<Entry, Option<Offset>> {
    match record {
        Record::Commit(commit, changes) => {
            Ok(Entry::Part(CommittedPart { commit, first: 0, changes, last: true }))
        }
        Record::Progress(progress) => Ok(Entry::Progress(progress)),
        Record::Placed(placed) => Ok(Entry::Placed(placed)),
        Record::Adopt(..) | Record::Table { .. } | Record::Part(_) => Err(record.offset().cloned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Incarnation, Position, Progress};

    fn offset(number: u64) -> Offset {
        Offset::whole(Incarnation(1), Position::from_number(number))
    }

    fn records(numbers: std::ops::Range<u64>, bytes: usize) -> Vec<(Record, usize)> {
        let progress = |it| Progress { offset: offset(it), source_time: 0 };
        numbers.map(|it| (Record::Progress(progress(it)), bytes)).collect()
    }

    fn read(recent: &Recent, after: Option<u64>, upto: u64, bytes_max: usize) -> Vec<u64> {
        let after = after.map(offset);
        let found = recent.read(after.as_ref(), Some(&offset(upto)), bytes_max);
        let number = |entry: Entry| (0..99).find(|it| offset(*it) == entry.end()).expect("small");
        found.unwrap_or_default().into_iter().map(number).collect()
    }

    #[test]
    fn a_reader_gets_what_comes_after_and_no_more_than_it_may_see() {
        let mut recent = Recent::default();
        recent.append(None, records(1..4, 10));
        recent.append(Some(offset(3)), records(4..6, 10));
        assert_eq!(read(&recent, None, 5, 1_000), [1, 2, 3, 4, 5]);
        assert_eq!(read(&recent, Some(2), 4, 1_000), [3, 4]);
        assert_eq!(read(&recent, Some(2), 5, 25), [3, 4]);
        assert_eq!(read(&recent, Some(2), 5, 5), [0; 0], "that is read from the file in parts");
        assert_eq!(read(&recent, Some(5), 5, 1_000), [0; 0]);
        assert!(recent.read(None, None, 1_000).is_none(), "nothing is durable");
    }

    #[test]
    fn whoever_is_further_behind_reads_the_files() {
        let mut recent = Recent::default();
        recent.append(None, records(1..4, RECENT_BYTES_MAX / 2));
        assert_eq!(read(&recent, None, 3, usize::MAX), [0; 0]);
        assert_eq!(read(&recent, Some(1), 3, usize::MAX), [2, 3]);
        // Something that is not here came in between.
        recent.append(Some(offset(7)), records(8..9, 10));
        assert_eq!(read(&recent, Some(3), 8, 1_000), [0; 0]);
        assert_eq!(read(&recent, Some(7), 8, 1_000), [8]);
        let inside = offset(7).change(3);
        assert!(recent.read(Some(&inside), Some(&offset(8)), 1_000).is_none());
    }
}
