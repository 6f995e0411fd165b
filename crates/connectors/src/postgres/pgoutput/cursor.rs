//! PURE: takes numbers and texts from the beginning of bytes, and never more than there is.

use super::malformed::Malformed;
use crate::postgres::lsn::Lsn;

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// All of a message.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// So many bytes.
    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// One byte.
    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// A number of 16 bits.
    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// A number of 32 bits.
    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// A number of 32 bits with its sign.
    pub(super) fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// A length, then as many bytes.
    pub(super) fn counted(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.u32()?).map_err(|_| ends_early())?;
        self.bytes(length)
    }

    /// A position.
    pub(super) fn lsn(&mut self) -> Result<Lsn, Malformed> {
        Ok(Lsn(u64::from_be_bytes(self.array()?)))
    }

    /// A time, in microseconds since 1970.
    pub(super) fn time(&mut self) -> Result<i64, Malformed> {
        /// Microseconds between the beginning of PostgreSQL's time, 2000, and ours.
        const EPOCH: i64 = 946_684_800_000_000;
        Ok(i64::from_be_bytes(self.array()?).saturating_add(EPOCH))
    }

    /// A text with a zero byte at its end.
    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        let end = self.rest.iter().position(|&byte| byte == 0).ok_or_else(ends_early)?;
        let text = self.bytes(end)?;
        self.byte()?;
        std::str::from_utf8(text).map_err(|_| Malformed::new("a name is not UTF-8"))
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        match self.rest.len() {
            0 => Ok(()),
            more => Err(Malformed::new(format!("a message goes on for {more} bytes at its end"))),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(*array)
    }
}

fn ends_early() -> Malformed {
    Malformed::new("a message ends early")
}
