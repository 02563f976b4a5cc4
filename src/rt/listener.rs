//! Accepting connections on TCP and on socket files, without ever spinning.
//!
//! When the process runs out of file descriptors, `accept` fails at once and for ever while the connection stays in the
//! queue: a loop that just tries again starves every other task. So any failure that is not the caller's own pauses
//! for [`PAUSE`] and is counted.

use std::fs;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::task::{Poll, ready};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::SocketFlags;

use crate::metrics::{Limit, Metrics};

use super::addr::{ListenAddr, Peer};
use super::clock::sleep;
use super::inherit::Inherited;
use super::reactor::{Towards, Watched};
use super::stream::Stream;

/// How long to leave a failing `accept` alone: long enough for other tasks to close something.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening socket.
pub struct Listener {
    kind: Kind,
    metrics: Option<Rc<Metrics>>,
}

enum Kind {
    Tcp(Watched<TcpListener>),
    /// With the file it made, or the path of one that was there before.
    Unix(Watched<UnixListener>, Result<SocketFile, PathBuf>),
}

/// A new connection.
pub struct Accepted {
    /// Its bytes.
    pub stream: Stream,
    /// Who it is.
    pub peer: Peer,
}

impl Listener {
    /// Binds and listens, with `SO_REUSEADDR` on TCP, so that a restart need not wait for old connections to fade.
    /// A socket file nobody listens on is replaced.
    ///
    /// # Errors
    /// The system's; [`ErrorKind::AddrInUse`] also for a socket file with a living listener, and
    /// [`ErrorKind::AlreadyExists`] when the path is something other than a socket.
    pub fn bind(addr: &ListenAddr) -> io::Result<Self> {
        let kind = match addr {
            ListenAddr::Tcp(addr) => Kind::tcp(TcpListener::bind(addr)?)?,
            ListenAddr::Unix(path) => {
                remove_stale(path)?;
                let listener = UnixListener::bind(path)?;
                Kind::unix(listener, Ok(SocketFile::new(path)?))?
            }
        };
        Ok(Self {
            kind,
            metrics: None,
        })
    }

    /// Listens with the socket of `inherited` that is bound to `addr`, else as [`Listener::bind`]. The file of a handed
    /// over socket is whoever's who made it, and stays.
    ///
    /// # Errors
    /// As [`Listener::bind`].
    pub fn inherit_or_bind(addr: &ListenAddr, inherited: &mut Inherited) -> io::Result<Self> {
        let Some(socket) = inherited.take_bound_to(addr) else {
            return Self::bind(addr);
        };
        let kind = match addr {
            ListenAddr::Tcp(_) => Kind::tcp(TcpListener::from(socket))?,
            ListenAddr::Unix(path) => Kind::unix(UnixListener::from(socket), Err(path.clone()))?,
        };
        Ok(Self {
            kind,
            metrics: None,
        })
    }

    /// Counts pauses in `metrics` as hits of the open-files limit.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Rc<Metrics>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Where it listens, with the port the system chose: `127.0.0.1:41234` or `unix:/run/siskin.sock`.
    #[must_use]
    pub fn local_addr(&self) -> String {
        match &self.kind {
            Kind::Tcp(listener) => listener
                .get_ref()
                .local_addr()
                .map_or_else(|_| "?".into(), |addr| addr.to_string()),
            Kind::Unix(_, file) => {
                let path = file.as_ref().map_or_else(|path| path, |file| &file.path);
                ListenAddr::Unix(path.clone()).to_string()
            }
        }
    }

    /// The next connection. Failures are waited out in here; see the module's text.
    pub async fn accept(&self) -> Accepted {
        loop {
            let error = match self.accept_once().await {
                Ok(accepted) => return accepted,
                Err(error) => error,
            };
            match after(&error) {
                Next::Pause => {
                    log::warn!("accepting pauses for {} ms: {error}", PAUSE.as_millis());
                    if let Some(metrics) = &self.metrics {
                        metrics.limit_hit(Limit::OpenFiles);
                    }
                    sleep(PAUSE).await;
                }
                Next::Retry => (),
            }
        }
    }

    async fn accept_once(&self) -> io::Result<Accepted> {
        match &self.kind {
            Kind::Tcp(listener) => {
                let (socket, addr) = accept(listener).await?;
                let addr = addr.ok_or(ErrorKind::InvalidData)?;
                let peer = Peer::tcp(SocketAddr::try_from(addr)?);
                let stream = Stream::tcp(socket.into())?;
                Ok(Accepted { stream, peer })
            }
            Kind::Unix(listener, _) => {
                let (socket, _) = accept(listener).await?;
                let stream = Stream::unix(socket.into())?;
                let peer = Peer::Unix;
                Ok(Accepted { stream, peer })
            }
        }
    }
}

impl Kind {
    fn tcp(listener: TcpListener) -> io::Result<Kind> {
        listener.set_nonblocking(true)?;
        Ok(Kind::Tcp(Watched::new(listener)?))
    }

    fn unix(listener: UnixListener, file: Result<SocketFile, PathBuf>) -> io::Result<Kind> {
        listener.set_nonblocking(true)?;
        Ok(Kind::Unix(Watched::new(listener)?, file))
    }
}

/// The next connection, which does not block and is not inherited by children: one system call for all of that.
async fn accept<T: AsFd>(
    listener: &Watched<T>,
) -> io::Result<(OwnedFd, Option<rustix::net::SocketAddrAny>)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    poll_fn(|cx| {
        loop {
            ready!(listener.poll_ready(Towards::Reading, cx));
            match rustix::net::acceptfrom_with(listener.get_ref(), flags) {
                Err(Errno::AGAIN) => listener.set_not_ready(Towards::Reading),
                done => return Poll::Ready(done.map_err(io::Error::from)),
            }
        }
    })
    .await
}

/// What to do after a failed `accept`.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Pause,
    Retry,
}

/// Only failures of the one connection are retried at once: each consumes it, so they cannot repeat for ever.
/// Everything else, also what we do not know, pauses.
fn after(error: &io::Error) -> Next {
    match error.kind() {
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted => {
            Next::Retry
        }
        _ => Next::Pause,
    }
}

/// A socket file of ours, removed on drop unless somebody has put another in its place.
struct SocketFile {
    path: PathBuf,
    device_and_inode: (u64, u64),
}

impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.into(),
            device_and_inode: identity(path)?,
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = identity(&self.path).is_ok_and(|identity| identity == self.device_and_inode);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            log::warn!("`{}` stays behind: {error}", self.path.display());
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let meta = fs::symlink_metadata(path)?;
    Ok((meta.dev(), meta.ino()))
}

/// Removes a socket file whose listener is gone, as after `kill -9`.
fn remove_stale(path: &Path) -> io::Result<()> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !meta.file_type().is_socket() {
        let text = format!(
            "`{}` exists and is not a socket, remove it or choose another path",
            path.display()
        );
        return Err(io::Error::new(ErrorKind::AlreadyExists, text));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => {
            let text = format!("somebody listens on `{}` already", path.display());
            Err(io::Error::new(ErrorKind::AddrInUse, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::{run, tcp_connect, unix_connect};

    /// A path nobody else uses, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            let unique = u64::from_le_bytes(crate::rt::random());
            Self(std::env::temp_dir().join(format!("siskin-test-{unique:x}.sock")))
        }

        fn addr(&self) -> ListenAddr {
            ListenAddr::Unix(self.0.clone())
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    #[test]
    fn port_zero_becomes_a_port_and_the_peer_is_known() {
        run(async {
            let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
            let addr = listener.local_addr();
            assert!(!addr.ends_with(":0"), "{addr}");
            let _client = tcp_connect(addr.parse().unwrap(), Duration::from_secs(5))
                .await
                .unwrap();
            let accepted = listener.accept().await;
            assert!(accepted.peer.is_loopback());
            assert_eq!(accepted.stream.peer().unwrap(), accepted.peer);
        });
    }

    #[test]
    fn a_port_in_use_is_an_error() {
        run(async {
            let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
            let error = Listener::bind(&listener.local_addr().parse().unwrap())
                .err()
                .unwrap();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
        });
    }

    #[test]
    fn a_socket_file_serves_and_goes_away() {
        run(async {
            let scratch = Scratch::new();
            let listener = Listener::bind(&scratch.addr()).unwrap();
            assert_eq!(listener.local_addr(), scratch.addr().to_string());
            let client = unix_connect(&scratch.0, Duration::from_secs(5))
                .await
                .unwrap();
            let accepted = listener.accept().await;
            assert_eq!(
                (accepted.peer, client.peer().unwrap()),
                (Peer::Unix, Peer::Unix)
            );
            drop(listener);
            assert!(!scratch.0.exists());
            let error = unix_connect(&scratch.0, Duration::from_secs(5))
                .await
                .err()
                .unwrap();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        });
    }

    #[test]
    fn a_stale_socket_file_is_replaced_a_living_one_and_a_file_are_not() {
        run(async {
            let scratch = Scratch::new();
            drop(std::os::unix::net::UnixListener::bind(&scratch.0).unwrap());
            assert!(scratch.0.exists());
            let listener = Listener::bind(&scratch.addr()).unwrap();
            let error = Listener::bind(&scratch.addr()).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            drop(listener);
            fs::write(&scratch.0, "precious").unwrap();
            let error = Listener::bind(&scratch.addr()).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
            assert_eq!(fs::read_to_string(&scratch.0).unwrap(), "precious");
        });
    }

    #[test]
    fn somebody_elses_socket_file_is_left_alone() {
        run(async {
            let scratch = Scratch::new();
            let listener = Listener::bind(&scratch.addr()).unwrap();
            fs::remove_file(&scratch.0).unwrap();
            let _other = std::os::unix::net::UnixListener::bind(&scratch.0).unwrap();
            drop(listener);
            assert!(scratch.0.exists());
        });
    }

    /// Runs itself as a child that may open few files: the limit belongs to the whole process.
    #[test]
    fn running_out_of_files_pauses_and_recovers() {
        const IS_CHILD: &str = "SISKIN_TEST_FILES_CHILD";
        if std::env::var_os(IS_CHILD).is_some() {
            return run(out_of_files());
        }
        let exe = std::env::current_exe().unwrap();
        let script = "ulimit -n 40 && exec \"$0\" --exact rt::listener::tests::running_out_of_files_pauses_and_recovers";
        let child = std::process::Command::new("sh")
            .args(["-c", script])
            .arg(exe)
            .env(IS_CHILD, "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && text.contains("1 passed"),
            "{text}"
        );
    }

    async fn out_of_files() {
        let metrics = Rc::new(Metrics::new());
        let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap())
            .unwrap()
            .with_metrics(Rc::clone(&metrics));
        let _client = std::net::TcpStream::connect(listener.local_addr()).unwrap();
        let mut files = Vec::new();
        while let Ok(file) = fs::File::open("/dev/null") {
            files.push(file);
        }
        assert!(files.len() > 10);
        let accepting = crate::rt::spawn(async move { listener.accept().await.peer });
        let hits = || {
            let mut text = String::new();
            metrics.render(&mut text);
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("mcp_limit_hits_total{limit=\"open_files\"} "));
            line.unwrap().parse::<u64>().unwrap()
        };
        // This task runs all the time, so the other does not spin.
        while hits() == 0 {
            crate::rt::yield_now().await;
        }
        drop(files);
        assert!(accepting.await.is_loopback());
        // Spinning would have counted thousands.
        assert!(hits() < 10, "{} pauses", hits());
    }

    #[test]
    fn only_failures_of_one_connection_are_retried_at_once() {
        use rustix::io::Errno;
        for (errno, expected) in [
            (Errno::CONNABORTED, Next::Retry),
            (Errno::INTR, Next::Retry),
            (Errno::MFILE, Next::Pause),
            (Errno::NFILE, Next::Pause),
            (Errno::NOBUFS, Next::Pause),
            (Errno::NOMEM, Next::Pause),
            (Errno::INVAL, Next::Pause),
        ] {
            assert_eq!(after(&io::Error::from(errno)), expected, "{errno}");
        }
    }
}
