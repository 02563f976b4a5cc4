//! Whether a signature holds; the one place that names the cryptography. Feature `jwt`.

use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use super::key::Material;

/// Whether `signature` over `signed` is of this key. The HMAC is compared in constant time.
pub(super) fn holds(key: &Material, signed: &[u8], signature: &[u8]) -> bool {
    let verified = match key {
        Material::Ec(point) => {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
        }
        Material::Ed(point) => UnparsedPublicKey::new(&ED25519, point).verify(signed, signature),
        Material::Rsa { n, e } => {
            RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
        }
        Material::Secret(secret) => hmac::verify(
            &hmac::Key::new(hmac::HMAC_SHA256, secret),
            signed,
            signature,
        ),
    };
    verified.is_ok()
}
