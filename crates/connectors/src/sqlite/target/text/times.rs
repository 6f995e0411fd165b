//! PURE: dates, times and spans as text, over all that 64 bits can name.

use super::scan::Scan;
use model::{Interval, Kind, Moment, Value};

const SECOND: i128 = 1_000_000;
const DAY: i128 = 86_400 * SECOND;

/// The text of a date, a time or a span; none for other values.
pub(super) fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Date(moment) => moment_text(*moment, date),
        Value::Time(micros) => clock((*micros).into()),
        Value::TimeTz(micros, east) => clock((*micros).into()) + &zone((*east).into()),
        Value::Timestamp(moment) => moment_text(*moment, date_and_clock),
        Value::TimestampTz(moment) => moment_text(*moment, |at| date_and_clock(at) + "+00:00"),
        Value::Interval(Interval { months, days, micros }) => {
            let sign = if *micros < 0 { "-" } else { "" };
            format!("P{months}M{days}DT{sign}{}S", seconds(i128::from(*micros).abs(), 1))
        }
        _ => return None,
    })
}

/// The value of a kind from its text.
pub(super) fn read(kind: Kind, text: &str) -> Option<Value> {
    let scan = &mut Scan::new(text);
    let value = match kind {
        Kind::Date => Value::Date(read_moment(scan, read_date)?),
        Kind::Timestamp => Value::Timestamp(read_moment(scan, read_date_and_clock)?),
        Kind::TimestampTz => Value::TimestampTz(read_moment(scan, read_instant)?),
        Kind::Time => Value::Time(read_clock(scan)?.try_into().ok()?),
        Kind::TimeTz => {
            Value::TimeTz(read_clock(scan)?.try_into().ok()?, read_zone(scan)?.try_into().ok()?)
        }
        Kind::Interval => Value::Interval(read_interval(scan)?),
        _ => return None,
    };
    scan.end()?;
    Some(value)
}

fn moment_text(moment: Moment, text: impl Fn(i128) -> String) -> String {
    match moment {
        Moment::BeforeAll => "-infinity".to_owned(),
        Moment::At(at) => text(at.into()),
        Moment::AfterAll => "infinity".to_owned(),
    }
}

fn read_moment(
    scan: &mut Scan<'_>,
    read: impl Fn(&mut Scan<'_>) -> Option<i128>,
) -> Option<Moment> {
    if scan.take("-infinity").is_some() {
        return Some(Moment::BeforeAll);
    }
    if scan.take("infinity").is_some() {
        return Some(Moment::AfterAll);
    }
    Some(Moment::At(read(scan)?.try_into().ok()?))
}

/// A day of the Gregorian calendar, counted from 1970-01-01. The calendar repeats every 400 years;
/// years here begin in March, so that the odd day is their last.
fn date(days: i128) -> String {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i128::from(month <= 2);
    match year {
        0..10_000 => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:+05}-{month:02}-{day:02}"),
    }
}

fn read_date(scan: &mut Scan<'_>) -> Option<i128> {
    let year = scan.number()?;
    scan.take("-")?;
    let month: i128 = scan.digits()?.parse().ok()?;
    scan.take("-")?;
    let day: i128 = scan.digits()?.parse().ok()?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year.abs() > i64::MAX.into() {
        return None;
    }
    let year = year - i128::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn date_and_clock(micros: i128) -> String {
    format!("{} {}", date(micros.div_euclid(DAY)), clock(micros.rem_euclid(DAY)))
}

fn read_date_and_clock(scan: &mut Scan<'_>) -> Option<i128> {
    let days = read_date(scan)?;
    scan.take(" ")?;
    days.checked_mul(DAY)?.checked_add(read_clock(scan)?)
}

fn read_instant(scan: &mut Scan<'_>) -> Option<i128> {
    let at = read_date_and_clock(scan)?;
    scan.take("+00:00")?;
    Some(at)
}

fn clock(micros: i128) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.abs();
    let minutes = micros / (60 * SECOND);
    let seconds = seconds(micros % (60 * SECOND), 2);
    format!("{sign}{:02}:{:02}:{seconds}", minutes / 60, minutes % 60)
}

fn read_clock(scan: &mut Scan<'_>) -> Option<i128> {
    let negative = scan.sign();
    let hours: i128 = scan.digits()?.parse().ok()?;
    scan.take(":")?;
    let minutes: i128 = scan.digits()?.parse().ok()?;
    scan.take(":")?;
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    let micros = minutes.checked_mul(60 * SECOND)?.checked_add(read_seconds(scan)?)?;
    Some(if negative { -micros } else { micros })
}

/// Seconds with as many decimals as they need.
fn seconds(micros: i128, width: usize) -> String {
    let (whole, part) = (micros / SECOND, micros % SECOND);
    if part == 0 {
        return format!("{whole:0width$}");
    }
    format!("{whole:0width$}.{part:06}").trim_end_matches('0').to_owned()
}

fn read_seconds(scan: &mut Scan<'_>) -> Option<i128> {
    let whole: i128 = scan.digits()?.parse().ok()?;
    let mut part = 0;
    if scan.take(".").is_some() {
        let digits = scan.digits().filter(|digits| digits.len() <= 6)?;
        part = format!("{digits:0<6}").parse().ok()?;
    }
    whole.checked_mul(SECOND)?.checked_add(part)
}

fn zone(east: i128) -> String {
    let sign = if east < 0 { '-' } else { '+' };
    let (minutes, seconds) = (east.abs() / 60, east.abs() % 60);
    let text = format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    if seconds == 0 { text } else { format!("{text}:{seconds:02}") }
}

fn read_zone(scan: &mut Scan<'_>) -> Option<i128> {
    let negative = scan.sign();
    let hours: i128 = scan.digits()?.parse().ok()?;
    scan.take(":")?;
    let minutes: i128 = scan.digits()?.parse().ok()?;
    let mut seconds: i128 = 0;
    if scan.take(":").is_some() {
        seconds = scan.digits()?.parse().ok()?;
    }
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    let east = minutes.checked_mul(60)?.checked_add(seconds)?;
    Some(if negative { -east } else { east })
}

fn read_interval(scan: &mut Scan<'_>) -> Option<Interval> {
    scan.take("P")?;
    let months = scan.number()?.try_into().ok()?;
    scan.take("M")?;
    let days = scan.number()?.try_into().ok()?;
    scan.take("DT")?;
    let negative = scan.sign();
    let micros = read_seconds(scan)?;
    scan.take("S")?;
    let micros = if negative { -micros } else { micros };
    Some(Interval { months, days, micros: micros.try_into().ok()? })
}
