//! Wire: numbers and byte strings, as every record is made of them.
//!
//! Invariant: each value has exactly one form, and reading takes no more than is there; a length
//! is believed only after it was compared with the bytes that are left.
//!
//! Must not know: what the numbers and strings mean.

use super::malformed::Malformed;

/// Seven bits a byte, lowest first; the highest bit says that more follow.
pub(crate) fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

/// A signed number: 0, -1, 1, -2 … become 0, 1, 2, 3 …, so that small ones stay short.
pub(crate) fn put_signed(number: i64, out: &mut Vec<u8>) {
    put_varint(((number << 1) ^ (number >> 63)).cast_unsigned(), out);
}

/// How many elements follow.
pub(crate) fn put_count(count: usize, out: &mut Vec<u8>) {
    put_varint(count as u64, out);
}

/// Bytes behind their length.
pub(crate) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_count(bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// The number of one out of a fixed list: its place there.
pub(super) fn number_in<T: PartialEq>(all: &[T], one: &T) -> u8 {
    let place = all.iter().position(|other| other == one);
    place.and_then(|place| u8::try_from(place).ok()).expect("BUG: the list lacks something")
}

/// Reads a record from its first byte to its last.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len() }
    }

    /// What is wrong with the bytes that were just read.
    #[cold]
    pub(super) fn malformed(&self, what: &'static str) -> Malformed {
        Malformed { what, at: self.length - self.rest.len() }
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Says that the record ends here.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        match self.rest {
            [] => Ok(()),
            _ => Err(self.malformed("bytes after the end of the record")),
        }
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        match self.rest {
            [first, rest @ ..] => {
                self.rest = rest;
                Ok(*first)
            }
            [] => Err(self.malformed("the record ends too early")),
        }
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.malformed("the record ends too early")),
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        match self.rest.split_first_chunk() {
            Some((array, rest)) => {
                self.rest = rest;
                Ok(*array)
            }
            None => Err(self.malformed("the record ends too early")),
        }
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        match self.byte()? {
            byte @ 0..0x80 => Ok(byte.into()),
            byte => self.varint_after(byte),
        }
    }

    fn varint_after(&mut self, first: u8) -> Result<u64, Malformed> {
        let mut number = u64::from(first & 0x7f);
        for shift in (7..70).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte == 0 {
                return Err(self.malformed("a number is longer than it has to be"));
            }
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.malformed("a number is beyond 64 bits"))
    }

    pub(super) fn signed(&mut self) -> Result<i64, Malformed> {
        let number = self.varint()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        let number = self.varint()?;
        u32::try_from(number).map_err(|_| self.malformed("a number is beyond 32 bits"))
    }

    pub(super) fn i32(&mut self) -> Result<i32, Malformed> {
        let number = self.signed()?;
        i32::try_from(number).map_err(|_| self.malformed("a number is beyond 32 bits"))
    }

    /// How many elements follow, each of at least one byte.
    #[inline]
    pub(super) fn count(&mut self) -> Result<usize, Malformed> {
        let count = self.varint()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.left() => Ok(count),
            _ => Err(self.malformed("a count is larger than the bytes that are left")),
        }
    }

    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let count = self.count()?;
        self.take(count)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        let bytes = self.bytes()?;
        str::from_utf8(bytes).map_err(|_| self.malformed("a text is not UTF-8"))
    }

    /// One out of a fixed list, by its place there.
    pub(super) fn numbered<T: Copy>(&mut self, all: &[T]) -> Result<T, Malformed> {
        let place = usize::from(self.byte()?);
        all.get(place).copied().ok_or_else(|| self.malformed("nothing has this number"))
    }

    /// Elements behind their count.
    pub(super) fn list<T>(
        &mut self,
        element: impl Fn(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = self.count()?;
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(elements)
    }
}
