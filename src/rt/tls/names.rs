//! Whom a certificate names: just enough DER (ITU-T X.690) to find the common name and the alternative names of one
//! that has been verified already (RFC 5280 section 4.1).
//!
//! Not here: whether to believe it. What does not read has no names; every length is checked against what encloses it.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::PeerCertificate;
use crate::sha256;

/// Most names that are kept of one certificate, and the longest: each connection holds its client's.
const NAMES_MAX: usize = 16;
const NAME_BYTES_MAX: usize = 255;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_ID: u8 = 0x06;
const OCTETS: u8 = 0x04;
/// `TBSCertificate.version` and `.extensions`, both explicit.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// `id-at-commonName`, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// `id-ce-subjectAltName`, 2.5.29.17.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// What there is to know of a client by its certificate.
pub(super) fn read(der: &[u8]) -> PeerCertificate {
    let mut names = Vec::new();
    if collect(der, &mut names).is_none() {
        names.clear();
    }
    PeerCertificate {
        fingerprint: sha256::hash(der),
        names: names.into(),
    }
}

fn collect(der: &[u8], names: &mut Vec<Box<str>>) -> Option<()> {
    let mut certificate = Der(Der(der).expect(SEQUENCE)?);
    let mut tbs = Der(certificate.expect(SEQUENCE)?);
    if tbs.0.first() == Some(&VERSION) {
        tbs.next()?;
    }
    // Serial number, signature algorithm, issuer, validity.
    for _ in 0..4 {
        tbs.next()?;
    }
    common_names(tbs.expect(SEQUENCE)?, names)?;
    while !tbs.0.is_empty() {
        if let (EXTENSIONS, all) = tbs.next()? {
            let mut extensions = Der(Der(all).expect(SEQUENCE)?);
            while !extensions.0.is_empty() {
                alternative_names(extensions.expect(SEQUENCE)?, names)?;
            }
        }
    }
    Some(())
}

/// `Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }`
fn common_names(name: &[u8], names: &mut Vec<Box<str>>) -> Option<()> {
    let mut parts = Der(name);
    while !parts.0.is_empty() {
        let mut part = Der(parts.expect(SET)?);
        while !part.0.is_empty() {
            let mut attribute = Der(part.expect(SEQUENCE)?);
            if attribute.expect(OBJECT_ID)? == COMMON_NAME {
                // UTF8String, PrintableString, IA5String; the wide kinds are no UTF-8 and pass by.
                add(attribute.next()?.1, names);
            }
        }
    }
    Some(())
}

/// `Extension ::= SEQUENCE { id, critical DEFAULT FALSE, OCTET STRING }`, of which only one is of interest.
fn alternative_names(extension: &[u8], names: &mut Vec<Box<str>>) -> Option<()> {
    let mut extension = Der(extension);
    if extension.expect(OBJECT_ID)? != ALTERNATIVE_NAMES {
        return Some(());
    }
    let (mut tag, mut value) = extension.next()?;
    if tag != OCTETS {
        (tag, value) = extension.next()?;
    }
    if tag != OCTETS {
        return None;
    }
    let mut all = Der(Der(value).expect(SEQUENCE)?);
    while !all.0.is_empty() {
        match all.next()? {
            // rfc822Name, dNSName, uniformResourceIdentifier
            (0x81 | 0x82 | 0x86, text) => add(text, names),
            (0x87, bytes) => {
                if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
                    add(Ipv4Addr::from(v4).to_string().as_bytes(), names);
                } else if let Ok(v6) = <[u8; 16]>::try_from(bytes) {
                    add(Ipv6Addr::from(v6).to_string().as_bytes(), names);
                }
            }
            _ => (),
        }
    }
    Some(())
}

fn add(text: &[u8], names: &mut Vec<Box<str>>) {
    let text = std::str::from_utf8(text).unwrap_or_default();
    let is_wanted = (1..=NAME_BYTES_MAX).contains(&text.len()) && names.len() < NAMES_MAX;
    if is_wanted && !names.iter().any(|known| **known == *text) {
        names.push(text.into());
    }
}

/// The elements of a frame; it cannot see past it.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next element's tag and content.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        // Tags of several bytes occur in no certificate.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, mut rest) = rest.split_first()?;
        let len = match first {
            0..=0x7f => usize::from(first),
            0x81..=0x83 => {
                let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
                rest = after;
                let join = |len: usize, byte: &u8| (len << 8) | usize::from(*byte);
                bytes.iter().fold(0, join)
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(len)?;
        self.0 = after;
        Some((tag, content))
    }

    /// The content of the next element, which must have this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.next()?;
        (found == tag).then_some(content)
    }
}

/// For fuzzing: bytes in place of a certificate. The names are bounded, each once.
#[doc(hidden)]
pub fn fuzz_certificate(der: &[u8]) {
    let certificate = read(der);
    assert!(certificate.names.len() <= NAMES_MAX);
    let mut names = &*certificate.names;
    while let [name, others @ ..] = names {
        assert!((1..=NAME_BYTES_MAX).contains(&name.len()));
        assert!(!others.contains(name));
        names = others;
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn sample() -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["laptop.lan".to_owned()]).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "Ann's laptop");
        params
            .distinguished_name
            .push(DnType::OrganizationName, "none of it");
        let alternatives = [
            SanType::Rfc822Name("ann@nas.lan".try_into().unwrap()),
            SanType::URI("spiffe://home/ann".try_into().unwrap()),
            SanType::IpAddress("192.0.2.7".parse().unwrap()),
            SanType::IpAddress("2001:db8::7".parse().unwrap()),
            SanType::DnsName("laptop.lan".try_into().unwrap()),
        ];
        params.subject_alt_names.extend(alternatives);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    const NAMES: [&str; 6] = [
        "Ann's laptop",
        "laptop.lan",
        "ann@nas.lan",
        "spiffe://home/ann",
        "192.0.2.7",
        "2001:db8::7",
    ];

    #[test]
    fn common_and_alternative_names_are_found_each_once() {
        let der = sample();
        let found = read(&der);
        let names: Vec<&str> = found.names.iter().map(|name| &**name).collect();
        assert_eq!(names, NAMES);
        assert_eq!(found.fingerprint, sha256::hash(&der));
    }

    #[test]
    fn a_certificate_that_breaks_off_has_no_names() {
        let der = sample();
        for len in 0..der.len() {
            assert!(read(&der[..len]).names.is_empty(), "{len}");
        }
        // Whatever one byte says, nothing is read beyond its frame, and nothing panics.
        for at in 0..der.len() {
            for byte in [0, 0x1f, 0x30, 0x7f, 0x80, 0x81, 0x83, 0x84, 0xff] {
                let mut bent = der.clone();
                bent[at] = byte;
                assert!(read(&bent).names.len() <= NAMES_MAX);
            }
        }
    }

    #[test]
    fn there_are_only_so_many_names() {
        let names = |count: usize| {
            let all = (0..count).map(|n| format!("{n}.lan")).collect::<Vec<_>>();
            let params = CertificateParams::new(all).unwrap();
            let key = KeyPair::generate().unwrap();
            let der = params.self_signed(&key).unwrap().der().to_vec();
            // The common name that rcgen adds is one of them.
            read(&der).names.len()
        };
        assert_eq!(names(NAMES_MAX - 1), NAMES_MAX);
        assert_eq!(names(NAMES_MAX), NAMES_MAX);
    }
}
