//! `completion/complete`: values for an argument of a prompt or a variable of a resource template.

use std::borrow::Cow;

use super::errors::ProtocolError;
use super::result::Dialect;
use crate::raw::Raw;
use crate::sorted::SortedMap;

/// The most values in one answer (2025-11-25 server/utilities/completion).
pub const VALUES_MAX: usize = 100;

/// What is to be completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// An argument of a prompt.
    Prompt {
        /// The prompt's name.
        name: String,
    },
    /// A variable of a resource template.
    Resource {
        /// The template's text, or a URI.
        uri: String,
    },
}

/// The argument and what was typed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// What was typed.
    pub value: Cow<'a, str>,
}

/// The params.
#[derive(Clone, Debug)]
pub struct CompleteParams<'a> {
    /// What is to be completed.
    pub reference: Reference,
    /// The argument.
    pub argument: Argument<'a>,
    context: SortedMap<Cow<'a, str>, Cow<'a, str>>,
}

/// Reads a reference by its `type`; the members of the other type are not looked at.
fn reference(raw: Raw<'_>) -> Option<Reference> {
    let [kind, name, uri] = raw.pick(["type", "name", "uri"]).ok()?;
    let text = |raw: Option<Raw<'_>>| Some(raw?.text()?.into_owned());
    match kind?.text()?.as_ref() {
        "ref/prompt" => text(name).map(|name| Reference::Prompt { name }),
        "ref/resource" => text(uri).map(|uri| Reference::Resource { uri }),
        _ => None,
    }
}

impl<'a> CompleteParams<'a> {
    /// Reads the params.
    pub fn parse(params: Option<Raw<'a>>) -> Result<CompleteParams<'a>, ProtocolError> {
        params.and_then(Self::read).ok_or_else(|| {
            ProtocolError::invalid_params(
                "`completion/complete` needs a `ref` of type `ref/prompt` or `ref/resource` and an `argument` with `name` and `value`",
            )
        })
    }

    fn read(params: Raw<'a>) -> Option<CompleteParams<'a>> {
        let [reference_, argument, context] = params.pick(["ref", "argument", "context"]).ok()?;
        let [name, value] = argument?.pick(["name", "value"]).ok()?;
        let arguments = match context {
            Some(context) => context.pick(["arguments"]).ok()?,
            None => [None],
        };
        Some(CompleteParams {
            reference: reference(reference_?)?,
            argument: Argument {
                name: name?.text()?,
                value: value?.text()?,
            },
            context: super::prompt::arguments(arguments[0])?,
        })
    }

    /// What all other arguments already are, since 2025-06-18.
    pub fn context_arguments(&self) -> SortedMap<String, String> {
        super::prompt::owned(&self.context)
    }

    /// What another argument already is, since 2025-06-18.
    pub fn context(&self, name: &str) -> Option<&str> {
        self.context.get(name).map(AsRef::as_ref)
    }
}

/// The values found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The best first; only the first [`VALUES_MAX`] are sent.
    pub values: Vec<String>,
    /// How many there are in all, if known and more than `values`.
    pub total: Option<u64>,
}

impl Completion {
    /// All those of `candidates` that begin with what was typed, ignoring ASCII case.
    pub fn by_prefix<'c>(typed: &str, candidates: impl Iterator<Item = &'c str>) -> Completion {
        let begins = |candidate: &&str| {
            candidate
                .get(..typed.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(typed))
        };
        Completion {
            values: candidates.filter(begins).map(str::to_owned).collect(),
            total: None,
        }
    }

    /// Writes the result.
    pub fn write(&self, out: &mut Vec<u8>, dialect: &Dialect<'_>) {
        let sent = self.values.get(..VALUES_MAX).unwrap_or(&self.values);
        let found = u64::try_from(self.values.len()).unwrap_or(u64::MAX);
        let total = self.total.unwrap_or(found).max(found);
        let has_more = total > u64::try_from(sent.len()).unwrap_or(u64::MAX);
        dialect.complete(out, |result| {
            result.object("completion", |completion| {
                completion.strings("values", sent);
                completion.unsigned("total", total);
                completion.boolean("hasMore", has_more);
            });
        });
    }
}

impl From<Vec<String>> for Completion {
    fn from(values: Vec<String>) -> Completion {
        Completion {
            values,
            total: None,
        }
    }
}

impl From<Vec<&str>> for Completion {
    fn from(values: Vec<&str>) -> Completion {
        Completion::from(values.into_iter().map(str::to_owned).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::revision::Revision;

    #[track_caller]
    fn parse(text: &str) -> Result<CompleteParams<'_>, ProtocolError> {
        CompleteParams::parse(Raw::parse(text))
    }

    #[test]
    fn params() {
        let text = r#"{"ref":{"type":"ref/prompt","name":"p","title":"x"},"argument":{"name":"a","value":"\n"},
            "context":{"arguments":{"b":"c"}},"_meta":{}}"#;
        let params = parse(text).unwrap();
        assert_eq!(params.reference, Reference::Prompt { name: "p".into() });
        assert_eq!(params.argument.value, "\n");
        assert_eq!(params.context("b"), Some("c"));
        assert_eq!(params.context("a"), None);
        let text = r#"{"argument":{"value":"","name":"a"},"ref":{"uri":"a:{b}","type":"ref/resource"},"context":null}"#;
        let params = parse(text).unwrap();
        assert_eq!(
            params.reference,
            Reference::Resource {
                uri: "a:{b}".into()
            }
        );
        assert_eq!(params.context("b"), None);
    }

    #[test]
    fn refused_params() {
        for text in [
            "{}",
            r#"{"ref":{"type":"ref/prompt","name":"p"}}"#,
            r#"{"ref":{"type":"ref/tool","name":"p"},"argument":{"name":"a","value":""}}"#,
            r#"{"ref":{"type":"ref/prompt"},"argument":{"name":"a","value":""}}"#,
            r#"{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":1}}"#,
        ] {
            assert_eq!(parse(text).unwrap_err().code, -32602, "{text}");
        }
        assert!(CompleteParams::parse(None).is_err());
    }

    fn written(completion: &Completion) -> String {
        let mut out = Vec::new();
        completion.write(
            &mut out,
            &Dialect {
                revision: Revision::V2024_11_05,
                server_info: "",
            },
        );
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_hundred_values_at_most() {
        let values = |count: usize| Completion::from(vec!["v".to_owned(); count]);
        assert_eq!(
            written(&values(2)),
            r#"{"completion":{"values":["v","v"],"total":2,"hasMore":false}}"#
        );
        assert!(written(&values(99)).contains(r#""total":99,"hasMore":false"#));
        assert!(written(&values(100)).contains(r#""total":100,"hasMore":false"#));
        let over = written(&values(101));
        assert!(over.contains(r#""total":101,"hasMore":true"#));
        assert_eq!(over.matches("\"v\"").count(), 100);
        let known = Completion {
            total: Some(500),
            ..values(1)
        };
        assert!(written(&known).contains(r#""total":500,"hasMore":true"#));
    }

    #[test]
    fn prefixes() {
        let found = Completion::by_prefix("pA", ["paris", "Park", "rome", "p", "pé"].into_iter());
        assert_eq!(found.values, ["paris", "Park"]);
        assert_eq!(Completion::by_prefix("", ["a"].into_iter()).values, ["a"]);
    }
}
