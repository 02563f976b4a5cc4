//! Quantities as people write them: sizes, spans, percentages, points in time.
//!
//! In scope: numbers to text and ratios. Not in scope: what is measured. Called by the readers of [`super`] for their text summaries.

use crate::calendar::{Fraction, Rfc3339};

/// A size with a binary unit: `512 B`, `3.2 GiB`.
pub fn bytes(count: u64) -> String {
    const LARGER: [&str; 5] = ["MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut size, mut unit) = (count as f64 / 1024.0, "KiB");
    for larger in LARGER {
        // 1023.95 would be written `1024.0`, so the step up comes where the rounding does.
        if size < 1023.95 {
            break;
        }
        (size, unit) = (size / 1024.0, larger);
    }
    format!("{size:.1} {unit}")
}

/// A span in its two largest units: `3 d 4 h`, `12 min 5 s`.
pub fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// A count with its noun: `1 error`, `3 errors`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `part` of `whole` in percent, one decimal; `None` when the whole is nothing.
pub fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| tenths(part as f64 * 100.0 / whole as f64))
}

/// Rounded to one decimal, so that JSON shows `41.3` and not the noise behind it.
pub fn tenths(value: f64) -> f64 {
    // Adding zero turns the -0.0 of a slight frost into 0.0.
    (value * 10.0).round() / 10.0 + 0.0
}

/// A decimal that is a real quantity: finite and not negative. Rust reads `nan` and `inf` as numbers; JSON has neither.
pub fn decimal(text: &str) -> Option<f64> {
    let value: f64 = text.trim().parse().ok()?;
    (value.is_finite() && value >= 0.0).then_some(value)
}

/// Seconds since 1970 as RFC 3339 in UTC: `2026-03-01T12:00:00Z`.
pub fn timestamp(unix_seconds: u64) -> String {
    let seconds = i64::try_from(unix_seconds).unwrap_or(i64::MAX);
    Rfc3339::new(seconds.saturating_mul(1000), Fraction::Never).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_step_up_where_they_round_up() {
        for (count, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1024 * 1024 - 1, "1.0 MiB"),
            (3_435_973_837, "3.2 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn spans_show_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min 0 s"),
            (3_600, "1 h 0 min"),
            (86_399, "23 h 59 min"),
            (273_600, "3 d 4 h"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn dates_follow_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(timestamp(seconds), text);
        }
    }

    #[test]
    fn a_decimal_is_a_real_quantity() {
        assert_eq!(decimal(" 0.26\n"), Some(0.26));
        for text in ["nan", "inf", "-1", "", "0.2.6", "1e999"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn slight_frost_is_zero() {
        assert_eq!(tenths(-0.04).to_string(), "0");
        assert_eq!(tenths(-0.05).to_string(), "-0.1");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(
            (count(1, "error", "errors"), count(0, "error", "errors")),
            ("1 error".to_string(), "0 errors".to_string())
        );
    }

    #[test]
    fn nothing_of_nothing_has_no_percentage() {
        assert_eq!(percent(1, 3), Some(33.3));
        assert_eq!(percent(0, 0), None);
    }
}
