//! Merge: brings a delta into the sheets, and makes the new sheets count.
//!
//! Only sheets whose keys the delta touches are written anew; neighbours among them in one stretch,
//! so that sheets which have become short grow together. Must not know: tails, other than the number
//! of the first that is still needed.

use super::bounds::StateBounds;
use super::cursor::Cursor;
use super::delta::Delta;
use super::list::List;
use super::pack::Pack;
use super::sheet::Sheet;
use model::Fault;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is to be merged.
#[derive(Debug)]
pub(crate) struct Merge {
    pub(crate) dir: PathBuf,
    pub(crate) bounds: StateBounds,
    pub(crate) sheets: Vec<Arc<Sheet>>,
    pub(crate) delta: Delta,
    /// The first tail whose writes are not in the delta.
    pub(crate) first_tail: u64,
    /// Set when nobody needs the result any more.
    pub(crate) abandoned: AtomicBool,
}

/// Neighbouring sheets whose keys the delta touches, or one sheet that it does not.
struct Stretch<'a> {
    sheets: &'a [Arc<Sheet>],
    from: Bound<&'a [u8]>,
    to: Bound<&'a [u8]>,
    touched: bool,
}

impl Merge {
    /// The sheets after the merge, on the list already; none if it was abandoned.
    pub(crate) fn run(&self) -> Result<Option<Vec<Arc<Sheet>>>, Fault> {
        let next = self.sheets.iter().map(|sheet| sheet.number + 1).max().unwrap_or(1);
        let mut pack = Pack::new(&self.dir, self.bounds.sheet_bytes_max, next);
        let mut merged = Vec::new();
        for stretch in self.stretches() {
            if stretch.touched {
                if !self.rewrite(&stretch, &mut pack)? {
                    return Ok(None);
                }
                pack.cut()?;
                merged.extend(pack.take().into_iter().map(Arc::new));
            } else {
                merged.extend_from_slice(stretch.sheets);
            }
        }
        let sheets = merged.iter().map(|sheet| (sheet.number, sheet.bytes)).collect();
        List { first_tail: self.first_tail, sheets }.write(&self.dir)?;
        Ok(Some(merged))
    }

    /// The sheets in stretches that together cover every key.
    fn stretches(&self) -> Vec<Stretch<'_>> {
        if self.sheets.is_empty() {
            let all = Bound::Unbounded;
            return vec![Stretch { sheets: &[], from: all, to: all, touched: true }];
        }
        let mut stretches: Vec<Stretch<'_>> = Vec::new();
        let mut begun = 0;
        for (place, sheet) in self.sheets.iter().enumerate() {
            // The first sheet also takes the keys before it, each one those up to the next.
            let from =
                if place == 0 { Bound::Unbounded } else { Bound::Included(sheet.first_key()) };
            let next = self.sheets.get(place + 1);
            let to = next.map_or(Bound::Unbounded, |next| Bound::Excluded(next.first_key()));
            let touched = self.delta.range(from, to).next().is_some();
            match stretches.last_mut() {
                Some(last) if touched && last.touched => {
                    last.sheets = &self.sheets[begun..=place];
                    last.to = to;
                }
                _ => {
                    begun = place;
                    stretches.push(Stretch {
                        sheets: &self.sheets[place..=place],
                        from,
                        to,
                        touched,
                    });
                }
            }
        }
        stretches
    }

    /// Writes a stretch anew; false if the merge was abandoned.
    fn rewrite(&self, stretch: &Stretch<'_>, pack: &mut Pack<'_>) -> Result<bool, Fault> {
        let mut writes = self.delta.range(stretch.from, stretch.to).peekable();
        let mut old = Cursor::seek(stretch.sheets, &[])?;
        while let Some((key, value)) = old.entry() {
            while let Some((written, value)) = writes.next_if(|(written, _)| *written < key) {
                put(pack, written, value)?;
            }
            match writes.next_if(|(written, _)| *written == key) {
                Some((_, value)) => put(pack, key, value)?,
                None => pack.put(key, value)?,
            }
            old.advance()?;
            if self.abandoned.load(Ordering::Relaxed) {
                return Ok(false);
            }
        }
        for (key, value) in writes {
            put(pack, key, value)?;
        }
        Ok(true)
    }
}

/// A deleted key has nothing below it any more, so it needs no place.
fn put(pack: &mut Pack<'_>, key: &[u8], value: Option<&[u8]>) -> Result<(), Fault> {
    value.map_or(Ok(()), |value| pack.put(key, value))
}
