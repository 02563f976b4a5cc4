//! Under a service manager: sockets handed over, readiness and the watchdog told.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};

use crate::support::{Folder, Http, Program, Request, Server};

/// A siskin that finds `socket` as its descriptor 3, the way systemd leaves it. A shell moves it there: nothing safe in
/// Rust gives a child a descriptor but the three standard ones.
struct Activated(Child);

impl Activated {
    fn start(socket: OwnedFd, folder: &Folder, env: &[(&str, String)]) -> Activated {
        let script = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" serve";
        let child = Command::new("sh")
            .args(["-c", script])
            .arg(Program::Siskin.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(env.iter().map(|(name, value)| (name, value)))
            .current_dir(folder.path())
            .stdin(Stdio::from(socket))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Activated(child)
    }

    /// Waits for its end, and returns its status and what it said.
    fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        let mut stderr = self.0.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        (self.0.wait().unwrap().code(), said)
    }
}

impl Drop for Activated {
    fn drop(&mut self) {
        // Harmless when it has ended.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn listener() -> (OwnedFd, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener.into(), address)
}

#[test]
fn a_socket_that_is_handed_over_is_served_and_outlives_the_server() {
    let (socket, address) = listener();
    let folder = Folder::new();
    let port = [("APP_SERVER__PORT", address.port().to_string())];
    // The client is there before the server: it waits in the queue of the socket.
    let mut early = Http::connect(address);
    let first = Activated::start(socket.try_clone().unwrap(), &folder, &port);
    assert_eq!(early.ask(&Request::get("/health")).status, 200);
    drop(first);
    // Nobody serves now, and still nobody is refused.
    let mut between = Http::connect(address);
    let second = Activated::start(socket, &folder, &port);
    assert_eq!(between.ask(&Request::get("/health")).status, 200);
    drop(second);
}

#[test]
fn a_socket_that_nothing_is_configured_for_is_an_error_that_says_so() {
    let (socket, address) = listener();
    let folder = Folder::new();
    let other = [("APP_SERVER__PORT", "0".to_owned())];
    let (status, said) = Activated::start(socket, &folder, &other).end();
    assert_ne!(status, Some(0), "{said}");
    assert!(said.contains(&address.to_string()), "{said}");
    assert!(said.contains("ListenStream="), "{said}");
}

#[test]
fn sockets_meant_for_another_process_are_left_alone() {
    let server = Server::start(&[("LISTEN_FDS", "1"), ("LISTEN_PID", "1")]);
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn readiness_the_watchdog_and_the_end_are_told() {
    let folder = Folder::new();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let path = path.to_str().unwrap();
    let server = Server::start(&[("NOTIFY_SOCKET", path), ("WATCHDOG_USEC", "100000")]);
    let told = || {
        let mut buf = [0; 64];
        let len = manager.recv(&mut buf).unwrap();
        String::from_utf8(buf[..len].to_vec()).unwrap()
    };
    assert_eq!(told(), "READY=1");
    assert_eq!(told(), "WATCHDOG=1");
    assert_eq!(told(), "WATCHDOG=1");
    server.stop();
    let last = std::iter::repeat_with(told).find(|state| state != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
}

#[test]
fn session_ids_begin_with_the_prefix_a_proxy_routes_by() {
    let server = Server::start(&[("APP_SERVER__SESSION_PREFIX", "replica-a")]);
    let hello = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let answer = server.ask(&Request::post("/mcp", &hello));
    let id = answer.header("mcp-session-id").unwrap();
    assert!(id.starts_with("replica-a."), "{id}");
    let request = Request::get("/sse/").header("Accept", "text/event-stream");
    let mut stream = server.connect().into_sse(&request);
    let endpoint = stream.next().data;
    assert!(endpoint.contains("session_id=replica-a."), "{endpoint}");
}

#[test]
fn the_limits_in_force_are_in_the_metrics() {
    let server = Server::start(&[("APP_LIMITS__STREAMS", "77")]);
    let text = server.get("/metrics").text();
    assert!(
        text.contains("siskin_limit{limit=\"streams\"} 77\n"),
        "{text}"
    );
    assert!(
        text.contains("siskin_limit{limit=\"sessions\"} 1024\n"),
        "{text}"
    );
    assert!(!text.contains("siskin_limit{limit=\"memory\"}"), "{text}");
}
