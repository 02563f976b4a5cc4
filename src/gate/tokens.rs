//! Fixed tokens: several, named, each with its rights.
//!
//! A token is held and compared as its SHA-256 digest, so neither content nor length shows in the time it takes, and a
//! configuration may hold the digest alone. All tokens are looked at for every request, right or wrong.

use std::fmt;
use std::rc::Rc;

use super::principal::Principal;
use crate::constant_time::is_equal;
use crate::sha256;

/// The tokens of a configuration.
#[derive(Clone, Default)]
pub struct Tokens(Vec<Token>);

#[derive(Clone)]
struct Token {
    digest: [u8; 32],
    principal: Rc<Principal>,
}

/// Why a token cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// `sha256:` is not followed by 64 hexadecimal digits.
    BadDigest,
    /// It could not be sent in a header.
    BadToken,
    /// Another token has the same name.
    NameTaken(Rc<str>),
    /// The token of that name is the same.
    TokenTaken(Rc<str>),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadDigest => f.write_str("expected `sha256:` and 64 hexadecimal digits"),
            Self::BadToken => {
                f.write_str("a token is one or more visible ASCII characters without spaces")
            }
            Self::NameTaken(name) => write!(f, "two tokens are named `{name}`, rename one"),
            Self::TokenTaken(name) => {
                write!(f, "this is the token of `{name}` too, give each its own")
            }
        }
    }
}

impl std::error::Error for TokenError {}

impl Tokens {
    /// Adds a token: in plain text, or as `sha256:` and the hexadecimal digest of it.
    ///
    /// # Errors
    /// When it cannot be used beside the others.
    pub fn add(&mut self, token: &str, principal: Principal) -> Result<(), TokenError> {
        let digest = match token.strip_prefix("sha256:") {
            Some(hex) => parse_digest(hex).ok_or(TokenError::BadDigest)?,
            None if is_token(token) => digest(token),
            None => return Err(TokenError::BadToken),
        };
        self.add_digest(digest, principal)
    }

    /// Adds a token of which only the SHA-256 digest is known.
    ///
    /// # Errors
    /// When it cannot be used beside the others.
    pub fn add_digest(&mut self, digest: [u8; 32], principal: Principal) -> Result<(), TokenError> {
        if self
            .0
            .iter()
            .any(|other| other.principal.name == principal.name)
        {
            return Err(TokenError::NameTaken(principal.name));
        }
        if let Some(other) = self.0.iter().find(|other| other.digest == digest) {
            return Err(TokenError::TokenTaken(Rc::clone(&other.principal.name)));
        }
        self.0.push(Token {
            digest,
            principal: Rc::new(principal),
        });
        Ok(())
    }

    /// Whether there is none: then nobody can come in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn named(&self, name: &str) -> Option<Rc<Principal>> {
        let mut principals = self.0.iter().map(|token| &token.principal);
        principals
            .find(|principal| &*principal.name == name)
            .cloned()
    }

    pub(super) fn have(&self, caller: &Rc<Principal>) -> bool {
        let mut principals = self.0.iter().map(|token| &token.principal);
        principals.any(|principal| Rc::ptr_eq(principal, caller))
    }

    /// Compares with all tokens, always all of each.
    pub(super) fn find(&self, digest: &[u8; 32]) -> Option<&Rc<Principal>> {
        self.find_by(|known| is_equal(known, digest))
    }

    fn find_by(&self, mut is_equal: impl FnMut(&[u8; 32]) -> bool) -> Option<&Rc<Principal>> {
        let mut found = None;
        for token in &self.0 {
            let is_equal = is_equal(&token.digest);
            found = if is_equal {
                Some(&token.principal)
            } else {
                found
            };
        }
        found
    }
}

pub(super) fn digest(token: &str) -> [u8; 32] {
    sha256::hash(token.as_bytes())
}

fn parse_digest(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in digest.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(digest)
}

/// Wider than RFC 6750's `b64token`, because people choose their own.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Tokens for the tests of this folder.
#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::gate::{Scope, Scopes};

    /// SHA-256 of `abc`, FIPS 180-2 B.1.
    pub(in crate::gate) const ABC: &str =
        "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    pub(in crate::gate) fn principal(name: &str) -> Principal {
        Principal {
            name: name.into(),
            scopes: Scopes::NONE.with(Scope::Read),
            tools: Rc::new([]),
        }
    }

    pub(in crate::gate) fn tokens() -> Tokens {
        let mut tokens = Tokens::default();
        for (token, name) in [("s3cret", "first"), (ABC, "digest"), ("s3cret2", "last")] {
            tokens.add(token, principal(name)).unwrap();
        }
        tokens
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{ABC, principal, tokens};
    use super::*;
    use crate::constant_time::are_equal;

    #[test]
    fn tokens_that_cannot_be_used() {
        let mut tokens = tokens();
        for (token, name, expected) in [
            ("", "new", TokenError::BadToken),
            ("a b", "new", TokenError::BadToken),
            ("ü", "new", TokenError::BadToken),
            ("sha256:12", "new", TokenError::BadDigest),
            (&ABC.replace('7', "g"), "new", TokenError::BadDigest),
            (&format!("{ABC}0"), "new", TokenError::BadDigest),
            (
                "sha256:+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1",
                "new",
                TokenError::BadDigest,
            ),
            ("fresh", "first", TokenError::NameTaken("first".into())),
            ("abc", "new", TokenError::TokenTaken("digest".into())),
        ] {
            assert_eq!(tokens.add(token, principal(name)), Err(expected), "{token}");
        }
        assert_eq!(tokens.add("fresh", principal("new")), Ok(()));
    }

    #[test]
    fn comparison_sees_every_bit() {
        let a: [u8; 32] = digest("x");
        assert!(is_equal(&a, &a));
        for bit in 0..256 {
            let mut b = a;
            b[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_equal(&a, &b), "bit {bit}");
        }
    }

    #[test]
    fn comparison_reads_every_byte_wherever_the_difference_is() {
        let a: [u8; 32] = digest("x");
        for at in 0..32 {
            let mut b = a;
            b[at] ^= 1;
            let mut read = 0;
            let pairs = a.iter().zip(&b).inspect(|_| read += 1);
            assert!(!are_equal(pairs));
            assert_eq!(read, 32, "differs at {at}");
        }
    }

    #[test]
    fn every_token_is_compared_whichever_is_the_one() {
        let tokens = tokens();
        for (token, name) in [
            ("s3cret", Some("first")),
            ("abc", Some("digest")),
            ("s3cret2", Some("last")),
            ("s3cre", None),
        ] {
            let digest = digest(token);
            let mut compared = 0;
            let found = tokens.find_by(|known| {
                compared += 1;
                is_equal(known, &digest)
            });
            assert_eq!(found.map(|found| &*found.name), name, "{token}");
            assert_eq!(compared, 3, "{token}");
        }
    }
}
