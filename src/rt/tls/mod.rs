//! TLS, and the only place that names rustls. Feature `tls`; without it every use is [`TlsProblem::NotBuiltIn`].
//!
//! In scope: whom to believe ([`Trust`]), the handshake as a client ([`Trust::connect`]), clear causes; and the
//! handshake as a server ([`Acceptor::accept`]), after which a [`Stream`] is encrypted and its users need not know. Not
//! in scope: addresses, deadlines, HTTP, what a client's certificate allows.
//!
//! Nothing is built before the first handshake, and the system's hundred and more root certificates are read only when
//! a certificate needs them: who calls one service with a private authority never holds them.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

use super::Stream;

mod problem;
pub use problem::TlsProblem;

#[cfg(feature = "tls")]
mod acceptor;
#[cfg(feature = "tls")]
mod client;
#[cfg(feature = "tls")]
mod names;
#[cfg(feature = "tls")]
mod pem;
#[cfg(feature = "tls")]
mod provider;
#[cfg(feature = "tls")]
mod roots;
#[cfg(feature = "tls")]
mod server;
#[cfg(feature = "tls")]
mod stream;
#[cfg(feature = "tls")]
mod verify;

#[cfg(not(feature = "tls"))]
#[path = "absent.rs"]
mod client;
#[cfg(not(feature = "tls"))]
use client as stream;
#[cfg(not(feature = "tls"))]
use client as acceptor;
#[cfg(not(feature = "tls"))]
use client as server;

pub use acceptor::Acceptor;
#[cfg(feature = "tls")]
pub use names::fuzz_certificate;
pub(super) use server::ServerEnd;
pub use stream::TlsStream;

/// Whether this program was built with TLS.
pub const IS_BUILT_IN: bool = cfg!(feature = "tls");

/// What the operator chose for one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustSettings {
    /// A PEM file of certificate authorities to believe besides the system's, or of the server's own certificate.
    pub ca_file: Option<PathBuf>,
    /// Believe anybody. The caller warns at start.
    pub insecure: bool,
    /// PEM files of a certificate chain and its key, for servers that ask who we are.
    pub client_cert: Option<(PathBuf, PathBuf)>,
    /// The name to ask for and to expect in the certificate, instead of the URL's host.
    pub server_name: Option<String>,
}

/// Why [`TrustSettings`] cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustError {
    /// The file is no PEM, or holds what is no certificate; what is wrong.
    Certificate(PathBuf, String),
    /// The key is of a kind we lack, or does not fit its certificate; what is wrong.
    Key(PathBuf, String),
    /// The file holds no certificate.
    NoCertificate(PathBuf),
    /// The file holds no private key.
    NoKey(PathBuf),
    /// This program was built without the feature `tls`.
    NotBuiltIn,
    /// The file could not be read; the system's words.
    Read(PathBuf, String),
    /// No name a certificate could have.
    ServerName(String),
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(path, text) => write!(
                f,
                "`{}` holds a certificate that cannot be read ({text})",
                path.display()
            ),
            Self::Key(path, text) => {
                write!(f, "the key in `{}` cannot be used ({text})", path.display())
            }
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
            Self::NotBuiltIn => f.write_str(
                "this program was built without the feature `tls`; leave it out, or use a build with the feature",
            ),
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

/// The files that our listeners speak TLS by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptorSettings {
    /// PEM: our certificate, then those between it and the authority.
    pub cert_file: PathBuf,
    /// PEM: its key.
    pub key_file: PathBuf,
    /// PEM: the authorities whose certificates clients may show. Without them none is asked for.
    pub client_ca_file: Option<PathBuf>,
    /// Whether a client must show one.
    pub client_cert_required: bool,
}

/// One of the files of [`AcceptorSettings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptorFile {
    /// `cert_file`
    Cert,
    /// `client_ca_file`
    ClientCa,
    /// `key_file`
    Key,
}

/// A handshake as the server that did not come about.
pub struct Refused {
    /// The socket below: a peer that is still reading may be told in plain text.
    pub stream: Stream,
    /// Why.
    pub why: Refusal,
}

/// Why a handshake as the server did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The peer went away.
    Closed,
    /// The two could not agree, or the client's certificate is not believed; it has been told by an alert.
    Failed(String),
    /// Neither TLS nor HTTP.
    NotTls,
    /// A plain HTTP request.
    PlainHttp,
    /// The client's side of it takes more bytes than any sound one.
    TooLong,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the client closed the connection during the handshake"),
            Self::Failed(text) => f.write_str(text),
            Self::NotTls => f.write_str("what the client sent is no TLS"),
            Self::PlainHttp => f.write_str("the client speaks plain HTTP"),
            Self::TooLong => f.write_str("the client's handshake is too long"),
        }
    }
}

/// Whom a client's certificate names, after it has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// SHA-256 of all of it.
    pub fingerprint: [u8; 32],
    /// Its common name and alternative names: host names, addresses, e-mail addresses, URIs.
    pub names: Box<[Box<str>]>,
}

/// Whom to believe. Cloning shares it.
#[derive(Clone)]
pub struct Trust(Rc<Inner>);

struct Inner {
    id: u64,
    insecure: bool,
    /// What was read from the operator's files.
    material: client::Material,
    connector: OnceCell<client::Connector>,
}

thread_local! {
    static NEXT_ID: Cell<u64> = const { Cell::new(0) };
    static STANDARD: Trust = Trust::with(false, client::Material::default());
}

impl Trust {
    /// Reads and checks the files now, so that a mistake shows at start; everything else waits for the first use.
    ///
    /// # Errors
    /// What is wrong with a file or name.
    pub fn new(settings: TrustSettings) -> Result<Self, TrustError> {
        let material = client::Material::read(&settings)?;
        Ok(Self::with(settings.insecure, material))
    }

    /// The certificate authorities of the system, or those built in where it has none.
    #[must_use]
    pub fn standard() -> Self {
        STANDARD.with(Self::clone)
    }

    fn with(insecure: bool, material: client::Material) -> Self {
        let id = NEXT_ID.replace(NEXT_ID.get() + 1);
        Self(Rc::new(Inner {
            id,
            insecure,
            material,
            connector: OnceCell::new(),
        }))
    }

    /// Whether anybody is believed: worth a warning at start.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.0.insecure
    }

    /// A number of its own for each trust made on this thread. Unlike an address it is never used again.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Shakes hands over `stream`, whose other end should be `host`: a name, or an address without brackets.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn connect(&self, stream: Rc<Stream>, host: &str) -> Result<TlsStream, TlsProblem> {
        let inner = &self.0;
        let connector = match inner.connector.get() {
            Some(connector) => connector,
            None => {
                let built = client::Connector::build(&inner.material, inner.insecure)?;
                inner.connector.get_or_init(|| built)
            }
        };
        connector
            .connect(&inner.material, stream, host.to_owned())
            .await
    }
}

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests;
