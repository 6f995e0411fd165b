//! PURE: from when until when a certificate is valid, out of its DER, as RFC 5280 draws it.
//!
//! Must not know: signatures, names, extensions.

use crate::text::civil::{read_timestamp, write_instant};

/// From when until when, both included, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: i64,
    pub(super) until: i64,
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The validity of a certificate, if these bytes are one.
pub(super) fn of(certificate: &[u8]) -> Option<Validity> {
    let mut rest = within(&mut { certificate }, SEQUENCE)?;
    let mut rest = within(&mut rest, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        piece(&mut rest)?;
    }
    // The serial number, the algorithm of the signature, and the issuer.
    for _ in 0..3 {
        piece(&mut rest)?;
    }
    let mut times = within(&mut rest, SEQUENCE)?;
    Some(Validity { from: time(piece(&mut times)?)?, until: time(piece(&mut times)?)? })
}

/// A moment as people read it.
pub(super) fn shown(seconds: i64) -> String {
    write_instant(seconds.saturating_mul(1_000_000))
}

/// What is in the next piece, which has to be of this kind.
fn within<'a>(rest: &mut &'a [u8], kind: u8) -> Option<&'a [u8]> {
    piece(rest).filter(|(found, _)| *found == kind).map(|(_, content)| content)
}

/// Takes the next piece: its kind, and what is in it.
fn piece<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (kind, after) = rest.split_first()?;
    let (first, mut after) = after.split_first()?;
    let mut length = usize::from(*first);
    if length >= 0x80 {
        let (digits, behind) =
            after.split_at_checked(length - 0x80).filter(|it| it.0.len() <= 4)?;
        length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
        after = behind;
    }
    let (content, behind) = after.split_at_checked(length)?;
    *rest = behind;
    Some((*kind, content))
}

fn time((kind, digits): (u8, &[u8])) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok()?.strip_suffix('Z')?;
    let century = match kind {
        GENERALIZED_TIME => "",
        UTC_TIME if text < "50" => "20",
        UTC_TIME => "19",
        _ => return None,
    };
    let text = format!("{century}{text}");
    let part = |from: usize, to: usize| text.get(from..to).filter(|_| text.len() == 14);
    let date = [part(0, 4)?, part(4, 6)?, part(6, 8)?].join("-");
    let clock = [part(8, 10)?, part(10, 12)?, part(12, 14)?].join(":");
    Some(read_timestamp(&format!("{date}T{clock}"))? / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn certificate(from: (i32, u8), until: (i32, u8)) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().expect("a key");
        let names = ["localhost".to_owned()];
        let mut parameters = rcgen::CertificateParams::new(names).expect("parameters");
        parameters.not_before = rcgen::date_time_ymd(from.0, from.1, 1);
        parameters.not_after = rcgen::date_time_ymd(until.0, until.1, 1);
        parameters.self_signed(&key).expect("a certificate").der().to_vec()
    }

    #[test]
    fn the_validity_is_read_in_both_ways_of_writing_it() {
        let found = of(&certificate((1999, 3), (2031, 7))).expect("it can be read");
        assert_eq!(shown(found.from), "1999-03-01T00:00:00.000000Z");
        assert_eq!(shown(found.until), "2031-07-01T00:00:00.000000Z");
        let late = of(&certificate((1970, 1), (2075, 12))).expect("it can be read");
        assert_eq!((late.from, shown(late.until).as_str()), (0, "2075-12-01T00:00:00.000000Z"));
    }

    proptest! {
        #[test]
        fn what_is_no_certificate_is_refused_or_read(bytes: Vec<u8>, cut in 0..200_usize, flip: u8) {
            let _ = of(&bytes);
            let mut damaged = certificate((1999, 3), (2031, 7));
            damaged[cut % 100] ^= flip;
            let _ = of(&damaged);
            prop_assert!(of(&damaged[..cut.min(damaged.len() / 2)]).is_none() || cut > 60);
        }
    }
}
