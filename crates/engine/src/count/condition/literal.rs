//! Texts that stand for a date, a time or a UUID: one way to write each, whatever a server accepts.
//!
//! Must not know: columns, comparisons.

use model::{Kind, Moment, Value};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// The value of a kind that a text stands for, if it is written in the one way for it.
pub(super) fn read(kind: Kind, text: &str) -> Option<Value> {
    let scan = &mut Scan { rest: text.as_bytes() };
    let value = match kind {
        Kind::Date => Value::Date(infinity(text).or_else(|| scan.date().map(Moment::At))?),
        Kind::Time => Value::Time(scan.time(true)?),
        Kind::Timestamp => {
            Value::Timestamp(infinity(text).or_else(|| scan.timestamp().map(Moment::At))?)
        }
        Kind::TimestampTz => {
            Value::TimestampTz(infinity(text).or_else(|| scan.instant().map(Moment::At))?)
        }
        Kind::Uuid => Value::Uuid(scan.uuid()?),
        _ => return None,
    };
    (scan.rest.is_empty() || infinity(text).is_some()).then_some(value)
}

/// The one way to write a value of a kind; none for kinds that no literal stands for.
pub(super) fn pattern(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Date => Some("'2024-02-29'"),
        Kind::Time => Some("'23:59:59' or '23:59:59.5'"),
        Kind::Timestamp => Some("'2024-02-29 23:59:59' or '2024-02-29 23:59:59.5'"),
        Kind::TimestampTz => Some("'2024-02-29 23:59:59Z' or '2024-02-29 23:59:59+01:00'"),
        Kind::Uuid => Some("'123e4567-e89b-12d3-a456-426614174000'"),
        _ => None,
    }
}

fn infinity(text: &str) -> Option<Moment> {
    match text {
        "infinity" => Some(Moment::AfterAll),
        "-infinity" => Some(Moment::BeforeAll),
        _ => None,
    }
}

struct Scan<'a> {
    rest: &'a [u8],
}

impl Scan<'_> {
    /// Takes exactly this many digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    }

    fn skip(&mut self, any_of: &[u8]) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        any_of.contains(first).then(|| {
            self.rest = rest;
            *first
        })
    }

    /// Days since 1970.
    fn date(&mut self) -> Option<i64> {
        let year = self.digits(4)?;
        self.skip(b"-")?;
        let month = self.digits(2)?;
        self.skip(b"-")?;
        let day = self.digits(2)?;
        let real =
            year >= 1 && (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
        real.then(|| days_before_year(year) + days_before_month(year, month) + day - 1)
    }

    /// Microseconds since midnight, of which there are two on a clock without a date.
    fn time(&mut self, ends_at_midnight: bool) -> Option<i64> {
        let hours = self.digits(2)?;
        self.skip(b":")?;
        let minutes = self.digits(2)?;
        self.skip(b":")?;
        let seconds = self.digits(2)?;
        let mut micros = 0;
        if self.skip(b".").is_some() {
            let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let places = u32::try_from(count).ok().filter(|places| (1..=6).contains(places))?;
            micros = self.digits(count)? * 10_i64.pow(6 - places);
        }
        let time = ((hours * 60 + minutes) * 60 + seconds) * MICROS_PER_SECOND + micros;
        let real = minutes < 60 && seconds < 60;
        (real && (time < MICROS_PER_DAY || ends_at_midnight && time == MICROS_PER_DAY))
            .then_some(time)
    }

    /// Microseconds since 1970 of a clock without a zone.
    fn timestamp(&mut self) -> Option<i64> {
        let days = self.date()?;
        self.skip(b" T")?;
        Some(days * MICROS_PER_DAY + self.time(false)?)
    }

    /// Microseconds since 1970 UTC; the zone is part of the text, since a server's own would be
    /// another one elsewhere.
    fn instant(&mut self) -> Option<i64> {
        let local = self.timestamp()?;
        let sign = match self.skip(b"Z+-")? {
            b'Z' => return Some(local),
            b'+' => 1,
            _ => -1,
        };
        let hours = self.digits(2)?;
        let minutes = if self.skip(b":").is_some() { self.digits(2)? } else { 0 };
        let east = sign * (hours * 60 + minutes) * 60;
        (hours < 16 && minutes < 60).then_some(local - east * MICROS_PER_SECOND)
    }

    fn uuid(&mut self) -> Option<[u8; 16]> {
        let mut uuid = [0; 16];
        for (place, byte) in uuid.iter_mut().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                self.skip(b"-")?;
            }
            *byte = self.hex()? << 4 | self.hex()?;
        }
        Some(uuid)
    }

    fn hex(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        u8::try_from(char::from(*first).to_digit(16)?).ok()
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to the start of a year.
fn days_before_year(year: i64) -> i64 {
    /// Days from the start of the year 1 to that of 1970.
    const EPOCH: i64 = 719_162;
    let passed = year - 1;
    passed * 365 + passed / 4 - passed / 100 + passed / 400 - EPOCH
}

fn days_before_month(year: i64, month: i64) -> i64 {
    (1..month).map(|month| month_days(year, month)).sum()
}

#[cfg(test)]
mod tests {
    use super::read;
    use model::{Kind, Moment, Value};

    const DAY: i64 = 86_400_000_000;

    #[test]
    fn dates_count_from_1970() {
        let date = |text| read(Kind::Date, text);
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2000-03-01", 11_017),
            ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(date(text), Some(Value::Date(Moment::At(days))), "{text}");
        }
        assert_eq!(date("infinity"), Some(Value::Date(Moment::AfterAll)));
        assert_eq!(date("-infinity"), Some(Value::Date(Moment::BeforeAll)));
    }

    #[test]
    fn what_is_written_in_another_way_is_not_read() {
        for (kind, text) in [
            (Kind::Date, "1900-02-29"),
            (Kind::Date, "2024-13-01"),
            (Kind::Date, "2024-1-1"),
            (Kind::Date, "0000-01-01"),
            (Kind::Date, "2024-01-01 00:00:00"),
            (Kind::Date, "today"),
            (Kind::Time, "24:00:01"),
            (Kind::Time, "12:00"),
            (Kind::Time, "12:00:00.1234567"),
            (Kind::Time, "12:00:00."),
            (Kind::Time, "infinity"),
            (Kind::Timestamp, "2024-01-01"),
            (Kind::Timestamp, "2024-01-01 24:00:00"),
            (Kind::Timestamp, "2024-01-01 00:00:00Z"),
            (Kind::TimestampTz, "2024-01-01 00:00:00"),
            (Kind::TimestampTz, "2024-01-01 00:00:00+16"),
            (Kind::TimestampTz, "2024-01-01 00:00:00+01:60"),
            (Kind::Uuid, "123e4567e89b12d3a456426614174000"),
            (Kind::Uuid, "123e4567-e89b-12d3-a456-42661417400é"),
            (Kind::Uuid, "123e4567-e89b-12d3-a456-4266141740000"),
            (Kind::Json, "{}"),
            (Kind::Date, ""),
        ] {
            assert_eq!(read(kind, text), None, "{text}");
        }
    }

    #[test]
    fn times_and_zones_count_in_microseconds() {
        assert_eq!(read(Kind::Time, "24:00:00"), Some(Value::Time(DAY)));
        assert_eq!(read(Kind::Time, "00:00:00.05"), Some(Value::Time(50_000)));
        let timestamp = read(Kind::Timestamp, "1970-01-02T00:00:01");
        assert_eq!(timestamp, Some(Value::Timestamp(Moment::At(DAY + 1_000_000))));
        for text in ["1970-01-02 01:30:00+01:30", "1970-01-01 22:00:00-02", "1970-01-02 00:00:00Z"]
        {
            let instant = read(Kind::TimestampTz, text);
            assert_eq!(instant, Some(Value::TimestampTz(Moment::At(DAY))), "{text}");
        }
    }

    #[test]
    fn a_uuid_is_read_in_either_case() {
        let uuid =
            Value::Uuid(*b"\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x00");
        assert_eq!(read(Kind::Uuid, "123E4567-e89b-12d3-a456-426614174000"), Some(uuid));
    }
}
