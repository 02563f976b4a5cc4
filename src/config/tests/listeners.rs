//! From keys to addresses, and the refusal to be reachable by accident.

use super::Setup;

#[track_caller]
fn check(setup: Setup, expected: &[&str]) {
    let shown: Vec<String> = setup
        .load()
        .config
        .listeners()
        .iter()
        .map(|one| format!("{} {}", one.address, one.groups))
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn one_listener_on_loopback_by_default() {
    check(Setup::default(), &["127.0.0.1:8000 mcp,api,admin"]);
    check(
        Setup::default().cli("server.port=0"),
        &["127.0.0.1:0 mcp,api,admin"],
    );
    check(
        Setup::default().cli("server.host=::1"),
        &["[::1]:8000 mcp,api,admin"],
    );
}

#[test]
fn the_axinova_ports_open_only_when_set() {
    check(
        Setup::default().cli("server.sse_enabled=true"),
        &["127.0.0.1:8000 mcp,api,admin", "127.0.0.1:8081 mcp,api"],
    );
    check(
        Setup::default()
            .cli("server.api_port=9080")
            .cli("server.http_enabled=1"),
        &[
            "127.0.0.1:8000 mcp,api,admin",
            "127.0.0.1:9080 api",
            "127.0.0.1:9001 admin",
        ],
    );
    check(
        Setup::default()
            .cli("server.api_port=9080")
            .cli("server.api_enabled=0"),
        &["127.0.0.1:8000 mcp,api,admin"],
    );
}

#[test]
fn one_port_for_two_purposes_serves_both() {
    check(
        Setup::default().cli("server.api_port=8000"),
        &["127.0.0.1:8000 mcp,api,admin"],
    );
    check(
        Setup::default()
            .cli("server.api_port=1")
            .cli("server.http_port=1"),
        &["127.0.0.1:8000 mcp,api,admin", "127.0.0.1:1 api,admin"],
    );
}

#[test]
fn listeners_replace_the_default_port() {
    let listeners = "server.listeners=[{address='unix:/run/s', groups=['mcp']}, '127.0.0.1:1']";
    check(
        Setup::default().cli(listeners),
        &["unix:/run/s mcp", "127.0.0.1:1 mcp,api,admin"],
    );
    check(
        Setup::default().cli(listeners).cli("server.port=2"),
        &[
            "unix:/run/s mcp",
            "127.0.0.1:1 mcp,api,admin",
            "127.0.0.1:2 mcp,api,admin",
        ],
    );
}

#[test]
fn overlaps_are_refused() {
    let conflict = |setup: Setup| setup.cli("auth.allow_anonymous=true").refused();
    assert_eq!(
        conflict(Setup::default().cli("server.listeners=0.0.0.0:1,127.0.0.1:1")),
        "command line: server.listeners: `0.0.0.0:1` (mcp,api,admin) and `127.0.0.1:1` (mcp,api,admin) overlap: \
         give one of them another port"
    );
    // A shorthand must not widen what a listener was restricted to.
    assert_eq!(
        conflict(
            Setup::default()
                .cli("server.listeners=[{address='127.0.0.1:1', groups=['admin']}]")
                .cli("server.port=1")
        ),
        "command line: server.listeners: `127.0.0.1:1` (admin) and `127.0.0.1:1` (mcp,api,admin) overlap: \
         give one of them another port"
    );
    check(
        Setup::default().cli("server.listeners=127.0.0.1:0,127.0.0.1:0"),
        &["127.0.0.1:0 mcp,api,admin", "127.0.0.1:0 mcp,api,admin"],
    );
}

#[test]
fn addresses_and_their_neighbours() {
    for good in ["127.0.0.1:80", "[::1]:80", "localhost:80", "unix:/run/a"] {
        Setup::default()
            .cli(&format!("server.listeners={good}"))
            .load();
    }
    for bad in [
        "127.0.0.1",
        "::1:80",
        "nas:80",
        "127.0.0.1:65536",
        "127.0.0.1:+1",
        "unix:run/a",
        "unix:/",
        ":80",
    ] {
        let errors = Setup::default()
            .cli(&format!("server.listeners={bad}"))
            .refused();
        assert_eq!(
            errors,
            format!(
                "command line: server.listeners[0]: expected an address like `127.0.0.1:8000`, `[::1]:8000` or \
                 `unix:/run/siskin.sock`, found \"{bad}\""
            )
        );
    }
}

const REMEDY: &str = "reaches beyond this machine and no token is set: set `server.api_token` \
     (`APP_SERVER__API_TOKEN=...` or `APP_SERVER__API_TOKEN_FILE=...`), ask for client certificates \
     (`tls.client_cert_required`) or, if everyone who can connect may use it, `auth.allow_anonymous = true` (`APP_AUTH__ALLOW_ANONYMOUS=true`)";

#[test]
fn beyond_loopback_certificates_do_for_a_token_if_they_are_required_everywhere() {
    let with_tls = || {
        Setup::default()
            .env("FASTMCP_HOST", "0.0.0.0")
            .cli("tls.cert_file=c")
            .cli("tls.key_file=k")
            .cli("tls.client_ca_file=a")
    };
    assert!(with_tls().refused().ends_with(REMEDY));
    let required = || with_tls().cli("tls.client_cert_required=true");
    check(required(), &["0.0.0.0:8000 mcp,api,admin"]);
    let plain = r#"server.listeners=[{ address = "0.0.0.0:1", tls = false }]"#;
    assert!(required().cli(plain).refused().ends_with(REMEDY));
    // Those who are named are asked for, and nobody else has a name.
    let named = r#"auth.certificates=[{ name = "n", subject = "s" }]"#;
    check(with_tls().cli(named), &["0.0.0.0:8000 mcp,api,admin"]);
}

#[test]
fn beyond_loopback_needs_a_token_or_a_written_wish() {
    let exposed = || Setup::default().env("FASTMCP_HOST", "0.0.0.0");
    assert_eq!(
        exposed().refused(),
        format!("environment FASTMCP_HOST: server.host: listening on 0.0.0.0:8000 {REMEDY}")
    );
    // An empty token, as a compose file passes an unset variable, is none.
    assert!(
        exposed()
            .env("APP_SERVER__API_TOKEN", "")
            .refused()
            .ends_with(REMEDY)
    );
    check(
        exposed().env("APP_SERVER__API_TOKEN", "sk"),
        &["0.0.0.0:8000 mcp,api,admin"],
    );
    check(
        exposed().env("APP_AUTH__ALLOW_ANONYMOUS", "true"),
        &["0.0.0.0:8000 mcp,api,admin"],
    );
    exposed()
        .env("APP_AUTH__TOKENS", "[{name='a', token='b'}]")
        .load();
    // On stdio nothing listens.
    exposed().env("FASTMCP_TRANSPORT", "stdio").load();
    let errors =
        Setup::toml("[server]\nlisteners = [\"127.0.0.1:1\", \"[::]:2\", \"192.0.2.1:3\"]\n")
            .refused();
    assert_eq!(
        errors,
        format!("/c/base.toml:2:13: server.listeners: listening on [::]:2, 192.0.2.1:3 {REMEDY}")
    );
    check(
        Setup::default().cli("server.listeners=unix:/run/s"),
        &["unix:/run/s mcp,api,admin"],
    );
}

#[test]
fn routes_must_differ() {
    let errors = Setup::default()
        .cli("server.sse_path=/mcp/")
        .cli("server.message_path=/health")
        .refused();
    assert_eq!(
        errors,
        "command line: server.message_path: is the path of the built-in route `/health` too: give it another\n\
         command line: server.sse_path: is the path of `server.mcp_path` too: give it another"
    );
}
