//! The `Date` format: IMF-fixdate (RFC 9110 section 5.6.7) from unix seconds. The clock is the
//! caller's.

use crate::calendar::Utc;

const DAY_NAMES: [&[u8; 3]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];
const MONTH_NAMES: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// A date as it stands in a header, such as `Sun, 06 Nov 1994 08:49:37 GMT`. Made once a second,
/// copied into every answer: with all that stands around it there, as one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpDate([u8; 39]);

impl HttpDate {
    /// The date at `unix_secs`; times outside the years 0 to 9999 read as the nearest end, so a
    /// broken clock cannot panic.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "places of a text of known length; a weekday is below 7 and a month 1 to 12, whatever the time"
    )]
    pub fn from_unix(unix_secs: i64) -> HttpDate {
        let utc = Utc::from_unix_ms(unix_secs.saturating_mul(1000));
        let mut text = *b"Ddd, 00 Mmm 0000 00:00:00 GMT";
        text[0..3].copy_from_slice(DAY_NAMES[index(utc.weekday)]);
        put_digits(&mut text[5..7], utc.day);
        text[8..11].copy_from_slice(MONTH_NAMES[index(utc.month - 1)]);
        put_digits(&mut text[12..16], utc.year);
        put_digits(&mut text[17..19], utc.hour);
        put_digits(&mut text[20..22], utc.minute);
        put_digits(&mut text[23..25], utc.second);
        let mut line = *b"Date:                              \r\n\r\n";
        line[6..35].copy_from_slice(&text);
        HttpDate(line)
    }

    /// The last header of a head and the blank line.
    pub fn end_of_head(&self) -> &[u8] {
        &self.0
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Always is: only `from_unix` makes one.
        let date = self.0.get(6..35).unwrap_or_default();
        std::str::from_utf8(date).unwrap_or_default()
    }
}

/// Writes `value` right-aligned; digits that do not fit are lost.
fn put_digits(text: &mut [u8], mut value: i64) {
    for byte in text.iter_mut().rev() {
        *byte = u8::try_from(value % 10).unwrap_or(0) | b'0';
        value /= 10;
    }
}

fn index(value: i64) -> usize {
    usize::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIX_MIN: i64 = -62_167_219_200;
    const UNIX_MAX: i64 = 253_402_300_799;

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
}
