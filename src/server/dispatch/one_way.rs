//! Messages that are not answered: notifications, and the client's answers to requests of ours.

use std::rc::Rc;

use crate::jsonrpc::{Notification, Response};
use crate::mcp::errors::ProtocolError;
use crate::mcp::revision::Revision;
use crate::metrics::MethodLabel;
use crate::rt;
use crate::server::Server;
use crate::server::arrival::{Arrival, Carrier, Reply};
use crate::server::handlers;

use super::Measure;
use super::refusal::{Refusal, unknown_id};

impl Server {
    /// Takes a notification.
    pub(super) fn notified(
        self: &Rc<Self>,
        notification: &Notification<'_>,
        arrival: &Arrival<'_>,
    ) -> Reply {
        let measure = Measure {
            label: MethodLabel::of(&notification.method),
            transport: arrival.transport,
            started: rt::now(),
        };
        let session = match &arrival.carrier {
            Carrier::Plain => None,
            Carrier::Connection { session, .. } => Some((*session).clone()),
            // A notification has no `_meta` to go by, so its header decides (digest of the
            // 2026-07-28 rules: header rules for notifications are left to the server).
            Carrier::Streamable(head) if head.version.is_some_and(Revision::looks_stateless) => {
                None
            }
            Carrier::Streamable(head) => match self.legacy_session(head, arrival) {
                Ok(session) => Some(session),
                Err(refusal) => {
                    self.measured(&measure, Some(refusal.error.code));
                    return Reply::Ready(refusal.answer(None, unknown_id(arrival)));
                }
            },
        };
        if let Some(session) = session {
            session.touch(rt::now());
            handlers::handle_notification(&session, notification);
        }
        self.measured(&measure, None);
        Reply::Accepted
    }

    /// Takes the answer to a request of ours.
    pub(super) fn responded(&self, response: &Response<'_>, arrival: &Arrival<'_>) -> Reply {
        let session = match &arrival.carrier {
            Carrier::Connection { session, .. } => (*session).clone(),
            Carrier::Plain => {
                let error = ProtocolError::invalid_request("this endpoint sends no requests");
                return Reply::Ready(Refusal::bad(error).answer(None, unknown_id(arrival)));
            }
            Carrier::Streamable(head) => match self.legacy_session(head, arrival) {
                Ok(session) => session,
                Err(refusal) => {
                    return Reply::Ready(refusal.answer(None, unknown_id(arrival)));
                }
            },
        };
        session.touch(rt::now());
        if !session.answer(response) {
            log::debug!("answer to no request of ours: id {}", response.id.as_json());
        }
        Reply::Accepted
    }
}
