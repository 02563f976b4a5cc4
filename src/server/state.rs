//! The state file: what lets sessions and their replay rings outlive a restart.
//!
//! ```text
//!   "siskin" · version u16 · SHA-256 of the rest · nanoserde binary of `Saved`
//! ```
//!
//! Written whole to a temporary file beside it, synced and renamed, so that a crash leaves the old
//! file or the new one. A file that does not read is set aside under another name with a warning;
//! the server starts without it.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use nanoserde::{DeBin, SerBin};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::gate::Principal;
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::logging::Level;
use crate::mcp::revision::Revision;
use crate::rt;

use super::Server;
use super::session::{Remembered, Session};
use super::stream::{SessionStream, Stored};

const MAGIC: &[u8; 6] = b"siskin";
/// Raised whenever `Saved` changes; a file of another version is set aside.
const VERSION: u16 = 1;
const CHECKSUM_LEN: usize = 32;
/// A larger file is not ours.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The path of the state file.
#[derive(Clone, Debug)]
pub struct StateFile(PathBuf);

/// Why a state file does not read.
#[derive(Debug)]
pub enum StateError {
    /// The checksum does not match: it was damaged.
    Checksum,
    /// The payload does not decode, although its checksum is right.
    Format,
    /// The file system refused.
    Io(io::Error),
    /// It does not begin like a state file, or is too large to be one.
    NotAStateFile,
    /// Another version of siskin wrote it.
    Version(u16),
}

/// What is kept.
#[derive(SerBin, DeBin, Default)]
pub struct Saved {
    seal_key: Vec<u8>,
    sessions: Vec<SavedSession>,
}

#[derive(SerBin, DeBin)]
struct SavedSession {
    id: String,
    owner: String,
    revision: String,
    /// The client's capabilities as JSON text.
    client: String,
    log_level: String,
    /// How long the session had been idle, in seconds.
    idle_seconds: u64,
    subscriptions: Vec<String>,
    next_stream: u32,
    streams: Vec<SavedStream>,
}

#[derive(SerBin, DeBin)]
struct SavedStream {
    number: u32,
    next_sequence: u64,
    is_complete: bool,
    events: Vec<SavedEvent>,
}

#[derive(SerBin, DeBin)]
struct SavedEvent {
    sequence: u64,
    is_answer: bool,
    text: Vec<u8>,
}

impl StateFile {
    /// A state file at this path; it need not exist.
    pub fn new(path: impl Into<PathBuf>) -> StateFile {
        StateFile(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads it. `None` if there is none.
    pub fn read(&self) -> Result<Option<Saved>, StateError> {
        match fs::metadata(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::Io(error)),
            Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
                return Err(StateError::NotAStateFile);
            }
            Ok(_) => (),
        }
        let bytes = fs::read(&self.0).map_err(StateError::Io)?;
        decode(&bytes).map(Some)
    }

    /// Reads it; one that does not read is renamed to `<path>.damaged` and reported in the log.
    pub fn read_or_set_aside(&self) -> Option<Saved> {
        match self.read() {
            Ok(saved) => saved,
            Err(error) => {
                let mut aside = self.0.clone().into_os_string();
                aside.push(".damaged");
                let moved = fs::rename(&self.0, &aside);
                let outcome = match moved {
                    Ok(()) => format!("set aside as {}", Path::new(&aside).display()),
                    Err(error) => format!("and could not be set aside: {error}"),
                };
                log::warn!(
                    "state file {}: {error}; {outcome}; starting without sessions",
                    self.0.display()
                );
                None
            }
        }
    }

    /// Writes it. Blocks on the disk: call it on a helper thread, or when nothing else matters.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut temporary = self.0.clone().into_os_string();
        temporary.push(".new");
        let temporary = PathBuf::from(temporary);
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // Session ids open sessions, and the key opens request state: nobody else's business.
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, &self.0)?;
        // The rename is durable once the directory is.
        if let Some(directory) = self.0.parent()
            && let Ok(directory) = fs::File::open(match directory.as_os_str().is_empty() {
                true => Path::new("."),
                false => directory,
            })
        {
            directory.sync_all()?;
        }
        Ok(())
    }
}

impl Saved {
    /// The key that sealed what clients hold, if the file had one.
    pub fn seal_key(&self) -> Option<[u8; 32]> {
        self.seal_key.as_slice().try_into().ok()
    }

    /// How many sessions it holds.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether it holds no session.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }
}

impl Server {
    /// The state as the bytes of a state file.
    pub fn save(&self) -> Vec<u8> {
        let mut saved = Saved {
            seal_key: self.seal_key.to_vec(),
            sessions: Vec::new(),
        };
        let now = rt::now();
        self.visit_sessions(|session| {
            if session.is_direct() {
                return;
            }
            let Some(revision) = session.revision() else {
                return;
            };
            let idle = now.saturating_duration_since(session.last_used());
            saved.sessions.push(save_session(session, revision, idle));
        });
        encode(&saved)
    }

    /// Takes over the sessions of an earlier process. Those whose owner is no longer known or that
    /// have been idle for too long are dropped. Returns how many were taken.
    pub fn restore(
        &self,
        saved: &Saved,
        owner_of: impl Fn(&str) -> Option<Rc<Principal>>,
    ) -> usize {
        let settings = self.settings();
        let mut restored = 0;
        for session in saved.sessions.iter().take(settings.limits.sessions) {
            let idle = Duration::from_secs(session.idle_seconds);
            let Some(owner) = owner_of(&session.owner) else {
                continue;
            };
            let Some(remembered) = remember(session) else {
                continue;
            };
            if idle >= settings.session_idle {
                continue;
            }
            let now = rt::now();
            let last_used = now.checked_sub(idle).unwrap_or(now);
            self.keep_session(Rc::new(Session::restore(remembered, owner, last_used)));
            restored += 1;
        }
        restored
    }
}

fn save_session(session: &Session, revision: Revision, idle: Duration) -> SavedSession {
    let mut client = Vec::new();
    session.client().write(&mut client);
    let mut streams = Vec::new();
    session.visit_streams(|stream| {
        let events = stream.ring.iter().map(|stored| SavedEvent {
            sequence: stored.sequence,
            is_answer: stored.is_answer,
            text: stored.text.to_vec(),
        });
        streams.push(SavedStream {
            number: stream.number,
            next_sequence: stream.next_sequence,
            is_complete: stream.is_complete,
            events: events.collect(),
        });
    });
    SavedSession {
        id: session.id.to_string(),
        owner: session.owner.name.to_string(),
        revision: revision.as_str().to_owned(),
        client: String::from_utf8(client).unwrap_or_default(),
        log_level: session.log_level().as_str().to_owned(),
        idle_seconds: idle.as_secs(),
        subscriptions: session
            .subscriptions()
            .into_iter()
            .map(String::from)
            .collect(),
        next_stream: session.next_stream(),
        streams,
    }
}

fn remember(saved: &SavedSession) -> Option<Remembered> {
    let client: &RawValue = serde_json::from_str(&saved.client).ok()?;
    let streams = saved.streams.iter().map(|saved| {
        let mut stream = SessionStream::new(saved.number);
        stream.ring = (saved.events.iter())
            .map(|event| Stored {
                sequence: event.sequence,
                text: event.text.as_slice().into(),
                is_answer: event.is_answer,
            })
            .collect();
        stream.next_sequence = saved.next_sequence;
        // What was running when the process ended is not running now: no event will follow.
        stream.is_complete = saved.is_complete || saved.number != super::session::GENERAL_STREAM;
        stream
    });
    Some(Remembered {
        id: saved.id.as_str().into(),
        revision: Revision::from_text(&saved.revision)?,
        client: ClientCapabilities::parse(client)?,
        log_level: Level::from_text(&saved.log_level)?,
        subscriptions: saved
            .subscriptions
            .iter()
            .map(|uri| uri.as_str().into())
            .collect(),
        streams: streams.collect(),
        next_stream: saved.next_stream,
    })
}

fn encode(saved: &Saved) -> Vec<u8> {
    let mut payload = VERSION.to_le_bytes().to_vec();
    saved.ser_bin(&mut payload);
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&payload[..2]);
    bytes.extend_from_slice(&Sha256::digest(&payload));
    bytes.extend_from_slice(&payload[2..]);
    bytes
}

fn decode(bytes: &[u8]) -> Result<Saved, StateError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(StateError::NotAStateFile)?;
    let (version, rest) = rest
        .split_first_chunk::<2>()
        .ok_or(StateError::NotAStateFile)?;
    let number = u16::from_le_bytes(*version);
    if number != VERSION {
        return Err(StateError::Version(number));
    }
    let (checksum, payload) = rest
        .split_first_chunk::<CHECKSUM_LEN>()
        .ok_or(StateError::Checksum)?;
    let digest = Sha256::new()
        .chain_update(version)
        .chain_update(payload)
        .finalize();
    if digest.as_slice() != checksum {
        return Err(StateError::Checksum);
    }
    DeBin::deserialize_bin(payload).map_err(|_| StateError::Format)
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateError::Checksum => f.write_str("damaged: its checksum does not match"),
            StateError::Format => f.write_str("damaged: its content does not decode"),
            StateError::Io(error) => write!(f, "cannot be read: {error}"),
            StateError::NotAStateFile => f.write_str("is not a siskin state file"),
            StateError::Version(version) => {
                write!(
                    f,
                    "has format {version}; this siskin reads format {VERSION}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Saved {
        let event = SavedEvent {
            sequence: 4,
            is_answer: true,
            text: b"{}".to_vec(),
        };
        let stream = SavedStream {
            number: 2,
            next_sequence: 5,
            is_complete: false,
            events: vec![event],
        };
        let session = SavedSession {
            id: "abc".into(),
            owner: "anonymous".into(),
            revision: "2025-11-25".into(),
            client: "{}".into(),
            log_level: "info".into(),
            idle_seconds: 3,
            subscriptions: vec!["device://memory".into()],
            next_stream: 3,
            streams: vec![stream],
        };
        Saved {
            seal_key: vec![7; 32],
            sessions: vec![session],
        }
    }

    #[test]
    fn what_was_saved_reads_back() {
        let saved = decode(&encode(&sample())).unwrap();
        assert_eq!(saved.seal_key(), Some([7; 32]));
        let remembered = remember(&saved.sessions[0]).unwrap();
        assert_eq!(remembered.revision, Revision::V2025_11_25);
        assert_eq!(&*remembered.subscriptions[0], "device://memory");
        let stream = &remembered.streams[0];
        assert_eq!(
            (stream.number, stream.next_sequence, stream.is_complete),
            (2, 5, true)
        );
        assert_eq!(&*stream.ring[0].text, b"{}");
    }

    #[test]
    fn every_damaged_byte_and_every_truncation_is_found() {
        let bytes = encode(&sample());
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 0x20;
            assert!(decode(&damaged).is_err(), "byte {index}");
            assert!(decode(&bytes[..index]).is_err(), "truncated to {index}");
        }
    }

    #[test]
    fn another_version_is_named() {
        let mut bytes = encode(&sample());
        bytes[MAGIC.len()] = 9;
        assert!(matches!(decode(&bytes), Err(StateError::Version(9))));
    }
}
