//! `siskin healthcheck`: asks a running server for `/health`, for containers that have neither a shell nor curl.
//!
//! One blocking request over the standard library, without the runtime: the process lives for a few milliseconds, twice
//! a minute. What speaks TLS is asked through the program above, which has all it takes.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};

use super::target::{Place, Target, parse_digits};
use super::{Context, ExitCode, Failure, HttpsAsk};

/// ask a running server for its health
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "healthcheck",
    help_triggers("--help"),
    note = "Asks the first configured address that serves `/health`. Exits with 0 if the server is healthy and with 1 \
            if it is not, cannot be reached or has no sound configuration.",
    example = "siskin healthcheck --url http://127.0.0.1:9001/health"
)]
pub(super) struct Healthcheck {
    /// ask this instead, as in http://127.0.0.1:8000/health, https://nas.lan:8443 or unix:/run/siskin.sock; then no configuration is read
    #[argh(option, arg_name = "URL")]
    url: Option<String>,

    /// time for all of it, as in 3s (the default) or 500ms
    #[argh(option, arg_name = "TIME")]
    timeout: Option<String>,
}

const TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);

impl Healthcheck {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let timeout = match &self.timeout {
            Some(text) => parse_timeout(text).ok_or_else(|| {
                let shown = text.escape_debug();
                Failure::usage(format!(
                    "`--timeout`: expected 1ms to 1h, as in `3s` or `500ms`, found `{shown}`"
                ))
            })?,
            None => TIMEOUT_DEFAULT,
        };
        let target = match &self.url {
            Some(url) => Target::parse(url).ok_or_else(|| {
                let shown = url.escape_debug();
                Failure::usage(format!(
                    "`--url`: expected `http://host:port/path`, `https://host:port/path` or `unix:/path`, found `{shown}`"
                ))
            })?,
            None => {
                let loaded = context
                    .load()
                    .map_err(|failure| Failure::new(ExitCode::Failed, failure.message))?;
                Target::of_config(&loaded.config)
                    .map_err(|problem| Failure::new(ExitCode::Failed, problem))?
            }
        };
        let asked = match &target.place {
            Place::Tls { is_own, .. } => {
                let url = target.to_string();
                let status = context.app.https_status(&HttpsAsk {
                    url: &url,
                    host: &target.host,
                    is_own: *is_own,
                    timeout,
                });
                judge(status.map_err(Sickness::Tls))
            }
            Place::Tcp { .. } | Place::Unix(_) => ask(&target, timeout),
        };
        match asked {
            Ok(()) => {
                context.out.push_str("healthy\n");
                Ok(())
            }
            Err(error) => {
                let message = format!("not healthy: {target}: {error}");
                Err(Failure::new(ExitCode::Failed, message))
            }
        }
    }
}

/// `500ms`, `3s`, or seconds without a unit.
fn parse_timeout(text: &str) -> Option<Duration> {
    const HOUR: Duration = Duration::from_secs(3600);
    let timeout = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(ms), _) => Duration::from_millis(parse_digits(ms)?),
        (None, Some(seconds)) => Duration::from_secs(parse_digits(seconds)?),
        (None, None) => Duration::from_secs(parse_digits(text)?),
    };
    (!timeout.is_zero() && timeout <= HOUR).then_some(timeout)
}

/// Why a server is not healthy.
#[derive(Debug)]
enum Sickness {
    /// It cannot be reached, or the connection broke.
    Io(io::Error),
    /// What came is no HTTP/1 answer.
    NotHttp,
    /// There is no answer by TLS, in the client's words.
    Tls(String),
    /// It answered with another status than 200.
    Status(u16),
    /// Nothing, or not enough, came in time.
    TimedOut(Duration),
}

impl fmt::Display for Sickness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sickness::Io(error) => write!(f, "{error}"),
            Sickness::NotHttp => f.write_str("what answers there does not speak HTTP/1"),
            Sickness::Tls(text) => f.write_str(text),
            Sickness::Status(status) => write!(f, "status {status} instead of 200"),
            Sickness::TimedOut(timeout) => {
                write!(f, "no answer within {timeout:?}; `--timeout` allows more")
            }
        }
    }
}

/// One request; the status line is all that is read of the answer.
fn ask(target: &Target, timeout: Duration) -> Result<(), Sickness> {
    let deadline = Deadline {
        end: Instant::now() + timeout,
    };
    let answered = deadline
        .connect(&target.place)
        .and_then(|mut peer| exchange(&mut *peer, target, &deadline));
    match answered {
        Ok(line) => judge(parse_status(&line).ok_or(Sickness::NotHttp)),
        // Linux says `WouldBlock` for a socket's own timeout, others say `TimedOut`.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
            ) =>
        {
            Err(Sickness::TimedOut(timeout))
        }
        Err(error) => Err(Sickness::Io(error)),
    }
}

fn judge(status: Result<u16, Sickness>) -> Result<(), Sickness> {
    match status? {
        200 => Ok(()),
        status => Err(Sickness::Status(status)),
    }
}

fn exchange(peer: &mut dyn Peer, target: &Target, deadline: &Deadline) -> io::Result<Vec<u8>> {
    /// `HTTP/1.1 200 ` is all that counts.
    const LINE_BYTES: usize = 13;
    let (path, host) = (&target.path, &target.host);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    peer.limit(deadline.left()?)?;
    peer.write_all(request.as_bytes())?;
    let mut line = vec![0; LINE_BYTES];
    let mut len = 0;
    while len < LINE_BYTES {
        // Anew for each read, so that a peer that drips bytes gains no time.
        peer.limit(deadline.left()?)?;
        match peer.read(&mut line[len..]) {
            Ok(0) => break,
            Ok(count) => len += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    line.truncate(len);
    Ok(line)
}

/// The status of `HTTP/1.x NNN ` (RFC 9112 4).
fn parse_status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let [b'0'..=b'9', b' ', status @ .., b' ' | b'\r'] = rest else {
        return None;
    };
    if status.len() != 3 {
        return None;
    }
    parse_digits(std::str::from_utf8(status).ok()?)
}

/// The end of everything a check does.
struct Deadline {
    end: Instant,
}

impl Deadline {
    fn left(&self) -> io::Result<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        match left.is_zero() {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(left),
        }
    }

    fn connect(&self, place: &Place) -> io::Result<Box<dyn Peer>> {
        match place {
            // A Unix socket answers at once or not at all, unless its queue is full; then the server is not healthy and
            // the container's own time limit ends the wait.
            Place::Unix(path) => Ok(Box::new(UnixStream::connect(path)?)),
            // Asked by the program above.
            Place::Tls { .. } => Err(io::ErrorKind::Unsupported.into()),
            Place::Tcp { host, port } => Ok(Box::new(self.connect_tcp(host, *port)?)),
        }
    }

    /// Tries each address of the name in turn.
    fn connect_tcp(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
        for address in addresses {
            match TcpStream::connect_timeout(&address, self.left()?) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// A blocking stream with a time limit.
trait Peer: Read + Write {
    /// Bounds each following read and write.
    fn limit(&self, time: Duration) -> io::Result<()>;
}

impl Peer for TcpStream {
    fn limit(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

impl Peer for UnixStream {
    fn limit(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io::{self, Read, Write};
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{Deadline, Peer, Target, ask, exchange, parse_status, parse_timeout};

    #[test]
    fn timeouts() {
        assert_eq!(parse_timeout("3"), Some(Duration::from_secs(3)));
        assert_eq!(parse_timeout("3s"), Some(Duration::from_secs(3)));
        assert_eq!(parse_timeout("3ms"), Some(Duration::from_millis(3)));
        assert_eq!(parse_timeout("3600s"), Some(Duration::from_secs(3600)));
        for text in ["", "0", "3601s", "-1", "+1", "1m", "s", "ms", "1.5s"] {
            assert_eq!(parse_timeout(text), None, "{text}");
        }
    }

    /// A peer that answers in pieces and remembers what it was sent.
    struct Script {
        pieces: VecDeque<Vec<u8>>,
        sent: Vec<u8>,
    }

    impl Read for Script {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let Some(mut piece) = self.pieces.pop_front() else {
                return Ok(0);
            };
            let count = piece.len().min(buf.len());
            buf[..count].copy_from_slice(&piece[..count]);
            let left = piece.split_off(count);
            if !left.is_empty() {
                self.pieces.push_front(left);
            }
            Ok(count)
        }
    }

    impl Write for Script {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.sent.extend_from_slice(buf);
            Ok(buf.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Peer for Script {
        fn limit(&self, _: Duration) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn answers_are_read_split_at_every_byte() {
        let target = Target::parse("http://h:1/health").unwrap();
        let deadline = Deadline {
            end: Instant::now() + Duration::from_secs(3600),
        };
        let answer = b"HTTP/1.1 503 Service Unavailable\r\n\r\n";
        for split in 0..=answer.len() {
            let (one, other) = answer.split_at(split);
            let pieces = [one, other].into_iter().filter(|piece| !piece.is_empty());
            let mut peer = Script {
                pieces: pieces.map(<[u8]>::to_vec).collect(),
                sent: Vec::new(),
            };
            let line = exchange(&mut peer, &target, &deadline).unwrap();
            assert_eq!(parse_status(&line), Some(503), "{split}");
            assert_eq!(
                peer.sent,
                b"GET /health HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n\r\n"
            );
        }
    }

    #[test]
    fn a_deadline_that_is_over_ends_the_exchange() {
        let target = Target::parse("http://h:1/health").unwrap();
        let deadline = Deadline {
            end: Instant::now(),
        };
        let mut peer = Script {
            pieces: VecDeque::new(),
            sent: Vec::new(),
        };
        let error = exchange(&mut peer, &target, &deadline).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(peer.sent.is_empty());
    }

    #[test]
    fn status_lines() {
        assert_eq!(parse_status(b"HTTP/1.1 200 "), Some(200));
        assert_eq!(parse_status(b"HTTP/1.0 404\r"), Some(404));
        for line in [
            &b""[..],
            b"HTTP/1.1 200",
            b"HTTP/1.1 2000",
            b"HTTP/1.1 +20 ",
            b"HTTP/2 200 OK",
            b"SSH-2.0-x 200",
        ] {
            assert_eq!(parse_status(line), None, "{line:?}");
        }
    }

    /// Long enough never to be what ends a test.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Answers one connection, over any kind of socket.
    fn answer_one(mut peer: impl Read + Write, answer: &str) {
        let mut request = [0; 256];
        let count = peer.read(&mut request).unwrap();
        assert!(request[..count].starts_with(b"GET /health HTTP/1.1\r\n"));
        peer.write_all(answer.as_bytes()).unwrap();
    }

    fn ask_tcp(answer: &'static str) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || answer_one(listener.accept().unwrap().0, answer));
        let asked = ask(&Target::parse(&url).unwrap(), PATIENCE);
        server.join().unwrap();
        asked.map_err(|sickness| sickness.to_string())
    }

    #[test]
    fn a_server_on_tcp_is_asked() {
        assert_eq!(ask_tcp("HTTP/1.1 200 OK\r\n\r\n"), Ok(()));
        let refused = ask_tcp("HTTP/1.1 503 Service Unavailable\r\n\r\n");
        assert_eq!(refused, Err("status 503 instead of 200".to_owned()));
        let foreign = ask_tcp("SSH-2.0-OpenSSH_9.9\r\n");
        let words = "what answers there does not speak HTTP/1";
        assert_eq!(foreign, Err(words.to_owned()));
        assert_eq!(ask_tcp(""), Err(words.to_owned()));
    }

    #[test]
    fn a_server_on_a_unix_socket_is_asked() {
        let path = std::env::temp_dir().join(format!("siskin-health-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let answer = "HTTP/1.1 200 OK\r\n\r\n";
        let server = thread::spawn(move || answer_one(listener.accept().unwrap().0, answer));
        let target = Target::parse(&format!("unix:{}", path.display())).unwrap();
        let asked = ask(&target, PATIENCE);
        server.join().unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(asked.is_ok(), "{asked:?}");
    }

    #[test]
    fn a_silent_server_is_not_waited_for() {
        // Nobody accepts; the system completes the connection all the same.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sickness = ask(&Target::parse(&url).unwrap(), Duration::from_millis(20)).unwrap_err();
        assert_eq!(
            sickness.to_string(),
            "no answer within 20ms; `--timeout` allows more"
        );
    }
}
