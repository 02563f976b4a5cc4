//! Query strings: `name=value` pairs as browsers write them (WHATWG URL section 5.1), and
//! percent-decoding.
//!
//! The work is bounded by the length of the query, and that by the head.

use std::borrow::Cow;

/// The decoded pairs of a query, in order; empty pieces between `&` are left out, a missing `=`
/// means an empty value.
pub fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (decode_form(name), decode_form(value))
        })
}

/// The first value called `name`.
pub fn first<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    pairs(query)
        .find(|(own, _)| own == name)
        .map(|(_, value)| value)
}

/// Replaces `%XX` by its byte (WHATWG URL section 1.3); a `%` without two digits stays as it is.
pub fn percent_decode(text: &str) -> Cow<'_, [u8]> {
    decode(text, false)
}

/// `+` is a space, `%XX` a byte, and what is not UTF-8 becomes U+FFFD.
fn decode_form(text: &str) -> Cow<'_, str> {
    match decode(text, true) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
    }
}

fn decode(text: &str, plus_is_space: bool) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !bytes
        .iter()
        .any(|byte| *byte == b'%' || (plus_is_space && *byte == b'+'))
    {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (*byte, tail) {
            (b'%', [high, low, tail @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                out.push(hex_value(*high) << 4 | hex_value(*low));
                rest = tail;
            }
            (b'+', _) if plus_is_space => out.push(b' '),
            (byte, _) => out.push(byte),
        }
    }
    Cow::Owned(out)
}

/// The value of a hexadecimal digit.
pub(super) fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit.wrapping_sub(b'0'),
        b'a'..=b'f' => digit.wrapping_sub(b'a' - 10),
        _ => digit.wrapping_sub(b'A' - 10),
    }
}

/// For fuzzing: decoding never grows a text by more than U+FFFD's three bytes for one.
#[doc(hidden)]
pub fn fuzz_query(text: &str) {
    for (name, value) in pairs(text) {
        let len = name.len().saturating_add(value.len());
        assert!(len <= text.len().saturating_mul(3));
    }
    assert!(percent_decode(text).len() <= text.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &[(&str, &str)]) {
        let found: Vec<_> = pairs(query)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        assert_eq!(found, expected, "{query:?}");
    }

    #[test]
    fn pairs_are_decoded_once() {
        check("", &[]);
        check("a=1&b=2", &[("a", "1"), ("b", "2")]);
        check("&&a&", &[("a", "")]);
        check("=v", &[("", "v")]);
        check("a=b=c", &[("a", "b=c")]);
        check("a+b=c%2Bd", &[("a b", "c+d")]);
        check("a=%2525", &[("a", "%25")]);
        check("a%3Db=%26", &[("a=b", "&")]);
        check("a=%C3%A4", &[("a", "ä")]);
        check("a=%FF", &[("a", "\u{fffd}")]);
        check("a=%", &[("a", "%")]);
        check("a=%4", &[("a", "%4")]);
        check("a=%g0%41", &[("a", "%g0A")]);
    }

    #[test]
    fn the_first_of_two_equal_names_counts() {
        assert_eq!(first("s=1&s=2", "s").as_deref(), Some("1"));
        assert_eq!(first("S=1", "s"), None);
    }

    #[test]
    fn percent_decoding_leaves_plus_alone() {
        assert_eq!(&*percent_decode("a+b%20c%"), b"a+b c%");
        assert!(matches!(percent_decode("a+b"), Cow::Borrowed(b"a+b")));
    }
}
