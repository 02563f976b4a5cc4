//! Which of the protocol's two eras a message belongs to, and the session it belongs to in the older
//! one.

use std::rc::Rc;

use crate::jsonrpc::Request;
use crate::mcp::errors::ProtocolError;
use crate::mcp::headers::HeaderProblem;
use crate::mcp::meta::{self, Claim, Envelope};
use crate::mcp::revision::Revision;
use crate::server::Server;
use crate::server::arrival::{Arrival, Carrier, StreamableHead};
use crate::server::handlers;
use crate::server::outlet::Status;
use crate::server::session::Session;

use super::refusal::Refusal;

/// The two eras a request can belong to (2026-07-28 `basic/versioning`).
pub enum Era<'a> {
    /// `initialize` opens it; state is kept between requests.
    Legacy {
        /// Agreed on, or assumed where there is no session.
        revision: Revision,
        /// Absent on plain endpoints and for `initialize` over Streamable HTTP.
        session: Option<Rc<Session>>,
    },
    /// Everything a request needs stands in its `_meta`.
    Stateless {
        /// What stands there.
        claim: Claim<'a>,
        /// The revision it claims.
        revision: Revision,
    },
}

impl Server {
    /// The ladder that tells the eras apart; each step names its rule.
    pub(super) fn classify<'a>(
        &self,
        request: &Request<'_>,
        envelope: Envelope<'a>,
        arrival: &Arrival<'_>,
    ) -> Result<Era<'a>, Refusal> {
        let head = match &arrival.carrier {
            Carrier::Streamable(head) => head,
            Carrier::Connection {
                session, is_dual, ..
            } => {
                // stdio: `_meta` alone decides (2026-07-28 basic/versioning).
                if *is_dual && !matches!(envelope, Envelope::Absent) {
                    return stateless(envelope);
                }
                let revision = session.revision().unwrap_or(match is_dual {
                    true => Revision::LATEST_LEGACY,
                    false => Revision::V2024_11_05,
                });
                return Ok(Era::Legacy {
                    revision,
                    session: Some((*session).clone()),
                });
            }
            Carrier::Plain => {
                if matches!(envelope, Envelope::Complete(_)) {
                    return stateless(envelope);
                }
                return Ok(Era::Legacy {
                    revision: Revision::LATEST_LEGACY,
                    session: None,
                });
            }
        };
        let is_handshake = request.method == handlers::INITIALIZE;
        let header_is_stateless = head.version.is_some_and(Revision::looks_stateless);
        match &envelope {
            Envelope::Complete(claim) => {
                let Some(header) = head.version else {
                    return Err(Refusal::version_header(HeaderProblem::Missing));
                };
                if header != claim.version {
                    return Err(Refusal::version_header(HeaderProblem::Differs {
                        header: header.to_owned(),
                        body: claim.version.clone().into_owned(),
                    }));
                }
                stateless(envelope)
            }
            Envelope::Partial { .. } | Envelope::Malformed { .. } => stateless(envelope),
            Envelope::Absent if is_handshake && !header_is_stateless => Ok(Era::Legacy {
                revision: Revision::LATEST_LEGACY,
                session: None,
            }),
            Envelope::Absent if header_is_stateless => {
                let header = head.version.unwrap_or_default();
                if Revision::from_text(header).is_none() {
                    return Err(Refusal::bad(ProtocolError::unsupported_version(header)));
                }
                if is_handshake {
                    return Err(Refusal::version_header(HeaderProblem::Unexpected));
                }
                stateless(Envelope::Partial {
                    missing: vec![meta::PROTOCOL_VERSION, meta::CLIENT_CAPABILITIES],
                })
            }
            Envelope::Absent => {
                let session = self.legacy_session(head, arrival)?;
                let revision = session.revision().unwrap_or(Revision::LATEST_LEGACY);
                Ok(Era::Legacy {
                    revision,
                    session: Some(session),
                })
            }
        }
    }

    /// The session a Streamable HTTP message names (2025-11-25 `basic/transports`, "Session
    /// Management" and "Protocol Version Header").
    pub(super) fn legacy_session(
        &self,
        head: &StreamableHead<'_>,
        arrival: &Arrival<'_>,
    ) -> Result<Rc<Session>, Refusal> {
        let session = head.session_id.map(|id| self.session(id, arrival.caller));
        let agreed = session
            .iter()
            .flatten()
            .find_map(|session| session.revision());
        if let Some(version) = head.version
            // Mostly it is what was agreed on.
            && agreed.is_none_or(|agreed| agreed.as_str() != version)
            && Revision::from_text(version).is_none()
        {
            return Err(Refusal::bad(ProtocolError::unsupported_version(version)));
        }
        // A session of HTTP+SSE is answered on its own stream and is not to be reached from here.
        match session {
            None => Err(Refusal::bad(ProtocolError::invalid_request(
                "`Mcp-Session-Id` is missing; send `initialize` first, or 2026-07-28 `_meta`",
            ))),
            Some(Some(session)) if !session.is_direct() => Ok(session),
            _ => Err(Refusal {
                status: Status::NotFound,
                error: ProtocolError::invalid_request("session not found; send `initialize` again"),
            }),
        }
    }

    /// Whether batches are allowed where this one came.
    pub(super) fn check_batch(&self, arrival: &Arrival<'_>) -> Result<(), Refusal> {
        let revision = match &arrival.carrier {
            Carrier::Plain => return Ok(()),
            Carrier::Connection { session, .. } => session.revision(),
            Carrier::Streamable(head) => self.legacy_session(head, arrival)?.revision(),
        };
        if revision.is_some_and(Revision::allows_batch) {
            return Ok(());
        }
        Err(Refusal::bad(ProtocolError::invalid_request(
            "batches exist only in 2025-03-26; send one message at a time",
        )))
    }
}

fn stateless(envelope: Envelope<'_>) -> Result<Era<'_>, Refusal> {
    let claim = envelope.require().map_err(Refusal::bad)?;
    let revision = claim.revision().map_err(Refusal::bad)?;
    Ok(Era::Stateless { claim, revision })
}
