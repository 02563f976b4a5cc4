//! Reading the configuration again: complete or not at all, told to those whom it concerns.

use crate::support::{
    Folder, Http, Mcp, Program, Request, Response, Server, Sse, Way, json, parse, poll_until,
};

const LIST_CHANGED: &str = "notifications/tools/list_changed";

/// A server with this `config/base.toml`.
#[track_caller]
fn start(base: &str) -> Server {
    let folder = Folder::new();
    folder.write("config/base.toml", base);
    Server::start_in(folder, Program::Siskin, &[])
}

/// Writes another `base.toml` and has it read; returns how long the log was before.
#[track_caller]
fn reload(server: &Server, base: &str) -> usize {
    let from = server.process.log_len();
    let path = server.process.folder().join("config");
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join("base.toml"), base).unwrap();
    server.hangup();
    from
}

/// The same, and waits for a line of the log.
#[track_caller]
fn reload_until(server: &Server, base: &str, needle: &str) {
    let from = reload(server, base);
    expect_log(server, from, needle);
}

#[track_caller]
fn expect_log(server: &Server, from: usize, needle: &str) -> String {
    let found = |line: &str| line.contains(needle).then(|| line.to_owned());
    server.process.wait_log(needle, from, found)
}

#[track_caller]
fn tools(mcp: &mut Mcp) -> Vec<String> {
    let list = mcp.result("tools/list", json!({}));
    let tools = list["tools"].as_array().unwrap().iter();
    tools
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Opens the GET stream of a session and takes the event that primes it.
#[track_caller]
fn listen_primed(client: &Mcp) -> Sse {
    let mut stream = client.listen();
    assert_eq!(stream.next().data, "");
    stream
}

#[track_caller]
fn expect_list_changed(stream: &mut Sse) {
    assert_eq!(stream.message()["method"], LIST_CHANGED);
}

#[test]
fn tools_come_and_go_and_everyone_hears_of_it_once() {
    let server = start("");
    let mut streamable = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let mut get = listen_primed(&streamable);
    let mut http_sse = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    let mut stateless = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let listen = json!({"notifications": {"toolsListChanged": true}});
    let listen = stateless.build("subscriptions/listen", listen);
    let mut listening = stateless.send(&listen).unwrap().into_sse();
    listening.message();
    let deaf = json!({"notifications": {"promptsListChanged": true}});
    let deaf = stateless.build("subscriptions/listen", deaf);
    let mut deaf = stateless.send(&deaf).unwrap().into_sse();
    deaf.message();

    reload_until(
        &server,
        "[tools]\ndeny = [\"device_mem*\"]\n",
        "reloaded: tools.deny",
    );
    expect_list_changed(&mut get);
    assert_eq!(http_sse.next()["method"], LIST_CHANGED);
    let told = listening.message();
    assert_eq!(told["method"], LIST_CHANGED);
    assert_eq!(
        told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        listen["id"]
    );
    for mcp in [&mut streamable, &mut http_sse, &mut stateless] {
        assert!(!tools(mcp).contains(&"device_memory".to_owned()));
        let params = json!({"name": "device_memory", "arguments": {}});
        assert_eq!(mcp.error("tools/call", params)["code"], -32602);
    }

    reload_until(
        &server,
        "[tools]\nwake_on_lan = true\n",
        "reloaded: tools.deny, tools.wake_on_lan",
    );
    expect_list_changed(&mut get);
    assert!(tools(&mut streamable).contains(&"wake_on_lan".to_owned()));
    reload_until(
        &server,
        "[tools]\nwake_on_lan = true\nread_only = true\n",
        "reloaded: tools.read_only",
    );
    expect_list_changed(&mut get);
    let offered = tools(&mut streamable);
    assert!(!offered.contains(&"wake_on_lan".to_owned()));
    assert!(offered.contains(&"device_memory".to_owned()));

    // What changes no tool is not announced: the next event is of the change after it.
    reload_until(
        &server,
        "[tools]\nread_only = true\n",
        "reloaded: tools.wake_on_lan",
    );
    reload_until(
        &server,
        "[tools]\ndevice = false\n[limits]\nstreams = 77\n",
        "reloaded: tools.read_only, tools.device, limits.streams",
    );
    expect_list_changed(&mut get);
    let resources = get.message();
    assert_eq!(resources["method"], "notifications/resources/list_changed");
    let exit = server.stop();
    assert!(exit.status.success(), "{exit:?}");
    get.expect_end();
    let rest = deaf.rest();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert!(rest[0].json().get("result").is_some(), "{rest:?}");
}

#[test]
fn nothing_changed_is_said_and_announced_to_nobody() {
    let server = start("[tools]\nread_only = true\n");
    let client = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let mut get = client.listen();
    reload_until(
        &server,
        "[tools]\nread_only = true # as before\n",
        "reloaded: nothing changed",
    );
    server.stop();
    get.expect_end();
}

#[test]
fn a_bad_file_says_where_and_changes_nothing() {
    let good = "[tools]\ndeny = [\"device_memory\"]\n";
    let server = start(good);
    let mut client = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let before = tools(&mut client);
    // The first line alone would have been fine.
    let from = reload(
        &server,
        "[tools]\ndeny = []\nread_onyl = true\n[limits]\nstreams = \"many\"\n",
    );
    let lines = [
        "base.toml:3:1: tools.read_onyl: unknown key; did you mean `tools.read_only`?",
        "base.toml:5:11: limits.streams: ",
        "2 problems: the configuration stays as it was",
    ];
    for line in lines {
        expect_log(&server, from, line);
    }
    assert_eq!(tools(&mut client), before);
    let from = reload(&server, "[tools\n");
    expect_log(&server, from, "base.toml:1:7: ");
    expect_log(&server, from, "stays as it was");
    // A file that vanished would mean the defaults; a folder in its place is an error.
    let base = server.process.folder().join("config/base.toml");
    std::fs::remove_file(&base).unwrap();
    std::fs::create_dir(&base).unwrap();
    let from = server.process.log_len();
    server.hangup();
    expect_log(&server, from, "cannot read `");
    expect_log(&server, from, "stays as it was");
    assert_eq!(tools(&mut client), before);
    std::fs::remove_dir(&base).unwrap();
    reload_until(&server, "", "reloaded: tools.deny");
    assert_eq!(tools(&mut client).len(), before.len() + 1);
}

#[test]
fn what_needs_a_restart_is_named_each_time_and_the_rest_applies() {
    let server = start("");
    let mut client = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let name = client.introduction["serverInfo"]["name"].clone();
    let changed = "[server]\nname = \"other\"\nport = 1\nmcp_path = \"/elsewhere\"\n[timeout]\nsse_ping = \"9s\"\n\
                   sse_keepalive = \"9s\"\n[tools]\nwake_on_lan = true\n";
    let from = reload(&server, changed);
    expect_log(&server, from, "reloaded: tools.wake_on_lan");
    // The port of the environment wins over that of the file.
    let keys =
        "restart to apply: server.name, server.mcp_path, timeout.sse_keepalive, timeout.sse_ping";
    expect_log(&server, from, keys);
    assert!(tools(&mut client).contains(&"wake_on_lan".to_owned()));
    let again = Mcp::open(Way::Streamable, &server, "2025-11-25");
    assert_eq!(again.introduction["serverInfo"]["name"], name);
    let from = reload(
        &server,
        &changed.replace("wake_on_lan = true", "wake_on_lan = false"),
    );
    expect_log(&server, from, "reloaded: tools.wake_on_lan");
    expect_log(&server, from, keys);
    reload_until(&server, "", "reloaded: nothing changed");
}

#[test]
fn the_log_level_applies_at_once() {
    let server = start("");
    server.get("/health");
    reload_until(&server, "[log]\nlevel = \"debug\"\n", "reloaded: log.level");
    let from = server.process.log_len();
    server.get("/health");
    let line = expect_log(&server, from, "GET /health 200 after ");
    assert!(line.contains(" [r"), "{line}");
    reload_until(&server, "[log]\nlevel = \"info\"\n", "reloaded: log.level");
    server.get("/health");
    let log = server.stop().log;
    assert_eq!(log.matches("GET /health").count(), 1, "{log}");
}

// --- tokens ---------------------------------------------------------------------------------------

const VERSION: &str = "2025-11-25";

fn tokens(tokens: &[(&str, &str)]) -> String {
    let table = |(name, token): &(&str, &str)| {
        format!(
            "[[auth.tokens]]\nname = \"{name}\"\ntoken = \"{token}\"\nscopes = [\"read\", \"write\", \"publish\"]\n"
        )
    };
    tokens.iter().map(table).collect()
}

fn with_token(request: Request, token: &str) -> Request {
    request.with("Authorization", &format!("Bearer {token}"))
}

/// A session of a token's own, with its GET stream open.
struct Guest {
    session: String,
    stream: Sse,
}

#[track_caller]
fn enter(server: &Server, token: &str) -> Guest {
    let params = json!({"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "it", "version": "1"}});
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let response = server.ask(&with_token(Request::post("/mcp", &hello), token));
    assert_eq!(response.status, 200, "{response:?}");
    let session = response.header("mcp-session-id").unwrap().to_owned();
    let get = Request::get("/mcp")
        .header("Accept", "text/event-stream")
        .header("Mcp-Session-Id", &session);
    let mut stream = Http::connect(server.addr).into_sse(&with_token(get, token));
    assert_eq!(stream.next().data, "");
    Guest { session, stream }
}

#[track_caller]
fn ping(server: &Server, token: &str, session: &str) -> Response {
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
    let request = Request::post("/mcp", &ping).header("Mcp-Session-Id", session);
    server.ask(&with_token(request, token))
}

/// A listen stream of a token, acknowledged.
#[track_caller]
fn listen(server: &Server, token: &str) -> Sse {
    let mut client = Mcp::connect(Way::Streamable, server.addr, "2026-07-28");
    let params = json!({"notifications": {"toolsListChanged": true}});
    let message = client.build("subscriptions/listen", params);
    let request = with_token(client.post(&message), token);
    let mut stream = Http::connect(server.addr).into_sse(&request);
    stream.message();
    stream
}

#[track_caller]
fn events(server: &Server, token: &str) -> Sse {
    let request = with_token(Request::get("/api/mcp/v1/sse"), token);
    let mut stream = Http::connect(server.addr).into_sse(&request);
    assert_eq!(stream.next().event, "connected");
    stream
}

#[test]
fn a_rotated_token_keeps_its_sessions_and_a_removed_one_loses_them() {
    let server = start(&tokens(&[("ann", "a-1"), ("bob", "b-1")]));
    let (mut ann, mut bob) = (enter(&server, "a-1"), enter(&server, "b-1"));
    let (mut ann_listens, mut bob_listens) = (listen(&server, "a-1"), listen(&server, "b-1"));
    let (mut ann_events, mut bob_events) = (events(&server, "a-1"), events(&server, "b-1"));
    assert_eq!(ping(&server, "a-1", &bob.session).status, 404);

    reload_until(
        &server,
        &tokens(&[("ann", "a-2"), ("new", "n-1")]),
        "reloaded: auth.tokens",
    );
    // The one who is gone: every stream ends, the session too.
    bob.stream.expect_end();
    let last = bob_listens.rest();
    assert_eq!(last.len(), 1, "{last:?}");
    assert!(last[0].json().get("result").is_some(), "{last:?}");
    bob_events.expect_end();
    assert_eq!(ping(&server, "b-1", &bob.session).status, 401);
    assert_eq!(ping(&server, "n-1", &bob.session).status, 404);
    // The one whose token changed: the old one is refused, the session goes on.
    assert_eq!(ping(&server, "a-1", &ann.session).status, 401);
    assert_eq!(ping(&server, "a-2", &ann.session).status, 200);
    enter(&server, "n-1");
    let publish = Request::post("/api/mcp/v1/events", &json!({"event": "deploy", "data": 1}));
    assert_eq!(server.ask(&with_token(publish, "a-2")).status, 200);
    assert_eq!(ann_events.next().event, "deploy");

    // Whoever may use other tools than before hears of it, and nobody else does.
    let mut new = enter(&server, "n-1");
    let narrowed = format!(
        "{}tools = [\"net_*\"]\n",
        tokens(&[("new", "n-1"), ("ann", "a-2")])
    );
    reload_until(&server, &narrowed, "reloaded: auth.tokens");
    expect_list_changed(&mut ann.stream);
    expect_list_changed(&mut ann_listens);
    server.stop();
    new.stream.expect_end();
}

#[test]
fn the_token_of_an_open_address_cannot_be_removed_while_it_is_open() {
    let guarded = "[server]\nhost = \"0.0.0.0\"\napi_token = \"t\"\n";
    let server = start(guarded);
    let status = |server: &Server| {
        let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
        let mut http = Http::connect(([127, 0, 0, 1], server.addr.port()).into());
        http.ask(&Request::post("/api/mcp/v1/call", &list)).status
    };
    assert_eq!(status(&server), 401);
    // Sound by itself, but the running server listens on every address until it ends.
    reload_until(
        &server,
        "[server]\nhost = \"127.0.0.1\"\n",
        "stays as it was",
    );
    assert!(
        server
            .log()
            .contains("server.api_token: removed while 0.0.0.0:0 is still open")
    );
    assert_eq!(status(&server), 401);
    // Not sound at all.
    reload_until(&server, "[server]\nhost = \"0.0.0.0\"\n", "stays as it was");
    assert_eq!(status(&server), 401);
    let wished = "[server]\nhost = \"0.0.0.0\"\n[auth]\nallow_anonymous = true\n";
    reload_until(
        &server,
        wished,
        "reloaded: server.api_token, auth.allow_anonymous",
    );
    assert_eq!(status(&server), 200);
}

#[test]
fn a_watched_file_is_read_when_it_changes() {
    let folder = Folder::new();
    let base = "[server]\napi_token_file = \"token\"\n[reload]\nwatch = true\n";
    folder.write("config/base.toml", base);
    folder.write("config/token", "first\n");
    let server = Server::start_in(folder, Program::Siskin, &[]);
    let tools = || with_token(Request::get("/api/mcp/v1/tools"), "second");
    assert_eq!(server.ask(&tools()).status, 401);
    // The secret alone changes, as an orchestrator would do it: another file in its place.
    let config = server.process.folder().join("config");
    std::fs::write(config.join("new"), "second\n").unwrap();
    std::fs::rename(config.join("new"), config.join("token")).unwrap();
    let from = 0;
    expect_log(&server, from, "a file changed: reading the configuration");
    poll_until("the new token", || {
        (server.ask(&tools()).status == 200).then_some(())
    });
    // A file that did not exist when the server started.
    let from = server.process.log_len();
    std::fs::write(
        config.join("base.toml"),
        format!("{base}[tools]\nread_only = 1\n"),
    )
    .unwrap();
    expect_log(&server, from, "base.toml:6:13: tools.read_only: ");
    std::fs::write(
        config.join("base.toml"),
        format!("{base}[tools]\nread_only = true\n"),
    )
    .unwrap();
    expect_log(&server, from, "reloaded: tools.read_only");
    let count = parse(server.ask(&tools()).body)["count"].as_u64();
    assert!(count > Some(3), "{count:?}");
}
