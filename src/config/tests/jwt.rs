//! What belongs together where the tokens of an issuer are accepted.

use super::super::Problem;
use super::Setup;

const SECRET: &str = "jwt_secret = \"0123456789abcdef0123456789abcdef\"\n";
const SOUND: &str = "jwt_issuer = \"https://id.lan\"\nresource = \"https://nas.lan/mcp\"\n";

/// Loads with these lines in `[auth]`, or gives what is wrong.
#[track_caller]
fn check(lines: &str, expected: &[&str]) {
    let setup = Setup::toml(&format!("[auth]\n{lines}"));
    if expected.is_empty() {
        assert!(setup.load().config.auth.accepts_jwt(), "{lines}");
        return;
    }
    let errors = setup.refused();
    assert_eq!(errors.lines().count(), expected.len(), "{lines}: {errors}");
    for word in expected {
        assert!(errors.contains(word), "{lines}: {errors}");
    }
}

#[test]
fn one_source_of_keys_an_issuer_and_an_audience() {
    check(&format!("{SOUND}{SECRET}"), &[]);
    check(&format!("{SOUND}jwt_key_file = \"k\"\n"), &[]);
    check(
        &format!("{SOUND}jwt_jwks_url = \"https://id.lan/k\"\n"),
        &[],
    );
    check(SOUND, &["auth.jwt_issuer: one of"]);
    check(
        &format!("{SOUND}{SECRET}jwt_key_file = \"k\"\n"),
        &["found 2 of them"],
    );
    check(SECRET, &["`auth.jwt_issuer`", "`auth.jwt_audience`"]);
    let audience = "jwt_issuer = \"home\"\njwt_audience = [\"siskin\"]\n";
    check(&format!("{audience}{SECRET}"), &[]);
    // A client has to be told where to go, and that is a URL.
    let resource = "resource = \"https://nas.lan/mcp\"\n";
    check(
        &format!("{audience}{SECRET}{resource}"),
        &["auth.resource: `auth.authorization_servers`"],
    );
    let servers = "authorization_servers = [\"https://id.lan\"]\n";
    check(&format!("{audience}{SECRET}{resource}{servers}"), &[]);
    check(
        &format!("{audience}{SECRET}{servers}"),
        &["auth.authorization_servers: `auth.resource`"],
    );
    let short = SECRET.replacen('0', "", 1);
    check(
        &format!("{SOUND}{short}"),
        &["auth.jwt_secret: expected a secret of at least 32 bytes, found 31 bytes"],
    );
}

#[test]
fn an_issuer_guards_the_door_as_a_token_does() {
    let open = "server.host = \"0.0.0.0\"\n[auth]\n";
    let guarded = format!("{open}{SOUND}{SECRET}");
    assert_eq!(Setup::toml(&guarded).load().warnings, []);
    assert!(Setup::toml(open).refused().contains("no token is set"));
}

#[test]
fn keys_in_the_clear_are_worth_a_warning() {
    let warned = |url: &str| {
        let text = format!("[auth]\n{SOUND}jwt_jwks_url = \"{url}\"\n");
        let warnings = Setup::toml(&text).load().warnings;
        assert!(warnings.len() < 2);
        warnings.first().map(|finding| finding.problem.clone())
    };
    for url in [
        "https://id.lan/keys",
        "http://127.0.0.1:9000/keys",
        "http://localhost/keys",
        "http://[::1]:80/keys",
    ] {
        assert_eq!(warned(url), None, "{url}");
    }
    for url in [
        "http://id.lan/keys",
        "http://10.0.0.2:8080",
        "http://localhost.evil/",
        "http://[2001:db8::1]/keys",
    ] {
        assert_eq!(warned(url), Some(Problem::KeysInTheClear), "{url}");
    }
}

#[test]
fn the_secret_may_lie_in_a_file_and_is_shown_nowhere() {
    let setup = Setup::toml(&format!("[auth]\n{SOUND}jwt_secret_file = \"s\"\n"))
        .file("/c/s", "canary0123456789canary0123456789\n");
    let loaded = setup.load();
    assert!(loaded.config.auth.accepts_jwt());
    for text in [loaded.render_effective(), format!("{loaded:?}")] {
        assert!(!text.contains("canary"), "{text}");
    }
}
