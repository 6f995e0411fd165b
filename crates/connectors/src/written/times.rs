//! PURE: dates, times and spans, in the ways in which people write them.
//!
//! A time without a zone is one of UTC where an instant is wanted, as SQLite's own functions take it.
//! What names no day of the calendar, or more digits of a second than are kept, is no time.

use model::{Interval, Kind, Moment, Value};

const SECOND: i128 = 1_000_000;
const DAY: i128 = 86_400 * SECOND;

/// The value of a kind of time; none for other kinds.
pub(super) fn read(kind: Kind, text: &str) -> Option<Value> {
    Some(match kind {
        Kind::Date => Value::Date(moment(text, date)?),
        Kind::Timestamp => Value::Timestamp(moment(text, local)?),
        Kind::TimestampTz => Value::TimestampTz(moment(text, instant)?),
        Kind::Time => Value::Time(clock(text)?.try_into().ok()?),
        Kind::TimeTz => {
            let (clock_text, zone_text) = zoned(text);
            let east = zone(zone_text?)?;
            Value::TimeTz(clock(clock_text)?.try_into().ok()?, east.try_into().ok()?)
        }
        Kind::Interval => Value::Interval(interval(text)?),
        _ => return None,
    })
}

fn moment(text: &str, read: impl Fn(&str) -> Option<i128>) -> Option<Moment> {
    if text.eq_ignore_ascii_case("infinity") {
        return Some(Moment::AfterAll);
    }
    if text.eq_ignore_ascii_case("-infinity") {
        return Some(Moment::BeforeAll);
    }
    Some(Moment::At(read(text)?.try_into().ok()?))
}

/// A clock without a zone, or with that of UTC, which adds nothing.
fn local(text: &str) -> Option<i128> {
    let (micros, east) = dated(text)?;
    east.is_none_or(|east| east == 0).then_some(micros)
}

fn instant(text: &str) -> Option<i128> {
    let (micros, east) = dated(text)?;
    Some(micros - east.unwrap_or(0) * SECOND)
}

/// A date with a clock, and how far east of UTC that is, where it says so.
fn dated(text: &str) -> Option<(i128, Option<i128>)> {
    let (day, rest) = text.split_once([' ', 'T', 't'])?;
    let (clock_text, zone_text) = zoned(rest);
    let micros = clock(clock_text)?;
    let east = match zone_text {
        Some(text) => Some(zone(text)?),
        None => None,
    };
    let is_of_day = (0..DAY).contains(&micros);
    is_of_day.then_some((date(day)?.checked_mul(DAY)? + micros, east))
}

/// The days since 1970-01-01.
fn date(text: &str) -> Option<i128> {
    let (is_before, unsigned) = sign(text);
    let mut parts = unsigned.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() < 4 || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let year = if is_before { -digits(year)? } else { digits(year)? };
    let (month, day) = (usize::try_from(digits(month)?).ok()?, digits(day)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if is_leap { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(month.checked_sub(1)?)?;
    if !(1..=length).contains(&day) {
        return None;
    }
    let years = year - 1;
    let leaps = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    let before: i128 = lengths[..month - 1].iter().sum();
    Some(365 * years + leaps + before + day - 1 - 719_162)
}

/// Microseconds of `[-]H:MM[:SS[.ffffff]]`; hours may be any number.
fn clock(text: &str) -> Option<i128> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = unsigned.split(':');
    let hours = digits(parts.next()?)?;
    let minutes = parts.next().filter(|it| it.len() == 2).and_then(digits)?;
    let part = match parts.next() {
        Some(text) => seconds(text)?,
        None => 0,
    };
    if parts.next().is_some() || minutes >= 60 || part >= 60 * SECOND {
        return None;
    }
    let micros = (hours.checked_mul(60)? + minutes).checked_mul(60 * SECOND)?.checked_add(part)?;
    Some(if is_negative { -micros } else { micros })
}

/// Microseconds of seconds with a fraction or none.
fn seconds(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let kept = fraction.get(..6).unwrap_or(fraction);
    if !fraction[kept.len()..].bytes().all(|digit| digit == b'0') {
        return None;
    }
    digits(whole)?.checked_mul(SECOND)?.checked_add(digits(&format!("{kept:0<6}"))?)
}

/// What stands before a zone, and the zone.
fn zoned(text: &str) -> (&str, Option<&str>) {
    let is_zone = |&(at, c): &(usize, char)| at > 0 && matches!(c, 'Z' | 'z' | '+' | '-');
    match text.char_indices().find(is_zone) {
        Some((at, _)) => (text[..at].trim_end_matches(' '), Some(&text[at..])),
        None => (text, None),
    }
}

/// The seconds east of UTC of `Z`, `+HH`, `+HHMM` and `+HH:MM[:SS]`.
fn zone(text: &str) -> Option<i128> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (is_west, unsigned) = sign(text);
    let short = unsigned.split_at_checked(2).filter(|(_, rest)| rest.len() == 2);
    let parts: Vec<&str> = match short {
        Some((hours, minutes)) if !unsigned.contains(':') => vec![hours, minutes],
        _ => unsigned.split(':').collect(),
    };
    if parts.len() > 3 || parts[1..].iter().any(|part| part.len() != 2) {
        return None;
    }
    let mut east: i128 = 0;
    for at in 0..3 {
        let part = parts.get(at).map_or(Some(0), |part| digits(part))?;
        if at > 0 && part >= 60 {
            return None;
        }
        east = east.checked_mul(60)?.checked_add(part)?;
    }
    Some(if is_west { -east } else { east })
}

/// A span as ISO 8601 has it. Years are months and weeks are days, hours and minutes are seconds;
/// nothing else converts.
fn interval(text: &str) -> Option<Interval> {
    const UNITS: [(bool, char, usize, i128); 7] = [
        (false, 'Y', 0, 12),
        (false, 'M', 0, 1),
        (false, 'W', 1, 7),
        (false, 'D', 1, 1),
        (true, 'H', 2, 3_600 * SECOND),
        (true, 'M', 2, 60 * SECOND),
        (true, 'S', 2, SECOND),
    ];
    let mut rest = text.strip_prefix('P')?;
    let (mut sums, mut next, mut is_clock) = ([0_i128; 3], 0, false);
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('T').filter(|_| !is_clock) {
            (rest, is_clock) = (behind, true);
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, unit) = (&rest[..end], char::from(rest.as_bytes()[end]));
        let same = |it: &(bool, char, usize, i128)| it.0 == is_clock && it.1 == unit;
        let at = next + UNITS[next..].iter().position(same)?;
        let (_, _, sum, worth) = UNITS[at];
        let (is_negative, unsigned) = sign(number);
        let amount = match unit {
            'S' => seconds(unsigned)?,
            _ => digits(unsigned)?.checked_mul(worth)?,
        };
        sums[sum] = sums[sum].checked_add(if is_negative { -amount } else { amount })?;
        (rest, next) = (&rest[end + 1..], at + 1);
    }
    let [months, days, micros] = sums;
    (next > 0).then_some(Interval {
        months: months.try_into().ok()?,
        days: days.try_into().ok()?,
        micros: micros.try_into().ok()?,
    })
}

/// Whether there is a minus, and what stands behind the sign.
fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// A number that fits into 64 bits, of digits alone.
fn digits(text: &str) -> Option<i128> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<u64>().ok().filter(|_| is_number).map(i128::from)
}
