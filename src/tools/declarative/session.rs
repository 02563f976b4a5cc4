//! The session of a service that wants a login: kept while it is used, begun anew when the service has ended it.

use std::cell::{Cell, RefCell};

use serde_json::Map;

use super::auth::{AuthSpec, LoginSpec};
use super::service::{Failure, Service};
use super::words::one_line;
use crate::rt::sync::Notify;

/// The one session of a service.
#[derive(Default)]
pub(super) struct Sessions {
    session: RefCell<Option<Session>>,
    is_logging_in: Cell<bool>,
    ended: Notify,
    /// What the last login failed of.
    failure: RefCell<String>,
}

struct Session {
    /// Absent where the service says that nobody need log in.
    text: Option<String>,
    used_ms: i64,
}

impl Sessions {
    /// What the session is, to be masked.
    pub(super) fn text(&self) -> Option<String> {
        self.session.borrow().as_ref()?.text.clone()
    }

    /// Drops the session if it is still this one; a later login has brought another.
    pub(super) fn forget(&self, text: Option<&str>) {
        let mut session = self.session.borrow_mut();
        if session
            .as_ref()
            .is_some_and(|session| session.text.as_deref() == text)
        {
            session.take();
        }
    }
}

impl Service {
    /// The session, after a login if there is none. Without a token nobody logs in.
    pub(super) async fn session(&self, login: &LoginSpec) -> Result<Option<String>, Failure> {
        if self.token.is_none() {
            return Ok(None);
        }
        loop {
            if let Some(session) = &mut *self.sessions.session.borrow_mut() {
                let now_ms = self.now_ms();
                if now_ms.saturating_sub(session.used_ms) < login.ttl_ms {
                    session.used_ms = now_ms;
                    return Ok(session.text.clone());
                }
            }
            if !self.sessions.is_logging_in.get() {
                return self.log_in(login).await;
            }
            // Seats are few: whoever comes meanwhile takes what this login brings, also its failure.
            self.sessions.ended.notified().await;
            if self.sessions.session.borrow().is_none() && !self.sessions.is_logging_in.get() {
                let failure = self.sessions.failure.borrow();
                if !failure.is_empty() {
                    return Err(Failure::Text(failure.clone()));
                }
            }
        }
    }

    async fn log_in(&self, login: &LoginSpec) -> Result<Option<String>, Failure> {
        let _turn = Turn::of(self);
        self.sessions.session.take();
        self.sessions.failure.borrow_mut().clear();
        let outcome = self.ask_for_session(login).await;
        match outcome {
            Ok(text) => {
                self.sessions.session.replace(Some(Session {
                    text: text.clone(),
                    used_ms: self.now_ms(),
                }));
                Ok(text)
            }
            Err(Failure::Text(text)) => {
                let text = one_line(&format!("login failed: {text}"));
                self.sessions.failure.replace(text.clone());
                Err(Failure::Text(text))
            }
            Err(unfit) => Err(unfit),
        }
    }

    async fn ask_for_session(&self, login: &LoginSpec) -> Result<Option<String>, Failure> {
        let arguments = Map::new();
        let mut outgoing = login.request.build(&self.scope(&arguments, None))?;
        self.add_headers(&mut outgoing)?;
        let response = self.send(outgoing, None).await?;
        let is_answer = matches!(response.status, 200..300)
            // Forms answer a login with a redirect and the cookie.
            || (matches!(response.status, 302 | 303) && response.headers.value("set-cookie").is_some());
        if !is_answer {
            return Err(Failure::Text(self.refusal(&response, &self.spec.error_at)));
        }
        let cookies = response.headers.values("set-cookie");
        login
            .session(&response.body, &cookies)
            .map_err(|text| Failure::Text(format!("{}: {text}", self.spec.title)))
    }

    /// Gives the session back, as well as can be done.
    pub async fn log_out(&self) {
        let AuthSpec::Login(login) = &self.spec.auth else {
            return;
        };
        let session = self
            .sessions
            .session
            .take()
            .and_then(|session| session.text);
        let (Some(logout), Some(session)) = (&login.logout, session) else {
            return;
        };
        let arguments = Map::new();
        let Ok(mut outgoing) = logout.build(&self.scope(&arguments, Some(&session))) else {
            return;
        };
        let ready = self
            .add_headers(&mut outgoing)
            .and_then(|()| self.add_credential(&mut outgoing, Some(&session)));
        if ready.is_ok() {
            outgoing.timeout_ms = Some(1_000);
            _ = self.send(outgoing, None).await;
        }
    }
}

/// One login at a time; a dropped one lets the next begin.
struct Turn<'a>(&'a Service);

impl<'a> Turn<'a> {
    fn of(service: &'a Service) -> Turn<'a> {
        service.sessions.is_logging_in.set(true);
        Turn(service)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.sessions.is_logging_in.set(false);
        self.0.sessions.ended.notify_all();
    }
}
