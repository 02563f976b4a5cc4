//! Text, and what is taken out of text that was meant for a terminal.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

use super::{DecodeError, Decoded};

/// A text; bytes that are not UTF-8 are replaced and counted.
pub(super) fn decode(body: &[u8], content_type: Option<&str>) -> Result<Decoded, DecodeError> {
    let body = super::without_mark(body);
    // No text has a NUL, and every picture has one soon.
    if body.iter().take(SNIFFED).any(|byte| *byte == 0) {
        return Err(DecodeError::Binary {
            len: body.len(),
            content_type: content_type.map(str::to_owned),
        });
    }
    let (text, note) = lossy(body);
    Ok(Decoded {
        value: Value::String(text.into_owned()),
        note,
    })
}

const SNIFFED: usize = 1024;

/// UTF-8 with U+FFFD for what is none, and a note about it.
pub(super) fn lossy(bytes: &[u8]) -> (Cow<'_, str>, Option<String>) {
    let text = String::from_utf8_lossy(bytes);
    let Cow::Owned(_) = &text else {
        return (text, None);
    };
    let bad: usize = bytes.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
    let note = format!("bytes that are not UTF-8, shown as \u{fffd}: {bad}");
    (text, Some(note))
}

/// Without escape sequences (ECMA-48), without control characters but newline and tab, and with LF alone as the end of a
/// line. Colours are of no use to a model, and a title sequence may hide text from people who look at the log.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            '\u{9b}' => skip_control(&mut chars),
            '\r' if chars.peek() == Some(&'\n') => (),
            // A progress bar overwrites its line; here it gets one line for each state.
            '\r' => out.push('\n'),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => (),
            c => out.push(c),
        }
    }
    out
}

/// What follows ESC. Nothing of it spans lines, so that a stray one costs its own line at most.
fn skip_sequence(chars: &mut Peekable<Chars<'_>>) {
    match chars.next_if(|c| *c != '\n') {
        Some('[') => skip_control(chars),
        // OSC, DCS, SOS, PM, APC: a text up to BEL or ESC \.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while chars
                .next_if(|c| !matches!(c, '\u{7}' | '\u{1b}' | '\n'))
                .is_some()
            {}
        }
        // Intermediates and a final character, as in `ESC ( B`.
        Some(' '..='/') => {
            while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
            chars.next_if(|c| !c.is_control());
        }
        _ => (),
    }
}

/// A control sequence: parameters and intermediates up to a final character.
fn skip_control(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(plain(text), expected, "{text:?}");
    }

    #[test]
    fn terminals_are_left_out() {
        check("\u{1b}[32mINFO\u{1b}[0m ready\n", "INFO ready\n");
        check("\u{1b}[38;5;196mred\u{1b}[K", "red");
        check(
            "\u{1b}]0;title\u{7}x \u{1b}]8;;http://a\u{1b}\\link",
            "x link",
        );
        check("\u{1b}(Ba\u{1b}=b\u{1b}Mc", "abc");
        check("\u{9b}1mbold", "bold");
        check("a\r\nb\rc\u{8}\td\0", "a\nb\nc\td");
        // What is no sequence stays.
        check("[32m x\u{20ac}", "[32m x\u{20ac}");
    }

    #[test]
    fn a_cut_sequence_ends_at_the_line() {
        for cut in ["\u{1b}", "\u{1b}[", "\u{1b}[1;3", "\u{1b}]0;t", "\u{1b}("] {
            check(&format!("a{cut}"), "a");
            check(&format!("a{cut}\nb"), "a\nb");
        }
    }

    #[test]
    fn text_and_what_is_none() {
        let text = |body: &[u8]| decode(body, Some("text/plain"));
        let decoded = text("# Gärten\n".as_bytes()).unwrap();
        assert_eq!(decoded, Value::from("# Gärten\n").into());
        let decoded = text(b"caf\xe9 \xff\xfe!").unwrap();
        assert_eq!(decoded.value, "caf\u{fffd} \u{fffd}\u{fffd}!");
        assert_eq!(
            decoded.note.unwrap(),
            "bytes that are not UTF-8, shown as \u{fffd}: 3"
        );
        let error = decode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some("image/png")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the answer is binary (image/png, 16 bytes), expected text"
        );
        assert_eq!(text("\u{feff}x".as_bytes()).unwrap().value, "x");
    }
}
