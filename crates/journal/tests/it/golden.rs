//! The bytes on the disk, as docs/formats/journal.md draws them: a change here is a new version of
//! the format.

use crate::support::{at, changes, crc32c, frames, lane, open, segment, whole};
use ::model::{Append, Epoch, Log, Progress};
use testkit::disk::FaultyDisk;

/// Epoch 4, then a transaction with one insert, then progress.
#[rustfmt::skip]
const SEGMENT: &[&str] = &[
    // Header: magic, version, length, checksum, number; lane; no segment before, no epoch, no offset,
    // no transaction.
    "494e535445505347", "01000000", "37000000", "425aee37", "0100000000000000",
    "04000000", "6c616e65", "0000000000000000", "00", "0000000000000000", "00", "00",
    // Epoch 4: checksum, the header's checksum, length, tag, sequence, durable; epoch.
    "7ccd76ce", "425aee37", "08000000", "45504f43", "0000000000000000", "3700000000000000",
    "0400000000000000",
    // The table.
    "6eb809a0", "7ccd76ce", "21000000", "5245434f", "0100000000000000", "3700000000000000",
    "01000001740102026964", "0103616e79010000", "04626f6479", "0403616e79010000", "0100",
    // The transaction.
    "67821583", "6eb809a0", "1b000000", "5245434f", "0200000000000000", "3700000000000000",
    "0101010800000000000000010000", "010a01", "00000203000a03787878",
    // The progress.
    "d7d3199b", "67821583", "0f000000", "5245434f", "0300000000000000", "3700000000000000",
    "0103010800000000000000020000", "0e",
];

/// The header of the segment after one of 3264 bytes, with the same entries but for a longer row.
#[rustfmt::skip]
const SECOND_HEADER: &[&str] = &[
    "494e535445505347", "01000000", "87000000", "c5748cc9", "0200000000000000",
    "04000000", "6c616e65",
    // The segment before, the highest epoch.
    "c00c000000000000", "01", "0400000000000000",
    // The last offset: incarnation, position, epoch, ordinal.
    "01", "01000000", "08000000", "0000000000000002", "0000000000000000", "ffffffffffffffff",
    // The last transaction: its offset, its number, the time of its commit. No staged files.
    "01", "01000000", "08000000", "0000000000000001", "0000000000000000", "ffffffffffffffff",
    "0100000000000000", "0500000000000000",
];

#[tokio::test]
async fn the_bytes_of_a_segment_are_those_of_the_format() {
    assert_eq!(hex(&written().await), SEGMENT.concat());
}

#[tokio::test]
async fn the_bytes_of_a_later_header_are_those_of_the_format() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    journal.append(&lane(), entries(3_000), Epoch(4)).await.unwrap();
    journal.append(&lane(), vec![whole(3, Vec::new())], Epoch(4)).await.unwrap();
    let bytes = disk.contents(&segment(2)).unwrap();
    assert_eq!(hex(&bytes[..frames(&bytes)[0]]), SECOND_HEADER.concat());
}

#[tokio::test]
async fn the_checksums_of_a_segment_are_those_of_the_format() {
    let bytes = written().await;
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let starts = frames(&bytes);
    // The file's identity: magic, number, lane.
    let identity = crc32c(crc32c(crc32c(0, &bytes[..8]), &bytes[20..28]), b"lane");
    let header = crc32c(crc32c(identity, &bytes[..16]), &bytes[20..starts[0]]);
    assert_eq!(number(16), header);
    let mut previous = header;
    for pair in starts.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        let place = identity ^ u32::try_from(start).unwrap();
        let checksum = crc32c(place, &bytes[start + 4..end]);
        assert_eq!((number(start), number(start + 4)), (checksum, previous));
        previous = checksum;
    }
}

#[tokio::test]
async fn the_same_calls_write_the_same_bytes() {
    assert_eq!(written().await, written().await);
}

async fn written() -> Vec<u8> {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    journal.append(&lane(), entries(3), Epoch(4)).await.unwrap();
    disk.contents(&segment(1)).unwrap()
}

/// A transaction with one insert of so many letters, then progress.
fn entries(letters: usize) -> Vec<Append> {
    vec![
        whole(1, changes(1, letters)),
        Append::Progress(Progress { offset: at(2), source_time: 7 }),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
