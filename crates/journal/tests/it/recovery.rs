//! What opening does with every way in which the bytes can be wrong.

use crate::support::{
    append, at, copy, dir, filled, frames, lane, lane_files, open, read_all, segment, staged,
};
use ::model::{Code, Fate, Fault, Log};
use testkit::disk::FaultyDisk;

/// Segments of this many transactions fill two files and begin a third.
const TRANSACTIONS: u64 = 26;

#[tokio::test]
async fn a_tail_torn_at_any_byte_is_cut_and_the_journal_goes_on() {
    let disk = filled(5).await;
    let path = segment(1);
    let bytes = disk.contents(&path).unwrap();
    let starts = frames(&bytes);
    let (last, end) = (starts[starts.len() - 2], bytes.len());
    for cut in last..end {
        let torn = copy(&disk);
        torn.put(&path, &bytes[..cut]);
        goes_on_after_four(&torn).await;
        // The same with zeros or garbage where the rest would be, as file systems leave it.
        for filler in [0, 0xa5] {
            let mut filled = bytes[..cut].to_vec();
            filled.resize(end + 700, filler);
            if filled[..end] != bytes[..end] {
                torn.put(&path, &filled);
                goes_on_after_four(&torn).await;
            }
        }
    }
}

async fn goes_on_after_four(torn: &FaultyDisk) {
    let journal = open(torn).unwrap();
    assert_eq!(journal.bounds(&lane()).await.unwrap().last, Some(at(4)));
    append(&journal, 6).await.unwrap();
    drop(journal);
    torn.crash(&mut |choices| choices - 1);
    assert_eq!(read_all(&open(torn).unwrap(), None).await.unwrap(), [1, 2, 3, 4, 6]);
}

#[tokio::test]
async fn a_bit_flipped_anywhere_in_a_closed_segment_stops_with_its_place() {
    let disk = filled(TRANSACTIONS).await;
    assert!(disk.contents(&segment(3)).is_some(), "there is a third segment");
    for number in [1, 2] {
        let path = segment(number);
        let bytes = disk.contents(&path).unwrap();
        for byte in 0..bytes.len() {
            let damaged = copy(&disk);
            damaged.flip(&path, byte, u8::try_from(byte % 8).unwrap());
            let fault = open_and_read(&damaged).await.expect_err("it is damage");
            names(&fault, number, frame_of(&bytes, byte));
        }
    }
}

#[tokio::test]
async fn a_bit_flipped_in_the_active_segment_stops_or_costs_the_last_sync_at_most() {
    let disk = filled(TRANSACTIONS).await;
    let path = segment(3);
    let bytes = disk.contents(&path).unwrap();
    let starts = frames(&bytes);
    let last = starts[starts.len() - 2];
    assert!(starts.len() > 3);
    for byte in 0..bytes.len() {
        let damaged = copy(&disk);
        damaged.flip(&path, byte, u8::try_from(byte % 8).unwrap());
        let read = open_and_read(&damaged).await;
        if byte < last {
            names(&read.expect_err("it is damage"), 3, frame_of(&bytes, byte));
        } else {
            // Nothing was written after it, so it may as well never have been synced.
            let all_but_last: Vec<_> = (1..TRANSACTIONS).collect();
            assert_eq!(read.unwrap(), all_but_last, "byte {byte}");
        }
    }
}

#[tokio::test]
async fn a_bit_flipped_anywhere_in_an_adopted_file_stops_with_its_place() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    crate::staging::adopt(&journal, 1, 4).await;
    append(&journal, 2).await.unwrap();
    drop(journal);
    let bytes = disk.contents(&staged(1)).unwrap();
    for byte in 0..bytes.len() {
        let damaged = copy(&disk);
        damaged.flip(&staged(1), byte, u8::try_from(byte % 8).unwrap());
        let fault = open_and_read(&damaged).await.expect_err("it is damage");
        let at = frame_of(&bytes, byte);
        assert_eq!(fault.code, Code::JournalDamaged);
        assert!(fault.what.contains(&format!("{:020}.staged, byte {at}:", 1)), "{byte}: {fault}");
    }
    disk.put(&staged(1), &bytes[..bytes.len() - 1]);
    assert_eq!(open_and_read(&disk).await.unwrap_err().code, Code::JournalDamaged);
}

#[tokio::test]
async fn a_closed_segment_cut_short_at_a_frame_is_damage() {
    let disk = filled(TRANSACTIONS).await;
    let bytes = disk.contents(&segment(1)).unwrap();
    let starts = frames(&bytes);
    disk.put(&segment(1), &bytes[..starts[starts.len() - 2]]);
    names(&open(&disk).unwrap_err(), 1, starts[starts.len() - 2]);
}

#[tokio::test]
async fn an_impossible_length_is_damage_and_nothing_is_allocated_for_it() {
    let disk = filled(5).await;
    let mut bytes = disk.contents(&segment(1)).unwrap();
    let first = frames(&bytes)[0];
    bytes[first + 8..first + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    disk.put(&segment(1), &bytes);
    names(&open(&disk).unwrap_err(), 1, first);
}

#[tokio::test]
async fn a_segment_whose_header_never_became_durable_is_removed() {
    let disk = filled(TRANSACTIONS).await;
    let all: Vec<_> = (1..=TRANSACTIONS).collect();
    let header = disk.contents(&segment(3)).unwrap();
    for bytes in [&b""[..], &[0; 300], &header[..30]] {
        disk.put(&segment(4), bytes);
        assert_eq!(read_all(&open(&disk).unwrap(), None).await.unwrap(), all);
        assert_eq!(disk.contents(&segment(4)), None);
    }
    let fresh = FaultyDisk::new();
    fresh.put(&segment(1), b"torn");
    let journal = open(&fresh).unwrap();
    append(&journal, 1).await.unwrap();
    drop(journal);
    assert_eq!(read_all(&open(&fresh).unwrap(), None).await.unwrap(), [1]);
}

#[tokio::test]
async fn the_only_segment_that_trimming_left_is_never_taken_for_a_new_one() {
    let disk = filled(TRANSACTIONS).await;
    let journal = open(&disk).unwrap();
    journal.trim(&lane(), &at(TRANSACTIONS)).await.unwrap();
    drop(journal);
    let left = lane_files(&disk);
    assert_eq!(left.len(), 1, "{left:?}");
    disk.put(&left[0], b"torn");
    assert_eq!(open(&disk).unwrap_err().code, Code::JournalDamaged);
}

#[tokio::test]
async fn stale_bytes_of_a_refused_append_are_never_taken_for_frames() {
    let disk = filled(1).await;
    let path = segment(1);
    let journal = open(&disk).unwrap();
    append(&journal, 2).await.unwrap();
    append(&journal, 3).await.unwrap();
    drop(journal);
    let longer = disk.contents(&path).unwrap();
    // Another history of the same sizes: entry 5 stands where entry 2 stood.
    let other = filled(1).await;
    append(&open(&other).unwrap(), 5).await.unwrap();
    let mut bytes = other.contents(&path).unwrap();
    bytes.extend_from_slice(&longer[bytes.len()..]);
    other.put(&path, &bytes);
    assert!(
        open(&other).is_err() || read_all(&open(&other).unwrap(), None).await.unwrap() == [1, 5]
    );
}

#[tokio::test]
async fn files_that_are_not_the_journals_are_left_alone() {
    let disk = filled(2).await;
    let (beside, below) = (dir().join("lost+found"), segment(1).with_file_name("notes.txt"));
    disk.put(&beside, b"mine");
    disk.put(&below, b"mine");
    assert_eq!(read_all(&open(&disk).unwrap(), None).await.unwrap(), [1, 2]);
    assert!(disk.contents(&beside).is_some() && disk.contents(&below).is_some());
}

async fn open_and_read(disk: &FaultyDisk) -> Result<Vec<u64>, Fault> {
    let journal = open(disk)?;
    read_all(&journal, None).await
}

/// Where the frame begins that a byte is part of; zero in the header.
fn frame_of(bytes: &[u8], byte: usize) -> usize {
    frames(bytes).into_iter().take_while(|start| *start <= byte).last().unwrap_or(0)
}

fn names(fault: &Fault, segment: u64, at: usize) {
    assert_eq!((fault.code, fault.fate), (Code::JournalDamaged, Fate::Stop), "{fault}");
    let place = format!("lane lane, file {segment:020}.segment, byte {at}:");
    assert!(fault.what.starts_with(&place), "{fault} is not at byte {at} of segment {segment}");
}
