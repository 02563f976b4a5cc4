//! Standard error, written to only when it takes the line at once.

use std::io::{self, Write as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Writes one line of at most `PIPE_BUF` bytes; `false` when it was dropped.
pub fn write(line: &[u8]) -> bool {
    is_ready() && io::stderr().lock().write_all(line).is_ok()
}

/// Whether a line can be written without waiting and without an error. A pipe is writable when it has room for
/// `PIPE_BUF` bytes; without a reader, and on a terminal that hung up, there is an error or hang-up instead.
fn is_ready() -> bool {
    let stderr = io::stderr();
    let mut fds = [PollFd::new(&stderr, PollFlags::OUT)];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut fds, Some(&at_once)).is_ok() && fds[0].revents() == PollFlags::OUT
}

#[cfg(feature = "stderr")]
mod terminal {
    use std::fmt;
    use std::io::{self, IsTerminal as _};
    use std::sync::OnceLock;

    use log::{Log as _, Record};
    use simple_logger::SimpleLogger;

    use super::super::escape::Escaper;

    /// Whether somebody looks at standard error directly. Asked once.
    pub fn is_terminal() -> bool {
        static IS_TERMINAL: OnceLock<bool> = OnceLock::new();
        *IS_TERMINAL.get_or_init(|| io::stderr().is_terminal())
    }

    /// Prints through `simple_logger`. It panics when writing fails, as it would on a pipe without a reader or a full
    /// disk; so it gets terminals only, and those only while they are there.
    pub fn print(record: &Record<'_>) -> bool {
        if !super::is_ready() {
            return false;
        }
        let escaped = Escaped(*record.args());
        let metadata = record.metadata().clone();
        SimpleLogger::new().log(
            &Record::builder()
                .metadata(metadata)
                .args(format_args!("{escaped}"))
                .build(),
        );
        true
    }

    struct Escaped<'a>(fmt::Arguments<'a>);

    impl fmt::Display for Escaped<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            fmt::write(&mut Escaper(f), self.0)
        }
    }
}
#[cfg(feature = "stderr")]
pub use terminal::{is_terminal, print};
