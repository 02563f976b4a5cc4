//! Where a byte stands in a text, in the words of an editor. The loader of the configuration and the reader of packs ask, for their
//! messages.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

/// Line and column of a byte, both from 1, the column in characters. Behind the end of the text its end is meant.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.as_bytes();
    let before = before.get(..offset).unwrap_or(before);
    let mut lines = before.rsplit(|byte| *byte == b'\n');
    let column = lines.next().map(String::from_utf8_lossy);
    let column = column.map_or(0, |line| line.chars().count());
    let line = lines.count();
    (line.saturating_add(1), column.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn lines_and_columns_are_counted_from_one() {
        let text = "aäb\ncd";
        let expected = [
            (0, (1, 1)),
            (1, (1, 2)),
            // Within a character, which is cut.
            (2, (1, 3)),
            (3, (1, 3)),
            (4, (1, 4)),
            (5, (2, 1)),
            (7, (2, 3)),
            (99, (2, 3)),
        ];
        for (offset, expected) in expected {
            assert_eq!(position(text, offset), expected, "{offset}");
        }
        assert_eq!(position("", 0), (1, 1));
    }
}
