//! Judges the log: read from its beginning to its end, it holds exactly what the source committed.

use super::truth::Truth;
use super::violation::{Invariant, Violation};
use model::{Change, Entry, Incarnation, Lane, Log, Offset, Op, Placed, Position, Read};

/// Reads a lane from where it begins to its end, and compares it with the truth. Its first entry
/// comes after one of the places where histories began.
pub async fn check_log(
    log: &dyn Log,
    lane: &Lane,
    truth: &Truth,
    began: &[Offset],
) -> Result<(), Violation> {
    let wrong = |what: String| {
        let is_placed = what.starts_with(PLACED);
        let invariant =
            if is_placed { Invariant::PlacedIsTrue } else { Invariant::LogEqualsHistory };
        Violation::new(invariant, format!("{lane}: {what}"))
    };
    let bounds = log.bounds(lane).await.map_err(|fault| wrong(fault.to_string()))?;
    let Some(last) = bounds.last else {
        return Ok(());
    };
    let mut walk = Walk::new(truth, bounds.trimmed.as_ref(), began);
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
    began: &'a [Offset],
    /// Whether nothing was read yet of a lane that was never trimmed.
    is_first: bool,
    /// Where it has come to, and the next transaction that the log has to show.
    at: Offset,
    next: usize,
    /// The changes of it that were read so far.
    open: Vec<Change>,
}

impl<'a> Walk<'a> {
    fn new(truth: &'a Truth, trimmed: Option<&Offset>, began: &'a [Offset]) -> Self {
        let first = Offset::whole(Incarnation(1), Position::new(Vec::new()));
        let is_first = trimmed.is_none();
        let at = trimmed.cloned().unwrap_or(first);
        let mut walk = Self { truth, began, is_first, at, next: 0, open: Vec::new() };
        walk.skip_to(walk.at.clone());
        walk
    }

    /// Whatever is at or below this offset need not be in the log.
    fn skip_to(&mut self, at: Offset) {
        let transactions = self.truth.transactions(at.incarnation);
        self.next = transactions.partition_point(|it| it.position <= at.position);
        self.at = at;
    }

    fn entry(&mut self, entry: Entry) -> Result<(), String> {
        let end = entry.end();
        if std::mem::take(&mut self.is_first)
            && let Some(began) = self.began.iter().filter(|began| **began <= end).max()
        {
            self.skip_to(began.clone());
        }
        match entry {
            Entry::Placed(placed) if placed.is_gap() => {
                self.skip_to(placed.offset);
                return Ok(());
            }
            _ if end.incarnation != self.at.incarnation => {
                return Err(format!("{end} comes after {} without a word of a gap", self.at));
            }
            Entry::Progress(progress) => self.pass(&progress.offset.position)?,
            Entry::Placed(placed) => self.placed(&placed)?,
            Entry::Part(part) => {
                self.open.extend(part.changes);
                if !part.last {
                    return Ok(());
                }
                let changes = std::mem::take(&mut self.open);
                let expected = self.truth.transactions(end.incarnation).get(self.next);
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
            }
        }
        self.at = end;
        Ok(())
    }

    /// What was placed is what the source had there, row by row.
    fn placed(&self, placed: &Placed) -> Result<(), String> {
        for change in &placed.changes {
            let table = &change.table;
            let (key, row) = match &change.op {
                Op::Insert(row) => (table.key_of(row), Some(row)),
                Op::Delete(key) => (Some(key.clone()), None),
                Op::Update { .. } | Op::Truncate => return Err(format!("{change:?} was placed")),
            };
            let key = key.ok_or("a placed row has no key")?;
            let expected =
                self.truth.row_at(&(table.name.clone(), key.clone()), Some(&placed.offset));
            if expected != row {
                return Err(format!(
                    "{PLACED} {row:?} of {:?} was placed at {}, where the source had {expected:?}",
                    key.values(),
                    placed.offset
                ));
            }
        }
        Ok(())
    }

    /// Progress passes no transaction that had changes.
    fn pass(&mut self, position: &Position) -> Result<(), String> {
        while let Some(skipped) = self.truth.transactions(self.at.incarnation).get(self.next) {
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

/// How the message begins where a placed row is wrong.
const PLACED: &str = "the row";
