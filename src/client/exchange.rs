//! One request out, one response back.

use std::rc::Rc;
use std::time::Duration;

use http_body_util::Full;
use hyper::header::{self, HeaderValue};

use crate::rt;

use super::body;
use super::connect::connect;
use super::error::{ClientError, Limit, Phase};
use super::headers::Headers;
use super::proxies::Proxies;
use super::request::{Prepared, Request, Response};
use super::route::Route;

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
pub struct Client(#[allow(dead_code)] Rc<ClientSettings>);

impl Client {
    /// A client without connections.
    #[must_use]
    pub fn new(settings: ClientSettings) -> Self {
        Self(Rc::new(settings))
    }

    /// Sends `request` and reads the whole response, redirects followed as `route` says. Dropping the future closes
    /// the connection. Called inside [`rt::run`].
    ///
    /// # Errors
    /// Why there is no response. Any status is one.
    pub async fn send(&self, request: Request, route: &Route) -> Result<Response, ClientError> {
        let origin = request.url.origin();
        let work = async {
            let request = Prepared::new(request, route.user_agent.as_deref())?;
            let mut conn = connect(&request.url, route).await?;
            let closed = |_| ClientError::Closed {
                origin: request.url.origin(),
            };
            let mut message = hyper::Request::new(Full::new(request.body.clone()));
            *message.method_mut() = request
                .method
                .as_str()
                .parse()
                .expect("our methods are tokens");
            *message.uri_mut() = request
                .url
                .target()
                .parse()
                .expect("a normal URL is one for hyper too");
            *message.headers_mut() = request.headers.clone();
            let host = HeaderValue::from_str(request.url.authority())
                .expect("an authority is visible ASCII");
            message.headers_mut().entry(header::HOST).or_insert(host);
            let response = conn.sender.send_request(message).await.map_err(closed)?;
            let (head, incoming) = response.into_parts();
            Ok(Response {
                status: head.status.as_u16(),
                headers: Headers::from_map(&head.headers),
                body: body::read(incoming, route.body_bytes_max, &origin).await?,
                url: request.url,
            })
        };
        let done = rt::timeout(route.timeouts.total, work).await;
        done.unwrap_or_else(|_| {
            Err(ClientError::Timeout {
                origin: origin.clone(),
                phase: Phase::FirstByte,
                limit: Limit::Total,
                after: route.timeouts.total,
            })
        })
    }
}
