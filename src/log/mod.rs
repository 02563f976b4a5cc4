//! Where log lines go: standard error, as JSON lines or as text, one line per record whatever is in it.
//!
//! A log must never hold the server up or bring it down. Standard error may be a pipe nobody reads (an MCP client that
//! ignores it), a pipe whose reader is gone, or a full disk: then lines are dropped and counted, see [`dropped`].
//! Not here: what is worth logging. Payloads and secrets never are, at `info` and above.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod escape;
mod line;
mod request_id;
mod sink;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use log::{LevelFilter, Log, Metadata, Record};

pub use escape::{Escaped, escape, escape_to};
pub use request_id::{RequestId, Traced, traced};

/// How a line reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line: `ts`, `level`, `target`, `msg` and, inside a request, `request_id`.
    Json,
    /// For people.
    Text,
}

/// Starts logging; once per process.
///
/// # Errors
/// When the process has a logger already.
pub fn init(format: Format, level: LevelFilter) -> Result<(), log::SetLoggerError> {
    log::set_boxed_logger(Box::new(Logger { format }))?;
    set_level(level);
    Ok(())
}

/// Changes the level from now on, as a reload does.
pub fn set_level(level: LevelFilter) {
    log::set_max_level(level);
}

/// Lines that found nobody to take them since the start. Atomic because helper threads log too.
#[must_use]
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

static DROPPED: AtomicU64 = AtomicU64::new(0);

struct Logger {
    format: Format,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let is_taken = match self.format {
            #[cfg(feature = "stderr")]
            Format::Text if sink::is_terminal() => sink::print(record),
            Format::Text => sink::write(line::text(record, SystemTime::now()).as_bytes()),
            Format::Json => sink::write(line::json(record, SystemTime::now()).as_bytes()),
        };
        if !is_taken {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, pipe};
    use std::process::{Command, Stdio};

    use super::*;

    const IS_CHILD: &str = "SISKIN_TEST_LOG_CHILD";

    /// Runs itself as a child whose standard error goes to `stderr`, and gives what reached the other end of the pipe
    /// and the child's own count of dropped lines.
    #[track_caller]
    fn check(close_reader: bool) -> (String, u64) {
        let (reader, writer) = pipe().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([
            "--exact",
            "log::tests::no_reader_of_stderr_stops_the_server",
            "--nocapture",
        ]);
        child.env(IS_CHILD, "1").stderr(writer).stdin(Stdio::null());
        let reader = if close_reader {
            drop(reader);
            None
        } else {
            Some(reader)
        };
        let output = child.output().unwrap();
        // The command holds the last writer.
        drop(child);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{stdout}");
        let (_, count) = stdout.split_once("dropped=").unwrap();
        let count = count
            .split_ascii_whitespace()
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let mut text = String::new();
        if let Some(mut reader) = reader {
            reader.read_to_string(&mut text).unwrap();
        }
        (text, count)
    }

    fn child() {
        init(Format::Json, LevelFilter::Info).unwrap();
        log::debug!("below the level");
        for n in 0..1000 {
            log::info!("line {n} {}", "x".repeat(200));
        }
        set_level(LevelFilter::Debug);
        log::debug!("after a reload");
        assert!(init(Format::Text, LevelFilter::Info).is_err());
        println!("dropped={}", dropped());
    }

    #[test]
    fn no_reader_of_stderr_stops_the_server() {
        if std::env::var_os(IS_CHILD).is_some() {
            return child();
        }
        // A pipe nobody empties holds 64 KiB; the rest of more than 250 KB is dropped, and no line is cut.
        let (text, dropped) = check(false);
        assert!(dropped > 0);
        assert_eq!(text.lines().count() as u64 + dropped, 1001);
        assert!(
            text.lines()
                .all(|line| line.starts_with('{') && line.ends_with('}'))
        );
        assert!(!text.contains("below the level"));
        assert_eq!(check(true), (String::new(), 1001));
    }
}
