//! Reads the payload of a state file, whatever it says.
//!
//! Not by the derive that matches the one which writes it: that one makes room for as many elements as a length
//! announces, and a file of a few bytes can announce more than there is memory. Here every length is used up element by
//! element, and each takes at least a byte of what there is.

use super::{Saved, SavedEvent, SavedSession, SavedStream};

/// The payload, if it is one and nothing follows it.
pub(super) fn read(payload: &[u8]) -> Option<Saved> {
    let mut reader = Reader(payload);
    let saved = Saved {
        seal_key: reader.bytes()?.to_vec(),
        sessions: reader.list(session)?,
    };
    reader.0.is_empty().then_some(saved)
}

fn session(reader: &mut Reader<'_>) -> Option<SavedSession> {
    Some(SavedSession {
        id: reader.text()?,
        owner: reader.text()?,
        revision: reader.text()?,
        client: reader.text()?,
        log_level: reader.text()?,
        idle_seconds: u64::from_le_bytes(reader.array()?),
        subscriptions: reader.list(Reader::text)?,
        next_stream: u32::from_le_bytes(reader.array()?),
        streams: reader.list(stream)?,
    })
}

fn stream(reader: &mut Reader<'_>) -> Option<SavedStream> {
    Some(SavedStream {
        number: u32::from_le_bytes(reader.array()?),
        next_sequence: u64::from_le_bytes(reader.array()?),
        is_complete: reader.flag()?,
        events: reader.list(|reader| {
            Some(SavedEvent {
                sequence: u64::from_le_bytes(reader.array()?),
                is_answer: reader.flag()?,
                text: reader.bytes()?.to_vec(),
            })
        })?,
    })
}

/// What is left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.array()? {
            [0] => Some(false),
            [1] => Some(true),
            [_] => None,
        }
    }

    fn len(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(self.array()?)).ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.len()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        let bytes = self.bytes()?;
        Some(std::str::from_utf8(bytes).ok()?.to_owned())
    }

    fn list<T>(&mut self, one: impl Fn(&mut Reader<'a>) -> Option<T>) -> Option<Vec<T>> {
        let mut list = Vec::new();
        for _ in 0..self.len()? {
            list.push(one(self)?);
        }
        Some(list)
    }
}
