//! The field lines of a head, kept as one copy of its bytes and a list of ranges. Shared by `head`
//! and `response`.

use super::head::{HeadError, Version};
use super::name::{Name, token_len};
use crate::find;
use std::ops::Range;

/// The most field lines any head may have, whatever the configured limit: their places are counted
/// in a byte.
pub const HEADERS_CAP: usize = 128;

/// What [`Head::header`](super::Head::header) answers for a value that is not UTF-8: no rule of ours accepts it.
pub const UNREADABLE: &str = "\u{fffd}";

/// One field line, as offsets into [`Fields::bytes`].
#[derive(Clone, Copy, Debug)]
struct Field {
    name_start: u32,
    name_end: u32,
    value_start: u32,
    value_end: u32,
}

/// A head's bytes and where its fields are.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The head; empty if it is not all UTF-8.
    text: String,
    /// The head if it is not.
    bytes: Vec<u8>,
    fields: Vec<Field>,
    /// The place in `fields`, counted from 1, of the first line with each [`Name`]; 0 if there is none.
    first: [u8; Name::COUNT],
    /// The [`name_bit`]s of those that stand there more than once.
    repeated: u32,
    /// What is wrong with the first line that is not right.
    error: Option<HeadError>,
}

impl Fields {
    /// Forgets the fields and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        // Seldom there at all.
        self.bytes = Vec::new();
        self.fields.clear();
        self.first = [0; Name::COUNT];
        self.repeated = 0;
        self.error = None;
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

    /// Takes the field line that stands at `line` of `head`, without its end. The scan has seen to it that
    /// there is no other control byte in it but HTAB.
    ///
    /// What is wrong with it is told by [`finish`](Fields::finish): whatever the scan finds, wherever
    /// it stands, comes first.
    pub(super) fn add(&mut self, head: &[u8], line: Range<usize>, headers_max: usize) {
        if self.error.is_none() {
            self.error = self.try_add(head, line, headers_max).err();
        }
    }

    fn try_add(
        &mut self,
        head: &[u8],
        line: Range<usize>,
        headers_max: usize,
    ) -> Result<(), HeadError> {
        let bytes = head.get(line.clone()).unwrap_or_default();
        let name_len = token_len(bytes);
        if name_len == 0 || bytes.get(name_len) != Some(&b':') {
            return Err(HeadError::BadField);
        }
        let limit = headers_max.min(HEADERS_CAP);
        if self.fields.len() >= limit {
            return Err(HeadError::TooManyHeaders { limit });
        }
        let name_end = line.start.saturating_add(name_len);
        let value = trim(head, name_end.saturating_add(1)..line.end);
        self.fields.push(Field {
            name_start: place(line.start),
            name_end: place(name_end),
            value_start: place(value.start),
            value_end: place(value.end),
        });
        if let Some(name) = Name::of(bytes.get(..name_len).unwrap_or_default()) {
            self.note(name);
        }
        Ok(())
    }

    /// Of a head that was copied whole, keeps the field lines that `buf`, where another begins, has as well: where
    /// they start and end. If that is the end of the copy, then `buf` begins with the same head. None if there is nothing
    /// to keep.
    pub(super) fn keep_common(&mut self, buf: &[u8]) -> Option<Range<usize>> {
        let common = find::common_len(self.text.as_bytes(), buf);
        let start = self.fields.first()?.name().start;
        if common < start {
            return None;
        }
        if common == self.text.len() {
            return Some(start..common);
        }
        // Which one of two lines is gone is not worth knowing.
        if self.repeated != 0 {
            return None;
        }
        // The last line that starts within it may be another one.
        let mut kept = self.fields.len();
        let end = loop {
            kept = kept.checked_sub(1)?;
            let line = self.fields.get(kept)?.name().start;
            if line <= common {
                break line;
            }
        };
        self.fields.truncate(kept);
        for place in &mut self.first {
            if usize::from(*place) > kept {
                *place = 0;
            }
        }
        Some(start..end)
    }

    /// Whether the copied head ends there.
    pub(super) fn ends_at(&self, end: usize) -> bool {
        self.text.len() == end
    }

    /// What is wrong with a line, as far as they have come.
    pub(super) fn error(&self) -> Option<HeadError> {
        self.error
    }

    /// Copies the head that the lines were taken from, or says what is wrong with one.
    pub(super) fn finish(&mut self, head: &[u8]) -> Result<(), HeadError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.text.clear();
        // Looked at once, not for every value that somebody asks for.
        match std::str::from_utf8(head) {
            Ok(text) => self.text.push_str(text),
            Err(_) => self.bytes.extend_from_slice(head),
        }
        Ok(())
    }

    /// Notes that the field put there last has this name.
    #[expect(clippy::indexing_slicing, reason = "as many places as names")]
    fn note(&mut self, name: Name) {
        let first = &mut self.first[name as usize];
        if *first == 0 {
            // At most `HEADERS_CAP`.
            *first = u8::try_from(self.fields.len()).unwrap_or(u8::MAX);
        } else {
            self.repeated |= name_bit(name);
        }
    }

    /// The first field with this name.
    #[expect(clippy::indexing_slicing, reason = "as many places as names")]
    fn first(&self, name: Name) -> Option<&Field> {
        let place = usize::from(self.first[name as usize]);
        self.fields.get(place.wrapping_sub(1))
    }

    /// The value of the first field with this name.
    pub(super) fn value(&self, name: Name) -> Option<&[u8]> {
        self.bytes().get(self.first(name)?.value())
    }

    /// The same as text: [`UNREADABLE`] if it is not UTF-8, never absent for being odd.
    pub(super) fn text(&self, name: Name) -> Option<&str> {
        Some(self.text_of(self.first(name)?))
    }

    /// Whether this name stands there more than once.
    pub(super) fn is_repeated(&self, name: Name) -> bool {
        self.repeated & name_bit(name) != 0
    }

    /// The fields with this name, in order.
    fn all(&self, name: &str) -> impl Iterator<Item = &Field> {
        let is_called = move |field: &&Field| {
            let found = self.bytes().get(field.name()).unwrap_or_default();
            found.eq_ignore_ascii_case(name.as_bytes())
        };
        self.fields.iter().filter(is_called)
    }

    /// The values of every field with this name, in order.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.all(name)
            .filter_map(|field| self.bytes().get(field.value()))
    }

    /// The same as texts, read as [`text`](Fields::text) reads them.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.all(name).map(|field| self.text_of(field))
    }

    fn text_of(&self, field: &Field) -> &str {
        self.part(field.value()).unwrap_or(UNREADABLE)
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

    /// Whether the `Connection` field asks to keep the connection, by version (RFC 9112 section
    /// 9.3).
    pub(super) fn keep_alive(&self, version: Version) -> bool {
        let mut keep_alive = version == Version::Http11;
        // Most requests have none.
        if self.first(Name::Connection).is_none() {
            return keep_alive;
        }
        // A list over all its lines (RFC 9110 section 5.6.1).
        for value in self.values(Name::Connection.as_str()) {
            for token in value.split(|byte| *byte == b',') {
                let token = token.get(trim(token, 0..token.len())).unwrap_or_default();
                if token.eq_ignore_ascii_case(b"close") {
                    return false;
                }
                keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        keep_alive
    }
}

impl Field {
    fn name(&self) -> Range<usize> {
        self.name_start as usize..self.name_end as usize
    }

    fn value(&self) -> Range<usize> {
        self.value_start as usize..self.value_end as usize
    }
}

fn name_bit(name: Name) -> u32 {
    1 << (name as u32)
}

/// Strips optional white space (SP and HTAB) from both ends of a part of `bytes`, behind which there is none.
#[inline(always)]
fn trim(bytes: &[u8], mut part: Range<usize>) -> Range<usize> {
    while let Some(b' ' | b'\t') = bytes.get(part.start) {
        part.start = part.start.wrapping_add(1);
    }
    while part.start < part.end
        && let Some(b' ' | b'\t') = bytes.get(part.end.wrapping_sub(1))
    {
        part.end = part.end.wrapping_sub(1);
    }
    part
}

/// A place in a head, which is shorter than 4 GiB: the scan limits it.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
