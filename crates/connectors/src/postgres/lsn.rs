//! PURE: a position in the write-ahead log, as PostgreSQL writes it.

use std::fmt;
use std::str::FromStr;

/// A byte of the write-ahead log, counted from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lsn(pub u64);

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

/// A text that is no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoLsn;

impl FromStr for Lsn {
    type Err = NoLsn;

    fn from_str(text: &str) -> Result<Self, NoLsn> {
        let (high, low) = text.split_once('/').ok_or(NoLsn)?;
        let half = |digits: &str| match digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            true => u32::from_str_radix(digits, 16).map_err(|_| NoLsn),
            false => Err(NoLsn),
        };
        Ok(Self(u64::from(half(high)?) << 32 | u64::from(half(low)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::Lsn;

    #[test]
    fn a_position_is_written_as_the_server_writes_it() {
        for (text, number) in
            [("0/0", 0), ("0/16B3748", 0x016b_3748), ("FFFFFFFF/FFFFFFFF", u64::MAX)]
        {
            assert_eq!(text.parse(), Ok(Lsn(number)));
            assert_eq!(Lsn(number).to_string(), text);
        }
        for wrong in ["", "/", "0", "0/", "0/x", "0/123456789", "+1/0", "0/0/0"] {
            assert!(wrong.parse::<Lsn>().is_err(), "{wrong}");
        }
    }
}
