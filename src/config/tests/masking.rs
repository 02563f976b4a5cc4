//! A canary in every place a secret can stand; it must come out nowhere.

use super::super::{TokenHash, diff};
use super::Setup;
use crate::gate::Scope;

const CANARY: &str = "canary0123456789";

fn laden() -> Setup {
    let hash = "ab".repeat(32);
    Setup::toml(&format!(
        "[server]\napi_token = \"{CANARY}1\"\n[[auth.tokens]]\nname = \"a\"\ntoken = \"{CANARY}2\"\n\
         [[auth.tokens]]\nname = \"b\"\ntoken_sha256 = \"{hash}\"\ntools = [\"x_*\"]\n\
         [grafana]\ntoken = \"{CANARY}3\"\npassword = \"{CANARY}4\"\n"
    ))
    .env("APP_PORTAINER__TOKEN", &format!("{CANARY}5"))
    .env("APP_VIKUNJA__TOKEN_FILE", "t")
    .file("/w/t", &format!("{CANARY}6\n"))
    .cli(&format!("services.gitea.token={CANARY}7"))
}

#[test]
fn nothing_printed_holds_a_secret() {
    let loaded = laden().load();
    let texts = [
        loaded.render_effective(),
        format!("{loaded:?}"),
        loaded.warnings.iter().map(ToString::to_string).collect(),
        format!("{:?}", diff(&loaded.config, &Default::default())),
        format!("{:?}", laden().sources()),
    ];
    for text in &texts {
        assert!(!text.contains(CANARY), "{text}");
        assert!(!text.contains("abab"), "{text}");
    }
    let shown = &texts[0];
    assert!(
        shown.contains("api_token = \"***\"  # /c/base.toml:2:13\n"),
        "{shown}"
    );
    assert!(
        shown.contains("password = \"***\"  # /c/base.toml:12:12\n"),
        "{shown}"
    );
    assert!(shown.contains("{ name = \"b\", token_sha256 = \"***\", scopes = [\"read\", \"write\"], tools = [\"x_*\"] }"));
}

#[test]
fn no_error_holds_a_secret() {
    let errors = Setup::toml(&format!(
        "[server]\napi_token = [\"{CANARY}\"]\n[[auth.tokens]]\nname = \"a\"\ntoken_sha256 = \"{CANARY}\"\n\
         [grafana]\ntoken = {{ value = \"{CANARY}\" }}\npassword = \"{CANARY}\\u0007\"\n"
    ))
    .env("APP_VIKUNJA__TOKEN", &format!("{CANARY}\u{e9}"))
    .env("APP_AUTH__TOKENS", &format!("[\"{CANARY}\"]"))
    .env("APP_GRAFANA__URL", &format!("http://a:{CANARY}@x"))
    .env("APP_NONE__TOKEN", CANARY)
    .cli(CANARY)
    .refused();
    assert_eq!(errors.lines().count(), 9, "{errors}");
    assert!(!errors.contains(CANARY), "{errors}");
}

#[test]
fn tokens_are_kept_as_hashes_with_names_and_rights() {
    let tokens = laden().load().config.tokens();
    let names: Vec<_> = tokens
        .iter()
        .map(|token| (token.name.as_str(), token.scopes.to_string()))
        .collect();
    let read_write = "read write".to_owned();
    assert_eq!(
        names,
        [
            ("api", "read write admin publish".into()),
            ("a", read_write.clone()),
            ("b", read_write)
        ]
    );
    assert_eq!(tokens[1].hash, TokenHash::of(&format!("{CANARY}2")));
    assert_eq!(tokens[2].hash, TokenHash([0xab; 32]));
    assert!(!tokens[1].scopes.has(Scope::Admin));
    // FIPS 180-4, the example of one block.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(TokenHash::parse(abc), Some(TokenHash::of("abc")));
    for bad in [
        &abc[1..],
        &abc.replace('b', "g"),
        &format!("+{}", &abc[1..]),
        &format!("{abc}00"),
    ] {
        assert_eq!(TokenHash::parse(bad), None, "{bad}");
    }
}

#[test]
fn tokens_that_cannot_be_told_apart_are_refused() {
    let refused = |tokens: &str| {
        Setup::default()
            .cli(&format!("auth.tokens={tokens}"))
            .refused()
    };
    assert_eq!(
        refused("[{name='a', token='x'}, {name='a', token='y'}]"),
        "command line: auth.tokens: two tokens are named `a`: rename one of them"
    );
    assert_eq!(
        refused("[{name='a', token='x'}, {name='b', token='x'}]"),
        "command line: auth.tokens: `a` and `b` are the same token: give each its own"
    );
}

#[test]
fn tokens_may_have_rates_of_their_own() {
    let with = |members: &str| {
        Setup::default().cli(&format!("auth.tokens=[{{name='a', token='x', {members}}}]"))
    };
    let loaded = with("requests_per_minute = 0, burst = 1").load();
    let shown = loaded.render_effective();
    let end = "scopes = [\"read\", \"write\"], requests_per_minute = 0, burst = 1 }";
    assert!(shown.contains(end), "{shown}");
    for (members, part) in [
        ("burst = 0", ".burst: 0 is outside 1 to 1000000"),
        ("burst = 1000001", ".burst: 1000001 is outside"),
        (
            "requests_per_minute = 1000001",
            ".requests_per_minute: 1000001 is outside",
        ),
        (
            "requests_per_minute = '1'",
            ".requests_per_minute: expected a whole number",
        ),
    ] {
        let refused = with(members).refused();
        assert!(refused.contains(part), "{refused}");
    }
}
