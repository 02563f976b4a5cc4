//! Character references: `&amp;`, `&#8217;`, `&#x2019;`.
//!
//! Text and attribute values are read differently, both as Python's libraries read them. In text a name counts when all its letters
//! are one, with or without a semicolon (`&copy` does, `&notit;` does not), and an unknown name loses its semicolon. In attribute
//! values the longest beginning that is a name counts, so that `?a=1&copy=2` means what an author did not.

use super::entities::{Entities, common};

/// Names are shorter; the longest one has 31 letters.
const NAME_CHARS_MAX: usize = 32;

/// Appends text with its references resolved.
pub(super) fn decode_text(raw: &[u8], entities: &Entities, out: &mut String) {
    decode(raw, entities, out, text_reference);
}

/// The same for the value of an attribute.
pub(super) fn decode_attribute(raw: &[u8], entities: &Entities, out: &mut String) {
    decode(raw, entities, out, attribute_reference);
}

/// Appends what the reference at the beginning of `rest`, behind its `&`, stands for; returns what follows it.
type Read = for<'t> fn(rest: &'t [u8], entities: &Entities, out: &mut String) -> &'t [u8];

fn decode(raw: &[u8], entities: &Entities, out: &mut String, read: Read) {
    let mut rest = raw;
    while let Some((text, [_, reference @ ..])) = rest
        .iter()
        .position(|byte| *byte == b'&')
        .and_then(|at| rest.split_at_checked(at))
    {
        push_lossy(text, out);
        rest = read(reference, entities, out);
    }
    push_lossy(rest, out);
}

/// Appends bytes as text. Whether all of them are text is found out in words, which of them are not one by one.
fn push_lossy(bytes: &[u8], out: &mut String) {
    match std::str::from_utf8(bytes) {
        Ok(text) => out.push_str(text),
        Err(_) => out.push_str(&String::from_utf8_lossy(bytes)),
    }
}

/// What follows a reference, without its semicolon.
fn without_end(rest: &[u8]) -> &[u8] {
    rest.strip_prefix(b";").unwrap_or(rest)
}

fn text_reference<'t>(rest: &'t [u8], entities: &Entities, out: &mut String) -> &'t [u8] {
    if let Some(behind) = rest.strip_prefix(b"#") {
        // Digits that run on into hexadecimal ones are no number.
        let is_whole = |rest: &[u8]| !rest.first().is_some_and(u8::is_ascii_hexdigit);
        let Some((code, rest)) = number(behind).filter(|(_, rest)| is_whole(rest)) else {
            out.push_str("&#");
            return behind;
        };
        out.push(text_char(code));
        return without_end(rest);
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let len = match rest.first() {
        Some(first) if first.is_ascii_alphabetic() => {
            rest.iter().take_while(|byte| is_name(byte)).count()
        }
        _ => 0,
    };
    let (name, behind) = rest.split_at(len);
    let name = String::from_utf8_lossy(name);
    match named(&name, entities) {
        Some(text) => out.push_str(&text),
        None => {
            out.push('&');
            out.push_str(&name);
            if len == 0 {
                return rest;
            }
        }
    }
    without_end(behind)
}

fn attribute_reference<'t>(rest: &'t [u8], entities: &Entities, out: &mut String) -> &'t [u8] {
    if let Some(behind) = rest.strip_prefix(b"#") {
        let Some((code, rest)) = number(behind) else {
            out.push('&');
            return rest;
        };
        out.extend(attribute_char(code));
        return without_end(rest);
    }
    let ends = |byte: &u8| {
        matches!(
            byte,
            b'\t' | b'\n' | b'\x0c' | b' ' | b'<' | b'#' | b';' | b'&'
        )
    };
    // A name is ASCII.
    let len = rest
        .iter()
        .take(NAME_CHARS_MAX)
        .take_while(|byte| byte.is_ascii() && !ends(byte))
        .count();
    let (name, behind) = rest.split_at(len);
    let mut name = String::from_utf8_lossy(name).into_owned();
    if let [b';', behind @ ..] = behind
        && !name.is_empty()
    {
        match common(&name) {
            Some(text) => out.push_str(text),
            None => {
                name.push(';');
                out.push_str(&resolved(&name, entities));
            }
        }
        return behind;
    }
    out.push_str(&resolved(&name, entities));
    behind
}

/// The number behind `&#`, and what follows its digits. Numbers beyond Unicode are its end, U+110000.
fn number(rest: &[u8]) -> Option<(u32, &[u8])> {
    let (radix, digits) = match rest {
        [b'x' | b'X', digits @ ..] => (16, digits),
        _ => (10, rest),
    };
    let mut code = 0_u32;
    let mut behind = digits;
    while let [byte, rest @ ..] = behind
        && let Some(digit) = char::from(*byte).to_digit(radix)
    {
        code = code
            .saturating_mul(radix)
            .saturating_add(digit)
            .min(0x11_0000);
        behind = rest;
    }
    (behind.len() < digits.len()).then_some((code, behind))
}

fn text_char(code: u32) -> char {
    match code {
        0 => char::REPLACEMENT_CHARACTER,
        _ => windows_1252(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

/// Nothing for controls and non-characters, which attribute values lose.
fn attribute_char(code: u32) -> Option<char> {
    match code {
        0 => Some(char::REPLACEMENT_CHARACTER),
        0x01..=0x08 | 0x0b | 0x0e..=0x1f | 0x7f | 0xfdd0..=0xfdef => None,
        0x0001..=0x10_ffff if code & 0xfffe == 0xfffe => None,
        _ => Some(text_char(code)),
    }
}

/// A code point, where those from 128 to 159 are bytes of Windows-1252, as authors mean them.
fn windows_1252(code: u32) -> Option<char> {
    /// 0x80 to 0x9f; five of them have no meaning and stay controls.
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let high = code
        .checked_sub(0x80)
        .and_then(|at| usize::try_from(at).ok());
    match high.and_then(|at| HIGH.get(at)) {
        Some(c) => Some(*c),
        None => char::from_u32(code),
    }
}

/// What a whole name stands for.
fn named(name: &str, entities: &Entities) -> Option<String> {
    if let Some(text) = common(name) {
        return Some(text.to_owned());
    }
    if name.is_empty() || name.len() > NAME_CHARS_MAX {
        return None;
    }
    let text = resolved(&format!("{name};"), entities);
    // Left as it is, or only a beginning of it was a name.
    let is_whole = !text.ends_with(';');
    is_whole.then_some(text)
}

/// `&` and this text, with the longest beginning that is a name resolved.
pub(super) fn resolved(name: &str, entities: &Entities) -> String {
    match entities.longest(name) {
        Some((len, text)) => text + name.get(len..).unwrap_or_default(),
        None => format!("&{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, in_text: &str, in_attribute: &str) {
        let entities = Entities::default();
        let mut out = String::new();
        decode_text(text.as_bytes(), &entities, &mut out);
        assert_eq!(out, in_text, "{text} in text");
        out.clear();
        decode_attribute(text.as_bytes(), &entities, &mut out);
        assert_eq!(out, in_attribute, "{text} in an attribute");
    }

    #[test]
    fn names() {
        check("&amp;lt; &AMP; &excl;", "&lt; & !", "&lt; & !");
        check("&copy &copyright;", "© &copyright", "© ©right;");
        check("&notit; &semi; &nGt;", "&notit ; ≫⃒", "¬it; ; ≫⃒");
        check("AT&T & &; &é", "AT&T & &; &é", "AT&T & &; &é");
        check("&CounterClockwiseContourIntegral;", "∳", "∳");
    }

    #[test]
    fn numbers() {
        check("&#8217;&#x1F600;&#X41 ", "’😀A ", "’😀A ");
        check("&#150;&#129;&#0;", "–\u{81}\u{fffd}", "–\u{81}\u{fffd}");
        check(
            "&#x110000;&#xD800;&#99999999999;",
            "\u{fffd}\u{fffd}\u{fffd}",
            "\u{fffd}\u{fffd}\u{fffd}",
        );
        check("&#12a; &#; &#x;", "&#12a; &#; &#x;", "\x0ca; &#; &#x;");
        check("&#1;&#xFFFE;", "\u{1}\u{fffe}", "");
    }

    #[test]
    fn names_beyond_any() {
        let long = format!("&{};", "a".repeat(100));
        check(&long, &long[..101], &long);
        check("?a=1&copy=2&ampx=é", "?a=1©=2&ampx=é", "?a=1©=2&x=é");
    }
}
