//! Fitting text to a terminal: wrapping, cutting, and taking control characters out. Widths count characters.

/// What is assumed of a terminal that does not say, and what the help is written for: one less than 80, because some
/// terminals break the line after the 80th.
pub(super) const COLUMNS_DEFAULT: usize = 79;

/// Breaks `text` between words into lines of at most `columns`, the following ones under `indent` spaces. The first
/// line starts at column `start`. A longer word gets a line of its own.
pub(super) fn wrap(text: &str, start: usize, indent: usize, columns: usize) -> String {
    let mut out = String::new();
    let mut at = start;
    let mut line_is_empty = true;
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if !line_is_empty && at + 1 + len > columns {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            at = indent;
            line_is_empty = true;
        }
        if !line_is_empty {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += len;
        line_is_empty = false;
    }
    out
}

/// The first line of `text`, at most `columns` wide, with an ellipsis where something is left out.
pub(super) fn cut(text: &str, columns: Option<usize>) -> String {
    let line = clean(text.lines().next().unwrap_or_default());
    match columns {
        Some(columns) if line.chars().count() > columns => {
            let kept: String = line.chars().take(columns.saturating_sub(1)).collect();
            format!("{}…", kept.trim_end())
        }
        _ => line,
    }
}

/// The text without control characters, except for newlines and tabs: what a tool brings from elsewhere must not move
/// the cursor or rename the window of the terminal it is shown on.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if c.is_control() || is_bidirectional_control(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// They make text read otherwise than it is (Unicode TR 36, 2.6).
fn is_bidirectional_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{clean, cut, wrap};

    #[test]
    fn wrap_breaks_at_the_width_and_not_before() {
        assert_eq!(wrap("aa bb cc", 0, 2, 8), "aa bb cc");
        assert_eq!(wrap("aa bb cc", 0, 2, 7), "aa bb\n  cc");
        assert_eq!(wrap("aa bb cc", 3, 2, 7), "aa\n  bb cc");
        assert_eq!(wrap("abcdefghij k", 0, 1, 4), "abcdefghij\n k");
        assert_eq!(wrap("", 0, 1, 4), "");
    }

    #[test]
    fn cut_keeps_what_fits() {
        assert_eq!(cut("abcde", Some(5)), "abcde");
        assert_eq!(cut("abcdef", Some(5)), "abcd…");
        assert_eq!(cut("äöüäöü", Some(5)), "äöüä…");
        assert_eq!(cut("first\nsecond", None), "first");
    }

    #[test]
    fn clean_disarms_terminal_escapes_only() {
        assert_eq!(clean("a\tb\r\nc"), "a\tb\nc");
        assert_eq!(clean("\u{1b}[31mred\u{9b}x"), "\\u{1b}[31mred\\u{9b}x");
        assert_eq!(clean("a\rb"), "a\\u{d}b");
        assert_eq!(clean("grün ✓"), "grün ✓");
        assert_eq!(clean("a\u{202e}b"), "a\\u{202e}b");
    }
}
