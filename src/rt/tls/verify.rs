//! Whether to believe a server's certificate.

use std::sync::Arc;

use futures_rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use futures_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use futures_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use futures_rustls::rustls::crypto::{
    CryptoProvider, verify_tls12_signature, verify_tls13_signature,
};
use futures_rustls::rustls::server::ParsedCertificate;
use futures_rustls::rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::roots;

/// First the operator's authorities, then the system's, which are loaded then.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) whom: Whom,
}

#[derive(Debug)]
pub(super) enum Whom {
    /// Whoever answers, as the operator wished.
    Anybody,
    /// The operator's own authorities, and the system's.
    Listed {
        verifier: Arc<WebPkiServerVerifier>,
        certificates: Vec<CertificateDer<'static>>,
    },
    /// The system's authorities.
    System,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let check = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp, now)
        };
        match &self.whom {
            Whom::Anybody => return Ok(ServerCertVerified::assertion()),
            Whom::Listed {
                verifier,
                certificates,
            } => match check(verifier) {
                // A bad signature is that of another authority with the same name, such as its successor.
                Err(Error::InvalidCertificate(
                    CertificateError::UnknownIssuer | CertificateError::BadSignature,
                )) => (),
                Err(error) if is_authority_itself(&error) && certificates.contains(end_entity) => {
                    // `openssl req -x509` makes a server certificate that calls itself an authority. The checker has
                    // looked at its dates before it refused that; this very certificate is what the operator named.
                    let parsed = ParsedCertificate::try_from(end_entity)?;
                    verify_server_name(&parsed, server_name)?;
                    return Ok(ServerCertVerified::assertion());
                }
                checked => return checked,
            },
            Whom::System => (),
        }
        let system = roots::system(&self.provider).map_err(Error::General)?;
        check(&system)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn is_authority_itself(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(error) if is_self_authority(error))
}

/// Whether a certificate was refused for calling itself an authority: an error without a variant in rustls.
pub(super) fn is_self_authority(error: &CertificateError) -> bool {
    match error {
        CertificateError::Other(other) => format!("{:?}", other.0) == "CaUsedAsEndEntity",
        _ => false,
    }
}
