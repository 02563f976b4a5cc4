//! Compressed bodies, inflated piece by piece: `gzip` (RFC 1952), and `deflate`, which is zlib's format (RFC 1950) by the standard and
//! raw (RFC 1951) by the habit of some servers.
//!
//! The crate inflates; what stands around it is read here, since its own reader of gzip brings a checksum in 16 KiB of tables.

use flate2::{Decompress, FlushDecompress, Status};

use super::body::{Failed, Sink};

/// A head of gzip may hold a file's name and a comment; servers send neither.
const HEAD_BYTES_MAX: usize = 4096;

/// ```text
///   Head ──► Deflated ──► Tail ──► End ──► Head, for the next member of gzip
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Head,
    Deflated,
    Tail,
    End,
}

/// Compressed bytes in, the body out.
pub(super) struct Inflate {
    is_gzip: bool,
    step: Step,
    /// Of a head or a tail, until it is whole.
    begin: Vec<u8>,
    stream: Decompress,
    crc: u32,
    sink: Sink,
}

impl Inflate {
    pub(super) fn new(is_gzip: bool, sink: Sink) -> Self {
        Self {
            is_gzip,
            step: Step::Head,
            begin: Vec::new(),
            stream: Decompress::new(false),
            crc: 0,
            sink,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        if self.begin.is_empty() {
            return self.read(bytes);
        }
        let mut begin = std::mem::take(&mut self.begin);
        begin.extend_from_slice(bytes);
        self.read(&begin)
    }

    /// The body, if it came to its proper end.
    pub(super) fn finish(self) -> Result<Sink, Failed> {
        match self.step {
            Step::End => Ok(self.sink),
            Step::Deflated | Step::Head | Step::Tail => Err(Failed::Damaged),
        }
    }

    #[cfg(test)]
    pub(super) const fn sink(&self) -> &Sink {
        &self.sink
    }

    fn read(&mut self, mut bytes: &[u8]) -> Result<(), Failed> {
        loop {
            let len = match self.step {
                Step::Head => self.begin_member(bytes)?,
                Step::Deflated => self.inflate(bytes)?,
                Step::Tail if self.is_gzip => match bytes.first_chunk() {
                    Some(tail) => {
                        self.check(*tail)?;
                        Some(tail.len())
                    }
                    None => None,
                },
                Step::Tail => Some(0),
                Step::End if bytes.is_empty() => return Ok(()),
                Step::End if self.is_gzip => Some(0),
                // What follows the end belongs to nothing.
                Step::End => return Err(Failed::Damaged),
            };
            let Some(len) = len else {
                // All of what is deflated was taken.
                if self.step != Step::Deflated {
                    bytes.clone_into(&mut self.begin);
                }
                return Ok(());
            };
            bytes = bytes.get(len..).unwrap_or_default();
            self.step = match self.step {
                Step::Head => Step::Deflated,
                Step::Deflated => Step::Tail,
                Step::Tail => Step::End,
                Step::End => Step::Head,
            };
        }
    }

    /// The length of a head, if it is whole. Raw data has none, and that of zlib is the stream's own.
    fn begin_member(&mut self, bytes: &[u8]) -> Result<Option<usize>, Failed> {
        let len = match self.is_gzip {
            true => gzip_head_len(bytes)?,
            false => (bytes.len() >= 2).then_some(0),
        };
        if len.is_some() {
            self.stream.reset(!self.is_gzip && is_zlib(bytes));
            self.crc = 0;
        }
        Ok(len)
    }

    /// How much of the bytes belongs to the deflated data, if they hold its end.
    fn inflate(&mut self, bytes: &[u8]) -> Result<Option<usize>, Failed> {
        let mut chunk = [0; 4096];
        let mut taken = 0;
        loop {
            let (read, made) = (self.stream.total_in(), self.stream.total_out());
            let rest = bytes.get(taken..).unwrap_or_default();
            let status = self
                .stream
                .decompress(rest, &mut chunk, FlushDecompress::None);
            let status = status.map_err(|_| Failed::Damaged)?;
            let since = |now: u64, before: u64| {
                usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX)
            };
            let read = since(self.stream.total_in(), read);
            let made = since(self.stream.total_out(), made);
            taken = taken.saturating_add(read);
            let made = chunk.get(..made).unwrap_or_default();
            if self.is_gzip {
                self.crc = crc32(self.crc, made);
            }
            self.sink.add(made)?;
            if status == Status::StreamEnd {
                return Ok(Some(taken));
            }
            if read == 0 && made.is_empty() {
                return Ok(None);
            }
        }
    }

    /// RFC 1952 section 2.3.1: the checksum and the length of what was compressed.
    fn check(&self, tail: [u8; 8]) -> Result<(), Failed> {
        let expected = u64::from_le_bytes(tail);
        let len = self.stream.total_out() & u64::from(u32::MAX);
        match expected == len << 32 | u64::from(self.crc) {
            true => Ok(()),
            false => Err(Failed::Damaged),
        }
    }
}

/// RFC 1950 section 2.2: the method is 8, and both bytes are a multiple of 31.
fn is_zlib(bytes: &[u8]) -> bool {
    let begin = bytes.first_chunk::<2>().copied().unwrap_or_default();
    begin[0] & 15 == 8 && u16::from_be_bytes(begin).is_multiple_of(31)
}

/// RFC 1952 section 2.3: how long the head of a member is, if all of it is there.
fn gzip_head_len(bytes: &[u8]) -> Result<Option<usize>, Failed> {
    const RESERVED: u8 = 0xe0;
    let is_other = |(byte, expected): (&u8, u8)| *byte != expected;
    let flags = bytes.get(3).copied().unwrap_or_default();
    if bytes.iter().zip([0x1f, 0x8b, 8]).any(is_other) || flags & RESERVED != 0 {
        return Err(Failed::Damaged);
    }
    let len = gzip_head_end(bytes, flags);
    match len.unwrap_or(bytes.len()) > HEAD_BYTES_MAX {
        true => Err(Failed::Damaged),
        false => Ok(len),
    }
}

fn gzip_head_end(bytes: &[u8], flags: u8) -> Option<usize> {
    const CHECKSUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let mut rest = bytes.get(10..)?;
    if flags & EXTRA != 0 {
        let (len, extra) = rest.split_first_chunk()?;
        rest = extra.get(usize::from(u16::from_le_bytes(*len))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            (_, rest) = rest.get(end..)?.split_first()?;
        }
    }
    if flags & CHECKSUM != 0 {
        rest = rest.get(2..)?;
    }
    bytes.len().checked_sub(rest.len())
}

/// RFC 1952 section 8, by four bits at a time: goes on from the checksum of what came before.
#[expect(clippy::indexing_slicing, reason = "four bits have 16 values")]
fn crc32(before: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut nibble: u32 = 0;
        while nibble < 16 {
            let mut crc = nibble;
            let mut bit = 0;
            while bit < 4 {
                crc = if crc & 1 == 1 {
                    crc >> 1 ^ 0xedb8_8320
                } else {
                    crc >> 1
                };
                bit += 1;
            }
            table[nibble as usize] = crc;
            nibble += 1;
        }
        table
    };
    let step = |crc: u32| crc >> 4 ^ TABLE[(crc & 15) as usize];
    !bytes
        .iter()
        .fold(!before, |crc, byte| step(step(crc ^ u32::from(*byte))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_go_on() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(crc32(0, b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(crc32(0, b"1234"), b"56789"), 0xcbf4_3926);
        assert_eq!(crc32(0, b""), 0);
    }

    #[test]
    fn heads_end_where_their_fields_do() {
        #[track_caller]
        fn check(flags: u8, fields: &[u8], expected: Result<(), Failed>) {
            let head = [&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3][..], fields].concat();
            let more = [&head[..], b"more"].concat();
            assert_eq!(gzip_head_len(&more), expected.map(|()| Some(head.len())));
            for len in 0..head.len() {
                let part = gzip_head_len(&head[..len]);
                assert!(matches!(part, Ok(None) | Err(Failed::Damaged)), "{len}");
            }
        }
        check(0, b"", Ok(()));
        check(1, b"", Ok(()));
        check(2, b"ck", Ok(()));
        check(4, b"\x03\0abc", Ok(()));
        check(8, b"name\0", Ok(()));
        check(16, b"comment\0", Ok(()));
        check(31, b"\0\0name\0comment\0ck", Ok(()));
        check(32, b"", Err(Failed::Damaged));
        for (len, expected) in [(4085, Ok(())), (4086, Err(Failed::Damaged))] {
            let name = [vec![b'x'; len], vec![0]].concat();
            check(8, &name, expected);
        }
        assert_eq!(gzip_head_len(b"\x1f\x8b\x07"), Err(Failed::Damaged));
    }
}
