//! What we can do of TLS: rustls's own provider over ring without ChaCha20-Poly1305 and QUIC, 45 kB of the binary.
//!
//! AES-GCM is what every implementation of TLS must have (RFC 8446 section 9.1), so nobody is left without a cipher in common. On
//! boards without AES in hardware it is slower than ChaCha20, where it is the same: for answers of some kilobytes.

use std::sync::Arc;

use futures_rustls::pki_types::PrivateKeyDer;
use futures_rustls::rustls::crypto::ring::cipher_suite::{
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384,
};
use futures_rustls::rustls::crypto::ring::kx_group::{SECP256R1, SECP384R1, X25519};
use futures_rustls::rustls::crypto::ring::sign::any_supported_type;
use futures_rustls::rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms,
};
use futures_rustls::rustls::sign::SigningKey;
use futures_rustls::rustls::{Error, SignatureScheme};
use webpki::ring as signed_by;

/// A new one. All are the same.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![
            TLS13_AES_256_GCM_SHA384,
            TLS13_AES_128_GCM_SHA256,
            TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ],
        kx_groups: vec![X25519, SECP256R1, SECP384R1],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &System,
        key_provider: &System,
    })
}

/// All that ring can check, as in rustls's own list, which it does not show.
pub(super) static SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        signed_by::ECDSA_P256_SHA256,
        signed_by::ECDSA_P256_SHA384,
        signed_by::ECDSA_P384_SHA256,
        signed_by::ECDSA_P384_SHA384,
        signed_by::ED25519,
        signed_by::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        signed_by::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        signed_by::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        signed_by::RSA_PKCS1_2048_8192_SHA256,
        signed_by::RSA_PKCS1_2048_8192_SHA384,
        signed_by::RSA_PKCS1_2048_8192_SHA512,
        signed_by::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
        signed_by::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
        signed_by::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    ],
    mapping: &[
        // By TLS 1.3 a scheme names the curve, and the first of a row is that one (RFC 8446 section 4.2.3); by TLS 1.2 it does not.
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            &[signed_by::ECDSA_P384_SHA384, signed_by::ECDSA_P256_SHA384],
        ),
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[signed_by::ECDSA_P256_SHA256, signed_by::ECDSA_P384_SHA256],
        ),
        (SignatureScheme::ED25519, &[signed_by::ED25519]),
        (
            SignatureScheme::RSA_PSS_SHA512,
            &[signed_by::RSA_PSS_2048_8192_SHA512_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PSS_SHA384,
            &[signed_by::RSA_PSS_2048_8192_SHA384_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PSS_SHA256,
            &[signed_by::RSA_PSS_2048_8192_SHA256_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA512,
            &[signed_by::RSA_PKCS1_2048_8192_SHA512],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA384,
            &[signed_by::RSA_PKCS1_2048_8192_SHA384],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA256,
            &[signed_by::RSA_PKCS1_2048_8192_SHA256],
        ),
    ],
};

/// Random bytes of the kernel's, and keys by ring.
#[derive(Debug)]
struct System;

impl SecureRandom for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        getrandom::fill(bytes).map_err(|_| GetRandomFailed)
    }
}

impl KeyProvider for System {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        any_supported_type(&key)
    }
}

#[cfg(test)]
mod tests {
    use futures_rustls::pki_types::SignatureVerificationAlgorithm;
    use futures_rustls::rustls::CipherSuite;
    use futures_rustls::rustls::crypto::ring::default_provider;

    use super::*;

    /// A release of rustls that can check more, or offers other suites, is noticed here.
    #[test]
    fn the_provider_is_that_of_rustls_without_chacha20() {
        let (ours, theirs) = (provider(), default_provider());
        let is_kept = |suite: &CipherSuite| !format!("{suite:?}").contains("CHACHA20");
        let suites = |provider: &CryptoProvider| -> Vec<CipherSuite> {
            let suites = provider.cipher_suites.iter();
            suites.map(|suite| suite.suite()).filter(is_kept).collect()
        };
        assert_eq!(suites(&ours), suites(&theirs));
        assert_eq!(ours.cipher_suites.len(), 6);
        let groups = |provider: &CryptoProvider| format!("{:?}", provider.kx_groups);
        assert_eq!(groups(&ours), groups(&theirs));
        let algorithms = |provider: &CryptoProvider| {
            let known = provider.signature_verification_algorithms;
            let of = |list: &[&'static dyn SignatureVerificationAlgorithm]| format!("{list:?}");
            let mut all = vec![of(known.all)];
            for (scheme, list) in known.mapping {
                all.push(format!("{scheme:?} {}", of(list)));
            }
            all
        };
        assert_eq!(algorithms(&ours), algorithms(&theirs));
    }
}
