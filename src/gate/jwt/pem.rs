//! Public keys in PEM (RFC 7468): `PUBLIC KEY` (RFC 5280 4.1.2.7, RFC 8410) and `RSA PUBLIC KEY` (RFC 8017 A.1.1).
//!
//! Of DER only what these need: sequences, object identifiers, bit strings and positive integers.

use super::key::{Key, KeyError, Material, ec, ed, rsa};
use crate::base64;

/// Contents of the object identifiers.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Every key of a file, in its order. Text between the blocks is passed over (RFC 7468 2).
pub(super) fn parse(file: &[u8]) -> Result<Vec<Key>, KeyError> {
    let text = std::str::from_utf8(file).map_err(|_| KeyError::NotKeys("no text"))?;
    let mut keys = Vec::new();
    let mut lines = text.lines().map(str::trim_end);
    while let Some(line) = lines.next() {
        let label = line.strip_prefix(BEGIN);
        let Some(label) = label.and_then(|rest| rest.strip_suffix(DASHES)) else {
            continue;
        };
        let mut body = String::new();
        let end = loop {
            match lines.next() {
                Some(line) if line.starts_with(END) => break line,
                Some(line) => body.push_str(line),
                None => return Err(KeyError::NotKeys("a PEM block without an end")),
            }
        };
        if end != format!("{END}{label}{DASHES}") {
            return Err(KeyError::NotKeys("a PEM block with another end"));
        }
        let read: fn(&[u8]) -> Result<Material, KeyError> = match label {
            "PUBLIC KEY" => subject_public_key,
            "RSA PUBLIC KEY" => rsa_public_key,
            _ if label.ends_with("PRIVATE KEY") => return Err(KeyError::Private),
            "CERTIFICATE" => {
                return Err(KeyError::NotKeys(
                    "a certificate (`openssl x509 -pubkey -noout` takes the key out)",
                ));
            }
            _ => return Err(KeyError::NotKeys("a PEM block that is no public key")),
        };
        let der = base64::decode(&body);
        let der = der.ok_or(KeyError::NotKeys("a PEM block that is no base64"))?;
        keys.push(Key {
            kid: None,
            material: read(&der)?,
        });
    }
    match keys.is_empty() {
        true => Err(KeyError::NotKeys("no PEM block")),
        false => Ok(keys),
    }
}

fn subject_public_key(der: &[u8]) -> Result<Material, KeyError> {
    const WHAT: KeyError = KeyError::Unsound("DER");
    let mut all = Reader(der);
    let mut key = Reader(all.take(SEQUENCE).ok_or(WHAT)?);
    let mut algorithm = Reader(key.take(SEQUENCE).ok_or(WHAT)?);
    let bits = key.take(BIT_STRING).ok_or(WHAT)?;
    // The first byte counts unused bits; keys are whole bytes.
    let Some((0, bits)) = bits
        .split_first()
        .filter(|_| all.is_over() && key.is_over())
    else {
        return Err(WHAT);
    };
    match algorithm.take(OBJECT_ID).ok_or(WHAT)? {
        RSA => rsa_public_key(bits),
        EC => match algorithm.take(OBJECT_ID) {
            Some(P256) => ec(bits),
            _ => Err(KeyError::Kind("EC on another curve than P-256".to_owned())),
        },
        ED25519 => ed(bits),
        _ => Err(KeyError::Kind("unknown".to_owned())),
    }
}

fn rsa_public_key(der: &[u8]) -> Result<Material, KeyError> {
    const WHAT: KeyError = KeyError::Unsound("DER");
    let mut all = Reader(der);
    let mut key = Reader(all.take(SEQUENCE).ok_or(WHAT)?);
    let n = key.take(INTEGER).ok_or(WHAT)?;
    let e = key.take(INTEGER).ok_or(WHAT)?;
    let is_negative = |number: &[u8]| number.first().is_none_or(|byte| byte & 0x80 != 0);
    if !all.is_over() || !key.is_over() || is_negative(n) || is_negative(e) {
        return Err(WHAT);
    }
    rsa(n, e)
}

/// What is left of a run of values.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next value, if it has this tag and its length is written the shortest way (X.690 10.1).
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (len, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81 => {
                let (len, rest) = rest.split_first()?;
                (usize::from(*len), rest)
            }
            0x82 => {
                let (len, rest) = rest.split_first_chunk::<2>()?;
                (usize::from(u16::from_be_bytes(*len)), rest)
            }
            _ => return None,
        };
        let shortest = match len {
            0..=0x7f => *first <= 0x7f,
            0x80..=0xff => *first == 0x81,
            _ => *first == 0x82,
        };
        if *found != tag || !shortest || rest.len() < len {
            return None;
        }
        let (content, rest) = rest.split_at(len);
        self.0 = rest;
        Some(content)
    }

    fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}
