//! Output of a command as a text for a model: no colours, no control characters, no values of the environment.

/// Leaves out escape sequences and control characters; what is no UTF-8 is replaced.
pub(super) fn cleaned(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next_if(|c| matches!(c, '[' | ']')) {
                // ECMA-48 section 5.4: parameters, then one byte from `@` to `~`.
                Some('[') => while chars.next_if(|c| !matches!(c, '@'..='~' | '\n')).is_some() {},
                // An operating system command, up to BEL or ST.
                Some(_) => {
                    while chars
                        .next_if(|c| !matches!(c, '\u{7}' | '\u{1b}' | '\n'))
                        .is_some()
                    {}
                }
                None => (),
            },
            '\n' | '\t' => clean.push(c),
            c if c.is_control() => (),
            c => clean.push(c),
        }
        if c == '\u{1b}' {
            chars.next_if(|c| *c != '\n');
        }
    }
    clean
}

/// The last lines of an error output, without the values of the environment that are long enough to be secrets.
pub(super) fn excerpt(bytes: &[u8], environment: &[(String, String)]) -> String {
    const LINES_MAX: usize = 20;
    const SECRET_BYTES_MIN: usize = 8;
    let mut text = cleaned(bytes);
    for (_, value) in environment {
        if value.len() >= SECRET_BYTES_MIN {
            text = text.replace(value.as_str(), "…");
        }
    }
    let text = text.trim_end();
    let from = text
        .rmatch_indices('\n')
        .nth(LINES_MAX - 1)
        .and_then(|(at, _)| text.get(at..)?.strip_prefix('\n'));
    from.unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_left_out() {
        for (given, expected) in [
            ("plain\ttext\n", "plain\ttext\n"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("a\r\nb\u{8}\0c\u{7f}\u{9b}", "a\nbc"),
            ("\u{1b}[31\nx", "\nx"),
            ("\u{1b}", ""),
            ("\u{1b}c\u{1b}", ""),
            ("é😀", "é😀"),
        ] {
            assert_eq!(cleaned(given.as_bytes()), expected, "{given:?}");
        }
        assert_eq!(cleaned(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn excerpts_are_short_and_hide_the_environment() {
        let lines: String = (0..30).map(|n| format!("line {n}\n")).collect();
        let last = excerpt(lines.as_bytes(), &[]);
        assert_eq!(last.lines().count(), 20);
        assert!(last.starts_with("line 10\n") && last.ends_with("line 29"));
        let environment = [
            ("A".to_owned(), "hunter22".to_owned()),
            ("B".to_owned(), "C".to_owned()),
        ];
        assert_eq!(
            excerpt(b"C: hunter22 is wrong", &environment),
            "C: … is wrong"
        );
    }
}
