//! `format`: the ones that are checked. Any other is refused when a schema is compiled, since a
//! format that nobody looks at reads like a promise.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A format (JSON Schema 2020-12 Validation, section 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Date,
    DateTime,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Time,
    Uri,
    Uuid,
}

impl Format {
    pub(super) const ALL: [Format; 9] = [
        Format::Date,
        Format::DateTime,
        Format::Email,
        Format::Hostname,
        Format::Ipv4,
        Format::Ipv6,
        Format::Time,
        Format::Uri,
        Format::Uuid,
    ];

    pub(super) fn parse(word: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.word() == word)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Format::Date => "date",
            Format::DateTime => "date-time",
            Format::Email => "email",
            Format::Hostname => "hostname",
            Format::Ipv4 => "ipv4",
            Format::Ipv6 => "ipv6",
            Format::Time => "time",
            Format::Uri => "uri",
            Format::Uuid => "uuid",
        }
    }

    /// What is expected, for a message.
    pub(super) fn phrase(self) -> &'static str {
        match self {
            Format::Date => "a date such as 2026-07-28",
            Format::DateTime => "a date and time such as 2026-07-28T13:05:00Z",
            Format::Email => "an e-mail address",
            Format::Hostname => "a host name",
            Format::Ipv4 => "an IPv4 address",
            Format::Ipv6 => "an IPv6 address",
            Format::Time => "a time such as 13:05:00Z",
            Format::Uri => "a URI with its scheme",
            Format::Uuid => "a UUID",
        }
    }

    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Format::Date => is_date(text),
            Format::DateTime => text
                .split_once(['T', 't'])
                .is_some_and(|(date, time)| is_date(date) && is_time(time)),
            Format::Email => is_email(text),
            Format::Hostname => is_hostname(text),
            Format::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Format::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Format::Time => is_time(text),
            Format::Uri => is_uri(text),
            Format::Uuid => is_uuid(text),
        }
    }
}

/// RFC 3339 section 5.6, `full-date`.
fn is_date(text: &str) -> bool {
    let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2))
    else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// RFC 3339 section 5.6, `full-time`. A leap second is allowed where one can be: at 23:59:60 UTC.
#[expect(clippy::arithmetic_side_effects, reason = "a day is the most")]
fn is_time(text: &str) -> bool {
    let Some(zone_at) = text.find(['Z', 'z', '+', '-']) else {
        return false;
    };
    let (time, zone) = text.split_at(zone_at);
    let (time, has_fraction) = match time.split_once('.') {
        Some((time, fraction)) => {
            let all_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
            (time, all_digits && !fraction.is_empty())
        }
        None => (time, true),
    };
    let [hour, minute, second] = time.split(':').collect::<Vec<_>>()[..] else {
        return false;
    };
    let (Some(hour), Some(minute), Some(second)) =
        (digits(hour, 2), digits(minute, 2), digits(second, 2))
    else {
        return false;
    };
    let Some(offset) = zone_minutes(zone) else {
        return false;
    };
    let is_leap_second =
        second == 60 && (hour * 60 + minute + 1440 - offset).rem_euclid(1440) == 23 * 60 + 59;
    has_fraction && hour <= 23 && minute <= 59 && (second <= 59 || is_leap_second)
}

/// Minutes east of UTC.
#[expect(clippy::arithmetic_side_effects, reason = "two digits each")]
fn zone_minutes(zone: &str) -> Option<i32> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (hour, minute) = zone.get(1..)?.split_once(':')?;
    let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
    let minutes = hour * 60 + minute;
    let is_west = zone.starts_with('-');
    (hour <= 23 && minute <= 59).then_some(if is_west { -minutes } else { minutes })
}

/// Exactly `length` digits.
fn digits(text: &str, length: usize) -> Option<i32> {
    let is_number = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// RFC 1123 section 2.1: labels of letters, digits and inner hyphens.
fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// The part of RFC 5321 section 4.1.2 that is in use: a dot-string, then a host name.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else {
        return false;
    };
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    local.len() <= 64 && local.split('.').all(is_atom) && is_hostname(host)
}

/// RFC 3986 section 3: a scheme, then characters a URI may hold, with whole escapes.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let bytes = rest.as_bytes();
    let is_allowed = |(at, byte): (usize, &u8)| match byte {
        b'%' => bytes
            .get(at..)
            .and_then(|escape| escape.get(1..3))
            .is_some_and(|escape| escape.iter().all(u8::is_ascii_hexdigit)),
        byte => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(byte),
    };
    is_scheme && bytes.iter().enumerate().all(is_allowed)
}

/// RFC 9562 section 4.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, fitting: &[&str], others: &[&str]) {
        let format = Format::parse(word).unwrap();
        assert_eq!(format.word(), word);
        for text in fitting {
            assert!(format.fits(text), "{word} {text}");
        }
        for text in others.iter().chain(&["", " ", "é", "\0"]) {
            assert!(!format.fits(text), "{word} {text}");
        }
    }

    #[test]
    fn dates_and_times() {
        check(
            "date",
            &["2026-07-28", "2024-02-29", "2000-02-29"],
            &[
                "2026-02-29",
                "1900-02-29",
                "2026-13-01",
                "2026-7-28",
                "2026-04-31",
                "2026-01-00",
            ],
        );
        check(
            "time",
            &[
                "13:05:00Z",
                "13:05:00.25+02:00",
                "23:59:60Z",
                "01:29:60+01:30",
            ],
            &[
                "13:05:00",
                "24:00:00Z",
                "13:05:60Z",
                "13:05Z",
                "13:05:00.Z",
                "13:05:00+2",
                "1:5:0Z",
            ],
        );
        check(
            "date-time",
            &["2026-07-28T13:05:00Z", "2026-07-28t13:05:00-05:00"],
            &["2026-07-28", "2026-07-28 13:05:00Z", "2026-07-28T13:05:00"],
        );
    }

    #[test]
    fn addresses() {
        check("ipv4", &["10.0.0.1"], &["10.0.0", "256.0.0.1", "010.0.0.1"]);
        check("ipv6", &["::1", "fe80::1"], &["::1::", "10.0.0.1", "[::1]"]);
        check(
            "hostname",
            &["nas", "a-b.example.org", "1.example"],
            &["-a", "a-", "a..b", "a_b", &"a".repeat(64), "a."],
        );
        check(
            "email",
            &["a.b+c@example.org"],
            &["a@", "@b", "a b@c", "a..b@c", "a@b@-c"],
        );
        check(
            "uri",
            &["http://a/b?c#d", "urn:x:y", "mailto:a@b", "a:%20"],
            &[
                "/b",
                "//a/b",
                "1a:b",
                "http://a/ b",
                "a:%2",
                "a:%zz",
                "http://é/",
            ],
        );
        check(
            "uuid",
            &["01234567-89ab-cdef-0123-456789ABCDEF"],
            &[
                "0123456789abcdef0123456789abcdef",
                "01234567-89ab-cdef-0123-456789ABCDEg",
            ],
        );
        assert_eq!(Format::parse("regex"), None);
    }
}
