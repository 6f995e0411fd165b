//! Task: row memory and counts of one lane, written behind capture from the log.
//!
//! State goes up to an offset that is written together with it, and is made durable now and then;
//! the log is kept from there on. Whatever is wrong with it, it can be begun anew by a pass over
//! the source, like a copy. What a change counted for before comes from row memory alone.

mod book;
mod layout;
mod reach;

use crate::ahead::Ahead;
use crate::ask::PassWish;
use crate::board::{Phase, Reporter, Trouble};
use crate::catalog::Catalog;
use crate::count::{Count, Folds, Outcome, fold, keys_of};
use crate::desk::Desk;
use crate::extent::Extent;
use crate::limits::Limits;
use crate::numbers::{Forgotten, Numbers};
use crate::state::State;
use crate::task::{Stop, Task};
use async_trait::async_trait;
use book::Book;
use model::attack::{Bug, Mark, planted, reached};
use model::{
    Change, Code, Entry, Epoch, Fault, Lane, Log, Offset, Op, Pass, Placed, Read, Table, TableName,
    TargetName,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::time::{Instant, timeout};

/// Keeps the row memory and the counts of one lane.
pub(crate) struct Remember {
    pub(crate) lane: Lane,
    pub(crate) name: TargetName,
    pub(crate) state: Arc<dyn State>,
    pub(crate) counts: Vec<Count>,
    pub(crate) numbers: Numbers,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) desk: Desk,
    pub(crate) limits: Limits,
    pub(crate) reporter: Reporter,
    /// The counts of each table, resolved against its version at hand.
    pub(crate) folds: BTreeMap<TableName, Folds>,
}

/// One change on its way into memory.
struct Step {
    change: Change,
    offset: Offset,
}

#[async_trait]
impl Task for Remember {
    async fn run(&mut self, stop: &Stop) -> Result<(), Fault> {
        self.reporter.phase(Phase::Starting);
        let worked = self.work(stop).await;
        self.desk.withdraw(&self.name);
        worked
    }
}

impl Remember {
    async fn work(&mut self, stop: &Stop) -> Result<(), Fault> {
        let Some(extent) = stop.or(self.extent()).await else { return Ok(()) };
        let mut book = self.open(&extent?).await?;
        self.reporter.resumed(Some(&book.head.offset), 0);
        let mut sync_at = Instant::now() + self.limits.flush;
        let mut ahead = self.read_on(&book.head.offset);
        while !stop.asked() {
            match self.wait(&mut ahead, &book, stop).await? {
                None => break,
                Some(Read::Entries(entries)) => {
                    let end = entries.last().map_or(book.head.offset.clone(), Entry::end);
                    ahead = self.read_on(&end);
                    ahead.beside(self.take(&mut book, entries)).await?;
                    if !ahead.is_after(Some(&book.head.offset)) {
                        ahead = self.read_on(&book.head.offset);
                    }
                }
                Some(Read::Gone { .. }) => {
                    reached(Mark::StateRebuilt);
                    let end = self.extent().await?.end;
                    self.begin(&mut book, end).await?;
                    ahead = self.read_on(&book.head.offset);
                }
            }
            if Instant::now() >= sync_at {
                self.sync(&book).await?;
                sync_at = Instant::now() + self.limits.flush;
            }
        }
        self.sync(&book).await
    }

    /// Reads what comes after an offset, as much as is written at once.
    fn read_on(&self, after: &Offset) -> Ahead {
        Ahead::new(&self.log, &self.lane, Some(after), self.limits.read_bytes_max)
    }

    /// Waits for what is read, however long the log takes; what there is becomes durable meanwhile.
    async fn wait(
        &self,
        ahead: &mut Ahead,
        book: &Book,
        stop: &Stop,
    ) -> Result<Option<Read>, Fault> {
        loop {
            match stop.or(timeout(self.limits.flush, ahead.read())).await {
                None => return Ok(None),
                Some(Ok(())) => return ahead.take().transpose(),
                Some(Err(_)) => self.sync(book).await?,
            }
        }
    }

    async fn extent(&self) -> Result<Extent, Fault> {
        Extent::look(self.catalog.as_ref(), self.log.as_ref(), &self.lane).await
    }

    /// Opens what is remembered, or begins anew if it does not belong to this log and these counts.
    async fn open(&mut self, extent: &Extent) -> Result<Book, Fault> {
        let end = &extent.end;
        let before = match Book::open(self.state.clone(), &self.definition()).await? {
            Ok(book) => {
                let offset = &book.head.offset;
                // What the log does not have, state must not have either.
                let is_ahead = offset > end && !planted(Bug::StateAheadOfLog);
                if extent.follows(offset) && !is_ahead {
                    self.load(&book, end).await?;
                    return Ok(book);
                }
                Some(book.head)
            }
            Err(before) => before,
        };
        if before.is_some() {
            reached(Mark::StateRebuilt);
        }
        let of = (self.tables(), self.counts.iter().map(|count| count.name.clone()).collect());
        let book =
            Book::begin(self.state.clone(), self.definition(), end.clone(), of, before.as_ref());
        let book = book.await?;
        self.load(&book, end).await?;
        Ok(book)
    }

    /// Begins anew in place of what is remembered.
    async fn begin(&mut self, book: &mut Book, at: Offset) -> Result<(), Fault> {
        let of = (self.tables(), self.counts.iter().map(|count| count.name.clone()).collect());
        let definition = self.definition();
        let begun =
            Book::begin(self.state.clone(), definition, at.clone(), of, Some(&book.head)).await?;
        *book = begun;
        self.reporter.reattached();
        self.load(book, &at).await
    }

    /// Tells the numbers as they are kept, and what is to be read from the source.
    async fn load(&mut self, book: &Book, end: &Offset) -> Result<(), Fault> {
        self.folds.clear();
        // What was wanted for what stood here before is wanted by nobody any more.
        self.desk.withdraw(&self.name);
        self.numbers.opened(&book.head.offset, &book.head.began, end);
        for it in book.numbers().await? {
            if let Err(fault) = self.numbers.load(&it.count, it.group, it.number, &it.changed) {
                self.numbers.stop(&it.count, Trouble::from(&fault));
            }
        }
        if book.is_complete() {
            self.numbers.complete(&book.head.began);
        }
        self.desk.lead(&self.name, Epoch(0), Some(&book.head.offset));
        for (table, head) in &book.head.tables {
            self.want_pass(table, &head.pass);
        }
        for (table, keys) in &book.unsure {
            for key in keys {
                self.desk.want_key(&self.name, table, key, &self.limits);
            }
        }
        let (nothing, none) = (Outcome::default(), BTreeMap::new());
        self.numbers.filled(&book.known_with(&nothing, &none));
        Ok(())
    }

    /// Folds entries in, and tells what comes of them.
    async fn take(&mut self, book: &mut Book, entries: Vec<Entry>) -> Result<(), Fault> {
        let mut batch = Batch::new(&book.head.offset);
        for entry in entries {
            if let Entry::Placed(placed) = &entry
                && placed.is_gap()
            {
                self.write(book, batch).await?;
                reached(Mark::StateRebuilt);
                return self.begin(book, placed.offset.clone()).await;
            }
            self.add(book, &mut batch, entry)?;
        }
        self.write(book, batch).await
    }

    /// Adds an entry to a batch, as far as it concerns rows that are remembered by now.
    fn add(&mut self, book: &mut Book, batch: &mut Batch, entry: Entry) -> Result<(), Fault> {
        batch.upto = entry.end();
        match entry {
            Entry::Progress(progress) => batch.as_of = batch.as_of.max(progress.source_time),
            Entry::Part(part) => {
                if part.last {
                    batch.as_of = batch.as_of.max(part.commit.committed_at);
                }
                let (first, whole) = (part.first, part.commit.offset);
                for (ordinal, change) in (first..).zip(part.changes) {
                    let offset = whole.change(ordinal);
                    let Some(head) = book.head.tables.get_mut(&change.table.name) else { continue };
                    if let Some(change) = reach::within(&head.pass, change) {
                        if matches!(change.op, Op::Truncate)
                            && let Pass::Under { purpose, .. } = head.pass
                        {
                            reached(Mark::TruncateBesidePass);
                            let began = offset.clone();
                            head.pass = Pass::Under { purpose, began, upto: None, deleted: 0 };
                            batch.passes.insert(change.table.name.clone());
                        }
                        batch.steps.push(Step { change, offset });
                    }
                }
            }
            Entry::Placed(placed) if placed.targets.contains(&self.name) => {
                add_placed(book, batch, placed);
            }
            Entry::Placed(_) => {}
        }
        Ok(())
    }

    async fn write(&mut self, book: &mut Book, batch: Batch) -> Result<(), Fault> {
        let Batch { steps, upto, as_of, passes } = batch;
        let touched = keys_of(steps.iter().map(|step| &step.change));
        let memory = book.fetch(&touched).await?;
        let mut outcome = Outcome::default();
        for Step { change, offset } in &steps {
            let folds = self.folds_of(&change.table);
            fold(folds, &memory, change, offset, &mut outcome)?;
        }
        if !passes.is_empty() && book.is_complete() {
            book.head.began = upto.clone();
            self.numbers.complete(&upto);
        }
        self.check_empty(&passes);
        let known = book.known_with(&outcome, &touched);
        let numbers = self.numbers.take(&outcome, &known, &upto, as_of);
        if !self.numbers.stopped().is_empty() {
            // What is kept of a count that has stopped is no number: opened again, it is counted anew.
            book.head.definition.clear();
        }
        let upto = if planted(Bug::StateAheadOfLog) { ahead_of(&upto) } else { upto };
        let settled = book.write(&outcome, &numbers, &touched, &upto).await?;
        if let Some(Forgotten { groups, upto }) = self.numbers.forget_zeros() {
            book.forget(&groups, upto).await?;
        }
        for (table, keys) in &outcome.unknown {
            for key in keys {
                reached(Mark::RowUnknown);
                self.desk.want_key(&self.name, table, key, &self.limits);
            }
        }
        for (table, key) in &settled {
            self.desk.release_key(&self.name, table, key);
        }
        for table in &passes {
            if let Some(head) = book.head.tables.get(table) {
                self.want_pass(table, &head.pass);
            }
        }
        self.reporter.passes(&book.passes());
        self.reporter.applied(&upto, 0, &BTreeMap::new());
        self.reporter.step();
        Ok(())
    }

    async fn sync(&self, book: &Book) -> Result<(), Fault> {
        book.sync().await?;
        self.reporter.flushed(&book.head.offset);
        Ok(())
    }

    /// The folds for this version of a table; counts that do not fit it stop.
    fn folds_of(&mut self, table: &Arc<Table>) -> &Folds {
        let is_known = self.folds.get(&table.name).is_some_and(|folds| folds.are_for(table));
        if !is_known {
            let (folds, misfits) = Folds::of_sound(&self.counts, table);
            for misfit in misfits {
                let what = misfit.to_string();
                self.numbers.stop(&misfit.count, Trouble { code: Code::ConfigWhere, what });
            }
            self.folds.insert(table.name.clone(), folds);
        }
        &self.folds[&table.name]
    }

    /// A table without a row brings no change that would say what it looks like; its counts stop all
    /// the same if they do not fit it.
    fn check_empty(&mut self, read: &BTreeSet<TableName>) {
        for name in read {
            if !self.folds.contains_key(name)
                && let Some(table) = self.desk.seen(name)
            {
                self.folds_of(&table);
            }
        }
    }

    fn want_pass(&self, table: &TableName, pass: &Pass) {
        let wish = match pass {
            Pass::Done => None,
            Pass::Under { purpose, began, upto, .. } => Some(PassWish {
                table: table.clone(),
                purpose: *purpose,
                began: began.clone(),
                upto: upto.clone(),
                inspect: None,
                behind: BTreeSet::new(),
            }),
        };
        self.desk.want_passes(&self.name, vec![(layout::copy_of(table), wish)]);
    }

    fn tables(&self) -> BTreeSet<TableName> {
        self.counts.iter().map(|count| count.of.clone()).collect()
    }

    /// What the counts are, in words: state of other counts is begun anew.
    fn definition(&self) -> String {
        let mut words: Vec<_> = self.counts.iter().map(|count| format!("{count:?}")).collect();
        words.sort_unstable();
        words.join("\n")
    }
}

/// What is folded and written together.
struct Batch {
    steps: Vec<Step>,
    upto: Offset,
    as_of: i64,
    /// Tables whose passes have moved.
    passes: BTreeSet<TableName>,
}

impl Batch {
    fn new(upto: &Offset) -> Self {
        Self { steps: Vec::new(), upto: upto.clone(), as_of: i64::MIN, passes: BTreeSet::new() }
    }
}

/// Rows of the source as they are at this place of the lane: those of a stretch only if it
/// goes on where the pass at hand stands.
fn add_placed(book: &mut Book, batch: &mut Batch, placed: Placed) {
    let Placed { offset, stretch, changes, .. } = placed;
    for change in &changes {
        let Some(head) = book.head.tables.get(&change.table.name) else { continue };
        let is_known = match &stretch {
            Some(stretch) => reach::moved(&head.pass, stretch).is_some(),
            None => true,
        };
        if is_known && (stretch.is_some() || has_come_to(&head.pass, change)) {
            batch.steps.push(Step { change: change.clone(), offset: offset.clone() });
        }
    }
    let Some(stretch) = stretch else { return };
    let table = TableName::from(stretch.copy.as_str());
    if let Some(head) = book.head.tables.get_mut(&table)
        && let Some(moved) = reach::moved(&head.pass, &stretch)
    {
        head.pass = moved;
        batch.passes.insert(table);
    }
}

fn has_come_to(pass: &Pass, change: &Change) -> bool {
    reach::within(pass, change.clone()).is_some()
}

/// The planted bug: state says that it goes farther than it does.
fn ahead_of(upto: &Offset) -> Offset {
    let ahead = upto.position.to_number().map_or(0, |number| number + 1);
    Offset { position: model::Position::from_number(ahead), ..upto.clone() }
}
