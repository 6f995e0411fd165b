//! Decimals from text: plain and exponent notation, infinities and NaN.
//!
//! Invariant: reads any text in one pass, and keeps no more than its own digits of it, whatever
//! the exponent says.
//!
//! Must not know: spaces, separators and currencies of any locale.

use super::{Decimal, DecimalError, Finite};
use std::str::FromStr;

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (negative, unsigned) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if text.eq_ignore_ascii_case("nan") {
            return Ok(Decimal::NaN);
        }
        if is_infinity(unsigned) {
            return Ok(if negative {
                Decimal::NegativeInfinity
            } else {
                Decimal::PositiveInfinity
            });
        }
        let mut scan = Scan { rest: unsigned, length: text.len() };
        let whole = scan.digits();
        let fraction = if scan.skip(b".") { scan.digits() } else { &[] };
        if whole.is_empty() && fraction.is_empty() {
            return Err(scan.stopped());
        }
        let exponent = if scan.skip(b"eE") { scan.exponent()? } else { 0 };
        if !scan.rest.is_empty() {
            return Err(scan.stopped());
        }
        let digits = whole.iter().chain(fraction).copied();
        let scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX).saturating_sub(exponent);
        Finite::of_digits(negative, digits, scale).map(Decimal::Finite)
    }
}

fn is_infinity(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"infinity") || word.eq_ignore_ascii_case(b"inf")
}

/// What is left of a text of `length` bytes.
struct Scan<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Scan<'a> {
    /// Takes as many digits as come.
    fn digits(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !byte.is_ascii_digit());
        let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        digits
    }

    /// Takes one byte if it is one of these.
    fn skip(&mut self, any_of: &[u8]) -> bool {
        match self.rest {
            [first, rest @ ..] if any_of.contains(first) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes what follows the `e`. An exponent that leaves 64 bits stays at their end, where no
    /// limit lets it pass.
    fn exponent(&mut self) -> Result<i64, DecimalError> {
        let negative = self.rest.first() == Some(&b'-');
        self.skip(b"+-");
        let digits = self.digits();
        if digits.is_empty() {
            return Err(self.stopped());
        }
        let exponent = digits.iter().fold(0_i64, |exponent, digit| {
            exponent.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
        });
        Ok(if negative { -exponent } else { exponent })
    }

    fn stopped(&self) -> DecimalError {
        DecimalError::Syntax { at: self.length - self.rest.len() }
    }
}
