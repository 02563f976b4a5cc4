//! The `Date` format: IMF-fixdate (RFC 9110 section 5.6.7) from unix seconds. The clock is the
//! caller's.

/// Seconds of 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the ends of what four digits of year
/// can say.
const UNIX_MIN: i64 = -62_167_219_200;
const UNIX_MAX: i64 = 253_402_300_799;

const DAY_NAMES: [&[u8; 3]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];
const MONTH_NAMES: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// A date as it stands in a header, such as `Sun, 06 Nov 1994 08:49:37 GMT`. Made once a second,
/// copied into every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpDate([u8; 29]);

impl HttpDate {
    /// The date at `unix_secs`; times outside the years 0 to 9999 read as the nearest end, so a
    /// broken clock cannot panic.
    pub fn from_unix(unix_secs: i64) -> HttpDate {
        let secs = unix_secs.clamp(UNIX_MIN, UNIX_MAX);
        let days = secs.div_euclid(86_400);
        let second_of_day = secs.rem_euclid(86_400);
        let (year, month, day) = civil_from_days(days);
        let weekday = (days + 4).rem_euclid(7);

        let mut text = *b"Ddd, 00 Mmm 0000 00:00:00 GMT";
        text[0..3].copy_from_slice(DAY_NAMES[index(weekday)]);
        put_digits(&mut text[5..7], day);
        text[8..11].copy_from_slice(MONTH_NAMES[index(month - 1)]);
        put_digits(&mut text[12..16], year);
        put_digits(&mut text[17..19], second_of_day / 3600);
        put_digits(&mut text[20..22], second_of_day / 60 % 60);
        put_digits(&mut text[23..25], second_of_day % 60);
        HttpDate(text)
    }

    /// The 29 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("from_unix writes ASCII")
    }
}

/// Year, month (1 to 12) and day (1 to 31) of a day counted from 1970-01-01, in the Gregorian
/// calendar run backwards.
///
/// Years are counted from March, so that the leap day is a year's last and the months before it
/// have a regular pattern: five months have 153 days. An era is 400 years, 146,097 days.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // from 0000-03-01
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

/// Writes `value` right-aligned; digits that do not fit are lost.
fn put_digits(text: &mut [u8], mut value: i64) {
    for byte in text.iter_mut().rev() {
        *byte = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}

fn index(value: i64) -> usize {
    usize::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(unix_secs: i64, expected: &str) {
        assert_eq!(HttpDate::from_unix(unix_secs).as_str(), expected);
    }

    #[test]
    fn known_dates() {
        check(784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT");
        check(0, "Thu, 01 Jan 1970 00:00:00 GMT");
        check(-1, "Wed, 31 Dec 1969 23:59:59 GMT");
        check(951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT");
        check(4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT");
        check(4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT");
        check(i64::from(i32::MAX) + 1, "Tue, 19 Jan 2038 03:14:08 GMT");
        check(i64::from(u32::MAX) + 1, "Sun, 07 Feb 2106 06:28:16 GMT");
    }

    #[test]
    fn impossible_clocks_read_as_the_nearest_end() {
        check(UNIX_MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
        check(UNIX_MAX + 1, "Fri, 31 Dec 9999 23:59:59 GMT");
        check(i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
        check(UNIX_MIN, "Sat, 01 Jan 0000 00:00:00 GMT");
        check(i64::MIN, "Sat, 01 Jan 0000 00:00:00 GMT");
    }

    #[test]
    fn days_follow_one_another_through_a_leap_cycle() {
        let mut before = civil_from_days(-1);
        for days in 0..146_097 {
            let (year, month, day) = civil_from_days(days);
            let expected_first = day == 1
                && (month == before.1 + 1
                    || (month == 1 && before.1 == 12 && year == before.0 + 1));
            let expected_next = day == before.2 + 1 && month == before.1 && year == before.0;
            assert!(
                expected_first || expected_next,
                "{before:?} then {:?}",
                (year, month, day)
            );
            before = (year, month, day);
        }
        assert_eq!(before, (2369, 12, 31));
    }
}
