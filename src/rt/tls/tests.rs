//! Where authorities come from. Handshakes are tested with the client, over sockets.

use std::path::PathBuf;

use super::roots::load;

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
