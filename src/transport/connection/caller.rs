//! Who asks, and whether they ask too often: the address behind a proxy, the token and the brake on
//! guessing it, the rate.

use std::rc::Rc;

use crate::gate::auth::{Auth, AuthRefusal};
use crate::gate::brake::FORGOTTEN_AFTER;
use crate::gate::forwarded::Client;
use crate::gate::jwt::{Jwt, JwtRefusal};
use crate::gate::rate::{Key, RateRefusal};
use crate::gate::{Principal, Scope, Scopes};
use crate::http1::{Method, Name, query};
use crate::jsonrpc::{self, Envelope, Incoming, Message, UnknownId};
use crate::metrics::Limit;
use crate::rt;
use crate::server::outlet::{Item, Status};
use crate::transport::http_sse;
use crate::transport::respond::Response;
use crate::transport::routes::{Access, Target};
use crate::transport::site::Settings;
use crate::transport::streamable::rules;

use super::{After, Connection};

/// The JSON-RPC code of a refusal by rate: the server's general one.
const TOO_MANY: i64 = -32000;

impl Connection {
    /// Finds out whose request this is, and counts the connection for them while it lasts.
    pub(super) fn find_client(&mut self, settings: &Settings) -> Result<(), Response> {
        let head = &self.head;
        self.client = if settings.proxies.trusts(self.peer) {
            settings.proxies.client(
                self.peer,
                head.list(Name::Forwarded).as_deref(),
                head.list(Name::XForwardedFor).as_deref(),
            )
        } else {
            Client::direct(self.peer)
        };
        let metrics = &self.http.server.metrics;
        if self.client.is_uncertain {
            metrics.forwarded_ignored();
        }
        // A socket file has no address, and neither has its user one to be counted for.
        let address = self.client.ip.map(|ip| Key::address(Some(ip)));
        let count_max = settings.connections_per_address_max;
        self.place.count_for(address, count_max).map_err(|limit| {
            metrics.limit_hit(limit);
            let text = format!("{} has `limits.connections_per_address` open", self.client);
            Response::error(503, &text).with("Retry-After", "5")
        })
    }

    /// Between requests, a proxy's connection is nobody's.
    pub(super) fn leave_client(&mut self) {
        let settings = self.http.settings();
        if settings.proxies.trusts(self.peer) {
            // None is never refused.
            _ = self.place.count_for(None, 0);
        }
    }

    /// Whether a place that is kept for callers on this machine and with a token or certificate is for this one.
    pub(super) fn has_a_reserved_place(&self, settings: &Settings, caller: &Rc<Principal>) -> bool {
        // All who come to a connection that must show a token and are local come by a proxy.
        self.client.is_local() || settings.knows(caller)
    }

    /// The caller by the token or certificate, and whether it may ask this.
    pub(super) async fn identify(
        &self,
        settings: &Settings,
        target: Target,
    ) -> Result<Rc<Principal>, Response> {
        let scope = match target.access() {
            Access::Open => return Ok(Rc::new(Principal::anonymous())),
            Access::Operator if settings.metrics_public => {
                // Who shows a good token may have a reserved place; who shows none is let in too.
                let caller = self.authenticate(settings, None).await;
                return Ok(caller.unwrap_or_else(|_| Rc::new(Principal::anonymous())));
            }
            Access::Operator => Some(Scope::Admin),
            Access::Scope(scope) => Some(scope),
            Access::Token => None,
        };
        let caller = self.authenticate(settings, scope).await?;
        if let Some(scope) = scope {
            caller
                .require(scope)
                .map_err(|refusal| refuse(settings, refusal, Some(scope)))?;
        }
        Ok(caller)
    }

    /// Looks at the token, unless its address has guessed too often; at the certificate where no token is shown. A
    /// certificate cannot be guessed, so the brake does not hold it. Where a token was signed by a key that is not
    /// known, an issuer may have changed its keys: this request waits while they are fetched, and others go on.
    async fn authenticate(
        &self,
        settings: &Settings,
        scope: Option<Scope>,
    ) -> Result<Rc<Principal>, Response> {
        let credential = self.head.header(Name::Authorization);
        let certificate = self
            .stream
            .peer_certificate()
            .filter(|_| credential.is_none());
        if let Some(caller) = certificate.and_then(|shown| settings.certificates.caller(shown)) {
            return Ok(caller);
        }
        let Some(credential) = credential.filter(|_| !matches!(settings.auth, Auth::Off(_))) else {
            // Without a token, or where none is asked for, the time decides nothing.
            let admitted = settings.auth.admit(credential, 0);
            return admitted.map_err(|refusal| refuse(settings, refusal, scope));
        };
        let http = &self.http;
        let address = Key::address(self.client.ip);
        let may_guess = http
            .brake
            .borrow()
            .ask(&address, credential, http.clock.now());
        if let Err(refusal) = may_guess {
            http.server.metrics.limit_hit(Limit::AuthFailures);
            return Err(refuse_wait(
                refusal,
                "too many wrong tokens from this address",
            ));
        }
        let mut admitted = settings.auth.admit(Some(credential), rt::unix_time());
        if let Err(AuthRefusal::Jwt(JwtRefusal::UnknownKey)) = admitted
            && let Some(keys) = &settings.keys
            && keys.refresh().await
        {
            admitted = settings.auth.admit(Some(credential), rt::unix_time());
        }
        // After the wait: another request of this address may have changed both meanwhile.
        let (mut brake, now) = (http.brake.borrow_mut(), http.clock.now());
        let refusal = match admitted {
            Ok(caller) => {
                brake.passed(&address, credential, now);
                if let Some(keys) = &settings.keys
                    && Jwt::is_name(&caller.name)
                {
                    keys.used();
                }
                return Ok(caller);
            }
            Err(refusal) => refusal,
        };
        if let AuthRefusal::Jwt(why) = refusal {
            log::debug!("a token is refused: {why}");
        }
        // While an issuer has given no keys yet, good tokens are not known either: who retries until it is there must not
        // have to wait longer for that, and nothing can be guessed meanwhile.
        let is_without_keys = matches!(refusal, AuthRefusal::Jwt(JwtRefusal::UnknownKey))
            && settings.keys.as_ref().is_some_and(|keys| !keys.are_here());
        if refusal.is_a_guess() && !is_without_keys {
            let limit = settings.auth_failures_max;
            let failed = brake.failed(&address, credential, limit, now);
            let (count, minutes) = (failed.count, FORGOTTEN_AFTER.as_secs() / 60);
            if failed.wait.is_zero() {
                log::warn!("wrong token from {}, {count} in {minutes} min", self.client);
            } else {
                log::warn!(
                    "wrong token from {}, {count} in {minutes} min: it waits {} s",
                    self.client,
                    failed.wait.as_secs()
                );
            }
        }
        Err(refuse(settings, refusal, scope))
    }

    /// Counts the request for its token or certificate, or for its address if it has none that is good. A refusal
    /// is returned as a value where a session can be told of it, and that is for the dispatch.
    pub(super) fn count_request(
        &self,
        settings: &Settings,
        target: Target,
        caller: Option<&Rc<Principal>>,
    ) -> Result<Option<RateRefusal>, Response> {
        let known = caller.filter(|caller| settings.knows(caller));
        let rate = match known {
            Some(caller) => settings.rates.of(&caller.name),
            None => settings.rates.usual,
        };
        let Some(rate) = rate else { return Ok(None) };
        let key = match known {
            Some(caller) => Key::principal(&caller.name),
            None => Key::address(self.client.ip),
        };
        let path = self.head.path();
        if settings.rate_exempt.iter().any(|exempt| exempt == path) {
            return Ok(None);
        }
        let (http, now) = (&self.http, self.http.clock.now());
        match http.limiter.borrow_mut().take(&key, rate, now) {
            Ok(()) => Ok(None),
            Err(refusal) if caller.is_some_and(|caller| self.has_session(target, caller)) => {
                Ok(Some(refusal))
            }
            Err(refusal) => {
                http.server.metrics.limit_hit(Limit::Rate);
                Err(refuse_wait(refusal, "too many requests"))
            }
        }
    }

    /// Whether this is a message to a session of the caller's.
    fn has_session(&self, target: Target, caller: &Rc<Principal>) -> bool {
        let Some(id) = self.session_id(target) else {
            return false;
        };
        self.http.server.session(&id, caller).is_some()
    }

    fn session_id(&self, target: Target) -> Option<String> {
        let head = &self.head;
        match (head.method(), target) {
            (Method::Post, Target::Mcp) => head.header(Name::McpSessionId).map(str::to_owned),
            (Method::Post, Target::Messages) => {
                let query = head.query()?;
                let id = query::first(query, "session_id");
                id.or_else(|| query::first(query, "sessionId"))
                    .map(|id| id.to_string())
            }
            _ => None,
        }
    }

    /// Answers a message to a session that came too soon. None for what asks for nothing: a refused
    /// cancellation would keep the work going that there is too much of.
    pub(super) async fn refuse_excess(
        &mut self,
        settings: &Settings,
        target: Target,
        caller: &Rc<Principal>,
        refusal: RateRefusal,
        bytes: &[u8],
    ) -> Option<After> {
        let parsed = jsonrpc::parse(bytes, &rules(settings, Envelope::Strict));
        let id = match parsed {
            Ok(Incoming::Single(Message::Notification(_) | Message::Response(_))) => return None,
            Ok(Incoming::Single(Message::Request(request))) => Some(request.id),
            Ok(Incoming::Batch(_)) | Err(_) => None,
        };
        self.http.server.metrics.limit_hit(Limit::Rate);
        let mut body = Vec::new();
        jsonrpc::encode_error(&mut body, id.as_ref(), UnknownId::Null, |out| {
            let text = format!(r#"{{"code":{TOO_MANY},"message":"#);
            out.extend_from_slice(text.as_bytes());
            jsonrpc::write_json_string(out, &refusal.to_string());
            out.push(b'}');
        });
        // Clients of HTTP+SSE wait for every answer on the stream, and some end at any status that is an error. One that
        // does not read the stream gets no more put on it.
        let is_answered_there = id.is_some() && target == Target::Messages;
        let session = self.session_id(target).filter(|_| is_answered_there);
        let session = session.and_then(|id| self.http.server.session(&id, caller));
        let session = session.filter(|session| http_sse::overfull(self, session).is_none());
        let response = match session.as_ref().and_then(|session| session.outlet()) {
            Some(outlet) => {
                _ = outlet.push(Item::answer(body, Status::Answered));
                Response::empty(202)
            }
            None => Response::json(RateRefusal::STATUS, body),
        };
        let retry_after = refusal.retry_after_seconds().to_string();
        Some(self.send(response.with("Retry-After", retry_after)).await)
    }
}

/// The refusal of a request that needs `scope`, with what a client is to do about it.
fn refuse(settings: &Settings, refusal: AuthRefusal, scope: Option<Scope>) -> Response {
    let needed = Scopes::NONE.with(scope.unwrap_or(Scope::Write));
    let metadata = (settings.resource.as_ref()).map(|resource| &*resource.metadata_url);
    let challenge = settings.auth.challenge(refusal, needed, metadata);
    Response::json(refusal.status(), refusal.body()).with("WWW-Authenticate", challenge)
}

fn refuse_wait(refusal: RateRefusal, what: &str) -> Response {
    Response::json(RateRefusal::STATUS, refusal.body(what))
        .with("Retry-After", refusal.retry_after_seconds().to_string())
}
