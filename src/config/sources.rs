//! Everything a configuration is made from, as plain data, so that a test needs no process state.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::sorted::SortedMap;

/// A function that reads a file as text.
pub type Read = dyn Fn(&Path) -> io::Result<String>;

/// The inputs of `load`.
pub struct Sources {
    /// `--config-dir`. Without it the folder is `config` in `working_dir` if that holds `base.toml`, else `system_dir`.
    pub config_dir: Option<PathBuf>,
    /// The folder relative paths of the environment and the command line start from.
    pub working_dir: PathBuf,
    /// The folder of last resort, `/etc/siskin`.
    pub system_dir: PathBuf,
    /// `--config`, in order; each must exist.
    pub files: Vec<PathBuf>,
    /// The environment. Names that are not ours are ignored.
    pub environment: SortedMap<String, String>,
    /// `key=value` of the command line, in order.
    pub overrides: Vec<String>,
    /// Reads a file as text.
    pub read: Box<Read>,
}

impl Default for Sources {
    /// No input at all: no files, no environment.
    fn default() -> Sources {
        Sources {
            config_dir: None,
            working_dir: PathBuf::from("."),
            system_dir: PathBuf::from("/etc/siskin"),
            files: Vec::new(),
            environment: SortedMap::new(),
            overrides: Vec::new(),
            read: Box::new(|_| Err(io::ErrorKind::NotFound.into())),
        }
    }
}

impl Sources {
    /// The inputs of this process: its environment, its working directory and the file system. The command line's part
    /// (`config_dir`, `files`, `overrides`) is for the caller to fill in.
    pub fn of_process() -> Sources {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let mut environment = SortedMap::new();
        for (name, value) in std::env::vars_os() {
            environment.insert(lossy(name), lossy(value));
        }
        Sources {
            working_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            environment,
            read: Box::new(read_bounded),
            ..Sources::default()
        }
    }

    /// The folder to read from, and whether somebody named it.
    pub(super) fn folder(&self) -> PathBuf {
        if let Some(dir) = &self.config_dir {
            return self.working_dir.join(dir);
        }
        let beside = self.working_dir.join("config");
        // A file that is there but cannot be read is chosen as well, so that its error is seen.
        match (self.read)(&beside.join("base.toml")) {
            Err(error) if is_absent(&error) => self.system_dir.clone(),
            _ => beside,
        }
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment and the overrides may hold secrets.
        f.debug_struct("Sources")
            .field("config_dir", &self.config_dir)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The longest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads at most a sane amount: `--config /dev/zero` is an error, not the end of memory.
fn read_bounded(path: &Path) -> io::Result<String> {
    use io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other("larger than 1 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{FILE_BYTES_MAX, Sources, read_bounded};

    #[test]
    fn files_are_read_up_to_a_bound() {
        let path = std::env::temp_dir().join(format!("siskin-config-{}.toml", std::process::id()));
        let mut text = "#".repeat(usize::try_from(FILE_BYTES_MAX).unwrap());
        std::fs::write(&path, &text).unwrap();
        assert_eq!(read_bounded(&path).unwrap(), text);
        text.push('#');
        std::fs::write(&path, &text).unwrap();
        assert_eq!(
            read_bounded(&path).unwrap_err().to_string(),
            "larger than 1 MiB"
        );
        std::fs::remove_file(&path).unwrap();
        assert!(read_bounded(&path).is_err());
    }

    #[test]
    fn a_process_has_a_working_directory_and_an_environment() {
        let sources = Sources::of_process();
        assert!(sources.working_dir.is_absolute());
        assert!(!sources.environment.is_empty());
        assert_eq!(sources.config_dir, None);
    }
}
