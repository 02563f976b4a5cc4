//! The rounds of one call in the stateless era (2026-07-28 `basic/patterns/mrtr`): a question without
//! an answer ends the call, and the client's retry brings the answers, with what the rounds before left
//! behind. That travels sealed, bound to caller and request.

use std::borrow::Cow;
use std::cell::OnceCell;

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

/// Writes what is sealed into `requestState`: the answers of earlier rounds by key, and the handler's own state.
fn write_sealed(round: &Round) -> Vec<u8> {
    let mut out = Vec::new();
    json::object(&mut out, |sealed| {
        sealed.array("a", |answers| {
            for (key, answer) in &round.answers {
                json::array(answers.element(), |pair| {
                    pair.string(key);
                    json::raw(pair.element(), answer.get());
                });
            }
        });
        sealed.optional_string("s", round.state.as_deref());
    });
    out
}

/// Reads it back into a round. What we did not write has nothing in it.
fn read_sealed(payload: &[u8], round: &mut Round) -> Option<()> {
    let payload = Raw::parse(std::str::from_utf8(payload).ok()?)?;
    let [answers, state] = payload.pick(["a", "s"]).ok()?;
    let mut answers = answers?.elements();
    while let Some(pair) = answers.next_element().ok()? {
        let mut pair = pair.elements();
        let (key, answer) = (pair.next_element().ok()??, pair.next_element().ok()??);
        round
            .answers
            .push((key.text()?.into_owned(), answer.keep()));
    }
    round.state = state.and_then(Raw::text).map(Cow::into_owned);
    Some(())
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
        _ = read_sealed(&payload, round.get_or_insert_default());
        _ = bound.set(Bound::Hashed(binding));
    }
    for key in retry.responses.keys() {
        let Some(answer) = retry.responses.raw(key) else {
            continue;
        };
        let answers = &mut round.get_or_insert_default().answers;
        answers.retain(|(known, _)| known != key);
        answers.push((key.to_owned(), answer.keep()));
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
            self.server.sealer.seal_state(
                &write_sealed(round),
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
