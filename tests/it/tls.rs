//! TLS on our own listeners: versions, certificates of clients and what they may do, reload, and those who do not shake
//! hands as they should. The clients are rustls, and curl where there is one.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use futures_rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::version::{TLS12, TLS13};
use futures_rustls::rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::support::{
    BodyReader, Folder, Http, Method, Process, Program, Request, Response, Server, Until, WAIT,
    json, poll_until,
};

/// Who signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
pub struct Identity {
    der: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Authority(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Its own certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn sign(&self, common_name: &str, names: &[&str]) -> Identity {
        let names = names.iter().map(|name| (*name).to_owned());
        let mut params = CertificateParams::new(names.collect::<Vec<_>>()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity {
            der: certificate.der().clone(),
            pem: certificate.pem(),
            key,
        }
    }

    /// For a server on this machine.
    pub fn server(&self) -> Identity {
        self.sign("server", &["localhost", "127.0.0.1"])
    }

    /// What a client believes that believes this authority.
    fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Client {
            roots,
            versions: versions.to_vec(),
            identity: None,
        }
    }
}

impl Identity {
    pub fn write(&self, folder: &Folder) {
        folder.write("chain.pem", &self.pem);
        folder.write("key.pem", self.key.serialize_pem());
    }
}

/// A way to connect.
#[derive(Clone)]
struct Client {
    roots: RootCertStore,
    versions: Vec<&'static SupportedProtocolVersion>,
    identity: Option<(CertificateDer<'static>, Vec<u8>)>,
}

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

impl Client {
    fn showing(mut self, identity: &Identity) -> Client {
        self.identity = Some((identity.der.clone(), identity.key.serialize_der()));
        self
    }

    /// Shakes hands; the client's side may be through although the server refuses it (RFC 8446 section 4.4.2.4).
    fn connect(&self, addr: SocketAddr) -> Result<Tls, String> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(self.roots.clone());
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((der, key)) => {
                let key = PrivateKeyDer::try_from(key.clone()).unwrap();
                builder
                    .with_client_auth_cert(vec![der.clone()], key)
                    .unwrap()
            }
        };
        // As browsers and curl do.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut socket = TcpStream::connect_timeout(&addr, WAIT).unwrap();
        socket.set_read_timeout(Some(WAIT)).unwrap();
        socket.set_write_timeout(Some(WAIT)).unwrap();
        while connection.is_handshaking() {
            connection
                .complete_io(&mut socket)
                .map_err(|error| error.to_string())?;
        }
        Ok(Tls {
            stream: StreamOwned::new(connection, socket),
            unread: Vec::new(),
        })
    }

    #[track_caller]
    fn ask(&self, addr: SocketAddr, request: &Request) -> Response {
        self.connect(addr).unwrap().ask(request)
    }

    /// Why there is no answer.
    #[track_caller]
    fn refused(&self, addr: SocketAddr) -> String {
        let asked = self
            .connect(addr)
            .and_then(|mut tls| tls.try_ask(&Request::get("/health")));
        asked.expect_err("a refusal")
    }
}

/// A connection that has shaken hands.
struct Tls {
    stream: StreamOwned<ClientConnection, TcpStream>,
    unread: Vec<u8>,
}

impl Tls {
    #[track_caller]
    fn ask(&mut self, request: &Request) -> Response {
        self.try_ask(request).unwrap()
    }

    fn try_ask(&mut self, request: &Request) -> Result<Response, String> {
        self.send(request)?;
        self.response()
    }

    fn send(&mut self, request: &Request) -> Result<(), String> {
        let bytes = request.bytes("127.0.0.1:1".parse().unwrap());
        self.stream
            .write_all(&bytes)
            .map_err(|error| error.to_string())
    }

    /// Reads a response whole.
    fn response(&mut self) -> Result<Response, String> {
        let mut response = loop {
            if let Some(response) = Response::try_take(&mut self.unread, Method::Get) {
                break response;
            }
            if self.more()? == 0 {
                return Err("the end where a response is due".to_owned());
            }
        };
        let mut body = BodyReader::new(response.framing);
        while !body.is_done {
            body.read(&mut self.unread, &mut response.body);
            if !body.is_done && self.more()? == 0 {
                body.end();
            }
        }
        Ok(response)
    }

    fn more(&mut self) -> Result<usize, String> {
        let mut buf = [0; 4096];
        let read = self.stream.read(&mut buf);
        let len = read.map_err(|error| error.to_string())?;
        self.unread.extend_from_slice(&buf[..len]);
        Ok(len)
    }

    /// Reads until `text` has come.
    #[track_caller]
    fn until(&mut self, text: &str) {
        while !self
            .unread
            .windows(text.len())
            .any(|at| at == text.as_bytes())
        {
            let so_far = self.unread.escape_ascii().to_string();
            assert!(self.more().unwrap() > 0, "no `{text}`: {so_far}");
        }
    }
}

/// A server with a TLS listener, and a plain one to look at it by.
pub struct Rig {
    server: Server,
    pub tls: SocketAddr,
    plain: SocketAddr,
}

const CONFIG: &str = "\
[server]
listeners = [
  { address = \"127.0.0.1:0\" },
  { address = \"127.0.0.1:0\", tls = false },
]
[tls]
cert_file = \"chain.pem\"
key_file = \"key.pem\"
";

impl Rig {
    #[track_caller]
    pub fn start(folder: Folder, more: &str) -> Rig {
        folder.write("config/base.toml", config(more));
        // Unset, so that the listeners are those of the file.
        let env = [("APP_SERVER__PORT", ""), ("APP_LOG__LEVEL", "debug")];
        let server = Server::start_in(folder, Program::Siskin, &env);
        let tls = server.addrs_of("https", 1)[0];
        let plain = server.addrs_of("http", 1)[0];
        Rig { server, tls, plain }
    }

    /// A sample of the metrics; they ask for a token if there is one.
    #[track_caller]
    fn metric(&self, sample: &str) -> f64 {
        let text = Http::connect(self.plain)
            .ask(&Request::get("/metrics"))
            .text();
        let mut found = text.lines().filter_map(|line| line.rsplit_once(' '));
        let found = found.find(|(name, _)| *name == sample);
        found.map_or(0.0, |(_, value)| value.parse().unwrap())
    }

    #[track_caller]
    fn wait_closed(&self, reason: &str) {
        let sample = format!("mcp_connections_closed_total{{reason=\"{reason}\"}}");
        poll_until(&sample, || (self.metric(&sample) > 0.0).then_some(()));
    }

    /// Has it read its configuration again, and waits for what it says about it.
    #[track_caller]
    fn reload(&self, expected: &str) {
        let from = self.server.log().lines().count();
        self.server.hangup();
        let said = |line: &str| line.contains(expected).then_some(());
        self.server.process.wait_log(expected, from, said);
    }
}

/// The paths are relative to the file's folder, `config`; the certificates are beside it.
fn config(more: &str) -> String {
    let text = CONFIG
        .replace("\"chain.pem\"", "\"../chain.pem\"")
        .replace("\"key.pem\"", "\"../key.pem\"");
    format!("{text}{more}")
}

fn rig(authority: &Authority, more: &str) -> Rig {
    let folder = Folder::new();
    authority.server().write(&folder);
    Rig::start(folder, more)
}

fn list_tools() -> Request {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    Request::post("/api/mcp/v1/call", &body)
}

fn call(tool: &str) -> Request {
    let params = json!({"name": tool, "arguments": {}});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    Request::post("/api/mcp/v1/call", &body)
}

#[test]
fn both_versions_serve_large_requests_and_answers_on_one_connection() {
    let authority = Authority::new("ca");
    let rig = rig(&authority, "");
    for (version, expected) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let mut tls = authority.client(&[version]).connect(rig.tls).unwrap();
        assert_eq!(tls.stream.conn.protocol_version(), Some(expected));
        assert_eq!(tls.stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        let answer = tls.ask(&list_tools());
        assert_eq!(answer.status, 200);
        assert!(answer.json()["result"]["tools"].as_array().unwrap().len() > 5);
        // Larger than any record and any buffer.
        let filler = "x".repeat(900_000);
        let params = json!({"_meta": {"filler": filler}});
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": "ping", "params": params});
        let answer = tls.ask(&Request::post("/api/mcp/v1/call", &body));
        assert_eq!(answer.json()["id"], 7);
    }
    let exit = rig.server.stop();
    assert!(exit.status.success(), "{}", exit.log);
}

#[test]
fn curl_connects_if_there_is_one() {
    if Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let authority = Authority::new("ca");
    let folder = Folder::new();
    let ca = folder.write("ca.pem", authority.pem());
    let rig = rig(&authority, "");
    for options in [&["--tls-max", "1.2"][..], &["--tlsv1.3"]] {
        let output = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--max-time",
                "30",
                "--noproxy",
                "*",
            ])
            .args(options)
            .arg("--cacert")
            .arg(&ca)
            .arg(format!("https://127.0.0.1:{}/health", rig.tls.port()))
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(out.contains("\"status\""), "{options:?}: {out} {err}");
    }
}

#[test]
fn events_come_and_a_half_closed_client_is_answered() {
    let authority = Authority::new("ca");
    let rig = rig(&authority, "");
    let client = authority.client(&BOTH);
    let mut stream = client.connect(rig.tls).unwrap();
    stream.send(&Request::get("/api/mcp/v1/sse")).unwrap();
    stream.until("\r\n\r\n");
    for n in 0..3 {
        let event = json!({"event": "told", "data": {"n": n}});
        let told = client.ask(rig.tls, &Request::post("/api/mcp/v1/events", &event));
        assert!(told.status < 300, "{told:?}");
        stream.until(&format!("\"n\":{n}"));
    }
    // Announced, and not: what was asked before is answered either way.
    for is_announced in [true, false] {
        let mut tls = client.connect(rig.tls).unwrap();
        tls.send(&list_tools()).unwrap();
        if is_announced {
            tls.stream.conn.send_close_notify();
            tls.stream.conn.complete_io(&mut tls.stream.sock).unwrap();
        }
        tls.stream.sock.shutdown(Shutdown::Write).unwrap();
        assert_eq!(tls.response().unwrap().status, 200, "{is_announced}");
    }
    // The end of the server is the end of the stream, said in TLS too.
    rig.server.process.signal(crate::support::Signal::TERM);
    while stream.more().expect("an announced end") > 0 {}
}

#[test]
fn certificates_are_renewed_without_dropping_anybody_and_bad_ones_are_not_taken() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let rig = rig(&old, "");
    let folder = rig.server.process.folder().to_owned();
    let mut stream = old.client(&BOTH).connect(rig.tls).unwrap();
    stream.send(&Request::get("/api/mcp/v1/sse")).unwrap();
    stream.until("\r\n\r\n");
    let identity = new.server();
    std::fs::write(folder.join("chain.pem"), &identity.pem).unwrap();
    // Half of the change: the key is still the old one.
    rig.reload("tls.key_file: the key in");
    let health = Request::get("/health");
    assert_eq!(old.client(&BOTH).ask(rig.tls, &health).status, 200);
    std::fs::write(folder.join("key.pem"), identity.key.serialize_pem()).unwrap();
    rig.reload("reloaded: nothing changed");
    assert_eq!(new.client(&BOTH).ask(rig.tls, &health).status, 200);
    let refused = old.client(&BOTH).refused(rig.tls);
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    std::fs::write(folder.join("chain.pem"), "no certificate").unwrap();
    rig.reload("the configuration stays as it was");
    assert!(rig.server.log().contains("tls.cert_file: `"));
    let client = new.client(&BOTH);
    assert_eq!(client.ask(rig.tls, &health).status, 200);
    let event = json!({"event": "told", "data": {"n": 7}});
    _ = client.ask(rig.tls, &Request::post("/api/mcp/v1/events", &event));
    stream.until("\"n\":7");
}

const CERTIFICATES: &str = "\
client_ca_file = \"../ca.pem\"
[tools]
wake_on_lan = true
[[auth.tokens]]
name = \"someone\"
token = \"secret\"
[[auth.certificates]]
name = \"reader\"
subject = \"reader.lan\"
scopes = [\"read\"]
[[auth.certificates]]
name = \"narrow\"
subject = \"narrow\"
tools = [\"device_cpu\"]
[[auth.certificates]]
name = \"operator\"
fingerprint = \"OPERATOR\"
scopes = [\"admin\"]
";

fn fingerprint(der: &[u8]) -> String {
    use sha2::Digest as _;
    let print = sha2::Sha256::digest(der);
    print.iter().map(|byte| format!("{byte:02X}:")).collect()
}

#[test]
fn a_certificate_has_a_name_and_rights() {
    let (authority, clients) = (Authority::new("ca"), Authority::new("clients"));
    let folder = Folder::new();
    authority.server().write(&folder);
    folder.write("ca.pem", clients.pem());
    let operator = clients.sign("whoever", &[]);
    let print = fingerprint(&operator.der);
    let more = CERTIFICATES.replace("OPERATOR", print.trim_end_matches(':'));
    let rig = Rig::start(folder, &more);
    let reader = clients.sign("x", &["reader.lan"]);
    let narrow = clients.sign("narrow", &[]);
    let stranger = clients.sign("stranger", &["stranger.lan"]);
    for version in BOTH {
        let anybody = authority.client(&[version]);
        let status = |client: &Client, request: &Request| client.ask(rig.tls, request).status;
        let names = |client: &Client| {
            let listed = client.ask(rig.tls, &list_tools()).json();
            let tools = listed["result"]["tools"].as_array().unwrap().clone();
            let name = |tool: &crate::support::Value| tool["name"].as_str().unwrap().to_owned();
            tools.iter().map(name).collect::<Vec<_>>()
        };
        let has_wake = |client: &Client| names(client).contains(&"wake_on_lan".to_owned());
        // Without a certificate, or with one that is nobody's, a token is due.
        for client in [anybody.clone(), anybody.clone().showing(&stranger)] {
            assert_eq!(status(&client, &list_tools()), 401);
            let with_token = list_tools().header("Authorization", "Bearer secret");
            assert_eq!(status(&client, &with_token), 200);
        }
        let reader = anybody.clone().showing(&reader);
        assert_eq!(status(&reader, &list_tools()), 200);
        assert!(!has_wake(&reader));
        assert_eq!(status(&reader, &Request::get("/metrics")), 403);
        // A token says more than a certificate, also when it is wrong.
        let with_token = list_tools().header("Authorization", "Bearer wrong");
        assert_eq!(status(&reader, &with_token), 401);
        let narrow = anybody.clone().showing(&narrow);
        assert_eq!(names(&narrow), ["device_cpu"]);
        let called = narrow.ask(rig.tls, &call("device_cpu")).json();
        assert!(called["result"].is_object(), "{called}");
        let operator = anybody.clone().showing(&operator);
        assert_eq!(status(&operator, &Request::get("/metrics")), 200);
        assert!(names(&operator).is_empty());
        // Signed by somebody else, whatever it says.
        let forged = authority.sign("narrow", &["reader.lan"]);
        let refused = anybody.clone().showing(&forged).refused(rig.tls);
        assert!(refused.contains("alert"), "{refused}");
    }
    // What a certificate may do changes on connections that are open.
    let mut open = authority
        .client(&BOTH)
        .showing(&reader)
        .connect(rig.tls)
        .unwrap();
    assert_eq!(open.ask(&list_tools()).status, 200);
    let path = rig.server.process.folder().join("config/base.toml");
    let gone = config(&more).replace("reader.lan", "other.lan");
    std::fs::write(path, gone).unwrap();
    rig.reload("reloaded: auth.certificates");
    assert_eq!(open.ask(&list_tools()).status, 401);
}

#[test]
fn beyond_loopback_a_required_certificate_does_for_a_token() {
    let authority = Authority::new("ca");
    let folder = Folder::new();
    authority.server().write(&folder);
    folder.write("ca.pem", authority.pem());
    let text = "[tls]\ncert_file = \"../chain.pem\"\nkey_file = \"../key.pem\"\n\
                client_ca_file = \"../ca.pem\"\nclient_cert_required = true\n";
    folder.write("config/base.toml", text);
    let env = [("APP_SERVER__HOST", "0.0.0.0"), ("APP_SERVER__PORT", "0")];
    let process = Process::start_in(
        folder,
        &Program::Siskin.path(),
        &["serve"],
        &env,
        Stdio::null,
    );
    let listening = |line: &str| line.strip_prefix("listening https ")?.parse().ok();
    let addr: SocketAddr = process.wait_log("readiness line", 0, listening);
    let addr = SocketAddr::from(([127, 0, 0, 1], addr.port()));
    for version in BOTH {
        let client = authority.client(&[version]);
        let refused = client.refused(addr);
        assert!(refused.contains("alert"), "{refused}");
        let known = client.showing(&authority.sign("anyone", &[]));
        assert_eq!(known.ask(addr, &list_tools()).status, 200);
    }
}

/// The first bytes of a hello.
const HALF_A_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

#[test]
fn a_handshake_has_a_deadline_from_its_start() {
    let authority = Authority::new("ca");
    let rig = rig(&authority, "[timeout]\nhead = \"100ms\"\nidle = \"1h\"\n");
    // Silent from the start, and in the middle: both end, though connections may idle for an hour.
    for bytes in [&b""[..], HALF_A_HELLO] {
        let mut slow = Http::connect(rig.tls);
        slow.send_bytes(bytes);
        slow.expect_closed();
    }
    let sample = "mcp_connections_closed_total{reason=\"head_timeout\"}";
    assert_eq!(rig.metric(sample), 2.0);
}

#[test]
fn who_has_not_shaken_hands_makes_room() {
    let authority = Authority::new("ca");
    let rig = rig(&authority, "[limits]\nconnections = 2\n");
    let mut silent: Vec<Http> = (0..2).map(|_| Http::connect(rig.tls)).collect();
    silent[0].send_bytes(HALF_A_HELLO);
    let client = authority.client(&BOTH);
    let mut late = client.connect(rig.tls).unwrap();
    assert_eq!(late.ask(&Request::get("/health")).status, 200);
    silent[0].expect_closed();
}

#[test]
fn plain_http_is_told_and_garbage_is_cut_off() {
    let authority = Authority::new("ca");
    let rig = rig(&authority, "");
    let mut plain = Http::connect(rig.tls);
    let answer = plain.ask(&Request::get("/health"));
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("`https`"), "{answer:?}");
    plain.expect_closed();
    for garbage in [&b"\x80\x2e\x01\x00\x02"[..], &[0xff; 5000]] {
        let mut http = Http::connect(rig.tls);
        http.send_bytes(garbage);
        http.expect_closed();
    }
    // Well framed nonsense gets an alert (21).
    let mut http = Http::connect(rig.tls);
    http.send_bytes(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00");
    http.half_close();
    while http.more(Until::soon()) > 0 {}
    assert_eq!(http.unread.first(), Some(&21));
    rig.wait_closed("tls_handshake");
    // Nonsense after the handshake ends the connection, not the server.
    let mut tls = authority.client(&BOTH).connect(rig.tls).unwrap();
    tls.stream.sock.write_all(&[0xff; 100]).unwrap();
    match tls.more() {
        Ok(len) => assert_eq!(len, 0),
        Err(text) => assert!(!text.contains("timed out"), "{text}"),
    }
    assert_eq!(
        authority
            .client(&BOTH)
            .ask(rig.tls, &Request::get("/health"))
            .status,
        200
    );
}

/// What `siskin ARGS` says and how it exits, in a folder with this configuration.
fn run(folder: &Folder, args: &[&str]) -> (i32, String) {
    let output = Command::new(Program::Siskin.path())
        .args(args)
        .env_clear()
        .current_dir(folder.path())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    (output.status.code().unwrap(), format!("{out}{err}"))
}

#[test]
fn files_that_cannot_be_used_are_named_before_anything_listens() {
    let authority = Authority::new("ca");
    let folder = Folder::new();
    folder.write("config/base.toml", config(""));
    let key = folder.path().join("key.pem");
    let check = |expected: &str| {
        for command in ["check", "serve"] {
            let (code, text) = run(&folder, &[command]);
            assert_eq!(code, 78, "{command}: {text}");
            assert!(text.contains(expected), "{command}: {text}");
        }
    };
    check("tls.cert_file: `");
    authority.server().write(&folder);
    std::fs::write(&key, "").unwrap();
    check("tls.key_file: `");
    std::fs::write(&key, authority.server().key.serialize_pem()).unwrap();
    check("it is not that of the first certificate");
    authority.server().write(&folder);
    let (code, text) = run(&folder, &["check"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("listens on 127.0.0.1:0 (mcp,api,admin, TLS)"),
        "{text}"
    );
}

#[test]
fn the_health_check_speaks_tls() {
    let authority = Authority::new("ca");
    let folder = Folder::new();
    let ca: PathBuf = folder.write("ca.pem", authority.pem());
    let rig = rig(&authority, "");
    let health = |url: &str, ca: Option<&PathBuf>| {
        let mut command = Command::new(Program::Siskin.path());
        command.args(["healthcheck", "--url", url]).env_clear();
        if let Some(ca) = ca {
            command.env("SSL_CERT_FILE", ca);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), text)
    };
    let url = format!("https://localhost:{}/health", rig.tls.port());
    assert_eq!(health(&url, Some(&ca)), (0, String::new()));
    let (code, text) = health(&url, None);
    assert_eq!(code, 1);
    assert!(text.contains("signed by nobody"), "{text}");
    let (code, text) = health(
        &format!("https://localhost:{}/", rig.plain.port()),
        Some(&ca),
    );
    assert_eq!(code, 1);
    assert!(text.contains("does not speak TLS"), "{text}");
    // By the configuration it is its own certificate, which need not be for 127.0.0.1.
    let port = rig.tls.port();
    let text = format!(
        "[server]\nport = {port}\n[tls]\ncert_file = \"other.pem\"\nkey_file = \"other.pem\"\n"
    );
    folder.write("config/base.toml", text);
    assert_eq!(run(&folder, &["healthcheck"]), (0, "healthy\n".to_owned()));
}
