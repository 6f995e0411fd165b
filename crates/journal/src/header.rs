//! Header: how every file of the journal begins. Pure.
//!
//! Keeps J7: a file says which lane it belongs to, its number, and for a segment what came before
//! it, so a file that was renamed, moved, cut short or left out is noticed. The first 20 bytes are
//! the same in every version, so that a newer one is told from damage. Must not know: disks.
//!
//! ```text
//!  0      8        12      16        20
//!  magic  version  length  checksum  number  lane  (segment: links | staged: transaction)
//! ```

use crate::frame::{Cursor, checksum};
use bytes::{Buf, BufMut};
use model::{Commit, Epoch, Incarnation, Lane, Offset, Position, TransactionId};

/// The format that is written, and the newest that is read.
pub(crate) const VERSION: u32 = 1;

/// Bytes that are the same in every version.
pub(crate) const FROZEN_BYTES: usize = 20;

/// No header is longer.
pub(crate) const BYTES_MAX: usize = 1 << 20;

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Entries of a lane.
    Segment,
    /// Parts of one transaction.
    Staged,
}

/// The beginning of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) lane: Lane,
    /// The number in the file's name.
    pub(crate) number: u64,
    pub(crate) body: Body,
}

/// What only one kind of file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Segment(Links),
    Staged(TransactionId),
}

/// How a segment is tied to what came before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    /// The length of the segment before; zero if this is the lane's first.
    pub(crate) previous_bytes: u64,
    /// The lane's last offset before this segment.
    pub(crate) before: Option<Offset>,
    /// The lane's last transaction before this segment, which may be trimmed.
    pub(crate) last_commit: Option<Commit>,
    /// The lane's highest epoch before this segment.
    pub(crate) epoch: Option<Epoch>,
    /// The staged files that the segment before adopted: they live as long as it does.
    pub(crate) adopted: Vec<u64>,
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHeader {
    /// They are not what was written, or were never written whole.
    Bad(&'static str),
    /// A newer version wrote them.
    Newer(u32),
}

/// What the checksums of a file begin with: bytes of another file do not pass in it.
pub(crate) fn seed(lane: &Lane, number: u64, role: Role) -> u32 {
    let mut identity = magic(role).to_vec();
    identity.put_u64_le(number);
    identity.extend_from_slice(lane.as_str().as_bytes());
    checksum(0, 0, &identity)
}

impl Header {
    /// The bytes, and the place where the first frame follows.
    pub(crate) fn encode(&self) -> (Vec<u8>, Cursor) {
        let mut bytes = magic(self.role()).to_vec();
        bytes.put_u32_le(VERSION);
        bytes.put_u64_le(0);
        bytes.put_u64_le(self.number);
        put_bytes(&mut bytes, self.lane.as_str().as_bytes());
        match &self.body {
            Body::Segment(links) => put_links(&mut bytes, links),
            Body::Staged(transaction) => bytes.put_u64_le(transaction.0),
        }
        let length = u32::try_from(bytes.len()).expect("BUG: a header above its bound");
        bytes[12..16].copy_from_slice(&length.to_le_bytes());
        let checksum = whole_checksum(&bytes, seed(&self.lane, self.number, self.role()));
        bytes[16..20].copy_from_slice(&checksum.to_le_bytes());
        let start = Cursor { position: u64::from(length), sequence: 0, previous: checksum };
        (bytes, start)
    }

    /// How long the header is that begins with these bytes.
    pub(crate) fn length(frozen: &[u8], role: Role) -> Result<usize, NoHeader> {
        if frozen.len() < FROZEN_BYTES || !frozen.starts_with(&magic(role)) {
            return Err(NoHeader::Bad("it does not begin as a file of the journal"));
        }
        let length = (&frozen[12..16]).get_u32_le();
        match usize::try_from(length) {
            Ok(length) if (FROZEN_BYTES..=BYTES_MAX).contains(&length) => Ok(length),
            _ => Err(NoHeader::Bad("its header has an impossible length")),
        }
    }

    /// Reads the header of the file with this lane, number and kind, and where the first frame
    /// follows.
    pub(crate) fn decode(
        bytes: &[u8],
        lane: &Lane,
        number: u64,
        role: Role,
    ) -> Result<(Self, Cursor), NoHeader> {
        if Self::length(bytes, role)? != bytes.len() {
            return Err(NoHeader::Bad("its header is cut short"));
        }
        let checksum = (&bytes[16..20]).get_u32_le();
        if whole_checksum(bytes, seed(lane, number, role)) != checksum {
            return Err(NoHeader::Bad("its header does not match its checksum, lane and number"));
        }
        let version = (&bytes[8..12]).get_u32_le();
        if version > VERSION {
            return Err(NoHeader::Newer(version));
        }
        let header = take_header(&mut &bytes[FROZEN_BYTES..], role)
            .filter(|header| header.lane == *lane && header.number == number)
            .ok_or(NoHeader::Bad("its header makes no sense"))?;
        let start = Cursor { position: bytes.len() as u64, sequence: 0, previous: checksum };
        Ok((header, start))
    }

    fn role(&self) -> Role {
        match self.body {
            Body::Segment(_) => Role::Segment,
            Body::Staged(_) => Role::Staged,
        }
    }
}

fn take_header(bytes: &mut &[u8], role: Role) -> Option<Header> {
    let number = bytes.try_get_u64_le().ok()?;
    let lane = Lane::from(std::str::from_utf8(take_bytes(bytes)?).ok()?);
    let body = match role {
        Role::Segment => Body::Segment(take_links(bytes)?),
        Role::Staged => Body::Staged(TransactionId(bytes.try_get_u64_le().ok()?)),
    };
    bytes.is_empty().then_some(Header { lane, number, body })
}

fn put_links(bytes: &mut Vec<u8>, links: &Links) {
    bytes.put_u64_le(links.previous_bytes);
    bytes.put_u8(u8::from(links.epoch.is_some()));
    bytes.put_u64_le(links.epoch.map_or(0, |epoch| epoch.0));
    bytes.put_u8(u8::from(links.before.is_some()));
    if let Some(before) = &links.before {
        put_offset(bytes, before);
    }
    bytes.put_u8(u8::from(links.last_commit.is_some()));
    if let Some(commit) = &links.last_commit {
        put_offset(bytes, &commit.offset);
        bytes.put_u64_le(commit.transaction.0);
        bytes.put_i64_le(commit.committed_at);
    }
    for file in &links.adopted {
        bytes.put_u64_le(*file);
    }
}

fn take_links(bytes: &mut &[u8]) -> Option<Links> {
    let previous_bytes = bytes.try_get_u64_le().ok()?;
    let has_epoch = bytes.try_get_u8().ok()? == 1;
    let epoch = bytes.try_get_u64_le().ok().map(Epoch).filter(|_| has_epoch);
    let before = match bytes.try_get_u8().ok()? {
        0 => None,
        _ => Some(take_offset(bytes)?),
    };
    let last_commit = match bytes.try_get_u8().ok()? {
        0 => None,
        _ => Some(Commit {
            offset: take_offset(bytes)?,
            transaction: TransactionId(bytes.try_get_u64_le().ok()?),
            committed_at: bytes.try_get_i64_le().ok()?,
        }),
    };
    let mut adopted = Vec::with_capacity(bytes.len() / 8);
    while !bytes.is_empty() {
        adopted.push(bytes.try_get_u64_le().ok()?);
    }
    Some(Links { previous_bytes, before, last_commit, epoch, adopted })
}

fn put_offset(bytes: &mut Vec<u8>, offset: &Offset) {
    bytes.put_u32_le(offset.incarnation.0);
    put_bytes(bytes, offset.position.as_bytes());
    bytes.put_u64_le(offset.epoch.0);
    bytes.put_u64_le(offset.ordinal);
}

fn take_offset(bytes: &mut &[u8]) -> Option<Offset> {
    Some(Offset {
        incarnation: Incarnation(bytes.try_get_u32_le().ok()?),
        position: Position::new(take_bytes(bytes)?.to_vec()),
        epoch: Epoch(bytes.try_get_u64_le().ok()?),
        ordinal: bytes.try_get_u64_le().ok()?,
    })
}

fn put_bytes(bytes: &mut Vec<u8>, what: &[u8]) {
    bytes.put_u32_le(u32::try_from(what.len()).expect("BUG: a name or position above its bound"));
    bytes.extend_from_slice(what);
}

fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(bytes.try_get_u32_le().ok()?).ok()?;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn whole_checksum(bytes: &[u8], seed: u32) -> u32 {
    checksum(checksum(seed, 0, &bytes[..16]), 0, &bytes[FROZEN_BYTES..])
}

fn magic(role: Role) -> [u8; 8] {
    match role {
        Role::Segment => *b"INSTEPSG",
        Role::Staged => *b"INSTEPST",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            lane: Lane::from("questions-a"),
            number: 3,
            body: Body::Segment(Links {
                previous_bytes: 4711,
                before: Some(offset(9)),
                last_commit: Some(Commit {
                    offset: offset(7),
                    transaction: TransactionId(70),
                    committed_at: -1,
                }),
                epoch: Some(Epoch(2)),
                adopted: vec![1, 5],
            }),
        }
    }

    fn offset(number: u64) -> Offset {
        Offset::whole(Incarnation(1), Position::from_number(number))
    }

    #[test]
    fn a_header_is_read_back_as_it_was_written() {
        let staged = Header { body: Body::Staged(TransactionId(8)), ..header() };
        let first = Header { body: Body::Segment(Links::default()), ..header() };
        let links = Links { before: Some(offset(3)), ..Links::default() };
        let without_transaction = Header { body: Body::Segment(links), ..header() };
        for header in [header(), staged, first, without_transaction] {
            let (bytes, start) = header.encode();
            let read = Header::decode(&bytes, &header.lane, 3, header.role());
            assert_eq!(read, Ok((header, start)));
        }
    }

    #[test]
    fn a_header_of_another_lane_or_number_is_refused() {
        let (bytes, _) = header().encode();
        let lane = Lane::from("questions-a");
        assert!(Header::decode(&bytes, &Lane::from("questions-b"), 3, Role::Segment).is_err());
        assert!(Header::decode(&bytes, &lane, 4, Role::Segment).is_err());
        assert!(Header::decode(&bytes, &lane, 3, Role::Staged).is_err());
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_found() {
        let (bytes, _) = header().encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let read = Header::decode(&flipped, &Lane::from("questions-a"), 3, Role::Segment);
            assert!(matches!(read, Err(NoHeader::Bad(_))), "bit {bit}");
        }
    }
}
