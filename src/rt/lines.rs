//! Bytes into lines of bounded length. Pure; what stdin and child processes are read through.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

/// What a line turned out to be, without its line end (`\n` or `\r\n`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line within the limit.
    Text(Vec<u8>),
    /// A line of `bytes` bytes, more than the limit; its text was thrown away.
    TooLong {
        /// Its length without the line end.
        bytes: u64,
    },
}

/// Cuts a byte stream into lines. Holds at most `line_bytes_max` bytes (and one `\r`) of an unfinished line.
pub struct LineSplitter {
    line_bytes_max: usize,
    /// Invariant: at most `line_bytes_max + 1` bytes; empty while `skipped` is set.
    partial: Vec<u8>,
    /// Length so far of a line found too long.
    skipped: Option<Skipped>,
}

struct Skipped {
    bytes: u64,
    ends_in_cr: bool,
}

impl LineSplitter {
    /// A line of exactly `line_bytes_max` bytes is allowed.
    #[must_use]
    pub const fn new(line_bytes_max: usize) -> Self {
        Self {
            line_bytes_max,
            partial: Vec::new(),
            skipped: None,
        }
    }

    /// Takes the next bytes and gives each line that ends in them to `line`. Stops early when `line` says `false`.
    pub fn feed(&mut self, mut bytes: &[u8], mut line: impl FnMut(Line) -> bool) -> bool {
        while let Some((part, [_, rest @ ..])) = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .and_then(|end| bytes.split_at_checked(end))
        {
            self.take_part(part);
            bytes = rest;
            if !line(self.finish_line()) {
                return false;
            }
        }
        self.take_part(bytes);
        true
    }

    /// The last line, when the stream ends without a line end behind it.
    pub fn finish(&mut self) -> Option<Line> {
        let is_empty = self.partial.is_empty() && self.skipped.is_none();
        if is_empty {
            None
        } else {
            Some(self.finish_line())
        }
    }

    fn take_part(&mut self, part: &[u8]) {
        let Some(last) = part.last() else { return };
        if let Some(skipped) = &mut self.skipped {
            skipped.bytes = skipped.bytes.saturating_add(part.len() as u64);
            skipped.ends_in_cr = *last == b'\r';
            return;
        }
        // One byte more than the limit may still be the `\r` of a line end.
        let len = self.partial.len().saturating_add(part.len());
        let ends_in_cr = *last == b'\r';
        if len.saturating_sub(usize::from(ends_in_cr)) > self.line_bytes_max {
            self.partial = Vec::new();
            self.skipped = Some(Skipped {
                bytes: len as u64,
                ends_in_cr,
            });
            return;
        }
        self.partial.extend_from_slice(part);
    }

    fn finish_line(&mut self) -> Line {
        if let Some(Skipped { bytes, ends_in_cr }) = self.skipped.take() {
            return Line::TooLong {
                bytes: bytes.saturating_sub(u64::from(ends_in_cr)),
            };
        }
        let mut text = std::mem::take(&mut self.partial);
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        Line::Text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 4;

    /// Feeds `input` whole, split at every byte, and byte by byte.
    #[track_caller]
    fn check(input: &str, expected: &[Line]) {
        let bytes = input.as_bytes();
        for cut in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(lines(&[head, tail]), expected, "{input:?} cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(lines(&single), expected, "{input:?} byte by byte");
    }

    fn lines(parts: &[&[u8]]) -> Vec<Line> {
        let mut splitter = LineSplitter::new(LIMIT);
        let mut lines = Vec::new();
        for part in parts {
            assert!(splitter.feed(part, |line| {
                lines.push(line);
                true
            }));
            assert!(splitter.partial.len() <= LIMIT + 1);
        }
        lines.extend(splitter.finish());
        lines
    }

    fn text(text: &str) -> Line {
        Line::Text(text.into())
    }

    #[test]
    fn lines_with_and_without_ends() {
        check("", &[]);
        check("ab\n", &[text("ab")]);
        check("ab", &[text("ab")]);
        check("a\r\nb\n\n", &[text("a"), text("b"), text("")]);
        check("a\rb\n", &[text("a\rb")]);
        check("é\n", &[text("é")]);
    }

    #[test]
    fn one_below_at_and_above_the_limit() {
        check("abc\n", &[text("abc")]);
        check("abcd\n", &[text("abcd")]);
        check("abcd\r\n", &[text("abcd")]);
        check("abcde\n", &[Line::TooLong { bytes: 5 }]);
        check("abcde\r\n", &[Line::TooLong { bytes: 5 }]);
        check("abcd\re\nok\n", &[Line::TooLong { bytes: 6 }, text("ok")]);
        check(
            "abcdefgh\nok\nabcdef",
            &[
                Line::TooLong { bytes: 8 },
                text("ok"),
                Line::TooLong { bytes: 6 },
            ],
        );
    }

    #[test]
    fn the_receiver_can_stop_it() {
        let mut splitter = LineSplitter::new(LIMIT);
        let mut count = 0;
        assert!(!splitter.feed(b"a\nb\nc\n", |_| {
            count += 1;
            count < 2
        }));
        assert_eq!(count, 2);
    }
}
