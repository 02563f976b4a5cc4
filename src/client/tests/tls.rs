//! TLS: whom the client believes, and what it says when it does not.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use futures_rustls::pki_types::{CertificateDer, PrivateKeyDer};
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::server::WebPkiClientVerifier;
use futures_rustls::rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned, version};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};

use super::super::{
    ClientError, Limit, Phase, Request, Route, TlsProblem, Trust, TrustError, TrustSettings, Url,
};
use super::proxy::behind;
use super::upstream::{client, hasty, ok, outcome, patient, read_request, send, upstream};
use crate::metrics::UpstreamOutcome;
use crate::rt;

/// An authority, and the files it gives out.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: Folder,
}

/// A folder of the test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("siskin-tls-{:x}", u64::from_le_bytes(rt::random()));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// A certificate with its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
    pem: String,
}

impl Identity {
    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).unwrap()
    }
}

impl Authority {
    fn new() -> Self {
        Self::named(&format!("{:x}", u64::from_le_bytes(rt::random())))
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        Self {
            issuer,
            folder: Folder::new(),
        }
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            chain: vec![certificate.der().clone()],
            pem: certificate.pem(),
            key,
        }
    }

    fn server(&self, names: &[&str]) -> Identity {
        self.sign(params(names))
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.file("ca.pem", &self.issuer.pem())
    }

    fn trust(&self) -> Trust {
        trust(TrustSettings {
            ca_file: Some(self.ca_file()),
            ..TrustSettings::default()
        })
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

fn trust(settings: TrustSettings) -> Trust {
    Trust::new(settings).unwrap()
}

fn route(trust: Trust) -> Route {
    Route { trust, ..patient() }
}

fn config(identity: &Identity) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), identity.key_der())
        .unwrap()
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// An upstream behind TLS.
fn tls_upstream(
    config: ServerConfig,
    serve: impl Fn(usize, Tls) + Clone + Send + 'static,
) -> SocketAddr {
    let config = Arc::new(config);
    upstream(move |number, stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        serve(number, StreamOwned::new(connection, stream));
    })
}

/// Answers each request with `connection/request` by number.
fn counting(config: ServerConfig) -> SocketAddr {
    tls_upstream(config, |connection, mut stream| {
        for request in 0.. {
            if read_request(&mut stream).is_empty() {
                return;
            }
            _ = stream.write_all(&ok(&format!("{connection}/{request}")));
        }
    })
}

fn get(addr: SocketAddr) -> Request {
    Request::get(Url::parse(&format!("https://{addr}/canary?canary")).unwrap())
}

#[track_caller]
fn problem(result: Result<super::super::Response, ClientError>) -> TlsProblem {
    let Err(error) = result else {
        panic!("it answered")
    };
    let ClientError::Tls { problem, .. } = &error else {
        panic!("{error}")
    };
    let problem = problem.clone();
    assert_eq!(error.outcome(), UpstreamOutcome::ConnectError);
    outcome(Err(error));
    problem
}

#[test]
fn a_private_authority_is_believed_and_its_connection_used_again() {
    let authority = Authority::new();
    let addr = counting(config(&authority.server(&["127.0.0.1"])));
    let route = route(authority.trust());
    rt::run(async {
        let client = client();
        for request in 0..3 {
            let answer = outcome(client.send(get(addr), &route).await);
            assert_eq!(answer, format!("200 0/{request}"));
        }
    });
}

/// What was decrypted together with the answer is nobody's answer: the socket shows nothing of it any more.
#[test]
fn what_comes_with_an_answer_in_one_record_ends_the_connection() {
    let authority = Authority::new();
    let config = config(&authority.server(&["127.0.0.1"]));
    let addr = tls_upstream(config, |connection, mut stream| {
        while !read_request(&mut stream).is_empty() {
            let answer = [ok(&connection.to_string()), ok("poison")].concat();
            _ = stream.write_all(&answer);
        }
    });
    let route = route(authority.trust());
    rt::run(async {
        let client = client();
        for connection in 0..3 {
            let answer = outcome(client.send(get(addr), &route).await);
            assert_eq!(answer, format!("200 {connection}"));
        }
    });
}

/// One megabyte each way at the same time, which takes reading while writing.
#[test]
fn what_is_sent_may_come_back_meanwhile() {
    const LEN: usize = 1 << 20;
    let authority = Authority::new();
    let config = config(&authority.server(&["127.0.0.1"]));
    let addr = tls_upstream(config, |_, mut stream| {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LEN}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut chunk = vec![0; 16 << 10];
        let mut left = LEN;
        while left > 0 {
            let len = stream.read(&mut chunk).unwrap();
            stream.write_all(&chunk[..len]).unwrap();
            left -= len;
        }
    });
    let request = get(addr).body(vec![b'x'; LEN]);
    let response = send(request, route(authority.trust())).unwrap();
    assert!(response.body == vec![b'x'; LEN]);
}

#[test]
fn what_one_trust_accepted_is_not_accepted_by_another() {
    let authority = Authority::new();
    let addr = counting(config(&authority.server(&["127.0.0.1"])));
    let insecure = trust(TrustSettings {
        insecure: true,
        ..TrustSettings::default()
    });
    assert!(insecure.is_insecure() && !Trust::standard().is_insecure());
    assert_ne!(insecure.id(), Trust::standard().id());
    assert_eq!(Trust::standard().id(), Trust::standard().id());
    rt::run(async {
        let client = client();
        let insecure = route(insecure);
        assert_eq!(outcome(client.send(get(addr), &insecure).await), "200 0/0");
        let refused = client.send(get(addr), &route(Trust::standard())).await;
        assert_eq!(problem(refused), TlsProblem::UnknownIssuer);
        assert_eq!(outcome(client.send(get(addr), &insecure).await), "200 0/1");
    });
}

#[test]
fn another_authority_is_not_believed() {
    let authority = Authority::named("one");
    let addr = counting(config(&authority.server(&["127.0.0.1"])));
    for name in ["two", "one"] {
        let other = Authority::named(name);
        let problem = problem(send(get(addr), route(other.trust())));
        assert_eq!(problem, TlsProblem::UnknownIssuer, "{name}");
        assert!(problem.to_string().contains("set `ca_file`"));
    }
}

#[test]
fn a_certificate_for_other_names() {
    let authority = Authority::new();
    let addr = counting(config(&authority.server(&["nas.test", "*.lan.test"])));
    let text = problem(send(get(addr), route(authority.trust()))).to_string();
    assert!(
        text.starts_with(
            "the server's certificate is for `nas.test`, `*.lan.test`, not for `127.0.0.1`"
        ),
        "{text}"
    );

    let none = counting(config(&authority.server(&[])));
    let text = problem(send(get(none), route(authority.trust()))).to_string();
    assert!(
        text.contains("for no name at all (a common name does not count)"),
        "{text}"
    );

    for (name, is_its) in [
        ("nas.test", true),
        ("a.lan.test", true),
        ("a.b.lan.test", false),
    ] {
        let named = trust(TrustSettings {
            ca_file: Some(authority.ca_file()),
            server_name: Some(name.to_owned()),
            ..TrustSettings::default()
        });
        assert_eq!(send(get(addr), route(named)).is_ok(), is_its, "{name}");
    }
}

#[test]
fn a_certificate_out_of_its_time() {
    let authority = Authority::new();
    let mut old = params(&["127.0.0.1"]);
    old.not_after = date_time_ymd(2020, 1, 1);
    let addr = counting(config(&authority.sign(old)));
    let expired = problem(send(get(addr), route(authority.trust())));
    assert!(
        matches!(expired, TlsProblem::Expired { days: 2000.. }),
        "{expired}"
    );

    let mut young = params(&["127.0.0.1"]);
    young.not_before = date_time_ymd(2090, 1, 1);
    let addr = counting(config(&authority.sign(young)));
    let early = problem(send(get(addr), route(authority.trust())));
    assert!(
        matches!(early, TlsProblem::NotYetValid { days: 1000.. }),
        "{early}"
    );
}

/// What `openssl req -x509` makes: a server certificate that is its own authority.
fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let mut params = params(&["127.0.0.1"]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity {
        chain: vec![certificate.der().clone()],
        pem: certificate.pem(),
        key,
    }
}

#[test]
fn a_self_signed_certificate_is_believed_when_it_is_the_one_in_the_file() {
    let folder = Folder::new();
    let pinned = |identity: &Identity| {
        route(trust(TrustSettings {
            ca_file: Some(folder.file("pin.pem", &identity.pem)),
            ..TrustSettings::default()
        }))
    };
    let (good, other) = (self_signed(|_| ()), self_signed(|_| ()));
    let addr = counting(config(&good));
    assert_eq!(outcome(send(get(addr), pinned(&good))), "200 0/0");
    problem(send(get(addr), pinned(&other)));
    assert_eq!(
        problem(send(get(addr), patient())),
        TlsProblem::UnknownIssuer
    );

    let plain = self_signed(|params| params.is_ca = IsCa::NoCa);
    assert_eq!(
        outcome(send(get(counting(config(&plain))), pinned(&plain))),
        "200 0/0"
    );
    let old = self_signed(|params| params.not_after = date_time_ymd(2020, 1, 1));
    let expired = problem(send(get(counting(config(&old))), pinned(&old)));
    assert!(matches!(expired, TlsProblem::Expired { .. }), "{expired}");
    let named = self_signed(|params| {
        *params = {
            let mut other = self::params(&["nas.test"]);
            other.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            other
        }
    });
    let wrong = problem(send(get(counting(config(&named))), pinned(&named)));
    assert!(matches!(wrong, TlsProblem::WrongName { .. }), "{wrong}");
}

#[test]
fn insecure_believes_anybody() {
    let insecure = || {
        route(trust(TrustSettings {
            insecure: true,
            ..TrustSettings::default()
        }))
    };
    let old = self_signed(|params| params.not_after = date_time_ymd(2020, 1, 1));
    assert_eq!(
        outcome(send(get(counting(config(&old))), insecure())),
        "200 0/0"
    );
    // But not a server that has not got the certificate's key.
    let mut stolen = Authority::new().server(&["127.0.0.1"]);
    stolen.chain = self_signed(|_| ()).chain;
    let key = futures_rustls::rustls::crypto::ring::sign::any_supported_type(&stolen.key_der());
    let certified =
        futures_rustls::rustls::sign::CertifiedKey::new(stolen.chain.clone(), key.unwrap());
    let mut thief = config(&self_signed(|_| ()));
    thief.cert_resolver = Arc::new(futures_rustls::rustls::sign::SingleCertAndKey::from(
        certified,
    ));
    problem(send(get(counting(thief)), insecure()));
}

#[test]
fn a_server_that_asks_who_we_are() {
    let authority = Authority::new();
    let mut roots = RootCertStore::empty();
    roots.add(authority.issuer.der().clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let asks = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
    let asks = asks.build().unwrap();
    let server = authority.server(&["127.0.0.1"]);
    for version in [&version::TLS12, &version::TLS13] {
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(Arc::clone(&asks))
            .with_single_cert(server.chain.clone(), server.key_der())
            .unwrap();
        let addr = counting(config);
        let with = |identity: &Identity| {
            let chain = authority.folder.file("client.pem", &identity.pem);
            let key = authority
                .folder
                .file("client.key", &identity.key.serialize_pem());
            route(trust(TrustSettings {
                ca_file: Some(authority.ca_file()),
                client_cert: Some((chain, key)),
                ..TrustSettings::default()
            }))
        };
        let without = problem(send(get(addr), route(authority.trust())));
        assert!(
            matches!(without, TlsProblem::WantsCertificate(_)),
            "{without}"
        );
        assert!(without.to_string().contains("set `client_cert`"));
        let ours = authority.sign(params(&["client.test"]));
        assert_eq!(outcome(send(get(addr), with(&ours))), "200 1/0");
        let foreign = problem(send(
            get(addr),
            with(&Authority::new().sign(params(&["x"]))),
        ));
        assert!(
            matches!(foreign, TlsProblem::WantsCertificate(_)),
            "{foreign}"
        );
    }
}

#[test]
fn servers_that_speak_something_else() {
    let refusing = |answer: &'static [u8]| {
        upstream(move |_, mut stream| {
            _ = stream.write_all(answer);
            _ = stream.shutdown(std::net::Shutdown::Write);
            super::upstream::wait_for_end(&mut stream);
        })
    };
    let talking = refusing(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let problem_of = |addr| problem(send(get(addr), patient()));
    assert_eq!(problem_of(talking), TlsProblem::NotTls);
    assert!(
        problem_of(talking)
            .to_string()
            .contains("use an `http` URL")
    );
    assert_eq!(
        problem_of(refusing(b"SSH-2.0-OpenSSH_9.6\r\n")),
        TlsProblem::NotTls
    );
    assert_eq!(problem_of(refusing(b"")), TlsProblem::Closed);
    assert_eq!(
        problem_of(refusing(b"\x15\x03\x01\0\x02\x02\x46")).to_string(),
        TlsProblem::NothingInCommon("alert `ProtocolVersion`".into()).to_string()
    );
    assert!(matches!(
        problem_of(refusing(b"\x15\x03\x03\0\x02\x02\x28")),
        TlsProblem::Refused(_)
    ));
    // And the other way round: HTTP to a server of TLS.
    let authority = Authority::new();
    let addr = counting(config(&authority.server(&["127.0.0.1"])));
    let text = outcome(send(super::upstream::get(addr), patient()));
    assert!(
        text.contains("without an answer") || text.contains("did not answer in HTTP"),
        "{text}"
    );
}

#[test]
fn a_server_that_does_not_shake_hands_runs_out_of_time() {
    let silent = upstream(|_, mut stream| super::upstream::wait_for_end(&mut stream));
    let error = send(get(silent), hasty()).unwrap_err();
    let expected = (Phase::Tls, Limit::Connect);
    assert!(
        matches!(error, ClientError::Timeout { phase, limit, .. } if (phase, limit) == expected),
        "{error}"
    );
}

#[test]
fn tls_1_2_and_no_protocol_in_common() {
    let authority = Authority::new();
    let identity = authority.server(&["127.0.0.1"]);
    let old = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), identity.key_der())
        .unwrap();
    assert_eq!(
        outcome(send(get(counting(old)), route(authority.trust()))),
        "200 0/0"
    );
    for (protocol, is_ours) in [("http/1.1", true), ("h2", false)] {
        let mut config = config(&identity);
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let result = send(get(counting(config)), route(authority.trust()));
        assert_eq!(result.is_ok(), is_ours, "{protocol}");
    }
}

#[test]
fn an_end_that_was_not_announced_is_no_end() {
    let authority = Authority::new();
    for (farewell, expected) in [
        (true, "200 hello"),
        (false, "closed the connection inside the body"),
    ] {
        let config = config(&authority.server(&["127.0.0.1"]));
        let addr = tls_upstream(config, move |_, mut stream| {
            read_request(&mut stream);
            _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello");
            if farewell {
                stream.conn.send_close_notify();
                _ = stream.conn.complete_io(&mut stream.sock);
            }
            _ = stream.flush();
            _ = stream.sock.shutdown(std::net::Shutdown::Write);
            _ = stream.sock.read(&mut [0; 64]);
        });
        let text = outcome(send(get(addr), route(authority.trust())));
        assert!(text.contains(expected), "{text}");
    }
}

/// Two megabytes each way: buffers fill, and are emptied in turn.
#[test]
fn long_bodies_pass() {
    let authority = Authority::new();
    let config = config(&authority.server(&["127.0.0.1"]));
    let addr = tls_upstream(config, |_, mut stream| {
        let request = read_request(&mut stream);
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        _ = stream.write_all(&ok(body));
    });
    let body: String = (0..300_000).map(|n| format!("{n:7}")).collect();
    let body = &body[..2 << 20];
    let response = send(get(addr).body(body), route(authority.trust())).unwrap();
    assert!(response.body == body.as_bytes());
}

/// A proxy that opens a way to `to`, whatever it is asked for.
fn tunnel(to: SocketAddr, asked: std::sync::mpsc::Sender<String>) -> SocketAddr {
    upstream(move |_, mut near| {
        _ = asked.send(read_request(&mut near));
        let mut far = TcpStream::connect(to).unwrap();
        near.write_all(b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n")
            .unwrap();
        let (mut near_too, mut far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut far_too, &mut near_too));
        _ = std::io::copy(&mut near, &mut far);
        _ = far.shutdown(std::net::Shutdown::Write);
    })
}

#[test]
fn through_a_proxy_the_certificate_is_still_the_servers() {
    let authority = Authority::new();
    let addr = counting(config(&authority.server(&["upstream.test"])));
    let (asked, asks) = std::sync::mpsc::channel();
    let proxy = tunnel(addr, asked);
    let request =
        |host: &str| Request::get(Url::parse(&format!("https://{host}:8443/canary")).unwrap());
    rt::run(async {
        let client = behind(proxy);
        let route = route(authority.trust());
        assert_eq!(
            outcome(client.send(request("upstream.test"), &route).await),
            "200 0/0"
        );
        assert_eq!(
            outcome(client.send(request("upstream.test"), &route).await),
            "200 0/1"
        );
        let wrong = problem(client.send(request("other.test"), &route).await);
        assert!(matches!(wrong, TlsProblem::WrongName { .. }), "{wrong}");
    });
    let connect = asks.recv().unwrap();
    assert_eq!(
        connect,
        "CONNECT upstream.test:8443 HTTP/1.1\r\nHost: upstream.test:8443\r\nProxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n\r\n"
    );
    assert!(asks.recv().unwrap().starts_with("CONNECT other.test:8443"));
    assert!(asks.try_recv().is_err(), "a third way was asked for");
}

#[test]
fn mistakes_in_files_show_at_start() {
    let authority = Authority::new();
    let folder = &authority.folder;
    let ca = |path: PathBuf| TrustSettings {
        ca_file: Some(path),
        ..TrustSettings::default()
    };
    let missing = folder.0.join("missing.pem");
    let found = Trust::new(ca(missing.clone())).err().unwrap();
    assert!(
        matches!(&found, TrustError::Read(path, _) if *path == missing),
        "{found}"
    );
    for (text, expected) in [
        ("", "holds no certificate"),
        ("hello", "holds no certificate"),
        (
            "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n",
            "cannot be read",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "cannot be read",
        ),
    ] {
        let found = Trust::new(ca(folder.file("bad.pem", text)))
            .err()
            .unwrap()
            .to_string();
        assert!(found.contains(expected), "{text}: {found}");
    }

    let (mine, other) = (authority.server(&["a"]), authority.server(&["b"]));
    let pair = |chain: &str, key: &str| TrustSettings {
        client_cert: Some((folder.file("c.pem", chain), folder.file("c.key", key))),
        ..TrustSettings::default()
    };
    let (mine_key, other_key) = (mine.key.serialize_pem(), other.key.serialize_pem());
    assert!(Trust::new(pair(&mine.pem, &mine_key)).is_ok());
    for (key, expected) in [
        (other_key.as_str(), "cannot be used"),
        (mine.pem.as_str(), "holds no private key"),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "cannot be used",
        ),
    ] {
        let found = Trust::new(pair(&mine.pem, key)).err().unwrap().to_string();
        assert!(found.contains(expected), "{found}");
    }
    for (name, fits) in [
        ("nas.lan", true),
        ("10.0.0.1", true),
        ("a name", false),
        ("", false),
    ] {
        let settings = TrustSettings {
            server_name: Some(name.to_owned()),
            ..TrustSettings::default()
        };
        assert_eq!(Trust::new(settings).is_ok(), fits, "{name}");
    }
}
