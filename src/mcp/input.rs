//! What a server may ask a client in the middle of a request: elicitation, sampling, roots.
//!
//! In 2026-07-28 the questions are part of an input-required result and the answers come with a
//! retry (basic/patterns/mrtr); before, each is a request of the server's own. The same
//! [`InputRequest`] is written either way, and the same [`super::answer`] reads what comes back.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::answer::Answer;
use super::capabilities::ClientCapabilities;
use super::errors::ProtocolError;
use super::json::{self, Object};
use super::params::{Param, Params};
use super::result::Dialect;
use super::revision::Revision;
use crate::raw::Raw;
use crate::sorted::SortedMap;

/// How many answers of one retry are looked at.
pub const RESPONSES_MAX: usize = 64;

/// One question.
#[derive(Clone, Debug)]
pub enum InputRequest {
    /// A form for the person.
    Elicit {
        /// What the person is told.
        message: String,
        /// The form: a flat JSON schema of type object.
        schema: Box<RawValue>,
    },
    /// A page for the person to visit, since 2025-11-25.
    ElicitUrl {
        /// What the person is told.
        message: String,
        /// The page.
        url: String,
        /// Names the interaction; on the wire only in 2025-11-25.
        elicitation_id: String,
    },
    /// Which folders the client works in.
    ListRoots,
    /// An answer from the client's model.
    Sample {
        /// The params of `sampling/createMessage`: a JSON object.
        params: Box<RawValue>,
    },
}

impl InputRequest {
    /// A form with this schema.
    pub fn elicit(message: impl Into<String>, schema: Box<RawValue>) -> InputRequest {
        InputRequest::Elicit {
            message: message.into(),
            schema,
        }
    }

    /// A form given as JSON text; an error if it is not a schema of type object.
    pub fn elicit_json(
        message: impl Into<String>,
        schema: &str,
    ) -> Result<InputRequest, ProtocolError> {
        let form = Raw::parse(schema).and_then(|form| form.pick(["type", "properties"]).ok());
        let [kind, properties] = form.unwrap_or_default();
        let is_form = kind.and_then(Raw::text).as_deref() == Some("object")
            && properties.is_some_and(Raw::is_object);
        match json::compact(schema) {
            Ok(schema) if is_form => Ok(InputRequest::elicit(message, schema)),
            _ => Err(ProtocolError::internal(
                "the form of an elicitation must be a JSON schema of type `object` with `properties`",
            )),
        }
    }

    /// A form with one required string.
    pub fn elicit_string(
        message: impl Into<String>,
        name: &str,
        description: &str,
    ) -> InputRequest {
        let mut out = Vec::new();
        json::object(&mut out, |schema| {
            schema.string("type", "object");
            schema.object("properties", |properties| {
                properties.object(name, |property| {
                    property.string("type", "string");
                    if !description.is_empty() {
                        property.string("description", description);
                    }
                });
            });
            schema.strings("required", &[name]);
        });
        InputRequest::elicit(message, into_raw(out))
    }

    /// One question of the person to the model.
    pub fn sample_text(prompt: &str, max_tokens: u32) -> InputRequest {
        let mut out = Vec::new();
        json::object(&mut out, |params| {
            params.array("messages", |messages| {
                messages.object(|message| {
                    message.string("role", "user");
                    message.object("content", |content| {
                        content.string("type", "text");
                        content.string("text", prompt);
                    });
                });
            });
            params.unsigned("maxTokens", u64::from(max_tokens));
        });
        InputRequest::Sample {
            params: into_raw(out),
        }
    }

    /// The method, the same in every revision that has it.
    pub fn method(&self) -> &'static str {
        match self {
            InputRequest::Elicit { .. } | InputRequest::ElicitUrl { .. } => "elicitation/create",
            InputRequest::ListRoots => "roots/list",
            InputRequest::Sample { .. } => "sampling/createMessage",
        }
    }

    /// What the client must have declared to be asked this.
    pub fn needs(&self) -> ClientCapabilities {
        let mut needs = ClientCapabilities::default();
        match self {
            InputRequest::Elicit { .. } => needs.elicitation_form = true,
            InputRequest::ElicitUrl { .. } => needs.elicitation_url = true,
            InputRequest::ListRoots => needs.roots = true,
            InputRequest::Sample { params } => {
                needs.sampling = true;
                needs.sampling_tools = sampling_uses_tools(params);
            }
        }
        needs
    }

    /// Whether the revision has this question at all.
    pub fn exists_in(&self, revision: Revision) -> bool {
        match self {
            InputRequest::Elicit { .. } => revision.has_elicitation(),
            InputRequest::ElicitUrl { .. } => revision.has_url_elicitation(),
            InputRequest::ListRoots => true,
            InputRequest::Sample { params } => {
                revision.has_sampling_tools() || !sampling_uses_tools(params)
            }
        }
    }

    /// Whether there are params to write.
    pub fn has_params(&self) -> bool {
        !matches!(self, InputRequest::ListRoots)
    }

    /// Writes the params, `{}` for roots: for a legacy request of the server's own.
    pub fn write_params(&self, out: &mut Vec<u8>, revision: Revision) {
        match self {
            InputRequest::Elicit { message, schema } => json::object(out, |params| {
                if revision.has_url_elicitation() {
                    params.string("mode", "form");
                }
                params.string("message", message);
                params.raw("requestedSchema", schema.get());
            }),
            InputRequest::ElicitUrl {
                message,
                url,
                elicitation_id,
            } => json::object(out, |params| {
                params.string("mode", "url");
                params.string("message", message);
                params.string("url", url);
                if revision.has_elicitation_ids() {
                    params.string("elicitationId", elicitation_id);
                }
            }),
            InputRequest::ListRoots => out.extend_from_slice(b"{}"),
            InputRequest::Sample { params } => json::raw(out, params.get()),
        }
    }

    /// Writes `{"method":…,"params":…}`: for an input-required result or task.
    pub fn write(&self, out: &mut Vec<u8>, revision: Revision) {
        json::object(out, |request| {
            request.string("method", self.method());
            if self.has_params() {
                self.write_params(request.key("params"), revision);
            }
        });
    }
}

/// Adds `inputRequests`: question by key.
pub(super) fn write_requests(of: &mut Object<'_>, requests: &[(String, InputRequest)]) {
    of.object("inputRequests", |map| {
        for (key, request) in requests {
            request.write(map.key(key), Revision::LATEST);
        }
    });
}

/// The result that asks back. At least one of the two members must be there (basic/patterns/mrtr).
#[derive(Clone, Debug, Default)]
pub struct InputRequired {
    /// Question by key; keys are unique.
    pub requests: Vec<(String, InputRequest)>,
    /// What the client must send back unread; see [`super::seal`].
    pub state: Option<String>,
}

impl InputRequired {
    /// Asks one question.
    pub fn one(key: impl Into<String>, request: InputRequest) -> InputRequired {
        InputRequired {
            requests: vec![(key.into(), request)],
            state: None,
        }
    }

    /// What the client must have declared for all of the questions.
    pub fn needs(&self) -> ClientCapabilities {
        let mut all = ClientCapabilities::default();
        for (_, request) in &self.requests {
            let one = request.needs();
            all.roots |= one.roots;
            all.sampling |= one.sampling;
            all.sampling_tools |= one.sampling_tools;
            all.elicitation_form |= one.elicitation_form;
            all.elicitation_url |= one.elicitation_url;
        }
        all
    }

    /// Writes the result. It has no cache hints: only complete results are kept.
    pub fn write(&self, out: &mut Vec<u8>, dialect: &Dialect<'_>) {
        dialect.typed(out, "input_required", None, |result| {
            if !self.requests.is_empty() {
                write_requests(result, &self.requests);
            }
            result.optional_string("requestState", self.state.as_deref());
        });
    }
}

/// What a retry brings: `inputResponses` and `requestState` of its params.
#[derive(Clone, Debug, Default)]
pub struct Retry<'a> {
    /// The answers.
    pub responses: InputResponses<'a>,
    /// The state, as the client returned it: not to be trusted before it is opened.
    pub state: Option<Cow<'a, str>>,
}

impl<'a> Retry<'a> {
    /// Reads the params of any request; one that is no retry has neither. Answers that are no
    /// object count as missing, so that the server asks again; a state that is no string is
    /// refused, since it can only have been tampered with.
    pub fn parse(params: &Params<'a>) -> Result<Retry<'a>, ProtocolError> {
        let (Ok(responses), Ok(state)) = (
            params.one(Param::InputResponses),
            params.one(Param::RequestState),
        ) else {
            return Ok(Retry::default());
        };
        let state =
            match state {
                None => None,
                Some(raw) => Some(raw.text().ok_or_else(|| {
                    ProtocolError::invalid_params("`requestState` must be a string")
                })?),
            };
        Ok(Retry {
            responses: InputResponses::parse(responses),
            state,
        })
    }
}

/// Answers by key, unread. Keys nobody asked for are ignored.
#[derive(Clone, Debug, Default)]
pub struct InputResponses<'a>(SortedMap<Cow<'a, str>, Raw<'a>>);

impl<'a> InputResponses<'a> {
    /// Reads the map; anything but an object has no answers.
    pub fn parse(raw: Option<Raw<'a>>) -> InputResponses<'a> {
        let mut map = raw.and_then(json::members).unwrap_or_default();
        map.truncate(RESPONSES_MAX);
        InputResponses(map)
    }

    /// The answer to a question, if there is one that fits it.
    pub fn answer(&self, key: &str, request: &InputRequest) -> Option<Answer> {
        Answer::read(request, *self.0.get(key)?)
    }

    /// The answer under a key, unread.
    pub fn raw(&self, key: &str) -> Option<Raw<'a>> {
        self.0.get(key).copied()
    }

    /// Whether nothing was answered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that were answered, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }
}

fn sampling_uses_tools(params: &RawValue) -> bool {
    let found = Raw::from(params).pick(["tools", "toolChoice"]);
    found.is_ok_and(|found| found.iter().any(Option::is_some))
}

/// The writer only writes JSON; if it did not, null would stand there.
fn into_raw(json: Vec<u8>) -> Box<RawValue> {
    let raw = String::from_utf8(json).map(RawValue::from_string);
    match raw {
        Ok(Ok(raw)) => raw,
        Ok(Err(_)) | Err(_) => RawValue::NULL.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(request: &InputRequest, revision: Revision) -> String {
        let mut out = Vec::new();
        request.write(&mut out, revision);
        String::from_utf8(out).unwrap()
    }

    const FORM: &str =
        r#"{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}"#;

    #[test]
    fn questions_by_revision() {
        let form = InputRequest::elicit_string("Who?", "name", "");
        assert_eq!(
            written(&form, Revision::V2025_06_18),
            format!(
                r#"{{"method":"elicitation/create","params":{{"message":"Who?","requestedSchema":{FORM}}}}}"#
            )
        );
        assert!(written(&form, Revision::LATEST).contains(r#""mode":"form""#));
        let page = InputRequest::ElicitUrl {
            message: "m".into(),
            url: "https://x".into(),
            elicitation_id: "e".into(),
        };
        assert!(written(&page, Revision::V2025_11_25).contains(r#""elicitationId":"e""#));
        assert_eq!(
            written(&page, Revision::LATEST),
            r#"{"method":"elicitation/create","params":{"mode":"url","message":"m","url":"https://x"}}"#
        );
        assert_eq!(
            written(&InputRequest::ListRoots, Revision::LATEST),
            r#"{"method":"roots/list"}"#
        );
        assert!(!form.exists_in(Revision::V2025_03_26) && form.exists_in(Revision::V2025_06_18));
        assert!(!page.exists_in(Revision::V2025_06_18) && page.exists_in(Revision::V2025_11_25));
    }

    #[test]
    fn sampling() {
        let plain = InputRequest::sample_text("Why?", 100);
        assert_eq!(
            written(&plain, Revision::LATEST),
            r#"{"method":"sampling/createMessage","params":{"messages":[{"role":"user","content":{"type":"text","text":"Why?"}}],"maxTokens":100}}"#
        );
        assert!(plain.needs().sampling && !plain.needs().sampling_tools);
        assert!(plain.exists_in(Revision::V2024_11_05));
        let params = RawValue::from_string(r#"{"messages":[],"maxTokens":1,"tools":[]}"#.into());
        let with_tools = InputRequest::Sample {
            params: params.unwrap(),
        };
        assert!(with_tools.needs().sampling_tools);
        assert!(!with_tools.exists_in(Revision::V2025_06_18));
    }

    #[test]
    fn forms_from_text() {
        assert!(InputRequest::elicit_json("m", FORM).is_ok());
        for bad in [
            "{",
            "[]",
            "{}",
            r#"{"type":"object"}"#,
            r#"{"type":"string","properties":{}}"#,
            r#"{"type":"object","properties":[]}"#,
        ] {
            assert!(InputRequest::elicit_json("m", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn asking_back() {
        let mut asked = InputRequired::one("client_roots", InputRequest::ListRoots);
        asked
            .requests
            .push(("capital".into(), InputRequest::sample_text("?", 1)));
        asked.state = Some("s".into());
        assert!(asked.needs().roots && asked.needs().sampling && !asked.needs().elicitation_form);
        let mut out = Vec::new();
        asked.write(
            &mut out,
            &Dialect {
                revision: Revision::LATEST,
                server_info: "",
            },
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"resultType":"input_required","inputRequests":{"client_roots":{"method":"roots/list"},"capital":{"method":"sampling/createMessage","params":{"messages":[{"role":"user","content":{"type":"text","text":"?"}}],"maxTokens":1}}},"requestState":"s"}"#
        );
        let mut out = Vec::new();
        let only_state = InputRequired {
            requests: Vec::new(),
            state: Some("s".into()),
        };
        only_state.write(
            &mut out,
            &Dialect {
                revision: Revision::LATEST,
                server_info: "",
            },
        );
        assert_eq!(
            out,
            br#"{"resultType":"input_required","requestState":"s"}"#
        );
    }

    #[track_caller]
    fn retry(text: &str) -> Result<Retry<'_>, ProtocolError> {
        Retry::parse(&Params::of(Raw::parse(text)))
    }

    #[test]
    fn retries() {
        let text = r#"{"name":"t","inputResponses":{"user_name":{"action":"accept","content":{"name":"n"}},"x":1},"requestState":"s"}"#;
        let read = retry(text).unwrap();
        assert_eq!(read.state.as_deref(), Some("s"));
        assert_eq!(
            read.responses.keys().collect::<Vec<_>>(),
            ["user_name", "x"]
        );
        let question = InputRequest::elicit_string("?", "name", "");
        assert!(read.responses.answer("user_name", &question).is_some());
        assert!(read.responses.answer("wrong_key", &question).is_none());
        assert!(read.responses.answer("x", &question).is_none());
        assert_eq!(read.responses.raw("x").unwrap().get(), "1");
    }

    #[test]
    fn what_is_no_retry() {
        for text in [
            "{}",
            r#"{"inputResponses":null}"#,
            r#"{"inputResponses":[1]}"#,
            r#"{"inputResponses":5,"requestState":null}"#,
        ] {
            let read = retry(text).unwrap();
            assert!(read.responses.is_empty() && read.state.is_none(), "{text}");
        }
        for text in [r#"{"requestState":1}"#, r#"{"requestState":{}}"#] {
            assert_eq!(retry(text).unwrap_err().code, -32602, "{text}");
        }
        assert!(Retry::parse(&Params::of(None)).unwrap().state.is_none());
    }

    #[test]
    fn answers_are_bounded() {
        let many: Vec<String> = (0..RESPONSES_MAX + 1)
            .map(|n| format!("\"{n:03}\":{{}}"))
            .collect();
        let text = format!("{{\"inputResponses\":{{{}}}}}", many.join(","));
        assert_eq!(
            retry(&text).unwrap().responses.keys().count(),
            RESPONSES_MAX
        );
    }
}
