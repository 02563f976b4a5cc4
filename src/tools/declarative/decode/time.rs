//! Points in time as services count them, written so that a model can read them.

use crate::calendar::{Fraction, Rfc3339};

/// A time as RFC 3339, with milliseconds if there are any; `None` for 0, what is before 1970, and
/// what is no time at all.
pub fn rfc3339(unix_ms: f64) -> Option<String> {
    let ms = unix_ms.round();
    if !(1.0..=MS_MAX).contains(&ms) {
        return None;
    }
    // Whole and in range, so that its text is that of an integer.
    let ms = format!("{ms:.0}").parse().ok()?;
    Some(Rfc3339::new(ms, Fraction::Present).to_string())
}

/// The last millisecond of year 9999: beyond it the format has no years.
const MS_MAX: f64 = 253_402_300_799_999.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(unix_ms: f64, expected: Option<&str>) {
        assert_eq!(rfc3339(unix_ms).as_deref(), expected, "{unix_ms}");
    }

    #[test]
    fn times_and_what_is_none() {
        check(1_700_000_000_000.0, Some("2023-11-14T22:13:20Z"));
        check(1_700_000_000_001.4, Some("2023-11-14T22:13:20.001Z"));
        check(1.0, Some("1970-01-01T00:00:00.001Z"));
        check(MS_MAX, Some("9999-12-31T23:59:59.999Z"));
        for none in [
            0.0,
            0.4,
            -1.0,
            MS_MAX + 1.0,
            f64::INFINITY,
            f64::NAN,
            -62_135_596_800_000.0,
        ] {
            check(none, None);
        }
    }
}
