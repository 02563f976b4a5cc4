//! The field lines of a head, kept as one copy of its bytes and a list of ranges. Shared by `head`
//! and `response`.

use super::head::HeadError;
use crate::find::is_same_name;
use std::ops::Range;

/// The most field lines any head may have, whatever the configured limit: the tokeniser's list
/// lives on the stack.
pub const HEADERS_CAP: usize = 128;

/// Field lines that most heads stay below; preparing the longer list takes longer than such a head.
const HEADERS_USUAL: usize = 32;

/// What [`Head::header`](super::Head::header) answers for a value that is not UTF-8: no rule of ours accepts it.
pub const UNREADABLE: &str = "\u{fffd}";

/// One field line, as offsets into [`Fields::bytes`].
#[derive(Clone, Copy, Debug)]
struct Field {
    /// [`name_key`] of its name.
    key: u32,
    name_start: u32,
    name_len: u32,
    value_start: u32,
    value_len: u32,
}

/// A head's bytes and where its fields are.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The head; empty if it is not all UTF-8.
    text: String,
    /// The head if it is not.
    bytes: Vec<u8>,
    fields: Vec<Field>,
    /// The [`key_bit`]s of all names: most of what a request is asked for is not in it.
    names: u64,
    /// Whether two names may be the same, since they have the same bit.
    may_repeat: bool,
}

impl Fields {
    /// Forgets the fields and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        // Seldom there at all.
        self.bytes = Vec::new();
        self.fields.clear();
        self.names = 0;
        self.may_repeat = false;
    }

    /// Forgets the fields and frees the memory.
    pub(super) fn release(&mut self) {
        *self = Fields::default();
    }

    /// Bytes of head that fit without allocating.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.text.capacity()
    }

    /// Copies `head` and tokenises the field lines in `lines` (a range of it that ends with the
    /// blank line).
    pub(super) fn fill(
        &mut self,
        head: &[u8],
        lines: Range<usize>,
        headers_max: usize,
    ) -> Result<(), HeadError> {
        let limit = headers_max.min(HEADERS_CAP);
        match self.tokenise::<HEADERS_USUAL>(head, lines.clone(), limit) {
            Err(HeadError::TooManyHeaders { .. }) if limit > HEADERS_USUAL => {
                self.tokenise::<HEADERS_CAP>(head, lines, limit)
            }
            outcome => outcome,
        }
    }

    /// [`fill`](Fields::fill) with a list of `N` on the stack. Not inlined: the two lists must not
    /// share a frame.
    #[inline(never)]
    fn tokenise<const N: usize>(
        &mut self,
        head: &[u8],
        lines: Range<usize>,
        limit: usize,
    ) -> Result<(), HeadError> {
        self.clear();
        let mut tokens = [httparse::EMPTY_HEADER; N];
        let tokens = match httparse::parse_headers(
            head.get(lines).unwrap_or_default(),
            tokens.get_mut(..limit.min(N)).unwrap_or_default(),
        ) {
            Ok(httparse::Status::Complete((_, tokens))) => tokens,
            Err(httparse::Error::TooManyHeaders) => {
                return Err(HeadError::TooManyHeaders { limit });
            }
            Ok(httparse::Status::Partial) | Err(_) => return Err(HeadError::BadField),
        };
        // Looked at once, not for every value that somebody asks for.
        match std::str::from_utf8(head) {
            Ok(text) => self.text.push_str(text),
            Err(_) => self.bytes.extend_from_slice(head),
        }
        let offset = |part: &[u8]| offset_in(head, part);
        for token in tokens {
            let value = trim(token.value);
            let key = name_key(token.name.as_bytes());
            self.may_repeat |= self.names & key_bit(key) != 0;
            self.names |= key_bit(key);
            self.fields.push(Field {
                key,
                name_start: offset(token.name.as_bytes()),
                name_len: len_u32(token.name.len()),
                value_start: offset(value),
                value_len: len_u32(value.len()),
            });
        }
        Ok(())
    }

    fn bytes(&self) -> &[u8] {
        match self.text.as_bytes() {
            [] => &self.bytes,
            bytes => bytes,
        }
    }

    /// A range of the copied head as text, if it is UTF-8 and not out of range.
    fn part(&self, range: Range<usize>) -> Option<&str> {
        match self.text.get(range.clone()) {
            Some(text) => Some(text),
            None => std::str::from_utf8(self.bytes.get(range)?).ok(),
        }
    }

    /// A range of the copied head as text; empty when it is not UTF-8 or out of range.
    pub(super) fn slice(&self, range: Range<usize>) -> &str {
        self.part(range).unwrap_or_default()
    }

    /// All fields in order: names as sent, values trimmed.
    pub(super) fn iter_text(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let value = |field: &Field| self.bytes().get(field.value()).unwrap_or_default();
        (self.fields.iter()).map(move |field| (self.slice(field.name()), value(field)))
    }

    /// The values of every field called `name`, in order.
    pub(super) fn all<'a, 'n>(&'a self, name: &'n str) -> Values<'a, 'n> {
        let key = name_key(name.as_bytes());
        let fields = match self.names & key_bit(key) {
            0 => &[],
            _ => self.fields.as_slice(),
        };
        Values {
            fields: self,
            rest: fields.iter(),
            name: name.as_bytes(),
            key,
        }
    }

    /// Whether a name may stand more than once; false is certain.
    pub(super) fn may_repeat(&self) -> bool {
        self.may_repeat
    }

    /// The elements of a comma-separated field over all its lines (RFC 9110 section 5.6.1), empty
    /// ones left out.
    pub(super) fn list<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .map(trim)
            .filter(|item| !item.is_empty())
    }

    /// Whether the `Connection` field asks to keep the connection, by version (RFC 9112 section
    /// 9.3).
    pub(super) fn keep_alive(&self, version: super::head::Version) -> bool {
        let mut keep_alive = version == super::head::Version::Http11;
        for token in self.list("connection") {
            if token.eq_ignore_ascii_case(b"close") {
                return false;
            }
            keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
        }
        keep_alive
    }
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "both ends were places in the head"
)]
impl Field {
    fn name(&self) -> Range<usize> {
        self.name_start as usize..(self.name_start + self.name_len) as usize
    }

    fn value(&self) -> Range<usize> {
        self.value_start as usize..(self.value_start + self.value_len) as usize
    }
}

/// See [`Fields::all`]. By hand, for it runs some twenty times for each request: a chain of adapters stays a chain of calls
/// where the code is made small.
pub(super) struct Values<'a, 'n> {
    fields: &'a Fields,
    rest: std::slice::Iter<'a, Field>,
    name: &'n [u8],
    key: u32,
}

impl<'a> Values<'a, '_> {
    #[inline(never)]
    fn next_field(&mut self) -> Option<&'a Field> {
        for field in self.rest.by_ref() {
            if field.key != self.key {
                continue;
            }
            let name = self.fields.bytes().get(field.name());
            if is_same_name(name.unwrap_or_default(), self.name) {
                return Some(field);
            }
        }
        None
    }

    /// The next value as text: [`UNREADABLE`] if it is not UTF-8, never absent for being odd.
    pub(super) fn next_text(&mut self) -> Option<&'a str> {
        let field = self.next_field()?;
        Some(self.fields.part(field.value()).unwrap_or(UNREADABLE))
    }
}

impl<'a> Iterator for Values<'a, '_> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let field = self.next_field()?;
        self.fields.bytes().get(field.value())
    }
}

/// What names that are equal but for letter case have in common: length, first, middle and last letter. A request is asked for
/// some twenty headers, and comparing whole names for that took a tenth of a small one's instructions.
fn name_key(name: &[u8]) -> u32 {
    let at = |index: usize| u32::from(name.get(index).map_or(0, |byte| byte | 0x20));
    let last = name.len().wrapping_sub(1);
    (len_u32(name.len()) & 0xff) << 24 | at(0) << 16 | at(name.len() / 2) << 8 | at(last)
}

/// One bit of 64 for a [`name_key`].
fn key_bit(key: u32) -> u64 {
    // By the golden ratio, as Knuth has it: all bits of the key are in the upper ones of the product.
    1 << (key.wrapping_mul(0x9e37_79b1) >> 26)
}

/// Strips optional white space (SP and HTAB) from both ends.
pub(super) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Where `part`, a slice of `whole`, starts in it.
fn offset_in(whole: &[u8], part: &[u8]) -> u32 {
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    // An empty value may be a literal elsewhere in memory; any offset serves an empty range.
    if start > whole.len() {
        0
    } else {
        len_u32(start)
    }
}

/// A head is shorter than 4 GiB: the scan limits it.
fn len_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
