//! Decimal: an exact number of any size that remembers how it was written.
//!
//! `1.0`, `1.00` and `1` are three decimals with one value, because a copy must show what the
//! source shows. They sort by value first, then by scale, so that order and equality agree.
//! Invariant: a [`Finite`] stays within [`WHOLE_DIGITS_MAX`] and [`SCALE_MAX`].
//!
//! Must not know: arithmetic, rounding, how any server writes its decimals.

mod digits;
mod parse;

pub(crate) use digits::{Digits, without_end_zeros};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::error::Error;
use std::fmt;

/// The most digits before the decimal point, as in PostgreSQL.
pub const WHOLE_DIGITS_MAX: u32 = 131_072;

/// The most digits after the decimal point, as in PostgreSQL.
pub const SCALE_MAX: u32 = 16_383;

/// The most digits of a decimal, without leading zeros.
pub const DIGITS_MAX: u32 = WHOLE_DIGITS_MAX + SCALE_MAX;

/// The most digits with which a canonical whole number is written out; longer ones keep the zeros
/// at their end as an exponent, so that `1e131071` stays small.
const PLAIN_DIGITS_MAX: i64 = 40;

/// An exact decimal, or one of three values that are no numbers. The variants sort in this order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decimal {
    /// Below all numbers.
    NegativeInfinity,
    /// A number.
    Finite(Finite),
    /// Above all numbers.
    PositiveInfinity,
    /// Not a number; equal to itself, above everything else.
    NaN,
}

impl Decimal {
    /// The number `digits * 10^-scale` from ASCII digits, with a minus sign or without.
    pub fn finite(negative: bool, digits: &[u8], scale: i32) -> Result<Self, DecimalError> {
        Finite::new(negative, digits, scale).map(Decimal::Finite)
    }

    /// The one form of all decimals with this value: no zeros at the end of a fraction, no
    /// fraction for whole numbers, no negative zero.
    #[must_use]
    pub fn into_canonical(self) -> Self {
        match self {
            Decimal::Finite(finite) => Decimal::Finite(finite.into_canonical()),
            other => other,
        }
    }

    /// About how much memory the digits take beside the decimal itself.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Decimal::Finite(Finite { digits: Digits::Long(digits), .. }) => digits.len(),
            _ => 0,
        }
    }

    /// The order by value alone, in which `1.0` and `1.00` are equal.
    pub fn cmp_value(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Decimal::Finite(this), Decimal::Finite(that)) => this.cmp_value(that),
            _ => self.cmp(other),
        }
    }
}

impl From<i64> for Decimal {
    fn from(int: i64) -> Self {
        let digits = Digits::Short(int.unsigned_abs());
        Decimal::Finite(Finite { negative: int < 0, scale: 0, digits })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Decimal::NegativeInfinity => f.write_str("-Infinity"),
            Decimal::Finite(finite) => fmt::Display::fmt(finite, f),
            Decimal::PositiveInfinity => f.write_str("Infinity"),
            Decimal::NaN => f.write_str("NaN"),
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The number `digits * 10^-scale`, with a minus sign or without. A negative scale stands for
/// zeros before the decimal point that were not written out: `1e3`.
#[derive(Clone, PartialEq, Eq)]
pub struct Finite {
    negative: bool,
    scale: i32,
    digits: Digits,
}

impl Finite {
    /// The number `digits * 10^-scale` from ASCII digits; leading zeros do not count.
    pub fn new(negative: bool, digits: &[u8], scale: i32) -> Result<Self, DecimalError> {
        match digits.iter().position(|digit| !digit.is_ascii_digit()) {
            Some(at) => Err(DecimalError::Syntax { at }),
            None if digits.is_empty() => Err(DecimalError::Syntax { at: 0 }),
            None => Self::of_digits(negative, digits.iter().copied(), scale.into()),
        }
    }

    /// Whether there is a minus sign; zero can have one.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// How many digits stand after the decimal point; below zero for a number such as `1e3`.
    pub fn scale(&self) -> i32 {
        self.scale
    }

    /// The digits without sign, point and leading zeros; `0` for zero.
    pub fn digits(&self) -> Cow<'_, str> {
        match &self.digits {
            Digits::Short(digits) => Cow::Owned(digits.to_string()),
            Digits::Long(digits) => Cow::Borrowed(digits),
        }
    }

    /// Whether the value is zero.
    pub fn is_zero(&self) -> bool {
        self.digits == Digits::Short(0)
    }

    /// How many digits stand before the decimal point; zero or less below one tenth.
    pub(crate) fn whole_digits(&self) -> i64 {
        whole_digits(self.digits.count(), self.scale)
    }

    /// The digits as they are held.
    pub(crate) fn held_digits(&self) -> &Digits {
        &self.digits
    }

    /// The same from digits that fit into 64 bits.
    pub(crate) fn short(negative: bool, digits: u64, scale: i32) -> Result<Self, DecimalError> {
        let digits = Digits::Short(digits);
        let scale = check_limits(digits.count(), scale.into())?;
        Ok(Self { negative, scale, digits })
    }

    /// The same from what are known to be ASCII digits. Nothing is allocated before the limits
    /// are checked.
    fn of_digits(
        negative: bool,
        digits: impl Iterator<Item = u8> + Clone,
        scale: i64,
    ) -> Result<Self, DecimalError> {
        let digits = digits.skip_while(|&digit| digit == b'0');
        let scale = check_limits(digits.clone().count().max(1), scale)?;
        Ok(Self { negative, scale, digits: Digits::new(digits) })
    }

    fn into_canonical(mut self) -> Self {
        if self.is_zero() {
            return Self { negative: false, scale: 0, digits: Digits::Short(0) };
        }
        if let Digits::Short(digits) = &mut self.digits
            && self.scale >= 0
        {
            while self.scale > 0 && digits.is_multiple_of(10) {
                *digits /= 10;
                self.scale -= 1;
            }
            return self;
        }
        let Self { negative, scale, digits } = self;
        let mut ascii = digits.with_ascii(<[u8]>::to_vec);
        let whole = whole_digits(ascii.len(), scale);
        let mut scale = i64::from(scale);
        while ascii.last() == Some(&b'0') {
            ascii.pop();
            scale -= 1;
        }
        while scale < 0 && whole <= PLAIN_DIGITS_MAX {
            ascii.push(b'0');
            scale += 1;
        }
        let scale = i32::try_from(scale).expect("BUG: no scale is below the digits before a point");
        Self { negative, scale, digits: Digits::new(ascii.iter().copied()) }
    }

    fn cmp_value(&self, other: &Self) -> Ordering {
        let sign = |this: &Self| match (this.is_zero(), this.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let (this, that) = (sign(self), sign(other));
        this.cmp(&that).then_with(|| match this {
            0 => Ordering::Equal,
            1 => self.cmp_magnitude(other),
            _ => other.cmp_magnitude(self),
        })
    }

    /// Compares two that are not zero, without their signs: by the place of the first digit, then
    /// digit by digit.
    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        match (&self.digits, &other.digits) {
            (Digits::Short(this), Digits::Short(that)) if self.scale == other.scale => {
                this.cmp(that)
            }
            (this, that) => self
                .whole_digits()
                .cmp(&other.whole_digits())
                .then_with(|| this.cmp_from_first(that)),
        }
    }
}

impl Ord for Finite {
    fn cmp(&self, other: &Self) -> Ordering {
        self.cmp_value(other)
            .then_with(|| self.scale.cmp(&other.scale))
            .then_with(|| other.negative.cmp(&self.negative))
    }
}

impl PartialOrd for Finite {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        let mut text = String::with_capacity(digits.len() + 8);
        match usize::try_from(self.scale) {
            Ok(0) => text.push_str(&digits),
            Ok(scale) => {
                let zeros = (scale + 1).saturating_sub(digits.len());
                text.extend(std::iter::repeat_n('0', zeros));
                text.push_str(&digits);
                text.insert(text.len() - scale, '.');
            }
            Err(_) => {
                text.push_str(&digits);
                text.push('e');
                text.push_str(&self.scale.unsigned_abs().to_string());
            }
        }
        f.pad_integral(!self.negative, "", &text)
    }
}

impl fmt::Debug for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why something is no decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// The text has something else where a digit, sign, point or exponent should be.
    Syntax {
        /// The byte at which it stops being a decimal.
        at: usize,
    },
    /// It has more than [`WHOLE_DIGITS_MAX`] digits before the decimal point.
    TooManyBeforePoint,
    /// It has more than [`SCALE_MAX`] digits after the decimal point.
    TooManyAfterPoint,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecimalError::Syntax { at } => write!(f, "no decimal from byte {at} on"),
            DecimalError::TooManyBeforePoint => {
                write!(f, "more than {WHOLE_DIGITS_MAX} digits before the decimal point")
            }
            DecimalError::TooManyAfterPoint => {
                write!(f, "more than {SCALE_MAX} digits after the decimal point")
            }
        }
    }
}

impl Error for DecimalError {}

fn check_limits(count: usize, scale: i64) -> Result<i32, DecimalError> {
    if scale > i64::from(SCALE_MAX) {
        return Err(DecimalError::TooManyAfterPoint);
    }
    match i32::try_from(scale) {
        Ok(scale) if whole_digits(count, scale) <= i64::from(WHOLE_DIGITS_MAX) => Ok(scale),
        _ => Err(DecimalError::TooManyBeforePoint),
    }
}

/// How many digits stand before the decimal point; zero or less for a number below one tenth.
fn whole_digits(count: usize, scale: i32) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(i64::from(scale))
}
