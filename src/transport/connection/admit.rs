//! What is decided from the head alone, before a byte of the body is read.

use std::rc::Rc;

use crate::gate::Principal;
use crate::gate::cors;
use crate::gate::origin::AllowedOrigin;
use crate::gate::rate::RateRefusal;
use crate::http1::encode::Persistence;
use crate::http1::{Expectation, Head, Method, Name};
use crate::metrics::Limit;

use crate::transport::respond::Response;
use crate::transport::routes::{Access, Target};
use crate::transport::site::{Settings, Site};

use super::Connection;

/// Headers by which we decide and that have one value. Twice, they mean one thing to us and may mean
/// another to whoever stands in front. (`Host` and those about length are `http1`'s.)
const SINGLE: [Name; 6] = [
    Name::Authorization,
    Name::ContentType,
    Name::LastEventId,
    Name::McpProtocolVersion,
    Name::McpSessionId,
    Name::Origin,
];

/// A request that may go on.
pub(super) struct Admitted {
    pub(super) target: Target,
    pub(super) caller: Rc<Principal>,
    /// It came too soon, in a session: it is told in the session's own terms.
    pub(super) excess: Option<RateRefusal>,
}

impl Connection {
    /// Everything that is decided from the head alone, in this order: host, what stands there
    /// twice, origin, preflight, target, method, token, rate, expectation.
    /// Waits for nothing but the keys of an issuer.
    pub(super) async fn admit(
        &mut self,
        settings: &Settings,
        site: &Site,
    ) -> Result<Admitted, Response> {
        let head = &self.head;
        if head.method() == Method::Connect {
            // What follows would be a tunnel's bytes, not a request.
            self.persistence = Persistence::Close;
            return Err(Response::error(501, "this is no proxy"));
        }
        let host_text = match head.host() {
            Ok(_) => head.authority(),
            Err(error) => {
                self.persistence = Persistence::Close;
                return Err(Response::error(error.status(), &error.to_string()));
            }
        };
        if let Some(name) = head.repeated(&SINGLE) {
            self.persistence = Persistence::Close;
            let text = format!("more than one `{}` header: send one", name.as_str());
            return Err(Response::error(400, &text));
        }
        site.host.admit(host_text).map_err(|refusal| {
            Response::json(crate::gate::host::HostRefusal::STATUS, refusal.body())
        })?;
        let origin = site
            .origin
            .admit(head.header(Name::Origin), host_text)
            .map_err(|refusal| {
                Response::json(crate::gate::origin::OriginRefusal::STATUS, refusal.body())
            })?;
        if let Some(origin) = origin {
            self.cors = cors::response_headers(origin).into();
        }
        let target = Target::of(head.path(), settings, site.groups);
        let method = head.method();
        if method == Method::Options {
            if cors::is_preflight(
                head.header(Name::Origin),
                head.header(Name::AccessControlRequestMethod),
            ) {
                // Its answer has CORS headers of its own, and each may stand only once.
                self.cors.clear();
            }
            return Err(answer_options(head, target, origin));
        }
        let Some(target) = target else {
            return Err(no_such_path());
        };
        if !target.allows(method) {
            let text = format!("method not allowed here; use {}", target.allow());
            return Err(Response::error(405, &text).with("Allow", target.allow()));
        }
        let identified = self.identify(settings, target).await;
        let excess = self.count_request(settings, target, identified.as_ref().ok())?;
        let caller = identified?;
        if self.must_show_token && target.access() != Access::Open {
            if !self.has_a_reserved_place(settings, &caller) {
                self.http.server.metrics.limit_hit(Limit::Connections);
                let text = "all connections but those reserved for callers with a token are taken";
                return Err(Response::error(503, text).with("Retry-After", "5"));
            }
            self.must_show_token = false;
            self.persistence = self.usual_persistence();
        }
        let head = &self.head;
        if head.expect() == Expectation::Unknown {
            return Err(Response::error(
                417,
                "only `Expect: 100-continue` is understood",
            ));
        }
        if method == Method::Post {
            if head
                .header(Name::ContentEncoding)
                .is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"))
            {
                return Err(Response::error(
                    415,
                    "`Content-Encoding` of requests is not supported",
                ));
            }
            let content_type = head.header(Name::ContentType);
            if !content_type.is_some_and(crate::http1::accept::is_json_content_type) {
                return Err(Response::error(
                    415,
                    "`Content-Type` must be `application/json`",
                ));
            }
        }
        Ok(Admitted {
            target,
            caller,
            excess,
        })
    }

    /// How the answer leaves the connection, unless the request breaks a rule.
    pub(super) fn usual_persistence(&self) -> Persistence {
        let is_last = !self.head.keep_alive() || self.http.shutdown.is_triggered();
        // Whoever has not shown a token where one is due gets one answer, whatever it asks.
        if is_last || self.must_show_token {
            Persistence::Close
        } else {
            Persistence::KeepAlive
        }
    }
}

fn no_such_path() -> Response {
    Response::error(404, "no such path; MCP clients connect to `/mcp`")
}

/// Answers OPTIONS: a preflight (Fetch standard, "CORS protocol"), or what a path can do; `*` is the
/// whole server (RFC 9110, section 9.3.7).
///
/// A preflight for a path that does not exist is let through, though: a page may read the 404 of a
/// request only after a preflight that succeeded, and clients in browsers look for documents that a
/// server need not have.
fn answer_options(
    head: &Head,
    target: Option<Target>,
    origin: Option<AllowedOrigin<'_>>,
) -> Response {
    let allow = target.map_or("GET, POST, DELETE, OPTIONS", Target::allow);
    let mut response = Response::empty(204).with("Allow", allow);
    let requested = head.header(Name::AccessControlRequestMethod);
    let is_preflight = cors::is_preflight(head.header(Name::Origin), requested);
    let origin = origin.filter(|_| is_preflight);
    if origin.is_none() && target.is_none() && head.path() != "*" {
        return no_such_path();
    }
    if let Some(origin) = origin {
        let headers = head.header(Name::AccessControlRequestHeaders);
        response
            .headers
            .extend(cors::preflight_headers(origin, allow, headers));
    }
    response
}
