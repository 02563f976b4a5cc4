//! Why there is no TLS connection, in words an operator can act on.

use std::fmt;
use std::io;

/// Most names of a certificate that are shown.
const NAMES_MAX: usize = 5;

/// Why there is no TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsProblem {
    /// The certificate is wrong in another way; what is.
    Certificate(String),
    /// The peer closed the connection during the handshake.
    Closed,
    /// The certificate is past its date.
    Expired {
        /// Whole days since then.
        days: u64,
    },
    /// This program was built without the feature `tls`.
    NotBuiltIn,
    /// What came back is no TLS.
    NotTls,
    /// The certificate's time has not begun, or this machine's clock is wrong.
    NotYetValid {
        /// Whole days until then.
        days: u64,
    },
    /// No protocol version or cipher that both know; what is missing.
    NothingInCommon(String),
    /// Another cause, in the library's or the system's words.
    Other(String),
    /// The peer ended it with this alert.
    Refused(String),
    /// The host is no name a certificate could have.
    ServerName(String),
    /// Nobody we believe has signed the certificate.
    UnknownIssuer,
    /// The peer wants a certificate of ours, or another one; its alert.
    WantsCertificate(String),
    /// The certificate is for other names.
    WrongName {
        /// The name that was asked for.
        expected: String,
        /// The names it is for.
        presented: Vec<String>,
    },
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(text) => {
                write!(f, "the server's certificate cannot be believed ({text})")
            }
            Self::Closed => f.write_str("the server closed the connection during the handshake"),
            Self::Expired { days } => {
                write!(f, "the server's certificate expired {days} days ago; renew it")
            }
            Self::NotBuiltIn => f.write_str(
                "this program was built without the feature `tls`; use an `http` URL, or a build with the feature",
            ),
            Self::NotTls => f.write_str(
                "the server does not speak TLS on this port; use an `http` URL, or another port",
            ),
            Self::NotYetValid { days } => write!(
                f,
                "the server's certificate is valid only in {days} days; check this machine's clock"
            ),
            Self::NothingInCommon(text) => write!(
                f,
                "the server and this program have no TLS version or cipher in common ({text}); expected TLS 1.2 or 1.3"
            ),
            Self::Other(text) => f.write_str(text),
            Self::Refused(alert) => write!(f, "the server refused the handshake ({alert})"),
            Self::ServerName(host) => write!(
                f,
                "`{}` cannot stand in a certificate; set `server_name`",
                host.escape_debug()
            ),
            Self::UnknownIssuer => f.write_str(
                "the server's certificate is signed by nobody this machine believes; set `ca_file` to the authority's certificate, or to the server's own if that is all there is",
            ),
            Self::WantsCertificate(alert) => write!(
                f,
                "the server wants a client certificate it believes ({alert}); set `client_cert` and `client_key`"
            ),
            Self::WrongName {
                expected,
                presented,
            } => display_names(f, expected, presented),
        }
    }
}

fn display_names(f: &mut fmt::Formatter<'_>, expected: &str, presented: &[String]) -> fmt::Result {
    f.write_str("the server's certificate is for ")?;
    if presented.is_empty() {
        f.write_str("no name at all (a common name does not count)")?;
    }
    for (at, name) in presented.iter().take(NAMES_MAX).enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(f, "{comma}`{}`", name.escape_debug())?;
    }
    if presented.len() > NAMES_MAX {
        write!(f, " and {} more", presented.len() - NAMES_MAX)?;
    }
    write!(
        f,
        ", not for `{}`; use a name of its in the URL, or set `server_name`",
        expected.escape_debug()
    )
}

impl std::error::Error for TlsProblem {}

impl TlsProblem {
    /// What TLS has to say about an error of a stream: a refusal may come after the handshake too.
    #[must_use]
    pub fn within(error: &io::Error) -> Option<Self> {
        #[cfg(feature = "tls")]
        {
            Some(Self::from_rustls(error.get_ref()?.downcast_ref()?))
        }
        #[cfg(not(feature = "tls"))]
        {
            _ = error;
            None
        }
    }
}

#[cfg(feature = "tls")]
mod causes {
    use futures_rustls::pki_types::UnixTime;
    use futures_rustls::rustls::{AlertDescription as Alert, CertificateError, Error};

    use super::super::verify::is_self_authority;
    use super::{TlsProblem, io};

    impl TlsProblem {
        pub(in super::super) fn from_io(error: &io::Error) -> Self {
            if let Some(problem) = Self::within(error) {
                return problem;
            }
            match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe => Self::Closed,
                _ => Self::Other(error.to_string()),
            }
        }

        pub(in super::super) fn from_rustls(error: &Error) -> Self {
            match error {
                Error::InvalidCertificate(error) => Self::from_certificate(error),
                Error::InvalidMessage(_) => Self::NotTls,
                Error::AlertReceived(alert) => Self::from_alert(*alert),
                Error::PeerIncompatible(what) => Self::NothingInCommon(format!("{what:?}")),
                Error::General(text) => Self::Other(text.clone()),
                error => Self::Other(error.to_string()),
            }
        }

        fn from_alert(alert: Alert) -> Self {
            let name = format!("alert `{alert:?}`");
            match alert {
                Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::UnknownCA
                | Alert::CertificateUnknown
                | Alert::CertificateExpired
                | Alert::UnsupportedCertificate
                | Alert::AccessDenied => Self::WantsCertificate(name),
                Alert::ProtocolVersion | Alert::InsufficientSecurity => Self::NothingInCommon(name),
                _ => Self::Refused(name),
            }
        }

        fn from_certificate(error: &CertificateError) -> Self {
            match error {
                CertificateError::Expired => Self::Expired { days: 0 },
                CertificateError::ExpiredContext { time, not_after } => Self::Expired {
                    days: days(*not_after, *time),
                },
                CertificateError::NotValidYet => Self::NotYetValid { days: 0 },
                CertificateError::NotValidYetContext { time, not_before } => Self::NotYetValid {
                    days: days(*time, *not_before),
                },
                CertificateError::UnknownIssuer => Self::UnknownIssuer,
                error if is_self_authority(error) => Self::UnknownIssuer,
                CertificateError::NotValidForNameContext {
                    expected,
                    presented,
                } => Self::WrongName {
                    expected: expected.to_str().into_owned(),
                    presented: presented.iter().map(|name| plain(name)).collect(),
                },
                error => Self::Certificate(error.to_string()),
            }
        }
    }

    /// The name in `DnsName("nas.lan")` or `IpAddress(10.0.0.1)`.
    fn plain(name: &str) -> String {
        let inner = name
            .split_once('(')
            .and_then(|(_, inner)| inner.strip_suffix(')'));
        inner.unwrap_or(name).trim_matches('"').to_owned()
    }

    fn days(from: UnixTime, to: UnixTime) -> u64 {
        to.as_secs().saturating_sub(from.as_secs()) / 86_400
    }
}
