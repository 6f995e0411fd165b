//! One test for each way in which durable logs are known to break; the code of the hazard stands
//! above it. LG8, a file system that lies about syncs, cannot be seen from here.

use crate::support::{
    TempDir, append, at, commit, copy, crc32c, dir, filled, lane, open, read_all, segment, small,
    whole,
};
use ::model::log::StagedPart;
use ::model::{
    Append, Code, Epoch, Fate, Incarnation, Log, Offset, Position, Progress, Read, TransactionId,
};
use instep_journal::{Journal, Options, RealDisk, Threads};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use testkit::disk::FaultyDisk;
use testkit::offload::InPlace;

// LG1.
#[tokio::test]
async fn after_a_failed_sync_nothing_is_taken_until_the_journal_is_opened_anew() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    append(&journal, 1).await.unwrap();
    disk.fail_next_sync();
    // The sync would succeed the second time, and it would be a lie.
    for number in [2, 2, 3] {
        let fault = append(&journal, number).await.unwrap_err();
        assert_eq!((fault.code, fault.fate), (Code::JournalDisk, Fate::Stop), "{fault}");
    }
    assert_eq!(disk.counts().failed_syncs, 1);
    let part = StagedPart { transaction: TransactionId(9), sub: TransactionId(9), changes: vec![] };
    assert_eq!(journal.stage(&lane(), part).await.unwrap_err().code, Code::JournalDisk);
    assert_eq!(journal.trim(&lane(), &at(1)).await.unwrap_err().code, Code::JournalDisk);
    assert_eq!(read_all(&journal, None).await.unwrap(), [1]);
    drop(journal);
    let journal = open(&disk).unwrap();
    append(&journal, 7).await.unwrap();
}

// LG1.
#[tokio::test]
async fn a_transaction_whose_sync_failed_is_not_the_last_one() {
    let disk = filled(2).await;
    let journal = open(&disk).unwrap();
    disk.fail_next_sync();
    append(&journal, 3).await.unwrap_err();
    assert_eq!(journal.bounds(&lane()).await.unwrap().last_commit, Some(commit(2)));
    drop(journal);
    disk.crash(&mut |choices| if choices == 8 { 3 } else { 0 });
    let journal = open(&disk).unwrap();
    assert_eq!(journal.bounds(&lane()).await.unwrap().last_commit, Some(commit(2)));
}

// LG1: the bytes of a failed sync are in memory and look as if they were on the disk.
#[tokio::test]
async fn what_is_shown_after_a_failed_sync_and_a_restart_survives_a_crash() {
    let disk = filled(2).await;
    let journal = open(&disk).unwrap();
    disk.fail_next_sync();
    append(&journal, 3).await.unwrap_err();
    drop(journal);
    let journal = open(&disk).unwrap();
    assert_eq!(read_all(&journal, None).await.unwrap(), [1, 2, 3]);
    append(&journal, 4).await.unwrap();
    drop(journal);
    disk.crash(&mut |_| 0);
    assert_eq!(read_all(&open(&disk).unwrap(), None).await.unwrap(), [1, 2, 3, 4]);
}

// LG2.
#[tokio::test]
async fn files_are_named_durably_before_an_append_that_needs_them_returns() {
    let disk = FaultyDisk::new();
    for number in 1..=40 {
        let journal = open(&disk).unwrap();
        append(&journal, number).await.unwrap();
        drop(journal);
        // Every unsynced name and every unsynced write is lost.
        disk.crash(&mut |choices| if choices == 8 { 3 } else { 0 });
        let numbers: Vec<_> = (1..=number).collect();
        assert_eq!(read_all(&open(&disk).unwrap(), None).await.unwrap(), numbers);
    }
    assert!(disk.files().len() > 3, "segments were begun on the way");
}

// LG3.
#[tokio::test]
async fn an_unsynced_tail_is_cut_and_damage_before_a_synced_byte_is_refused() {
    let disk = filled(3).await;
    let path = segment(1);
    let bytes = disk.contents(&path).unwrap();
    let torn = copy(&disk);
    torn.put(&path, &bytes[..bytes.len() - 1]);
    assert_eq!(read_all(&open(&torn).unwrap(), None).await.unwrap(), [1, 2]);
    let damaged = copy(&disk);
    damaged.flip(&path, bytes.len() / 2, 3);
    let fault = open(&damaged).unwrap_err();
    assert_eq!((fault.code, fault.fate), (Code::JournalDamaged, Fate::Stop), "{fault}");
}

// LG4.
#[tokio::test]
async fn a_checksum_is_checked_on_every_read_not_only_when_opening() {
    let disk = filled(3).await;
    let journal = open(&disk).unwrap();
    assert_eq!(read_all(&journal, None).await.unwrap(), [1, 2, 3]);
    disk.flip(&segment(1), 300, 0);
    let fault = read_all(&journal, None).await.unwrap_err();
    assert_eq!((fault.code, fault.fate), (Code::JournalDamaged, Fate::Stop), "{fault}");
    assert!(fault.what.contains("00000000000000000001.segment"), "{fault}");
}

// LG5. More of it in `full`.
#[tokio::test]
async fn a_full_disk_refuses_input_is_still_read_and_recovers_without_a_restart() {
    let disk = filled(3).await;
    let journal = open(&disk).unwrap();
    disk.full_after(50);
    let fault = append(&journal, 4).await.unwrap_err();
    assert_eq!((fault.code, fault.fate), (Code::JournalFull, Fate::Retry), "{fault}");
    assert_eq!(read_all(&journal, None).await.unwrap(), [1, 2, 3]);
    disk.lift_full();
    append(&journal, 4).await.unwrap();
    assert_eq!(read_all(&journal, None).await.unwrap(), [1, 2, 3, 4]);
}

// LG6.
#[tokio::test]
async fn a_reader_never_sees_what_is_written_but_not_synced() {
    let disk = filled(1).await;
    let journal = open(&disk).unwrap();
    let written = || disk.contents(&segment(1)).unwrap().len();
    let before = written();
    let (lane, after) = (lane(), at(1));
    let mut reader = pin!(journal.read(&lane, Some(&after), 1 << 20));
    {
        let entries = vec![whole(2, crate::support::changes(1, 10))];
        let mut append = pin!(journal.append(&lane, entries, Epoch::LIVE));
        while written() == before {
            let done = poll_fn(|context| Poll::Ready(append.as_mut().poll(context).is_ready()));
            assert!(!done.await, "it is not durable before it is synced");
        }
        for _ in 0..5 {
            let seen = poll_fn(|context| Poll::Ready(reader.as_mut().poll(context).is_ready()));
            assert!(!seen.await, "it is written and not synced");
        }
        // The append is dropped here, between its write and its sync.
    }
    assert!(disk.synced_bytes(&segment(1)) < written());
    assert_eq!(journal.bounds(&lane).await.unwrap().last, Some(at(2)));
    assert_eq!(disk.synced_bytes(&segment(1)), written(), "bounds tell only what is durable");
    let Read::Entries(entries) = reader.await.unwrap() else { panic!("nothing is gone") };
    assert_eq!(entries.len(), 1);
}

// LG7.
#[tokio::test]
async fn a_directory_is_opened_by_one_process_at_a_time() {
    let temp = TempDir::new();
    let open_real =
        || Journal::open(Arc::new(RealDisk), &temp.0, Options::default(), Arc::new(Threads));
    let first = open_real().unwrap();
    let fault = open_real().unwrap_err();
    assert_eq!((fault.code, fault.fate), (Code::DataLocked, Fate::Stop), "{fault}");
    drop(first);
    open_real().unwrap();

    let disk = FaultyDisk::new();
    let first = open(&disk).unwrap();
    assert_eq!(open(&disk).unwrap_err().code, Code::DataLocked);
    drop(first);
    open(&disk).unwrap();
}

// LG9.
#[tokio::test]
async fn trimming_keeps_what_a_slower_target_still_needs() {
    let disk = filled(60).await;
    let journal = open(&disk).unwrap();
    journal.trim(&lane(), &at(30)).await.unwrap();
    let bounds = journal.bounds(&lane()).await.unwrap();
    assert!(bounds.trimmed > Some(at(10)) && bounds.trimmed <= Some(at(30)), "{bounds:?}");
    let rest: Vec<_> = (31..=60).collect();
    assert_eq!(read_all(&journal, Some(at(30))).await.unwrap(), rest);
    drop(journal);
    let journal = open(&disk).unwrap();
    assert_eq!(journal.bounds(&lane()).await.unwrap(), bounds, "the bound is durable");
    assert_eq!(read_all(&journal, Some(at(30))).await.unwrap(), rest);
}

// LG10.
#[tokio::test]
async fn a_file_that_is_renamed_moved_or_missing_is_damage() {
    let disk = filled(60).await;
    let refused = |disk: &FaultyDisk, what: &str| {
        let fault = open(disk).unwrap_err();
        assert_eq!((fault.code, fault.fate), (Code::JournalDamaged, Fate::Stop), "{what}: {fault}");
    };
    let renamed = copy(&disk);
    renamed.misplace(&segment(2), &segment(2).with_extension("old"));
    refused(&renamed, "a missing segment");
    let swapped = copy(&disk);
    swapped.put(&segment(2), &disk.contents(&segment(3)).unwrap());
    refused(&swapped, "another segment under its name");
    let respelled = copy(&disk);
    respelled.misplace(&segment(1), &dir().join("lane-lane/1.segment"));
    refused(&respelled, "a name that the journal does not give");
    let moved = copy(&disk);
    for path in disk.files() {
        moved.put(&dir().join("lane-other").join(path.file_name().unwrap()), b"");
        moved.misplace(&path, &dir().join("lane-other").join(path.file_name().unwrap()));
    }
    refused(&moved, "the segments of another lane");
}

// LG11.
#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_not_called_damaged() {
    let disk = filled(3).await;
    let path = segment(1);
    let mut bytes = disk.contents(&path).unwrap();
    bytes[8] = 2;
    let header = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let number_and_lane = [&bytes[0..8], &1_u64.to_le_bytes()[..], b"lane"].concat();
    let identity = crc32c(0, &number_and_lane);
    let checksum = crc32c(crc32c(identity, &bytes[..16]), &bytes[20..header]);
    bytes[16..20].copy_from_slice(&checksum.to_le_bytes());
    disk.put(&path, &bytes);
    let fault = open(&disk).unwrap_err();
    assert_eq!((fault.code, fault.fate), (Code::JournalNewer, Fate::Stop), "{fault}");
}

/// LG11, for a frame of an unknown kind and a record of a later codec in a file of this version:
/// both are sound, so they are neither a torn tail nor damage.
#[tokio::test]
async fn what_a_newer_version_added_to_a_file_is_neither_cut_nor_called_damaged() {
    for (kind, payload) in [(b"LATE", vec![1, 2, 3]), (b"RECO", vec![2, 9])] {
        let disk = filled(3).await;
        let path = segment(1);
        let mut bytes = disk.contents(&path).unwrap();
        let whole = bytes.len();
        add_frame(&mut bytes, kind, &payload);
        disk.put(&path, &bytes);
        let fault = open(&disk).unwrap_err();
        assert_eq!((fault.code, fault.fate), (Code::JournalNewer, Fate::Stop), "{fault}");
        assert_eq!(disk.contents(&path).unwrap().len(), bytes.len(), "nothing was cut");
        assert!(bytes.len() > whole);
    }
}

/// Adds a frame as `docs/formats/journal.md` draws it behind the last one.
fn add_frame(bytes: &mut Vec<u8>, kind: &[u8; 4], payload: &[u8]) {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let identity = [&bytes[0..8], &1_u64.to_le_bytes()[..], b"lane"].concat();
    let seed = crc32c(0, &identity);
    let (mut at, mut sequence) = (usize::try_from(number(12)).unwrap(), 0_u64);
    let mut previous = number(16);
    while at < bytes.len() {
        previous = number(at);
        at += 32 + usize::try_from(number(at + 8)).unwrap();
        sequence += 1;
    }
    let mut frame = previous.to_le_bytes().to_vec();
    frame.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    frame.extend(kind);
    frame.extend(sequence.to_le_bytes());
    frame.extend((at as u64).to_le_bytes());
    frame.extend(payload);
    let place = u32::try_from(at).unwrap();
    bytes.extend(crc32c(seed ^ place, &frame).to_le_bytes());
    bytes.extend(frame);
}

/// LG2, for the directories above: their names have to be durable, too.
#[tokio::test]
async fn a_data_directory_made_several_levels_deep_survives_a_crash() {
    let disk = FaultyDisk::new();
    let dir = std::path::Path::new("/var/lib/instep/journal");
    let open = || Journal::open(Arc::new(disk.clone()), dir, small(), Arc::new(InPlace));
    let journal = open().unwrap();
    append(&journal, 1).await.unwrap();
    drop(journal);
    disk.crash(&mut |_| 0);
    assert_eq!(read_all(&open().unwrap(), None).await.unwrap(), [1]);
}

#[tokio::test]
async fn what_is_sound_before_damage_is_handed_over_first() {
    let disk = filled(40).await;
    let journal = open(&disk).unwrap();
    disk.flip(&segment(2), 1_000, 3);
    let read = journal.read(&lane(), None, 1 << 20).await.unwrap();
    let Read::Entries(entries) = read else { panic!("{read:?}") };
    assert!(entries.len() > 5);
    let end = entries.last().unwrap().end();
    let fault = journal.read(&lane(), Some(&end), 1 << 20).await.unwrap_err();
    assert_eq!(fault.code, Code::JournalDamaged, "{fault}");
}

#[tokio::test]
async fn a_position_too_long_for_a_header_is_refused_before_it_is_written() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    let position = Position::new(vec![7; 70_000]);
    let offset = Offset::whole(Incarnation(1), position);
    let progress = Append::Progress(Progress { offset, source_time: 0 });
    let fault = journal.append(&lane(), vec![progress], Epoch::LIVE).await.unwrap_err();
    assert_eq!(fault.code, Code::Broken, "{fault}");
    append(&journal, 1).await.unwrap();
}
