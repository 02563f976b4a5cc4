//! Base64 (RFC 4648) in one spelling per value: without it, one token would have many texts.

const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of each byte, 255 for those that are no digit.
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a byte is below 256 and `value` below 64, when compiled"
)]
const fn values(alphabet: &[u8; 64]) -> [u8; 256] {
    let mut values = [255; 256];
    let mut value: u8 = 0;
    while value < 64 {
        values[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    values
}

static URL_VALUES: [u8; 256] = values(URL);
static STANDARD_VALUES: [u8; 256] = values(STANDARD);

/// Base64url without padding (RFC 7515 2), and nothing but.
pub(super) fn decode_url(text: &str) -> Option<Vec<u8>> {
    decode(text.as_bytes(), &URL_VALUES)
}

/// The standard alphabet with padding, as PEM has it; lines have been put together.
pub(super) fn decode_padded(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    // At most two of them: a third is no digit.
    let digits = text.strip_suffix(b"=").unwrap_or(text);
    let digits = digits.strip_suffix(b"=").unwrap_or(digits);
    decode(digits, &STANDARD_VALUES)
}

fn decode(text: &[u8], values: &[u8; 256]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity((text.len() / 4).saturating_mul(3).saturating_add(2));
    for group in text.chunks(4) {
        let mut bits: u32 = 0;
        for at in 0..4 {
            let value = match group.get(at) {
                // A byte is below 256.
                Some(digit) => *values.get(usize::from(*digit))?,
                None => 0,
            };
            if value > 63 {
                return None;
            }
            bits = bits << 6 | u32::from(value);
        }
        let len = match group.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            // Six bits are no byte.
            _ => return None,
        };
        let [_, decoded @ ..] = bits.to_be_bytes();
        // Bits that belong to no byte have to be zero (RFC 4648 3.5).
        let (decoded, rest) = decoded.split_at_checked(len)?;
        if rest.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(decoded);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(
                decode_padded(text.as_bytes()).as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
