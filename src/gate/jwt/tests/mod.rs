//! Tokens as a whole: each refusal beside a token that is accepted, with keys and signatures of openssl and the RFCs.

mod keys;

#[path = "../../../../tests/jwt/sign.rs"]
mod sign;

use super::*;
use crate::gate::auth::{Auth, AuthRefusal, Tokens};
use crate::gate::principal::{Scope, Scopes};
use sign::{SECRET, Signer, base64url};

const NOW: i64 = 1_800_000_000;
const CLAIMS: &str = r#"{"iss":"https://id.lan","aud":"https://mcp.lan/mcp","exp":1900000000,"sub":"ann","scope":"read"}"#;
const JWKS: &[u8] = include_bytes!("../../../../tests/jwt/jwks.json");

fn rules() -> Rules {
    Rules {
        issuer: "https://id.lan".to_owned(),
        audiences: vec!["https://mcp.lan/mcp".to_owned()],
        algorithms: Algorithms::ALL,
        leeway_s: 30,
        scope_claims: vec!["scope".to_owned()],
        grants: Grants::default(),
    }
}

fn jwt(keys: Keys) -> Jwt {
    Jwt::new(rules(), KeyRing::new(keys))
}

/// All three public keys and the secret.
fn all() -> Keys {
    let mut keys = Keys::of_published(JWKS).unwrap().0;
    keys.push(Key::secret(SECRET).unwrap());
    Keys::of(keys).unwrap()
}

const ALL: [(Signer<'static>, &str); 4] = [
    (Signer::Rsa, "rsa-1"),
    (Signer::Ec, "ec-1"),
    (Signer::Ed, "ed-1"),
    (Signer::Secret(SECRET), "any"),
];

fn admit(jwt: &Jwt, token: &str) -> Result<String, JwtRefusal> {
    let principal = jwt.admit(token, NOW)?;
    Ok(format!("{} {}", principal.name, principal.scopes))
}

#[track_caller]
fn check(token: &str, expected: Result<(), JwtRefusal>) {
    let got = admit(&jwt(all()), token);
    let expected = expected.map(|()| "jwt:ann read".to_owned());
    assert_eq!(got, expected, "{token}");
}

#[test]
fn each_kind_of_key_lets_its_tokens_in() {
    for (signer, kid) in ALL {
        check(&signer.claims(Some(kid), CLAIMS), Ok(()));
        check(&signer.claims(None, CLAIMS), Ok(()));
    }
    let token = Signer::Ed.token(r#"{"alg":"Ed25519"}"#, CLAIMS);
    check(&token, Ok(()));
}

#[test]
fn tokens_of_openssl_come_in() {
    let tokens = include_str!("../../../../tests/jwt/openssl.txt");
    assert_eq!(tokens.lines().count(), 3);
    for line in tokens.lines() {
        let (_, token) = line.split_once(' ').unwrap();
        assert_eq!(admit(&jwt(all()), token).unwrap(), "jwt:openssl read");
    }
}

#[test]
fn one_byte_makes_another_token() {
    for (signer, kid) in ALL {
        let token = signer.claims(Some(kid), CLAIMS);
        let jwt = jwt(all());
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(admit(&jwt, &changed).is_err(), "{changed}");
        }
        // Cut off, too, wherever that is.
        for end in 0..token.len() {
            assert!(admit(&jwt, &token[..end]).is_err());
        }
        assert!(admit(&jwt, &token).is_ok());
    }
}

#[test]
fn another_key_signs_nothing() {
    let other = b"another secret of thirty-two byte";
    check(
        &Signer::Secret(other).claims(None, CLAIMS),
        Err(JwtRefusal::UnknownKey),
    );
    // Where an id says which key it was, there is nothing left to fetch.
    let token = Signer::Rsa.claims(Some("rsa-1"), CLAIMS);
    let (signed, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", base64url(&[7; 256]));
    check(&forged, Err(JwtRefusal::Signature));
    check(
        &Signer::Rsa.claims(Some("rsa-2"), CLAIMS),
        Err(JwtRefusal::UnknownKey),
    );
    check(
        &Signer::Rsa.claims(Some("RSA-1"), CLAIMS),
        Err(JwtRefusal::UnknownKey),
    );
}

#[test]
fn the_key_and_not_the_token_says_how_it_is_verified() {
    // The public key as the secret of an HMAC: as it lies in its file, and as its parts.
    let pem = include_bytes!("../../../../tests/jwt/rsa.pub.pem");
    let rsa_only = || Keys::of_file(pem).unwrap();
    for secret in [&pem[..], pem.trim_ascii(), b""] {
        let token = Signer::Secret(secret).claims(None, CLAIMS);
        assert_eq!(admit(&jwt(rsa_only()), &token), Err(JwtRefusal::UnknownKey));
        let token = Signer::Secret(secret).claims(Some("rsa-1"), CLAIMS);
        check(&token, Err(JwtRefusal::UnknownKey));
    }
    assert!(admit(&jwt(rsa_only()), &Signer::Rsa.claims(None, CLAIMS)).is_ok());
    // A good signature under the name of another algorithm.
    for (signer, kid) in ALL {
        for algorithm in Algorithm::ALL {
            let header = format!(r#"{{"alg":"{}","kid":"{kid}"}}"#, algorithm.as_str());
            let token = signer.token(&header, CLAIMS);
            let is_own = algorithm.as_str() == signer.algorithm();
            assert_eq!(admit(&jwt(all()), &token).is_ok(), is_own, "{header}");
        }
    }
    for name in ["none", "None", "nOnE"] {
        let header = format!(r#"{{"alg":"{name}"}}"#);
        let signed = format!(
            "{}.{}",
            base64url(header.as_bytes()),
            base64url(CLAIMS.as_bytes())
        );
        check(&format!("{signed}."), Err(JwtRefusal::Algorithm));
        check(
            &Signer::Rsa.token(&header, CLAIMS),
            Err(JwtRefusal::Algorithm),
        );
    }
}

#[test]
fn the_operator_says_which_algorithms_are_accepted() {
    for accepted in Algorithm::ALL {
        let rules = Rules {
            algorithms: [accepted].into_iter().collect(),
            ..rules()
        };
        let jwt = Jwt::new(rules, KeyRing::new(all()));
        for (signer, kid) in ALL {
            let got = admit(&jwt, &signer.claims(Some(kid), CLAIMS)).map(|_| ());
            let expected = match accepted.as_str() == signer.algorithm() {
                true => Ok(()),
                false => Err(JwtRefusal::Algorithm),
            };
            assert_eq!(got, expected, "{accepted:?} {signer:?}");
        }
    }
}

#[test]
fn a_token_brings_no_key_of_its_own() {
    let own = std::str::from_utf8(JWKS).unwrap();
    for (member, is_accepted) in [
        (r#""cty":"x""#.to_owned(), true),
        (format!(r#""jwk":{own}"#), false),
        (r#""jku":"https://id.lan/keys""#.to_owned(), false),
        (r#""x5u":"https://id.lan/cert""#.to_owned(), false),
        (r#""x5c":["MIIB"]"#.to_owned(), false),
        (r#""crit":["exp"]"#.to_owned(), false),
        (r#""crit":[]"#.to_owned(), false),
        (r#""b64":false"#.to_owned(), false),
    ] {
        let token = Signer::Rsa.token(&format!(r#"{{"alg":"RS256",{member}}}"#), CLAIMS);
        let expected = if is_accepted {
            Ok(())
        } else {
            Err(JwtRefusal::Header)
        };
        check(&token, expected);
    }
}

#[test]
fn a_token_has_one_spelling() {
    let token = Signer::Rsa.claims(None, CLAIMS);
    let [header, payload, signature] = [0, 1, 2].map(|at| token.split('.').nth(at).unwrap());
    check(&token, Ok(()));
    for other in [
        format!("{token}="),
        format!("{token}=="),
        format!("{header}.{payload}=.{signature}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}."),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}"),
        format!("{header}. {payload}.{signature}"),
        "..".to_owned(),
        String::new(),
    ] {
        assert!(admit(&jwt(all()), &other).is_err(), "{other}");
    }
    // The last digit of 256 bytes has four bits of its own and two that have to be zero.
    let mut digits = signature.to_owned().into_bytes();
    let last = digits.last_mut().unwrap();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = alphabet.iter().position(|digit| digit == last).unwrap();
    assert_eq!(value % 4, 0);
    *last = alphabet[value + 1];
    let spelt = String::from_utf8(digits).unwrap();
    check(
        &format!("{header}.{payload}.{spelt}"),
        Err(JwtRefusal::Malformed),
    );
}

#[test]
fn a_member_stands_once() {
    let twice = CLAIMS.replace(r#""sub":"ann""#, r#""sub":"bob","sub":"ann""#);
    check(
        &Signer::Rsa.claims(None, &twice),
        Err(JwtRefusal::Claim("payload")),
    );
    let header = r#"{"alg":"HS256","alg":"RS256"}"#;
    check(
        &Signer::Rsa.token(header, CLAIMS),
        Err(JwtRefusal::Malformed),
    );
    let spelt = CLAIMS.replace(r#""sub":"ann""#, r#""sub":"ann","\u0073ub":"bob""#);
    check(
        &Signer::Rsa.claims(None, &spelt),
        Err(JwtRefusal::Claim("payload")),
    );
}

#[test]
fn claims_decide() {
    for (from, to, expected) in [
        ("ann", "ann", Ok(())),
        ("https://id.lan", "https://id.lan/", Err(JwtRefusal::Issuer)),
        ("/mcp\"", "/mcq\"", Err(JwtRefusal::Audience)),
        ("1900000000", "1800000000", Ok(())),
        ("1900000000", "1799999971", Ok(())),
        ("1900000000", "1799999970", Err(JwtRefusal::Expired)),
        ("1900000000", "1", Err(JwtRefusal::Expired)),
        ("\"exp\":1900000000,", "", Err(JwtRefusal::Missing("exp"))),
        ("\"sub\"", "\"nbf\":1800000030,\"sub\"", Ok(())),
        (
            "\"sub\"",
            "\"nbf\":1800000031,\"sub\"",
            Err(JwtRefusal::NotYet),
        ),
        ("\"sub\"", "\"iat\":1800000030,\"sub\"", Ok(())),
        (
            "\"sub\"",
            "\"iat\":1800000031,\"sub\"",
            Err(JwtRefusal::IssuedLater),
        ),
        ("\"sub\":\"ann\",", "", Err(JwtRefusal::Missing("sub"))),
    ] {
        assert!(CLAIMS.contains(from), "{from}");
        let claims = CLAIMS.replace(from, to);
        check(&Signer::Ec.claims(None, &claims), expected);
    }
    for payload in ["", "[]", "null", "\"x\"", "{", "\u{feff}{}"] {
        check(
            &Signer::Ec.claims(None, payload),
            Err(JwtRefusal::Claim("payload")),
        );
    }
}

#[test]
fn an_unset_clock_accepts_nothing() {
    let jwt = jwt(all());
    let token = Signer::Rsa.claims(None, CLAIMS);
    for now in [0, 60, CLOCK_MIN - 1] {
        assert_eq!(jwt.admit(&token, now).err(), Some(JwtRefusal::Clock));
    }
    assert!(jwt.admit(&token, CLOCK_MIN).is_ok());
    // Also one that was good a moment ago.
    assert_eq!(jwt.admit(&token, 0).err(), Some(JwtRefusal::Clock));
}

#[test]
fn a_token_has_a_length() {
    let of_len = |len: usize| {
        let token = |fill: usize| {
            let claims = CLAIMS.replace("ann\"", &format!("ann\",\"x\":\"{}\"", "x".repeat(fill)));
            Signer::Secret(SECRET).claims(None, &claims)
        };
        // Base64 does not reach every length; the header's `cty` fills up what is left.
        let found = (0..len).rev().map(token).find(|token| token.len() <= len);
        found.unwrap()
    };
    let longest = of_len(TOKEN_BYTES_MAX);
    assert!(longest.len() > TOKEN_BYTES_MAX - 4);
    check(&longest, Ok(()));
    let longer = of_len(TOKEN_BYTES_MAX + 4);
    assert!(longer.len() > TOKEN_BYTES_MAX);
    check(&longer, Err(JwtRefusal::TooLong));
}

#[test]
fn what_was_seen_is_judged_again_by_time_and_key() {
    let ring = KeyRing::new(all());
    let jwt = Jwt::new(rules(), ring.clone());
    let token = Signer::Rsa.claims(Some("rsa-1"), CLAIMS);
    let first = jwt.admit(&token, NOW).unwrap();
    assert!(Rc::ptr_eq(&first, &jwt.admit(&token, NOW).unwrap()));
    let over = jwt.admit(&token, 1_900_000_030);
    assert_eq!(over.err(), Some(JwtRefusal::Expired));
    assert!(jwt.admit(&token, 1_900_000_029).is_ok());
    // The issuer withdraws the key.
    ring.replace(Keys::of(vec![Key::secret(SECRET).unwrap()]).unwrap());
    assert_eq!(jwt.admit(&token, NOW).err(), Some(JwtRefusal::UnknownKey));
    ring.replace(all());
    assert!(jwt.admit(&token, NOW).is_ok());
    // Whatever comes, few are remembered.
    for number in 0..2 * SEEN_MAX {
        let claims = CLAIMS.replace("ann", &format!("ann{number}"));
        jwt.admit(&Signer::Secret(SECRET).claims(None, &claims), NOW)
            .unwrap();
    }
    assert_eq!(jwt.seen.borrow().len(), SEEN_MAX);
    assert!(jwt.admit(&token, NOW).is_ok());
}

// --- at the door ----------------------------------------------------------------------------------

fn door(tokens: &[&str], rules: Rules) -> Auth {
    let mut fixed = Tokens::default();
    for token in tokens {
        let principal = Principal {
            name: (*token).into(),
            scopes: Scopes::ALL,
            tools: Rc::new([]),
        };
        fixed.add(token, principal).unwrap();
    }
    Auth::Jwt(fixed, Rc::new(Jwt::new(rules, KeyRing::new(all()))))
}

#[test]
fn tokens_of_both_kinds_come_in_and_are_told_apart() {
    // A fixed token may look like a JWT, and a subject may be called like a token.
    let door = door(&["ann", "a.b.c"], rules());
    let name = |token: &str| {
        let admitted = door.admit(Some(&format!("Bearer {token}")), NOW);
        admitted.map(|caller| caller.name.to_string())
    };
    let token = Signer::Rsa.claims(None, CLAIMS);
    assert_eq!(name("ann").unwrap(), "ann");
    assert_eq!(name("a.b.c").unwrap(), "a.b.c");
    assert_eq!(name(&token).unwrap(), "jwt:ann");
    assert_eq!(name("bob"), Err(AuthRefusal::Wrong));
    assert_eq!(name("a.b"), Err(AuthRefusal::Wrong));
    assert_eq!(name("x.b.c"), Err(AuthRefusal::Jwt(JwtRefusal::Malformed)));
    assert_eq!(door.admit(None, NOW), Err(AuthRefusal::Missing));
    let caller = door.admit(Some(&format!("bearer {token}")), NOW).unwrap();
    assert!(door.knows(&caller));
    assert!(!door.knows(&Rc::new(Principal::anonymous())));
    assert_eq!(door.principal("jwt:ann").unwrap().scopes, Scopes::NONE);
    assert!(door.principal("nobody").is_none());
    let fixed_only = Auth::Tokens(Tokens::default());
    assert!(fixed_only.principal("jwt:ann").is_none());
}

#[test]
fn a_token_without_a_right_here_is_told_which() {
    let claims = CLAIMS.replace("\"read\"", "\"openid email\"");
    let header = format!("Bearer {}", Signer::Rsa.claims(None, &claims));
    let strict = door(&[], rules());
    let refusal = strict.admit(Some(&header), NOW).unwrap_err();
    assert_eq!(refusal, AuthRefusal::Scope(Scope::Read));
    assert_eq!(
        strict.challenge(
            refusal,
            Scopes::NONE.with(Scope::Write),
            Some("https://m/x")
        ),
        r#"Bearer realm="siskin", error="insufficient_scope", scope="read write", resource_metadata="https://m/x""#
    );
    let generous = Rules {
        grants: Grants::new(Vec::new(), Scopes::NONE.with(Scope::Read)),
        ..rules()
    };
    let caller = door(&[], generous).admit(Some(&header), NOW).unwrap();
    assert_eq!(caller.scopes.to_string(), "read");
}

#[test]
fn only_who_can_sign_is_told_what_is_wrong() {
    let door = door(&[], rules());
    let told = |token: &str| {
        let refusal = door
            .admit(Some(&format!("Bearer {token}")), NOW)
            .unwrap_err();
        assert_eq!(refusal.status(), 401);
        let challenge = door.challenge(refusal, Scopes::NONE.with(Scope::Write), None);
        (refusal.body(), challenge)
    };
    let expired = told(&Signer::Rsa.claims(None, &CLAIMS.replace("19000", "17000")));
    assert!(expired.0.contains("the token has expired"), "{}", expired.0);
    assert_eq!(
        expired.1,
        r#"Bearer realm="siskin", error="invalid_token", error_description="the token has expired", scope="read write""#
    );
    // Whatever else is wrong with them: one answer for all.
    let wrong = told("guess");
    assert_eq!(
        wrong.1,
        r#"Bearer realm="siskin", error="invalid_token", scope="read write""#
    );
    let forged = Signer::Secret(b"forged").claims(None, &CLAIMS.replace("19000", "17000"));
    let none = Signer::Rsa.token(r#"{"alg":"none"}"#, CLAIMS);
    for token in [
        forged.as_str(),
        none.as_str(),
        "a.b.c",
        &"x.y.z".repeat(2000),
    ] {
        assert_eq!(told(token), wrong);
    }
}

#[test]
fn new_rules_leave_callers_change_them_or_send_them_away() {
    use crate::gate::auth::Standing;
    let old = door(&["tok"], rules());
    let standing = |new: Auth| new.standing(&old, "jwt:ann");
    assert_eq!(standing(door(&[], rules())), Standing::Same);
    let narrower = Rules {
        leeway_s: 0,
        ..rules()
    };
    assert_eq!(standing(door(&[], narrower)), Standing::Changed);
    let other = Rules {
        issuer: "https://other.lan".to_owned(),
        ..rules()
    };
    assert_eq!(standing(door(&[], other)), Standing::Gone);
    assert_eq!(standing(Auth::Tokens(Tokens::default())), Standing::Gone);
    assert_eq!(standing(Auth::off()), Standing::Gone);
    assert_eq!(door(&[], rules()).standing(&old, "tok"), Standing::Gone);
}

#[test]
fn no_seed_and_no_part_of_it_upsets_a_parser() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/jwt");
    let mut seeds = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        seeds += 1;
        for end in 0..=text.len() {
            fuzz_jwt(&text[..end]);
            fuzz_jwt(&text[end..]);
        }
    }
    assert!(seeds > 5, "only {seeds} seeds found");
}
