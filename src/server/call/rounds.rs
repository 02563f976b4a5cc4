//! The rounds of one call in the stateless era (2026-07-28 `basic/patterns/mrtr`): a question without
//! an answer ends the call, and the client's retry brings the answers, with what the rounds before left
//! behind. That travels sealed, bound to caller and request.

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::gate::Principal;
use crate::jsonrpc::Request;
use crate::mcp::answer::Answer;
use crate::mcp::errors::ProtocolError;
use crate::mcp::input::{InputRequired, Retry};
use crate::mcp::json;
use crate::mcp::seal::Binding;
use crate::raw::Raw;
use crate::rt;
use crate::server::dispatch::Exchange;
use crate::tools::{Ask, Interrupt};

use super::Call;

/// How long sealed request state stays good: a person may take that long to answer.
const STATE_LIFETIME_MS: u64 = 60 * 60 * 1000;

/// What travels between the rounds of one call.
#[derive(Default)]
pub(super) struct Round {
    answers: Vec<(String, Box<RawValue>)>,
    /// Asked in this round without an answer at hand.
    asked: Vec<Ask>,
    pub(super) state: Option<String>,
}

/// What is sealed into `requestState`.
#[derive(Serialize, Deserialize, Default)]
struct Sealed {
    /// Answers of earlier rounds.
    #[serde(rename = "a", default)]
    answers: Vec<(String, Box<RawValue>)>,
    /// The handler's own state.
    #[serde(rename = "s", default)]
    state: Option<String>,
}

/// A binding, or what makes one. Most calls neither bring state nor leave any, so that the request
/// is hashed only when it is needed: that parses the params once more, whole.
pub(super) enum Bound {
    Hashed(Binding),
    Request {
        method: Box<str>,
        params: Option<Box<str>>,
    },
}

impl Bound {
    fn binding(&self, caller: &Principal) -> Binding {
        match self {
            Bound::Hashed(binding) => *binding,
            Bound::Request { method, params } => {
                Binding::new(&caller.name, method, params.as_deref())
            }
        }
    }
}

/// What a retry brings: state that we sealed, and answers.
pub(super) fn open(
    exchange: &Exchange<'_>,
) -> Result<(OnceCell<Bound>, Option<Box<Round>>), ProtocolError> {
    let (request, server) = (exchange.request, exchange.server);
    let mut round: Option<Box<Round>> = None;
    let bound = OnceCell::new();
    if !exchange.revision().has_input_required() {
        return Ok((bound, round));
    }
    let retry = Retry::parse(exchange.params)?;
    if let Some(state) = &retry.state {
        let caller = &exchange.caller().name;
        let binding = Binding::new(caller, &request.method, request.params.map(Raw::get));
        let payload = server.sealer.open_state(state, &binding, rt::unix_ms())?;
        let sealed: Sealed = json::from_bytes(&payload).unwrap_or_default();
        let round = round.get_or_insert_default();
        round.answers = sealed.answers;
        round.state = sealed.state;
        _ = bound.set(Bound::Hashed(binding));
    }
    for key in retry.responses.keys() {
        let Some(answer) = retry.responses.raw(key) else {
            continue;
        };
        let answers = &mut round.get_or_insert_default().answers;
        answers.retain(|(known, _)| known != key);
        answers.push((key.to_owned(), answer.to_owned()));
    }
    Ok((bound, round))
}

impl Call {
    /// Keeps the request for what state will be bound to, where there is state.
    pub fn keep_request(&self, request: &Request<'_>) {
        if self.revision.has_input_required() {
            self.bound.get_or_init(|| Bound::Request {
                method: (&*request.method).into(),
                params: request.params.map(|params| params.get().into()),
            });
        }
    }

    /// Writes the `input_required` result of this round.
    pub fn write_input_required(&self, out: &mut Vec<u8>) {
        let mut round = self.round.borrow_mut();
        let round = round.get_or_insert_default();
        let has_state = !round.answers.is_empty() || round.state.is_some();
        let bound = self.bound.get().filter(|_| has_state);
        let sealed = bound.map(|bound| {
            let sealed = Sealed {
                answers: round.answers.clone(),
                state: round.state.clone(),
            };
            // Neither text nor memory to write it into can fail.
            let payload = serde_json::to_vec(&sealed).unwrap_or_default();
            self.server.sealer.seal_state(
                &payload,
                &bound.binding(&self.caller),
                rt::unix_ms(),
                STATE_LIFETIME_MS,
            )
        });
        let asked = round
            .asked
            .iter()
            .map(|ask| (ask.key.clone(), ask.request.clone()));
        let required = InputRequired {
            requests: asked.collect(),
            state: sealed,
        };
        self.server
            .with_dialect(self.revision, |dialect| required.write(out, dialect));
    }

    /// Answers that are at hand, in the order of the questions; the others are noted as asked.
    pub(super) fn answers_at_hand(&self, asks: Vec<Ask>) -> Result<Vec<Answer>, Interrupt> {
        let mut round = self.round.borrow_mut();
        let round = round.get_or_insert_default();
        let mut answers = Vec::with_capacity(asks.len());
        for ask in asks {
            let found = round.answers.iter().find(|(key, _)| *key == ask.key);
            match found.and_then(|(_, answer)| Answer::parse(&ask.request, answer)) {
                Some(answer) => answers.push(answer),
                None => {
                    // An answer that does not fit counts as none: the client is asked again.
                    round.answers.retain(|(key, _)| *key != ask.key);
                    round.asked.push(ask);
                }
            }
        }
        if round.asked.is_empty() {
            Ok(answers)
        } else {
            Err(Interrupt::InputRequired)
        }
    }
}
