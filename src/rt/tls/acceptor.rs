//! The server's end: from certificate and key files to a handshake.

use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_rustls::pki_types::CertificateDer;
use futures_rustls::rustls::server::danger::ClientCertVerifier;
use futures_rustls::rustls::server::{NoClientAuth, ServerConnection, ServerSessionMemoryCache};
use futures_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use futures_rustls::rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};

use super::provider::provider;
use super::server::{ServerEnd, read_records, write_records};
use super::verify::ClientVerifier;
use super::{AcceptorFile, AcceptorSettings, Refusal, Refused, Stream, TrustError, pem};

/// Sessions that may be resumed, per acceptor, each a few hundred bytes and its client's certificates. A handshake less
/// costs a small board 20 ms of its time.
const SESSIONS_MAX: usize = 64;

/// Most bytes of a client's side of a handshake: a hello has one or two thousand, a chain of certificates a few more.
/// rustls alone would hold 64 KiB for anybody who announces as much and then stays silent.
const HANDSHAKE_BYTES_MAX: usize = 16 * 1024;
const HANDSHAKE_WITH_CERTIFICATE_BYTES_MAX: usize = 32 * 1024;

/// First byte of every handshake (RFC 8446 section 5.1: `ContentType` 22).
const HANDSHAKE_RECORD: u8 = 22;

/// Shakes hands as the server its files say. Cloning shares it; those who shook hands keep what they agreed on.
#[derive(Clone)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    handshake_bytes_max: usize,
}

impl Acceptor {
    /// Reads the files now, and checks that they fit each other.
    ///
    /// # Errors
    /// Which file is wrong, and what is wrong with it.
    pub fn new(settings: &AcceptorSettings) -> Result<Self, (AcceptorFile, TrustError)> {
        let identity = identity(settings)?;
        let (verifier, handshake_bytes_max): (Arc<dyn ClientCertVerifier>, _) =
            match &settings.client_ca_file {
                None => (Arc::new(NoClientAuth), HANDSHAKE_BYTES_MAX),
                Some(path) => (
                    verifier(path, settings.client_cert_required)
                        .map_err(|error| (AcceptorFile::ClientCa, error))?,
                    HANDSHAKE_WITH_CERTIFICATE_BYTES_MAX,
                ),
            };
        let unfit = |error: Error| {
            let path = settings.cert_file.clone();
            (
                AcceptorFile::Cert,
                TrustError::Certificate(path, error.to_string()),
            )
        };
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(unfit)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS_MAX);
        // One ticket serves a client that comes back; a browser's second connection shakes hands anew.
        config.send_tls13_tickets = 1;
        Ok(Self {
            config: Arc::new(config),
            handshake_bytes_max,
        })
    }

    /// Shakes hands with whoever is at the other end of `stream`. There is no deadline here.
    ///
    /// # Errors
    /// Why there is no TLS, with the socket below: the peer may still be reading.
    pub async fn accept(&self, stream: Stream) -> Result<Stream, Refused> {
        let connection = match ServerConnection::new(Arc::clone(&self.config)) {
            Ok(connection) => connection,
            Err(error) => {
                let why = Refusal::Failed(error.to_string());
                return Err(Refused { stream, why });
            }
        };
        let mut handshake = Handshake {
            connection,
            bytes_left: self.handshake_bytes_max,
            is_begun: false,
        };
        match poll_fn(|cx| handshake.poll(cx, &stream)).await {
            Ok(()) => Ok(Stream::tls(ServerEnd::new(stream, handshake.connection))),
            Err(why) => Err(Refused { stream, why }),
        }
    }
}

struct Handshake {
    connection: ServerConnection,
    /// What the client may still send of it.
    bytes_left: usize,
    is_begun: bool,
}

impl Handshake {
    fn poll(&mut self, cx: &mut Context<'_>, stream: &Stream) -> Poll<Result<(), Refusal>> {
        loop {
            while self.connection.wants_write() {
                match write_records(&mut self.connection, stream) {
                    Ok(true) => (),
                    Ok(false) => ready!(stream.poll_writable(cx)),
                    Err(_) => return Poll::Ready(Err(Refusal::Closed)),
                }
            }
            if !self.connection.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            let read = match read_records(&mut self.connection, stream) {
                Ok(None) => {
                    ready!(stream.poll_readable(cx));
                    continue;
                }
                Ok(Some(read)) => read,
                Err(_) => return Poll::Ready(Err(Refusal::Closed)),
            };
            let is_first = !std::mem::replace(&mut self.is_begun, true);
            match read.first {
                None => return Poll::Ready(Err(Refusal::Closed)),
                Some(first) if is_first && first.is_ascii_uppercase() => {
                    return Poll::Ready(Err(Refusal::PlainHttp));
                }
                Some(first) if is_first && first != HANDSHAKE_RECORD => {
                    return Poll::Ready(Err(Refusal::NotTls));
                }
                Some(_) => (),
            }
            // What came after the handshake came with it, so this counts a little of the first request too.
            let Some(left) = self.bytes_left.checked_sub(read.len) else {
                return Poll::Ready(Err(Refusal::TooLong));
            };
            self.bytes_left = left;
            if let Err(error) = self.connection.process_new_packets() {
                // The alert that says why. If the socket has no room for it, the peer does not read.
                _ = write_records(&mut self.connection, stream);
                return Poll::Ready(Err(Refusal::Failed(error.to_string())));
            }
        }
    }
}

/// The certificate chain with its key.
fn identity(settings: &AcceptorSettings) -> Result<CertifiedKey, (AcceptorFile, TrustError)> {
    let AcceptorSettings {
        cert_file,
        key_file,
        ..
    } = settings;
    let chain = pem::certificates(cert_file).map_err(|error| (AcceptorFile::Cert, error))?;
    let key = pem::key(key_file).map_err(|error| (AcceptorFile::Key, error))?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
        Error::InvalidCertificate(error) => {
            let error = TrustError::Certificate(cert_file.clone(), error.to_string());
            (AcceptorFile::Cert, error)
        }
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            let text = format!(
                "it is not that of the first certificate in `{}`",
                cert_file.display()
            );
            (AcceptorFile::Key, TrustError::Key(key_file.clone(), text))
        }
        error => {
            let error = TrustError::Key(key_file.clone(), error.to_string());
            (AcceptorFile::Key, error)
        }
    })
}

fn verifier(path: &Path, is_required: bool) -> Result<Arc<dyn ClientCertVerifier>, TrustError> {
    let unfit = |text: String| TrustError::Certificate(path.to_owned(), text);
    let mut roots = RootCertStore::empty();
    for certificate in pem::certificates(path)? {
        let added = roots.add(CertificateDer::clone(&certificate));
        added.map_err(|error| unfit(error.to_string()))?;
    }
    Ok(Arc::new(ClientVerifier {
        subjects: roots.subjects(),
        roots,
        is_required,
    }))
}
