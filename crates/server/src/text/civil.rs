//! PURE: days and times of day in writing, in the way of ISO 8601, over the whole range of 64 bits.
//!
//! Servers keep dates far beyond the year 9999; those are written with a sign, as the standard asks.
//!
//! Must not know: zones with names, leap seconds.

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// Days of four hundred years, after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;
/// From the first of March of the year zero to the first of January 1970.
const DAYS_TO_1970: i64 = 719_468;

/// A day, given as days since 1970.
pub(crate) fn write_date(days: i64) -> String {
    let shifted = i128::from(days) + i128::from(DAYS_TO_1970);
    let era = shifted.div_euclid(DAYS_PER_ERA.into());
    let day = shifted.rem_euclid(DAYS_PER_ERA.into());
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months are counted from March, so that the day that comes and goes is the last of its year.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i128::from(month <= 2);
    match year {
        0..=9_999 => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:+05}-{month:02}-{day:02}"),
    }
}

/// A time of day, given as microseconds since midnight; as many digits of a second as it has.
pub(crate) fn write_time(micros: i64) -> String {
    let (seconds, fraction) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{hours:02}:{minutes:02}:{seconds:02}");
    if fraction != 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text
}

/// A moment of a clock without a zone, given as microseconds since 1970.
pub(crate) fn write_timestamp(micros: i64) -> String {
    let (days, time) = (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY));
    format!("{}T{}", write_date(days), write_time(time))
}

/// A moment with all digits of its microseconds, as RFC 3339 wants it.
pub fn write_instant(micros: i64) -> String {
    let (days, time) = (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY));
    let fraction = time % MICROS_PER_SECOND;
    format!("{}T{}.{fraction:06}Z", write_date(days), write_time(time - fraction))
}

/// A zone, given as seconds east of UTC.
pub(crate) fn write_zone(east: i32) -> String {
    let sign = if east < 0 { '-' } else { '+' };
    let east = east.unsigned_abs();
    let (hours, minutes, seconds) = (east / 3_600, east / 60 % 60, east % 60);
    match seconds {
        0 => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

/// Days since 1970, if the whole text is a date.
pub(crate) fn read_date(text: &str) -> Option<i64> {
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => (1, text),
    };
    let mut parts = unsigned.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let is_plain = unsigned.len() == text.len();
    let has_length = if is_plain { year.len() == 4 } else { (4..=17).contains(&year.len()) };
    let year = sign * digits(year).filter(|_| has_length)?;
    let month = digits(month).filter(|it| month.len() == 2 && (1..=12).contains(it))?;
    let day = digits(day).filter(|_| day.len() == 2)?;
    let days = days_of(year, month, day);
    // What is no day of the calendar is written differently.
    let days = i64::try_from(days).ok()?;
    (write_date(days) == text).then_some(days)
}

/// Microseconds since midnight, if the whole text is a time; 24:00:00 is one.
pub(crate) fn read_time(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let [hours, minutes, seconds] = sixties(clock)?;
    let places = u32::try_from(fraction.len()).ok().filter(|it| (1..=6).contains(it))?;
    let fraction = digits(fraction)? * 10_i64.pow(6 - places);
    let micros = ((hours * 60 + minutes) * 60 + seconds) * MICROS_PER_SECOND + fraction;
    (hours <= 24 && micros <= MICROS_PER_DAY).then_some(micros)
}

/// Microseconds since 1970, if the whole text is a moment of a clock without a zone.
pub(crate) fn read_timestamp(text: &str) -> Option<i64> {
    let at = text.find(['T', ' '])?;
    let (days, time) = (read_date(&text[..at])?, read_time(&text[at + 1..])?);
    let micros = i128::from(days) * i128::from(MICROS_PER_DAY) + i128::from(time);
    i64::try_from(micros).ok().filter(|_| time < MICROS_PER_DAY)
}

/// Microseconds since 1970 in UTC, if the whole text is a moment with a zone.
pub(crate) fn read_instant(text: &str) -> Option<i64> {
    let (local, east) = split_zone(text)?;
    read_timestamp(local)?.checked_sub(i64::from(east) * MICROS_PER_SECOND)
}

/// What stands before a zone, and the zone as seconds east of UTC.
pub(crate) fn split_zone(text: &str) -> Option<(&str, i32)> {
    if let Some(local) = text.strip_suffix('Z') {
        return Some((local, 0));
    }
    // A date has such signs too, but no colon.
    let at = text.rfind(['+', '-']).filter(|at| text[*at..].contains(':'))?;
    let sign = if text[at..].starts_with('-') { -1 } else { 1 };
    let [hours, minutes, seconds] = match text[at + 1..].matches(':').count() {
        1 => sixties(&format!("{}:00", &text[at + 1..]))?,
        _ => sixties(&text[at + 1..])?,
    };
    let east = sign * i32::try_from((hours * 60 + minutes) * 60 + seconds).ok()?;
    (hours < 24).then_some((&text[..at], east))
}

fn days_of(year: i64, month: i64, day: i64) -> i128 {
    let year = i128::from(year) - i128::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = i128::from(if month > 2 { month - 3 } else { month + 9 });
    let of_year = (153 * month + 2) / 5 + i128::from(day) - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * i128::from(DAYS_PER_ERA) + of_era - i128::from(DAYS_TO_1970)
}

/// Three pairs of digits, the latter two below sixty.
fn sixties(text: &str) -> Option<[i64; 3]> {
    let mut parts = text.split(':');
    let mut next = || digits(parts.next().filter(|part| part.len() == 2)?);
    let found = [next()?, next()?, next()?];
    (parts.next().is_none() && found[1] < 60 && found[2] < 60).then_some(found)
}

/// A number of nothing but digits.
fn digits(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_and_moments_are_written_as_people_know_them() {
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (11_016, "2000-02-29"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (2_932_897, "+10000-01-01"),
        ] {
            assert_eq!((write_date(days).as_str(), read_date(text)), (text, Some(days)));
        }
        assert_eq!(write_instant(1_795_269_751_112_000), "2026-11-21T14:02:31.112000Z");
        assert_eq!(write_instant(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(read_instant("2026-11-21 16:02:31.112+02:00"), Some(1_795_269_751_112_000));
        assert_eq!(read_time("24:00:00"), Some(MICROS_PER_DAY));
        assert_eq!(split_zone("10:00:00-00:30"), Some(("10:00:00", -1_800)));
    }

    #[test]
    fn what_is_no_day_or_time_is_refused() {
        for text in
            ["2023-02-29", "2024-13-01", "2024-1-1", "24-01-01", "2024-01-01x", "", "-", "+"]
        {
            assert_eq!(read_date(text), None, "{text:?}");
        }
        for text in ["24:00:00.1", "25:00:00", "1:00:00", "10:60:00", "10:00", "10:00:00."] {
            assert_eq!(read_time(text), None, "{text:?}");
        }
        for text in ["2024-01-01", "2024-01-01T24:00:00", "2024-01-01T10:00:00Z", "T"] {
            assert_eq!(read_timestamp(text), None, "{text:?}");
        }
        for text in ["2024-01-01T10:00:00", "2024-01-01T10:00:00+25:00", "Z", "é+é:é"] {
            assert_eq!(read_instant(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_day_and_moment_is_read_back_as_it_was_written(at: i64, time in 0..=MICROS_PER_DAY) {
            prop_assert_eq!(read_date(&write_date(at)), Some(at));
            prop_assert_eq!(read_timestamp(&write_timestamp(at)), Some(at));
            prop_assert_eq!(read_instant(&write_instant(at)), Some(at));
            prop_assert_eq!(read_time(&write_time(time)), Some(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}", near in "[-+0-9:TZ .é]{0,30}") {
            for text in [text, near] {
                let _ = (read_date(&text), read_time(&text), read_timestamp(&text));
                let _ = (read_instant(&text), split_zone(&text));
            }
        }
    }
}
