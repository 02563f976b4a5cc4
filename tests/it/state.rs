//! The state file: what outlives the process, and what a broken file does not bring down.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::{Folder, Mcp, Program, Request, Server, Signal, Sse, Way, json, poll_until};

const LIST_CHANGED: &str = "notifications/tools/list_changed";

/// A folder for the state file that outlives the servers.
struct State {
    folder: Folder,
}

impl State {
    fn new() -> State {
        State {
            folder: Folder::new(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    #[track_caller]
    fn start(&self) -> Server {
        start_at(&self.path())
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap_or_default()
    }

    /// Waits until the file holds a text.
    #[track_caller]
    fn wait_for(&self, text: &str) {
        poll_until("a written state file", || {
            let bytes = self.bytes();
            let mut windows = bytes.windows(text.len());
            windows
                .any(|window| window == text.as_bytes())
                .then_some(())
        });
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[track_caller]
fn start_at(path: &Path) -> Server {
    Server::start(&[("APP_STATE__FILE", path.to_str().unwrap())])
}

#[track_caller]
fn expect_log(server: &Server, from: usize, needle: &str) {
    server
        .process
        .wait_log(needle, from, |line| line.contains(needle).then_some(()));
}

#[track_caller]
fn kill(mut server: Server) {
    server.process.signal(Signal::KILL);
    server.process.wait();
}

/// Changes the offered tools by a reload.
#[track_caller]
fn change_tools(server: &Server, deny: &str) {
    let from = server.process.log_len();
    let config = server.process.folder().join("config");
    fs::create_dir_all(&config).unwrap();
    let text = format!("[tools]\ndeny = [\"{deny}\"]\n");
    fs::write(config.join("base.toml"), text).unwrap();
    server.hangup();
    expect_log(server, from, "reloaded: tools.deny");
}

/// A request of a client's session to another server than the one it was opened at.
#[track_caller]
fn ping(server: &Server, client: &mut Mcp) -> u16 {
    let message = client.build("ping", json!({}));
    server.ask(&client.post(&message)).status
}

#[track_caller]
fn resume(server: &Server, client: &Mcp, last_event_id: &str) -> Sse {
    let request = client.get().header("Last-Event-ID", last_event_id);
    server.connect().into_sse(&request)
}

#[track_caller]
fn expect_list_changed(stream: &mut Sse) -> String {
    let event = stream.next();
    assert_eq!(event.json()["method"], LIST_CHANGED, "{event:?}");
    event.id
}

#[test]
fn sessions_and_missed_events_outlive_an_orderly_restart() {
    let state = State::new();
    let first = state.start();
    let mut client = Mcp::open(Way::Streamable, &first, "2025-11-25");
    let mut other = Mcp::open(Way::Streamable, &first, "2025-03-26");
    let mut http_sse = Mcp::open(Way::HttpSse, &first, "2024-11-05");
    http_sse.result("ping", json!({}));
    let subscribe = json!({"uri": "device://memory"});
    client.result("resources/subscribe", subscribe);
    let mut get = client.listen();
    get.next();
    let primed = get.last_event_id().to_owned();
    change_tools(&first, "device_memory");
    let seen = expect_list_changed(&mut get);
    drop(get);
    change_tools(&first, "device_cpu");
    let exit = first.stop();
    assert!(exit.status.success(), "{exit:?}");
    let mode = fs::metadata(state.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(state.names(), ["state"]);

    let second = state.start();
    // HTTP+SSE sessions end with their stream: they are not kept.
    expect_log(&second, 0, "2 of 2 sessions taken over");
    assert_eq!(ping(&second, &mut client), 200);
    assert_eq!(ping(&second, &mut other), 200);
    let mut resumed = resume(&second, &client, &seen);
    let missed = expect_list_changed(&mut resumed);
    assert_ne!(missed, seen);
    change_tools(&second, "device_disks");
    let fresh = expect_list_changed(&mut resumed);
    assert_ne!(fresh, missed);
    drop(resumed);
    let mut from_the_start = resume(&second, &client, &primed);
    let ids: Vec<String> = (0..3)
        .map(|_| expect_list_changed(&mut from_the_start))
        .collect();
    assert_eq!(ids, [seen, missed, fresh]);
    assert_eq!(second.metric("mcp_sse_resumes_total"), Some(2.0));
    // DELETE is kept as well.
    assert_eq!(second.ask(&client.delete()).status, 204);
    second.stop();
    let third = state.start();
    expect_log(&third, 0, "1 of 1 sessions taken over");
    assert_eq!(ping(&third, &mut client), 404);
    assert_eq!(ping(&third, &mut other), 200);
}

#[test]
fn what_was_saved_outlives_a_kill_and_no_event_id_is_given_twice() {
    let state = State::new();
    let first = state.start();
    let mut client = Mcp::open(Way::Streamable, &first, "2025-11-25");
    let mut get = client.listen();
    get.next();
    let primed = get.last_event_id().to_owned();
    drop(get);
    change_tools(&first, "device_memory");
    // Nobody sent a request since: the event itself must have the file written.
    state.wait_for(LIST_CHANGED);
    kill(first);

    let second = state.start();
    expect_log(&second, 0, "1 of 1 sessions taken over");
    assert_eq!(ping(&second, &mut client), 200);
    let mut resumed = resume(&second, &client, &primed);
    let saved = expect_list_changed(&mut resumed);
    drop(resumed);
    // The client may have seen events that were never saved; what comes now is new to it all the same.
    let (stream, sequence) = saved.split_once('-').unwrap();
    let unsaved = format!("{stream}-{}", sequence.parse::<u64>().unwrap() + 1000);
    let mut resumed = resume(&second, &client, &unsaved);
    change_tools(&second, "device_cpu");
    expect_list_changed(&mut resumed);
}

#[test]
fn a_kill_at_any_time_leaves_a_file_that_reads() {
    let state = State::new();
    let mut clients: Vec<Mcp> = Vec::new();
    for round in 0..12 {
        let server = state.start();
        // Each start writes the file at once, and dies in the midst of it or after it.
        clients.push(Mcp::open(Way::Streamable, &server, "2025-11-25"));
        let log = server.log();
        assert!(!log.contains("damaged"), "round {round}: {log}");
        kill(server);
    }
    let server = state.start();
    assert_eq!(server.get("/ready").status, 200);
    let exit = server.stop();
    assert!(!exit.log.contains("damaged"), "{exit:?}");
    assert_eq!(state.names(), ["state"]);
}

#[test]
fn a_file_that_does_not_read_is_set_aside_and_said() {
    let state = State::new();
    let server = state.start();
    let mut client = Mcp::open(Way::Streamable, &server, "2025-11-25");
    server.stop();
    let good = state.bytes();
    let flipped = |index: usize| {
        let mut bytes = good.clone();
        bytes[index] ^= 1;
        bytes
    };
    let cases: [(&str, Vec<u8>); 6] = [
        (
            "damaged: its checksum does not match",
            flipped(good.len() - 1),
        ),
        (
            "damaged: its checksum does not match",
            good[..good.len() - 1].to_vec(),
        ),
        ("has format ", flipped(6)),
        (
            "is not a siskin state file",
            b"[server]\nport = 1\n".to_vec(),
        ),
        ("is not a siskin state file", Vec::new()),
        ("is not a siskin state file", good[..7].to_vec()),
    ];
    for (problem, bytes) in cases {
        fs::write(state.path(), &bytes).unwrap();
        let server = state.start();
        expect_log(&server, 0, problem);
        assert_eq!(ping(&server, &mut client), 404);
        let aside = state.folder.path().join("state.damaged");
        assert_eq!(fs::read(&aside).unwrap(), bytes);
        server.stop();
        assert_eq!(state.names(), ["state", "state.damaged"]);
        fs::remove_file(aside).unwrap();
    }
    // Its neighbour: the good one is taken.
    fs::write(state.path(), &good).unwrap();
    let server = state.start();
    assert_eq!(ping(&server, &mut client), 200);
    // Stopped first: while it runs, it may just be writing the next one beside this.
    server.stop();
    assert_eq!(state.names(), ["state"]);
}

#[test]
fn a_place_that_cannot_be_written_is_said_at_the_start_and_serving_goes_on() {
    let folder = Folder::new();
    let file = folder.write("file", "");
    let places = [
        folder.path().join("absent/state"),
        file.join("state"),
        folder.path().to_owned(),
        "/dev/null".into(),
    ];
    for place in places {
        let server = start_at(&place);
        let warning = "sessions will not outlive a restart until it can be written";
        expect_log(&server, 0, warning);
        let mut client = Mcp::open(Way::Streamable, &server, "2025-11-25");
        client.result("tools/list", json!({}));
        let exit = server.stop();
        assert!(exit.status.success(), "{exit:?}");
        assert_eq!(exit.log.matches(warning).count(), 1, "{exit:?}");
    }
    assert!(folder.path().is_dir() && !Path::new("/dev/null").is_file());
}

#[test]
fn a_session_is_given_back_to_its_token_alone() {
    let state = State::new();
    let path = state.path();
    let start = |token: &str| {
        let folder = Folder::new();
        folder.write("config/base.toml", token);
        let env = [("APP_STATE__FILE", path.to_str().unwrap())];
        Server::start_in(folder, Program::Siskin, &env)
    };
    let ann = "[[auth.tokens]]\nname = \"ann\"\ntoken = \"a\"\n";
    let bob = "[[auth.tokens]]\nname = \"bob\"\ntoken = \"b\"\n";
    let first = start(ann);
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "it", "version": "1"}});
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let response = first.ask(&Request::post("/mcp", &hello).header("Authorization", "Bearer a"));
    let session = response.header("mcp-session-id").unwrap().to_owned();
    first.stop();
    assert!(!state.bytes().windows(8).any(|window| window == b"Bearer a"));
    let ping = |server: &Server, token: &str| {
        let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
        let request = Request::post("/mcp", &ping)
            .header("Mcp-Session-Id", &session)
            .header("Authorization", &format!("Bearer {token}"));
        server.ask(&request).status
    };
    let second = start(&format!("{ann}{bob}"));
    assert_eq!((ping(&second, "a"), ping(&second, "b")), (200, 404));
    second.stop();
    let third = start(bob);
    expect_log(&third, 0, "0 of 1 sessions taken over");
    assert_eq!(ping(&third, "b"), 404);
}
