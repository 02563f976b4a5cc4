//! The certificate authorities that this machine believes, read once when the first certificate needs them.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use futures_rustls::rustls::RootCertStore;
use futures_rustls::rustls::client::WebPkiServerVerifier;
use futures_rustls::rustls::crypto::CryptoProvider;

use super::TrustError;
use super::pem;

/// Where systems keep their bundle: Debian, Alpine and most others; Fedora; OpenBSD and old Alpines.
const BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// The verifier that believes them. A failure is not kept: whoever mends the file need not start anew.
pub(super) fn system(provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, String> {
    static SYSTEM: OnceLock<Arc<WebPkiServerVerifier>> = OnceLock::new();
    if let Some(system) = SYSTEM.get() {
        return Ok(Arc::clone(system));
    }
    let named = env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty());
    let roots = load(named.map(PathBuf::from), &BUNDLES).map_err(|error| error.to_string())?;
    let verifier = verifier(roots, provider)?;
    Ok(Arc::clone(SYSTEM.get_or_init(|| verifier)))
}

pub(super) fn verifier(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, String> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| error.to_string())
}

/// A file named by the operator must be right. Otherwise the first bundle there is, and the built-in list last: an
/// image without any files can call out too.
pub(super) fn load(named: Option<PathBuf>, bundles: &[&str]) -> Result<RootCertStore, TrustError> {
    let found = bundles.iter().map(Path::new).find(|path| path.is_file());
    let mut roots = RootCertStore::empty();
    let Some(path) = named.as_deref().or(found) else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    // Bundles hold old certificates in odd encodings; one of them must not take the others with it.
    let (added, _) = roots.add_parsable_certificates(pem::certificates(path)?);
    match added {
        0 => Err(TrustError::NoCertificate(path.to_owned())),
        _ => Ok(roots),
    }
}
