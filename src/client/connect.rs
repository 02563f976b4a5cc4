//! A new connection, step by step: look up, check the address, TCP, through the proxy, TLS, hyper.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{Builder, SendRequest};

use crate::rt::tls::TlsProblem;
use crate::rt::{self, Stream, Task};

use super::egress::{is_local_name, is_public};
use super::error::{ClientError, Limit, Phase, ProxyProblem};
use super::io::{Allowance, Io, Kind};
use super::proxies::Proxy;
use super::route::{Egress, Route};
use super::url::{Origin, Scheme, Url, bare_host};
use super::{HEAD_BYTES_MAX, HEADERS_MAX};

/// A proxy's answer to `CONNECT` needs less.
const PROXY_HEAD_BYTES_MAX: usize = 8192;

/// How far a request has come, and where to: what is said when time runs out.
pub(super) struct Progress {
    pub(super) phase: Cell<Phase>,
    pub(super) origin: RefCell<Origin>,
}

/// A connection that hyper drives in a task of its own. Dropping it closes it.
pub(super) struct Conn {
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// The task owns the stream: when the peer closes, the socket goes at once, not when the pool looks.
    stream: Weak<Stream>,
    pub(super) allowance: Allowance,
    /// What hyper ended with, unless it could tell whoever waits for a response.
    ended: Rc<Cell<Option<hyper::Error>>>,
    _task: Task<()>,
}

impl Conn {
    /// Whether the next request may go out here: the peer has neither closed nor said anything out of turn.
    pub(super) fn is_usable(&self) -> bool {
        let is_quiet = self
            .stream
            .upgrade()
            .is_some_and(|stream| stream.is_quiet());
        is_quiet && !self.sender.is_closed()
    }

    /// Why it ended, when all that is left of it says that it did: a server may refuse our certificate before the
    /// request has left.
    pub(super) fn reason(&self, error: hyper::Error) -> hyper::Error {
        let says_nothing = error.is_closed() || error.is_canceled();
        self.ended.take().filter(|_| says_nothing).unwrap_or(error)
    }
}

/// Connects for a request to `url`, within the route's time for it.
pub(super) async fn connect(
    url: &Url,
    proxy: Option<&Proxy>,
    route: &Route,
    progress: &Progress,
) -> Result<Conn, ClientError> {
    if url.scheme() == Scheme::Https && !rt::tls::IS_BUILT_IN {
        return Err(ClientError::Tls {
            origin: url.origin(),
            problem: TlsProblem::NotBuiltIn,
        });
    }
    let limit = route.timeouts.connect;
    let connected = rt::timeout(limit, steps(url, proxy, route, progress)).await;
    connected.unwrap_or_else(|_| {
        Err(ClientError::Timeout {
            origin: url.origin(),
            phase: progress.phase.get(),
            limit: Limit::Connect,
            after: limit,
        })
    })
}

async fn steps(
    url: &Url,
    proxy: Option<&Proxy>,
    route: &Route,
    progress: &Progress,
) -> Result<Conn, ClientError> {
    let target = Target {
        url,
        proxy,
        egress: route.egress,
    };
    progress.phase.set(Phase::Lookup);
    let addrs = target.look_up().await?;
    progress.phase.set(Phase::Connect);
    let stream = Rc::new(target.dial(&addrs).await?);
    let weak = Rc::downgrade(&stream);
    let kind = match url.scheme() {
        Scheme::Http => Kind::Plain(stream),
        Scheme::Https => {
            if let Some(proxy) = proxy {
                progress.phase.set(Phase::Proxy);
                target.tunnel(&stream, proxy).await?;
            }
            progress.phase.set(Phase::Tls);
            let secured = route.trust.connect(stream, bare_host(url.host())).await;
            Kind::Tls(secured.map_err(|problem| ClientError::Tls {
                origin: url.origin(),
                problem,
            })?)
        }
    };
    let io = Io::new(kind);
    let allowance = io.allowance();
    let (sender, connection) = Builder::new()
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(2 * HEAD_BYTES_MAX)
        .handshake(io)
        .await
        .map_err(|error| super::exchange::explain(&error, &url.origin()))?;
    let ended = Rc::new(Cell::new(None));
    let end = Rc::clone(&ended);
    let task = rt::spawn(async move { end.set(connection.await.err()) });
    Ok(Conn {
        sender,
        stream: weak,
        allowance,
        ended,
        _task: task,
    })
}

/// Where a connection goes.
struct Target<'a> {
    url: &'a Url,
    proxy: Option<&'a Proxy>,
    egress: Egress,
}

impl Target<'_> {
    /// The addresses that may be connected to.
    async fn look_up(&self) -> Result<Vec<SocketAddr>, ClientError> {
        self.check_literal()?;
        let (host, port) = match self.proxy {
            Some(proxy) => (proxy.host.as_str(), proxy.port),
            None => (self.url.host(), self.url.port()),
        };
        let mut addrs = rt::resolve(host, port).await.map_err(|error| {
            let text = error.to_string();
            let text = text.trim_start_matches("failed to lookup address information: ");
            match self.proxy {
                Some(proxy) => self.proxy_problem(proxy, ProxyProblem::Connect(text.to_owned())),
                None => ClientError::Lookup {
                    origin: self.url.origin(),
                    text: text.to_owned(),
                },
            }
        })?;
        // The proxy is the operator's, wherever it is; its lookups are its own.
        if self.egress == Egress::Public && self.proxy.is_none() {
            let first = addrs.first().map(SocketAddr::ip);
            addrs.retain(|addr| is_public(addr.ip()));
            if addrs.is_empty() {
                return Err(self.private(first));
            }
        }
        Ok(addrs)
    }

    /// What can be told without a lookup, so that a proxy is not asked for it either.
    fn check_literal(&self) -> Result<(), ClientError> {
        if self.egress == Egress::Any {
            return Ok(());
        }
        match self.url.host_ip() {
            Some(ip) if !is_public(ip) => Err(self.private(Some(ip))),
            None if self.proxy.is_some() && is_local_name(self.url.host()) => {
                Err(self.private(None))
            }
            _ => Ok(()),
        }
    }

    fn private(&self, address: Option<std::net::IpAddr>) -> ClientError {
        ClientError::PrivateAddress {
            origin: self.url.origin(),
            address,
        }
    }

    async fn dial(&self, addrs: &[SocketAddr]) -> Result<Stream, ClientError> {
        let dialled = rt::tcp_connect_any(addrs).await;
        let (stream, _) = dialled.map_err(|(address, error)| match self.proxy {
            Some(proxy) => self.proxy_problem(proxy, ProxyProblem::Connect(error.to_string())),
            None if error.kind() == ErrorKind::ConnectionRefused => ClientError::Refused {
                origin: self.url.origin(),
                address,
            },
            None => ClientError::Connect {
                origin: self.url.origin(),
                text: format!("{address}: {error}"),
            },
        })?;
        // Requests are written whole; waiting for more only delays them. A failure costs speed.
        _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Asks the proxy for a way through (RFC 9110 section 9.3.6).
    async fn tunnel(&self, stream: &Stream, proxy: &Proxy) -> Result<(), ClientError> {
        let authority = format!("{}:{}", self.url.host(), self.url.port());
        let mut head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        if let Some(authorization) = &proxy.authorization {
            head.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
        }
        head.push_str("\r\n");
        let refused = |problem| self.proxy_problem(proxy, problem);
        let lost = |error: std::io::Error| refused(ProxyProblem::Connect(error.to_string()));
        stream.write_all(head.as_bytes()).await.map_err(lost)?;

        let mut answer = Vec::new();
        let mut chunk = [0; 512];
        let end = loop {
            let len = stream.read(&mut chunk).await.map_err(lost)?;
            answer.extend_from_slice(chunk.get(..len).unwrap_or_default());
            let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                break end.saturating_add(4);
            }
            if len == 0 || answer.len() > PROXY_HEAD_BYTES_MAX {
                return Err(refused(ProxyProblem::NotHttp));
            }
        };
        match proxy_status(&answer) {
            // A TLS server speaks second: bytes behind the head are not its.
            Some(200..300) if answer.len() == end => Ok(()),
            Some(407) => Err(refused(ProxyProblem::Authentication)),
            Some(status) if !(200..300).contains(&status) => {
                Err(refused(ProxyProblem::Status(status)))
            }
            _ => Err(refused(ProxyProblem::NotHttp)),
        }
    }

    fn proxy_problem(&self, proxy: &Proxy, problem: ProxyProblem) -> ClientError {
        ClientError::Proxy {
            origin: self.url.origin(),
            proxy: format!("{}:{}", proxy.host, proxy.port),
            problem,
        }
    }
}

/// The status of `HTTP/1.x NNN …`.
fn proxy_status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let ([_, b' ', number @ ..], rest) = rest.split_first_chunk::<5>()? else {
        return None;
    };
    let ends = matches!(rest.first(), Some(b' ' | b'\r'));
    let is_number = number.iter().all(u8::is_ascii_digit) && ends;
    let number = std::str::from_utf8(number).ok().filter(|_| is_number)?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::proxy_status;

    #[test]
    fn a_proxy_answers_with_a_status_line() {
        for (head, expected) in [
            ("HTTP/1.1 200 OK\r\n", Some(200)),
            ("HTTP/1.0 407\r\n", Some(407)),
            ("HTTP/1.1 20\r\n", None),
            ("HTTP/1.1 2000\r\n", None),
            ("HTTP/2 200 OK\r\n", None),
            ("SSH-2.0-x\r\n", None),
            ("", None),
        ] {
            assert_eq!(proxy_status(head.as_bytes()), expected, "{head}");
        }
    }
}
