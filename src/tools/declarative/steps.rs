//! The steps of a call as a pack writes them: what comes before, what becomes of an answer, what is asked instead.

use serde_json::Value;

use super::decode::Decode;
use super::request::RequestSpec;
use super::shape::{Response, ResponseSpec};
use super::source::{Named, Node};
use super::status::{
    StatusMatch, StatusTexts, read_fail_at, read_list, read_pointer, read_pointers,
};
use super::template::{Names, Template};
use crate::tools::written::{Written, read};

/// `[[tool.before]]`.
#[derive(Debug)]
pub(super) struct BeforeSpec {
    pub name: Option<Box<str>>,
    pub request: RequestSpec,
    pub expect: Box<[StatusMatch]>,
    pub errors: StatusTexts,
    pub decode: Decode,
    pub at: Box<str>,
    pub pick: Option<Box<[Box<str>]>>,
    /// Arguments that get a value from the answer, with where it stands.
    pub fills: Named<Box<str>>,
    pub when: Option<Template>,
}

/// `[tool.response]`.
#[derive(Debug)]
pub(super) struct AnswerSpec {
    pub status: StatusTexts,
    pub errors: StatusTexts,
    pub error_at: Option<Box<[Box<str>]>>,
    pub fail_at: Named<Value>,
    pub response: Response,
}

/// `[tool.fallback]`.
#[derive(Debug)]
pub(super) struct FallbackSpec {
    pub on: Box<[StatusMatch]>,
    pub request: RequestSpec,
    pub answer: Option<AnswerSpec>,
}

pub(super) const FALLBACK_KEYS: &[&str] = &["on", "request", "response"];

pub(super) const BEFORE_KEYS: &[&str] = &[
    "as", "request", "expect", "errors", "decode", "at", "pick", "fills", "when",
];

impl BeforeSpec {
    /// Reads it; its name and what it fills are known to what comes after it.
    pub(super) fn read<'n>(node: &Node<'n>, names: &mut Names<'n>) -> Option<BeforeSpec> {
        let table = node.table(BEFORE_KEYS)?;
        let request = table
            .require("request")
            .and_then(|node| RequestSpec::read(&node, names));
        let expect = match table.get("expect") {
            None => Some(Box::from([StatusMatch::Class(2)])),
            Some(node) => read_list(&node),
        };
        let errors = match table.get("errors") {
            None => Some(StatusTexts::default()),
            Some(node) => StatusTexts::read(&node, names, false),
        };
        let when = match table.get("when") {
            None => Some(None),
            Some(node) => Template::read(&node, names).map(Some),
        };
        let mut fills = Vec::new();
        for (name, node) in table.get("fills").iter().flat_map(Node::members) {
            if !names.note(name) {
                node.report(format!("no argument `{name}`"));
            }
            if let Some(pointer) = read_pointer(&node) {
                fills.push((name.into(), pointer));
            }
            if let Some(is_certain) = names.arguments.get_mut(name) {
                *is_certain = true;
            }
        }
        let name = table.get("as").and_then(|node| {
            let name = node.text()?;
            if names.befores.contains(&name) {
                node.report(format!("two are named `{name}`: rename one"));
            }
            names.befores.push(name);
            Some(name.into())
        });
        let wants_value = name.is_some() || !fills.is_empty();
        let decode = match table.get("decode") {
            Some(node) => read_written::<Decode>(&node),
            None if wants_value => Some(Decode::Json),
            None => Some(Decode::None),
        };
        let spec = BeforeSpec {
            name,
            request: request?,
            expect: expect?,
            errors: errors?,
            decode: decode?,
            at: match table.get("at") {
                Some(node) => read_pointer(&node)?,
                None => Box::default(),
            },
            pick: table
                .get("pick")
                .map(|node| node.texts().into_iter().map(Box::from).collect()),
            fills: fills.into(),
            when: when?,
        };
        if !spec.request.is_safe() {
            node.report("a request that comes before only looks: use GET or HEAD");
        }
        Some(spec)
    }
}

/// A node as a type of its own, or a report of what does not fit, at its place.
pub(super) fn read_written<T: Written>(node: &Node<'_>) -> Option<T> {
    match read(node.value) {
        Ok(value) => Some(value),
        Err(misfit) => {
            node.report_at(misfit.span.start, misfit.text);
            None
        }
    }
}

impl AnswerSpec {
    pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<AnswerSpec> {
        let spec: ResponseSpec = read_written(node)?;
        let is_argument = |name: &str| names.arguments.contains_key(name);
        let response = match spec.compile(&is_argument) {
            Ok(response) => {
                response
                    .arguments()
                    .iter()
                    .for_each(|name| _ = names.note(name));
                Some(response)
            }
            Err(problems) => {
                for problem in problems {
                    node.report_at(problem.span.start, problem.text);
                }
                None
            }
        };
        let texts = |key: &str, may_be_bare: bool| match node.member(key) {
            None => Some(StatusTexts::default()),
            Some(node) => StatusTexts::read(&node, names, may_be_bare),
        };
        let (status, errors) = (texts("status", true), texts("errors", false));
        let error_at = match node.member("error_at") {
            None => Some(None),
            Some(node) => read_pointers(&node).map(Some),
        };
        let fail_at = match node.member("fail_at") {
            None => Some(Box::default()),
            Some(node) => read_fail_at(&node),
        };
        Some(AnswerSpec {
            status: status?,
            errors: errors?,
            error_at: error_at?,
            fail_at: fail_at?,
            response: response?,
        })
    }
}

impl Default for AnswerSpec {
    fn default() -> AnswerSpec {
        let response = ResponseSpec::default().compile(&|_| false);
        #[expect(clippy::expect_used, reason = "it does not depend on anything")]
        let response = response.expect("an empty table says nothing wrong");
        AnswerSpec {
            status: StatusTexts::default(),
            errors: StatusTexts::default(),
            error_at: None,
            fail_at: Box::default(),
            response,
        }
    }
}

impl FallbackSpec {
    pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<FallbackSpec> {
        let table = node.table(FALLBACK_KEYS)?;
        let on = table.require("on").and_then(|node| read_list(&node));
        let request = table
            .require("request")
            .and_then(|node| RequestSpec::read(&node, names));
        let answer = match table.get("response") {
            None => Some(None),
            Some(node) => AnswerSpec::read(&node, names).map(Some),
        };
        Some(FallbackSpec {
            on: on?,
            request: request?,
            answer: answer?,
        })
    }
}
