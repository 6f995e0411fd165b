//! Frame: one checksummed piece of a file, and how a chain of them is parsed. Pure.
//!
//! Keeps J4: a frame is taken only where it was written. Its checksum covers its file, its place
//! in it, its sequence number and the checksum of the frame before it, so neither a stale frame
//! nor one copied from elsewhere passes. Must not know: files, records, lanes.
//!
//! ```text
//!  0       4         8        12     16         24        32
//!  checksum previous  length   tag    sequence   durable   payload …
//! ```

use crc_fast::{CrcAlgorithm, Digest};

/// Bytes of a frame before its payload.
pub(crate) const HEAD_BYTES: usize = 32;

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A record of the model's codec.
    Record,
    /// The epoch under which what follows was appended.
    Epoch,
}

/// A place between two frames of a file: where the next one has to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The byte.
    pub(crate) position: u64,
    /// How many frames came before.
    pub(crate) sequence: u64,
    /// The checksum of what came before: of the last frame, or of the file's header.
    pub(crate) previous: u32,
}

/// A frame that passed every check.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    pub(crate) payload: &'a [u8],
    /// How much of the file was known to be synced when it was written.
    pub(crate) durable: u64,
    /// The place after it.
    pub(crate) next: Cursor,
}

/// What stands at a cursor.
#[derive(Debug)]
pub(crate) enum Parsed<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// Not enough bytes to tell; this many are needed.
    Short(usize),
    /// Not the frame that has to follow, and why.
    Bad(&'static str),
    /// The frame that has to follow, of a kind that only a newer version knows.
    Newer,
}

/// Starts a frame at the end of `buffer`; its payload is what is appended next.
pub(crate) fn begin(buffer: &mut Vec<u8>) -> usize {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEAD_BYTES]);
    start
}

/// Ends the frame that began at the start of `frame` and moves the cursor behind it. `durable` is
/// how much of the file was known to be synced by now.
pub(crate) fn finish(frame: &mut [u8], seed: u32, at: &mut Cursor, kind: Kind, durable: u64) {
    let length =
        u32::try_from(frame.len() - HEAD_BYTES).expect("BUG: a frame above record_bytes_max");
    frame[4..8].copy_from_slice(&at.previous.to_le_bytes());
    frame[8..12].copy_from_slice(&length.to_le_bytes());
    frame[12..16].copy_from_slice(&tag(kind));
    frame[16..24].copy_from_slice(&at.sequence.to_le_bytes());
    frame[24..32].copy_from_slice(&durable.to_le_bytes());
    let checksum = checksum(seed, at.position, &frame[4..]);
    frame[0..4].copy_from_slice(&checksum.to_le_bytes());
    *at = Cursor {
        position: at.position + frame.len() as u64,
        sequence: at.sequence + 1,
        previous: checksum,
    };
}

/// Parses the frame that has to follow at `at`, where `bytes` begin.
pub(crate) fn parse<'a>(bytes: &'a [u8], seed: u32, at: &Cursor) -> Parsed<'a> {
    let Some(total) = total(bytes) else {
        return Parsed::Short(HEAD_BYTES);
    };
    if bytes.len() < total {
        return Parsed::Short(total);
    }
    let frame = &bytes[..total];
    let checksum = checksum(seed, at.position, &frame[4..]);
    if number32(&frame[0..4]) != checksum {
        return Parsed::Bad("its checksum does not match");
    }
    if number64(&frame[16..24]) != at.sequence || number32(&frame[4..8]) != at.previous {
        return Parsed::Bad("it does not follow the one before it");
    }
    // Sound and in its place, so somebody wrote it who knows more kinds than this Instep.
    let Some(kind) = kind(&frame[12..16]) else {
        return Parsed::Newer;
    };
    let next = Cursor {
        position: at.position + total as u64,
        sequence: at.sequence + 1,
        previous: checksum,
    };
    let durable = number64(&frame[24..32]);
    Parsed::Frame(Frame { kind, payload: &frame[HEAD_BYTES..], durable, next })
}

/// Whether any whole frame in `bytes`, which begin at `from` in their file, shows that byte `bad`
/// of the file was synced once. It tells damage from a torn tail.
pub(crate) fn proves_synced(bytes: &[u8], from: u64, seed: u32, bad: u64) -> bool {
    (0..bytes.len().saturating_sub(HEAD_BYTES - 1)).any(|start| {
        let bytes = &bytes[start..];
        let position = from + start as u64;
        let durable = number64(&bytes[24..32]);
        kind(&bytes[12..16]).is_some()
            && durable > bad
            && durable <= position
            && total(bytes).is_some_and(|total| {
                total <= bytes.len()
                    && checksum(seed, position, &bytes[4..total]) == number32(&bytes[0..4])
            })
    })
}

/// CRC-32C over a file's identity, a place in it and the bytes there.
pub(crate) fn checksum(seed: u32, position: u64, bytes: &[u8]) -> u32 {
    let place = position ^ (position >> 32);
    let start = (u64::from(!seed) ^ place) & u64::from(u32::MAX);
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, start);
    digest.update(bytes);
    u32::try_from(digest.finalize() & u64::from(u32::MAX)).expect("BUG: masked to 32 bits")
}

/// The bytes of the whole frame that begins here, as its length says.
fn total(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(8..12).filter(|_| bytes.len() >= HEAD_BYTES)?;
    HEAD_BYTES.checked_add(usize::try_from(number32(length)).ok()?)
}

fn tag(kind: Kind) -> [u8; 4] {
    match kind {
        Kind::Record => *b"RECO",
        Kind::Epoch => *b"EPOC",
    }
}

fn kind(tag: &[u8]) -> Option<Kind> {
    match tag {
        b"RECO" => Some(Kind::Record),
        b"EPOC" => Some(Kind::Epoch),
        _ => None,
    }
}

fn number32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("BUG: four bytes"))
}

fn number64(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("BUG: eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Cursor = Cursor { position: 100, sequence: 0, previous: 7 };

    fn framed(payload: &[u8], at: &mut Cursor, durable: u64) -> Vec<u8> {
        let mut buffer = Vec::new();
        begin(&mut buffer);
        buffer.extend_from_slice(payload);
        finish(&mut buffer, 5, at, Kind::Record, durable);
        buffer
    }

    #[test]
    fn checksum_is_crc_32c() {
        assert_eq!(checksum(0, 0, b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_frame_comes_back_only_in_its_own_place() {
        let mut end = START;
        let bytes = framed(b"payload", &mut end, 100);
        let Parsed::Frame(frame) = parse(&bytes, 5, &START) else { panic!("no frame") };
        assert_eq!((frame.payload, frame.next), (&b"payload"[..], end));
        for other in [
            Cursor { position: 101, ..START },
            Cursor { sequence: 1, ..START },
            Cursor { previous: 8, ..START },
        ] {
            assert!(matches!(parse(&bytes, 5, &other), Parsed::Bad(_)), "{other:?}");
        }
        assert!(matches!(parse(&bytes, 6, &START), Parsed::Bad(_)));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let bytes = framed(b"some payload", &mut START.clone(), 100);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(parse(&flipped, 5, &START), Parsed::Frame(_)), "bit {bit}");
        }
    }

    #[test]
    fn only_a_later_frame_proves_that_a_byte_was_synced() {
        let mut end = START;
        let mut bytes = framed(b"first", &mut end, 100);
        assert!(!proves_synced(&bytes, 100, 5, 100));
        let synced = end.position;
        bytes.extend(framed(b"second", &mut end, synced));
        assert!(proves_synced(&bytes[1..], 101, 5, 100));
        assert!(!proves_synced(&bytes[1..], 101, 5, synced));
        assert!(!proves_synced(&bytes[1..], 101, 6, 100), "a frame of another file");
    }
}
