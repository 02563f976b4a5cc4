//! SIGINT, SIGTERM and SIGHUP as something a task can wait for.
//!
//! SIGPIPE needs nothing here: the standard library ignores it before `main`, and a test below holds it to that.

use std::fmt;
use std::io;

use smol::stream::StreamExt as _;

/// A signal the server acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: read the configuration again.
    Hangup,
    /// SIGINT: stop, from the keyboard.
    Interrupt,
    /// SIGTERM: stop, from the system.
    Terminate,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        })
    }
}

/// The process's signals from now on. Their default action, ending the process, is off even after this is dropped.
pub struct Signals(async_signal::Signals);

impl Signals {
    /// Starts catching.
    ///
    /// # Errors
    /// The system's, when it has no descriptors left.
    pub fn new() -> io::Result<Self> {
        use async_signal::Signal::{Hup, Int, Term};
        async_signal::Signals::new([Hup, Int, Term]).map(Self)
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Signal {
        loop {
            match self.0.next().await {
                Some(Ok(async_signal::Signal::Hup)) => return Signal::Hangup,
                Some(Ok(async_signal::Signal::Int)) => return Signal::Interrupt,
                Some(Ok(async_signal::Signal::Term)) => return Signal::Terminate,
                Some(Ok(_)) => (),
                // The pipe from the handler broke: better deaf than spinning.
                Some(Err(_)) | None => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::run;

    #[test]
    fn signals_to_this_process_arrive() {
        run(async {
            let mut signals = Signals::new().unwrap();
            for (name, expected) in [
                ("HUP", Signal::Hangup),
                ("INT", Signal::Interrupt),
                ("TERM", Signal::Terminate),
            ] {
                let kill = format!("kill -{name} {}", std::process::id());
                assert!(
                    std::process::Command::new("sh")
                        .args(["-c", &kill])
                        .status()
                        .unwrap()
                        .success()
                );
                assert_eq!(signals.next().await, expected);
            }
        });
    }

    #[test]
    fn a_broken_pipe_is_an_error_and_not_the_end() {
        const SIGPIPE_BIT: u64 = 1 << (13 - 1);
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let ignored = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .unwrap();
        assert_ne!(
            u64::from_str_radix(ignored.trim(), 16).unwrap() & SIGPIPE_BIT,
            0
        );
    }
}
