//! The kinds of value a key can have, and how each is dispatched, shown and put in words; the parsers are in `parse`.
//!
//! A value is given either typed, by a TOML file, or as bare text, by the environment and the command line. TOML is
//! held to its types (`port = "80"` is refused); bare text is read weakly, since it has no types of its own.

use std::fmt::Write as _;

use crate::gate::Scope;
use crate::gate::forwarded::Proxy;
use crate::gate::jwt::Algorithm;

use super::auth::{self, Token};
use super::certificates::{self, Certificate};
use super::error::{Fault, Problem};
use super::given::{Context, Given};
use super::listen::{self, Listener};
use super::parse::*;
use super::secret::Secret;

/// What a key's value looks like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Bool,
    Certificates,
    Choice(&'static [(&'static str, &'static [&'static str])]),
    /// In milliseconds.
    Duration(Bounds),
    File,
    /// An IP address to listen on, or `localhost`.
    Host,
    Integer(Bounds),
    List(Item),
    Listeners,
    Secret,
    /// In bytes.
    Size(Bounds),
    Text,
    Tokens,
    /// `http://` or `https://`, host, optional path; no user, query or fragment.
    Url,
    /// An absolute route such as `/mcp`.
    UrlPath,
    /// 1 to 64 of ASCII letters, digits, `-` and `_`.
    Word,
}

/// The least and the greatest value allowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub min: u64,
    pub max: u64,
}

/// What the members of a list look like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    /// A signature algorithm of JWTs.
    Algorithm,
    /// `scope=right`
    Grant,
    /// `host=url`
    HostUrl,
    /// A `Host` header value, port optional.
    HostName,
    /// A route such as `/health`.
    Path,
    /// `*` or `scheme://host[:port]`
    Origin,
    /// A tool name in which `*` stands for any text.
    Pattern,
    /// An address, a network or `unix`.
    Proxy,
    /// A right.
    Scope,
    /// As [`Kind::Url`].
    Url,
    /// Visible ASCII, as names and identifiers of issuers are.
    Word,
}

/// A value that fits its key's kind. Sizes are bytes and durations milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Certificates(Vec<Certificate>),
    List(Vec<String>),
    Listeners(Vec<Listener>),
    Number(u64),
    Secret(Secret),
    Text(String),
    Tokens(Vec<Token>),
    Unset,
}

impl Kind {
    /// Parses and checks one value. `optional` keys turn an empty text into `Unset`.
    pub(super) fn parse(
        self,
        given: Given<'_>,
        optional: bool,
        context: Context<'_>,
    ) -> Result<Value, Vec<Fault>> {
        if optional && given.text().is_some_and(str::is_empty) {
            return Ok(Value::Unset);
        }
        let one = match self {
            Kind::List(item) => return parse_list(item, given),
            Kind::Listeners => return listen::parse_listeners(given).map(Value::Listeners),
            Kind::Certificates => {
                return certificates::parse_certificates(given, context).map(Value::Certificates);
            }
            Kind::Tokens => return auth::parse_tokens(given, context).map(Value::Tokens),
            Kind::Bool => parse_bool(given),
            Kind::Choice(words) => parse_choice(words, given),
            Kind::Duration(bounds) => self.parse_number(bounds, parse_duration, given),
            Kind::File => parse_file(given, context.folder),
            Kind::Host => parse_host(given),
            Kind::Integer(bounds) => self.parse_number(bounds, parse_integer, given),
            Kind::Secret => parse_secret(given),
            Kind::Size(bounds) => self.parse_number(bounds, parse_size, given),
            Kind::Text => parse_text(given),
            Kind::Url => parse_url(given),
            Kind::UrlPath => parse_url_path(given),
            Kind::Word => parse_word(given),
        };
        one.map_err(|problem| vec![given.fault(problem)])
    }

    fn parse_number(
        self,
        bounds: Bounds,
        read: fn(Given<'_>) -> Result<u64, Problem>,
        given: Given<'_>,
    ) -> Result<Value, Problem> {
        let number = read(given)?;
        if number < bounds.min || number > bounds.max {
            let show = |number| self.show_number(number);
            return Err(Problem::OutOfBounds {
                got: show(number),
                min: show(bounds.min),
                max: show(bounds.max),
            });
        }
        Ok(Value::Number(number))
    }

    /// A number in the words of its kind: `64`, `1MiB`, `30s`.
    pub(super) fn show_number(self, number: u64) -> String {
        let units: &[(u64, &str)] = match self {
            Kind::Size(_) => &SIZES[..3],
            Kind::Duration(_) => &DURATIONS,
            _ => &[],
        };
        let largest = units
            .iter()
            .find(|(factor, _)| number >= *factor && number.is_multiple_of(*factor));
        match (largest, self) {
            (Some((factor, unit)), _) => {
                format!("{}{unit}", number.checked_div(*factor).unwrap_or(number))
            }
            (None, Kind::Duration(_)) => format!("{number}ms"),
            (None, _) => number.to_string(),
        }
    }

    /// The value in TOML, with secrets masked.
    pub(super) fn show(self, value: &Value) -> String {
        match value {
            Value::Bool(yes) => yes.to_string(),
            Value::Certificates(all) => show_array(all.iter().map(certificates::show_certificate)),
            Value::List(items) => show_array(items.iter().map(|item| quote(item))),
            Value::Listeners(all) => show_array(all.iter().map(listen::show_listener)),
            Value::Number(number) => {
                let text = self.show_number(*number);
                if text.bytes().all(|byte| byte.is_ascii_digit()) {
                    text
                } else {
                    quote(&text)
                }
            }
            Value::Secret(_) => quote(MASK),
            Value::Text(text) => quote(text),
            Value::Tokens(all) => show_array(all.iter().map(auth::show_token)),
            Value::Unset => "unset".to_owned(),
        }
    }

    /// The kind in words, for messages and the reference.
    pub(super) fn words(self) -> String {
        match self {
            Kind::Bool => "true or false".to_owned(),
            Kind::Certificates => certificates::EXPECTED.to_owned(),
            Kind::Choice(words) => choice_words(words),
            Kind::Duration(_) => EXPECTED_DURATION.to_owned(),
            Kind::File => "a path".to_owned(),
            Kind::Host => EXPECTED_HOST.to_owned(),
            Kind::Integer(_) => EXPECTED_INTEGER.to_owned(),
            Kind::List(item) => format!("a list, each {}", item.words()),
            Kind::Listeners => listen::EXPECTED.to_owned(),
            Kind::Secret => "a secret text".to_owned(),
            Kind::Size(_) => EXPECTED_SIZE.to_owned(),
            Kind::Text => "a text".to_owned(),
            Kind::Tokens => auth::EXPECTED.to_owned(),
            Kind::Url => EXPECTED_URL.to_owned(),
            Kind::UrlPath => EXPECTED_URL_PATH.to_owned(),
            Kind::Word => EXPECTED_WORD.to_owned(),
        }
    }

    pub(super) fn bounds(self) -> Option<Bounds> {
        match self {
            Kind::Duration(bounds) | Kind::Integer(bounds) | Kind::Size(bounds) => Some(bounds),
            _ => None,
        }
    }
}

impl Item {
    pub(super) fn words(self) -> &'static str {
        match self {
            Item::Algorithm => "`RS256`, `ES256`, `EdDSA` or `HS256`",
            Item::Grant => "`scope=right` like `mcp.use=write` or `graphs=tools:grafana_*`",
            Item::HostName => "`*` or a host name like `nas.lan`, `nas.lan:8000` or `*.lan`",
            Item::HostUrl => "`host=url` like `docs.aws.amazon.com=http://127.0.0.1:9000`",
            Item::Path => EXPECTED_URL_PATH,
            Item::Proxy => "an IP address, a network like `10.0.0.0/8`, or `unix` for socket files",
            Item::Origin => {
                "`*`, `null` or an origin like `https://nas.lan:8000` or `http://localhost:*`"
            }
            Item::Pattern => "a tool name, `*` standing for any text",
            Item::Scope => auth::EXPECTED_SCOPE,
            Item::Url => EXPECTED_URL,
            Item::Word => "a text of visible ASCII without spaces",
        }
    }

    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Item::Algorithm => Algorithm::of(text).is_some(),
            Item::Grant => auth::parse_grant(text).is_some(),
            // No more and no less than the gate can read: a refusal names the key to put it in.
            Item::HostName => text == "*" || is_authority(text.strip_prefix("*.").unwrap_or(text)),
            Item::HostUrl => text
                .split_once('=')
                .is_some_and(|(host, url)| is_authority(host) && is_url(url)),
            Item::Path => is_url_path(text),
            Item::Proxy => Proxy::parse(text).is_some(),
            Item::Origin => {
                let is_named = text.split_once("://").is_some_and(|(scheme, authority)| {
                    let host = authority.strip_suffix(":*");
                    let has_one_port = host.is_none_or(|host| !has_port(host));
                    is_scheme(scheme) && has_one_port && is_authority(host.unwrap_or(authority))
                });
                is_named || text == "*" || text == "null"
            }
            Item::Pattern => {
                !text.is_empty()
                    && text
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"_-./*".contains(&byte))
            }
            Item::Scope => Scope::of(text).is_some(),
            Item::Url => is_url(text),
            Item::Word => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()),
        }
    }
}

/// RFC 3986 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn has_port(authority: &str) -> bool {
    !authority.ends_with(']') && authority.contains(':')
}

/// What stands in place of a secret in anything we print.
pub(super) const MASK: &str = "***";

/// A TOML basic string.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn show_array(members: impl Iterator<Item = String>) -> String {
    format!("[{}]", members.collect::<Vec<_>>().join(", "))
}
