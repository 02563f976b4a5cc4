//! Every fuzz target over its seeds, whole and cut short: what fuzzing has once found stays found. The seeds are files of
//! `fuzz/seeds`; a finding goes there too, under a name that says what it was.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

type Target = fn(&[u8]);

/// For targets that take text.
macro_rules! text {
    ($target:path) => {
        |bytes| $target(&String::from_utf8_lossy(bytes))
    };
}

/// As the files of `fuzz/fuzz_targets` have it.
const TARGETS: &[(&str, Target)] = &[
    #[cfg(feature = "packs")]
    ("answer", siskin::tools::declarative::decode::fuzz_answer),
    #[cfg(feature = "tls")]
    ("certificate", siskin::rt::tls::fuzz_certificate),
    ("chunked", siskin::http1::chunked::fuzz_chunked),
    ("config", text!(siskin::config::fuzz_config)),
    ("connection", siskin::builder::fuzz_connection),
    ("date", text!(siskin::calendar::fuzz_rfc3339)),
    ("device", text!(siskin::tools::device::fuzz_files)),
    #[cfg(feature = "packs")]
    (
        "docker_logs",
        siskin::tools::declarative::decode::fuzz_docker_logs,
    ),
    ("encoded", siskin::mcp::headers::fuzz_encoded),
    ("fields", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        siskin::http1::accept::fuzz_accept(&text);
        siskin::http1::query::fuzz_query(&text);
    }),
    ("forwarded", text!(siskin::gate::forwarded::fuzz_headers)),
    ("framing", |fields| {
        let head = [b"POST / HTTP/1.1\r\nHost: a\r\n", fields, b"\r\n\r\n"].concat();
        siskin::http1::head::fuzz_head(&head);
    }),
    ("head", siskin::http1::head::fuzz_head),
    #[cfg(feature = "aws")]
    ("html", text!(siskin::html::fuzz_html)),
    ("json_rpc", siskin::jsonrpc::fuzz_parse),
    #[cfg(feature = "jwt")]
    ("jwt", text!(siskin::gate::jwt::fuzz_jwt)),
    #[cfg(feature = "packs")]
    ("pack", text!(siskin::tools::declarative::fuzz_pack)),
    #[cfg(feature = "aws")]
    ("page", text!(siskin::tools::aws_docs::fuzz_page)),
    ("pattern", text!(siskin::tools::schema::fuzz_pattern)),
    #[cfg(feature = "packs")]
    (
        "prom_text",
        siskin::tools::declarative::decode::fuzz_prom_text,
    ),
    ("response", siskin::http1::response::fuzz_response),
    ("schema", text!(siskin::tools::schema::fuzz_schema)),
    #[cfg(feature = "packs")]
    ("shape", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        siskin::tools::declarative::shape::fuzz_path(&text);
        siskin::tools::declarative::fuzz_filter(&text);
    }),
    ("sse", |bytes| {
        siskin::http1::sse::parser::fuzz_parser(bytes);
        siskin::http1::sse::fuzz_event(&String::from_utf8_lossy(bytes));
    }),
    ("state", siskin::server::fuzz_state),
    ("template", text!(siskin::mcp::template::fuzz_template)),
    ("url", text!(siskin::client::fuzz_url)),
];

/// Cuts of one seed that are tried; a long one is cut at even distances.
const CUTS_MAX: usize = 200;

#[test]
fn every_target_survives_its_seeds() {
    for (name, target) in TARGETS {
        let seeds = files(&format!("fuzz/seeds/{name}"));
        assert!(!seeds.is_empty(), "fuzz/seeds/{name} is empty");
        for seed in seeds {
            let path = format!("fuzz/seeds/{name}/{seed}");
            let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            target(&bytes);
            // A script of many steps takes long.
            let cuts_max = if *name == "connection" { 4 } else { CUTS_MAX };
            let step = bytes.len() / cuts_max + 1;
            for at in (0..bytes.len()).step_by(step) {
                target(&bytes[..at]);
                target(&bytes[at..]);
            }
        }
    }
}

#[test]
fn every_target_is_listed() {
    let listed: BTreeSet<String> = TARGETS.iter().map(|row| row.0.to_owned()).collect();
    let mut targets = files("fuzz/fuzz_targets");
    targets.iter_mut().for_each(|name| {
        *name = name.trim_end_matches(".rs").to_owned();
    });
    let targets = BTreeSet::from_iter(targets);
    assert!(listed.is_subset(&targets), "{listed:?}");
    if cfg!(all(
        feature = "packs",
        feature = "aws",
        feature = "tls",
        feature = "jwt"
    )) {
        assert_eq!(listed, targets);
    }
    let manifest = fs::read_to_string("fuzz/Cargo.toml").expect("the targets have a manifest");
    for target in targets {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")),
            "fuzz/Cargo.toml does not name `{target}`"
        );
    }
}

fn files(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
