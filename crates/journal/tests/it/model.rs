//! The journal against a model of it, through random histories of work, faults, restarts and
//! crashes.
//!
//! What an append acknowledged is there from then on (J1); of what it did not acknowledge, whole
//! entries from its beginning may be, and `bounds` says which; nothing else is; trimming takes only
//! what it was told; no history needs anything but reopening.

use crate::support::{at, changes, lane, open};
use ::model::log::StagedPart;
use ::model::{
    Append, Change, Changes, Code, Commit, Entry, Epoch, Fault, Log, Offset, Progress, Read,
    TransactionId,
};
use instep_journal::Journal;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use testkit::disk::FaultyDisk;

#[derive(Clone, Debug)]
enum Operation {
    /// Appends this many entries of up to this many changes.
    Append(usize, usize),
    /// Polls an append this often and drops it.
    DropAppend(usize, usize),
    Stage(u64, u64, usize),
    Unstage(u64, u64),
    Adopt(u64),
    /// Reads everything after one of the entries in parts of this size.
    Read(u8, usize),
    Trim(u8),
    Reopen,
    /// The process ends and nothing is lost.
    Kill,
    Crash(u64),
    FailSync,
    FailWrite,
    PowerOff(u64),
    Full(u64),
    Heal,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => (1..4_usize, 0..12_usize).prop_map(|(entries, most)| Operation::Append(entries, most)),
        2 => (1..4_usize, 0..6_usize).prop_map(|(entries, polls)| Operation::DropAppend(entries, polls)),
        6 => (0..3_u64, 0..3_u64, 0..6_usize).prop_map(|(tx, sub, n)| Operation::Stage(tx, sub, n)),
        1 => (0..3_u64, 0..3_u64).prop_map(|(tx, sub)| Operation::Unstage(tx, sub)),
        3 => (0..3_u64).prop_map(Operation::Adopt),
        3 => (any::<u8>(), 1..3_000_usize).prop_map(|(from, bytes)| Operation::Read(from, bytes)),
        2 => any::<u8>().prop_map(Operation::Trim),
        1 => Just(Operation::Reopen),
        1 => Just(Operation::Kill),
        2 => any::<u64>().prop_map(Operation::Crash),
        1 => Just(Operation::FailSync),
        1 => Just(Operation::FailWrite),
        1 => (0..20_u64).prop_map(Operation::PowerOff),
        1 => (0..2_500_u64).prop_map(Operation::Full),
        2 => Just(Operation::Heal),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_history_keeps_what_was_acknowledged(
        operations in proptest::collection::vec(operation(), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for operation in operations {
                world.take(operation).await;
            }
            world.disk.heal();
            world.restart().await;
            world.check(None, 1_000).await.unwrap();
        });
    }
}

struct World {
    disk: FaultyDisk,
    journal: Option<Journal>,
    /// What must be there, and what each entry holds.
    entries: BTreeMap<u64, Option<Vec<Change>>>,
    /// What may be there from its beginning on, one map for each append without an answer. No two
    /// of them are there together: a later one was written where the one before had been cut.
    perhaps: Vec<BTreeMap<u64, Option<Vec<Change>>>>,
    staged: BTreeMap<u64, Vec<(u64, Vec<Change>)>>,
    aborted: Vec<(u64, u64)>,
    trimmed: u64,
    /// The last transaction among what must be there, trimmed or not.
    last_commit: Option<u64>,
    number: u64,
    /// Rises with every restart, so that no transaction's number comes twice.
    run: u64,
}

impl World {
    fn new() -> Self {
        let disk = FaultyDisk::new();
        let journal = open(&disk).unwrap();
        Self {
            disk,
            journal: Some(journal),
            entries: BTreeMap::new(),
            perhaps: Vec::new(),
            staged: BTreeMap::new(),
            aborted: Vec::new(),
            trimmed: 0,
            last_commit: None,
            number: 0,
            run: 0,
        }
    }

    fn journal(&self) -> &Journal {
        self.journal.as_ref().unwrap()
    }

    async fn take(&mut self, operation: Operation) {
        let done = match operation {
            Operation::Append(entries, most) => self.append(entries, most).await,
            Operation::DropAppend(entries, polls) => self.drop_append(entries, polls).await,
            Operation::Stage(tx, sub, count) => self.stage(tx, sub, count).await,
            Operation::Unstage(tx, sub) => self.unstage(tx, sub).await,
            Operation::Adopt(tx) => self.adopt(tx).await,
            Operation::Read(from, bytes_max) => {
                let from = self.entries.keys().nth(usize::from(from)).copied();
                self.check(from, bytes_max).await
            }
            Operation::Trim(upto) => self.trim(usize::from(upto)).await,
            Operation::Reopen => {
                self.disk.heal();
                self.restart().await;
                Ok(())
            }
            Operation::Kill => {
                self.disk.release_locks();
                self.disk.heal();
                self.restart().await;
                Ok(())
            }
            Operation::Crash(seed) => {
                self.crash(seed);
                self.restart().await;
                Ok(())
            }
            fault => {
                self.arm(&fault);
                Ok(())
            }
        };
        match done {
            Ok(()) => {}
            Err(fault) if fault.code == Code::JournalFull => {
                let trimmed = self.trim(usize::MAX).await;
                self.disk.lift_full();
                if trimmed.is_err() {
                    self.give_up(self.number);
                }
            }
            Err(fault) => {
                assert_eq!(fault.code, Code::JournalDisk, "{fault}");
                self.give_up(self.number);
            }
        }
        if self.journal.is_none() {
            self.restart().await;
        }
    }

    fn arm(&self, fault: &Operation) {
        match fault {
            Operation::FailSync => self.disk.fail_next_sync(),
            Operation::FailWrite => self.disk.fail_next_write(),
            Operation::PowerOff(after) => self.disk.power_off_after(*after),
            Operation::Full(bytes) => self.disk.full_after(*bytes),
            _ => self.disk.heal(),
        }
    }

    /// The journal closed itself or the power went off.
    fn give_up(&mut self, seed: u64) {
        if seed.is_multiple_of(2) {
            self.crash(seed);
        } else {
            self.disk.heal();
        }
        self.journal = None;
    }

    fn crash(&mut self, seed: u64) {
        self.journal = None;
        let mut state = seed | 1;
        self.disk.crash(&mut |choices| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % choices
        });
        self.disk.lift_full();
    }

    async fn restart(&mut self) {
        self.journal = None;
        self.journal = Some(open(&self.disk).unwrap());
        self.staged.clear();
        self.aborted.clear();
        self.run += 1;
        self.settle().await.unwrap();
        self.check(None, 5_000).await.unwrap();
    }

    /// Learns from the bounds what became of appends without an answer.
    async fn settle(&mut self) -> Result<(), Fault> {
        let bounds = self.journal().bounds(&lane()).await?;
        let last = bounds.last.map_or(0, |last| last.position.to_number().unwrap());
        if let Some(there) = self.perhaps.iter().find(|perhaps| perhaps.contains_key(&last)) {
            self.entries.extend(there.range(..=last).map(|(number, it)| (*number, it.clone())));
        }
        let known = self.entries.keys().last().copied().unwrap_or(0).max(self.trimmed);
        assert_eq!(last, known, "the lane ends where the model does");
        let commits = self.entries.iter().rev().filter(|(_, changes)| changes.is_some());
        self.last_commit = commits.map(|(number, _)| *number).next().max(self.last_commit);
        let last_commit = bounds.last_commit.map(|it| it.offset.position.to_number().unwrap());
        assert_eq!(last_commit, self.last_commit, "no trim and no crash loses it");
        let trimmed = bounds.trimmed.map_or(0, |it| it.position.to_number().unwrap());
        assert!(trimmed <= self.trimmed, "it was trimmed to {trimmed} instead of {}", self.trimmed);
        Ok(())
    }

    fn next_entries(&mut self, count: usize, most: usize) -> Vec<Append> {
        let (mut entries, mut perhaps) = (Vec::new(), BTreeMap::new());
        for index in 0..count {
            self.number += 1;
            if (self.number + most as u64).is_multiple_of(5) {
                perhaps.insert(self.number, None);
                let progress = Progress { offset: at(self.number), source_time: 1 };
                entries.push(Append::Progress(progress));
            } else {
                let changes = changes(most.saturating_sub(index), 60);
                perhaps.insert(self.number, Some(changes.clone()));
                let commit = self.commit(1_000_000 + self.number);
                entries.push(Append::Commit(commit, Changes::Inline(changes)));
            }
        }
        self.perhaps.push(perhaps);
        entries
    }

    fn commit(&self, transaction: u64) -> Commit {
        let transaction = TransactionId(transaction);
        Commit { offset: at(self.number), transaction, committed_at: 3 }
    }

    async fn append(&mut self, count: usize, most: usize) -> Result<(), Fault> {
        let entries = self.next_entries(count, most);
        let done = self.journal().append(&lane(), entries, Epoch::LIVE).await;
        self.acknowledge(done).await
    }

    async fn acknowledge(&mut self, done: Result<(), Fault>) -> Result<(), Fault> {
        match done {
            Ok(()) => {
                self.entries.extend(self.perhaps.drain(..).next_back().into_iter().flatten());
                Ok(())
            }
            Err(fault) => {
                if fault.code == Code::JournalFull {
                    self.settle().await?;
                }
                Err(fault)
            }
        }
    }

    async fn drop_append(&mut self, count: usize, polls: usize) -> Result<(), Fault> {
        let entries = self.next_entries(count, 3);
        {
            let lane = lane();
            let mut append = pin!(self.journal().append(&lane, entries, Epoch::LIVE));
            for _ in 0..polls {
                match poll_fn(|context| Poll::Ready(append.as_mut().poll(context))).await {
                    Poll::Ready(done) => {
                        done?;
                        break;
                    }
                    Poll::Pending => tokio::task::yield_now().await,
                }
            }
        }
        self.settle().await
    }

    fn transaction(&self, tx: u64) -> u64 {
        self.run * 10 + tx + 1
    }

    async fn stage(&mut self, tx: u64, sub: u64, count: usize) -> Result<(), Fault> {
        if self.aborted.contains(&(tx, sub)) {
            return Ok(());
        }
        let changes = changes(count, 40);
        let (transaction, id) = (TransactionId(self.transaction(tx)), self.sub(tx, sub));
        let part = StagedPart { transaction, sub: id, changes: changes.clone() };
        // A refusal leaves what was staged before; it may have made the file.
        let staged = self.journal().stage(&lane(), part).await;
        if staged.is_ok() {
            self.staged.entry(tx).or_default().push((sub, changes));
        } else if !self.staged.contains_key(&tx) {
            self.journal().unstage(&lane(), transaction, transaction).await?;
        }
        staged
    }

    /// Sub-transaction zero is the transaction itself.
    fn sub(&self, tx: u64, sub: u64) -> TransactionId {
        match sub {
            0 => TransactionId(self.transaction(tx)),
            _ => TransactionId(self.transaction(tx) * 1_000 + sub),
        }
    }

    async fn unstage(&mut self, tx: u64, sub: u64) -> Result<(), Fault> {
        let (transaction, id) = (TransactionId(self.transaction(tx)), self.sub(tx, sub));
        self.journal().unstage(&lane(), transaction, id).await?;
        if sub == 0 {
            self.staged.remove(&tx);
            self.aborted.retain(|(aborted, _)| *aborted != tx);
        } else if let Some(parts) = self.staged.get_mut(&tx)
            && parts.iter().any(|(other, _)| *other == sub)
        {
            parts.retain(|(other, _)| *other != sub);
            self.aborted.push((tx, sub));
        }
        Ok(())
    }

    async fn adopt(&mut self, tx: u64) -> Result<(), Fault> {
        let Some(parts) = self.staged.get(&tx) else {
            return Ok(());
        };
        let changes = parts.iter().flat_map(|(_, changes)| changes.clone()).collect();
        self.number += 1;
        self.perhaps.push(BTreeMap::from([(self.number, Some(changes))]));
        let entries = vec![Append::Commit(self.commit(self.transaction(tx)), Changes::Staged)];
        let done = self.journal().append(&lane(), entries, Epoch::LIVE).await;
        if done.is_ok() {
            self.staged.remove(&tx);
            self.aborted.retain(|(aborted, _)| *aborted != tx);
        }
        self.acknowledge(done).await
    }

    async fn trim(&mut self, index: usize) -> Result<(), Fault> {
        let keys: Vec<_> = self.entries.keys().copied().collect();
        let Some(upto) = keys.get(index.min(keys.len().saturating_sub(1))).copied() else {
            return Ok(());
        };
        self.trimmed = self.trimmed.max(upto);
        self.journal().trim(&lane(), &at(upto)).await?;
        self.settle().await?;
        let trimmed = self.journal().bounds(&lane()).await?.trimmed;
        let trimmed = trimmed.map_or(0, |it| it.position.to_number().unwrap());
        self.entries.retain(|number, _| *number > trimmed);
        Ok(())
    }

    /// Everything after an entry, or from where the lane begins, is as the model has it.
    async fn check(&mut self, from: Option<u64>, bytes_max: usize) -> Result<(), Fault> {
        self.settle().await?;
        let bounds = self.journal().bounds(&lane()).await?;
        let begin = bounds.trimmed.map_or(0, |it| it.position.to_number().unwrap());
        self.entries.retain(|number, _| *number > begin);
        let from = from.unwrap_or(begin).max(begin);
        let mut after = (from > 0).then(|| at(from));
        let mut seen: Vec<(u64, Option<Vec<Change>>)> = Vec::new();
        while after < bounds.last {
            match self.journal().read(&lane(), after.as_ref(), bytes_max).await? {
                Read::Entries(entries) => entries.into_iter().for_each(|entry| {
                    after = Some(entry.end());
                    gather(&mut seen, entry);
                }),
                Read::Gone { trimmed } => panic!("gone up to {trimmed}, read after {after:?}"),
            }
        }
        let expected: Vec<_> = self.entries.range(from + 1..).collect();
        let seen: Vec<_> = seen.iter().map(|(number, changes)| (number, changes)).collect();
        assert_eq!(seen, expected);
        Ok(())
    }
}

/// Puts parts of a transaction together.
fn gather(seen: &mut Vec<(u64, Option<Vec<Change>>)>, entry: Entry) {
    let number = |offset: &Offset| offset.position.to_number().unwrap();
    match entry {
        Entry::Part(part) if part.first > 0 => {
            let (last, changes) = seen.last_mut().unwrap();
            let changes = changes.as_mut().unwrap();
            assert_eq!((*last, changes.len() as u64), (number(&part.commit.offset), part.first));
            changes.extend(part.changes);
        }
        Entry::Part(part) => seen.push((number(&part.commit.offset), Some(part.changes))),
        Entry::Progress(progress) => seen.push((number(&progress.offset), None)),
        Entry::Placed(_) => panic!("none was appended"),
    }
}
