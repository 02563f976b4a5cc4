//! How a service knows us: the kinds of `auth`, and the session of a `login`.
//!
//! An absent or empty secret sends nothing at all, so that a pack need not tell services with a password from those
//! without. What a secret is put into leaves here for the request and nowhere else.

use super::filter::text_of;
use super::header::{check_header_name, header_value};
use super::request::{Outgoing, RequestSpec};
use super::source::{Node, Table};
use super::status::{StatusMatch, read_list, read_pointer};
use super::template::{Names, Scope, Template, Unfit, halves};
use super::time;
use crate::base64;
use crate::mcp::json::from_bytes;

/// What goes into every request of a service.
#[derive(Debug)]
pub(super) enum AuthSpec {
    Basic {
        username: Template,
        password: Template,
    },
    /// The token is `user:password`, or goes out as a bearer token.
    BearerOrBasic,
    Header {
        name: Box<str>,
        value: Template,
    },
    Login(Box<LoginSpec>),
    None,
    Query {
        name: Box<str>,
        value: Template,
    },
}

/// `[service.login]`.
#[derive(Debug)]
pub(super) struct LoginSpec {
    pub request: RequestSpec,
    pub source: LoginSource,
    /// The header a session goes by, and its value over `{login}`.
    header: Box<str>,
    value: Template,
    /// How long a session lasts without use.
    pub ttl_ms: i64,
    /// Statuses by which a service says that the session has ended.
    pub again_on: Box<[StatusMatch]>,
    pub logout: Option<RequestSpec>,
}

/// Where the answer to a login holds the session.
#[derive(Debug)]
pub(super) enum LoginSource {
    Cookie(Box<str>),
    Pointer(Box<str>),
}

pub(super) const AUTH_KEYS: &[&str] = &["kind", "name", "value", "username", "password"];
pub(super) const LOGIN_KEYS: &[&str] = &[
    "request", "value", "cookie", "send", "ttl", "again_on", "logout",
];
pub(super) const SEND_KEYS: &[&str] = &["header", "value"];

pub(super) const KINDS: [&str; 7] = [
    "none",
    "bearer",
    "header",
    "basic",
    "bearer_or_basic",
    "query",
    "login",
];

/// 1800 s are usual; a session that is dropped too late costs a failed request, one too early a login.
const TTL_MS: i64 = 25 * 60 * 1000;

impl AuthSpec {
    /// Reads `auth` and `login` of a service.
    pub(super) fn read(service: &Table<'_>, options: &[&str]) -> Option<AuthSpec> {
        let mut names = Names::of_options(options.to_vec());
        names.may_name_token = true;
        let login = service.get("login");
        let Some(node) = service.get("auth") else {
            if let Some(login) = login {
                login.report("needs `auth = { kind = \"login\" }`");
            }
            return Some(AuthSpec::None);
        };
        let table = node.table(AUTH_KEYS)?;
        let kind = *KINDS.get(table.require("kind")?.word(&KINDS)?)?;
        let allowed: &[&str] = match kind {
            "bearer" => &["value"],
            "header" | "query" => &["name", "value"],
            "basic" => &["username", "password"],
            _ => &[],
        };
        for key in ["name", "value", "username", "password"] {
            if let Some(node) = table.get(key).filter(|_| !allowed.contains(&key)) {
                node.report(format!("means nothing to the kind `{kind}`"));
            }
        }
        if let Some(login) = login.as_ref().filter(|_| kind != "login") {
            login.report("needs `auth = { kind = \"login\" }`");
        }
        let template = |key: &str, default: &str| match table.get(key) {
            Some(node) => Template::read(&node, &names),
            None => Template::parse(default, &names).ok(),
        };
        Some(match kind {
            "none" => AuthSpec::None,
            "bearer" => AuthSpec::Header {
                name: "Authorization".into(),
                value: bearer(&table, &names)?,
            },
            "header" => {
                let name = table.require("name")?;
                let text = name.text()?;
                if let Err(problem) = check_header_name(text) {
                    name.report(problem);
                }
                AuthSpec::Header {
                    name: text.into(),
                    value: template("value", "{token}")?,
                }
            }
            "query" => AuthSpec::Query {
                name: table.require("name")?.text()?.into(),
                value: template("value", "{token}")?,
            },
            "basic" => AuthSpec::Basic {
                username: template("username", "{token.user|default:}")?,
                password: template("password", "{token.password}")?,
            },
            "bearer_or_basic" => AuthSpec::BearerOrBasic,
            _ => {
                let Some(login) = login else {
                    node.report("`[service.login]` is missing");
                    return None;
                };
                AuthSpec::Login(Box::new(LoginSpec::read(&login, &mut names)?))
            }
        })
    }

    /// The header that holds the credential, if one does.
    pub(super) fn header(&self) -> Option<&str> {
        match self {
            AuthSpec::Basic { .. } | AuthSpec::BearerOrBasic => Some("Authorization"),
            AuthSpec::Header { name, .. } => Some(name),
            AuthSpec::Login(login) => Some(&login.header),
            AuthSpec::None | AuthSpec::Query { .. } => None,
        }
    }

    /// Puts the credential into a request. `session` is what a login gave.
    pub(super) fn apply(&self, outgoing: &mut Outgoing, scope: &Scope<'_>) -> Result<(), Unfit> {
        match self {
            AuthSpec::None => (),
            AuthSpec::Header { name, value } => {
                if let Some(value) = value.text(scope)? {
                    outgoing.put_header(name, header_value("token", value)?);
                }
            }
            AuthSpec::Query { name, value } => {
                if let Some(value) = value.text(scope)? {
                    outgoing.put_query(name, value);
                }
            }
            AuthSpec::Basic { username, password } => {
                let (user, password) = (username.text(scope)?, password.text(scope)?);
                if let (Some(user), Some(password)) = (user, password) {
                    outgoing.put_header("Authorization", basic(&user, &password));
                }
            }
            AuthSpec::BearerOrBasic => match scope.token.filter(|token| !token.is_empty()) {
                None => (),
                Some(token) => {
                    let value = match halves(token) {
                        (Some(user), password) => basic(user, password),
                        (None, token) => format!("Bearer {token}"),
                    };
                    outgoing.put_header("Authorization", header_value("token", value)?);
                }
            },
            AuthSpec::Login(login) => {
                if let Some(value) = login.value.text(scope)? {
                    outgoing.put_header(&login.header, header_value("login", value)?);
                }
            }
        }
        Ok(())
    }
}

/// `Bearer` in front of what the pack says, the token by itself if it says nothing.
fn bearer(table: &Table<'_>, names: &Names<'_>) -> Option<Template> {
    let Some(node) = table.get("value") else {
        return Template::parse("Bearer {token}", names).ok();
    };
    Template::read(&node, names)?;
    Template::parse(&format!("Bearer {}", node.text()?), names).ok()
}

/// RFC 7617 section 2.
fn basic(user: &str, password: &str) -> String {
    format!(
        "Basic {}",
        base64::encode(format!("{user}:{password}").as_bytes())
    )
}

impl LoginSpec {
    fn read(node: &Node<'_>, names: &mut Names<'_>) -> Option<LoginSpec> {
        let table = node.table(LOGIN_KEYS)?;
        let request = table
            .require("request")
            .and_then(|node| RequestSpec::read(&node, names));
        let source = match (table.get("value"), table.get("cookie")) {
            (Some(node), None) => read_pointer(&node).map(LoginSource::Pointer),
            (None, Some(node)) => node.text().and_then(|name| {
                // The same characters as in the name of a header (RFC 6265 section 4.1.1).
                if check_header_name(name).is_err() {
                    node.report(format!("`{}` is no name of a cookie", name.escape_debug()));
                    return None;
                }
                Some(LoginSource::Cookie(name.into()))
            }),
            _ => {
                node.report(
                    "needs one of `value`, a pointer into the answer, and `cookie`, its name",
                );
                None
            }
        };
        let ttl_ms = match table.get("ttl") {
            None => Some(TTL_MS),
            Some(node) => {
                let ms = time::parse_duration(node.text()?).filter(|ms| *ms > 0);
                if ms.is_none() {
                    node.report("expected a duration such as `25m`");
                }
                ms
            }
        };
        let again_on = match table.get("again_on") {
            None => Some(Box::from([StatusMatch::Exact(401)])),
            Some(node) => read_list(&node),
        };
        let logout = match table.get("logout") {
            None => Some(None),
            Some(node) => RequestSpec::read(&node, names).map(Some),
        };
        names.may_name_login = true;
        let send = read_send(&table, source.as_ref(), names);
        let (header, value) = send?;
        Some(LoginSpec {
            request: request?,
            source: source?,
            header,
            value,
            ttl_ms: ttl_ms?,
            again_on: again_on?,
            logout: logout?,
        })
    }

    /// The session in an answer: its text, or `None` if the service says that there need be none.
    pub(super) fn session(&self, body: &[u8], cookies: &[&str]) -> Result<Option<String>, String> {
        match &self.source {
            LoginSource::Pointer(pointer) => {
                let value: serde_json::Value = from_bytes(body)
                    .map_err(|_| "the answer to the login is no JSON".to_owned())?;
                match value.pointer(pointer) {
                    None => Err(format!(
                        "the answer to the login has nothing at `{pointer}`"
                    )),
                    Some(serde_json::Value::Null) => Ok(None),
                    Some(value) => Ok(Some(text_of(value)).filter(|text| !text.is_empty())),
                }
            }
            LoginSource::Cookie(name) => {
                let found = cookies.iter().find_map(|cookie| {
                    let (known, rest) = cookie.split_once('=')?;
                    let value = rest.split(';').next().unwrap_or_default();
                    (known.trim() == &**name).then(|| value.trim().to_owned())
                });
                match found {
                    Some(value) => Ok(Some(value)),
                    None => Err(format!("the answer to the login sets no cookie `{name}`")),
                }
            }
        }
    }
}

fn read_send(
    table: &Table<'_>,
    source: Option<&LoginSource>,
    names: &Names<'_>,
) -> Option<(Box<str>, Template)> {
    let Some(node) = table.get("send") else {
        let Some(LoginSource::Cookie(name)) = source else {
            table.node.report("`send` is missing");
            return None;
        };
        let value = Template::parse(&format!("{name}={{login}}"), names).ok()?;
        return Some(("Cookie".into(), value));
    };
    let send = node.table(SEND_KEYS)?;
    let header = send.require("header")?;
    let name = header.text()?;
    if let Err(problem) = check_header_name(name) {
        header.report(problem);
    }
    let value = match send.get("value") {
        Some(node) => Template::read(&node, names)?,
        None => Template::parse("{login}", names).ok()?,
    };
    Some((name.into(), value))
}

#[cfg(test)]
mod tests;
