//! A journal or a disk without room: refused, read, and taken up again.

use crate::staging::stage;
use crate::support::{
    adopting, append, at, changes, commit, dir, lane, open, read_all, small, whole,
};
use ::model::log::StagedPart;
use ::model::{Append, Changes, Code, Commit, Epoch, Fate, Fault, Lane, Log, TransactionId};
use instep_journal::{Journal, Options};
use std::sync::Arc;
use testkit::disk::FaultyDisk;
use testkit::offload::InPlace;

fn is_full(fault: &Fault) {
    assert_eq!((fault.code, fault.fate), (Code::JournalFull, Fate::Retry), "{fault}");
}

#[tokio::test]
async fn a_disk_that_fills_at_any_byte_costs_no_entry_and_no_restart() {
    for room in 0..900 {
        let disk = FaultyDisk::new();
        let journal = open(&disk).unwrap();
        disk.full_after(room);
        let mut done = Vec::new();
        for number in 1..=8 {
            match append(&journal, number).await {
                Ok(()) => done.push(number),
                Err(fault) => is_full(&fault),
            }
        }
        assert_eq!(read_all(&journal, None).await.unwrap(), done, "{room} bytes of room");
        disk.lift_full();
        append(&journal, 9).await.unwrap();
        done.push(9);
        assert_eq!(read_all(&journal, None).await.unwrap(), done, "{room} bytes of room");
        drop(journal);
        disk.crash(&mut |choices| choices - 1);
        assert_eq!(read_all(&open(&disk).unwrap(), None).await.unwrap(), done);
    }
}

#[tokio::test]
async fn a_commit_refused_for_want_of_room_stays_refused_after_a_crash() {
    for room in 0..300 {
        let disk = FaultyDisk::new();
        let journal = open(&disk).unwrap();
        append(&journal, 1).await.unwrap();
        stage(&journal, 2, 3).await;
        disk.full_after(room);
        let entries = vec![adopting(2), whole(3, changes(1, 100))];
        let Err(fault) = journal.append(&lane(), entries, Epoch::LIVE).await else {
            assert!(room > 100, "{room} bytes were room enough");
            return;
        };
        is_full(&fault);
        journal.unstage(&lane(), TransactionId(2), TransactionId(2)).await.unwrap();
        drop(journal);
        // Every write of the refused draft survives, the removal of the staged file does too, and
        // what cut the draft off is lost.
        disk.crash(&mut |choices| if choices == 8 { 0 } else { choices - 1 });
        let journal = open(&disk).unwrap_or_else(|fault| panic!("{room} bytes of room: {fault}"));
        assert_eq!(read_all(&journal, None).await.unwrap(), [1], "{room} bytes of room");
    }
    panic!("there never was room enough");
}

#[tokio::test]
async fn a_disk_that_fills_while_a_segment_is_begun_is_tried_again() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    let mut number = 0;
    for room in (0..2_400).step_by(7) {
        disk.full_after(room % 400);
        match append(&journal, number + 1).await {
            Ok(()) => number += 1,
            Err(fault) => is_full(&fault),
        }
        disk.lift_full();
    }
    let all: Vec<_> = (1..=number).collect();
    assert!(number > 30);
    assert_eq!(read_all(&journal, None).await.unwrap(), all);
    drop(journal);
    assert_eq!(read_all(&open(&disk).unwrap(), None).await.unwrap(), all);
}

#[tokio::test]
async fn a_full_disk_can_be_trimmed_without_room_for_a_byte() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    for number in 1..=12 {
        append(&journal, number).await.unwrap();
    }
    disk.full_after(0);
    is_full(&append(&journal, 13).await.unwrap_err());
    journal.trim(&lane(), &at(12)).await.unwrap();
    append(&journal, 13).await.unwrap();
    assert_eq!(read_all(&journal, Some(at(12))).await.unwrap(), [13]);
}

#[tokio::test]
async fn staged_parts_count_and_are_refused_when_the_journal_is_full() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    let stage = async |number| {
        let transaction = TransactionId(number);
        let part = StagedPart { transaction, sub: transaction, changes: changes(50, 100) };
        journal.stage(&lane(), part).await
    };
    let mut count = 0;
    // Two transactions together fill it; each of them alone would fit.
    let fault = loop {
        match stage(1 + count % 2).await {
            Ok(()) => count += 1,
            Err(fault) => break fault,
        }
    };
    is_full(&fault);
    assert!(count > 20 && disk.bytes() <= small().journal_bytes_max);
    let entries = || vec![Append::Commit(commit(1), Changes::Staged)];
    // The commit itself hardly takes room; an abort gives it all back.
    for number in [1, 2] {
        journal.unstage(&lane(), TransactionId(number), TransactionId(number)).await.unwrap();
    }
    assert_eq!(
        journal.append(&lane(), entries(), Epoch::LIVE).await.unwrap_err().code,
        Code::Broken
    );
    stage(1).await.unwrap();
    journal.append(&lane(), entries(), Epoch::LIVE).await.unwrap();
    assert!(read_all(&journal, None).await.unwrap().iter().all(|number| *number == 1));
}

#[tokio::test]
async fn what_can_never_fit_stops_instead_of_being_tried_for_ever() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    let never = |fault: Fault| {
        assert_eq!((fault.code, fault.fate), (Code::JournalFull, Fate::Stop), "{fault}");
        assert!(fault.what.contains("raise journal_bytes_max"), "{fault}");
    };
    let entry = whole(1, changes(1, 300_000));
    never(journal.append(&lane(), vec![entry], Epoch::LIVE).await.unwrap_err());
    let transaction = TransactionId(1);
    let fault = loop {
        let part = StagedPart { transaction, sub: transaction, changes: changes(50, 100) };
        if let Err(fault) = journal.stage(&lane(), part).await {
            break fault;
        }
    };
    never(fault);
    journal.unstage(&lane(), transaction, transaction).await.unwrap();
    append(&journal, 2).await.unwrap();
    assert_eq!(read_all(&journal, None).await.unwrap(), [2]);
}

#[tokio::test]
async fn the_bound_holds_over_all_lanes_and_any_of_them_can_be_trimmed() {
    let disk = FaultyDisk::new();
    let options = Options { segment_bytes_max: 4_000, journal_bytes_max: 20_000, ..small() };
    let journal = Journal::open(Arc::new(disk.clone()), dir(), options, Arc::new(InPlace)).unwrap();
    let lanes: Vec<_> = (0..12).map(|lane| Lane::from(format!("lane {lane}").as_str())).collect();
    let mut number = 0;
    for round in 0..20 {
        let lane = &lanes[round % lanes.len()];
        let begun = number;
        let fault = loop {
            let offset = at(number + 1);
            let commit = Commit { offset, transaction: TransactionId(number + 1), committed_at: 0 };
            let entries = vec![Append::Commit(commit, Changes::Inline(changes(2, 100)))];
            match journal.append(lane, entries, Epoch::LIVE).await {
                Ok(()) => number += 1,
                Err(fault) => break fault,
            }
        };
        is_full(&fault);
        assert!(number > begun, "round {round} had room");
        assert!(disk.bytes() <= 20_000, "{} bytes", disk.bytes());
        for lane in &lanes {
            journal.trim(lane, &at(number)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_append_that_did_not_fit_leaves_its_tables_to_the_next_one() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    // Room for the header and the table, and not for the change.
    disk.full_after(140);
    is_full(&append(&journal, 1).await.unwrap_err());
    disk.lift_full();
    append(&journal, 2).await.unwrap();
    assert_eq!(read_all(&journal, None).await.unwrap(), [2]);
    drop(journal);
    let journal = open(&disk).unwrap();
    journal.append(&lane(), vec![whole(3, changes(2, 5))], Epoch::LIVE).await.unwrap();
    assert_eq!(read_all(&journal, None).await.unwrap(), [2, 3]);
}

#[tokio::test]
async fn what_a_refused_append_left_behind_never_comes_back_in_a_closed_segment() {
    for room in (10..400).step_by(13) {
        let disk = FaultyDisk::new();
        let journal = open(&disk).unwrap();
        for number in 1..=8 {
            append(&journal, number).await.unwrap();
        }
        disk.full_after(room);
        let entries = vec![whole(9, changes(4, 100))];
        is_full(&journal.append(&lane(), entries, Epoch::LIVE).await.unwrap_err());
        disk.lift_full();
        journal.trim(&lane(), &at(8)).await.unwrap();
        append(&journal, 9).await.unwrap();
        drop(journal);
        // The write survives and the cut is lost, if they were not synced.
        disk.crash(&mut |choices| if choices == 8 { 0 } else { choices - 1 });
        assert_eq!(read_all(&open(&disk).unwrap(), Some(at(8))).await.unwrap(), [9]);
    }
}

/// Else whoever is slow would be let go of long after there is room again.
#[tokio::test]
async fn a_log_is_called_full_until_it_takes_something_again() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    append(&journal, 1).await.unwrap();
    disk.full_after(0);
    append(&journal, 2).await.unwrap_err();
    assert!(journal.bounds(&lane()).await.unwrap().is_full);
    disk.lift_full();
    append(&journal, 2).await.unwrap();
    assert!(!journal.bounds(&lane()).await.unwrap().is_full);
}
