//! TLS, and the only place that names rustls. Feature `tls`; without it every use is [`TlsProblem::NotBuiltIn`].
//!
//! In scope: whom to believe ([`Trust`]), the handshake as a client, clear causes. Not in scope: addresses, HTTP.
//! Nothing is built before the first connection: an idle server does not hold a hundred root certificates.

use std::cell::Cell;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

/// What the operator chose for one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustSettings {
    /// A PEM file of certificate authorities to believe besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Believe anybody. The caller warns at start.
    pub insecure: bool,
    /// PEM files of a certificate chain and its key, for servers that ask who we are.
    pub client_cert: Option<(PathBuf, PathBuf)>,
    /// The name to expect in the certificate and to ask for, instead of the URL's host.
    pub server_name: Option<String>,
}

/// Why [`TrustSettings`] cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustError {
    /// The file holds no certificate.
    NoCertificate(PathBuf),
    /// The file holds no private key.
    NoKey(PathBuf),
    /// The key does not fit the certificate, or is of a kind we lack.
    Key(PathBuf, String),
    /// The file could not be read; the system's words.
    Read(PathBuf, String),
    /// No name a certificate could have.
    ServerName(String),
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate(path) => write!(
                f,
                "`{}` holds no certificate, expected PEM with `-----BEGIN CERTIFICATE-----`",
                path.display()
            ),
            Self::NoKey(path) => write!(
                f,
                "`{}` holds no private key, expected PEM with `-----BEGIN PRIVATE KEY-----`",
                path.display()
            ),
            Self::Key(path, text) => {
                write!(f, "the key in `{}` cannot be used ({text})", path.display())
            }
            Self::Read(path, text) => write!(f, "`{}` cannot be read ({text})", path.display()),
            Self::ServerName(name) => write!(
                f,
                "`{}` is no server name, expected a host name or an address",
                name.escape_debug()
            ),
        }
    }
}

impl std::error::Error for TrustError {}

/// Why there is no TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsProblem {
    /// This program was built without the feature `tls`.
    NotBuiltIn,
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuiltIn => f.write_str(
                "this program was built without the feature `tls`; use an `http` URL, or a build with it",
            ),
        }
    }
}

impl std::error::Error for TlsProblem {}

/// Whom to believe. Cloning shares it.
#[derive(Clone)]
pub struct Trust(Rc<Inner>);

struct Inner {
    id: u64,
    settings: TrustSettings,
}

thread_local! {
    static NEXT_ID: Cell<u64> = const { Cell::new(1) };
}

impl Trust {
    /// Reads and checks the files now, so that a mistake shows at start; everything else waits for the first use.
    ///
    /// # Errors
    /// What is wrong with a file or name.
    pub fn new(settings: TrustSettings) -> Result<Self, TrustError> {
        let id = NEXT_ID.replace(NEXT_ID.get() + 1);
        Ok(Self(Rc::new(Inner { id, settings })))
    }

    /// The certificate authorities of the system, or those built in where it has none.
    #[must_use]
    pub fn standard() -> Self {
        Self(Rc::new(Inner {
            id: 0,
            settings: TrustSettings::default(),
        }))
    }

    /// Whether anybody is believed: worth a warning at start.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.0.settings.insecure
    }

    /// A number of its own for each trust that is told apart; never used again, unlike an address.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id
    }
}
