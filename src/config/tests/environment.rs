//! Names of the environment: ours, the foreign ones, and values from files.

use std::net::IpAddr;
use std::time::Duration;

use super::super::keys::SECTIONS;
use super::super::{LogLevel, Partition, Transport};
use super::{Setup, warnings};

#[test]
fn every_key_has_a_variable_and_a_file_variable() {
    for section in SECTIONS {
        for row in section.rows {
            let name = format!("APP_{}__{}", section.name, row.name).to_ascii_uppercase();
            let key = format!("{}.{}", section.name, row.name);
            let default = row.default.unwrap_or("");
            let loaded = Setup::default().env(&name, default).load();
            assert_eq!(
                loaded.origins[&key].to_string(),
                format!("environment {name}")
            );
            let file = format!("{name}_FILE");
            let loaded = Setup::default()
                .env(&file, "value")
                .file("/w/value", &format!("{default}\n"))
                .load();
            assert_eq!(
                loaded.origins[&key].to_string(),
                format!("environment {file}")
            );
            let both = Setup::default()
                .env(&name, default)
                .env(&file, "value")
                .file("/w/value", default)
                .refused();
            assert_eq!(
                both,
                format!("environment {file}: {key}: `{name}` says it too: keep one of them")
            );
        }
    }
}

#[test]
fn the_names_of_the_aws_server() {
    let config = Setup::default()
        .env("FASTMCP_TRANSPORT", "sse")
        .env("FASTMCP_HOST", "127.0.0.2")
        .env("FASTMCP_PORT", "8123")
        .env("FASTMCP_SSE_PATH", "/events/")
        .env("FASTMCP_MESSAGE_PATH", "/post/")
        .env("FASTMCP_LOG_LEVEL", "WARNING")
        .env("AWS_DOCUMENTATION_PARTITION", "aws-cn")
        .env("MCP_USER_AGENT", "siskin/1")
        .load()
        .config;
    assert_eq!(config.server.transport, Transport::Sse);
    assert_eq!(config.server.host, Some(IpAddr::from([127, 0, 0, 2])));
    assert_eq!(config.server.port, Some(8123));
    assert_eq!(config.server.sse_path, "/events/");
    assert_eq!(config.server.message_path, "/post/");
    assert_eq!(config.log.level, LogLevel::Warn);
    assert_eq!(config.aws.partition, Some(Partition::AwsCn));
    assert_eq!(config.aws.user_agent.as_deref(), Some("siskin/1"));
    let errors = Setup::default().env("FASTMCP_PORT", "http").refused();
    assert_eq!(
        errors,
        "environment FASTMCP_PORT: server.port: expected a whole number, found \"http\""
    );
}

#[test]
fn the_names_of_the_axinova_server() {
    let setup = Setup::default()
        .env("APP_SERVER__API_TOKEN", "sk-mcp")
        .env("APP_SERVER__SSE_ENABLED", "true")
        .env("APP_SERVER__SSE_PORT", "8081")
        .env("APP_SERVER__PROTOCOL_VERSION", "2025-11-25")
        .env("APP_TLS__SKIP_VERIFY", "true")
        .env("APP_TIMEOUT__HTTP", "45s")
        .env("APP_LOG__FORMAT", "console");
    let setup = [
        "PORTAINER",
        "GRAFANA",
        "PROMETHEUS",
        "SILVERBULLET",
        "VIKUNJA",
    ]
    .iter()
    .fold(setup, |setup, name| {
        setup
            .env(&format!("APP_{name}__URL"), "http://127.0.0.1:9000")
            .env(&format!("APP_{name}__TOKEN"), "t")
            .env(&format!("APP_{name}__ENABLED"), "true")
    });
    let loaded = setup.load();
    assert_eq!(loaded.config.services.len(), 5);
    assert_eq!(
        loaded.config.services["vikunja"]
            .token
            .as_ref()
            .unwrap()
            .expose(),
        "t"
    );
    assert_eq!(loaded.config.timeout.http, Duration::from_secs(45));
    assert!(loaded.config.tls.skip_verify);
    assert!(
        warnings(&loaded)[0]
            .starts_with("environment APP_TLS__SKIP_VERIFY: tls.skip_verify: the upstream's")
    );
}

#[test]
fn our_own_name_wins_over_a_foreign_one() {
    let loaded = Setup::default()
        .env("FASTMCP_PORT", "1")
        .env("APP_SERVER__PORT", "2")
        .load();
    assert_eq!(loaded.config.server.port, Some(2));
    assert_eq!(
        warnings(&loaded),
        [
            "environment FASTMCP_PORT: server.port: not used, because `APP_SERVER__PORT` is set and says otherwise"
        ]
    );
    let loaded = Setup::default()
        .env("FASTMCP_PORT", "2")
        .env("APP_SERVER__PORT", "2")
        .load();
    assert_eq!(warnings(&loaded), [""; 0]);
}

#[test]
fn names_without_a_section_are_not_ours() {
    let loaded = Setup::default()
        .env("APP_ENV", "x")
        .env("APP_PORT_80_TCP", "tcp://x")
        .env("PATH", "/bin")
        .load();
    assert_eq!(loaded.origins.len(), 0);
    let errors = Setup::default()
        .env("APP_HTTP__TIMEOUT", "30s")
        .env("APP_LIMITS__BATCHES", "1")
        .refused();
    assert_eq!(
        errors,
        "environment APP_HTTP__TIMEOUT: http.timeout: unknown key; did you mean `timeout.http`?\n\
         environment APP_LIMITS__BATCHES: limits.batches: unknown key; did you mean `limits.batch`?"
    );
}

#[test]
fn a_file_gives_a_value_less_its_last_newline() {
    let load = |text: &str| {
        let setup = Setup::default()
            .env("APP_SERVER__API_TOKEN_FILE", "/run/token")
            .file("/run/token", text);
        setup
            .load()
            .config
            .server
            .api_token
            .unwrap()
            .expose()
            .to_owned()
    };
    assert_eq!(load("abc"), "abc");
    assert_eq!(load("abc\n"), "abc");
    assert_eq!(load("abc\r\n"), "abc");
    assert_eq!(load(" abc "), " abc ");
    let errors = Setup::default()
        .env("APP_SERVER__API_TOKEN_FILE", "/run/none")
        .refused();
    assert_eq!(
        errors,
        "environment APP_SERVER__API_TOKEN_FILE: server.api_token: cannot read `/run/none`: entity not found"
    );
    let errors = Setup::default()
        .env("FASTMCP_PORT_FILE", "p")
        .file("/w/p", "x\n")
        .refused();
    assert_eq!(
        errors,
        "environment FASTMCP_PORT_FILE: server.port: expected a whole number, found \"x\""
    );
}

#[test]
fn in_toml_secrets_may_stand_in_files_and_other_keys_may_not() {
    let base = "[portainer]\ntoken_file = \"t\"\npassword_file = \"p\"\nca_file = \"ca.pem\"\n";
    let config = Setup::toml(base)
        .file("/c/t", "a\n")
        .file("/c/p", "b\n")
        .load()
        .config;
    let portainer = &config.services["portainer"];
    assert_eq!(portainer.token.as_ref().unwrap().expose(), "a");
    assert_eq!(portainer.options["password"].expose(), "b");
    assert_eq!(
        portainer.ca_file.as_deref(),
        Some(std::path::Path::new("/c/ca.pem"))
    );
    let errors = Setup::toml("[server]\nport_file = \"p\"\n").refused();
    assert_eq!(
        errors,
        "/c/base.toml:2:1: server.port_file: unknown key; did you mean `server.port`?"
    );
    let errors = Setup::toml("[server]\napi_token = \"a\"\napi_token_file = \"t\"\n").refused();
    assert_eq!(
        errors,
        "/c/base.toml:3:18: server.api_token: `server.api_token` says it too: keep one of them"
    );
}

#[test]
fn tables_are_given_as_in_toml() {
    let config = Setup::default()
        .env(
            "APP_AUTH__TOKENS",
            "[{ name = \"a\", token = \"x\", scopes = [\"read\"] }]",
        )
        .env(
            "APP_SERVER__LISTENERS",
            "[{ address = \"127.0.0.1:1\", groups = [\"admin\"] }, \"[::1]:2\"]",
        )
        .load()
        .config;
    assert_eq!(config.auth.tokens.len(), 1);
    assert_eq!(config.server.listeners.len(), 2);
    let errors = Setup::default()
        .env("APP_AUTH__TOKENS", "[{ name = \"a\", token = 5 }]")
        .refused();
    assert_eq!(
        errors,
        "environment APP_AUTH__TOKENS: auth.tokens[0].token: expected a secret of printable ASCII characters, \
         found type integer"
    );
    let errors = Setup::default().env("APP_AUTH__TOKENS", "canary").refused();
    assert_eq!(
        errors,
        "environment APP_AUTH__TOKENS: auth.tokens[0]: expected a table with `name` and `token`, found a text of 6 bytes"
    );
}

#[test]
fn services_beyond_the_five() {
    let config = Setup::default()
        .env("APP_SERVICES__HOME_ASSISTANT__URL", "http://x")
        .env("APP_SERVICES__HOME_ASSISTANT__VERIFY_CODE", "1")
        .load()
        .config;
    assert_eq!(
        config.services["home_assistant"].url.as_deref(),
        Some("http://x")
    );
    assert_eq!(
        config.services["home_assistant"].options["verify_code"].expose(),
        "1"
    );
    let errors = Setup::toml("[services.home-assistant]\nurl = \"http://x\"\n").refused();
    assert!(
        errors.contains("expected a service id of lower-case letters, digits and `_`"),
        "{errors}"
    );
    let errors = Setup::default().env("APP_GITEA__URL", "http://x").refused();
    assert_eq!(
        errors,
        "environment APP_GITEA__URL: gitea.url: unknown key; did you mean `services.gitea.url`?"
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let errors = Setup::default()
        .env("APP_SERVER__NAME", "caf\u{fffd}")
        .refused();
    assert_eq!(
        errors,
        "environment APP_SERVER__NAME: server.name: expected UTF-8 text, found other bytes"
    );
    Setup::default().env("APP_SERVER__NAME", "caf\u{e9}").load();
}
