//! How a request may travel: times, sizes, redirects, addresses, trust. One per service, shared by its requests.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::rt::tls::Trust;

use super::url::Url;

/// Time limits. Each names itself in its error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For one connection: name lookup, TCP, proxy and TLS together.
    pub connect: Duration,
    /// From the moment the request is handed to a connection to the answer's head. Sending the body counts.
    pub first_byte: Duration,
    /// For everything, redirects and the answer's body included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(30),
            total: Duration::from_secs(30),
        }
    }
}

/// What to do with a redirect: a status 301, 302, 303, 307 or 308 with a `Location`.
#[derive(Clone)]
pub enum Redirects {
    /// It is the response.
    Refuse,
    /// `GET` and `HEAD` follow within the same scheme, host and port; anything else is an error.
    SameOrigin {
        /// Most redirects for one request.
        max: u8,
    },
    /// `GET` and `HEAD` follow to where `allowed` says yes, but never from `https` to `http`. To another origin go all
    /// headers but `Authorization` and `Cookie`.
    Listed {
        /// Most redirects for one request.
        max: u8,
        /// Asked with each target.
        allowed: Rc<dyn Fn(&Url) -> bool>,
    },
}

impl fmt::Debug for Redirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse => f.write_str("Refuse"),
            Self::SameOrigin { max } => write!(f, "SameOrigin({max})"),
            Self::Listed { max, .. } => write!(f, "Listed({max})"),
        }
    }
}

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Egress {
    /// All: the URL is the operator's.
    Any,
    /// None that is private, loopback, link-local or otherwise not of the public internet: the URL is somebody
    /// else's. Checked after the lookup, and what was checked is connected to. Through a proxy, the proxy looks names
    /// up; then only addresses and local names in the URL can be refused here.
    Public,
}

/// How requests travel.
#[derive(Clone)]
pub struct Route {
    /// Time limits.
    pub timeouts: Timeouts,
    /// Longest body, inflated. A body of exactly this length is read.
    pub body_bytes_max: usize,
    /// What redirects do.
    pub redirects: Redirects,
    /// Which addresses may be connected to.
    pub egress: Egress,
    /// Whom to believe over TLS.
    pub trust: Trust,
    /// `User-Agent` of requests that have none; without it, name and version of this program.
    pub user_agent: Option<String>,
}

/// What suits a service of the operator's: 5 s to connect, 30 s in all, 2 MiB, three redirects within the origin.
impl Default for Route {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            body_bytes_max: 2 * 1024 * 1024,
            redirects: Redirects::SameOrigin { max: 3 },
            egress: Egress::Any,
            trust: Trust::standard(),
            user_agent: None,
        }
    }
}
