//! Attacks by way of what siskin asks for: addresses and values out of arguments, and services that are up to no good.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{Folder, Footprint, Mcp, Program, Server, Value, Way, json, status_kb};

/// A service that answers every request with these bytes, again and again if it is to have no end, and remembers what
/// it was sent.
struct Rogue {
    addr: SocketAddr,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Rogue {
    fn start(begin: impl Into<Vec<u8>>, again: &'static [u8]) -> Rogue {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let begin = begin.into();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let memory = sent.clone();
        // Ends with the test program: a listener in a thread of its own cannot be told to.
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (begin, memory) = (begin.clone(), memory.clone());
                std::thread::spawn(move || answer(stream, &begin, again, &memory));
            }
        });
        Rogue { addr, sent }
    }

    fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The heads and bodies that came.
    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, begin: &[u8], again: &[u8], memory: &Mutex<Vec<String>>) {
    let mut request = Vec::new();
    let mut buf = [0; 4096];
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buf) {
            Ok(len @ 1..) => request.extend_from_slice(&buf[..len]),
            _ => return,
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    memory.lock().unwrap().push(text);
    if stream.write_all(begin).is_err() {
        return;
    }
    while !again.is_empty() && stream.write_all(again).is_ok() {}
}

/// A pack with an argument in every place an argument can stand.
const PACK: &str = r#"
[service]
id = "kettle"
title = "Kettle"
description = "Boils."
auth = { kind = "bearer" }

[[tool]]
name = "kettle_look"
title = "Look"
description = "Looks."
access = "read"
[tool.args]
id = { required = true, description = "Which." }
note = { description = "A note." }
[tool.request]
path = "/kettles/{id}"
query = { q = "{note}" }

[[tool]]
name = "kettle_tell"
title = "Tell"
description = "Tells."
access = "read"
[tool.args]
note = { required = true, description = "A note." }
[tool.request]
path = "/tell"
headers = { X-Note = "{note}" }
"#;

const TOKEN: &str = "kettle-token";

/// A server with the pack in front of this service.
fn start(url: &str) -> (Server, Mcp) {
    let folder = Folder::new();
    folder.write("config/base.toml", "");
    folder.write("config/packs/kettle.toml", PACK);
    let env = [
        ("APP_SERVICES__KETTLE__URL", url),
        ("APP_SERVICES__KETTLE__TOKEN", TOKEN),
        ("APP_LIMITS__UPSTREAM_BYTES", "256KiB"),
    ];
    let server = Server::start_in(folder, Program::Siskin, &env);
    let mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    (server, mcp)
}

#[track_caller]
fn failure(mcp: &mut Mcp, tool: &str, arguments: Value) -> String {
    let result = mcp.call(tool, arguments);
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().unwrap().to_owned()
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/// Whatever an argument says, the request goes to the service's own address and below its own path.
#[test]
fn arguments_change_neither_host_nor_path() {
    let trap = Rogue::start(OK, b"");
    let service = Rogue::start(OK, b"");
    let (server, mut mcp) = start(&service.url());
    let before = Footprint::of(&server);
    let elsewhere = trap.url();
    let ids = [
        "..",
        ".",
        "../../admin",
        "%2e%2e/admin",
        "%252e%252e%252fadmin",
        "..\\..\\admin",
        "/admin",
        "//evil.example/x",
        "a/../../admin",
        "a?admin=1",
        "a#b",
        "a;b",
        "a b",
        "@evil.example",
        "ü",
        &elsewhere,
    ];
    for id in ids {
        // Refused or sent, never as anything but one segment.
        mcp.call(
            "kettle_look",
            json!({"id": id, "note": format!("{id}&admin=1")}),
        );
    }
    let sent = service.sent();
    assert!(sent.len() >= 8, "{sent:?}");
    for request in &sent {
        let line = request.lines().next().unwrap();
        let target = line
            .strip_prefix("GET ")
            .and_then(|rest| rest.strip_suffix(" HTTP/1.1"));
        let target = target.unwrap_or_else(|| panic!("{request}"));
        let (path, query) = target.split_once('?').unwrap();
        let id = path
            .strip_prefix("/kettles/")
            .unwrap_or_else(|| panic!("{request}"));
        assert!(!id.contains(['/', '\\', '#', ';', '@']), "{request}");
        assert!(
            id != "." && id != ".." && !id.eq_ignore_ascii_case("%2e%2e"),
            "{request}"
        );
        assert!(query.starts_with("q=") && !query.contains('&'), "{request}");
        let host = format!("host: {}", service.addr);
        assert!(request.to_ascii_lowercase().contains(&host), "{request}");
    }
    assert_eq!(trap.sent(), [""; 0]);
    before.check_is_back(&server);
}

/// No argument ends a header and begins another.
#[test]
fn arguments_add_no_header() {
    let service = Rogue::start(OK, b"");
    let (server, mut mcp) = start(&service.url());
    for note in [
        "a\r\nX-Evil: 1",
        "a\nX-Evil: 1",
        "a\rX-Evil: 1",
        "a\0b",
        "\r\n\r\nGET /x HTTP/1.1",
        "ü",
    ] {
        failure(&mut mcp, "kettle_tell", json!({"note": note}));
    }
    assert_eq!(service.sent(), [""; 0]);
    mcp.call("kettle_tell", json!({"note": "tea at 5"}));
    assert!(
        service.sent()[0]
            .to_ascii_lowercase()
            .contains("x-note: tea at 5\r\n")
    );
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn redirects_lead_nowhere_else_and_take_no_secret() {
    let trap = Rogue::start(OK, b"");
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        for location in [
            format!("{}/x", trap.url()),
            format!("//{}/x", trap.addr),
            format!("http://localhost:{}/x", trap.addr.port()),
            format!("http://[::ffff:127.0.0.1]:{}/x", trap.addr.port()),
            format!("http://2130706433:{}/x", trap.addr.port()),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            "file:///etc/passwd".to_owned(),
            "gopher://127.0.0.1:1/_x".to_owned(),
            "http://user:password@127.0.0.1/".to_owned(),
        ] {
            let head = format!(
                "HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let service = Rogue::start(head, b"");
            let (server, mut mcp) = start(&service.url());
            let text = failure(&mut mcp, "kettle_look", json!({"id": "a"}));
            assert!(!text.contains("root:"), "{text}");
            assert_eq!(trap.sent(), [""; 0], "{status} {location}");
            assert_eq!(server.get("/health").status, 200);
            if status.starts_with("302") {
                continue;
            }
            // The other statuses differ in nothing but the number.
            break;
        }
    }
    // To itself for ever.
    let service = Rogue::start(
        "HTTP/1.1 302 Found\r\nLocation: /kettles/a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"",
    );
    let (server, mut mcp) = start(&service.url());
    let before = Footprint::of(&server);
    failure(&mut mcp, "kettle_look", json!({"id": "a"}));
    assert!(service.sent().len() <= 10, "{}", service.sent().len());
    before.check_is_back(&server);
}

fn gzip(len: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b'0'; 1 << 16];
    for _ in 0..len >> 16 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

/// Answers that are meant to use up memory or time: a failure, a bounded one, and the next call is as good as ever.
#[test]
fn answers_without_end_cost_a_bounded_amount() {
    let bomb = gzip(64 << 20);
    assert!(bomb.len() < 128 << 10, "it is let in by its length");
    let mut packed = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len()).into_bytes();
    packed.extend_from_slice(&bomb);
    const JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let cases: [(&str, Vec<u8>, &'static [u8]); 9] = [
        (
            "a long body",
            format!("{JSON}Content-Length: 99999999999\r\n\r\n[").into(),
            b"0,0,0,0,0,0,0,0,",
        ),
        (
            "a body without length",
            format!("{JSON}Connection: close\r\n\r\n[").into(),
            b"0,0,0,0,0,0,0,0,",
        ),
        (
            "chunks",
            format!("{JSON}Transfer-Encoding: chunked\r\n\r\n").into(),
            b"10\r\n0,0,0,0,0,0,0,0,\r\n",
        ),
        (
            "small chunks",
            format!("{JSON}Transfer-Encoding: chunked\r\n\r\n").into(),
            b"1;xxxxxxxxxxxxxxxxxxxx\r\n0\r\n",
        ),
        (
            "headers",
            b"HTTP/1.1 200 OK\r\n".to_vec(),
            b"X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
        ),
        (
            "one header",
            b"HTTP/1.1 200 OK\r\nX-Filler: ".to_vec(),
            b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ),
        (
            "early answers",
            Vec::new(),
            b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n",
        ),
        (
            "trailers",
            format!("{JSON}Transfer-Encoding: chunked\r\n\r\n0\r\n").into(),
            b"X-Filler: xxxxxxxxxxxxxxxxxxx\r\n",
        ),
        ("a bomb", packed, b""),
    ];
    for (name, begin, again) in cases {
        let service = Rogue::start(begin, again);
        let (server, mut mcp) = start(&service.url());
        let before = Footprint::of(&server);
        let size = status_kb(&server, "VmHWM");
        let text = failure(&mut mcp, "kettle_look", json!({"id": "a"}));
        assert!(text.len() < 1000, "{name}: {text}");
        let grown = status_kb(&server, "VmHWM") - size;
        assert!(grown < 8 * 1024, "{name}: {grown} kB more");
        before.check_is_back(&server);
    }
}

/// What is no HTTP, and HTTP that could be read in two ways.
#[test]
fn broken_answers_are_failures() {
    for answer in [
        "",
        "garbage\r\n\r\n",
        "HTTP/1.1 99999 Odd\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{\"a",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "\x15\x03\x01\x00\x02\x02\x0a",
    ] {
        let service = Rogue::start(answer, b"");
        let (server, mut mcp) = start(&service.url());
        let before = Footprint::of(&server);
        let result = mcp.call("kettle_look", json!({"id": "a"}));
        assert_eq!(
            result["isError"],
            true,
            "{}: {result}",
            answer.escape_debug()
        );
        let text = result.to_string();
        assert!(!text.contains(TOKEN), "{text}");
        before.check_is_back(&server);
    }
}

/// The documentation tools take addresses from the model; only those of the documentation are asked.
#[test]
fn addresses_of_the_documentation_are_not_stretched() {
    let trap = Rogue::start(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<p>caught</p>",
        b"",
    );
    let hosts = format!("docs.aws.amazon.com={}", trap.url());
    let server = Server::start(&[
        ("AWS_DOCUMENTATION_PARTITION", "aws"),
        ("APP_AWS__HOSTS", &hosts),
    ]);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let before = Footprint::of(&server);
    let port = trap.addr.port();
    for url in [
        "http://169.254.169.254/latest/meta-data/x.html".to_owned(),
        format!("http://127.0.0.1:{port}/x.html"),
        format!("http://localhost:{port}/x.html"),
        format!("http://2130706433:{port}/x.html"),
        format!("http://0x7f000001:{port}/x.html"),
        format!("http://0177.0.0.1:{port}/x.html"),
        format!("http://127.1:{port}/x.html"),
        format!("http://[::1]:{port}/x.html"),
        format!("http://[::ffff:127.0.0.1]:{port}/x.html"),
        format!("http://0.0.0.0:{port}/x.html"),
        format!("https://docs.aws.amazon.com@127.0.0.1:{port}/x.html"),
        format!("https://docs.aws.amazon.com:password@127.0.0.1:{port}/x.html"),
        "https://docs.aws.amazon.com.evil.example/x.html".to_owned(),
        "https://evil.example/docs.aws.amazon.com/x.html".to_owned(),
        "https://evil.example/?https://docs.aws.amazon.com/x.html".to_owned(),
        "https://evil.example#https://docs.aws.amazon.com/x.html".to_owned(),
        "https://evildocs.aws.amazon.com/x.html".to_owned(),
        format!("https://docs.aws.amazon.com:{port}/x.html"),
        "https://docs.aws.amazon.com\\@evil.example/x.html".to_owned(),
        "https:\\\\docs.aws.amazon.com\\x.html".to_owned(),
        "//docs.aws.amazon.com/x.html".to_owned(),
        "file:///etc/passwd.html".to_owned(),
        "gopher://docs.aws.amazon.com/x.html".to_owned(),
        "https://docs.aws.amazon.com/x.html\r\nX-Evil: 1".to_owned(),
    ] {
        let result = mcp.call("read_documentation", json!({"url": url}));
        assert!(!result.to_string().contains("caught"), "{url}: {result}");
        assert!(!result.to_string().contains("root:"), "{url}: {result}");
    }
    assert_eq!(trap.sent(), [""; 0]);
    // The neighbour is asked for.
    let result = mcp.call(
        "read_documentation",
        json!({"url": "https://docs.aws.amazon.com/lambda/latest/dg/welcome.html"}),
    );
    assert!(result.to_string().contains("caught"), "{result}");
    before.check_is_back(&server);
}

/// Elsewhere than the documentation a page's redirect does not lead either.
#[test]
fn pages_of_the_documentation_do_not_redirect_elsewhere() {
    let trap = Rogue::start(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<p>caught</p>",
        b"",
    );
    for location in [
        trap.url(),
        format!("http://localhost:{}/", trap.addr.port()),
        "http://169.254.169.254/".to_owned(),
    ] {
        let head = format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let page = Rogue::start(head, b"");
        let hosts = format!("docs.aws.amazon.com={}", page.url());
        let server = Server::start(&[
            ("AWS_DOCUMENTATION_PARTITION", "aws"),
            ("APP_AWS__HOSTS", &hosts),
        ]);
        let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
        let url = "https://docs.aws.amazon.com/lambda/latest/dg/welcome.html";
        let result = mcp.call("read_documentation", json!({"url": url}));
        assert!(
            !result.to_string().contains("caught"),
            "{location}: {result}"
        );
        assert_eq!(page.sent().len(), 1, "{location}");
    }
    assert_eq!(trap.sent(), [""; 0]);
}
