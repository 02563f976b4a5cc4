//! Each kind of value: what it takes and the neighbour it refuses, in TOML and as bare text.

use super::super::field::Row;
use super::super::keys::{SECTIONS, Service};
use super::super::kind::Value;
use super::Setup;

/// Sets `key` in a file and returns what `siskin config` shows for it.
#[track_caller]
fn toml_shows(key: &str, written: &str, shown: &str) {
    let (section, name) = key.split_once('.').unwrap();
    let text = Setup::toml(&format!("[{section}]\n{name} = {written}\n"))
        .load()
        .render_effective();
    let line = format!("\n{name} = {shown}  # /c/base.toml:2:{}\n", name.len() + 4);
    assert!(text.contains(&line), "{line} is not in\n{text}");
}

/// Sets `key` in a file and returns the problem behind key and place.
#[track_caller]
fn toml_refuses(key: &str, written: &str, problem: &str) {
    let (section, name) = key.split_once('.').unwrap();
    let errors = Setup::toml(&format!("[{section}]\n{name} = {written}\n")).refused();
    assert_eq!(
        errors,
        format!("/c/base.toml:2:{}: {key}: {problem}", name.len() + 4)
    );
}

#[track_caller]
fn text_shows(key: &str, written: &str, shown: &str) {
    let name = key.rsplit_once('.').unwrap().1;
    let text = Setup::default()
        .cli(&format!("{key}={written}"))
        .load()
        .render_effective();
    let line = format!("\n{name} = {shown}  # command line\n");
    assert!(text.contains(&line), "{line} is not in\n{text}");
}

#[track_caller]
fn text_refuses(key: &str, written: &str, problem: &str) {
    let errors = Setup::default().cli(&format!("{key}={written}")).refused();
    assert_eq!(errors, format!("command line: {key}: {problem}"));
}

#[test]
fn booleans() {
    toml_shows("tools.device", "false", "false");
    toml_refuses(
        "tools.device",
        "\"false\"",
        "expected `true` or `false`, found the string \"false\"",
    );
    for yes in ["true", "1", "yes", "on", "TRUE"] {
        text_shows("reload.watch", yes, "true");
    }
    for no in ["false", "0", "no", "off"] {
        text_shows("tools.device", no, "false");
    }
    text_refuses(
        "reload.watch",
        "2",
        "expected `true` or `false`, found \"2\"",
    );
    text_refuses("reload.watch", "", "expected `true` or `false`, found \"\"");
}

#[test]
fn integers() {
    toml_shows("limits.batch", "0x10", "16");
    toml_refuses(
        "limits.batch",
        "\"16\"",
        "expected a whole number, found the string \"16\"",
    );
    toml_refuses(
        "limits.batch",
        "1.5",
        "expected a whole number, found the float 1.5",
    );
    toml_refuses(
        "limits.batch",
        "-1",
        "expected a whole number, found the integer -1",
    );
    toml_shows("limits.batch", "1", "1");
    toml_refuses("limits.batch", "0", "0 is outside 1 to 10000");
    toml_shows("limits.batch", "10_000", "10000");
    toml_refuses("limits.batch", "10001", "10001 is outside 1 to 10000");
    text_shows("limits.batch", "7", "7");
    for bad in ["+7", "7 ", "0x7", "7.0", "99999999999999999999"] {
        text_refuses(
            "limits.batch",
            bad,
            &format!("expected a whole number, found \"{bad}\""),
        );
    }
}

#[test]
fn sizes() {
    const EXPECTED: &str = "expected a size in bytes or like \"64KiB\" or \"1MiB\", found";
    toml_shows("limits.body_bytes", "2048", "\"2KiB\"");
    toml_shows("limits.body_bytes", "2049", "2049");
    toml_shows("limits.body_bytes", "\"3MiB\"", "\"3MiB\"");
    toml_shows("limits.body_bytes", "\"2MB\"", "2000000");
    text_shows("limits.body_bytes", "256mib", "\"256MiB\"");
    toml_refuses(
        "limits.body_bytes",
        "\"257MiB\"",
        "257MiB is outside 1KiB to 256MiB",
    );
    toml_refuses(
        "limits.body_bytes",
        "1023",
        "1023 is outside 1KiB to 256MiB",
    );
    toml_refuses(
        "limits.body_bytes",
        "true",
        &format!("{EXPECTED} the boolean true"),
    );
    for bad in ["1.5MiB", "1M", "MiB", "1 MiB", "18014398509481984KiB"] {
        text_refuses("limits.body_bytes", bad, &format!("{EXPECTED} \"{bad}\""));
    }
}

#[test]
fn durations() {
    const EXPECTED: &str = "expected a duration like \"30s\", \"500ms\" or \"1m30s\", found";
    toml_shows("timeout.http", "\"500ms\"", "\"500ms\"");
    toml_shows("timeout.http", "\"1m30s\"", "\"90s\"");
    text_shows("timeout.http", "1h", "\"1h\"");
    toml_refuses("timeout.http", "\"61m\"", "61m is outside 100ms to 1h");
    toml_refuses("timeout.http", "\"99ms\"", "99ms is outside 100ms to 1h");
    toml_refuses("timeout.http", "30", &format!("{EXPECTED} the integer 30"));
    for bad in [
        "30",
        "30 s",
        "s",
        "30sec",
        "1s1m",
        "1s1s",
        "-1s",
        "1.5s",
        "",
        "213503982335d",
    ] {
        text_refuses("timeout.http", bad, &format!("{EXPECTED} \"{bad}\""));
    }
}

#[test]
fn texts_and_paths() {
    toml_shows(
        "server.title",
        "\"Caf\u{e9} \\\"7\\\"\\n\"",
        "\"Caf\u{e9} \\\"7\\\"\\n\"",
    );
    toml_refuses("server.title", "7", "expected a text, found the integer 7");
    toml_refuses(
        "server.name",
        "\"\"",
        "expected a text, found the string \"\"",
    );
    toml_shows("state.file", "\"state\"", "\"/c/state\"");
    toml_shows("state.file", "\"/var/state\"", "\"/var/state\"");
    text_shows("state.file", "state", "\"/w/state\"");
    toml_refuses("state.file", "[]", "expected a path, found an array");
}

#[test]
fn choices() {
    toml_shows("log.format", "\"console\"", "\"text\"");
    toml_shows("log.level", "\"WARNING\"", "\"warn\"");
    toml_refuses(
        "log.format",
        "\"xml\"",
        "expected `json` or `text`, found the string \"xml\"",
    );
    text_shows("aws.partition", "aws-cn", "\"aws-cn\"");
    text_refuses(
        "aws.partition",
        "aws-us-gov",
        "expected `aws` or `aws-cn`, found \"aws-us-gov\"",
    );
    text_refuses(
        "server.transport",
        "tcp",
        "expected `http`, `sse`, `stdio` or `streamable-http`, found \"tcp\"",
    );
}

#[test]
fn hosts() {
    toml_shows("server.host", "\"::1\"", "\"::1\"");
    toml_shows("server.host", "\"[::1]\"", "\"::1\"");
    toml_shows("server.host", "\"localhost\"", "\"127.0.0.1\"");
    for bad in ["nas.lan", "127.0.0.1:80", "256.0.0.1", "[::1"] {
        text_refuses(
            "server.host",
            bad,
            &format!("expected an IP address or `localhost`, found \"{bad}\""),
        );
    }
}

#[test]
fn urls() {
    const EXPECTED: &str =
        "expected a URL like `http://host:port/prefix` without user, query or fragment, found";
    for good in [
        "http://127.0.0.1:9000",
        "https://nas.lan/grafana/",
        "http://[::1]:80/a%20b",
        "http://x",
    ] {
        text_shows("grafana.url", good, &format!("\"{good}\""));
    }
    for bad in [
        "nas.lan",
        "ftp://x",
        "http://",
        "http:///a",
        "http://x:0",
        "http://x:65536",
        "http://x/?a",
        "http://x/#a",
        "http://x y",
    ] {
        text_refuses("grafana.url", bad, &format!("{EXPECTED} \"{bad}\""));
    }
    // A password in the user part is not repeated.
    text_refuses(
        "grafana.url",
        "http://a:canary@x",
        &format!("{EXPECTED} a text of 17 bytes"),
    );
}

#[test]
fn url_paths() {
    for good in ["/mcp", "/a/b/", "/~x"] {
        text_shows("server.mcp_path", good, &format!("\"{good}\""));
    }
    for bad in [
        "mcp", "/", "", "//a", "/a//b", "/a/../b", "/./a", "/a?b", "/a#b", "/a%20b", "/a b",
    ] {
        text_refuses(
            "server.mcp_path",
            bad,
            &format!("expected a path like `/mcp`, found \"{bad}\""),
        );
    }
}

#[test]
fn lists() {
    toml_shows("tools.deny", "[\"a_*\", \"b\"]", "[\"a_*\", \"b\"]");
    text_shows("tools.deny", "a_*, b", "[\"a_*\", \"b\"]");
    text_shows("tools.deny", "[\"a_*\", 'b']", "[\"a_*\", \"b\"]");
    text_shows("tools.deny", "", "[]");
    toml_refuses(
        "tools.deny",
        "\"a,b\"",
        "expected an array, found a string of 3 bytes",
    );
    let errors = Setup::toml("[tools]\ndeny = [\n  \"a\",\n  7,\n  \"b c\",\n]\n").refused();
    assert_eq!(
        errors,
        "/c/base.toml:4:3: tools.deny[1]: expected a tool name, `*` standing for any text, found the integer 7\n\
         /c/base.toml:5:3: tools.deny[2]: expected a tool name, `*` standing for any text, found the string \"b c\""
    );
    text_refuses(
        "tools.deny",
        "['a'",
        "not valid TOML: unclosed array, expected `]`",
    );
    text_shows(
        "server.trusted_proxies",
        "10.0.0.0/8,::1,unix",
        "[\"10.0.0.0/8\", \"::1/128\", \"unix\"]",
    );
    text_shows("limits.rate_exempt", "/a,/b/c", "[\"/a\", \"/b/c\"]");
    text_refuses(
        "server.trusted_proxies[1]",
        "",
        "unknown key; did you mean `server.trusted_proxies`?",
    );
    text_shows(
        "server.cors_origins",
        "*,null,https://a:1,http://[::1]:*,vscode-webview://x",
        "[\"*\", \"null\", \"https://a:1\", \"http://[::1]:*\", \"vscode-webview://x\"]",
    );
    text_shows(
        "server.allowed_hosts",
        "[::1],nas.lan:80,*.lan,*",
        "[\"[::1]\", \"nas.lan:80\", \"*.lan\", \"*\"]",
    );
    text_shows(
        "aws.hosts",
        "docs.aws.amazon.com=http://127.0.0.1:9",
        "[\"docs.aws.amazon.com=http://127.0.0.1:9\"]",
    );
    for (key, bad) in [
        ("server.trusted_proxies", "10.0.0.0/33"),
        ("server.trusted_proxies", "Unix"),
        ("limits.rate_exempt", "health"),
        ("server.cors_origins", "https://a/"),
        ("server.cors_origins", "https://a:1:*"),
        ("server.cors_origins", "*://a"),
        ("server.cors_origins", "Null"),
        ("server.allowed_hosts", "a.*"),
        ("server.allowed_hosts", "*."),
        ("server.allowed_hosts", "http://a"),
        ("aws.hosts", "docs.aws.amazon.com"),
    ] {
        let errors = Setup::default().cli(&format!("{key}={bad}")).refused();
        assert!(
            errors.starts_with(&format!("command line: {key}[0]: expected ")),
            "{errors}"
        );
    }
}

#[test]
fn secrets_are_printable_ascii() {
    text_shows("server.api_token", "sk-1", "\"***\"");
    const EXPECTED: &str = "expected a secret of printable ASCII characters, found";
    text_refuses(
        "server.api_token",
        "sk-\u{e9}",
        &format!("{EXPECTED} a text of 5 bytes"),
    );
    toml_refuses(
        "server.api_token",
        "\"a\\nb\"",
        &format!("{EXPECTED} a string of 3 bytes"),
    );
    toml_refuses(
        "server.api_token",
        "12345",
        &format!("{EXPECTED} type integer"),
    );
}

#[test]
fn an_empty_text_unsets_what_may_be_unset() {
    let base = "[portainer]\nurl = \"http://x\"\n[server]\nport = 9\n";
    let config = Setup::toml(base)
        .env("APP_PORTAINER__URL", "")
        .env("APP_SERVER__PORT", "")
        .load()
        .config;
    assert_eq!(config.services["portainer"].url, None);
    assert_eq!(config.server.port, None);
}

#[test]
fn every_row_has_a_default_that_parses_and_a_text() {
    let all: Vec<&Row> = SECTIONS
        .iter()
        .chain([&Service::SECTION])
        .flat_map(|section| section.rows)
        .collect();
    assert!(all.len() > 60);
    for row in all {
        assert_eq!(
            row.default_value() == Value::Unset,
            row.is_optional(),
            "{}",
            row.name
        );
        let doc = row.doc.trim();
        assert!(doc.ends_with('.') && doc.len() > 10, "{}: {doc}", row.name);
        if let Some(bounds) = row.kind.bounds() {
            assert!(bounds.min < bounds.max, "{}", row.name);
        }
    }
}

#[test]
fn every_default_is_what_its_field_gives_back() {
    let config = super::super::Config::default();
    for section in SECTIONS {
        for row in section.rows {
            assert_eq!(
                config.value(section.name, row.name),
                row.default_value(),
                "{}.{}",
                section.name,
                row.name
            );
        }
    }
}
