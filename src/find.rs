//! Finds bytes, eight at a time. The crate is built for size, where the compiler
//! does not widen such loops by itself.
//!
//! The words are read in little-endian order, so the lowest marked byte is the first one. A borrow
//! can mark a byte wrongly, but only above a rightly marked one, and only the lowest is looked at.

/// Where the first control byte other than HTAB stands; DEL is one.
pub fn control(bytes: &[u8]) -> Option<usize> {
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
pub fn line_end(bytes: &[u8]) -> Option<usize> {
    find(bytes, |word| equal(word, b'\n') | equal(word, b'\r'))
}

/// How many bytes both begin with.
pub fn common_len(one: &[u8], other: &[u8]) -> usize {
    let (one_words, _) = one.as_chunks::<8>();
    let (other_words, _) = other.as_chunks::<8>();
    let mut len = 0usize;
    for (one, other) in one_words.iter().zip(other_words) {
        if one != other {
            break;
        }
        len = len.saturating_add(8);
    }
    while let (Some(one), Some(other)) = (one.get(len), other.get(len))
        && one == other
    {
        len = len.saturating_add(1);
    }
    len
}

/// Whether a text has to be escaped to be a JSON string (RFC 8259, section 7).
pub fn needs_escape(text: &str) -> bool {
    find(text.as_bytes(), marks_in_json).is_some()
}

/// Marks the lowest byte of `word` that ends a JSON string, escapes something, or is forbidden in one.
#[inline(always)]
fn marks_in_json(word: u64) -> u64 {
    below(word, 0x20) | equal(word, b'"') | equal(word, b'\\')
}

/// Where the first byte stands, from `at` on, that may end a JSON string, escape something, or be forbidden in one. Less
/// than eight bytes before the end it is the next byte, whatever that is.
#[inline(always)]
pub fn json_mark(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let marks = marks_in_json(u64::from_le_bytes(*word));
        if marks != 0 {
            return at.wrapping_add(marks.trailing_zeros() as usize / 8);
        }
        at = at.wrapping_add(8);
    }
    at
}

/// A word of at most eight bytes and spaces.
fn padded(bytes: &[u8]) -> [u8; 8] {
    let mut word = [b' '; 8];
    for (to, from) in word.iter_mut().zip(bytes) {
        *to = *from;
    }
    word
}

/// Where the first byte that `mark` marks stands. It must not mark the space: ends are padded.
fn find(bytes: &[u8], mark: impl Fn(u64) -> u64) -> Option<usize> {
    let (words, tail) = bytes.as_chunks::<8>();
    let mut from = 0usize;
    for word in words {
        let marks = mark(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(from.saturating_add(marks.trailing_zeros() as usize / 8));
        }
        from = from.saturating_add(8);
    }
    // The last word, in whose first bytes nothing was marked before; or a shorter one.
    let (last, from) = match bytes.last_chunk() {
        Some(last) => (*last, bytes.len().saturating_sub(8)),
        None => (padded(tail), 0),
    };
    let marks = mark(u64::from_le_bytes(last));
    (marks != 0).then(|| from.saturating_add(marks.trailing_zeros() as usize / 8))
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

    /// Every byte value, before and behind every other.
    #[test]
    fn json_is_looked_at_as_byte_by_byte() {
        for (first, second) in
            (0..=255).flat_map(|first| (0..=255).map(move |second| (first, second)))
        {
            for len in [2, 8, 9, 17] {
                let mut bytes = [b'a'; 17];
                (bytes[len - 2], bytes[len - 1]) = (first, second);
                let bytes = &bytes[..len];
                for from in 0..=len {
                    let at = json_mark(bytes, from);
                    let is_marked = |byte: &u8| matches!(byte, 0..=0x1f | b'"' | b'\\');
                    assert!(!bytes[from..at].iter().any(is_marked), "{bytes:?}");
                    assert!(at + 8 > len || is_marked(&bytes[at]), "{bytes:?}");
                }
                if let Ok(text) = std::str::from_utf8(bytes) {
                    let written = serde_json::to_string(text).unwrap();
                    assert_eq!(
                        needs_escape(text),
                        written.len() != text.len() + 2,
                        "{text:?}"
                    );
                }
            }
        }
    }

    /// Two texts that differ at every place, of every length.
    #[test]
    fn what_is_common_ends_at_the_first_difference() {
        for len in 0..20 {
            for at in 0..=len {
                let (one, mut other) = ([b'a'; 20], [b'a'; 20]);
                other[at] = b'b';
                assert_eq!(common_len(&one[..len], &other), at);
                assert_eq!(common_len(&other, &one[..len]), at);
            }
        }
    }
}
