//! Packs that are wrong: what is said, and where.

use super::super::Pack;

const HEAD: &str = "[service]\nid = 'svc'\n";

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let problems = Pack::read("svc.toml", "svc", text.to_owned().into())
        .err()
        .unwrap_or_default();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for part in expected {
        assert!(
            lines.iter().any(|line| line.contains(part)),
            "no `{part}` in {lines:#?}"
        );
    }
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
}

/// A tool that is right but for `rest`.
fn tool(rest: &str) -> String {
    format!("{HEAD}[[tool]]\nname = 'svc_do'\ndescription = 'Does.'\naccess = 'read'\n{rest}")
}

#[test]
fn a_sound_pack_has_no_problems() {
    check(&tool("request = { path = '/' }"), &[]);
}

#[test]
fn every_mistake_of_a_file_is_found_with_its_line_and_column() {
    let text = "[service]\nid = 'svc'\ntitel = 'x'\n\n[[tool]]\nname = 'svc_do'\naccess = 'raed'\nrequest = { path = '/{idd}' }\n[tool.args.id]\ntype = 'integer'\n[tool.response]\nat = 'x'\n";
    check(
        text,
        &[
            "svc.toml:3:1: service: unknown key `titel`; did you mean `title`?",
            "svc.toml:5:1: svc_do: `description` is missing",
            "svc.toml:7:10: svc_do.access: expected `read`, `write`, `destructive`, found `raed`",
            "svc.toml:8:20: svc_do.request.path: no argument `idd`; did you mean `id`?",
            "svc.toml:9:1: svc_do.args.id: the argument `id` is used by nothing",
            "svc.toml:12:6: svc_do.response:",
        ],
    );
}

#[test]
fn what_is_no_toml_is_said_once() {
    check("[service\nid = 1", &["svc.toml:1:9: not valid TOML"]);
    check("", &["`service` is missing"]);
    check(HEAD, &["`tool` is missing"]);
}

#[test]
fn mistakes_of_the_service() {
    let service = |rest: &str| {
        format!(
            "{HEAD}{rest}\n[[tool]]\nname = 'svc_do'\ndescription = 'Does.'\naccess = 'read'\nrequest = {{ path = '/' }}"
        )
    };
    check(
        "[service]\nid = 'other'\n[[tool]]\nname = 'x'\ndescription = 'd'\naccess = 'read'\nrequest = { path = '/' }",
        &["the file is named `svc.toml`"],
    );
    check(&service("path = 'api/'"), &["expected a path such as"]);
    check(
        &service("timeout = '45'"),
        &["expected a time such as `45s`"],
    );
    check(
        &service("max_response = '1GB'"),
        &["expected 1024 to 16777216 bytes"],
    );
    check(&service("error_at = ['message']"), &["no JSON pointer"]);
    check(&service("headers = { 'a b' = 'c' }"), &["no header name"]);
    check(
        &service("headers = { a = '{token}' }"),
        &["`{token}` cannot stand here"],
    );
    check(
        &service("probe = { method = 'POST', path = '/' }"),
        &["a probe only looks"],
    );
    check(
        &service("probe = { path = '/', expects = [200] }"),
        &["did you mean `expect`?"],
    );
    check(
        &service("options = { url = { description = 'u' } }"),
        &["`url` cannot name an option"],
    );
    check(
        &service("options = { a = {} }"),
        &["`description` is missing"],
    );
    check(
        &service("options = { a = { description = 'a', secret = true, default = 'x' } }"),
        &["a secret with a default is none"],
    );
    check(
        &service("args = { a = {} }"),
        &["no tool takes `a` by `use`"],
    );
    check(
        &service("needs_url = false"),
        &["cannot say `needs_url = false`"],
    );
}

#[test]
fn mistakes_of_a_tool() {
    for (rest, expected) in [
        ("", "`request` is missing"),
        ("request = {}", "`path` is missing"),
        ("request = { path = '/' }\nif_option = 'x'", "no option `x`"),
        (
            "request = { path = '/' }\nuse = ['x']",
            "`[service.args]` has no `x`",
        ),
        (
            "request = { path = '/' }\naliases = ['svc do']",
            "use 1 to 128 of",
        ),
        (
            "request = { path = '/' }\nkind = 'http2'",
            "expected `http`, `command`",
        ),
        (
            "request = { path = '/' }\ncommand = {}",
            "needs `kind = \"command\"`",
        ),
        (
            "request = { method = 'DELETE', path = '/' }",
            "a DELETE that only reads",
        ),
        (
            "args = { null = {} }\nrequest = { path = '/{null}' }",
            "`null` cannot name an argument",
        ),
        (
            "args = { a = { required = true, default = 'x' } }\nrequest = { path = '/{a}' }",
            "required and has a default",
        ),
        (
            "args = { a = { default_option = 'o' } }\nrequest = { path = '/', query = { a = '{a}' } }",
            "no option `o`",
        ),
        (
            "args = { a = { typ = 'string' } }\nrequest = { path = '/', query = { a = '{a}' } }",
            "typ",
        ),
        (
            "args = { a = { x-mcp-header = 'a b' } }\nrequest = { path = '/', query = { a = '{a}' } }",
            "svc.toml:7:31: svc_do.args.a.x-mcp-header:",
        ),
        (
            "request = { path = '/' }\npages = { mode = 'page' }",
            "`param` is missing",
        ),
        (
            "request = { path = '/' }\npages = { mode = 'cursor', param = 'c' }",
            "`next` is missing",
        ),
        (
            "request = { path = '/' }\npages = { mode = 'page', param = 'p', next = '/n' }",
            "means nothing to this mode",
        ),
        (
            "request = { path = '/' }\npages = { mode = 'page', param = 'p', size = 5 }",
            "go together",
        ),
        (
            "request = { path = '/' }\nfallback = { on = [404] }",
            "`request` is missing",
        ),
        (
            "request = { path = '/' }\nresponse = { status = { 99 = 'x' } }",
            "expected a status such as",
        ),
        (
            "request = { path = '/' }\nresponse = { fail_at = { ok = false } }",
            "no JSON pointer",
        ),
        (
            "request = { path = '/' }\nbefore = [{ request = { path = '/' } }, { request = { path = '/' } }, { request = { path = '/' } }]",
            "at most 2 requests",
        ),
        (
            "request = { path = '/' }\nbefore = [{ as = 'x', request = { path = '/' } }]",
            "`{before.x}` is used by nothing",
        ),
        (
            "request = { path = '/' }\nbefore = [{ request = { method = 'POST', path = '/' } }]",
            "only looks",
        ),
        (
            "request = { path = '/' }\nbefore = [{ request = { path = '/' }, fills = { a = '/0' } }]",
            "no argument `a`",
        ),
    ] {
        let problems = Pack::read("svc.toml", "svc", tool(rest).into())
            .err()
            .unwrap_or_default();
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            lines.iter().any(|line| line.contains(expected)),
            "{rest}: no `{expected}` in {lines:#?}"
        );
    }
}

#[test]
fn names_are_told_apart_also_from_aliases() {
    let two = |name: &str| {
        format!(
            "{}\n[[tool]]\nname = '{name}'\ndescription = 'Does.'\naccess = 'read'\nrequest = {{ path = '/' }}\naliases = ['svc_alias']",
            tool("request = { path = '/' }")
        )
    };
    check(&two("svc_other"), &[]);
    check(
        &two("svc_do"),
        &["another tool of this pack is named `svc_do` too"],
    );
    check(
        &two("svc_alias"),
        &["another tool of this pack is named `svc_alias` too"],
    );
}
