//! Whether to believe a certificate: a server's, or a client's.

use std::sync::Arc;

use futures_rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use futures_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use futures_rustls::rustls::client::{
    verify_server_cert_signed_by_trust_anchor, verify_server_name,
};
use futures_rustls::rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use futures_rustls::rustls::server::ParsedCertificate;
use futures_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use futures_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
};
use webpki::{EndEntityCert, KeyUsage};

use super::provider::SIGNATURES;
use super::roots;

/// What both kinds of verifier have in common: how the handshake itself is signed.
macro_rules! check_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, cert, dss, &SIGNATURES)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, cert, dss, &SIGNATURES)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            SIGNATURES.supported_schemes()
        }
    };
}

/// First the operator's authorities, then the system's, which are loaded then.
#[derive(Debug)]
pub(super) struct Verifier(pub(super) Whom);

#[derive(Debug)]
pub(super) enum Whom {
    /// Whoever answers, as the operator wished.
    Anybody,
    /// The operator's own authorities, and the system's.
    Listed {
        roots: RootCertStore,
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
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let listed = match &self.0 {
            Whom::Anybody => return Ok(ServerCertVerified::assertion()),
            Whom::Listed {
                roots,
                certificates,
            } => Some((roots, certificates)),
            Whom::System => None,
        };
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let check = |roots: &RootCertStore| {
            verify_server_cert_signed_by_trust_anchor(
                &parsed,
                roots,
                intermediates,
                now,
                SIGNATURES.all,
            )
        };
        let checked = match listed {
            None => check_by_system(&check),
            Some((roots, certificates)) => match check(roots) {
                // A bad signature is that of another authority with the same name, such as its successor.
                Err(Error::InvalidCertificate(
                    CertificateError::UnknownIssuer | CertificateError::BadSignature,
                )) => check_by_system(&check),
                // `openssl req -x509` makes a server certificate that calls itself an authority. The checker has
                // looked at its dates before it refused that; this very certificate is what the operator named.
                Err(error) if is_authority_itself(&error) && certificates.contains(end_entity) => {
                    Ok(())
                }
                checked => checked,
            },
        };
        checked?;
        verify_server_name(&parsed, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    check_signatures!();
}

fn check_by_system(check: &dyn Fn(&RootCertStore) -> Result<(), Error>) -> Result<(), Error> {
    check(roots::system().map_err(|error| Error::General(error.to_string()))?)
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

/// Whom the operator's file names. In place of rustls's own, with which come lists of revoked certificates that nobody could give
/// us, 20 kB of the binary.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    pub(super) roots: RootCertStore,
    /// Theirs, for the client to choose a certificate by.
    pub(super) subjects: Vec<DistinguishedName>,
    pub(super) is_required: bool,
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let checked = EndEntityCert::try_from(end_entity).and_then(|certificate| {
            let usage = KeyUsage::client_auth();
            let (all, roots) = (SIGNATURES.all, &self.roots.roots);
            certificate
                .verify_for_usage(all, roots, intermediates, now, usage, None, None)
                .map(|_path| ())
        });
        checked.map_err(|error| Error::InvalidCertificate(unfit(error)))?;
        Ok(ClientCertVerified::assertion())
    }

    check_signatures!();
}

/// The checker's finding as the one from which the alert follows that the client gets (RFC 8446 section 6.2).
fn unfit(error: webpki::Error) -> CertificateError {
    match error {
        webpki::Error::CertExpired { time, not_after } => {
            CertificateError::ExpiredContext { time, not_after }
        }
        webpki::Error::CertNotValidYet { time, not_before } => {
            CertificateError::NotValidYetContext { time, not_before }
        }
        webpki::Error::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        webpki::Error::RequiredEkuNotFoundContext(_) => CertificateError::InvalidPurpose,
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer,
        webpki::Error::BadDer | webpki::Error::TrailingData(_) => CertificateError::BadEncoding,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    }
}
