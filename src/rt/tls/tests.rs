//! Where authorities come from, and both ends in memory. Handshakes over sockets are tested with the client and in
//! `tests/it`.

use std::future::poll_fn;
use std::path::PathBuf;
use std::rc::Rc;

use super::roots::load;
use super::{
    Acceptor, AcceptorFile, AcceptorSettings, Refusal, Stream, TlsStream, Trust, TrustSettings,
};
use crate::rt::{run, spawn};

/// A file of the test's own, gone with it.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> Self {
        let name = format!("siskin-roots-{:x}", u64::from_le_bytes(crate::rt::random()));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn without_any_file_the_built_in_authorities_serve() {
    let roots = load(None, &["/nonexistent/bundle.crt"]).unwrap();
    assert_eq!(roots.len(), webpki_roots::TLS_SERVER_ROOTS.len());
    assert!(roots.len() > 100);
}

#[test]
fn the_first_bundle_that_exists_is_taken_and_what_is_odd_in_it_passed_over() {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let good = params.self_signed(&key).unwrap().pem();
    let odd = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let bundle = File::new(&format!("# comment\n{odd}{good}"));
    let path = bundle.0.to_str().unwrap();
    assert_eq!(
        load(None, &["/nonexistent/bundle.crt", path])
            .unwrap()
            .len(),
        1
    );
    assert_eq!(load(Some(bundle.0.clone()), &[]).unwrap().len(), 1);
}

#[test]
fn a_file_named_by_the_operator_must_be_right() {
    for text in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let file = File::new(text);
        let error = load(Some(file.0.clone()), &[]).err().unwrap().to_string();
        assert!(error.contains("holds no certificate"), "{error}");
    }
    let error = load(Some("/nonexistent/x.pem".into()), &[])
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("`/nonexistent/x.pem` cannot be read"),
        "{error}"
    );
}

/// A certificate of nobody's with its key.
fn identity() -> (File, File) {
    let params = rcgen::CertificateParams::new(vec!["nas.lan".to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (
        File::new(&certificate.pem()),
        File::new(&key.serialize_pem()),
    )
}

fn settings(cert: &File, key: &File) -> AcceptorSettings {
    AcceptorSettings {
        cert_file: cert.0.clone(),
        key_file: key.0.clone(),
        client_ca_file: None,
        client_cert_required: false,
    }
}

fn acceptor() -> Acceptor {
    let (cert, key) = identity();
    Acceptor::new(&settings(&cert, &key)).unwrap()
}

/// The two ends of a connection that holds few bytes, after their handshake.
async fn ends(bytes_max: usize) -> (TlsStream, Stream) {
    let (near, far) = Stream::memory(bytes_max);
    let trust = Trust::new(TrustSettings {
        insecure: true,
        ..TrustSettings::default()
    });
    let client = spawn(async move {
        let connected = trust.unwrap().connect(Rc::new(near), "nas.lan").await;
        connected.unwrap()
    });
    let acceptor = acceptor();
    let accepted = acceptor.accept(far).await;
    let accepted = accepted.unwrap_or_else(|refused| panic!("{}", refused.why));
    (client.await, accepted)
}

#[test]
fn a_megabyte_there_and_back_through_a_narrow_pipe() {
    run(async {
        let (mut client, server) = ends(1000).await;
        let echo = spawn(async move {
            let mut buf = [0; 700];
            loop {
                match server.read(&mut buf).await.unwrap() {
                    0 => return server.shutdown_write().unwrap(),
                    len => server.write_all(&buf[..len]).await.unwrap(),
                }
            }
        });
        let sent: Vec<u8> = (0..1_000_000_u32)
            .map(|n| n.to_le_bytes()[n as usize % 3])
            .collect();
        let (mut written, mut read) = (0, Vec::new());
        let mut is_closed = false;
        poll_fn(|cx| {
            loop {
                let mut is_stuck = true;
                if written < sent.len() {
                    if let std::task::Poll::Ready(len) = client.poll_write(cx, &sent[written..]) {
                        written += len.unwrap();
                        is_stuck = false;
                    }
                } else if client.poll_flush(cx).is_ready() && !is_closed {
                    is_closed = client.poll_close(cx).is_ready();
                }
                let mut buf = [0; 4096];
                if let std::task::Poll::Ready(len) = client.poll_read(cx, &mut buf) {
                    match len.unwrap() {
                        0 => return std::task::Poll::Ready(()),
                        len => read.extend_from_slice(&buf[..len]),
                    }
                    is_stuck = false;
                }
                if is_stuck {
                    return std::task::Poll::Pending;
                }
            }
        })
        .await;
        assert!(read == sent, "{} of {}", read.len(), sent.len());
        echo.await;
    });
}

#[test]
fn a_write_that_would_block_counts_when_it_is_tried_again() {
    run(async {
        let (client, server) = ends(1000).await;
        // The record is larger than the pipe: nothing of it counts before all of it has left.
        let bytes = [7; 5000];
        let blocked = server.try_write(&bytes).unwrap_err();
        assert_eq!(blocked.kind(), std::io::ErrorKind::WouldBlock);
        let reading = spawn(async move {
            let mut client = client;
            let mut buf = [0; 5000];
            let mut len = 0;
            while len < buf.len() {
                len += poll_fn(|cx| client.poll_read(cx, &mut buf[len..]))
                    .await
                    .unwrap();
            }
            buf
        });
        let taken = poll_fn(|cx| server.poll_write(cx, &bytes)).await.unwrap();
        assert_eq!(taken, bytes.len());
        assert_eq!(reading.await, bytes);
    });
}

#[test]
fn a_reader_waits_while_a_write_is_stuck_and_the_socket_takes_more() {
    run(async {
        let (mut client, server) = ends(1000).await;
        server.try_write(&[7; 5000]).unwrap_err();
        for _ in 0..20 {
            // The client takes what is there, which is no whole record for a while.
            let mut buf = [0; 5000];
            let read = poll_fn(|cx| std::task::Poll::Ready(client.poll_read(cx, &mut buf))).await;
            let waits = poll_fn(|cx| {
                let read = server.poll_read(cx, &mut [0; 10]);
                std::task::Poll::Ready(read.is_pending())
            });
            assert!(waits.await);
            if read.is_ready() {
                return;
            }
        }
        panic!("the reader alone did not bring the record on its way");
    });
}

#[track_caller]
fn check_refused(bytes: &'static [u8], expected: &Refusal) {
    run(async {
        let (near, far) = Stream::memory(1 << 20);
        near.write_all(bytes).await.unwrap();
        near.shutdown_write().unwrap();
        let refused = acceptor().accept(far).await.err().unwrap();
        assert_eq!(refused.why, *expected);
        // The socket is still there to say something by.
        refused.stream.write_all(b"no").await.unwrap();
    });
}

#[test]
fn what_is_no_handshake_is_told_apart() {
    check_refused(b"", &Refusal::Closed);
    check_refused(b"GET / HTTP/1.1\r\n", &Refusal::PlainHttp);
    check_refused(b"SSH-2.0-x\r\n", &Refusal::PlainHttp);
    check_refused(b"\x80\x2e\x01\x00\x02", &Refusal::NotTls);
    check_refused(b"\0", &Refusal::NotTls);
    // Half a record, and a record of nothing sensible.
    check_refused(b"\x16\x03\x01\x02\x00\x01", &Refusal::Closed);
    run(async {
        let (near, far) = Stream::memory(1 << 20);
        near.write_all(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
            .await
            .unwrap();
        let refused = acceptor().accept(far).await.err().unwrap();
        assert!(matches!(refused.why, Refusal::Failed(_)));
        // An alert (21) says so.
        let mut buf = [0; 16];
        assert!(near.read(&mut buf).await.unwrap() >= 7);
        assert_eq!(buf[0], 21);
    });
}

#[test]
fn a_hello_without_end_is_cut_off() {
    // Handshake records that hold a `ClientHello` (1) of 65535 bytes, bit by bit.
    let mut bytes = b"\x16\x03\x01\x40\x00\x01\x00\xff\xff".to_vec();
    bytes.resize(5 + 0x4000, 0);
    bytes.extend_from_slice(b"\x16\x03\x01\x40\x00");
    bytes.resize(40_000, 0);
    check_refused(bytes.leak(), &Refusal::TooLong);
}

#[test]
fn files_that_do_not_fit_are_named() {
    let (cert, key) = identity();
    let (other, _) = identity();
    let missing = File("/nonexistent/x.pem".into());
    let empty = File::new("");
    let check = |settings: AcceptorSettings, file, words: &str| {
        let (found, error) = Acceptor::new(&settings).err().unwrap();
        let text = error.to_string();
        assert!(found == file && text.contains(words), "{found:?}: {text}");
    };
    check(
        settings(&missing, &key),
        AcceptorFile::Cert,
        "cannot be read",
    );
    check(
        settings(&key, &key),
        AcceptorFile::Cert,
        "holds no certificate",
    );
    check(
        settings(&cert, &missing),
        AcceptorFile::Key,
        "cannot be read",
    );
    check(
        settings(&cert, &cert),
        AcceptorFile::Key,
        "holds no private key",
    );
    check(
        settings(&other, &key),
        AcceptorFile::Key,
        "it is not that of",
    );
    let odd = File::new("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    check(settings(&odd, &key), AcceptorFile::Cert, "cannot be read");
    let with_ca = |ca: &File| AcceptorSettings {
        client_ca_file: Some(ca.0.clone()),
        ..settings(&cert, &key)
    };
    check(
        with_ca(&empty),
        AcceptorFile::ClientCa,
        "holds no certificate",
    );
    check(with_ca(&odd), AcceptorFile::ClientCa, "cannot be read");
    assert!(Acceptor::new(&with_ca(&cert)).is_ok());
    assert!(Acceptor::new(&settings(&cert, &key)).is_ok());
}
