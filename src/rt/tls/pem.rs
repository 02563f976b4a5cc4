//! Certificates and keys from PEM files (RFC 7468).

use std::path::Path;

use futures_rustls::pki_types::pem::{Error, PemObject as _};
use futures_rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TrustError;

/// A bundle of all the world's authorities has about 220 KB.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Every certificate of the file, at least one. Other sections are passed over.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let bytes = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if found.is_empty() => Err(TrustError::NoCertificate(path.to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(TrustError::Certificate(path.to_owned(), error.to_string())),
    }
}

/// The first private key of the file.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TrustError> {
    let bytes = read(path)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        Error::NoItemsFound => TrustError::NoKey(path.to_owned()),
        error => TrustError::Key(path.to_owned(), error.to_string()),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TrustError> {
    let refused = |text: String| TrustError::Read(path.to_owned(), text);
    let len = std::fs::metadata(path)
        .map_err(|error| refused(error.to_string()))?
        .len();
    if len > FILE_BYTES_MAX {
        return Err(refused(format!(
            "{len} bytes, expected at most {FILE_BYTES_MAX}"
        )));
    }
    std::fs::read(path).map_err(|error| refused(error.to_string()))
}
