//! What is refused before a handler runs: an error, and what it means in HTTP.

use crate::jsonrpc::{Id, UnknownId, encode_error};
use crate::mcp::errors::{self, ProtocolError};
use crate::mcp::headers::{self, HeaderMismatch, HeaderProblem};
use crate::mcp::revision::Revision;
use crate::server::arrival::{Answer, Arrival, Carrier};
use crate::server::outlet::Status;

use super::era::Era;

/// Why a message goes no further.
pub(super) struct Refusal {
    pub(super) status: Status,
    pub(super) error: ProtocolError,
}

impl Refusal {
    pub(super) fn bad(error: ProtocolError) -> Refusal {
        Refusal {
            status: Status::BadRequest,
            error,
        }
    }

    pub(super) fn busy(error: ProtocolError) -> Refusal {
        Refusal {
            status: Status::Busy,
            error,
        }
    }

    pub(super) fn version_header(problem: HeaderProblem) -> Refusal {
        let header = headers::PROTOCOL_VERSION.into();
        Refusal::bad(HeaderMismatch { header, problem }.into())
    }

    pub(super) fn in_era(era: &Era<'_>, error: ProtocolError) -> Refusal {
        let is_stateless = matches!(era, Era::Stateless { .. });
        Refusal {
            status: status_of(error.code, is_stateless),
            error,
        }
    }

    pub(super) fn answer(&self, id: Option<&Id>, unknown: UnknownId) -> Answer {
        let mut text = Vec::with_capacity(192);
        encode_error(&mut text, id, unknown, |out| self.error.write(out));
        Answer {
            text,
            status: self.status,
            opened: None,
        }
    }
}

/// What a JSON-RPC error means in HTTP (2026-07-28 `basic/transports/streamable-http`). Legacy
/// revisions answer 200 once a message has reached its session.
pub(super) fn status_of(code: i64, is_stateless: bool) -> Status {
    match code {
        _ if !is_stateless => Status::Answered,
        errors::METHOD_NOT_FOUND => Status::NotFound,
        errors::HEADER_MISMATCH
        | errors::MISSING_CLIENT_CAPABILITY
        | errors::UNSUPPORTED_VERSION => Status::BadRequest,
        _ => Status::Answered,
    }
}

/// How the answer to a message without a readable id says so: by the revision the sender is known,
/// or says, to speak.
pub(super) fn unknown_id(arrival: &Arrival<'_>) -> UnknownId {
    let revision = match &arrival.carrier {
        Carrier::Connection { session, .. } => session.revision(),
        Carrier::Plain => None,
        Carrier::Streamable(head) => head.version.and_then(Revision::from_text),
    };
    match revision {
        Some(revision) if revision.error_id_may_be_absent() => UnknownId::Absent,
        _ => UnknownId::Null,
    }
}
