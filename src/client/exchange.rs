//! One request out, one response back: the way of [`Client::send`].

use std::cell::{Cell, RefCell};
use std::error::Error as _;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{self, HeaderValue};

use crate::rt;
use crate::rt::tls::TlsProblem;

use super::body::{self, Coding};
use super::connect::{Conn, Progress, connect};
use super::error::{ClientError, Limit, Phase, ProxyProblem};
use super::headers::Headers;
use super::pool::{Key, Pool};
use super::proxies::{Proxies, Proxy};
use super::redirect::{self, Next};
use super::request::{Prepared, Request, Response};
use super::route::{Egress, Route};
use super::url::{Origin, Scheme, Url};

/// A redirect's body is read up to here, to use the connection again.
const REDIRECT_BODY_MAX: usize = 16 * 1024;

/// What all requests share.
#[derive(Clone)]
pub struct ClientSettings {
    /// Who stands in between.
    pub proxies: Proxies,
    /// How long a connection waits for the next request; zero to close it at once.
    pub idle: Duration,
    /// Most connections that wait, per origin.
    pub idle_per_origin: usize,
}

/// No proxy, two connections per origin, for 15 s: common servers close theirs after 5 s to 75 s.
impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            proxies: Proxies::default(),
            idle: Duration::from_secs(15),
            idle_per_origin: 2,
        }
    }
}

/// Sends requests. Cloning shares its connections.
#[derive(Clone)]
pub struct Client(Rc<Shared>);

struct Shared {
    proxies: Proxies,
    pool: Rc<Pool>,
}

impl Client {
    /// A client without connections.
    #[must_use]
    pub fn new(settings: ClientSettings) -> Self {
        Self(Rc::new(Shared {
            proxies: settings.proxies,
            pool: Pool::new(settings.idle, settings.idle_per_origin),
        }))
    }

    /// Sends `request` and reads the whole response, redirects followed as `route` says. Dropping the future closes
    /// the connection. Called inside [`rt::run`].
    ///
    /// # Errors
    /// Why there is no response. Any status is one.
    pub async fn send(&self, request: Request, route: &Route) -> Result<Response, ClientError> {
        let progress = Progress {
            phase: Cell::new(Phase::Lookup),
            origin: RefCell::new(request.url.origin()),
        };
        let request = Prepared::new(request, route.user_agent.as_deref())?;
        let total = route.timeouts.total;
        // On the heap, once per request: callers hold this future inside theirs.
        let work = Box::pin(self.follow(request, route, &progress));
        let done = rt::timeout(total, work).await;
        done.unwrap_or_else(|_| {
            Err(ClientError::Timeout {
                origin: progress.origin.borrow().clone(),
                phase: progress.phase.get(),
                limit: Limit::Total,
                after: total,
            })
        })
    }

    /// Hop by hop, until there is a response.
    async fn follow(
        &self,
        mut request: Prepared,
        route: &Route,
        progress: &Progress,
    ) -> Result<Response, ClientError> {
        let mut followed = 0;
        loop {
            let origin = request.url.origin();
            progress.origin.replace(origin.clone());
            let proxy = self.0.proxies.of(&request.url)?;
            let key = key(&request.url, proxy, route);
            let (head, incoming, conn) = self
                .exchange(&request, &key, proxy, route, progress)
                .await?;
            progress.phase.set(Phase::Body);
            let status = head.status.as_u16();
            let headers = Headers::from_map(&head.headers);
            let next = redirect::next(
                status,
                headers.value("location"),
                request.method,
                &request.url,
                &route.redirects,
                followed,
            )?;
            let coding = Coding::of(&headers);
            if let Next::Follow(target) = next {
                let coding = Coding::Identity;
                let body = body::read(incoming, coding, REDIRECT_BODY_MAX, &origin).await;
                if body.is_ok() {
                    self.0.pool.put(key, conn);
                }
                redirect::turn(&mut request, *target);
                followed = followed.saturating_add(1);
                continue;
            }
            let coding = match coding {
                Ok(coding) => coding,
                // As after `HEAD`: what is not there needs no decoding.
                Err(_) if incoming.is_end_stream() => Coding::Identity,
                Err(encoding) => return Err(ClientError::Encoding { origin, encoding }),
            };
            let body = body::read(incoming, coding, route.body_bytes_max, &origin).await?;
            self.0.pool.put(key, conn);
            return Ok(Response {
                status,
                headers,
                body,
                url: request.url,
            });
        }
    }

    /// One request on one connection: one that waits, or a new one. A connection that turns out to be closed costs a
    /// second try on a new one, if the request was not sent or only reads.
    async fn exchange(
        &self,
        request: &Prepared,
        key: &Key,
        proxy: Option<&Proxy>,
        route: &Route,
        progress: &Progress,
    ) -> Result<(hyper::http::response::Parts, Incoming, Conn), ClientError> {
        let mut waiting = self.0.pool.take(key);
        loop {
            let was_waiting = waiting.is_some();
            let mut conn = match waiting.take() {
                Some(conn) => conn,
                None => connect(&request.url, proxy, route, progress).await?,
            };
            progress.phase.set(Phase::FirstByte);
            let limit = route.timeouts.first_byte;
            let sent = rt::timeout(limit, send(&mut conn, message(request, proxy))).await;
            let sent = sent.map_err(|_| ClientError::Timeout {
                origin: key.origin.clone(),
                phase: Phase::FirstByte,
                limit: Limit::FirstByte,
                after: limit,
            })?;
            let failed = match sent {
                Ok(response) => {
                    let (head, incoming) = response.into_parts();
                    check_head(head.status.as_u16(), request, proxy)?;
                    check_coding(&head.headers, request)?;
                    return Ok((head, incoming, conn));
                }
                Err(failed) => failed,
            };
            let may_repeat = failed.was_not_sent || request.method.is_safe();
            if !(was_waiting && may_repeat && failed.was_closed()) {
                return Err(explain(&conn.reason(failed.error), &key.origin));
            }
            self.0.pool.forget(key);
        }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.0.pool.len()
    }

    #[cfg(test)]
    pub(super) fn usable(&self) -> usize {
        self.0.pool.usable()
    }
}

fn key(url: &Url, proxy: Option<&Proxy>, route: &Route) -> Key {
    Key {
        origin: url.origin(),
        trust: match url.scheme() {
            Scheme::Http => 0,
            Scheme::Https => route.trust.id(),
        },
        proxy: proxy.map(|proxy| (proxy.host.clone(), proxy.port)),
        is_public: route.egress == Egress::Public,
    }
}

/// The request for hyper. Through a proxy, plain HTTP names the whole URL (RFC 9112 section 3.2.2).
fn message(request: &Prepared, proxy: Option<&Proxy>) -> hyper::Request<Full<Bytes>> {
    let url = &request.url;
    let proxy = proxy.filter(|_| url.scheme() == Scheme::Http);
    let target = if proxy.is_some() {
        url.as_str()
    } else {
        url.target()
    };
    let mut message = hyper::Request::new(Full::new(request.body.clone()));
    // What a `Url` and a `Method` are is narrower than what hyper takes; fuzz_url asks hyper.
    #[expect(clippy::expect_used, reason = "each is checked where it is made")]
    let host = {
        *message.method_mut() = (request.method.as_str().parse()).expect("our methods are tokens");
        *message.uri_mut() = target.parse().expect("a normal URL is one for hyper too");
        HeaderValue::from_str(url.authority()).expect("an authority is visible ASCII")
    };
    let headers = message.headers_mut();
    headers.clone_from(&request.headers);
    headers.entry(header::HOST).or_insert(host);
    let authorization = proxy.and_then(|proxy| proxy.authorization.as_deref());
    if let Some(Ok(authorization)) = authorization.map(HeaderValue::from_str) {
        headers.insert(header::PROXY_AUTHORIZATION, authorization);
    }
    message
}

/// A request that brought no response head.
struct Failed {
    error: hyper::Error,
    /// hyper gave the request back untouched.
    was_not_sent: bool,
}

impl Failed {
    /// Whether the connection just ended, as opposed to an answer that makes no sense.
    fn was_closed(&self) -> bool {
        let error = &self.error;
        let is_lost = io_cause(error).is_some_and(|cause| {
            TlsProblem::within(cause).is_none() && cause.kind() != io::ErrorKind::FileTooLarge
        });
        error.is_incomplete_message() || error.is_canceled() || error.is_closed() || is_lost
    }
}

async fn send(
    conn: &mut Conn,
    message: hyper::Request<Full<Bytes>>,
) -> Result<hyper::Response<Incoming>, Failed> {
    let not_sent = |error| Failed {
        error,
        was_not_sent: true,
    };
    conn.sender.ready().await.map_err(not_sent)?;
    conn.allowance.start();
    let sent = conn.sender.try_send_request(message).await;
    conn.allowance.lift();
    sent.map_err(|mut failed| Failed {
        was_not_sent: failed.take_message().is_some(),
        error: failed.into_error(),
    })
}

/// What a status alone says about the way here.
fn check_head(status: u16, request: &Prepared, proxy: Option<&Proxy>) -> Result<(), ClientError> {
    let origin = request.url.origin();
    match (status, proxy) {
        (101, _) => Err(ClientError::NotHttp {
            origin,
            text: "it switched protocols, which nobody asked for".to_owned(),
        }),
        (407, Some(proxy)) => Err(ClientError::Proxy {
            origin,
            proxy: format!("{}:{}", proxy.host, proxy.port),
            problem: ProxyProblem::Authentication,
        }),
        _ => Ok(()),
    }
}

/// hyper takes off the last `chunked` and passes on whatever other coding is below it, as if it were the body. We know
/// no other (RFC 9112, section 6.1).
fn check_coding(headers: &hyper::HeaderMap, request: &Prepared) -> Result<(), ClientError> {
    let mut codings = headers.get_all("transfer-encoding").iter();
    if codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Ok(());
    }
    Err(ClientError::NotHttp {
        origin: request.url.origin(),
        text: "a `Transfer-Encoding` other than `chunked`".to_owned(),
    })
}

/// The cause of hyper's error.
pub(super) fn explain(error: &hyper::Error, origin: &Origin) -> ClientError {
    let origin = origin.clone();
    if let Some(cause) = io_cause(error) {
        if let Some(problem) = TlsProblem::within(cause) {
            return ClientError::Tls { origin, problem };
        }
        return match cause.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => ClientError::NotHttp {
                origin,
                text: cause.to_string(),
            },
            io::ErrorKind::FileTooLarge => ClientError::HeadTooLarge { origin },
            _ => ClientError::Closed { origin },
        };
    }
    // hyper tells this one apart by its text alone.
    if error.is_parse() && error.to_string() == "message head is too large" {
        ClientError::HeadTooLarge { origin }
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        ClientError::Closed { origin }
    } else {
        ClientError::NotHttp {
            origin,
            text: error.to_string(),
        }
    }
}

/// The system's error below hyper's.
pub(super) fn io_cause(error: &hyper::Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref() {
            return Some(cause);
        }
        source = cause.source();
    }
    None
}
