//! Text from outside on one harmless line.

use std::fmt::{self, Write as _};

/// Longest client string in a log line, in bytes.
const CLIENT_BYTES_MAX: usize = 200;

/// `text` with control characters escaped, cut after 200 bytes: for strings a client chose.
#[must_use]
pub const fn escape(text: &str) -> Escaped<'_> {
    escape_to(text, CLIENT_BYTES_MAX)
}

/// `text` with control characters escaped, cut after `bytes_max` bytes of it.
#[must_use]
pub const fn escape_to(text: &str, bytes_max: usize) -> Escaped<'_> {
    Escaped { text, bytes_max }
}

/// See [`escape`].
#[derive(Clone, Copy)]
pub struct Escaped<'a> {
    text: &'a str,
    bytes_max: usize,
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `str::floor_char_boundary` is younger than our oldest compiler.
        let longest = self.bytes_max.min(self.text.len());
        let cut = (0..=longest)
            .rev()
            .find(|end| self.text.is_char_boundary(*end))
            .unwrap_or(0);
        let (shown, cut) = self.text.split_at(cut);
        Escaper(&mut *f).write_str(shown)?;
        match cut.len() {
            0 => Ok(()),
            more => write!(f, "… ({more} bytes more)"),
        }
    }
}

/// Escapes what is written through it.
pub(super) struct Escaper<W>(pub W);

impl<W: fmt::Write> fmt::Write for Escaper<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if is_harmless(c) {
                self.0.write_char(c)?;
            } else {
                write!(self.0, "{}", c.escape_debug())?;
            }
        }
        Ok(())
    }
}

/// Neither starts a line, nor speaks to the terminal, nor turns the reading direction, in any viewer.
/// A backslash stays: doubling it would make lines that hold escaped strings unreadable.
const fn is_harmless(c: char) -> bool {
    !matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(escape(text).to_string(), expected);
    }

    #[test]
    fn controls_are_shown_and_text_is_not_touched() {
        check("tools/call", "tools/call");
        check("grüße 日本 \"x\" \\n", "grüße 日本 \"x\" \\n");
        check("a\r\nb", "a\\r\\nb");
        check("\u{1b}[31m", "\\u{1b}[31m");
        check("\0\u{7f}\u{9b}", "\\0\\u{7f}\\u{9b}");
        check("\u{2028}\u{202e}", "\\u{2028}\\u{202e}");
    }

    #[test]
    fn nothing_printed_is_a_control() {
        for c in (0..0x1_0000).filter_map(char::from_u32) {
            let shown = escape(c.encode_utf8(&mut [0; 4])).to_string();
            assert!(
                !shown.is_empty() && !shown.chars().any(char::is_control),
                "{c:?}"
            );
        }
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let exact = "x".repeat(CLIENT_BYTES_MAX);
        check(&exact, &exact);
        check(&format!("{exact}y"), &format!("{exact}… (1 bytes more)"));
        assert_eq!(escape_to("aé", 2).to_string(), "a… (2 bytes more)");
        assert_eq!(escape_to("aé", 3).to_string(), "aé");
    }
}
