//! Value: one typed cell that loses nothing on its way.
//!
//! Equality and order are those of the representation: `1.0` and `1.00` differ, because a copy must
//! show what the source shows. [`Value::into_canonical`] gives the form in which values that mean
//! the same are the same; keys and digests use it.

use crate::decimal::Decimal;
use std::cmp::Ordering;

/// One typed cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// SQL's NULL, a value like any other here.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A binary floating point number, with NaN and the infinities.
    Float(Float),
    /// An exact decimal.
    Decimal(Decimal),
    /// Text, as its UTF-8 bytes.
    Text(Box<str>),
    /// Text that is not UTF-8, as its bytes: some sources let a text be anything. Made by
    /// [`Value::text`] alone, so that no text is written in two ways.
    RawText(Box<[u8]>),
    /// Bytes.
    Bytes(Box<[u8]>),
    /// Days since 1970-01-01.
    Date(Moment),
    /// Microseconds since midnight; 24:00:00 is legal.
    Time(i64),
    /// Microseconds since midnight, and seconds east of UTC.
    TimeTz(i64, i32),
    /// Microseconds since 1970-01-01 00:00:00 of a clock without a zone.
    Timestamp(Moment),
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    TimestampTz(Moment),
    /// A span of time.
    Interval(Interval),
    /// A universally unique identifier.
    Uuid([u8; 16]),
    /// JSON, as the source wrote it.
    Json(Box<str>),
    /// An array.
    Array(Box<Array>),
}

/// A point on a line of time that has both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Before all others.
    BeforeAll,
    /// This many units after the start of 1970.
    At(i64),
    /// After all others.
    AfterAll,
}

/// Months, days and microseconds: one month is not thirty days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// Whole months.
    pub months: i32,
    /// Whole days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

/// A floating point number that can be compared and sorted: NaN equals itself.
#[derive(Clone, Copy, Debug)]
pub struct Float(pub f64);

impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Float {}
impl PartialOrd for Float {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Float {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Elements in row-major order, and the shape that they fill.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Array {
    /// The dimensions from the outermost in; none for an empty array.
    pub shape: Vec<Dimension>,
    /// The elements; as many as the product of the lengths.
    pub elements: Vec<Value>,
}

/// One dimension of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dimension {
    /// How many.
    pub length: u32,
    /// The index of the first.
    pub lower: i32,
}

impl Value {
    /// About how much memory the value takes beside its own cell.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Value::Text(text) | Value::Json(text) => text.len(),
            Value::Bytes(bytes) | Value::RawText(bytes) => bytes.len(),
            Value::Decimal(decimal) => decimal.heap_bytes(),
            Value::Array(array) => {
                let held: usize = array.elements.iter().map(Value::heap_bytes).sum();
                held + array.elements.len() * size_of::<Value>()
            }
            _ => 0,
        }
    }

    /// A text of these bytes, whether or not they are UTF-8.
    pub fn text(bytes: &[u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.into()),
            Err(_) => Value::RawText(bytes.into()),
        }
    }

    /// The bytes of a text, by which texts compare.
    pub fn text_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Text(text) => Some(text.as_bytes()),
            Value::RawText(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The form in which values that mean the same are the same: decimals without trailing zeros,
    /// one zero and one NaN among the floats. Text is left alone; JSON is, too, because its
    /// canonical form is only needed where it is compared.
    #[must_use]
    pub fn into_canonical(self) -> Self {
        match self {
            Value::Float(Float(0.0)) => Value::Float(Float(0.0)),
            Value::Float(Float(float)) if float.is_nan() => Value::Float(Float(f64::NAN)),
            Value::Decimal(decimal) => Value::Decimal(decimal.into_canonical()),
            Value::Array(mut array) => {
                array.elements = array.elements.into_iter().map(Value::into_canonical).collect();
                Value::Array(array)
            }
            other => other,
        }
    }

    /// The integer that a number stands for, if it is one: in columns of any kind `1` and `1.0` are
    /// the same to their source.
    pub fn whole(&self) -> Option<i64> {
        match self {
            Value::Int(int) => Some(*int),
            Value::Float(Float(float)) => whole_float(*float),
            Value::Decimal(decimal) => decimal.clone().into_canonical().to_string().parse().ok(),
            _ => None,
        }
    }
}

/// A float written in digits is rounded beyond 2^53, so it is not read from there.
fn whole_float(float: f64) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    let is_whole = float.fract() == 0.0 && (-END..END).contains(&float);
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and lies among the integers")]
    is_whole.then_some(float as i64)
}

impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Value::Int(int)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.into())
    }
}
impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Value::Bool(bool)
    }
}
impl From<f64> for Value {
    fn from(float: f64) -> Self {
        Value::Float(Float(float))
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn the_integer_of_a_number_is_exact() {
        for (float, whole) in [
            (0.0, Some(0)),
            (-0.0, Some(0)),
            (-7.0, Some(-7)),
            (0.5, None),
            (4_611_686_018_427_387_904.0, Some(4_611_686_018_427_387_904)),
            (9_223_372_036_854_774_784.0, Some(9_223_372_036_854_774_784)),
            (9_223_372_036_854_775_808.0, None),
            (-9_223_372_036_854_775_808.0, Some(i64::MIN)),
            (1e300, None),
            (f64::INFINITY, None),
            (f64::NAN, None),
        ] {
            assert_eq!(Value::from(float).whole(), whole, "{float}");
        }
        for (decimal, whole) in [("-0.00", Some(0)), ("7.00", Some(7)), ("7.01", None)] {
            assert_eq!(Value::Decimal(decimal.parse().unwrap()).whole(), whole, "{decimal}");
        }
    }
}
