//! The state file: what lets sessions and their replay rings outlive a restart.
//!
//! ```text
//!   "siskin" · version u16 · SHA-256 of the rest · nanoserde binary of `Saved`, read by `reader`
//! ```
//!
//! Written whole to a temporary file beside it, synced and renamed, so that a crash leaves the old
//! file or the new one. A file that does not read is set aside under another name with a warning;
//! the server starts without it.
//!
//! What happened between the last write and a crash is lost here but not at the clients: they may
//! hold ids of events that the file does not know. So a restored session goes on far beyond the
//! numbers in the file, and no id means two things.

mod reader;

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use nanoserde::SerBin;

use crate::gate::Principal;
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::logging::Level;
use crate::mcp::revision::Revision;
use crate::raw::Raw;
use crate::rt;
use crate::sha256::Hasher;

use super::Server;
use super::session::{Remembered, Session};
use super::stream::{SessionStream, Stored};

const MAGIC: &[u8; 6] = b"siskin";
/// Raised whenever `Saved` changes; a file of another version is set aside.
const VERSION: u16 = 1;
const CHECKSUM_LEN: usize = 32;
/// More events than one stream can send between two writes.
const SEQUENCES_SKIPPED: u64 = 1 << 20;
/// More streams than one session can open between two writes.
const STREAMS_SKIPPED: u32 = 1 << 16;
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
    /// The path leads to a directory, a device or another thing that is left alone.
    NotAFile,
    /// It does not begin like a state file, or is too large to be one.
    NotAStateFile,
    /// Another version of siskin wrote it.
    Version(u16),
}

/// What is kept.
#[derive(SerBin, Default)]
pub struct Saved {
    seal_key: Vec<u8>,
    sessions: Vec<SavedSession>,
}

#[derive(SerBin)]
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

#[derive(SerBin)]
struct SavedStream {
    number: u32,
    next_sequence: u64,
    is_complete: bool,
    events: Vec<SavedEvent>,
}

#[derive(SerBin)]
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
            // Reading a device or a pipe may never end.
            Ok(metadata) if !metadata.is_file() => return Err(StateError::NotAFile),
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
            Err(error @ StateError::NotAFile) => {
                log::warn!("state file {}: {error}", self.0.display());
                None
            }
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
        if fs::metadata(&self.0).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::other(StateError::NotAFile.to_string()));
        }
        let mut temporary = self.0.clone().into_os_string();
        temporary.push(".new");
        let temporary = PathBuf::from(temporary);
        // One that a crash left behind may have another mode, and a link may lead elsewhere.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => (),
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        // Session ids open sessions, and the key opens request state: nobody else's business.
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = (options.open(&temporary)).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        if let Err(error) = written.and_then(|()| fs::rename(&temporary, &self.0)) {
            // On a full disk the half of a file would take the room the next attempt needs.
            _ = fs::remove_file(&temporary);
            return Err(error);
        }
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
    let client = Raw::parse(&saved.client)?;
    let streams = saved.streams.iter().map(|saved| {
        let mut stream = SessionStream::new(saved.number);
        stream.ring = (saved.events.iter())
            .map(|event| Stored {
                sequence: event.sequence,
                text: event.text.as_slice().into(),
                is_answer: event.is_answer,
            })
            .collect();
        stream.next_sequence = saved.next_sequence.saturating_add(SEQUENCES_SKIPPED);
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
        next_stream: saved
            .next_stream
            .checked_add(STREAMS_SKIPPED)
            .unwrap_or(super::session::GENERAL_STREAM + 1),
    })
}

fn checksum(version: &[u8], payload: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut hasher = Hasher::new();
    hasher.update(version);
    hasher.update(payload);
    hasher.finish()
}

fn encode(saved: &Saved) -> Vec<u8> {
    let version = VERSION.to_le_bytes();
    let mut payload = Vec::new();
    saved.ser_bin(&mut payload);
    let checksum = checksum(&version, &payload);
    [MAGIC, &version[..], &checksum[..], &payload].concat()
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
    if *checksum != self::checksum(version, payload) {
        return Err(StateError::Checksum);
    }
    reader::read(payload).ok_or(StateError::Format)
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateError::Checksum => f.write_str("damaged: its checksum does not match"),
            StateError::Format => f.write_str("damaged: its content does not decode"),
            StateError::Io(error) => write!(f, "cannot be read: {error}"),
            StateError::NotAFile => {
                f.write_str("is not a file; set `state.file` to the path of one")
            }
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

/// For fuzzing: a file of any bytes, as it is and with a checksum that is right for them. What reads is written
/// as the same bytes.
#[doc(hidden)]
pub fn fuzz_state(bytes: &[u8]) {
    _ = decode(bytes);
    let version = VERSION.to_le_bytes();
    let checksum = checksum(&version, bytes);
    let file = [MAGIC, &version[..], &checksum[..], bytes].concat();
    if let Ok(saved) = decode(&file) {
        assert_eq!(encode(&saved), file, "one file for one state");
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
            (2, 5 + SEQUENCES_SKIPPED, true)
        );
        assert_eq!(&*stream.ring[0].text, b"{}");
        assert_eq!(remembered.next_stream, 3 + STREAMS_SKIPPED);
    }

    /// A folder nobody else uses, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Scratch {
            let unique = u64::from_le_bytes(rt::random());
            let path = std::env::temp_dir().join(format!("siskin-state-{unique:x}"));
            fs::create_dir(&path).unwrap();
            Scratch(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
            let mut names: Vec<String> = entries
                .map(|entry| name(entry).into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_written_for_its_owner_alone_whatever_a_crash_left() {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = Scratch::new();
        let (file, other) = (scratch.0.join("state"), scratch.0.join("other"));
        fs::write(&other, "precious").unwrap();
        std::os::unix::fs::symlink(&other, scratch.0.join("state.new")).unwrap();
        let state = StateFile::new(&file);
        assert!(state.read().unwrap().is_none());
        state.write(&encode(&sample())).unwrap();
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(state.read().unwrap().unwrap().len(), 1);
        assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
        assert_eq!(scratch.names(), ["other", "state"]);
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let scratch = Scratch::new();
        let folder = scratch.0.join("state");
        fs::create_dir(&folder).unwrap();
        for path in [folder, "/dev/null".into()] {
            let state = StateFile::new(path);
            assert!(matches!(state.read(), Err(StateError::NotAFile)));
            assert!(state.read_or_set_aside().is_none());
            assert!(state.write(b"x").is_err());
        }
        assert_eq!(scratch.names(), ["state"]);
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_a_good_one_is_not() {
        let scratch = Scratch::new();
        let state = StateFile::new(scratch.0.join("state"));
        state.write(&encode(&sample())).unwrap();
        assert!(state.read_or_set_aside().is_some());
        fs::write(state.path(), "[server]").unwrap();
        assert!(state.read_or_set_aside().is_none());
        assert_eq!(scratch.names(), ["state.damaged"]);
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
