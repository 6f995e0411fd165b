//! PURE: the messages of the stream, to the steps of a source.
//!
//! A transaction without a change of ours is progress and no more. What comes again, because it was
//! not confirmed, is left out where that is known before its rows are read; of a transaction that came
//! in blocks it is known at its end, and whoever reads on leaves it out himself.

use super::confirming::Confirming;
use super::followed::Followed;
use super::known_history::{Again, Known};
use super::names::position;
use super::numbers::Numbers;
use super::part::Part;
use super::unready::{Gap, Stopped};
use crate::postgres::lsn::Lsn;
use crate::postgres::pgoutput::{Ended, Malformed, Message, Relations};
use crate::postgres::trouble::Trouble;
use model::{Change, Op, Step, TableName, TransactionId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Puts steps together.
#[derive(Debug)]
pub(super) struct Assembly {
    numbers: Numbers,
    /// The tables that were described; nothing for one that is not followed.
    tables: Relations<Option<Followed>>,
    open: Option<Open>,
    /// Transactions that came in blocks and have no end yet; whether each holds changes of ours.
    blocks: BTreeMap<u32, bool>,
    part: Part,
    steps: VecDeque<Step>,
    /// While what comes may be what came before.
    again: Option<Again>,
    /// How far it is known that everything came.
    reached: Lsn,
    /// The transactions that emptied tables, the last of each.
    emptied: BTreeMap<TableName, u32>,
}

/// The transaction between whose beginning and end the stream is.
#[derive(Debug)]
struct Open {
    /// The whole transaction.
    transaction: TransactionId,
    /// It came before.
    comes_again: bool,
    has_changes: bool,
    /// It comes in blocks, and this is one.
    block: Option<u32>,
}

/// What a message leads to, beside steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nothing more.
    Done,
    /// The table of this number is not known as it is described here: the catalog is to be asked.
    Unknown,
}

impl Assembly {
    /// Of a stream that begins behind `reached`; `again` says what may come a second time.
    pub(super) fn new(part_bytes_max: usize, numbers: Numbers, again: Again, reached: Lsn) -> Self {
        Self {
            numbers,
            tables: Relations::new(),
            open: None,
            blocks: BTreeMap::new(),
            part: Part::new(part_bytes_max),
            steps: VecDeque::new(),
            again: Some(again),
            reached,
            emptied: BTreeMap::new(),
        }
    }

    /// The next step.
    pub(super) fn step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// How far everything came, and which transactions emptied tables, the last of each.
    pub(super) fn reached(&self) -> (Lsn, &BTreeMap<TableName, u32>) {
        (self.reached, &self.emptied)
    }

    /// Whether what comes may be what came before.
    pub(super) fn is_checking(&self) -> bool {
        self.again.is_some()
    }

    /// A table looks like this from here on; nothing if it is not followed.
    pub(super) fn describe(&mut self, oid: u32, followed: Option<Followed>) {
        self.tables.learn(oid, Arc::new(followed));
    }

    /// Takes a message; tables are described by the caller.
    pub(super) fn take(
        &mut self,
        message: &Message<'_>,
        confirming: &mut Confirming,
    ) -> Result<Taken, Stopped> {
        match message {
            Message::Begin { commit, transaction, .. } => self.begin(*commit, *transaction)?,
            Message::Commit(ended) => self.commit(*ended, confirming)?,
            Message::StreamStart { transaction, .. } => self.block(*transaction),
            Message::StreamStop => {
                self.steps.extend(self.part.take());
                let open = self.open.take();
                if let Some((block, true)) = open.and_then(|it| Some((it.block?, it.has_changes))) {
                    self.blocks.insert(block, true);
                }
            }
            Message::StreamCommit { transaction, ended } => {
                self.commit_blocks(*transaction, *ended, confirming)?;
            }
            Message::StreamAbort { transaction, sub } => self.abort(*transaction, *sub),
            Message::Relation { .. } => return Ok(Taken::Unknown),
            Message::Insert { sub, relation, new } => {
                self.change(*sub, *relation, |table| table.insert(new))?;
            }
            Message::Update { sub, relation, before, new } => {
                self.change(*sub, *relation, |table| table.update(before.as_ref(), new))?;
            }
            Message::Delete { sub, relation, before } => {
                self.change(*sub, *relation, |table| table.delete(before))?;
            }
            Message::Truncate { sub, relations, .. } => {
                for relation in relations {
                    self.change(*sub, *relation, |table| Ok(table.truncate()))?;
                }
            }
            Message::Logical { .. } | Message::Type { .. } | Message::From { .. } => {}
            Message::StreamPrepare(_)
            | Message::BeginPrepare(_)
            | Message::Prepare(_)
            | Message::CommitPrepared(_)
            | Message::RollbackPrepared { .. } => {
                let what = "a prepared transaction came before its end, which was not asked for";
                return Err(Trouble::malformed(what).into());
            }
        }
        Ok(Taken::Done)
    }

    /// The server is there, and has sent everything that was committed before `end`.
    pub(super) fn alive(&mut self, end: Lsn, sent_at: i64) -> Result<(), Stopped> {
        if self.open.is_some() {
            return Ok(());
        }
        self.pass(end)?;
        if self.again.is_none() {
            self.reached = self.reached.max(end);
            let (position, source_time) = (position(self.reached), sent_at);
            self.steps.push_back(Step::Progress { position, source_time });
        }
        Ok(())
    }

    fn begin(&mut self, commit: Lsn, transaction: u32) -> Result<(), Trouble> {
        if self.open.is_some() {
            return Err(Trouble::malformed("a transaction begins inside another"));
        }
        // A commit that begins before a place which is the end of something ends before it, too.
        let comes_again = self.again.as_ref().is_some_and(|it| it.covers(Lsn(commit.0 + 1)));
        let transaction = self.numbers.whole(transaction);
        self.open = Some(Open { transaction, comes_again, has_changes: false, block: None });
        Ok(())
    }

    fn commit(&mut self, ended: Ended, confirming: &mut Confirming) -> Result<(), Stopped> {
        let Some(open) = self.open.take() else {
            return Err(Trouble::malformed("a transaction ends that did not begin").into());
        };
        self.steps.extend(self.part.take());
        let known = known(ended, open.transaction);
        if open.comes_again {
            self.came_again(known, ended, open.has_changes, confirming);
            return Ok(());
        }
        self.end(ended, open.transaction, open.has_changes, confirming)
    }

    fn commit_blocks(
        &mut self,
        transaction: u32,
        ended: Ended,
        confirming: &mut Confirming,
    ) -> Result<(), Stopped> {
        let has_changes = self.blocks.remove(&transaction).unwrap_or(false);
        let transaction = self.numbers.whole(transaction);
        if self.again.as_ref().is_some_and(|again| again.covers(ended.end)) {
            self.came_again(known(ended, transaction), ended, has_changes, confirming);
            if has_changes {
                // Its parts were handed over and are to be dropped again.
                self.steps.push_back(Step::Abort { transaction, sub: transaction });
            }
            return Ok(());
        }
        self.end(ended, transaction, has_changes, confirming)
    }

    /// A transaction that we have has ended; if it is the last one, it is to come again next time.
    fn came_again(
        &mut self,
        known: Known,
        ended: Ended,
        has_changes: bool,
        confirming: &mut Confirming,
    ) {
        self.again.iter_mut().for_each(|again| again.saw(known, has_changes));
        if has_changes {
            confirming.handed(ended.end, ended.commit);
        }
    }

    /// A transaction that was not there before has ended.
    fn end(
        &mut self,
        ended: Ended,
        transaction: TransactionId,
        has_changes: bool,
        confirming: &mut Confirming,
    ) -> Result<(), Stopped> {
        self.pass(ended.end)?;
        self.reached = self.reached.max(ended.end);
        let (position, committed_at) = (position(ended.end), ended.committed_at);
        self.steps.push_back(if has_changes {
            confirming.handed(ended.end, ended.commit);
            Step::Commit { transaction, position, committed_at }
        } else {
            Step::Progress { position, source_time: committed_at }
        });
        Ok(())
    }

    /// The stream comes to what was not there before: now it is known whether what was is the same.
    fn pass(&mut self, end: Lsn) -> Result<(), Stopped> {
        let Some(again) = &self.again else { return Ok(()) };
        if again.covers(Lsn(end.0 + 1)) {
            return Ok(());
        }
        if let Some(why) = again.judge() {
            return Err(Stopped::Lost(Gap::restored(why)));
        }
        self.again = None;
        Ok(())
    }

    fn block(&mut self, transaction: u32) {
        let whole = self.numbers.whole(transaction);
        self.blocks.entry(transaction).or_insert(false);
        self.open = Some(Open {
            transaction: whole,
            comes_again: false,
            has_changes: false,
            block: Some(transaction),
        });
    }

    fn abort(&mut self, transaction: u32, sub: u32) {
        let has_changes = match transaction == sub {
            true => self.blocks.remove(&transaction).unwrap_or(false),
            false => self.blocks.get(&transaction).copied().unwrap_or(false),
        };
        if has_changes {
            let (transaction, sub) = (self.numbers.whole(transaction), self.numbers.whole(sub));
            self.steps.push_back(Step::Abort { transaction, sub });
        }
    }

    fn change(
        &mut self,
        sub: Option<u32>,
        relation: u32,
        read: impl FnOnce(&Followed) -> Result<Change, Trouble>,
    ) -> Result<(), Trouble> {
        let Some(open) = &mut self.open else {
            return Err(Trouble::malformed("a change outside of every transaction"));
        };
        let unknown = |it: Malformed| Trouble::malformed(it.to_string());
        let table = self.tables.get(relation).map_err(unknown)?;
        let Some(table) = &**table else { return Ok(()) };
        let again = self.again.as_ref().filter(|_| open.comes_again);
        if let Some(again) = again.filter(|_| !table.is_outbox()) {
            open.has_changes |= again.counts(table.name());
            return Ok(());
        }
        let whole = open.transaction;
        let change = read(table)?;
        if change.op == Op::Truncate {
            let number = sub.unwrap_or(u32::try_from(whole.0 & u64::from(u32::MAX)).unwrap_or(0));
            self.emptied.insert(change.table.name.clone(), number);
        }
        let Some(change) = table.told(change) else { return Ok(()) };
        open.has_changes |= again.is_none_or(|again| again.counts(&change.table.name));
        if open.comes_again {
            return Ok(());
        }
        let sub = sub.map_or(whole, |sub| self.numbers.whole(sub));
        self.steps.extend(self.part.add(whole, sub, change));
        Ok(())
    }
}

fn known(ended: Ended, transaction: TransactionId) -> Known {
    Known { end: ended.end, transaction, committed_at: ended.committed_at }
}
