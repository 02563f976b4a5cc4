//! The Gregorian calendar in UTC, and points in time as RFC 3339 text. Pure: the clock is the caller's.
//!
//! In scope: unix time to year, month and day and back; RFC 3339 both ways. Not in scope: time zones by name, leap
//! seconds (unix time has none), durations.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::fmt;

/// Milliseconds since 1970 of 0000-01-01T00:00:00.000Z, the earliest time that four digits of year can say.
pub const UNIX_MS_MIN: i64 = -62_167_219_200_000;
/// Milliseconds since 1970 of 9999-12-31T23:59:59.999Z, the latest.
pub const UNIX_MS_MAX: i64 = 253_402_300_799_999;

const MS_PER_DAY: i64 = 86_400_000;

/// A point in time, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utc {
    /// 0 to 9999.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 6, from Sunday.
    pub weekday: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
    /// 0 to 999.
    pub millisecond: i64,
}

impl Utc {
    /// The time `unix_ms` milliseconds after 1970 began. Times outside the years 0 to 9999 read as the nearest end, so
    /// that a broken clock cannot panic.
    pub fn from_unix_ms(unix_ms: i64) -> Utc {
        let unix_ms = unix_ms.clamp(UNIX_MS_MIN, UNIX_MS_MAX);
        let (days, ms) = (
            unix_ms.div_euclid(MS_PER_DAY),
            unix_ms.rem_euclid(MS_PER_DAY),
        );
        let (year, month, day) = civil_from_days(days);
        Utc {
            year,
            month,
            day,
            // 1970-01-01 was a Thursday.
            weekday: days.saturating_add(4).rem_euclid(7),
            hour: ms / 3_600_000,
            minute: ms / 60_000 % 60,
            second: ms / 1000 % 60,
            millisecond: ms % 1000,
        }
    }
}

/// A point in time that shows itself as RFC 3339 text: `2026-03-01T12:00:00.250Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfc3339 {
    unix_ms: i64,
    fraction: Fraction,
}

/// Whether a text has milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fraction {
    /// Always, also `.000`.
    Always,
    /// What there are is cut off.
    Never,
    /// Only where there are some.
    Present,
}

impl Rfc3339 {
    /// The text of a time in milliseconds since 1970; outside the years 0 to 9999 that of the nearest end.
    pub fn new(unix_ms: i64, fraction: Fraction) -> Rfc3339 {
        Rfc3339 { unix_ms, fraction }
    }
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Utc {
            year,
            month,
            day,
            hour,
            minute,
            second,
            millisecond,
            ..
        } = Utc::from_unix_ms(self.unix_ms);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        let has_fraction = match self.fraction {
            Fraction::Always => true,
            Fraction::Never => false,
            Fraction::Present => millisecond != 0,
        };
        if has_fraction {
            write!(f, ".{millisecond:03}")?;
        }
        f.write_str("Z")
    }
}

/// Reads RFC 3339 (section 5.6) as milliseconds since 1970; digits after the third of a fraction are cut off.
///
/// People and models write less than the standard asks for, so four more forms are read where they can mean only one
/// thing: a space for the `T`, no seconds, no offset (UTC), and a date alone (its midnight). A leap second counts as
/// the second after it. `None` for anything else.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years have four digits, and the rest is smaller"
)]
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (year, month, day) = parse_date(date.as_bytes())?;
    let midnight = days_from_civil(year, month, day) * MS_PER_DAY;
    if rest.is_empty() {
        return Some(midnight);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?.as_bytes();
    let (hour, rest) = number(rest, 2, 23)?;
    let (minute, mut rest) = number(rest.strip_prefix(b":")?, 2, 59)?;
    let mut second = 0;
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix(b":") {
        (second, rest) = number(after, 2, 60)?;
        if let Some(after) = rest.strip_prefix(b".") {
            (fraction, rest) = thousandths(after)?;
        }
    }
    let offset = parse_offset(rest)?;
    let seconds = (hour * 60 + minute - offset) * 60 + second;
    Some(midnight + seconds * 1000 + fraction)
}

/// `2026-03-01`, of a day that exists.
fn parse_date(text: &[u8]) -> Option<(i64, i64, i64)> {
    let (year, rest) = number(text, 4, 9999)?;
    let (month, rest) = number(rest.strip_prefix(b"-")?, 2, 12)?;
    let (day, rest) = number(rest.strip_prefix(b"-")?, 2, 31)?;
    let exists = month >= 1 && (1..=days_in_month(year, month)).contains(&day);
    (exists && rest.is_empty()).then_some((year, month, day))
}

/// The minutes that local time is ahead of UTC: `Z`, `+01:00`, or nothing.
#[expect(clippy::arithmetic_side_effects, reason = "a day is the most")]
fn parse_offset(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text {
        [] | b"Z" | b"z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = number(rest, 2, 23)?;
    let (minutes, rest) = number(rest.strip_prefix(b":")?, 2, 59)?;
    rest.is_empty().then_some(sign * (hours * 60 + minutes))
}

/// Exactly `len` digits that say at most `max`, and what follows them.
fn number(text: &[u8], len: usize, max: i64) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(len)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number <= max).then_some((number, rest))
}

/// The digits of a fraction, at least one, in thousandths, and what follows them.
#[expect(clippy::arithmetic_side_effects, reason = "three digits")]
fn thousandths(text: &[u8]) -> Option<(i64, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    let digit = |at: usize| i64::from(digits.get(at).map_or(0, |digit| digit.wrapping_sub(b'0')));
    (!digits.is_empty()).then(|| (digit(0) * 100 + digit(1) * 10 + digit(2), rest))
}

/// How many days a month has; `month` is 1 to 12.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Both ways count years from March, so that the leap day is a year's last and the months before it have a regular
// pattern: five months have 153 days. An era is 400 years, 146,097 days; from 0000-03-01 to 1970-01-01 it is 719,468.

/// Days since 1970-01-01 of a date in the Gregorian calendar, run backwards before 1582.
#[expect(clippy::arithmetic_side_effects, reason = "years have four digits")]
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month (1 to 12) and day (1 to 31) of a day counted from 1970-01-01.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "days are of years with four digits"
)]
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// For fuzzing: what is read as a point in time is written as a text that reads as the same.
#[doc(hidden)]
pub fn fuzz_rfc3339(text: &str) {
    if let Some(ms) = parse_rfc3339(text)
        && (0..=UNIX_MS_MAX).contains(&ms)
    {
        let written = Rfc3339::new(ms, Fraction::Present).to_string();
        assert_eq!(parse_rfc3339(&written), Some(ms), "{text:?} as {written}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shown, and read back.
    #[track_caller]
    fn check(unix_ms: i64, expected: &str) {
        let text = Rfc3339::new(unix_ms, Fraction::Always).to_string();
        assert_eq!(text, expected);
        assert_eq!(parse_rfc3339(&text), Some(unix_ms), "{text}");
    }

    #[test]
    fn times_are_shown_and_read_back() {
        check(0, "1970-01-01T00:00:00.000Z");
        check(-1, "1969-12-31T23:59:59.999Z");
        check(-86_400_000, "1969-12-31T00:00:00.000Z");
        check(-2_208_988_800_000, "1900-01-01T00:00:00.000Z");
        check(UNIX_MS_MIN, "0000-01-01T00:00:00.000Z");
        check(951_782_399_999, "2000-02-28T23:59:59.999Z");
        check(951_782_400_000, "2000-02-29T00:00:00.000Z");
        check(1_709_210_096_007, "2024-02-29T12:34:56.007Z");
        check(2_147_483_648_000, "2038-01-19T03:14:08.000Z");
        check(4_107_542_399_000, "2100-02-28T23:59:59.000Z");
        check(4_107_542_400_000, "2100-03-01T00:00:00.000Z");
        check(4_294_967_296_000, "2106-02-07T06:28:16.000Z");
        check(UNIX_MS_MAX, "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn what_is_later_than_can_be_written_is_read_all_the_same() {
        let text = "9999-12-31T23:59:59-23:59";
        assert!(parse_rfc3339(text) > Some(UNIX_MS_MAX));
        fuzz_rfc3339(text);
    }

    #[test]
    fn impossible_clocks_read_as_the_nearest_end() {
        for (unix_ms, end) in [(i64::MAX, UNIX_MS_MAX), (i64::MIN, UNIX_MS_MIN)] {
            assert_eq!(Utc::from_unix_ms(unix_ms), Utc::from_unix_ms(end));
        }
    }

    #[test]
    fn a_fraction_is_shown_as_asked_for() {
        for (unix_ms, fraction, expected) in [
            (1500, Fraction::Always, "1970-01-01T00:00:01.500Z"),
            (1500, Fraction::Never, "1970-01-01T00:00:01Z"),
            (1500, Fraction::Present, "1970-01-01T00:00:01.500Z"),
            (1000, Fraction::Present, "1970-01-01T00:00:01Z"),
        ] {
            assert_eq!(Rfc3339::new(unix_ms, fraction).to_string(), expected);
        }
    }

    #[test]
    fn one_time_has_many_spellings() {
        for text in [
            "2026-11-21T12:00:00Z",
            "2026-11-21t12:00:00z",
            "2026-11-21 12:00:00.0009Z",
            "2026-11-21T12:00",
            "2026-11-21T12:00Z",
            "2026-11-21T13:30:00+01:30",
            "2026-11-20T12:01:00-23:59",
            "2026-11-21T11:59:60Z",
        ] {
            assert_eq!(parse_rfc3339(text), Some(1_795_262_400_000), "{text}");
        }
        assert_eq!(parse_rfc3339("2024-02-29"), Some(1_709_164_800_000));
        assert_eq!(parse_rfc3339("1970-01-01T00:00:00.5Z"), Some(500));
        assert_eq!(parse_rfc3339("1970-01-01T00:00:00.12345Z"), Some(123));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026",
            "2026-11-2",
            "2026-11-210",
            "2026-11-2ü",
            "+026-11-21",
            "2026-00-21",
            "2026-13-21",
            "2026-11-00",
            "2026-11-31",
            "2023-02-29",
            "2100-02-29",
            "2026-11-21T",
            "2026-11-21T1",
            "2026-11-21T12",
            "2026-11-21T24:00:00Z",
            "2026-11-21T12:60:00Z",
            "2026-11-21T12:00:61Z",
            "2026-11-21T12:00:00.Z",
            "2026-11-21T12:00.5Z",
            "2026-11-21T12:00:00Zx",
            "2026-11-21T12:00:00+0100",
            "2026-11-21T12:00:00+24:00",
            "2026-11-21T12:00:00+01:60",
            "2026-11-21T12:00:00+01:0",
            "2026-11-21T12:00:00 Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn days_follow_one_another_through_two_eras_around_1970() {
        let first = -146_097;
        let mut days = first;
        let (mut year, mut month, mut day) = civil_from_days(days);
        assert_eq!((year, month, day), (1570, 1, 1));
        while days < 146_097 {
            assert_eq!(civil_from_days(days), (year, month, day));
            assert_eq!(days_from_civil(year, month, day), days);
            let weekday = Utc::from_unix_ms(days * MS_PER_DAY).weekday;
            // As many days in a row as the calendar has; 400 years are whole weeks.
            assert_eq!(weekday, (4 + days - first).rem_euclid(7));
            days += 1;
            day += 1;
            if day > days_in_month(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (2370, 1, 1));
    }
}
