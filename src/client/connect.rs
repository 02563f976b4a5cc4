//! A new connection, step by step: look up, check the address, TCP, through the proxy, TLS.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;

use crate::http1::HeadLimits;
use crate::http1::response::ResponseHead;
use crate::rt::tls::TlsProblem;
use crate::rt::{self, Stream};

use super::conn::{Conn, Kind};
use super::egress::{is_local_name, is_public};
use super::error::{ClientError, Limit, Phase, ProxyProblem};
use super::proxies::Proxy;
use super::route::{Egress, Route};
use super::url::{Origin, Scheme, Url, bare_host};

/// A proxy's answer to `CONNECT` needs less.
const PROXY_LIMITS: HeadLimits = HeadLimits {
    head_bytes_max: 8192,
    headers_max: super::HEADERS_MAX,
};

/// How far a request has come, and where to: what is said when time runs out.
pub(super) struct Progress {
    pub(super) phase: Cell<Phase>,
    pub(super) origin: RefCell<Origin>,
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
    let kind = match url.scheme() {
        Scheme::Http => Kind::Plain,
        Scheme::Https => {
            if let Some(proxy) = proxy {
                progress.phase.set(Phase::Proxy);
                target.tunnel(&stream, proxy).await?;
            }
            progress.phase.set(Phase::Tls);
            let below = Rc::clone(&stream);
            let secured = route.trust.connect(below, bare_host(url.host())).await;
            Kind::Tls(secured.map_err(|problem| ClientError::Tls {
                origin: url.origin(),
                problem,
            })?)
        }
    };
    Ok(Conn::new(kind, stream))
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

        let (mut answer, mut head) = (Vec::new(), ResponseHead::new());
        let mut chunk = [0; 512];
        let end = loop {
            let len = stream.read(&mut chunk).await.map_err(lost)?;
            answer.extend_from_slice(chunk.get(..len).unwrap_or_default());
            match head.try_parse(&answer, &PROXY_LIMITS) {
                Ok(Some(end)) => break end,
                Ok(None) if len > 0 => (),
                Ok(None) | Err(_) => return Err(refused(ProxyProblem::NotHttp)),
            }
        };
        match head.status() {
            // A TLS server speaks second: bytes behind the head are not its.
            200..300 if answer.len() == end => Ok(()),
            200..300 => Err(refused(ProxyProblem::NotHttp)),
            407 => Err(refused(ProxyProblem::Authentication)),
            status => Err(refused(ProxyProblem::Status(status))),
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
