//! White space, in the two senses that pages are cleaned by.

/// White space of any script. Beside Unicode's own this counts the four ASCII separators U+001C to U+001F, as Python does.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// White space of HTML sources: tab, line feed, form feed, carriage return, space.
pub fn is_html_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

/// What paragraphs are trimmed of: as [`is_html_space`], without the form feed.
pub fn is_plain_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' ')
}

/// Without [`is_space`] at both ends.
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Whether there is nothing but [`is_space`].
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_space)
}

/// Trimmed, and every run of [`is_space`] inside as one space.
pub fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_and_runs_shrink() {
        assert_eq!(collapse("\u{a0} a\n \tb\u{1d}c "), "a b c");
        assert_eq!(collapse(" \u{3000}"), "");
        assert_eq!(trim("\u{a0}a b\n"), "a b");
        assert!(is_blank("\u{2003}\t") && !is_blank("\u{200b}"));
    }

    #[test]
    fn each_sense_has_its_edge() {
        assert!(is_html_space('\x0c') && !is_plain_space('\x0c'));
        assert!(is_space('\u{a0}') && !is_html_space('\u{a0}'));
    }
}
