//! PURE: dates, times and spans as PostgreSQL writes them, checked at every step.

use super::scan::Scan;
use model::{Interval, Moment};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A date or a time, as far as it could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// It is this.
    Is(Moment),
    /// It is one, but no number of ours is as large.
    TooFar,
}

/// `2026-11-21`, `0044-03-15 BC`, `infinity`.
pub(super) fn date(text: &str) -> Option<Read> {
    ended(text).or_else(|| {
        let scan = &mut Scan::new(text);
        let (year, month, day) = civil(scan)?;
        let is_before_christ = scan.takes(" BC");
        scan.is_over().then_some(())?;
        Some(Read::Is(Moment::At(days(year, is_before_christ, month, day)?)))
    })
}

/// A date and a time; with an offset from UTC if it has one, which is then taken off.
pub(super) fn timestamp(text: &str) -> Option<Read> {
    ended(text).or_else(|| {
        let scan = &mut Scan::new(text);
        let (year, month, day) = civil(scan)?;
        scan.must(" ")?;
        let clock = read_clock(scan)?;
        let east = if matches!(scan.peek(), Some('+' | '-')) { offset(scan)? } else { 0 };
        let is_before_christ = scan.takes(" BC");
        scan.is_over().then_some(())?;
        let days = days(year, is_before_christ, month, day)?;
        let micros = i128::from(days) * i128::from(DAY) + i128::from(clock);
        let micros = micros - i128::from(east) * i128::from(SECOND);
        Some(i64::try_from(micros).map_or(Read::TooFar, |micros| Read::Is(Moment::At(micros))))
    })
}

/// `23:59:59.5`, and `24:00:00`.
pub(super) fn clock(text: &str) -> Option<i64> {
    let scan = &mut Scan::new(text);
    let micros = read_clock(scan)?;
    scan.is_over().then_some(micros)
}

/// A time with its offset from UTC, in seconds towards the east.
pub(super) fn clock_with_offset(text: &str) -> Option<(i64, i32)> {
    let scan = &mut Scan::new(text);
    let micros = read_clock(scan)?;
    let east = offset(scan)?;
    scan.is_over().then_some((micros, east))
}

/// `P1Y2M-3DT4H5M-6.5S`, as ISO 8601 has it but for its signs. From version 17 on a span may be
/// infinite, which the server itself keeps as the largest, or the smallest, of each part.
pub(super) fn interval(text: &str) -> Option<Interval> {
    match text {
        "infinity" => return Some(FOR_EVER),
        "-infinity" => return Some(SINCE_EVER),
        _ => {}
    }
    let scan = &mut Scan::new(text);
    scan.must("P")?;
    let (mut months, mut days, mut micros) = (0_i64, 0_i64, 0_i64);
    let mut in_time = false;
    while !scan.is_over() {
        in_time |= scan.takes("T");
        let is_negative = scan.is_negative();
        let sign = if is_negative { -1 } else { 1 };
        let whole = scan.digits()?.checked_mul(sign)?;
        let part = scan.millionths()?.checked_mul(sign)?;
        let unit = scan.next()?;
        if part != 0 && unit != 'S' {
            return None;
        }
        let (total, worth) = match (unit, in_time) {
            ('Y', false) => (&mut months, 12),
            ('M', false) => (&mut months, 1),
            ('D', false) => (&mut days, 1),
            ('H', true) => (&mut micros, 3_600 * SECOND),
            ('M', true) => (&mut micros, 60 * SECOND),
            ('S', true) => (&mut micros, SECOND),
            _ => return None,
        };
        *total = total.checked_add(whole.checked_mul(worth)?)?.checked_add(part)?;
    }
    Some(Interval { months: months.try_into().ok()?, days: days.try_into().ok()?, micros })
}

const FOR_EVER: Interval = Interval { months: i32::MAX, days: i32::MAX, micros: i64::MAX };
const SINCE_EVER: Interval = Interval { months: i32::MIN, days: i32::MIN, micros: i64::MIN };

/// The text of a date.
pub(super) fn date_text(moment: Moment) -> String {
    text(moment, |days| {
        let (date, era) = civil_text(days.into());
        date + era
    })
}

/// The text of a date and a time, with this behind it where it is neither end of time.
pub(super) fn timestamp_text(moment: Moment, zone: &str) -> String {
    text(moment, |micros| {
        let (date, era) = civil_text(micros.div_euclid(DAY).into());
        format!("{date} {}{zone}{era}", clock_text(micros.rem_euclid(DAY)))
    })
}

/// The text of a time of day.
pub(super) fn clock_text(micros: i64) -> String {
    let (minutes, rest) = (micros / (60 * SECOND), micros % (60 * SECOND));
    let seconds = format!("{:02}.{:06}", rest / SECOND, rest % SECOND);
    let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
    format!("{:02}:{:02}:{seconds}", minutes / 60, minutes % 60)
}

/// The text of an offset from UTC.
pub(super) fn offset_text(east: i32) -> String {
    let sign = if east < 0 { '-' } else { '+' };
    let east = east.unsigned_abs();
    format!("{sign}{:02}:{:02}:{:02}", east / 3_600, east / 60 % 60, east % 60)
}

/// The text of a span.
pub(super) fn interval_text(interval: Interval) -> String {
    match interval {
        FOR_EVER => return "infinity".to_owned(),
        SINCE_EVER => return "-infinity".to_owned(),
        _ => {}
    }
    let Interval { months, days, micros } = interval;
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    format!("P{months}M{days}DT{sign}{}.{:06}S", micros / 1_000_000, micros % 1_000_000)
}

fn ended(text: &str) -> Option<Read> {
    match text {
        "infinity" => Some(Read::Is(Moment::AfterAll)),
        "-infinity" => Some(Read::Is(Moment::BeforeAll)),
        _ => None,
    }
}

fn text(moment: Moment, at: impl Fn(i64) -> String) -> String {
    match moment {
        Moment::BeforeAll => "-infinity".to_owned(),
        Moment::At(number) => at(number),
        Moment::AfterAll => "infinity".to_owned(),
    }
}

fn read_clock(scan: &mut Scan<'_>) -> Option<i64> {
    let hours = scan.digits().filter(|it| (0..=24).contains(it))?;
    scan.must(":")?;
    let minutes = scan.digits().filter(|it| (0..60).contains(it))?;
    scan.must(":")?;
    let seconds = scan.digits().filter(|it| (0..=60).contains(it))?;
    Some(((hours * 60 + minutes) * 60 + seconds) * SECOND + scan.millionths()?)
}

fn offset(scan: &mut Scan<'_>) -> Option<i32> {
    matches!(scan.peek(), Some('+' | '-')).then_some(())?;
    let is_west = scan.is_negative();
    let mut east = 3_600 * scan.digits().filter(|it| (0..=99).contains(it))?;
    for worth in [60, 1] {
        if scan.takes(":") {
            east += worth * scan.digits().filter(|it| (0..60).contains(it))?;
        }
    }
    i32::try_from(if is_west { -east } else { east }).ok()
}

fn civil(scan: &mut Scan<'_>) -> Option<(i64, i64, i64)> {
    let year = scan.digits().filter(|it| (1..=9_999_999).contains(it))?;
    scan.must("-")?;
    let month = scan.digits().filter(|it| (1..=12).contains(it))?;
    scan.must("-")?;
    let day = scan.digits().filter(|it| (1..=31).contains(it))?;
    Some((year, month, day))
}

/// Days since 1970-01-01, none if the month has no such day. The calendar repeats every 400 years;
/// years here begin in March, so that the odd day is their last. Before the year one comes the first
/// before Christ.
fn days(year: i64, is_before_christ: bool, month: i64, day: i64) -> Option<i64> {
    let year = if is_before_christ { 1 - year } else { year };
    let of_march = year - i64::from(month <= 2);
    let (era, of_era) = (of_march.div_euclid(400), of_march.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (civil_of(days.into()) == (year.into(), month.into(), day.into())).then_some(days)
}

/// The date of a day, and how its era is marked.
fn civil_text(days: i128) -> (String, &'static str) {
    let (year, month, day) = civil_of(days);
    let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    (format!("{year:04}-{month:02}-{day:02}"), era)
}

/// Year, month and day of a day counted from 1970-01-01; over all that 64 bits can name.
fn civil_of(days: i128) -> (i128, i128, i128) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i128::from(month <= 2), month, day)
}
