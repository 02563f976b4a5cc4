//! Keys in each form they are written in, and what is no key.

use super::*;
use crate::gate::jwt::key::KeyError;

const RSA: &str = include_str!("../../../../tests/jwt/rsa.pub.pem");
const RSA_PKCS1: &str = include_str!("../../../../tests/jwt/rsa.pkcs1.pem");
const EC: &str = include_str!("../../../../tests/jwt/ec.pub.pem");
const ED: &str = include_str!("../../../../tests/jwt/ed.pub.pem");

#[test]
fn a_file_holds_pem_or_json() {
    for (text, signer) in [
        (RSA, Signer::Rsa),
        (RSA_PKCS1, Signer::Rsa),
        (EC, Signer::Ec),
        (ED, Signer::Ed),
    ] {
        for text in [
            text.to_owned(),
            text.replace('\n', "\r\n"),
            format!("a key of ours\n{text}\nand its end"),
        ] {
            let keys = Keys::of_file(text.as_bytes()).unwrap();
            assert_eq!(keys.len(), 1);
            let token = signer.claims(Some("whatever"), CLAIMS);
            assert!(admit(&jwt(keys), &token).is_ok(), "{text}");
        }
    }
    let several = format!("{RSA}{EC}{ED}");
    let several = jwt(Keys::of_file(several.as_bytes()).unwrap());
    let set = jwt(Keys::of_file(JWKS).unwrap());
    for (signer, kid) in &ALL[..3] {
        for keys in [&several, &set] {
            assert!(admit(keys, &signer.claims(Some(kid), CLAIMS)).is_ok());
        }
    }
    // One key, and the secret as a key.
    let oct = format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url(SECRET));
    let keys = Keys::of_file(format!(" \n{oct}").as_bytes()).unwrap();
    assert!(admit(&jwt(keys), &Signer::Secret(SECRET).claims(None, CLAIMS)).is_ok());
}

#[track_caller]
fn check_refused(file: &str, expected: &str) {
    let error = Keys::of_file(file.as_bytes()).err().expect(file);
    let text = error.to_string();
    assert!(text.contains(expected), "{text}");
}

#[test]
fn what_is_no_key_is_refused() {
    check_refused("", "no PEM block");
    check_refused("{}", "an object without `keys`");
    check_refused("{", "no JSON object");
    check_refused(r#"{"keys":[]}"#, "no key that verifies");
    check_refused(r#"{"keys":[7]}"#, "no object");
    check_refused(
        include_str!("../../../../tests/jwt/rsa.pem"),
        "a private key",
    );
    check_refused(
        include_str!("../../../../tests/jwt/rsa-1024.pub.pem"),
        "2048",
    );
    check_refused(
        include_str!("../../../../tests/jwt/ec-p384.pub.pem"),
        "P-256",
    );
    check_refused(
        "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
        "x509",
    );
    check_refused("-----BEGIN PUBLIC KEY-----\nMA==\n", "without an end");
    check_refused(
        &RSA.replace("-----END PUBLIC", "-----END RSA PUBLIC"),
        "another end",
    );
    check_refused(&EC.replacen("MFkw", "MFk*", 1), "no base64");
    check_refused(&EC.replacen("MFkw", "MFkx", 1), "DER");
    // A second key that is wrong is not passed over.
    check_refused(
        &format!("{EC}-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n"),
        "DER",
    );
    let short = format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url(&SECRET[..31]));
    check_refused(&short, "31 bytes, expected at least 32");
}

#[test]
fn der_is_read_to_its_end_and_one_way() {
    let der = |text: &str| {
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        base64::decode(&body).unwrap()
    };
    let read = |der: &[u8]| {
        let standard: String = sign::base64url(der)
            .chars()
            .map(|c| match c {
                '-' => '+',
                '_' => '/',
                c => c,
            })
            .collect();
        let padding = "=".repeat((4 - standard.len() % 4) % 4);
        let text =
            format!("-----BEGIN PUBLIC KEY-----\n{standard}{padding}\n-----END PUBLIC KEY-----\n");
        Keys::of_file(text.as_bytes()).is_ok()
    };
    for text in [RSA, EC, ED] {
        let whole = der(text);
        assert!(read(&whole));
        for end in 0..whole.len() {
            assert!(!read(&whole[..end]), "{end}");
        }
        assert!(!read(&[&whole[..], &[0]].concat()));
    }
    // A long form where the short one would do.
    let mut long = der(ED);
    long.splice(1..2, [0x81, long[1]]);
    assert!(!read(&long));
}

#[test]
fn an_issuer_may_publish_other_keys_beside() {
    let text = std::str::from_utf8(JWKS).unwrap();
    let with = |more: &str| text.replacen("\"keys\": [", &format!("\"keys\": [{more},"), 1);
    for other in [
        r#"{"kty":"EC","crv":"P-521","x":"","y":""}"#,
        r#"{"kty":"future"}"#,
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
        r#"{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}"#,
        "7",
    ] {
        let keys = Keys::of_published(with(other).as_bytes()).unwrap();
        assert_eq!(keys.len(), 3, "{other}");
        assert!(!keys.0.iter().any(|key| key.algorithm() == Algorithm::Hs256));
    }
    for (only, expected) in [
        (
            r#"{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}"#,
            KeyError::Published,
        ),
        (r#"{"kty":"future"}"#, KeyError::Kind("`future`".to_owned())),
    ] {
        let set = format!(r#"{{"keys":[{only}]}}"#);
        assert_eq!(Keys::of_published(set.as_bytes()).err(), Some(expected));
    }
    let many = vec![
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        33
    ];
    let set = |count: usize| format!(r#"{{"keys":[{}]}}"#, many[..count].join(","));
    assert_eq!(Keys::of_published(set(32).as_bytes()).unwrap().len(), 32);
    let error = Keys::of_published(set(33).as_bytes()).err();
    assert_eq!(error, Some(KeyError::TooMany));
}

#[test]
fn a_key_is_used_for_what_it_says_it_is_for() {
    let key = |more: &str| {
        let text = format!(
            r#"{{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"{more}}}"#
        );
        Keys::of_file(text.as_bytes()).map(|keys| keys.len()).ok()
    };
    for more in [
        "",
        r#","use":"sig""#,
        r#","key_ops":["sign","verify"]"#,
        r#","alg":"EdDSA""#,
        r#","alg":"Ed25519""#,
        r#","kid":"x""#,
    ] {
        assert_eq!(key(more), Some(1), "{more}");
    }
    for more in [
        r#","use":"enc""#,
        r#","key_ops":["encrypt"]"#,
        r#","key_ops":[]"#,
        r#","alg":"RS256""#,
        r#","alg":"none""#,
        r#","kid":7"#,
        r#","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#,
        r#","x":"AA""#,
    ] {
        assert_eq!(key(more), None, "{more}");
    }
}

/// RFC 7515 A.1 and A.3, RFC 8037 A.4: what others say is a signature.
#[test]
fn the_examples_of_the_standards_hold() {
    const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    for (key, signed, signature) in [
        (
            r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
            format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}"),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ),
        (
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
            format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}"),
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".to_owned(),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ),
    ] {
        let keys = Keys::of_file(key.as_bytes()).unwrap();
        let header = base64::decode_url(signed.split('.').next().unwrap()).unwrap();
        let header = Header::parse(&header).unwrap();
        let signature = base64::decode_url(signature).unwrap();
        assert_eq!(keys.verify(&header, signed.as_bytes(), &signature), Ok(()));
        let other = signed.replacen('b', "c", 1);
        assert_ne!(keys.verify(&header, other.as_bytes(), &signature), Ok(()));
    }
}
