//! The claims of a token (RFC 7519 4), read after its signature held.

use super::object::{Object, WrongType};
use super::refusal::JwtRefusal;
use super::{CLOCK_MIN, Rules};

/// What the name of a caller begins with that is a token's subject.
pub(super) const SUBJECT: &str = "jwt:";
/// The same for a program that asked for itself, where the issuer names no subject.
pub(super) const CLIENT: &str = "jwt-client:";

/// Longest subject in bytes; OpenID Connect Core 2 says so.
const SUBJECT_BYTES_MAX: usize = 255;
/// The end of the year 9999, in Unix seconds. What is later was meant as milliseconds.
const TIME_MAX: i64 = 253_402_300_799;

/// What a token says, as far as it concerns us.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claims {
    /// When it is good.
    pub(super) times: Times,
    /// Who came, as a principal is named.
    pub(super) name: String,
    /// What its issuer allows, in the issuer's words.
    pub(super) scopes: Vec<String>,
}

/// When a token is good, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
}

impl Claims {
    /// Reads them and sees that the token is from whom and for whom it has to be.
    pub(super) fn parse(json: &[u8], rules: &Rules) -> Result<Self, JwtRefusal> {
        let object = Object::parse(json).ok_or(JwtRefusal::Claim("payload"))?;
        let issuer = required(object.text("iss"), "iss")?;
        if issuer != rules.issuer {
            return Err(JwtRefusal::Issuer);
        }
        let audiences = required(object.texts("aud"), "aud")?;
        if !audiences.iter().any(|one| rules.audiences.contains(one)) {
            return Err(JwtRefusal::Audience);
        }
        let times = Times {
            exp: time(&object, "exp")?.ok_or(JwtRefusal::Missing("exp"))?,
            nbf: time(&object, "nbf")?,
            iat: time(&object, "iat")?,
        };
        Ok(Self {
            times,
            name: name(&object)?,
            scopes: scopes(&object, &rules.scope_claims)?,
        })
    }
}

impl Times {
    /// Whether the token is good at `now`, with clocks that differ by `leeway_s` at most.
    pub(super) fn admit(self, now: i64, leeway_s: i64) -> Result<(), JwtRefusal> {
        if now < CLOCK_MIN {
            return Err(JwtRefusal::Clock);
        }
        // "The current date/time MUST be before the expiration" (RFC 7519 4.1.4): at `exp` it is over.
        if now >= self.exp.saturating_add(leeway_s) {
            return Err(JwtRefusal::Expired);
        }
        let latest = now.saturating_add(leeway_s);
        if self.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(JwtRefusal::NotYet);
        }
        if self.iat.is_some_and(|iat| iat > latest) {
            return Err(JwtRefusal::IssuedLater);
        }
        Ok(())
    }
}

fn required<T>(read: Result<Option<T>, WrongType>, name: &'static str) -> Result<T, JwtRefusal> {
    match read {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(JwtRefusal::Missing(name)),
        Err(WrongType) => Err(JwtRefusal::Claim(name)),
    }
}

/// A `NumericDate` (RFC 7519 2): seconds, perhaps with a fraction, which is cut off.
fn time(object: &Object<'_>, name: &'static str) -> Result<Option<i64>, JwtRefusal> {
    let Some(text) = object.raw(name) else {
        return Ok(None);
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_plain = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: Option<i64> = whole.parse().ok().filter(|_| is_plain);
    let sound = seconds.filter(|seconds| (0..=TIME_MAX).contains(seconds));
    sound.map(Some).ok_or(JwtRefusal::Claim(name))
}

/// `sub`, or the client where a program asked for itself and the issuer names nobody (RFC 9068 2.2 wants `sub` even
/// then, not all issuers know).
fn name(object: &Object<'_>) -> Result<String, JwtRefusal> {
    for (prefix, claim) in [(SUBJECT, "sub"), (CLIENT, "client_id"), (CLIENT, "azp")] {
        let text = object.text(claim);
        let Some(text) = text.map_err(|WrongType| JwtRefusal::Claim(claim))? else {
            continue;
        };
        let is_sound =
            (1..=SUBJECT_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control);
        return match is_sound {
            true => Ok(format!("{prefix}{text}")),
            false => Err(JwtRefusal::Claim(claim)),
        };
    }
    Err(JwtRefusal::Missing("sub"))
}

/// The names in all claims that hold scopes: `"a b"` (RFC 8693 4.2) or `["a", "b"]`.
fn scopes(object: &Object<'_>, claims: &[String]) -> Result<Vec<String>, JwtRefusal> {
    let mut scopes = Vec::new();
    for claim in claims {
        let texts = object.texts(claim);
        let texts = texts.map_err(|WrongType| JwtRefusal::Claim("scope"))?;
        for text in texts.unwrap_or_default() {
            scopes.extend(
                text.split(' ')
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned),
            );
        }
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::super::rights::Grants;
    use super::*;
    use crate::gate::jwt::Algorithms;

    fn rules() -> Rules {
        Rules {
            issuer: "https://id.lan".to_owned(),
            audiences: vec!["https://mcp.lan/mcp".to_owned(), "siskin".to_owned()],
            algorithms: Algorithms::ALL,
            leeway_s: 30,
            scope_claims: vec!["scope".to_owned(), "scp".to_owned()],
            grants: Grants::default(),
        }
    }

    const SOUND: &str = r#""iss":"https://id.lan","aud":"siskin","exp":2000000000,"sub":"ann""#;

    /// What `json`, with what it replaces of the sound claims, is read as.
    fn read(claims: &str) -> Result<Claims, JwtRefusal> {
        Claims::parse(format!("{{{claims}}}").as_bytes(), &rules())
    }

    #[track_caller]
    fn check(from: &str, to: &str, expected: Result<(), JwtRefusal>) {
        assert!(SOUND.contains(from));
        let claims = SOUND.replace(from, to);
        assert_eq!(read(&claims).map(|_| ()), expected, "{claims}");
    }

    #[test]
    fn from_whom_and_for_whom() {
        check("\"aud\":\"siskin\"", "\"aud\":\"siskin\"", Ok(()));
        check("\"siskin\"", r#"["other","siskin"]"#, Ok(()));
        check("\"siskin\"", r#"["https://mcp.lan/mcp"]"#, Ok(()));
        for other in [
            r#""Siskin""#,
            r#""siskin ""#,
            "[]",
            r#""""#,
            r#""https://mcp.lan/mcp/""#,
            r#"["other"]"#,
        ] {
            check("\"siskin\"", other, Err(JwtRefusal::Audience));
        }
        for wrong in ["1", "null", r#"["siskin",1]"#, "{}"] {
            check("\"siskin\"", wrong, Err(JwtRefusal::Claim("aud")));
        }
        check("\"aud\":\"siskin\",", "", Err(JwtRefusal::Missing("aud")));
        for other in ["https://id.lan/", "https://ID.lan", "http://id.lan", ""] {
            check("https://id.lan", other, Err(JwtRefusal::Issuer));
        }
        check("\"https://id.lan\"", "7", Err(JwtRefusal::Claim("iss")));
        check(
            "\"iss\":\"https://id.lan\",",
            "",
            Err(JwtRefusal::Missing("iss")),
        );
        check(
            "\"sub\"",
            "\"aud\":\"siskin\",\"sub\"",
            Err(JwtRefusal::Claim("payload")),
        );
    }

    #[test]
    fn a_caller_has_a_name() {
        let name = |from: &str, to: &str| read(&SOUND.replace(from, to)).map(|claims| claims.name);
        let whole = "\"sub\":\"ann\"";
        assert_eq!(name("ann", "ann").unwrap(), "jwt:ann");
        assert_eq!(name("ann", "a:b c").unwrap(), "jwt:a:b c");
        assert_eq!(
            name(whole, r#""client_id":"job""#).unwrap(),
            "jwt-client:job"
        );
        assert_eq!(name(whole, r#""azp":"job""#).unwrap(), "jwt-client:job");
        assert_eq!(
            name(whole, r#""azp":"b","client_id":"a","sub":"s""#).unwrap(),
            "jwt:s"
        );
        assert_eq!(name("ann", &"a".repeat(255)).unwrap().len(), 259);
        let sub = Err(JwtRefusal::Claim("sub"));
        assert_eq!(name("ann", &"a".repeat(256)), sub);
        assert_eq!(name("ann", ""), sub);
        assert_eq!(name("ann", "a\\nb"), sub);
        assert_eq!(name("\"ann\"", "7"), sub);
        assert_eq!(name(whole, "\"x\":1"), Err(JwtRefusal::Missing("sub")));
    }

    #[test]
    fn scopes_are_texts_or_arrays_of_them() {
        let scopes = |more: &str| read(&format!("{SOUND}{more}")).map(|claims| claims.scopes);
        for (more, expected) in [
            ("", &[][..]),
            (r#","scope":"""#, &[]),
            (r#","scope":"read  write""#, &["read", "write"]),
            (r#","scp":["read","write"]"#, &["read", "write"]),
            (r#","scp":["a"],"scope":"b""#, &["b", "a"]),
            (r#","roles":["write"]"#, &[]),
        ] {
            assert_eq!(scopes(more).unwrap(), expected, "{more}");
        }
        for more in [
            r#","scope":7"#,
            r#","scp":[1]"#,
            r#","scope":null"#,
            r#","scope":{}"#,
        ] {
            assert_eq!(scopes(more), Err(JwtRefusal::Claim("scope")), "{more}");
        }
    }

    #[test]
    fn times_are_seconds() {
        let exp = |text: &str| {
            let claims = read(&SOUND.replace("2000000000", text));
            claims.map(|claims| claims.times.exp)
        };
        assert_eq!(exp("2000000000.75"), Ok(2_000_000_000));
        assert_eq!(exp("0"), Ok(0));
        assert_eq!(exp("253402300799"), Ok(TIME_MAX));
        for text in [
            "253402300800",
            "2000000000000",
            "-1",
            "-0.5e9",
            "2e9",
            "2.0e9",
            "\"2000000000\"",
            "null",
            "true",
            "99999999999999999999",
        ] {
            assert_eq!(exp(text), Err(JwtRefusal::Claim("exp")), "{text}");
        }
        check(",\"exp\":2000000000", "", Err(JwtRefusal::Missing("exp")));
        for name in ["nbf", "iat"] {
            let wrong = format!("\"{name}\":\"1\",\"exp\"");
            let expected = JwtRefusal::Claim(if name == "nbf" { "nbf" } else { "iat" });
            check("\"exp\"", &wrong, Err(expected));
        }
    }

    #[test]
    fn a_token_is_good_between_its_times() {
        const NOW: i64 = 1_900_000_000;
        let check = |exp: i64, nbf: Option<i64>, iat: Option<i64>, expected| {
            let times = Times { exp, nbf, iat };
            assert_eq!(times.admit(NOW, 30), expected, "{times:?}");
        };
        check(NOW + 1, None, None, Ok(()));
        check(NOW - 29, None, None, Ok(()));
        check(NOW - 30, None, None, Err(JwtRefusal::Expired));
        check(NOW + 1, Some(NOW + 30), Some(NOW + 30), Ok(()));
        check(NOW + 1, Some(NOW + 31), None, Err(JwtRefusal::NotYet));
        check(NOW + 1, None, Some(NOW + 31), Err(JwtRefusal::IssuedLater));
        check(NOW + 1, Some(0), Some(0), Ok(()));
        let times = Times {
            exp: TIME_MAX,
            nbf: None,
            iat: None,
        };
        assert_eq!(times.admit(CLOCK_MIN, 0), Ok(()));
        for unset in [CLOCK_MIN - 1, 0, -1, i64::MIN] {
            assert_eq!(times.admit(unset, 60), Err(JwtRefusal::Clock), "{unset}");
        }
        assert_eq!(times.admit(i64::MAX, 60), Err(JwtRefusal::Expired));
    }
}
