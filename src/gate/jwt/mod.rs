//! Access tokens that somebody else issued: JWT (RFC 7519) as JWS in compact form (RFC 7515), by the rules of RFC 8725.
//!
//! In scope: the form of a token, its signature, the claims that decide whether it is for us and for now, and what its
//! scopes allow here. Out of scope: fetching keys and reading files (`app`), clocks (the time is an argument), issuing.
//!
//! In this order, so that nothing a stranger wrote is read further than it must be:
//!
//! ```text
//!   size ─▶ three parts ─▶ header: `alg` known, nothing that names a key of its own ─▶ keys of that id and kind
//!     ─▶ signature ─▶ claims: `iss` `aud` `exp` `nbf` `iat` ─▶ subject, scopes ─▶ Principal
//! ```
//!
//! A key says by what algorithm it verifies; the header has to agree and can choose nothing. What is said of a token
//! before its signature holds is the same for all; afterwards the refusal names the claim.

mod refusal;
pub use refusal::JwtRefusal;

mod rights;
pub use rights::{Grant, Grants};

mod key;
pub use key::{Algorithm, Algorithms, Key, KeyError, KeyRing, Keys, SECRET_BYTES_MIN};

mod claims;
mod header;
mod jwk;
mod object;
mod pem;

#[cfg(feature = "jwt")]
mod signature;

#[cfg(not(feature = "jwt"))]
#[path = "absent.rs"]
mod signature;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::base64;
use crate::constant_time::is_equal;

use super::principal::Principal;
use super::tokens::digest;

use claims::{Claims, Times};
use header::Header;

/// Whether this program can verify signatures.
pub const IS_BUILT_IN: bool = cfg!(feature = "jwt");

/// Longest token in bytes. A head of the default size has room for less.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// The day of the newest revision this program speaks, 2026-07-28, in Unix seconds. A clock that says less has not been
/// set yet (a board without a battery starts in 1970): by it every token that ever expired would be good again.
pub const CLOCK_MIN: i64 = 1_785_196_800;

/// Tokens whose signature held lately. On a small board a verification takes milliseconds, and a client sends the same
/// token for an hour.
const SEEN_MAX: usize = 64;

/// What a token has to say to come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Who issues them: `iss`, compared as text.
    pub issuer: String,
    /// Whom they are for: one of these has to be in `aud`.
    pub audiences: Vec<String>,
    /// By what they may be signed.
    pub algorithms: Algorithms,
    /// How far clocks may differ, in seconds.
    pub leeway_s: i64,
    /// The claims that scopes are read from: texts with spaces between names, or arrays of names.
    pub scope_claims: Vec<String>,
    /// What the names mean here.
    pub grants: Grants,
}

/// The tokens of one issuer.
pub struct Jwt {
    rules: Rules,
    keys: KeyRing,
    seen: RefCell<VecDeque<Seen>>,
}

/// A token whose signature held, and what it said. Its time and its key are looked at again each time.
struct Seen {
    digest: [u8; 32],
    keys: Rc<Keys>,
    times: Times,
    principal: Rc<Principal>,
}

impl Jwt {
    /// Tokens that follow `rules`, signed by one of `keys`.
    #[must_use]
    pub fn new(rules: Rules, keys: KeyRing) -> Self {
        Self {
            rules,
            keys,
            seen: RefCell::default(),
        }
    }

    /// What tokens have to say.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether a caller of this name came by one of these: no configured token has a name with a colon.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        name.starts_with(claims::SUBJECT) || name.starts_with(claims::CLIENT)
    }

    /// Whether a bearer token looks like one of these: three parts.
    #[must_use]
    pub fn is_jwt(token: &str) -> bool {
        token.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Decides on a token at the Unix time `now`.
    ///
    /// # Errors
    /// Why it is refused; [`JwtRefusal::UnknownKey`] may change when keys are fetched.
    pub fn admit(&self, token: &str, now: i64) -> Result<Rc<Principal>, JwtRefusal> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(JwtRefusal::TooLong);
        }
        let keys = self.keys.current();
        let digest = digest(token);
        if let Some((times, principal)) = self.seen(&digest, &keys) {
            times.admit(now, self.rules.leeway_s)?;
            return Ok(principal);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtRefusal::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwtRefusal::Malformed)?;
        if payload.contains('.') {
            return Err(JwtRefusal::Malformed);
        }
        let header = Header::parse(&base64::decode_url(header).ok_or(JwtRefusal::Malformed)?)?;
        if !self.rules.algorithms.has(header.algorithm) {
            return Err(JwtRefusal::Algorithm);
        }
        let payload = base64::decode_url(payload).ok_or(JwtRefusal::Malformed)?;
        let signature = base64::decode_url(signature).ok_or(JwtRefusal::Malformed)?;
        keys.verify(&header, signed.as_bytes(), &signature)?;
        let claims = Claims::parse(&payload, &self.rules)?;
        claims.times.admit(now, self.rules.leeway_s)?;
        let principal = Rc::new(self.rules.grants.principal(&claims.name, &claims.scopes));
        let seen = Seen {
            digest,
            keys,
            times: claims.times,
            principal: Rc::clone(&principal),
        };
        self.remember(seen);
        Ok(principal)
    }

    fn seen(&self, digest: &[u8; 32], keys: &Rc<Keys>) -> Option<(Times, Rc<Principal>)> {
        let seen = self.seen.borrow();
        let found = seen
            .iter()
            .find(|seen| is_equal(&seen.digest, digest) && Rc::ptr_eq(&seen.keys, keys))?;
        Some((found.times, Rc::clone(&found.principal)))
    }

    fn remember(&self, new: Seen) {
        let mut seen = self.seen.borrow_mut();
        // What other keys verified is verified again.
        seen.retain(|old| Rc::ptr_eq(&old.keys, &new.keys));
        seen.truncate(SEEN_MAX - 1);
        seen.push_front(new);
    }
}

/// Reads `text` as each thing that comes from outside: a token, its parts, and keys.
#[doc(hidden)]
#[expect(clippy::expect_used, reason = "what is expected is the test")]
pub fn fuzz_jwt(text: &str) {
    let rules = Rules {
        issuer: "i".to_owned(),
        audiences: vec!["a".to_owned()],
        algorithms: Algorithms::ALL,
        leeway_s: 30,
        scope_claims: vec!["scope".to_owned()],
        grants: Grants::default(),
    };
    if let Ok(header) = Header::parse(text.as_bytes()) {
        assert_eq!(
            Algorithm::of(header.algorithm.as_str()),
            Some(header.algorithm)
        );
    }
    if let Ok(claims) = Claims::parse(text.as_bytes(), &rules) {
        assert!(Jwt::is_name(&claims.name));
        assert_eq!(
            claims.times.admit(CLOCK_MIN - 1, 30),
            Err(JwtRefusal::Clock)
        );
    }
    if let Ok(keys) = Keys::of_published(text.as_bytes()) {
        let is_secret = |key: &Key| key.algorithm() == Algorithm::Hs256;
        assert!(!keys.is_empty() && !keys.0.iter().any(is_secret));
    }
    if let Ok(keys) = Keys::of_file(text.as_bytes()) {
        assert!(!keys.is_empty());
    }
    // Nobody holds the one key, so nothing comes in.
    let key = Key::secret(&[7; SECRET_BYTES_MIN]).expect("it is as long as it has to be");
    let keys = Keys::of(vec![key]).expect("one key is not too many");
    let admitted = Jwt::new(rules, KeyRing::new(keys)).admit(text, i64::MAX);
    assert!(admitted.is_err_and(|refusal| !refusal.is_of_signed()));
}

#[cfg(test)]
#[cfg(feature = "jwt")]
mod tests;
