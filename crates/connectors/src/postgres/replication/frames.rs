//! PURE: the packets of a stream as they lie in a buffer.

use super::carried::{Carried, carried};
use crate::postgres::lsn::Lsn;
use crate::postgres::packet::{HEAD, head};
use crate::postgres::trouble::Trouble;

/// What stands at the beginning of a buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// How many bytes are whole packets that carry something.
    pub(super) bytes: usize,
    /// The furthest position among them.
    pub(super) end: Lsn,
    /// Whether one of them wants an answer.
    pub(super) asks: bool,
    /// The letter and length of the packet behind them, if it is whole and of another kind.
    pub(super) other: Option<(u8, usize)>,
}

/// How much at the beginning of a buffer is whole.
pub(super) fn cut(buffer: &[u8], packet_bytes_max: usize) -> Result<Cut, Trouble> {
    let mut cut = Cut::default();
    loop {
        let rest = &buffer[cut.bytes..];
        let Some((tag, length)) = head(rest, packet_bytes_max)? else { return Ok(cut) };
        let Some(packet) = rest.get(..length) else { return Ok(cut) };
        if tag != b'd' {
            cut.other = Some((tag, length));
            return Ok(cut);
        }
        match carried(&packet[HEAD..])? {
            Carried::Message { end, .. } => cut.end = cut.end.max(end),
            Carried::Alive { end, asks, .. } => {
                cut.end = cut.end.max(end);
                cut.asks |= asks;
            }
        }
        cut.bytes += length;
    }
}

#[cfg(test)]
mod tests {
    use super::{Carried, Lsn, carried, cut};
    use proptest::prelude::*;

    fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[tag][..], &length, body].concat()
    }

    fn message(start: u64, text: &[u8]) -> Vec<u8> {
        let numbers = [start, start + 7, 0].map(u64::to_be_bytes).concat();
        packet(b'd', &[b"w", &numbers[..], text].concat())
    }

    fn alive(end: u64, asks: u8) -> Vec<u8> {
        let numbers = [end, 1_000_000].map(u64::to_be_bytes).concat();
        packet(b'd', &[b"k", &numbers[..], &[asks]].concat())
    }

    #[test]
    fn a_cut_ends_before_what_is_not_whole_or_of_another_kind() {
        let two = [message(10, b"B"), alive(30, 1)].concat();
        let whole = cut(&two, 100).unwrap();
        assert_eq!((whole.bytes, whole.end, whole.asks), (two.len(), Lsn(30), true));
        for end in 0..two.len() {
            let part = cut(&two[..end], 100).unwrap();
            assert_eq!(part.bytes, if end < message(10, b"B").len() { 0 } else { 31 });
            assert_eq!(part.other, None);
        }
        let ended = [&two[..], &packet(b'c', b"")].concat();
        assert_eq!(cut(&ended, 100).unwrap().other, Some((b'c', 5)));
    }

    #[test]
    fn a_sign_of_life_has_the_servers_clock() {
        let packet = alive(30, 0);
        let carried = carried(&packet[5..]).unwrap();
        let sent_at = 946_684_801_000_000;
        assert_eq!(carried, Carried::Alive { end: Lsn(30), sent_at, asks: false });
    }

    #[test]
    fn a_packet_larger_than_allowed_is_refused_before_it_is_read() {
        assert!(cut(&message(1, &[7; 200])[..5], 100).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = cut(&bytes, 1000);
            let _ = carried(&bytes);
            let _ = cut(&packet(b'd', &bytes), 1000);
        }
    }
}
