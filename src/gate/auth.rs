//! Bearer tokens (RFC 6750): who comes in by one, and what the others are told.
//!
//! Fixed ones are in `tokens`, those of an issuer in [`jwt`](super::jwt). They come in the
//! `Authorization` header only; nothing here ever sees a query string, which ends up in logs (RFC 6750 5.3).

use std::fmt;
use std::rc::Rc;

use super::jwt::{Jwt, JwtRefusal};
use super::principal::{Principal, Scope, Scopes};
pub use super::tokens::{TokenError, Tokens};
use super::tokens::{digest, is_token};

/// What is asked of a caller.
#[derive(Clone)]
pub enum Auth {
    /// Nothing: everybody is `anonymous`.
    Off(Rc<Principal>),
    /// One of these tokens.
    Tokens(Tokens),
    /// One of these tokens, or one that the issuer has signed.
    Jwt(Tokens, Rc<Jwt>),
}

impl Auth {
    /// Everybody may do everything.
    #[must_use]
    pub fn off() -> Self {
        Self::Off(Rc::new(Principal::anonymous()))
    }

    /// The caller of this name, if there is one: whose a session of an earlier process is. Of a caller with a JWT only
    /// the name is known until the next one comes; what it may do is said by each token anew.
    #[must_use]
    pub fn principal(&self, name: &str) -> Option<Rc<Principal>> {
        match self {
            Self::Off(anonymous) => (&*anonymous.name == name).then(|| Rc::clone(anonymous)),
            Self::Tokens(tokens) => tokens.named(name),
            Self::Jwt(..) if Jwt::is_name(name) => Some(Rc::new(Principal {
                name: name.into(),
                scopes: Scopes::NONE,
                tools: Rc::new([]),
            })),
            Self::Jwt(tokens, _) => tokens.named(name),
        }
    }

    /// Whether this caller has shown a token, and not just come in.
    #[must_use]
    pub fn knows(&self, caller: &Rc<Principal>) -> bool {
        match self {
            Self::Off(_) => false,
            Self::Tokens(tokens) => tokens.have(caller),
            Self::Jwt(tokens, _) => Jwt::is_name(&caller.name) || tokens.have(caller),
        }
    }

    /// Decides on the value of `Authorization` at the Unix time `now`.
    ///
    /// # Errors
    /// The refusal to answer with. After [`JwtRefusal::UnknownKey`] it may be otherwise once keys have been fetched.
    pub fn admit(
        &self,
        authorization: Option<&str>,
        now: i64,
    ) -> Result<Rc<Principal>, AuthRefusal> {
        let (tokens, jwt) = match self {
            Self::Off(anonymous) => return Ok(Rc::clone(anonymous)),
            Self::Tokens(tokens) => (tokens, None),
            Self::Jwt(tokens, jwt) => (tokens, Some(jwt)),
        };
        let authorization = authorization.ok_or(AuthRefusal::Missing)?;
        let token = bearer(authorization).ok_or(AuthRefusal::Malformed)?;
        if let Some(found) = tokens.find(&digest(token)) {
            return Ok(Rc::clone(found));
        }
        let jwt = jwt.filter(|_| Jwt::is_jwt(token));
        let caller = jwt.ok_or(AuthRefusal::Wrong)?.admit(token, now);
        let caller = caller.map_err(AuthRefusal::Jwt)?;
        // Its issuer has not meant it for this server, or not for anything one can do here.
        if caller.scopes == Scopes::NONE {
            return Err(AuthRefusal::Scope(Scope::Read));
        }
        Ok(caller)
    }

    /// The value of `WWW-Authenticate`, RFC 6750 3. `needed` is what the request asks of its caller;
    /// `resource_metadata` the address of the RFC 9728 document, if one is served.
    #[must_use]
    pub fn challenge(
        &self,
        refusal: AuthRefusal,
        needed: Scopes,
        resource_metadata: Option<&str>,
    ) -> String {
        let mut challenge = String::from("Bearer realm=\"siskin\"");
        let mut add = |name: &str, value: &str| {
            challenge.push_str(", ");
            challenge.push_str(name);
            challenge.push_str("=\"");
            let is_sound = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
            challenge.extend(value.chars().filter(is_sound));
            challenge.push('"');
        };
        match refusal {
            // "If the request lacks any authentication information, the resource server SHOULD NOT include an error
            // code" (RFC 6750 3.1); a header of another scheme has none for us either.
            AuthRefusal::Malformed | AuthRefusal::Missing => (),
            AuthRefusal::Scope(_) => add("error", "insufficient_scope"),
            AuthRefusal::Jwt(_) | AuthRefusal::Wrong => add("error", "invalid_token"),
        }
        if let AuthRefusal::Jwt(refusal) = refusal
            && refusal.is_of_signed()
        {
            add("error_description", &refusal.to_string());
        }
        // Scopes in the issuer's words, all of them at once: a client asks for what it is told here and nothing more
        // (2025-11-25 basic/authorization, "Scope Selection Strategy"). Who has a fixed token can ask nobody.
        let scopes = match (self, refusal) {
            (Self::Jwt(_, jwt), _) => jwt.rules().grants.asking_for(needed),
            (_, AuthRefusal::Scope(scope)) => scope.as_str().to_owned(),
            _ => String::new(),
        };
        if !scopes.is_empty() {
            add("scope", &scopes);
        }
        if let Some(address) = resource_metadata {
            add("resource_metadata", address);
        }
        challenge
    }
}

/// What new rules make of a caller the old ones knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may do other things than before.
    Changed,
    /// Nobody of this name can come in any more.
    Gone,
    /// All as before, though perhaps by another token.
    Same,
}

impl Auth {
    /// What becomes of the caller `name` when these rules replace `old`.
    #[must_use]
    pub fn standing(&self, old: &Self, name: &str) -> Standing {
        let rules_differ = match (old, self) {
            (Self::Jwt(_, old), Self::Jwt(_, new)) if Jwt::is_name(name) => {
                // The same name of another issuer is somebody else.
                if old.rules().issuer != new.rules().issuer {
                    return Standing::Gone;
                }
                old.rules() != new.rules()
            }
            _ => false,
        };
        match self.principal(name) {
            None => Standing::Gone,
            Some(_) if rules_differ => Standing::Changed,
            Some(new) if old.principal(name).is_some_and(|old| old == new) => Standing::Same,
            Some(_) => Standing::Changed,
        }
    }
}

/// The token of `Bearer <token>`; the scheme in any case (RFC 9110 11.1), one or more spaces between.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, rest) = authorization.split_once(' ')?;
    let token = rest.trim_start_matches(' ');
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    (is_bearer && is_token(token)).then_some(token)
}

/// Why a caller is not let in, or not further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthRefusal {
    /// A JWT that is not good.
    Jwt(JwtRefusal),
    /// Not a bearer token.
    Malformed,
    /// No `Authorization` header.
    Missing,
    /// A good token without this right.
    Scope(Scope),
    /// No token of ours.
    Wrong,
}

impl AuthRefusal {
    /// The status to answer with.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Jwt(_) | Self::Malformed | Self::Missing | Self::Wrong => 401,
            Self::Scope(_) => 403,
        }
    }

    /// Whether who shows such a token may be trying out which ones there are. One that the issuer has signed was not
    /// guessed, though it may have expired or be for somebody else.
    #[must_use]
    pub const fn is_a_guess(self) -> bool {
        match self {
            Self::Jwt(refusal) => !refusal.is_of_signed(),
            Self::Malformed | Self::Wrong => true,
            Self::Missing | Self::Scope(_) => false,
        }
    }

    /// The answer's body.
    #[must_use]
    pub fn body(self) -> String {
        super::error_body(&self.to_string())
    }
}

/// The old server's words, which its clients look for; one text for every token that nobody has signed.
impl fmt::Display for AuthRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("Invalid Authorization header format"),
            Self::Missing => f.write_str("Missing Authorization header"),
            Self::Jwt(refusal) if refusal.is_of_signed() => refusal.fmt(f),
            Self::Jwt(_) | Self::Wrong => f.write_str("Invalid API token"),
            Self::Scope(scope) => write!(f, "this token lacks the scope `{}`", scope.as_str()),
        }
    }
}

impl Principal {
    /// Asks for a right.
    ///
    /// # Errors
    /// The refusal to answer with when it is missing.
    pub const fn require(&self, scope: Scope) -> Result<(), AuthRefusal> {
        if self.scopes.has(scope) {
            Ok(())
        } else {
            Err(AuthRefusal::Scope(scope))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::tokens::samples::{ABC, principal, tokens};

    #[track_caller]
    fn check(authorization: Option<&str>, expected: Result<&str, AuthRefusal>) {
        let got = Auth::Tokens(tokens())
            .admit(authorization, 0)
            .map(|principal| principal.name.to_string());
        assert_eq!(got.as_deref(), expected.as_deref());
    }

    #[test]
    fn new_tokens_leave_callers_as_they_were_change_them_or_send_them_away() {
        let one = |token: &str, principal: Principal| {
            let mut tokens = Tokens::default();
            tokens.add(token, principal).unwrap();
            Auth::Tokens(tokens)
        };
        let old = one("a", principal("x"));
        let standing = |new: Auth, name: &str| new.standing(&old, name);
        assert_eq!(standing(one("b", principal("x")), "x"), Standing::Same);
        assert_eq!(standing(one("a", principal("y")), "x"), Standing::Gone);
        assert_eq!(standing(Auth::off(), "x"), Standing::Gone);
        let wider = Principal {
            scopes: Scopes::ALL,
            ..principal("x")
        };
        assert_eq!(standing(one("a", wider), "x"), Standing::Changed);
        assert_eq!(old.standing(&Auth::off(), "anonymous"), Standing::Gone);
        assert_eq!(
            Auth::off().standing(&Auth::off(), "anonymous"),
            Standing::Same
        );
    }

    #[test]
    fn tokens_and_their_neighbours() {
        check(Some("Bearer s3cret"), Ok("first"));
        check(Some("bearer s3cret"), Ok("first"));
        check(Some("BEARER   s3cret2"), Ok("last"));
        check(Some("Bearer abc"), Ok("digest"));
        check(Some("Bearer s3cre"), Err(AuthRefusal::Wrong));
        check(Some("Bearer s3crets"), Err(AuthRefusal::Wrong));
        check(Some("Bearer S3cret"), Err(AuthRefusal::Wrong));
        check(Some(&format!("Bearer {ABC}")), Err(AuthRefusal::Wrong));
        check(None, Err(AuthRefusal::Missing));
        for malformed in [
            "",
            "Bearer",
            "Bearer ",
            "s3cret",
            "Basic s3cret",
            "Bearers3cret",
            "Bearer s3cret x",
            "Bearer s3cret ",
            " Bearer s3cret",
            "Bearer\ts3cret",
            "Bearer s3crét",
            "Bearer s3cret, Bearer abc",
        ] {
            check(Some(malformed), Err(AuthRefusal::Malformed));
        }
    }

    #[test]
    fn without_authentication_everybody_is_anonymous() {
        for authorization in [None, Some("Bearer whatever"), Some("")] {
            assert_eq!(
                &*Auth::off().admit(authorization, 0).unwrap().name,
                "anonymous"
            );
        }
        assert_eq!(
            Auth::Tokens(Tokens::default()).admit(Some("Bearer x"), 0),
            Err(AuthRefusal::Wrong)
        );
    }

    #[test]
    fn what_the_client_is_told() {
        let body = |refusal: AuthRefusal| refusal.body();
        assert_eq!(
            body(AuthRefusal::Missing),
            r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Missing Authorization header","data":null},"id":null}"#
        );
        assert!(body(AuthRefusal::Malformed).contains(r#""Invalid Authorization header format""#));
        assert!(body(AuthRefusal::Wrong).contains(r#""Invalid API token""#));
        let challenge = |refusal, address| {
            let needed = Scopes::NONE.with(Scope::Write);
            Auth::Tokens(tokens()).challenge(refusal, needed, address)
        };
        assert_eq!(
            challenge(AuthRefusal::Missing, None),
            r#"Bearer realm="siskin""#
        );
        assert_eq!(
            challenge(AuthRefusal::Wrong, None),
            r#"Bearer realm="siskin", error="invalid_token""#
        );
        assert_eq!(
            challenge(
                AuthRefusal::Scope(Scope::Write),
                Some("https://x/\r\n\"y\\")
            ),
            r#"Bearer realm="siskin", error="insufficient_scope", scope="write", resource_metadata="https://x/y""#
        );
        assert_eq!(
            [
                AuthRefusal::Wrong.status(),
                AuthRefusal::Scope(Scope::Read).status()
            ],
            [401, 403]
        );
    }

    #[test]
    fn a_right_is_there_or_named() {
        assert_eq!(principal("x").require(Scope::Read), Ok(()));
        assert_eq!(
            principal("x").require(Scope::Publish),
            Err(AuthRefusal::Scope(Scope::Publish))
        );
    }
}
