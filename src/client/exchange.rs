//! One request out, one response back: the way of [`Client::send`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::http1;
use crate::http1::response::{ResponseBody, ResponseHead};
use crate::rt;

use super::body::{Coding, Incoming};
use super::connect::{Progress, connect};
use super::error::{ClientError, Limit, Phase, ProxyProblem};
use super::headers::Headers;
use super::method::Method;
use super::pool::{Key, Pool};
use super::proxies::{Proxies, Proxy};
use super::redirect::{self, Next};
use super::request::{Prepared, Request, Response};
use super::route::{Egress, Route};
use super::url::{Scheme, Url};

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
            let (head, incoming) = self
                .exchange(&request, &key, proxy, route, progress)
                .await?;
            progress.phase.set(Phase::Body);
            let status = head.status();
            let headers = Headers::of(&head);
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
                // Only to use the connection again.
                if incoming.stays {
                    let read = incoming.read(Coding::Identity, REDIRECT_BODY_MAX, &origin);
                    if let Ok((_, Some(conn))) = read.await {
                        self.0.pool.put(key, conn);
                    }
                }
                redirect::turn(&mut request, *target);
                followed = followed.saturating_add(1);
                continue;
            }
            let coding = match coding {
                Ok(coding) => coding,
                // As after `HEAD`: what is not there needs no decoding.
                Err(_) if incoming.body.is_empty() => Coding::Identity,
                Err(encoding) => return Err(ClientError::Encoding { origin, encoding }),
            };
            let read = incoming.read(coding, route.body_bytes_max, &origin);
            let (body, conn) = read.await?;
            if let Some(conn) = conn {
                self.0.pool.put(key, conn);
            }
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
    ) -> Result<(ResponseHead, Incoming), ClientError> {
        let mut waiting = self.0.pool.take(key);
        loop {
            let was_waiting = waiting.is_some();
            let mut conn = match waiting.take() {
                Some(conn) => conn,
                None => connect(&request.url, proxy, route, progress).await?,
            };
            progress.phase.set(Phase::FirstByte);
            let limit = route.timeouts.first_byte;
            let asked = conn.ask(message(request, proxy), &key.origin);
            let answer = rt::timeout(limit, asked).await;
            let answer = answer.unwrap_or_else(|_| {
                Err(ClientError::Timeout {
                    origin: key.origin.clone(),
                    phase: Phase::FirstByte,
                    limit: Limit::FirstByte,
                    after: limit,
                })
            });
            let error = match answer {
                Ok(head) => {
                    let body = body_behind(&head, request, proxy)?;
                    let stays = head.keep_alive() && !body.is_until_end();
                    return Ok((head, Incoming { conn, body, stays }));
                }
                Err(error) => error,
            };
            let may_repeat = conn.was_not_sent() || request.method.is_safe();
            let was_closed = matches!(error, ClientError::Closed { .. });
            if !(was_waiting && may_repeat && was_closed) {
                return Err(error);
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

/// The request's bytes. Through a proxy, plain HTTP names the whole URL (RFC 9112 section 3.2.2).
fn message(request: &Prepared, proxy: Option<&Proxy>) -> Vec<u8> {
    let url = &request.url;
    match proxy.filter(|_| url.scheme() == Scheme::Http) {
        Some(proxy) => request.message(url.as_str(), proxy.authorization.as_deref()),
        None => request.message(url.target(), None),
    }
}

/// The body that follows, unless the head alone says that there is no answer.
fn body_behind(
    head: &ResponseHead,
    request: &Prepared,
    proxy: Option<&Proxy>,
) -> Result<ResponseBody, ClientError> {
    let origin = request.url.origin();
    let text = match (head.status(), proxy) {
        (101, _) => "it switched protocols, which nobody asked for".to_owned(),
        (407, Some(proxy)) => {
            return Err(ClientError::Proxy {
                origin,
                proxy: format!("{}:{}", proxy.host, proxy.port),
                problem: ProxyProblem::Authentication,
            });
        }
        _ => {
            let method = match request.method {
                Method::Head => http1::Method::Head,
                _ => http1::Method::Get,
            };
            match head.framing(method) {
                Ok(framing) => return Ok(ResponseBody::new(framing)),
                Err(error) => error.to_string(),
            }
        }
    };
    Err(ClientError::NotHttp { origin, text })
}
