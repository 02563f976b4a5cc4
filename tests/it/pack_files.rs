//! Packs of one's own: `siskin pack new` and `siskin pack test`, a file in the place of a shipped pack, and what
//! `siskin check` and `/ready` say of the services behind them. The pack is the walkthrough's, `examples/packs/miniflux.toml`.

use std::path::Path;
use std::process::Command;

use crate::fakes::miniflux::{KEY, Miniflux};
use crate::fakes::pihole::Pihole;
use crate::support::{Env, Folder, Mcp, Program, Server, Upstream, Way, json, parse};

/// How a command ended.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn siskin(folder: &Folder, args: &[&str], env: Env) -> Ran {
    let output = Command::new(Program::Siskin.path())
        .args(args)
        .env_clear()
        .envs(env.iter().copied())
        .current_dir(folder.path())
        .output()
        .expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
    Ran {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

fn shipped(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A configuration folder with the walkthrough's pack, and what leads to the fake.
fn miniflux() -> (Folder, Upstream<Miniflux>) {
    let folder = Folder::new();
    folder.write("config/base.toml", "");
    folder.write(
        "config/packs/miniflux.toml",
        shipped("examples/packs/miniflux.toml"),
    );
    (folder, Upstream::start(Miniflux::new()))
}

const URL: &str = "APP_SERVICES__MINIFLUX__URL";
const TOKEN: &str = "APP_SERVICES__MINIFLUX__TOKEN";

#[test]
fn a_new_pack_is_sound_and_nothing_is_overwritten() {
    let folder = Folder::new();
    folder.write("config/base.toml", "");
    let new = |id: &str| siskin(&folder, &["pack", "new", id], &[]);
    let ran = new("kettle");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let path = folder.path().join("config/packs/kettle.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(ran.stdout.starts_with("wrote "), "{}", ran.stdout);
    let tested = siskin(&folder, &["pack", "test", "config/packs/kettle.toml"], &[]);
    assert_eq!(tested.code, Some(0), "{}{}", tested.stdout, tested.stderr);
    assert!(
        tested.stdout.contains("\nkettle_rename_item  write "),
        "{}",
        tested.stdout
    );
    let again = new("kettle");
    assert_eq!(again.code, Some(1));
    assert!(
        again.stderr.contains("is there already"),
        "{}",
        again.stderr
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let refused = new("Kettle");
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("lower-case letters"),
        "{}",
        refused.stderr
    );
    // A pack that is shipped is copied, to be changed.
    assert_eq!(new("ntfy").code, Some(0));
    let copied = std::fs::read_to_string(folder.path().join("config/packs/ntfy.toml")).unwrap();
    assert_eq!(copied, shipped("config/packs/ntfy.toml"));
}

#[test]
fn every_mistake_of_a_file_is_listed() {
    let folder = Folder::new();
    let text = shipped("examples/packs/miniflux.toml");
    let text = text
        .replacen("access = \"read\"", "acess = \"read\"", 1)
        .replacen("\"{search}\"", "\"{serach}\"", 1)
        .replacen("\"/error_message\"", "\"error_message\"", 1);
    folder.write("miniflux.toml", text);
    let ran = siskin(&folder, &["pack", "test", "miniflux.toml"], &[]);
    assert_eq!(ran.code, Some(78));
    assert_eq!(
        ran.stdout,
        "miniflux.toml:10:13: service.error_at[0]: `error_message` is no JSON pointer: it begins with `/`\n\
         miniflux.toml:13:1: miniflux_list_entries: `access` is missing\n\
         miniflux.toml:17:1: miniflux_list_entries: unknown key `acess`; did you mean `access`?\n\
         miniflux.toml:20:10: miniflux_list_entries.args.search: the argument `search` is used by nothing; use it, or say `ignored = true`\n\
         miniflux.toml:25:41: miniflux_list_entries.request.query.search: no argument `serach`; did you mean `search`?\n"
    );
    assert_eq!(ran.stderr, "siskin: `miniflux.toml` has 5 problems\n");
    let none = siskin(&folder, &["pack", "test", "none.toml"], &[]);
    assert_eq!(none.code, Some(1));
    assert!(
        none.stderr.starts_with("siskin: cannot read `none.toml`: "),
        "{}",
        none.stderr
    );
}

#[test]
fn the_walkthrough_shows_what_goes_over_the_wire() {
    let (folder, upstream) = miniflux();
    let url = upstream.url();
    let words = [
        "pack",
        "test",
        "config/packs/miniflux.toml",
        "miniflux_list_entries",
        "limit=1",
    ];
    let ran = siskin(&folder, &words, &[(URL, &url), (TOKEN, KEY)]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        upstream.only().line(),
        "GET /v1/entries?status=unread&limit=1&order=published_at&direction=desc"
    );
    assert!(!ran.stdout.contains(KEY), "{}", ran.stdout);
    let shown = ran.stdout.replace(&url, "http://127.0.0.1:8080");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/packs/miniflux.transcript.txt");
    if std::env::var_os("SISKIN_BLESS").is_some() {
        std::fs::write(&path, &shown).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        shown, kept,
        "SISKIN_BLESS=1 writes it; the reference of packs shows it too"
    );
}

#[test]
fn a_tool_that_fails_still_shows_why() {
    let (folder, upstream) = miniflux();
    let file = "config/packs/miniflux.toml";
    let test = |words: &[&str], env: Env| {
        siskin(&folder, &[&["pack", "test", file][..], words].concat(), env)
    };
    let url = upstream.url();
    let wrong = test(
        &["miniflux_get_entry", "entry_id=1"],
        &[(URL, &url), (TOKEN, "xy")],
    );
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.stdout.contains("\n> X-Auth-Token: ***\n"),
        "{}",
        wrong.stdout
    );
    assert!(wrong.stdout.contains("\n< 401\n"), "{}", wrong.stdout);
    assert!(
        wrong
            .stdout
            .ends_with("miniflux_get_entry: Miniflux answered 401: Access Unauthorized\n"),
        "{}",
        wrong.stdout
    );
    let closed = test(
        &["miniflux_get_entry", "entry_id=1"],
        &[(URL, "http://127.0.0.1:9")],
    );
    assert_eq!(closed.code, Some(1));
    assert!(
        closed.stdout.contains("\n< no answer: "),
        "{}",
        closed.stdout
    );
    upstream.only();
    // What cannot be asked is told before anything is sent.
    let homeless = test(&["miniflux_get_entry", "entry_id=1"], &[]);
    assert_eq!(homeless.code, Some(78));
    assert!(
        homeless.stderr.contains("APP_SERVICES__MINIFLUX__URL"),
        "{}",
        homeless.stderr
    );
    let unfit = test(&["miniflux_get_entry", "entry_id=x"], &[(URL, &url)]);
    assert_eq!(unfit.code, Some(2), "{}", unfit.stderr);
    upstream.expect_untouched();
}

#[test]
fn a_session_and_its_password_are_masked() {
    let folder = Folder::new();
    folder.write("pihole.toml", shipped("config/packs/pihole.toml"));
    let upstream = Upstream::start(Pihole::new());
    let (url, password) = (
        upstream.url(),
        upstream.state(|pihole| pihole.password.unwrap()),
    );
    let env: Env = &[
        ("APP_SERVICES__PIHOLE__URL", &url),
        ("APP_SERVICES__PIHOLE__TOKEN", password),
    ];
    let ran = siskin(
        &folder,
        &[
            "pack",
            "test",
            "pihole.toml",
            "pihole_get_blocking",
            "--whole",
        ],
        env,
    );
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("{\"password\":\"***\"}"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("\"sid\":\"***\""), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("\n> X-FTL-SID: ***\n"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains(password), "{}", ran.stdout);
    // The session was given back.
    upstream.state(|pihole| assert_eq!((pihole.logins, pihole.sessions.len()), (1, 0)));
}

#[test]
fn the_walkthroughs_pack_works_in_a_server() {
    let (folder, upstream) = miniflux();
    let url = upstream.url();
    let server = Server::start_in(folder, Program::Siskin, &[(URL, &url), (TOKEN, KEY)]);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let listed = mcp.call("miniflux_list_entries", json!({"search": "kettle"}));
    let entry = |id: u64, title: &str, starred: bool| {
        json!({"id": id, "title": title, "feed": "Blog", "published": "2025-11-20T08:30:00Z",
            "url": format!("https://blog.example/{id}"), "starred": starred})
    };
    assert_eq!(
        listed["structuredContent"]["items"],
        json!([
            entry(2, "Small machines", true),
            entry(1, "A kettle that listens", false)
        ])
    );
    assert_eq!(upstream.only().query("search").as_deref(), Some("kettle"));
    let marked = mcp.call("miniflux_mark_entries", json!({"entry_ids": [1, 2]}));
    assert_eq!(marked["content"][0]["text"], "marked as read");
    upstream.only();
    upstream.state(|miniflux| {
        assert!(
            miniflux
                .entries
                .iter()
                .all(|entry| entry["status"] == "read")
        )
    });
    let missing = mcp.call("miniflux_get_entry", json!({"entry_id": 9}));
    assert_eq!(
        missing["content"][0]["text"],
        "miniflux_get_entry: no entry 9"
    );
    // A second call of a tool finds it awake, and a call of another its own.
    let shown = mcp.call("miniflux_get_entry", json!({"entry_id": 1}));
    assert_eq!(
        shown["structuredContent"]["content"],
        "<p>A kettle that listens</p>"
    );
}

#[test]
fn check_asks_every_configured_service() {
    let (folder, upstream) = miniflux();
    let url = upstream.url();
    let check = |token: &str| siskin(&folder, &["check"], &[(URL, &url), (TOKEN, token)]);
    let sound = check(KEY);
    assert_eq!(sound.code, Some(0), "{}", sound.stdout);
    let line = format!("miniflux: 3 tools at {url}/v1, answers\n");
    assert!(sound.stdout.ends_with(&line), "{}", sound.stdout);
    assert_eq!(upstream.only().line(), "GET /v1/me");
    let wrong = check("no-such-key");
    assert_eq!(wrong.code, Some(78));
    assert_eq!(
        wrong.stdout,
        "services.miniflux: Miniflux answered 401: Access Unauthorized\n"
    );
    // Without a URL nobody is asked, and the file is read all the same.
    upstream.only();
    let off = siskin(&folder, &["check"], &[]);
    assert_eq!(off.code, Some(0), "{}", off.stdout);
    upstream.expect_untouched();
    folder.write("config/packs/other.toml", "[service]\nid = 'other'\n");
    let broken = siskin(&folder, &["check"], &[]);
    assert_eq!(broken.code, Some(78));
    assert!(
        broken.stdout.contains("other.toml:1:1: `tool` is missing"),
        "{}",
        broken.stdout
    );
}

#[test]
fn ready_goes_by_the_probes() {
    let start = |token: &str| {
        let (folder, upstream) = miniflux();
        let url = upstream.url();
        let server = Server::start_in(folder, Program::Siskin, &[(URL, &url), (TOKEN, token)]);
        (server, upstream)
    };
    let (server, upstream) = start(KEY);
    upstream.expect_untouched();
    let ready = server.get("/ready");
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert_eq!(parse(ready.text())["services"], json!({"miniflux": "up"}));
    assert_eq!(upstream.only().line(), "GET /v1/me");
    // Fresh enough to be said again without asking.
    assert_eq!(server.get("/ready").status, 200);
    upstream.expect_untouched();
    let (server, _upstream) = start("no-such-key");
    let unready = server.get("/ready");
    assert_eq!(unready.status, 503, "{}", unready.text());
    assert_eq!(
        parse(unready.text())["services"],
        json!({"miniflux": "down"})
    );
    // It serves all the same, and is alive.
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn a_file_replaces_a_shipped_pack_and_an_unconfigured_pack_registers_nothing() {
    let (folder, _upstream) = miniflux();
    let names = |folder: &Folder, env: Env| {
        let ran = siskin(folder, &["tools", "--json"], env);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let tools = parse(ran.stdout)["tools"].as_array().unwrap().clone();
        let names = tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned());
        names
            .filter(|name| !name.starts_with("device_") && name != "net_check")
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&folder, &[]), Vec::<String>::new());
    let url = ("APP_SERVICES__NTFY__URL", "http://127.0.0.1:9");
    assert_eq!(
        names(&folder, &[url]),
        ["ntfy_publish", "ntfy_list_messages"]
    );
    let own = shipped("config/packs/ntfy.toml").replace("ntfy_publish", "ntfy_send");
    folder.write("config/packs/ntfy.toml", own);
    assert_eq!(names(&folder, &[url]), ["ntfy_send", "ntfy_list_messages"]);
    assert_eq!(names(&folder, &[]), Vec::<String>::new());
}
