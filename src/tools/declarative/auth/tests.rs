//! What packs may say about credentials, and what is sent of them.

use super::super::source::Source;
use super::*;
use crate::client::Method;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const SERVICE_KEYS: &[&str] = &["auth", "login"];

fn with_auth<T>(text: &str, then: impl FnOnce(Option<AuthSpec>, Vec<String>) -> T) -> T {
    let table = DeTable::parse(text).unwrap().into_inner();
    let document = Spanned::new(0..0, DeValue::Table(table));
    let source = Source::new("p", text, &document);
    let root = source.root();
    let table = root.table(SERVICE_KEYS).unwrap();
    let auth = AuthSpec::read(&table, &["username"]);
    let problems = source.into_problems();
    then(auth, problems.iter().map(ToString::to_string).collect())
}

/// What a request is sent with: its headers and its URL.
fn sent(text: &str, token: Option<&str>, login: Option<&str>) -> String {
    with_auth(text, |auth, problems| {
        assert_eq!(problems, Vec::<String>::new(), "{text}");
        let mut outgoing = Outgoing {
            method: Method::Get,
            path: "/".to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: None,
            accept: "*/*",
            target: None,
        };
        let options = [("username".to_owned(), "ann".to_owned())].into();
        let scope = Scope {
            arguments: &Default::default(),
            befores: &[],
            options: &options,
            result: None,
            token,
            login,
            now_ms: 0,
        };
        match auth.unwrap().apply(&mut outgoing, &scope) {
            Err(unfit) => unfit.to_string(),
            Ok(()) => {
                let headers = outgoing.headers.iter();
                let headers: Vec<String> = headers
                    .map(|(name, value)| format!("{name}: {value} "))
                    .collect();
                format!("{}{}", headers.concat(), outgoing.url(""))
            }
        }
    })
}

#[test]
fn f8_every_kind_sends_its_secret_and_nothing_without_one() {
    let token = Some("s3cret:x");
    for (auth, expected) in [
        ("{ kind = 'none' }", "/"),
        ("{ kind = 'bearer' }", "Authorization: Bearer s3cret:x /"),
        (
            "{ kind = 'header', name = 'X-API-Key' }",
            "X-API-Key: s3cret:x /",
        ),
        (
            "{ kind = 'header', name = 'Authorization', value = 'MediaBrowser Token=\"{token}\"' }",
            "Authorization: MediaBrowser Token=\"s3cret:x\" /",
        ),
        ("{ kind = 'basic' }", "Authorization: Basic czNjcmV0Ong= /"),
        (
            "{ kind = 'basic', username = '{option.username}', password = '{token}' }",
            "Authorization: Basic YW5uOnMzY3JldDp4 /",
        ),
        (
            "{ kind = 'bearer_or_basic' }",
            "Authorization: Basic czNjcmV0Ong= /",
        ),
        ("{ kind = 'query', name = 'key' }", "/?key=s3cret%3Ax"),
    ] {
        let text = format!("auth = {auth}");
        assert_eq!(sent(&text, token, None), expected, "{auth}");
        for nothing in [None, Some("")] {
            assert_eq!(sent(&text, nothing, None), "/", "{auth}");
        }
    }
    let either = "auth = { kind = 'bearer_or_basic' }";
    assert_eq!(
        sent(either, Some("tok"), None),
        "Authorization: Bearer tok /"
    );
    assert!(sent(either, Some("a\r\nb"), None).contains("cannot stand in a header"));
}

const LOGIN: &str = "auth = { kind = 'login' }\n[login]\nrequest = { method = 'POST', path = '/auth', json = { password = '{token}' } }\n";

#[test]
fn f20_a_session_comes_from_the_answer_and_goes_into_a_header() {
    let by_pointer = format!("{LOGIN}value = '/session/sid'\nsend = {{ header = 'X-Sid' }}");
    assert_eq!(sent(&by_pointer, Some("p"), Some("abc")), "X-Sid: abc /");
    assert_eq!(sent(&by_pointer, Some("p"), None), "/");
    let by_cookie = format!("{LOGIN}cookie = 'SID'");
    assert_eq!(
        sent(&by_cookie, Some("p"), Some("abc")),
        "Cookie: SID=abc /"
    );
    let session = |text: &str, body: &str, cookies: &[&str]| {
        with_auth(text, |auth, _| match auth.unwrap() {
            AuthSpec::Login(login) => login.session(body.as_bytes(), cookies),
            _ => unreachable!("the kind is `login`"),
        })
    };
    let sid = |body| session(&by_pointer, body, &[]);
    assert_eq!(
        sid(r#"{"session":{"sid":"abc"}}"#),
        Ok(Some("abc".to_owned()))
    );
    assert_eq!(sid(r#"{"session":{"sid":null}}"#), Ok(None));
    assert!(sid("{}").unwrap_err().contains("nothing at `/session/sid`"));
    assert!(sid("<html>").unwrap_err().contains("no JSON"));
    let cookie = |cookies: &[&str]| session(&by_cookie, "", cookies);
    assert_eq!(
        cookie(&["a=1", "SID=x=y; path=/"]),
        Ok(Some("x=y".to_owned()))
    );
    assert!(
        cookie(&["sid=1"])
            .unwrap_err()
            .contains("sets no cookie `SID`")
    );
}

#[test]
fn mistakes_are_found() {
    for (text, part) in [
        ("auth = { kind = 'digest' }", "expected `none`, `bearer`"),
        ("auth = {}", "`kind` is missing"),
        ("auth = { kind = 'header' }", "`name` is missing"),
        (
            "auth = { kind = 'bearer', name = 'X' }",
            "means nothing to the kind `bearer`",
        ),
        ("auth = { kind = 'header', name = 'X Y' }", "no header name"),
        (
            "auth = { kind = 'bearer', value = '{option.usernam}' }",
            "did you mean `username`?",
        ),
        ("auth = { kind = 'login' }", "`[service.login]` is missing"),
        (
            "[login]\ncookie = 'x'",
            "needs `auth = { kind = \"login\" }`",
        ),
        (&format!("{LOGIN}value = '/a'"), "`send` is missing"),
        (
            &format!("{LOGIN}value = '/a'\ncookie = 'b'"),
            "needs one of `value`",
        ),
        (&format!("{LOGIN}cookie = 'a {{b'"), "no name of a cookie"),
        (
            &format!("{LOGIN}cookie = 'b'\nttl = 'long'"),
            "expected a duration",
        ),
        (
            &format!("{LOGIN}cookie = 'b'\nagain_on = ['x']"),
            "expected a status",
        ),
    ] {
        with_auth(text, |_, problems| {
            assert!(
                problems.iter().any(|problem| problem.contains(part)),
                "{text}: {problems:?}"
            );
        });
    }
}
