//! Where a value came from and what may be wrong with it.
//!
//! A finding carries facts; its text is built in one place, `Display`. Findings are either errors, which stop the
//! load, or warnings, which the caller logs.

use std::fmt;
use std::sync::Arc;

/// Where a value was said. Ordered as findings are listed: files by place, then the environment, then the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody said it: the built-in default.
    #[default]
    Default,
    /// Computed from another key because it was left at its default.
    Derived {
        /// The key it was computed from.
        from: &'static str,
    },
    /// A line of a file. Line and column count from 1, the column in characters; both 0 mean the file as a whole.
    File {
        /// The path as it was opened.
        path: Arc<str>,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name, for example `APP_SERVER__PORT`.
        name: String,
    },
    /// A `key=value` of the command line.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Derived { from } => write!(f, "derived from `{from}`"),
            Origin::File { path, line: 0, .. } => f.write_str(&printable(path)),
            Origin::File { path, line, column } => write!(f, "{}:{line}:{column}", printable(path)),
            Origin::Environment { name } => write!(f, "environment {name}"),
            Origin::CommandLine => f.write_str("command line"),
        }
    }
}

/// One thing wrong (or worth saying) about one key at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where it was said.
    pub origin: Origin,
    /// The dotted key, or empty when the finding is about the source as a whole.
    pub key: String,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", printable(&self.key))?;
        }
        write!(f, "{}", self.problem)
    }
}

/// What a finding says. Facts only; no secret value ever gets in here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// Two listeners want overlapping addresses.
    AddressConflict {
        /// One of them, with its groups.
        one: String,
        /// The other.
        other: String,
    },
    /// A value of the wrong type, or text that does not parse.
    Expected {
        /// What would be right.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// Reachable from other machines without a token, as the operator wished (a warning).
    ExposedAsWished {
        /// The addresses, comma separated.
        addresses: String,
    },
    /// Reachable from other machines without a token.
    Exposed {
        /// The addresses, comma separated.
        addresses: String,
    },
    /// A service that does not check its upstream's certificate (a warning).
    Insecure,
    /// The keys of an issuer come over plain HTTP (a warning).
    KeysInTheClear,
    /// `ENV` is no plain name, so no file was chosen by it (a warning).
    NotAName {
        /// The value of `ENV`.
        found: String,
    },
    /// An open option that looks like a misspelt known key (a warning).
    OptionLooksLike {
        /// The known key.
        nearest: String,
    },
    /// A number outside its bounds.
    OutOfBounds {
        /// The value given.
        got: String,
        /// The least value allowed.
        min: String,
        /// The greatest value allowed.
        max: String,
    },
    /// A required member is absent.
    Required {
        /// What must be given.
        what: &'static str,
    },
    /// Two certificates, or a certificate and a token, that cannot be told apart.
    SameCaller {
        /// The name of one.
        one: String,
        /// The name of the other, perhaps the same.
        other: String,
    },
    /// Two routes on one path.
    SamePath {
        /// The other route.
        other: String,
    },
    /// Two tokens that cannot be told apart.
    SameToken {
        /// The name of one.
        one: String,
        /// The name of the other, perhaps the same.
        other: String,
    },
    /// The same thing is said twice where one would silently win.
    SaidTwice {
        /// The other place.
        other: String,
    },
    /// A foreign name of a key is set beside our own, which wins (a warning).
    Shadowed {
        /// The name that wins.
        by: String,
    },
    /// Not TOML.
    Syntax {
        /// The parser's words.
        message: String,
    },
    /// A token without an address to send it to (a warning).
    TokenWithoutUrl,
    /// No such key or section.
    Unknown {
        /// `key`, `section` or the like.
        what: &'static str,
        /// The known name most like it.
        nearest: Option<String>,
    },
    /// A file that cannot be read.
    Unreadable {
        /// Its path.
        path: String,
        /// The system's words.
        cause: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::AddressConflict { one, other } => {
                write!(f, "{one} and {other} overlap: give one of them another port")
            }
            Problem::Expected { expected, found } => write!(f, "expected {expected}, found {found}"),
            Problem::Exposed { addresses } => write!(
                f,
                "listening on {addresses} reaches beyond this machine and no token is set: set `server.api_token` \
                 (`APP_SERVER__API_TOKEN=...` or `APP_SERVER__API_TOKEN_FILE=...`), ask for client certificates \
                 (`tls.client_cert_required`) or, if everyone who can connect \
                 may use it, `auth.allow_anonymous = true` (`APP_AUTH__ALLOW_ANONYMOUS=true`)"
            ),
            Problem::ExposedAsWished { addresses } => {
                write!(f, "everyone who reaches {addresses} may call every tool")
            }
            Problem::Insecure => f.write_str(
                "the upstream's certificate is not checked, so anyone in between can read the token: \
                 set `ca_file` instead",
            ),
            Problem::KeysInTheClear => f.write_str(
                "the keys come over plain HTTP, so anyone in between can put in their own and sign tokens: use https",
            ),
            Problem::NotAName { found } => {
                write!(f, "`{found}` is not a plain name, so it chooses no file; `--config` takes a path")
            }
            Problem::OptionLooksLike { nearest } => {
                write!(f, "taken as an option of this service; did you mean `{nearest}`?")
            }
            Problem::OutOfBounds { got, min, max } => write!(f, "{got} is outside {min} to {max}"),
            Problem::Required { what } => write!(f, "{what} is missing"),
            Problem::SaidTwice { other } => write!(f, "{other} says it too: keep one of them"),
            Problem::SameCaller { one, other } if one == other => {
                write!(f, "two callers are named `{one}`: rename one of them")
            }
            Problem::SameCaller { one, other } => {
                write!(f, "`{one}` and `{other}` are the same certificate: keep one of them")
            }
            Problem::SamePath { other } => write!(f, "is the path of {other} too: give it another"),
            Problem::SameToken { one, other } if one == other => {
                write!(f, "two tokens are named `{one}`: rename one of them")
            }
            Problem::SameToken { one, other } => {
                write!(f, "`{one}` and `{other}` are the same token: give each its own")
            }
            Problem::Shadowed { by } => write!(f, "not used, because `{by}` is set and says otherwise"),
            Problem::Syntax { message } => write!(f, "not valid TOML: {message}"),
            Problem::TokenWithoutUrl => f.write_str("has a token but no `url`, so the service is off"),
            Problem::Unknown { what, nearest: Some(nearest) } => {
                write!(f, "unknown {what}; did you mean `{nearest}`?")
            }
            Problem::Unknown { what, nearest: None } => write!(f, "unknown {what}; `siskin config` lists all"),
            Problem::Unreadable { path, cause } => write!(f, "cannot read `{path}`: {cause}"),
        }
    }
}

/// Keys and paths may hold line breaks and terminal escapes; neither belongs in a log.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "?")
}

/// Every problem of one load, sorted; one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<Finding>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// A problem on its way up: the parser of a value knows what is wrong and where in the text; its caller adds the key
/// and the origin.
#[derive(Debug)]
pub(super) struct Fault {
    /// Byte offset into the source text, when the value came from TOML.
    pub offset: Option<usize>,
    /// What to append to the key, for example `[1].scopes`.
    pub at: String,
    pub problem: Problem,
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Fault {
        Fault {
            offset: None,
            at: String::new(),
            problem,
        }
    }
}

impl Problem {
    pub(super) fn expected(expected: &str, found: impl Into<String>) -> Problem {
        Problem::Expected {
            expected: expected.to_owned(),
            found: found.into(),
        }
    }
}
