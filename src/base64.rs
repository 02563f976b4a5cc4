//! Base64 (RFC 4648), strict: standard with padding, and URL-safe without.
//!
//! Strict means one text per byte string: no white space, no missing or extra padding, no set bits
//! beyond the last byte. Called for image content, header sentinels, cursors, request state, tokens, keys in PEM, and passwords of
//! upstreams and proxies.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes with the standard alphabet and padding (RFC 4648, section 4).
pub fn encode(bytes: &[u8]) -> String {
    let mut text = encode_with(STANDARD, bytes);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// Decodes the standard alphabet; padding is required.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let body = text
        .strip_suffix("==")
        .or_else(|| text.strip_suffix('='))
        .unwrap_or(text);
    decode_with(STANDARD, body)
}

/// Encodes with the URL-safe alphabet, without padding (RFC 4648, section 5).
pub fn encode_url(bytes: &[u8]) -> String {
    encode_with(URL_SAFE, bytes)
}

/// Decodes the URL-safe alphabet; padding is refused.
pub fn decode_url(text: &str) -> Option<Vec<u8>> {
    decode_with(URL_SAFE, text)
}

/// Whether a text is strict standard Base64, without decoding it into memory.
pub fn is_valid(text: &str) -> bool {
    if !text.len().is_multiple_of(4) {
        return false;
    }
    let body = text
        .strip_suffix("==")
        .or_else(|| text.strip_suffix('='))
        .unwrap_or(text);
    body.bytes().all(|byte| sextet(STANDARD, byte).is_some())
        && tail_is_canonical(STANDARD, body.as_bytes())
}

fn encode_with(alphabet: &[u8; 64], bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        let sextets = [group >> 18, group >> 12, group >> 6, group];
        let digits = sextets.into_iter().take(chunk.len().saturating_add(1));
        // Six bits are below 64.
        text.extend(digits.filter_map(|sextet| {
            let digit = alphabet.get((sextet & 0x3f) as usize)?;
            Some(char::from(*digit))
        }));
    }
    text
}

fn decode_with(alphabet: &[u8; 64], text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if !tail_is_canonical(alphabet, text) {
        return None;
    }
    let mut bytes = Vec::with_capacity((text.len() / 4).saturating_mul(3).saturating_add(2));
    for chunk in text.chunks(4) {
        let mut group = 0u32;
        for at in 0..4 {
            let sextet = match chunk.get(at) {
                Some(byte) => sextet(alphabet, *byte)?,
                None => 0,
            };
            group = (group << 6) | u32::from(sextet);
        }
        bytes.extend_from_slice(group.to_be_bytes().get(1..chunk.len())?);
    }
    Some(bytes)
}

/// The last group has 2, 3 or 4 characters, and no bit set that belongs to no byte: otherwise two
/// texts would stand for the same bytes, and a seal could be varied without breaking it.
fn tail_is_canonical(alphabet: &[u8; 64], text: &[u8]) -> bool {
    let spare_bits = match text.len() % 4 {
        0 => return true,
        2 => 0x0f,
        3 => 0x03,
        _ => return false,
    };
    let last = text.last().and_then(|&byte| sextet(alphabet, byte));
    last.is_some_and(|value| value & spare_bits == 0)
}

fn sextet(alphabet: &[u8; 64], byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(byte.wrapping_sub(b'a' - 26)),
        b'0'..=b'9' => Some(byte.wrapping_add(52 - b'0')),
        _ if byte == alphabet[62] => Some(62),
        _ if byte == alphabet[63] => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_section_10() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
            assert!(is_valid(text));
            let bare = text.trim_end_matches('=');
            assert_eq!(encode_url(bytes.as_bytes()), bare);
            assert_eq!(decode_url(bare).as_deref(), Some(bytes.as_bytes()));
        }
    }

    #[test]
    fn every_byte_and_length_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        for end in 0..=all.len() {
            let bytes = &all[all.len() - end..];
            assert_eq!(decode(&encode(bytes)).as_deref(), Some(bytes));
            assert_eq!(decode_url(&encode_url(bytes)).as_deref(), Some(bytes));
        }
        assert_eq!(encode(&[0xfb, 0xff]), "+/8=");
        assert_eq!(encode_url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn refused_texts() {
        for text in [
            "SGVsbG8",
            "SGVsbG8==",
            "SGVsbG8= ",
            "SGVs bG8=",
            "SGVs\nbG8=",
            "SGVsbG8!",
            "=",
            "====",
            "A===",
            "A",
            "Zh==",
            "Zm9=",
            "-_8=",
            "Zg==Zg==",
            "Zg=",
        ] {
            assert_eq!(decode(text), None, "{text}");
            assert!(!is_valid(text), "{text}");
        }
        for text in ["Zg==", "A", "Zh", "Zm9", "+/8", "Zg ", "Zé"] {
            assert_eq!(decode_url(text), None, "{text}");
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Option<&[u8]>) {
        assert_eq!(decode_url(text).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn one_text_for_each_value() {
        // RFC 4648 10, without padding, and RFC 7515 A.1's habits.
        check("", Some(b""));
        check("Zg", Some(b"f"));
        check("Zm8", Some(b"fo"));
        check("Zm9v", Some(b"foo"));
        check("Zm9vYmFy", Some(b"foobar"));
        check("_-8", Some(&[0xff, 0xef]));
        for other in [
            "Zh", "Zm9=", "Zg==", "Zg=", "Z", "Zm9vY", "Zm9 v", "Zm9v\n", "+/8", "Zm9", "Zmé",
            "__9", "Zg.",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn padding_stands_where_it_must() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("Zg==", Some(b"f")),
            ("Zm8=", Some(b"fo")),
            ("Zm9v", Some(b"foo")),
            ("Zg", None),
            ("Zg=", None),
            ("Zh==", None),
            ("====", None),
            ("Zm9v====", None),
            ("Z===", None),
            ("_-8=", None),
        ] {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        }
    }
}
