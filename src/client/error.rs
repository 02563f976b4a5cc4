//! Why a request brought no response: one cause each, one clear sentence each.
//!
//! Texts name the origin and never a path, query, header value or body: those may hold secrets. A response with any
//! status is no error here.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::metrics::UpstreamOutcome;
use crate::rt::tls::TlsProblem;

use super::method::Method;
use super::url::{Origin, Url, UrlError};

/// How far a request had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// The name is being looked up.
    #[default]
    Lookup,
    /// TCP connects.
    Connect,
    /// The proxy was asked for a way through.
    Proxy,
    /// Certificates and keys are exchanged.
    Tls,
    /// The request is under way; nothing has come back.
    FirstByte,
    /// The body is being read.
    Body,
}

impl Phase {
    const fn explain(self) -> &'static str {
        match self {
            Self::Lookup => "the name lookup did not end",
            Self::Connect => "no TCP connection came about",
            Self::Proxy => "the proxy did not open a connection",
            Self::Tls => "the TLS handshake did not end",
            Self::FirstByte => "no answer came",
            Self::Body => "the body did not end",
        }
    }
}

/// Which of a route's time limits ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Timeouts::connect`](super::Timeouts::connect)
    Connect,
    /// [`Timeouts::first_byte`](super::Timeouts::first_byte)
    FirstByte,
    /// [`Timeouts::total`](super::Timeouts::total)
    Total,
}

impl Limit {
    /// The word a configuration uses for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::FirstByte => "first_byte",
            Self::Total => "total",
        }
    }
}

/// What a proxy did, or how its setting is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyProblem {
    /// It wants a user and password, or others (407).
    Authentication,
    /// No connection to the proxy itself; the system's words.
    Connect(String),
    /// What it said to `CONNECT` is no HTTP.
    NotHttp,
    /// It answered `CONNECT` with this status.
    Status(u16),
    /// The environment variable that names it holds something else; what is wrong.
    Setting(String),
}

/// Why a redirect was not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectProblem {
    /// From `https` to `http`.
    Downgrade,
    /// `Location` is no URL.
    Location(UrlError),
    /// The caller's list does not have it.
    NotListed,
    /// Another scheme, host or port.
    OtherOrigin,
    /// More than the route allows.
    TooMany(u8),
    /// The method changes something, so it is not sent twice.
    Write(Method),
}

/// Why a request brought no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// A header of the request cannot be sent: its name or value is outside the grammar, or framing is not the
    /// caller's business. Its name.
    Header(String),
    /// The name has no address, or nobody could be asked.
    Lookup {
        /// Who was asked for.
        origin: Origin,
        /// The resolver's words.
        text: String,
    },
    /// The route goes to public addresses only, and this is none.
    PrivateAddress {
        /// Who was asked for.
        origin: Origin,
        /// What it resolved to; none for a name that is local by definition.
        address: Option<IpAddr>,
    },
    /// The machine is there, but nothing listens.
    Refused {
        /// Who was asked for.
        origin: Origin,
        /// Who refused.
        address: SocketAddr,
    },
    /// No connection for another reason, such as no route.
    Connect {
        /// Who was asked for.
        origin: Origin,
        /// The system's words.
        text: String,
    },
    /// The proxy, or its setting.
    Proxy {
        /// Who was asked for.
        origin: Origin,
        /// Host and port of the proxy, or the variable that should name it.
        proxy: String,
        /// What happened.
        problem: ProxyProblem,
    },
    /// No TLS connection.
    Tls {
        /// Who was asked for.
        origin: Origin,
        /// Why.
        problem: TlsProblem,
    },
    /// A time limit ran out.
    Timeout {
        /// Who was asked.
        origin: Origin,
        /// What was being waited for.
        phase: Phase,
        /// Which limit.
        limit: Limit,
        /// Its length.
        after: Duration,
    },
    /// The connection ended before an answer.
    Closed {
        /// Who was asked.
        origin: Origin,
    },
    /// The connection ended inside the body.
    Truncated {
        /// Who was asked.
        origin: Origin,
        /// Body bytes that had come.
        received: usize,
    },
    /// What came back is not HTTP/1.
    NotHttp {
        /// Who was asked.
        origin: Origin,
        /// What is wrong with it.
        text: String,
    },
    /// The answer's head is longer, or has more fields, than anybody needs.
    HeadTooLarge {
        /// Who was asked.
        origin: Origin,
    },
    /// The body is longer than the route allows, inflated.
    TooLarge {
        /// Who was asked.
        origin: Origin,
        /// The route's limit in bytes.
        limit: usize,
    },
    /// The body is encoded in a way that was not asked for.
    Encoding {
        /// Who was asked.
        origin: Origin,
        /// The `Content-Encoding`.
        encoding: String,
    },
    /// The body says it is compressed and is not, or is damaged.
    Inflate {
        /// Who was asked.
        origin: Origin,
        /// The `Content-Encoding`.
        encoding: &'static str,
    },
    /// A redirect that the route does not allow to follow.
    Redirect {
        /// Who was asked.
        origin: Origin,
        /// The status.
        status: u16,
        /// Where it points, if that is a URL. For callers that may show it; the text has its origin only.
        to: Option<Box<Url>>,
        /// Why not.
        problem: RedirectProblem,
    },
}

impl ClientError {
    /// The word under which the request is counted.
    #[must_use]
    pub const fn outcome(&self) -> UpstreamOutcome {
        match self {
            Self::Header(_) | Self::PrivateAddress { .. } | Self::Redirect { .. } => {
                UpstreamOutcome::Refused
            }
            Self::Lookup { .. }
            | Self::Refused { .. }
            | Self::Connect { .. }
            | Self::Proxy { .. }
            | Self::Tls { .. } => UpstreamOutcome::ConnectError,
            Self::Timeout { .. } => UpstreamOutcome::Timeout,
            Self::Closed { .. }
            | Self::Truncated { .. }
            | Self::NotHttp { .. }
            | Self::HeadTooLarge { .. }
            | Self::Encoding { .. }
            | Self::Inflate { .. } => UpstreamOutcome::ProtocolError,
            Self::TooLarge { .. } => UpstreamOutcome::TooLarge,
        }
    }

    /// Whether the server never saw the request: sending it again changes nothing twice.
    #[must_use]
    pub const fn was_not_sent(&self) -> bool {
        match self {
            Self::Timeout { phase, .. } => {
                matches!(
                    phase,
                    Phase::Lookup | Phase::Connect | Phase::Proxy | Phase::Tls
                )
            }
            Self::Header(_)
            | Self::Lookup { .. }
            | Self::PrivateAddress { .. }
            | Self::Refused { .. }
            | Self::Connect { .. }
            | Self::Proxy { .. } => true,
            // A certificate of ours may be refused after the request has left (RFC 8446 section 4.4.2.4).
            Self::Tls { .. }
            | Self::Closed { .. }
            | Self::Truncated { .. }
            | Self::NotHttp { .. }
            | Self::HeadTooLarge { .. }
            | Self::TooLarge { .. }
            | Self::Encoding { .. }
            | Self::Inflate { .. }
            | Self::Redirect { .. } => false,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(
                f,
                "the request header `{}` cannot be sent: expected a name of letters, digits and `-`, a value of visible ASCII, and no framing header",
                name.escape_debug()
            ),
            Self::Lookup { origin, text } => write!(
                f,
                "`{origin}`: the name could not be looked up ({text}); check the host in the URL and this machine's name server"
            ),
            Self::PrivateAddress { origin, address } => {
                write!(f, "`{origin}` is not public")?;
                if let Some(address) = address {
                    write!(f, " (it is at {address})")?;
                }
                f.write_str("; only public addresses may be asked here")
            }
            Self::Refused { origin, address } => write!(
                f,
                "`{origin}`: connection refused by {address}; the machine is up, but nothing listens on port {}",
                address.port()
            ),
            Self::Connect { origin, text } => write!(f, "`{origin}`: no connection ({text})"),
            Self::Proxy {
                origin,
                proxy,
                problem,
            } => display_proxy(f, origin, proxy, problem),
            Self::Tls { origin, problem } => write!(f, "`{origin}`: no TLS connection: {problem}"),
            Self::Timeout {
                origin,
                phase,
                limit,
                after,
            } => write!(
                f,
                "`{origin}`: {} within {} ms (time limit `{}`)",
                phase.explain(),
                after.as_millis(),
                limit.as_str()
            ),
            Self::Closed { origin } => {
                write!(f, "`{origin}` closed the connection without an answer")
            }
            Self::Truncated { origin, received } => write!(
                f,
                "`{origin}` closed the connection inside the body, after {received} bytes of it"
            ),
            Self::NotHttp { origin, text } => write!(
                f,
                "`{origin}` did not answer in HTTP/1.1 ({text}); check scheme and port of the URL"
            ),
            Self::HeadTooLarge { origin } => write!(
                f,
                "`{origin}` answered with a head of more than {} bytes or {} fields",
                super::HEAD_BYTES_MAX,
                super::HEADERS_MAX
            ),
            Self::TooLarge { origin, limit } => write!(
                f,
                "`{origin}` answered with a body of more than {limit} bytes, the most that is read; ask for less, or raise the limit"
            ),
            Self::Encoding { origin, encoding } => write!(
                f,
                "`{origin}` answered with the content encoding `{}`, expected `gzip`, `deflate` or none",
                encoding.escape_debug()
            ),
            Self::Inflate { origin, encoding } => {
                write!(
                    f,
                    "`{origin}` answered with a body that is no intact `{encoding}`"
                )
            }
            Self::Redirect {
                origin,
                status,
                to,
                problem,
            } => display_redirect(f, origin, *status, to.as_deref(), problem),
        }
    }
}

fn display_proxy(
    f: &mut fmt::Formatter<'_>,
    origin: &Origin,
    proxy: &str,
    problem: &ProxyProblem,
) -> fmt::Result {
    let host = match problem {
        ProxyProblem::Setting(text) => return write!(f, "`{origin}`: `{proxy}`: {text}"),
        _ => proxy,
    };
    write!(f, "`{origin}`: the proxy `{host}` ")?;
    match problem {
        ProxyProblem::Authentication => f.write_str(
            "wants a user and password; write them into its URL, as in `http://user:password@host:port`",
        ),
        ProxyProblem::Connect(text) => write!(f, "cannot be reached ({text})"),
        ProxyProblem::NotHttp => f.write_str("does not speak HTTP; check the port in its URL"),
        ProxyProblem::Status(status) => write!(
            f,
            "refused the connection with status {status}; add the host to `NO_PROXY` if it is reached directly"
        ),
        ProxyProblem::Setting(_) => Ok(()),
    }
}

fn display_redirect(
    f: &mut fmt::Formatter<'_>,
    origin: &Origin,
    status: u16,
    to: Option<&Url>,
    problem: &RedirectProblem,
) -> fmt::Result {
    write!(f, "`{origin}` answered with a redirect ({status})")?;
    match (problem, to.map(Url::origin)) {
        (RedirectProblem::Location(error), _) => write!(f, " to what is no URL: {error}"),
        (RedirectProblem::TooMany(max), _) => {
            write!(f, " again, after {max} of them; expected an answer by then")
        }
        (RedirectProblem::Write(method), Some(to)) if to == *origin => write!(
            f,
            " to another place of its own, which is not followed for {method}; check path and credentials"
        ),
        (RedirectProblem::Downgrade, Some(to)) => {
            write!(f, " from `https` to `{to}`, which is never followed")
        }
        (RedirectProblem::NotListed, Some(to)) => {
            write!(
                f,
                " to `{to}`, which is not on the list of places to follow to"
            )
        }
        (_, Some(to)) => write!(
            f,
            " to `{to}`, which is not followed; if that is the same service, the base URL should begin with `{to}`"
        ),
        (_, None) => f.write_str(", which is not followed"),
    }
}

impl std::error::Error for ClientError {}
