//! Points in time and durations as people and models write them, and as services want them.
//!
//! Pure: the present is an argument. Times are UTC, in milliseconds since 1970.

use crate::calendar::{Fraction, Rfc3339, parse_rfc3339};

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
        let scale = 10_i64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let fraction = fraction.parse::<i64>().ok()?.checked_mul(unit_ms)?;
        ms = ms.checked_add(fraction.checked_div(scale)?)?;
    }
    Some(ms)
}

/// A point in time: RFC 3339 or a date alone, unix seconds (milliseconds from 10^11 on), `now`, `now-1h`, `now+1h`,
/// or a duration that means "ago".
pub(super) fn parse_time(text: &str, now_ms: i64) -> Option<i64> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("now") {
        let rest = rest.trim();
        if rest.is_empty() {
            return Some(now_ms);
        }
        return match rest.strip_prefix('-') {
            Some(ago) => now_ms.checked_sub(parse_duration(ago)?),
            None => now_ms.checked_add(parse_duration(rest.strip_prefix('+')?)?),
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
    number
        .checked_mul(1000)?
        .checked_add(thousandths.parse().ok()?)
}

/// RFC 3339 in UTC, with milliseconds only where there are some; `None` outside the years 0 to 9999.
pub(super) fn rfc3339(ms: i64) -> Option<String> {
    let text = Rfc3339::new(ms, Fraction::Present).to_string();
    // A time out of range reads as the nearest end; here that would be another time than what was asked for.
    (parse_rfc3339(&text) == Some(ms)).then_some(text)
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
}
