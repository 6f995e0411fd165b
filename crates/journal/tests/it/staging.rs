//! Staged transactions: what becomes of their files.

use crate::support::{
    adopting, append, at, changes, dir, lane, lane_files, open, read_all, small, staged, whole,
};
use ::model::log::StagedPart;
use ::model::{Code, Entry, Epoch, Log, Read, TransactionId};
use instep_journal::{Journal, Options};
use std::sync::Arc;
use testkit::disk::FaultyDisk;
use testkit::offload::InPlace;

/// Stages a transaction in this many parts.
pub(crate) async fn stage(journal: &Journal, number: u64, parts: usize) {
    for _ in 0..parts {
        let transaction = TransactionId(number);
        let part = StagedPart { transaction, sub: transaction, changes: changes(3, 50) };
        journal.stage(&lane(), part).await.unwrap();
    }
}

/// Stages a transaction and commits it.
pub(crate) async fn adopt(journal: &Journal, number: u64, parts: usize) {
    stage(journal, number, parts).await;
    journal.append(&lane(), vec![adopting(number)], Epoch::LIVE).await.unwrap();
}

fn staged_files(disk: &FaultyDisk) -> usize {
    let files = disk.files();
    files.iter().filter(|path| path.extension().is_some_and(|it| it == "staged")).count()
}

#[tokio::test]
async fn an_adopted_transaction_survives_any_crash_after_its_commit() {
    for choice in 0..8 {
        let disk = FaultyDisk::new();
        let journal = open(&disk).unwrap();
        adopt(&journal, 1, 5).await;
        drop(journal);
        disk.crash(&mut |choices| choice.min(choices - 1));
        let journal = open(&disk).unwrap();
        let Read::Entries(entries) = journal.read(&lane(), None, 1 << 20).await.unwrap() else {
            panic!("nothing is gone")
        };
        let changes = entries.iter().map(|entry| match entry {
            Entry::Part(part) => part.changes.len(),
            _ => 0,
        });
        assert_eq!(changes.sum::<usize>(), 15);
    }
}

#[tokio::test]
async fn parts_without_a_commit_are_removed_when_the_journal_is_opened() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    adopt(&journal, 1, 2).await;
    stage(&journal, 2, 2).await;
    stage(&journal, 3, 2).await;
    assert_eq!(staged_files(&disk), 3);
    drop(journal);
    let journal = open(&disk).unwrap();
    assert_eq!(staged_files(&disk), 1);
    assert_eq!(*read_all(&journal, None).await.unwrap().last().unwrap(), 1);
    // The numbers go on above those that are in use.
    adopt(&journal, 4, 2).await;
    drop(journal);
    assert_eq!(*read_all(&open(&disk).unwrap(), None).await.unwrap().last().unwrap(), 4);
}

#[tokio::test]
async fn an_aborted_transaction_leaves_no_file_and_no_bytes() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    append(&journal, 1).await.unwrap();
    let before = journal.bounds(&lane()).await.unwrap();
    stage(&journal, 2, 4).await;
    assert!(journal.bounds(&lane()).await.unwrap().bytes > before.bytes + 600);
    journal.unstage(&lane(), TransactionId(2), TransactionId(2)).await.unwrap();
    assert_eq!(journal.bounds(&lane()).await.unwrap(), before);
    assert_eq!(staged_files(&disk), 0);
}

#[tokio::test]
async fn an_adopted_file_goes_with_the_segment_that_adopted_it() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    for number in 1..=40 {
        if number % 10 == 0 {
            adopt(&journal, number, 3).await;
        } else {
            append(&journal, number).await.unwrap();
        }
    }
    assert_eq!(staged_files(&disk), 4);
    drop(journal);
    let journal = open(&disk).unwrap();
    assert_eq!(staged_files(&disk), 4, "closed segments need theirs");
    journal.trim(&lane(), &at(25)).await.unwrap();
    assert_eq!(staged_files(&disk), 3);
    let bytes: usize =
        lane_files(&disk).iter().map(|path| disk.contents(path).unwrap().len()).sum();
    assert_eq!(journal.bounds(&lane()).await.unwrap().bytes, bytes as u64);
    journal.trim(&lane(), &at(40)).await.unwrap();
    assert_eq!(staged_files(&disk), 0);
}

#[tokio::test]
async fn a_missing_adopted_file_is_damage() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    adopt(&journal, 1, 2).await;
    drop(journal);
    disk.misplace(&staged(1), &dir().join("elsewhere"));
    let fault = open(&disk).unwrap_err();
    assert_eq!(fault.code, Code::JournalDamaged);
    assert!(fault.what.contains(&format!("{:020}.staged", 1)), "{fault}");
}

#[tokio::test]
async fn a_sub_transaction_may_not_go_on_after_its_abort() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    let (transaction, sub) = (TransactionId(1), TransactionId(7));
    let part = || StagedPart { transaction, sub, changes: changes(1, 1) };
    journal.stage(&lane(), part()).await.unwrap();
    journal.unstage(&lane(), transaction, sub).await.unwrap();
    assert_eq!(journal.stage(&lane(), part()).await.unwrap_err().code, Code::Broken);
}

#[tokio::test]
async fn an_entry_above_record_bytes_max_is_refused_and_nothing_is_left_of_it() {
    let disk = FaultyDisk::new();
    let options = Options { record_bytes_max: 1_000, ..small() };
    let journal = Journal::open(Arc::new(disk.clone()), dir(), options, Arc::new(InPlace)).unwrap();
    let entries = vec![whole(1, changes(1, 10)), whole(2, changes(20, 100))];
    let fault = journal.append(&lane(), entries, Epoch::LIVE).await.unwrap_err();
    assert_eq!(fault.code, Code::Broken);
    assert_eq!(journal.bounds(&lane()).await.unwrap().last, None);
    append(&journal, 3).await.unwrap();
    assert_eq!(read_all(&journal, None).await.unwrap(), [3]);
    let part = StagedPart {
        transaction: TransactionId(4),
        sub: TransactionId(4),
        changes: changes(20, 100),
    };
    assert_eq!(journal.stage(&lane(), part).await.unwrap_err().code, Code::Broken);
}

#[tokio::test]
async fn many_readers_inside_many_adopted_transactions_all_go_on_where_they_were() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    for number in 1..=12 {
        adopt(&journal, number, 4).await;
    }
    let mut places: Vec<_> = (1..=12).map(|number| (number, at(number - 1), 0)).collect();
    places[0].1 = at(1).change(0);
    for _ in 0..30 {
        for (number, after, seen) in &mut places {
            if *after < at(*number) {
                let read = journal.read(&lane(), Some(after), 1).await.unwrap();
                let Read::Entries(entries) = read else { panic!("nothing is gone") };
                let Entry::Part(part) = &entries[0] else { panic!("only transactions") };
                assert_eq!(part.commit.offset, at(*number));
                *seen += part.changes.len();
                *after = entries[0].end();
            }
        }
    }
    let seen: Vec<_> = places.iter().map(|(_, _, seen)| *seen).collect();
    assert_eq!(seen, [11, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12]);
}
