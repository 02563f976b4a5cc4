//! SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104): by ring where TLS or signed tokens have brought it, which has it in the instructions
//! of each processor; else by `sha2` and `hmac`. Both in one program would be 12 kB more.

use crate::constant_time::are_equal;

#[cfg(any(feature = "jwt", feature = "tls"))]
use by_ring as by;
#[cfg(not(any(feature = "jwt", feature = "tls")))]
use by_sha2 as by;

pub(crate) use by::{Hasher, Mac};

/// The hash of `bytes`.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.finish()
}

/// Whether `tag` is what a [`Mac`] came to, or its beginning.
pub(crate) fn is_tag(whole: &[u8; 32], tag: &[u8]) -> bool {
    (1..=whole.len()).contains(&tag.len()) && are_equal(whole.iter().zip(tag))
}

#[cfg(any(feature = "jwt", feature = "tls"))]
mod by_ring {
    use ring::{digest, hmac};

    /// Bytes that come one after another.
    pub(crate) struct Hasher(digest::Context);

    impl Hasher {
        pub(crate) fn new() -> Hasher {
            Hasher(digest::Context::new(&digest::SHA256))
        }

        pub(crate) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(crate) fn finish(self) -> [u8; 32] {
            whole(self.0.finish().as_ref())
        }
    }

    /// A key, and bytes that come one after another.
    #[derive(Clone)]
    pub(crate) struct Mac(hmac::Context);

    impl Mac {
        pub(crate) fn new(key: &[u8; 32]) -> Mac {
            Mac(hmac::Context::with_key(&hmac::Key::new(
                hmac::HMAC_SHA256,
                key,
            )))
        }

        pub(crate) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(crate) fn finish(self) -> [u8; 32] {
            whole(self.0.sign().as_ref())
        }
    }

    /// ring's type of all lengths as ours of one.
    fn whole(bytes: &[u8]) -> [u8; 32] {
        let mut whole = [0; 32];
        whole.copy_from_slice(bytes);
        whole
    }
}

// With ring, for the tests alone.
#[cfg(any(test, not(any(feature = "jwt", feature = "tls"))))]
mod by_sha2 {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::{Digest as _, Sha256};

    /// Bytes that come one after another.
    pub(crate) struct Hasher(Sha256);

    impl Hasher {
        pub(crate) fn new() -> Hasher {
            Hasher(Sha256::new())
        }

        pub(crate) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(crate) fn finish(self) -> [u8; 32] {
            self.0.finalize().into()
        }
    }

    /// A key, and bytes that come one after another.
    #[derive(Clone)]
    pub(crate) struct Mac(Hmac<Sha256>);

    impl Mac {
        #[expect(clippy::expect_used, reason = "RFC 2104 section 2: any length will do")]
        pub(crate) fn new(key: &[u8; 32]) -> Mac {
            Mac(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
        }

        pub(crate) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(crate) fn finish(self) -> [u8; 32] {
            self.0.finalize().into_bytes().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: [u8; 32]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// FIPS 180-2, appendix B.1, and RFC 4231, 4.3, whose key is filled up with zeros (RFC 2104 section 2).
    #[test]
    fn known_answers() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(hash(b"abc")), abc);
        let mut hasher = by_sha2::Hasher::new();
        hasher.update(b"a");
        hasher.update(b"bc");
        assert_eq!(hex(hasher.finish()), abc);
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let mut mac = Mac::new(&key);
        let mut other = by_sha2::Mac::new(&key);
        for part in [&b"what do ya want "[..], b"for nothing?"] {
            mac.update(part);
            other.update(part);
        }
        let (tag, whole) = (other.finish(), mac.finish());
        assert_eq!(hex(whole), expected);
        assert_eq!(hex(tag), expected);
        for (part, is_it) in [(0, false), (1, true), (16, true), (32, true)] {
            assert_eq!(is_tag(&whole, &tag[..part]), is_it, "{part}");
        }
        for at in 0..32 {
            let mut wrong = tag;
            wrong[at] ^= 1;
            assert!(!is_tag(&whole, &wrong));
        }
        assert!(!is_tag(&whole, &[tag, tag].concat()));
    }
}
