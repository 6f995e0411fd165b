//! The decoder reads every message whole, and nothing else.

use super::Decoder;
use crate::postgres::lsn::Lsn;
use crate::postgres::pgoutput::{Before, Datum, Ended, Message, ReplicaIdentity};
use proptest::collection::vec;
use proptest::prelude::*;

fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0]].concat()
}

fn cell(kind: u8, bytes: &[u8]) -> Vec<u8> {
    match kind {
        b't' | b'b' => {
            [&[kind][..], &u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
        }
        _ => vec![kind],
    }
}

fn tuple(cells: &[(u8, &[u8])]) -> Vec<u8> {
    let count = u16::try_from(cells.len()).unwrap().to_be_bytes();
    let cells = cells.iter().flat_map(|(kind, bytes)| cell(*kind, bytes));
    count.into_iter().chain(cells).collect()
}

fn number(number: u32) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn long(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn relation_body() -> Vec<u8> {
    let columns = [
        join(&[&[1], &text("id"), &number(20), &number(u32::MAX)]),
        join(&[&[0], &text("body"), &number(25), &number(u32::MAX)]),
    ]
    .concat();
    join(&[&number(7), &text("public"), &text("questions"), b"d", &[0, 2], &columns])
}

/// One of each kind that stands inside of transactions: the letter, and what follows it.
fn inside() -> Vec<(u8, Vec<u8>)> {
    let row = tuple(&[(b't', b"1"), (b'u', b"")]);
    let key = tuple(&[(b't', b"1"), (b'n', b"")]);
    vec![
        (b'R', relation_body()),
        (b'Y', join(&[&number(9), &text("public"), &text("mood")])),
        (b'I', join(&[&number(7), b"N", &row])),
        (b'U', join(&[&number(7), b"N", &row])),
        (b'U', join(&[&number(7), b"K", &key, b"N", &row])),
        (b'U', join(&[&number(7), b"O", &row, b"N", &row])),
        (b'D', join(&[&number(7), b"K", &key])),
        (b'D', join(&[&number(7), b"O", &row])),
        (b'T', join(&[&number(2), &[3], &number(7), &number(8)])),
        (b'M', join(&[&[1], &long(5), &text("instep"), &number(2), b"hi"])),
    ]
}

/// One of each kind that stands around transactions.
fn around() -> Vec<Vec<u8>> {
    let ended = join(&[&[0], &long(1), &long(2), &long(3)]);
    let prepared = join(&[&long(1), &long(2), &long(3), &number(4), &text("name")]);
    vec![
        join(&[b"B", &long(1), &long(2), &number(3)]),
        join(&[b"C", &ended]),
        join(&[b"O", &long(1), &text("elsewhere")]),
        join(&[b"c", &number(4), &ended]),
        join(&[b"A", &number(4), &number(5)]),
        join(&[b"b", &prepared]),
        join(&[b"P", &[0], &prepared]),
        join(&[b"K", &[0], &prepared]),
        join(&[b"p", &[0], &prepared]),
        join(&[b"r", &[0], &long(1), &long(2), &long(3), &long(4), &number(5), &text("name")]),
    ]
}

fn start() -> Vec<u8> {
    join(&[b"S", &number(4), &[1]])
}

/// Every message as it comes outside of a block and inside of one, and a decoder that is there.
fn all() -> Vec<(Decoder, Vec<u8>)> {
    let outside = Decoder::new();
    let mut block = Decoder::new();
    block.read(&start()).unwrap();
    let mut all: Vec<_> = around().into_iter().map(|it| (outside.clone(), it)).collect();
    for (kind, body) in inside() {
        all.push((outside.clone(), join(&[&[kind], &body])));
        all.push((block.clone(), join(&[&[kind], &number(5), &body])));
    }
    all.push((outside, start()));
    all.push((block, b"E".to_vec()));
    all
}

#[test]
fn every_message_is_read_whole_and_nothing_shorter_or_longer_is() {
    for (decoder, bytes) in all() {
        assert!(decoder.clone().read(&bytes).is_ok(), "{:?}", String::from_utf8_lossy(&bytes));
        for end in 0..bytes.len() {
            assert!(decoder.clone().read(&bytes[..end]).is_err(), "{bytes:02x?} cut at {end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(decoder.clone().read(&longer).is_err(), "{longer:02x?}");
    }
}

#[test]
fn a_change_says_what_is_null_unchanged_and_there() {
    let update = join(&[
        b"U",
        &number(7),
        b"K",
        &tuple(&[(b't', b"1"), (b'n', b"")]),
        b"N",
        &tuple(&[(b't', b"2"), (b'u', b""), (b'n', b""), (b'b', &[0, 1])]),
    ]);
    let mut decoder = Decoder::new();
    let Message::Update { sub: None, relation: 7, before: Some(Before::Key(key)), new } =
        decoder.read(&update).unwrap()
    else {
        panic!("an update with the key that was")
    };
    assert_eq!(key.cells().collect::<Vec<_>>(), [Datum::Text(b"1"), Datum::Null]);
    let cells = [Datum::Text(b"2"), Datum::Unchanged, Datum::Null, Datum::Binary(&[0, 1])];
    assert_eq!((new.cells().collect::<Vec<_>>(), new.len()), (cells.to_vec(), 4));
}

#[test]
fn a_block_is_known_from_its_beginning_to_its_end() {
    let mut decoder = Decoder::new();
    let begun = Message::StreamStart { transaction: 4, first: true };
    assert_eq!(decoder.read(&start()).unwrap(), begun);
    assert_eq!(decoder.block(), Some(4));
    let relation = join(&[b"R", &number(5), &relation_body()]);
    let Message::Relation { sub: Some(5), relation } = decoder.read(&relation).unwrap() else {
        panic!("a table in a block")
    };
    assert_eq!((relation.name, relation.identity), ("questions", ReplicaIdentity::Default));
    assert!(relation.has_key() && relation.columns[1].modifier == -1);
    assert!(decoder.read(&start()).is_err() && decoder.read(&around()[0]).is_err());
    assert_eq!(decoder.read(b"E").unwrap(), Message::StreamStop);
    assert!(decoder.read(b"E").is_err());
    let commit = join(&[b"c", &number(4), &[0], &long(1), &long(2), &long(0)]);
    let committed_at = 946_684_800_000_000;
    let ended = Ended { commit: Lsn(1), end: Lsn(2), committed_at };
    assert_eq!(decoder.read(&commit).unwrap(), Message::StreamCommit { transaction: 4, ended });
}

/// PC22.
#[test]
fn counts_that_are_larger_than_what_is_there_take_no_memory() {
    let huge = number(u32::MAX);
    for bytes in [
        join(&[b"T", &huge, &[0], &number(7)]),
        join(&[b"I", &number(7), b"N", &[0xff, 0xff], b"n"]),
        join(&[b"I", &number(7), b"N", &[0, 1], b"t", &huge]),
        join(&[b"M", &[0], &long(1), &text("x"), &huge]),
        join(&[b"R", &number(7), &text("a"), &text("b"), b"d", &[0xff, 0xff]]),
    ] {
        assert!(Decoder::new().read(&bytes).is_err(), "{bytes:02x?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
        let all = all();
        let (decoder, good) = &all[at.index(all.len())];
        let _ = decoder.clone().read(&bytes);
        let _ = decoder.clone().read(&[&good[..1], &bytes].concat());
    }

    #[test]
    fn damaged_messages_do_no_harm(
        at in any::<prop::sample::Index>(),
        flips in vec((any::<prop::sample::Index>(), 0..8), 1..4),
    ) {
        let all = all();
        let (decoder, good) = &all[at.index(all.len())];
        let mut bytes = good.clone();
        for (index, bit) in flips {
            let at = index.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
        }
        let mut decoder = decoder.clone();
        if let Ok(Message::Insert { new, .. }) = decoder.read(&bytes) {
            prop_assert_eq!(new.cells().count(), new.len());
        }
    }
}

mod fuzz {
    use super::{Decoder, all};
    use testkit::fuzz::fuzz;

    #[test]
    fn a_stream_of_messages() {
        let good: Vec<Vec<u8>> = all().into_iter().map(|(_, bytes)| bytes).collect();
        fuzz("a stream of messages", &good, &[b"S\0\0\0\x04\x01", b"E", b"N"], |bytes| {
            let (mut outside, mut block) = (Decoder::new(), Decoder::new());
            block.read(b"S\0\0\0\x04\x01").expect("a block begins");
            let outcomes = [outside.read(bytes).is_ok(), block.read(bytes).is_ok()];
            let kind = u64::from(bytes.first().copied().unwrap_or(0));
            kind << 2 | u64::from(outcomes[0]) << 1 | u64::from(outcomes[1])
        });
    }
}
