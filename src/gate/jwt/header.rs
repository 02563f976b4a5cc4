//! The header of a token (RFC 7515 4). Nobody has signed it when it is read: it may say which of our keys to try, and
//! nothing else.

use super::key::Algorithm;
use super::object::{Object, WrongType};
use super::refusal::JwtRefusal;

/// Members by which a token brings its own key or rules. Who followed them would verify with what the forger chose.
const REFUSED: [&str; 6] = ["b64", "crit", "jku", "jwk", "x5c", "x5u"];

/// Longest key id in bytes.
const KID_BYTES_MAX: usize = 512;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// What the token says it is signed by; a key has to agree.
    pub(super) algorithm: Algorithm,
    /// The key's id.
    pub(super) kid: Option<String>,
}

impl Header {
    pub(super) fn parse(json: &[u8]) -> Result<Self, JwtRefusal> {
        let object = Object::parse(json).ok_or(JwtRefusal::Malformed)?;
        if REFUSED.iter().any(|name| object.has(name)) {
            return Err(JwtRefusal::Header);
        }
        let malformed = |WrongType| JwtRefusal::Malformed;
        let algorithm = object.text("alg").map_err(malformed)?;
        let algorithm = algorithm.ok_or(JwtRefusal::Malformed)?;
        let algorithm = Algorithm::of(&algorithm).ok_or(JwtRefusal::Algorithm)?;
        if let Some(kind) = object.text("typ").map_err(malformed)?
            && !is_access_token(&kind)
        {
            return Err(JwtRefusal::Type);
        }
        let kid = object.text("kid").map_err(malformed)?;
        if kid.as_ref().is_some_and(|kid| kid.len() > KID_BYTES_MAX) {
            return Err(JwtRefusal::Malformed);
        }
        Ok(Self { algorithm, kid })
    }
}

/// `typ` as RFC 7519 5.1 and RFC 9068 2.1 have it, with or without `application/`. Any other names a token for another
/// use, such as a logout (RFC 8725 3.11).
fn is_access_token(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    matches!(kind, "jwt" | "at+jwt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Result<(Algorithm, Option<&str>), JwtRefusal>) {
        let expected = expected.map(|(algorithm, kid)| Header {
            algorithm,
            kid: kid.map(str::to_owned),
        });
        assert_eq!(Header::parse(json.as_bytes()), expected, "{json}");
    }

    #[test]
    fn what_a_header_may_say() {
        check(r#"{"alg":"RS256"}"#, Ok((Algorithm::Rs256, None)));
        check(
            r#"{"alg":"ES256","typ":"JWT","kid":"k","cty":"x"}"#,
            Ok((Algorithm::Es256, Some("k"))),
        );
        check(
            r#"{"alg":"EdDSA","typ":"application/AT+jwt"}"#,
            Ok((Algorithm::EdDsa, None)),
        );
        for kind in ["logout+jwt", "JOSE", "", "JWT ", "dpop+jwt"] {
            let json = format!(r#"{{"alg":"RS256","typ":"{kind}"}}"#);
            check(&json, Err(JwtRefusal::Type));
        }
        for alg in [
            "none", "None", "NONE", "", "rs256", "RS512", "PS256", "ES384", "HS512", "RSA1_5",
        ] {
            let json = format!(r#"{{"alg":"{alg}"}}"#);
            check(&json, Err(JwtRefusal::Algorithm));
        }
        for name in REFUSED {
            let json = format!(r#"{{"alg":"RS256","{name}":null}}"#);
            check(&json, Err(JwtRefusal::Header));
        }
        for json in [
            "{}",
            "",
            "null",
            r#"{"alg":null}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"alg":"RS256","alg":"RS256"}"#,
            r#"{"alg":"RS256","typ":1}"#,
            r#"{"alg":"RS256","kid":7}"#,
        ] {
            check(json, Err(JwtRefusal::Malformed));
        }
        let long = |len| format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(len));
        assert!(Header::parse(long(KID_BYTES_MAX).as_bytes()).is_ok());
        check(&long(KID_BYTES_MAX + 1), Err(JwtRefusal::Malformed));
    }
}
