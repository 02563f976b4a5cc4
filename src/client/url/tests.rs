//! URLs: each accepted sample with a refused neighbour.

use super::*;

/// `Ok`: the normal form. `Err`: a part of the error's text.
#[track_caller]
fn check(text: &str, expected: Result<&str, &str>) {
    fuzz_url(text);
    match (Url::parse(text), expected) {
        (Ok(url), Ok(expected)) => assert_eq!(url.as_str(), expected, "{text:?}"),
        (Err(error), Err(part)) => {
            let error = error.to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
        (found, _) => panic!("{text:?}: {found:?}"),
    }
}

#[track_caller]
fn check_join(base: &str, reference: &str, expected: Result<&str, &str>) {
    fuzz_url(&format!("{base}\n{reference}"));
    let base = Url::parse(base).unwrap();
    match (base.join(reference), expected) {
        (Ok(url), Ok(expected)) => assert_eq!(url.as_str(), expected, "{reference:?}"),
        (Err(error), Err(part)) => {
            let error = error.to_string();
            assert!(error.contains(part), "{reference:?}: {error}");
        }
        (found, _) => panic!("{reference:?}: {found:?}"),
    }
}

#[test]
fn schemes() {
    check("http://a", Ok("http://a/"));
    check("HTTPS://A", Ok("https://a/"));
    check("ftp://a", Err("the scheme `ftp` is not supported"));
    check("unix:/run/x", Err("the scheme `unix`"));
    check("nas.lan:8080/x", Err("no scheme, expected `http://`"));
    check("//a", Err("no scheme"));
    check("http:a", Err("the scheme `http`"));
    check("http:/a", Err("the scheme `http`"));
    check("", Err("no scheme"));
}

#[test]
fn hosts() {
    check("http://Nas.Lan/", Ok("http://nas.lan/"));
    check("http://my_app-1:80/", Ok("http://my_app-1/"));
    check("http:///x", Err("no host"));
    check("http://:80/", Err("no host"));
    check("http://a..b/", Err("`a..b` is not a host name"));
    check("http://a./", Err("`a.` is not"));
    check("http://münchen.de/", Err("`xn--…`"));
    check("http://a%2eb/", Err("`a%2eb` is not"));
    check("http://a\\b/", Err("is not a host name"));
    check("http://a b/", Err("`a b` is not"));
    check(
        &format!("http://{}/", "a".repeat(63)),
        Ok(&format!("http://{}/", "a".repeat(63))),
    );
    check(
        &format!("http://{}/", "a".repeat(64)),
        Err("is not a host name"),
    );
    let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63)].join(".");
    check(
        &format!("http://{long}.{}/", "d".repeat(61)),
        Ok(&format!("http://{long}.{}/", "d".repeat(61))),
    );
    check(
        &format!("http://{long}.{}/", "d".repeat(62)),
        Err("is not a host name"),
    );
}

#[test]
fn addresses_have_one_spelling() {
    check("http://192.168.1.2/", Ok("http://192.168.1.2/"));
    check("http://2130706433/", Err("`2130706433` is not an address"));
    check("http://127.1/", Err("`127.1` is not an address"));
    check("http://0177.0.0.1/", Err("is not an address"));
    check("http://0x7f.0.0.1/", Err("is not an address"));
    check("http://0x7f000001/", Err("is not an address"));
    check("http://0X7F000001/", Err("is not an address"));
    check("http://1.2.3.0x/", Err("is not an address"));
    check("http://256.1.1.1/", Err("is not an address"));
    check("http://1.2.3.4.5/", Err("is not an address"));
    check("http://1.2.3.4.", Err("is not a host name"));
    check("http://0xyz/", Ok("http://0xyz/"));
    check("http://1a/", Ok("http://1a/"));
    check("http://[::1]/", Ok("http://[::1]/"));
    check("http://[0:0:0:0:0:0:0:1]:8080/", Ok("http://[::1]:8080/"));
    check("http://[FD00::A]/", Ok("http://[fd00::a]/"));
    check("http://::1/", Err("is not a host name"));
    check("http://[::1/", Err("is not an address"));
    check("http://[fe80::1%25eth0]/", Err("is not an address"));
    check("http://[127.0.0.1]/", Err("is not an address"));
    check("http://[::1]x/", Err("`x` is not a port"));
}

#[test]
fn ports() {
    check("http://a:80", Ok("http://a/"));
    check("https://a:443", Ok("https://a/"));
    check("https://a:80", Ok("https://a:80/"));
    check("http://a:", Ok("http://a/"));
    check("http://a:1", Ok("http://a:1/"));
    check("http://a:0", Err("`0` is not a port"));
    check("http://a:65535", Ok("http://a:65535/"));
    check("http://a:65536", Err("`65536` is not a port"));
    check("http://a:08080", Ok("http://a:8080/"));
    check("http://a:008080", Err("is not a port"));
    check("http://a:+1", Err("is not a port"));
    check("http://a:b", Err("is not a port"));
    check("http://a:1:2", Err("is not a host name"));
}

#[test]
fn user_information_is_refused_and_not_shown() {
    check("http://a/@b", Ok("http://a/@b"));
    check(
        "http://user@a/",
        Err("a user name or password stands before the host"),
    );
    for text in [
        "http://user:canary@a/",
        "http://a/?canary=1#\u{7f}",
        "http://canary@1.2/",
        "http://a:canary\u{1}/",
    ] {
        let error = Url::parse(text).unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
    }
}

#[test]
fn what_is_outside_the_grammar_is_encoded_and_escapes_stay() {
    check("http://a/b c", Ok("http://a/b%20c"));
    check("http://a/ü?ü", Ok("http://a/%C3%BC?%C3%BC"));
    check("http://a/%zz%4", Ok("http://a/%25zz%254"));
    check("http://a/%2F%c3%BC", Ok("http://a/%2F%c3%BC"));
    check("http://a/x\\y", Ok("http://a/x%5Cy"));
    check(
        "http://a/\"<>^`{|}",
        Ok("http://a/%22%3C%3E%5E%60%7B%7C%7D"),
    );
    check(
        "http://a/?m[]={a=\"b\"}",
        Ok("http://a/?m%5B%5D=%7Ba=%22b%22%7D"),
    );
    check(
        "http://a/!$&'()*+,;=:@-._~",
        Ok("http://a/!$&'()*+,;=:@-._~"),
    );
    check("http://a?q", Ok("http://a/?q"));
    check("http://a/?a?b/c", Ok("http://a/?a?b/c"));
    check("http://a/?", Ok("http://a/?"));
    check("http://a/b#c?d", Ok("http://a/b"));
    check("http://a#b", Ok("http://a/"));
    check("http://a/\u{9}", Err("found the character `\\t`"));
    check("http://a/\r\nx", Err("found the character `\\r`"));
    check("http://a/\u{85}", Err("found the character"));
    check("http://a/ ", Err("found the character ` `"));
    check(" http://a/", Err("found the character ` `"));
    check("http://a/\u{a0}", Err("found the character"));
}

#[test]
fn dot_segments_are_resolved_however_they_are_written() {
    check("http://a/b/../c", Ok("http://a/c"));
    check("http://a/b/./c/.", Ok("http://a/b/c/"));
    check("http://a/b/..", Ok("http://a/"));
    check("http://a/../../b", Ok("http://a/b"));
    check("http://a/b/%2e%2E/c", Ok("http://a/c"));
    check("http://a/b/.%2e", Ok("http://a/"));
    check("http://a/b/%2e", Ok("http://a/b/"));
    check("http://a/b//../c", Ok("http://a/b/c"));
    check("http://a/b/...", Ok("http://a/b/..."));
    check("http://a/b/..c/%2ed", Ok("http://a/b/..c/%2ed"));
    check("http://a/?/../b", Ok("http://a/?/../b"));
}

#[test]
fn a_url_is_of_bounded_length() {
    let fill = |len: usize| format!("http://a/{}", "x".repeat(len - "http://a/".len()));
    assert!(Url::parse(&fill(URL_LEN_MAX)).is_ok());
    assert_eq!(
        Url::parse(&fill(URL_LEN_MAX + 1)),
        Err(UrlError::TooLong(URL_LEN_MAX + 1))
    );
    // Three bytes for each that is encoded.
    let spaces = format!("http://a/{}x", " ".repeat(URL_LEN_MAX / 2));
    assert!(matches!(Url::parse(&spaces), Err(UrlError::TooLong(_))));
}

#[test]
fn parts_and_origin() {
    let url = Url::parse("https://Nas.lan:9443/a/b?c=d&e#f").unwrap();
    assert_eq!(
        (url.scheme(), url.host(), url.port()),
        (Scheme::Https, "nas.lan", 9443)
    );
    assert_eq!((url.path(), url.query()), ("/a/b", Some("c=d&e")));
    assert_eq!(
        (url.authority(), url.target()),
        ("nas.lan:9443", "/a/b?c=d&e")
    );
    assert_eq!(url.origin().as_str(), "https://nas.lan:9443");
    assert_eq!(url.host_ip(), None);
    assert_eq!(format!("{url:?}"), "Url(https://nas.lan:9443/a/b?…)");

    let url = Url::parse("http://[::1]").unwrap();
    assert_eq!((url.host(), url.port(), url.query()), ("[::1]", 80, None));
    assert_eq!(url.host_ip(), Some("::1".parse().unwrap()));
    let same = Url::parse("http://[::1]:80/x").unwrap();
    assert_eq!(url.origin(), same.origin());
    assert_ne!(
        url.origin(),
        Url::parse("https://[::1]:80/").unwrap().origin()
    );
}

/// RFC 3986 section 5.4, on `http`, without the fragments, and strict.
#[test]
fn references() {
    let base = "http://a/b/c/d;p?q";
    for (reference, expected) in [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"),
        (";x", "http://a/b/c/;x"),
        ("g;x?y#s", "http://a/b/c/g;x?y"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        ("..g", "http://a/b/c/..g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("https://h:1/x", "https://h:1/x"),
        ("?", "http://a/b/c/d;p?"),
        ("\\\\h\\x", "http://a/b/c/%5C%5Ch%5Cx"),
        ("/:x", "http://a/:x"),
    ] {
        check_join(base, reference, Ok(expected));
    }
    check_join(base, "http:g", Err("the scheme `http`"));
    check_join(base, "g:h", Err("the scheme `g`"));
    check_join(base, "javascript:alert(1)", Err("the scheme `javascript`"));
    check_join(base, "//user@h/", Err("user name"));
    check_join(base, "/a\nb", Err("found the character"));
    check_join("https://a:8/x", "//g", Ok("https://g/"));
    check_join("https://a:8/x", "/y?z", Ok("https://a:8/y?z"));
    check_join("http://a", "g", Ok("http://a/g"));
}
