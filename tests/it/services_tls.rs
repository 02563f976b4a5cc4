//! A service behind HTTPS: whom its certificate convinces by what is configured, and what is said when it does not.
//! The service is siskin itself, with certificates.

use crate::support::{Folder, Mcp, Program, Server, Way, json};
use crate::tls::{Authority, Rig};

const PACK: &str = r#"
[service]
id = "mirror"
title = "Mirror"

[[tool]]
name = "mirror_health"
description = "Whether it is well."
access = "read"
request = { path = "/health" }
"#;

/// Calls the tool of a siskin whose service has these keys; the result, and the log.
#[track_caller]
fn check(url: &str, keys: &str, expected: Result<(), &str>) -> String {
    let folder = Folder::new();
    folder.write("config/packs/mirror.toml", PACK);
    let base = format!("[services.mirror]\nurl = \"{url}\"\n{keys}\n");
    folder.write("config/base.toml", base);
    let server = Server::start_in(folder, Program::Siskin, &[]);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let result = mcp.call("mirror_health", json!({}));
    match expected {
        Ok(()) => assert_eq!(
            result["structuredContent"]["status"], "healthy",
            "{url} {keys}: {result}"
        ),
        Err(words) => {
            assert_eq!(result["isError"], true, "{url} {keys}: {result}");
            let text = result["content"][0]["text"].as_str().unwrap();
            assert!(
                text.contains(words),
                "{url} {keys}: no `{words}` in: {text}"
            );
        }
    }
    server.log()
}

fn key(name: &str, folder: &Folder, file: &str) -> String {
    format!("{name} = \"{}\"\n", folder.path().join(file).display())
}

#[test]
fn f9_a_certificate_is_believed_as_configured_for_its_service() {
    let authority = Authority::new("ca");
    // For the name alone, so that the address is another's.
    let folder = Folder::new();
    authority.sign("server", &["localhost"]).write(&folder);
    let rig = Rig::start(folder, "");
    let (name, address) = (
        format!("https://localhost:{}", rig.tls.port()),
        format!("https://{}", rig.tls),
    );
    let files = Folder::new();
    files.write("ca.pem", authority.pem());
    files.write("other.pem", Authority::new("other").pem());
    let ca = key("ca_file", &files, "ca.pem");
    let other = key("ca_file", &files, "other.pem");

    let log = check(&name, &ca, Ok(()));
    assert!(!log.contains("not checked"), "{log}");
    let unknown = Err("signed by nobody this machine believes; set `ca_file`");
    check(&name, "", unknown);
    check(&name, &other, unknown);

    check(&address, &ca, Err("certificate is for `localhost`"));
    let named = format!("{ca}server_name = \"localhost\"\n");
    check(&address, &named, Ok(()));

    let log = check(&address, "insecure = true", Ok(()));
    let warning = "services.mirror.insecure: the upstream's certificate is not checked";
    assert!(log.contains(warning), "{log}");
    assert!(log.contains(", certificate not checked"), "{log}");
}

#[test]
fn f9_a_service_may_ask_who_we_are() {
    let authority = Authority::new("ca");
    let folder = Folder::new();
    authority.server().write(&folder);
    folder.write("ca.pem", authority.pem());
    let wanted = "client_ca_file = \"../ca.pem\"\nclient_cert_required = true\n";
    let rig = Rig::start(folder, wanted);
    let url = format!("https://localhost:{}", rig.tls.port());
    let files = Folder::new();
    files.write("ca.pem", authority.pem());
    authority.sign("us", &["siskin.lan"]).write(&files);
    let ca = key("ca_file", &files, "ca.pem");
    let ours = key("client_cert", &files, "chain.pem") + &key("client_key", &files, "key.pem");

    check(&url, &format!("{ca}{ours}"), Ok(()));
    check(&url, &ca, Err("set `client_cert` and `client_key`"));
    Authority::new("other").sign("us", &[]).write(&files);
    check(
        &url,
        &format!("{ca}{ours}"),
        Err("the server wants a client certificate it believes"),
    );
}
