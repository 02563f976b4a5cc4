//! The certificate authorities that this machine believes, read once when the first certificate needs them.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use futures_rustls::rustls::RootCertStore;

use super::TrustError;
use super::pem;

/// Where systems keep their bundle: Debian, Alpine and most others; Fedora; OpenBSD and old Alpines.
const BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// All of them. A failure is not kept: whoever mends the file need not start anew.
pub(super) fn system() -> Result<&'static RootCertStore, TrustError> {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    if let Some(system) = SYSTEM.get() {
        return Ok(system);
    }
    let named = env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty());
    let roots = load(named.map(PathBuf::from), &BUNDLES)?;
    Ok(SYSTEM.get_or_init(|| roots))
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
