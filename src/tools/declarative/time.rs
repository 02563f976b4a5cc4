//! Points in time and durations as people and models write them, and as services want them.
//!
//! Pure: the present is an argument. Times are UTC, in milliseconds since 1970.

/// A duration: `90` (seconds), `1.5h`, `5m`, `1h30m`, `250ms`, `7d`, `2w`; in milliseconds.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return i64::from(seconds).checked_mul(1000);
    }
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit_len = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let unit_ms: i64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            _ => return None,
        };
        total = total.checked_add(scaled(number, unit_ms)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// `1.5` times a unit, without floating point.
fn scaled(number: &str, unit_ms: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || whole.len() > 12 || fraction.len() > 6 || fraction.contains('.') {
        return None;
    }
    let mut ms = whole.parse::<i64>().ok()?.checked_mul(unit_ms)?;
    if !fraction.is_empty() {
        let scale = 10_i64.pow(u32::try_from(fraction.len()).ok()?);
        ms = ms.checked_add(fraction.parse::<i64>().ok()?.checked_mul(unit_ms)? / scale)?;
    }
    Some(ms)
}

/// A point in time: RFC 3339 or a date alone, unix seconds (milliseconds from 10^11 on), `now`, `now-1h`, `now+1h`,
/// or a duration that means "ago".
pub(super) fn parse_time(text: &str, now_ms: i64) -> Option<i64> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("now") {
        let rest = rest.trim();
        return match rest.as_bytes().first() {
            None => Some(now_ms),
            Some(b'-') => now_ms.checked_sub(parse_duration(&rest[1..])?),
            Some(b'+') => now_ms.checked_add(parse_duration(&rest[1..])?),
            Some(_) => None,
        };
    }
    if let Some(ms) = parse_unix(text) {
        return Some(ms);
    }
    if let Some(ms) = parse_rfc3339(text) {
        return Some(ms);
    }
    now_ms.checked_sub(parse_duration(text)?)
}

fn parse_unix(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 13 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    if number >= 100_000_000_000 {
        return Some(number);
    }
    let mut thousandths = fraction.to_owned();
    thousandths.truncate(3);
    while thousandths.len() < 3 {
        thousandths.push('0');
    }
    Some(number * 1000 + thousandths.parse::<i64>().ok()?)
}

/// RFC 3339 section 5.6, with a space for `T`, a missing offset for UTC, and a date alone for its midnight.
fn parse_rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to)?;
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| {
            digits
                .iter()
                .fold(0, |n, digit| n * 10 + i64::from(digit - b'0'))
        })
    };
    let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
    if !(text.is_ascii() && is(4, b"-") && is(7, b"-")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_from_civil(year, month, day) * 86_400_000;
    if bytes.len() == 10 {
        return Some(midnight);
    }
    if !(is(10, b"Tt ") && is(13, b":")) {
        return None;
    }
    let (hour, minute) = (number(11, 13)?, number(14, 16)?);
    let (second, mut at) = match is(16, b":") {
        true => (number(17, 19)?, 19),
        false => (0, 16),
    };
    // A leap second counts as the one after.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut ms = midnight + ((hour * 60 + minute) * 60 + second) * 1000;
    if is(at, b".") {
        let digits = bytes[at + 1..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 {
            return None;
        }
        let mut unit = 100;
        for digit in bytes[at + 1..].iter().take(digits.min(3)) {
            ms += i64::from(digit - b'0') * unit;
            unit /= 10;
        }
        at += 1 + digits;
    }
    let offset = match bytes.get(at) {
        None => 0,
        Some(b'Z' | b'z') if bytes.len() == at + 1 => 0,
        Some(sign @ (b'+' | b'-')) if bytes.len() == at + 6 && is(at + 3, b":") => {
            let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = hours * 60 + minutes;
            if *sign == b'+' { minutes } else { -minutes }
        }
        Some(_) => return None,
    };
    Some(ms - offset * 60_000)
}

/// RFC 3339 in UTC, with milliseconds only where there are some; `None` outside the years 0 to 9999.
pub(super) fn rfc3339(ms: i64) -> Option<String> {
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil_from_days(days);
    if !(0..=9999).contains(&year) {
        return None;
    }
    let (seconds, thousandths) = (rest / 1000, rest % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = match thousandths {
        0 => String::new(),
        thousandths => format!(".{thousandths:03}"),
    };
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"
    ))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years begin in March here, so that the leap day is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T12:00:00Z.
    const NOW: i64 = 1_795_262_400_000;

    #[test]
    fn durations() {
        for (text, ms) in [
            ("90", 90_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("250ms", 250),
            ("7d", 604_800_000),
            ("2w", 1_209_600_000),
            ("0", 0),
        ] {
            assert_eq!(parse_duration(text), Some(ms), "{text}");
        }
        for text in [
            "",
            "m",
            "5x",
            "5 m",
            "-5m",
            "1..5h",
            "5m3",
            "99999999999999w",
            "ü5m",
            "5mü",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(rfc3339(NOW).as_deref(), Some("2026-11-21T12:00:00Z"));
        for (text, expected) in [
            ("now", "2026-11-21T12:00:00Z"),
            ("now-1h", "2026-11-21T11:00:00Z"),
            ("now + 90", "2026-11-21T12:01:30Z"),
            ("7d", "2026-11-14T12:00:00Z"),
            ("1795262400", "2026-11-21T12:00:00Z"),
            ("1795262400.25", "2026-11-21T12:00:00.250Z"),
            ("1795262400250", "2026-11-21T12:00:00.250Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("2026-11-21T13:00:00+01:00", "2026-11-21T12:00:00Z"),
            ("2026-11-21t12:00:00.5z", "2026-11-21T12:00:00.500Z"),
            ("2026-11-21 12:00", "2026-11-21T12:00:00Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            let ms = parse_time(text, NOW).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(rfc3339(ms).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "now-",
            "nowish",
            "now-x",
            "2023-02-29",
            "2026-13-01",
            "2026-11-21T",
            "2026-11-21T24:00:00Z",
            "2026-11-21T12:00:00+0100",
            "2026-11-21T12:00:00.Z",
            "2026-11-21T12:00:00Zx",
            "12345678901234",
            "1e99",
            "2026-11-2ü",
        ] {
            assert_eq!(parse_time(text, NOW), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_400_years_comes_back() {
        let mut days = days_from_civil(1970, 1, 1);
        assert_eq!(days, 0);
        for year in 1970..2370 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    assert_eq!(days_from_civil(year, month, day), days);
                    assert_eq!(civil_from_days(days), (year, month, day));
                    days += 1;
                }
            }
        }
    }
}
