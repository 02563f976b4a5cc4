//! Tells the service manager that started us how far we are (systemd's `sd_notify`), if one asked to be told.
//!
//! In scope: the datagrams, and how often a watchdog wants one. Out of scope: passing file descriptors; see `inherit`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Sends `state`, such as `READY=1`, to the socket that `NOTIFY_SOCKET` names; without one there is nobody to tell.
/// Never waits: a manager that does not read is not worth stopping for.
///
/// # Errors
/// The system's, when the socket is there in name only.
pub fn notify_supervisor(state: &str) -> io::Result<()> {
    match std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) {
        Some(name) => send(&name, state),
        None => Ok(()),
    }
}

/// How often `WATCHDOG=1` is to be sent: half the time after which the manager gives us up (`sd_watchdog_enabled(3)`).
/// `None` when nobody watches this process.
#[must_use]
pub fn watchdog_period() -> Option<Duration> {
    period(
        std::env::var("WATCHDOG_USEC").ok()?.as_str(),
        std::env::var("WATCHDOG_PID").ok().as_deref(),
        std::process::id(),
    )
}

fn period(micros: &str, watched: Option<&str>, own: u32) -> Option<Duration> {
    let is_other = watched.is_some_and(|pid| pid.parse() != Ok(own));
    let micros: u64 = micros.parse().ok().filter(|micros| *micros > 0)?;
    (!is_other).then(|| Duration::from_micros(micros / 2))
}

fn send(name: &OsString, state: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(state.as_bytes(), &address(name)?)?;
    Ok(())
}

/// A path, or a name in Linux's abstract space, written with an `@` before it (`sd_notify(3)`).
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = name.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt as _;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str) {
        let socket = UnixDatagram::bind_addr(&address(name.as_ref()).unwrap()).unwrap();
        send(&name.into(), "READY=1").unwrap();
        let mut buf = [0; 32];
        let len = socket.recv(&mut buf).unwrap();
        assert_eq!(&buf[..len], b"READY=1");
    }

    #[test]
    fn the_watchdog_is_told_in_half_its_time_if_it_is_ours() {
        let half = Some(Duration::from_secs(15));
        assert_eq!(period("30000000", Some("7"), 7), half);
        assert_eq!(period("30000000", None, 7), half);
        assert_eq!(period("30000000", Some("8"), 7), None);
        assert_eq!(period("30000000", Some("x"), 7), None);
        assert_eq!(period("0", None, 7), None);
        assert_eq!(period("soon", None, 7), None);
    }

    #[test]
    fn paths_and_abstract_names_are_told_and_a_dead_one_is_an_error() {
        let unique = u64::from_le_bytes(crate::rt::random());
        let path = std::env::temp_dir().join(format!("siskin-notify-{unique:x}"));
        check(path.to_str().unwrap());
        assert!(send(&path.clone().into(), "READY=1").is_err());
        std::fs::remove_file(&path).unwrap();
        assert!(send(&path.into(), "READY=1").is_err());
        #[cfg(target_os = "linux")]
        check(&format!("@siskin-notify-{unique:x}"));
    }
}
