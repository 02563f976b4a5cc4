//! Bounded reads below one directory: `/` on a device, a recorded sample in a test, `/host` when a container is given its host's tree.
//!
//! In scope: short text files of `/proc`, `/sys` and `/etc`, and listings of their folders. Not in scope: what the text means.
//! A file that is absent, unreadable or not what was expected is `None`: which facts exist differs from board to board and is never an error.
//! Called by every reader of [`super`].
//!
//! These reads are synchronous on the protocol thread. The kernel makes up `/proc` and `/sys` text on the spot, so they take
//! microseconds; the few files behind which a slow device stands are named and avoided where they are read.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder under which `/proc`, `/sys` and `/etc` are read.
#[derive(Debug, Clone)]
pub struct Root {
    prefix: PathBuf,
}

impl Root {
    /// Reads below `prefix`; `/` is the device itself.
    pub fn new(prefix: impl Into<PathBuf>) -> Root {
        Root {
            prefix: prefix.into(),
        }
    }

    /// The file or folder `path` (written without a leading slash) below the prefix.
    pub fn path(&self, path: &str) -> PathBuf {
        self.prefix.join(path.trim_start_matches('/'))
    }

    /// Whether this is the device itself and not a tree mounted or recorded elsewhere.
    pub fn is_own(&self) -> bool {
        self.prefix == Path::new("/")
    }

    /// Whether anything stands at `path`.
    pub fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// The text of a file, at most [`TEXT_BYTES_MAX`] of it; a longer one ends after its last complete line within the bound.
    pub fn text(&self, path: &str) -> Option<String> {
        let file = File::open(self.path(path)).ok()?;
        let mut bytes = Vec::new();
        file.take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
        if u64::try_from(bytes.len()).ok()? > TEXT_BYTES_MAX {
            let end = bytes.iter().rposition(|&byte| byte == b'\n')?;
            bytes.truncate(end.saturating_add(1));
        }
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The first line of a file, trimmed and printable; an empty one is `None`.
    /// Device tree strings end in a zero byte, which ends the line too.
    pub fn line(&self, path: &str) -> Option<String> {
        first_line(&self.text(path)?)
    }

    /// A file that holds one unsigned number, as most of sysfs does.
    pub fn number(&self, path: &str) -> Option<u64> {
        self.text(path)?.trim().parse().ok()
    }

    /// A file that holds one signed number.
    pub fn signed(&self, path: &str) -> Option<i64> {
        self.text(path)?.trim().parse().ok()
    }

    /// The names in a folder, sorted, at most [`NAMES_MAX`]; an absent folder has none.
    pub fn names(&self, path: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(path)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .take(NAMES_MAX)
            .collect();
        names.sort_unstable();
        names
    }
}

/// The first line of a text, trimmed and printable; `None` when nothing is left.
pub fn first_line(text: &str) -> Option<String> {
    let line = text.split(['\n', '\0']).next()?.trim();
    (!line.is_empty()).then(|| printable(line))
}

/// Replaces control characters: a process or a USB disk chooses its own name, and the text ends up on a terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Most of a file that is read. `/proc/cpuinfo` of a 256-core machine has about 400 KB; nothing else comes near.
pub const TEXT_BYTES_MAX: u64 = 1024 * 1024;

/// Most names taken from a folder: `/proc` has one per process, and a small machine has hundreds.
pub const NAMES_MAX: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_ends_at_a_line_end_or_a_zero_byte() {
        assert_eq!(
            first_line("Raspberry Pi 4 Model B Rev 1.4\0").as_deref(),
            Some("Raspberry Pi 4 Model B Rev 1.4")
        );
        assert_eq!(
            first_line("  performance \nrest").as_deref(),
            Some("performance")
        );
        assert_eq!(first_line("\0"), None);
        assert_eq!(first_line(""), None);
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(printable("plain ünïcode"), "plain ünïcode");
    }

    #[test]
    fn a_file_over_the_bound_ends_at_a_complete_line() {
        let folder = std::env::temp_dir().join(format!("siskin-root-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let bound = usize::try_from(TEXT_BYTES_MAX).unwrap();
        let root = Root::new(&folder);
        for (len, expected) in [(bound - 1, bound - 1), (bound, bound), (bound + 1, 10)] {
            let mut text = "123456789\n".to_string();
            text.push_str(&"x".repeat(len - text.len()));
            fs::write(folder.join("file"), &text).unwrap();
            assert_eq!(
                root.text("file").map(|text| text.len()),
                Some(expected),
                "file of {len} bytes"
            );
        }
        assert_eq!(root.text("absent"), None);
        assert_eq!(root.names("absent"), Vec::<String>::new());
        assert_eq!(root.names(""), ["file"]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
