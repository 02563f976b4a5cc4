//! Finds the bytes that end lines, eight at a time. The crate is built for size, where the compiler
//! does not widen such loops by itself.
//!
//! The words are read in little-endian order, so the lowest marked byte is the first one. A borrow
//! can mark a byte wrongly, but only above a rightly marked one, and only the lowest is looked at.

/// Where the first control byte other than HTAB stands; DEL is one.
pub(super) fn control(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let found = find(rest, |word| below(word, 0x20) | equal(word, 0x7f))?;
        let at = from.saturating_add(found);
        if bytes.get(at) != Some(&b'\t') {
            return Some(at);
        }
        from = at.saturating_add(1);
    }
}

/// Where the first CR or LF stands.
pub(super) fn line_end(bytes: &[u8]) -> Option<usize> {
    find(bytes, |word| equal(word, b'\n') | equal(word, b'\r'))
}

/// Where the first byte that `mark` marks stands. It must not mark the space: ends are padded.
fn find(bytes: &[u8], mark: impl Fn(u64) -> u64) -> Option<usize> {
    let (words, tail) = bytes.as_chunks::<8>();
    let place = |index: usize, marks: u64| {
        let in_word = marks.trailing_zeros() as usize / 8;
        index.saturating_mul(8).saturating_add(in_word)
    };
    for (index, word) in words.iter().enumerate() {
        let marks = mark(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(place(index, marks));
        }
    }
    let mut word = [b' '; 8];
    for (to, from) in word.iter_mut().zip(tail) {
        *to = *from;
    }
    let marks = mark(u64::from_le_bytes(word));
    (marks != 0).then(|| place(words.len(), marks))
}

/// Marks, by its high bit, the lowest byte of `word` that is less than `limit` (at most 0x80).
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(every_byte(limit)) & !word & every_byte(0x80)
}

/// Marks the lowest byte of `word` that equals `byte`.
fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ every_byte(byte), 1)
}

fn every_byte(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_control(byte: u8) -> bool {
        byte.is_ascii_control() && byte != b'\t'
    }

    fn is_line_end(byte: u8) -> bool {
        byte == b'\r' || byte == b'\n'
    }

    /// Every byte value, before and behind every other, at every place of two words.
    #[test]
    fn agrees_with_a_plain_search() {
        for (first, second) in
            (0..=255).flat_map(|first| (0..=255).map(move |second| (first, second)))
        {
            for len in [2, 7, 8, 9, 16, 19] {
                for at in 0..len - 1 {
                    let mut bytes = [b'a'; 19];
                    bytes[at] = first;
                    bytes[at + 1] = second;
                    let bytes = &bytes[..len];
                    assert_eq!(
                        control(bytes),
                        bytes.iter().position(|byte| is_control(*byte)),
                        "{bytes:?}"
                    );
                    assert_eq!(
                        line_end(bytes),
                        bytes.iter().position(|byte| is_line_end(*byte)),
                        "{bytes:?}"
                    );
                }
            }
        }
        assert_eq!((control(b""), line_end(b"")), (None, None));
    }
}
