//! Compares stretches on both sides, and says which keys do not match.

use crate::line::Line;
use crate::matching::Matching;
use crate::pace::Pace;
use crate::plan::Plan;
use crate::progress::{Progress, Stop};
use crate::refused::Side;
use crate::terms::Reference;
use model::{Code, Fault, Flaw, Key, Listed, Mark, Selection};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Compares one stretch after the other.
pub(crate) struct Scan {
    /// What each side is asked.
    pub(crate) plan: Arc<Plan>,
    /// To the source.
    pub(crate) source: Line,
    /// To the copy.
    pub(crate) copy: Line,
    /// Where the stretches come from; shared with others who do the same.
    pub(crate) stretches: Arc<tokio::sync::Mutex<mpsc::Receiver<Selection>>>,
    /// Where keys go that do not match.
    pub(crate) suspects: mpsc::Sender<Vec<Key>>,
    /// References that the copy's rows have to keep.
    pub(crate) references: Vec<Reference>,
    /// Where rows go that do not.
    pub(crate) orphans: mpsc::Sender<(usize, Key)>,
    /// How long it takes, for whoever cuts stretches.
    pub(crate) pace: Arc<Mutex<Pace>>,
    /// Who watches.
    pub(crate) progress: Arc<Progress>,
    /// Ends it early.
    pub(crate) stop: Stop,
    /// How many stretches in a row did not match. Where that happens often, rows are listed at once.
    pub(crate) unlike: u32,
}

/// Rows that are listed at once.
const LISTED_MAX: usize = 50_000;
const ORPHANS_MAX: usize = 1_000;
/// Keys that are handed over at once.
const SUSPECTS_MAX: usize = 1_000;
/// So many stretches that do not match in a row, and sums are not worth asking for.
const UNLIKE_MAX: u32 = 2;

impl Scan {
    /// Compares until there is no further stretch.
    pub(crate) async fn run(mut self) -> Result<(), Fault> {
        loop {
            let next = self.stretches.lock().await.recv().await;
            let Some(stretch) = next else { return Ok(()) };
            if self.stop.is_told() {
                return Ok(());
            }
            if let Err(fault) = self.compare(&stretch).await {
                // Nobody else goes on either: what was not read is not called equal.
                self.stop.now();
                return Err(fault);
            }
        }
    }

    async fn compare(&mut self, stretch: &Selection) -> Result<(), Fault> {
        check_key(&mut self.source, &self.plan, Side::Source, stretch).await?;
        check_key(&mut self.copy, &self.plan, Side::Copy, stretch).await?;
        let began = Instant::now();
        let is_summed = self.plan.has_sums && self.unlike < UNLIKE_MAX;
        let rows = match is_summed {
            true => self.compare_sums(stretch).await?,
            false => None,
        };
        let rows = match rows {
            Some(rows) => {
                self.unlike = 0;
                rows
            }
            None => self.list(stretch).await?,
        };
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).took(rows, began.elapsed());
        self.progress.add_compared(rows);
        find_orphans(&mut self.copy, &self.plan, &self.references, stretch, &self.orphans).await
    }

    /// How many rows there are, if both sums are the same.
    async fn compare_sums(&mut self, of: &Selection) -> Result<Option<u64>, Fault> {
        let plan = &self.plan;
        let (source, copy) =
            tokio::try_join!(self.source.sum(&plan.source, of), self.copy.sum(&plan.copy, of),)?;
        Ok((source == copy).then_some(source.rows))
    }

    /// Compares row by row; how many the source has.
    async fn list(&mut self, stretch: &Selection) -> Result<u64, Fault> {
        let (mut rows, mut is_like) = (0, true);
        let mut left = Some(stretch.clone());
        while let Some(of) = left.take() {
            let plan = Arc::clone(&self.plan);
            // Most often both give all of it at once.
            let (source, copy) = tokio::try_join!(
                listed(&mut self.source, &plan, Side::Source, &of, LISTED_MAX),
                listed(&mut self.copy, &plan, Side::Copy, &of, LISTED_MAX),
            )?;
            rows += source.found.len() as u64;
            let (part, rest) = divided(&of, &source);
            left = rest;
            if left.is_some() {
                self.pace.lock().unwrap_or_else(PoisonError::into_inner).overflowed();
            }
            // What the copy gave is of another part if the source's is only a part.
            let copy = if left.is_none() { Some(copy) } else { None };
            is_like &= self.match_part(&part, source.found, copy).await?;
        }
        self.unlike = if is_like { 0 } else { self.unlike.saturating_add(1) };
        Ok(rows)
    }

    /// Compares some of the source's rows with those that the copy has within the same ends. Whether
    /// all matched.
    async fn match_part(
        &mut self,
        part: &Selection,
        source: Vec<(Key, Mark)>,
        mut copy: Option<Listed<Mark>>,
    ) -> Result<bool, Fault> {
        let mut matching = Matching::of(source);
        told_apart(&matching)?;
        let mut unmatched: Vec<Key> = Vec::new();
        let mut left = Some(part.clone());
        while let Some(of) = left.take() {
            let plan = Arc::clone(&self.plan);
            let listed = match copy.take() {
                Some(listed) => listed,
                None => listed(&mut self.copy, &plan, Side::Copy, &of, LISTED_MAX).await?,
            };
            left = divided(&of, &listed).1;
            let met = listed.found.into_iter();
            unmatched.extend(met.filter_map(|(key, mark)| matching.meet(key, mark)));
            if left.is_some() {
                self.suspect(&std::mem::take(&mut unmatched)).await;
            }
        }
        told_apart(&matching)?;
        unmatched.extend(matching.rest());
        let is_like = unmatched.is_empty();
        self.suspect(&unmatched).await;
        Ok(is_like)
    }

    async fn suspect(&mut self, keys: &[Key]) {
        for keys in keys.chunks(SUSPECTS_MAX) {
            // Nobody listens after a fault there, which is told by itself.
            let _ = self.suspects.send(keys.to_vec()).await;
        }
    }
}

/// A key that nothing keeps from coming twice is looked through.
pub(crate) async fn check_key(
    line: &mut Line,
    plan: &Plan,
    side: Side,
    of: &Selection,
) -> Result<(), Fault> {
    let (ask, is_unique) = plan.of(side);
    if is_unique {
        return Ok(());
    }
    match line.flaw(ask, of).await? {
        Some(flaw) => Err(flawed(side, &flaw)),
        None => Ok(()),
    }
}

/// Fails if several rows of one side came with the same key.
pub(crate) fn told_apart(matching: &Matching) -> Result<(), Fault> {
    match matching.twice() {
        Some((side, key)) => Err(flawed(*side, &Flaw::Twice(key.clone()))),
        None => Ok(()),
    }
}

/// The rows of the copy that refer to none.
pub(crate) async fn find_orphans(
    copy: &mut Line,
    plan: &Plan,
    references: &[Reference],
    stretch: &Selection,
    orphans: &mpsc::Sender<(usize, Key)>,
) -> Result<(), Fault> {
    for (place, Reference { column, table, key }) in references.iter().enumerate() {
        let (column, table, key) = (Arc::clone(column), table.clone(), Arc::clone(key));
        let refers = model::Reference { column, table, key };
        let mut left = Some(stretch.clone());
        while let Some(of) = left.take() {
            let found = copy.orphans(&plan.copy, &refers, &of, ORPHANS_MAX).await?;
            left = divided(&of, &found).1;
            for (key, ()) in found.found {
                let _ = orphans.send((place, key)).await;
            }
        }
    }
    Ok(())
}

/// The marks of rows of one side, made there or here.
pub(crate) async fn listed(
    line: &mut Line,
    plan: &Plan,
    side: Side,
    of: &Selection,
    rows_max: usize,
) -> Result<Listed<Mark>, Fault> {
    let (ask, _) = plan.of(side);
    if plan.has_sums {
        return line.marks(ask, of, rows_max).await;
    }
    let rows = line.rows(ask, of, rows_max).await?;
    let marks = rows.found.into_iter().map(|(key, row)| {
        let mark = plan.mark(&key, row);
        (key, mark)
    });
    Ok(Listed { found: marks.collect(), more: rows.more })
}

/// The part of a selection that an answer speaks for, and what is left of it.
pub(crate) fn divided<T>(of: &Selection, listed: &Listed<T>) -> (Selection, Option<Selection>) {
    match (of, listed.found.last()) {
        (Selection::Range { after, upto }, Some((last, _))) if listed.more => {
            let part = Selection::Range { after: after.clone(), upto: Some(last.clone()) };
            (part, Some(Selection::Range { after: Some(last.clone()), upto: upto.clone() }))
        }
        _ => (of.clone(), None),
    }
}

/// What is wrong with a key, without its values.
pub(crate) fn flawed(side: Side, flaw: &Flaw) -> Fault {
    let what = match flaw {
        Flaw::Twice(_) => {
            format!("several rows of the {side} have the same values in the columns of the key")
        }
        Flaw::Null(rows) => format!("{rows} rows of the {side} have NULL in a column of the key"),
    };
    Fault::stop(Code::KeyFlawed, what)
}
