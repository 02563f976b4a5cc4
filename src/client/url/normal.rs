//! The normal form of paths and queries: percent-encoding (RFC 3986 section 2) and dot segments (section 5.2.4).

/// `unreserved / sub-delims / ":" / "@"` (RFC 3986 section 3.3) and the slash.
pub(super) const fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b'@')
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
        )
}

/// Section 3.4.
pub(super) const fn is_query_byte(byte: u8) -> bool {
    is_path_byte(byte) || byte == b'?'
}

/// Encodes what `keep` does not keep; an escape stays, a `%` that begins none is encoded.
pub(super) fn encode_into(out: &mut String, text: &str, keep: fn(u8) -> bool) {
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let is_escape = byte == b'%'
            && bytes
                .get(at..)
                .and_then(|escape| escape.get(1..3))
                .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        if is_escape || keep(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// Section 5.2.4, on a path that is encoded. A relative one is taken as absolute: only an empty path comes so.
pub(super) fn resolve_dots_into(out: &mut String, path: &str) {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match dots(segment) {
            0 => {
                kept.push(segment);
                continue;
            }
            1 => (),
            _ => drop(kept.pop()),
        }
        if is_last {
            kept.push("");
        }
    }
    for segment in kept {
        out.push('/');
        out.push_str(segment);
    }
}

/// 1 for `.`, 2 for `..`, however their dots are written; 0 for anything else.
pub(super) fn dots(segment: &str) -> usize {
    let mut rest = segment;
    for count in 0..3 {
        if rest.is_empty() {
            return count;
        }
        let escaped = || {
            let (dot, rest) = rest.split_at_checked(3)?;
            dot.eq_ignore_ascii_case("%2e").then_some(rest)
        };
        let Some(behind) = rest.strip_prefix('.').or_else(escaped) else {
            return 0;
        };
        rest = behind;
    }
    0
}
