//! Digits: the digits of a decimal, short or long, and their ASCII form.
//!
//! Invariant: digits that fit into 64 bits are held in 64 bits, so equal means the same bytes.
//!
//! Must not know: signs, scales, limits.

use std::cmp::Ordering;

/// Digits without leading zeros.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Digits {
    /// All that fit into 64 bits.
    Short(u64),
    /// All others, in ASCII.
    Long(Box<str>),
}

impl Digits {
    /// From ASCII digits, without zeros before the first other digit.
    pub(super) fn new(ascii: impl Iterator<Item = u8> + Clone) -> Self {
        let short = ascii.clone().try_fold(0_u64, |digits, digit| {
            digits.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        match short {
            Some(digits) => Digits::Short(digits),
            None => Digits::Long(ascii.map(char::from).collect()),
        }
    }

    /// How many there are; zero has one.
    pub(super) fn count(&self) -> usize {
        match self {
            Digits::Short(0) => 1,
            Digits::Short(digits) => usize::try_from(digits.ilog10()).unwrap_or(0) + 1,
            Digits::Long(digits) => digits.len(),
        }
    }

    /// Calls `read` with the ASCII form, which costs no allocation.
    pub(crate) fn with_ascii<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Digits::Short(digits) => read(ShortAscii::of(*digits).bytes()),
            Digits::Long(digits) => read(digits.as_bytes()),
        }
    }

    /// Compares digit by digit from the first on, as if the shorter had zeros behind it.
    pub(super) fn cmp_from_first(&self, other: &Self) -> Ordering {
        self.with_ascii(|this| {
            other.with_ascii(|that| without_end_zeros(this).cmp(without_end_zeros(that)))
        })
    }
}

/// ASCII digits without the zeros at their end.
pub(crate) fn without_end_zeros(ascii: &[u8]) -> &[u8] {
    let end = ascii.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    &ascii[..end]
}

/// The ASCII form of a number on the stack; fills the buffer from its end.
struct ShortAscii {
    buffer: [u8; 20],
    first: usize,
}

impl ShortAscii {
    fn of(mut digits: u64) -> Self {
        let mut ascii = Self { buffer: [b'0'; 20], first: 20 };
        loop {
            ascii.first -= 1;
            ascii.buffer[ascii.first] += (digits % 10) as u8;
            digits /= 10;
            if digits == 0 {
                return ascii;
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.first..]
    }
}
