//! Judges the log: read from its beginning to its end, it holds exactly what the source committed.

use super::truth::Truth;
use super::violation::{Invariant, Violation};
use model::{Change, Entry, Lane, Log, Offset, Position, Read};

/// Reads a lane from where it begins to `last`, and compares it with the truth.
pub async fn check_log(log: &dyn Log, lane: &Lane, truth: &Truth) -> Result<(), Violation> {
    let wrong =
        |what: String| Violation::new(Invariant::LogEqualsHistory, format!("{lane}: {what}"));
    let bounds = log.bounds(lane).await.map_err(|fault| wrong(fault.to_string()))?;
    let Some(last) = bounds.last else {
        return Ok(());
    };
    let mut walk = Walk::new(truth, bounds.trimmed.as_ref());
    let mut after = bounds.trimmed;
    while after.as_ref() < Some(&last) {
        let read = log.read(lane, after.as_ref(), 500).await;
        let entries = match read.map_err(|fault| wrong(fault.to_string()))? {
            Read::Entries(entries) => entries,
            Read::Gone { trimmed } => {
                return Err(wrong(format!("what comes after {after:?} is gone up to {trimmed}")));
            }
        };
        for entry in entries {
            let end = entry.end();
            if Some(&end) <= after.as_ref() {
                return Err(wrong(format!("{end} comes after {after:?}")));
            }
            walk.entry(entry).map_err(wrong)?;
            after = Some(end);
        }
    }
    walk.end(&last.position).map_err(wrong)
}

/// A walk through log and truth side by side.
struct Walk<'a> {
    truth: &'a Truth,
    /// The next transaction that the log has to show.
    next: usize,
    /// The changes of it that were read so far.
    open: Vec<Change>,
}

impl<'a> Walk<'a> {
    fn new(truth: &'a Truth, trimmed: Option<&Offset>) -> Self {
        let begins =
            |position: &Position| trimmed.is_none_or(|trimmed| *position > trimmed.position);
        let next = truth.transactions().partition_point(|it| !begins(&it.position));
        Self { truth, next, open: Vec::new() }
    }

    fn entry(&mut self, entry: Entry) -> Result<(), String> {
        match entry {
            Entry::Progress(progress) => self.pass(&progress.offset.position),
            Entry::Placed(placed) => Err(format!("nobody placed {}", placed.offset)),
            Entry::Part(part) => {
                self.open.extend(part.changes);
                if !part.last {
                    return Ok(());
                }
                let changes = std::mem::take(&mut self.open);
                let expected = self.truth.transactions().get(self.next);
                let same = expected.is_some_and(|expected| {
                    expected.position == part.commit.offset.position
                        && expected.transaction == part.commit.transaction
                        && expected.changes == changes
                });
                if !same {
                    return Err(format!(
                        "the log has {} with {} changes where the source has {expected:?}",
                        part.commit.offset,
                        changes.len()
                    ));
                }
                self.next += 1;
                Ok(())
            }
        }
    }

    /// Progress passes no transaction that had changes.
    fn pass(&mut self, position: &Position) -> Result<(), String> {
        while let Some(skipped) = self.truth.transactions().get(self.next) {
            if skipped.position > *position {
                break;
            }
            if !skipped.changes.is_empty() {
                return Err(format!(
                    "{position:?} passes the transaction at {:?}",
                    skipped.position
                ));
            }
            self.next += 1;
        }
        Ok(())
    }

    fn end(mut self, last: &Position) -> Result<(), String> {
        if !self.open.is_empty() {
            return Err("the last transaction has no end".into());
        }
        self.pass(last)
    }
}
