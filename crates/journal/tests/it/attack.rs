//! The planted bugs do harm that shows, and the marks are reached.

use crate::support::{
    append, at, changes, copy, filled, frames, lane, open, read_all, segment, whole,
};
use ::model::attack::{Bug, Mark, plant, take_reached};
use ::model::{Code, Epoch, Log};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

#[tokio::test]
async fn a_torn_tail_that_is_accepted_stops_the_journal_or_changes_a_value() {
    let disk = filled(3).await;
    let bytes = disk.contents(&segment(1)).unwrap();
    let starts = frames(&bytes);
    let last = starts[starts.len() - 2];
    let torn = copy(&disk);
    torn.put(&segment(1), &bytes[..last + 40]);
    let garbled = copy(&disk);
    garbled.flip(&segment(1), bytes.len() - 5, 0);
    plant(Some(Bug::TornTailAccepted));
    let journal = open(&torn).unwrap();
    append(&journal, 4).await.unwrap();
    drop(journal);
    assert_eq!(open(&torn).unwrap_err().code, Code::JournalDamaged);
    let journal = open(&garbled).unwrap();
    assert_eq!(read_all(&journal, None).await.unwrap(), [1, 2, 3], "and entry 3 is not as it was");
    plant(None);
    take_reached();
}

#[tokio::test]
async fn an_unsynced_tail_that_is_shown_can_be_lost_after_it_was_read() {
    let disk = filled(1).await;
    let journal = open(&disk).unwrap();
    plant(Some(Bug::ReadUnsyncedTail));
    let lane = lane();
    let after = at(1);
    {
        let mut append = pin!(journal.append(&lane, vec![whole(2, changes(1, 9))], Epoch::LIVE));
        let mut read = pin!(journal.read(&lane, Some(&after), 1 << 20));
        let mut polls = 0;
        while !poll_fn(|context| Poll::Ready(read.as_mut().poll(context).is_ready())).await {
            if polls < 2 {
                let _ = poll_fn(|context| Poll::Ready(append.as_mut().poll(context))).await;
            }
            polls += 1;
            assert!(polls < 20, "nothing was shown");
        }
    }
    plant(None);
    drop(journal);
    disk.crash(&mut |choices| if choices == 8 { 3 } else { 0 });
    assert_eq!(read_all(&open(&disk).unwrap(), None).await.unwrap(), [1]);
    take_reached();
}

#[tokio::test]
async fn rare_states_are_marked_when_they_are_reached() {
    take_reached();
    let disk = filled(40).await;
    let journal = open(&disk).unwrap();
    crate::staging::adopt(&journal, 41, 2).await;
    crate::staging::stage(&journal, 42, 1).await;
    disk.full_after(0);
    append(&journal, 43).await.unwrap_err();
    disk.lift_full();
    journal.trim(&lane(), &at(30)).await.unwrap();
    journal.read(&lane(), None, 1).await.unwrap();
    disk.fail_next_sync();
    append(&journal, 44).await.unwrap_err();
    drop(journal);
    open(&disk).unwrap();
    let torn = filled(2).await;
    let bytes = torn.contents(&segment(1)).unwrap();
    torn.put(&segment(1), &bytes[..bytes.len() - 1]);
    torn.put(&segment(2), b"");
    open(&torn).unwrap();
    let damaged = filled(5).await;
    damaged.flip(&segment(1), 100, 0);
    open(&damaged).unwrap_err();
    let reached = take_reached();
    for mark in [
        Mark::TornTailCut,
        Mark::EmptySegmentRemoved,
        Mark::StagedPartsDropped,
        Mark::DamageRefused,
        Mark::SyncFailed,
        Mark::JournalFull,
        Mark::SegmentTrimmed,
        Mark::StagedAdopted,
        Mark::ReadGone,
    ] {
        assert!(reached.contains_key(&mark), "{mark:?} is not among {reached:?}");
    }
}
