//! Signs tokens with the keys beside this file. Shared by the unit tests and the integration tests.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};

/// A key to sign with.
#[derive(Clone, Copy, Debug)]
pub enum Signer<'a> {
    Ec,
    Ed,
    Rsa,
    Secret(&'a [u8]),
}

/// The secret of most tests.
pub const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

impl Signer<'_> {
    pub fn sign(self, signed: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Signer::Ec => {
                let key = pkcs8(include_str!("ec.pem"));
                let pair =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random);
                let signature = pair.unwrap().sign(&random, signed).unwrap();
                signature.as_ref().to_vec()
            }
            Signer::Ed => {
                let pair =
                    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8(include_str!("ed.pem")));
                pair.unwrap().sign(signed).as_ref().to_vec()
            }
            Signer::Rsa => {
                let pair = RsaKeyPair::from_pkcs8(&pkcs8(include_str!("rsa.pem"))).unwrap();
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed, &mut signature)
                    .unwrap();
                signature
            }
            Signer::Secret(secret) => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
                ring::hmac::sign(&key, signed).as_ref().to_vec()
            }
        }
    }

    pub fn algorithm(self) -> &'static str {
        match self {
            Signer::Ec => "ES256",
            Signer::Ed => "EdDSA",
            Signer::Rsa => "RS256",
            Signer::Secret(_) => "HS256",
        }
    }

    /// A token with this header and these claims, both JSON.
    pub fn token(self, header: &str, claims: &str) -> String {
        let signed = format!(
            "{}.{}",
            base64url(header.as_bytes()),
            base64url(claims.as_bytes())
        );
        let signature = self.sign(signed.as_bytes());
        format!("{signed}.{}", base64url(&signature))
    }

    /// A token with the usual header and perhaps the id of a key.
    pub fn claims(self, kid: Option<&str>, claims: &str) -> String {
        let kid = kid.map_or_else(String::new, |kid| format!(r#","kid":"{kid}""#));
        let header = format!(r#"{{"alg":"{}","typ":"JWT"{kid}}}"#, self.algorithm());
        self.token(&header, claims)
    }
}

pub fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut bits = [0; 4];
        bits[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(bits);
        for digit in 0..=group.len() {
            let value = bits >> (18 - 6 * digit) & 63;
            text.push(char::from(DIGITS[usize::try_from(value).unwrap()]));
        }
    }
    text
}

/// The DER of a private key in PEM.
fn pkcs8(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let value = |digit: char| match digit {
        'A'..='Z' => u32::from(digit) - 65,
        'a'..='z' => u32::from(digit) - 71,
        '0'..='9' => u32::from(digit) + 4,
        '+' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = body.trim_end_matches('=').chars().map(value).collect();
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let bits = group.iter().fold(0, |bits, digit| bits << 6 | digit);
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}
