//! What `deploy` says of siskin is true of this one: the metrics its dashboard and alerts ask for, the variables its files set.
//! The files themselves are tried by the scripts beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use siskin::http1::Method;

use crate::support::{Mcp, Request, Server, Value, Way, json, parse};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

// --- metrics ------------------------------------------------------------------------------------

/// What Prometheus adds to every series, or knows by itself.
const FOREIGN: [&str; 3] = ["job", "instance", "le"];

/// The words of a text that are made of these characters.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// Whether a word of an expression names a series of ours.
fn is_ours(word: &str) -> bool {
    ["mcp_", "process_", "siskin_"]
        .iter()
        .any(|prefix| word.starts_with(prefix))
}

/// The expressions of the dashboard: every panel's and every variable's.
fn expressions_of_dashboard(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if key == "expr" || key == "query" => {
                        found.push(text.clone());
                    }
                    _ => expressions_of_dashboard(value, found),
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                expressions_of_dashboard(value, found);
            }
        }
        _ => (),
    }
}

/// The expressions of the alerts: what stands behind `expr:`, on its line or indented below it.
fn expressions_of_alerts(text: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(first) = line.trim_start().strip_prefix("expr: ") else {
            continue;
        };
        let below = lines[at + 1..]
            .iter()
            .take_while(|next| indent(next) > indent(line));
        let below: Vec<&str> = below.copied().collect();
        found.push(match first {
            "|" => below.join(" "),
            one_line => one_line.to_owned(),
        });
    }
    found
}

/// Series by name, with the labels that any of its samples has.
fn series(server: &Server) -> BTreeMap<String, BTreeSet<String>> {
    let mut series: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in server.get("/metrics").text().lines() {
        if line.starts_with('#') {
            continue;
        }
        let (sample, _) = line.rsplit_once(' ').expect("a sample has a number");
        let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
        let known = series.entry(name.to_owned()).or_default();
        for part in labels.split("=\"") {
            if let Some(label) = words(part).last() {
                known.insert(label.to_owned());
            }
        }
    }
    series
}

/// A server that has had some of everything.
fn busy() -> Server {
    let server = Server::start(&[
        ("APP_LIMITS__MEMORY", "16MiB"),
        ("APP_LIMITS__STREAMS", "8"),
        // Nobody is there; that it was asked is what counts.
        ("APP_PROMETHEUS__URL", "http://127.0.0.1:1"),
    ]);
    let mut client = Mcp::open(Way::Streamable, &server, "2025-11-25");
    client.call("device_memory", json!({}));
    client.request("no/such", json!({}));
    let asked = json!({"name": "prometheus_query", "arguments": {"query": "up"}});
    assert_eq!(client.result("tools/call", asked)["isError"], true);
    let mut stream = client.listen();
    stream.next();
    let last = stream.last_event_id().to_owned();
    drop(client.resume(&last));
    let mut old = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    old.result("ping", json!({}));
    let events = Request::get("/api/mcp/v1/sse");
    let mut streams = Vec::new();
    loop {
        let mut connection = server.connect();
        connection.send(&events);
        let head = connection.response_head(Method::Get);
        if head.status != 200 {
            assert_eq!(head.status, 503);
            break;
        }
        streams.push(connection);
        assert!(streams.len() < 20, "`limits.streams` does not hold");
    }
    server
}

#[test]
fn every_series_that_dashboard_and_alerts_ask_for_exists_with_its_labels() {
    let mut expressions = Vec::new();
    expressions_of_dashboard(
        &parse(read("deploy/grafana/siskin.json").as_bytes()),
        &mut expressions,
    );
    assert!(expressions.len() > 20, "{}", expressions.len());
    let alerts = expressions_of_alerts(&read("deploy/prometheus/alerts.yml"));
    assert!(alerts.len() > 7, "{}", alerts.len());
    expressions.extend(alerts);

    let server = busy();
    let series = series(&server);
    let mut asked = BTreeSet::new();
    for expression in &expressions {
        for name in words(expression).filter(|word| is_ours(word)) {
            let labels = series
                .get(name)
                .unwrap_or_else(|| panic!("no `{name}` in /metrics, asked for by: {expression}"));
            asked.insert(name);
            for selector in expression.split(name).skip(1) {
                let Some((selector, _)) = selector
                    .strip_prefix('{')
                    .and_then(|rest| rest.split_once('}'))
                else {
                    continue;
                };
                for matcher in selector.split(',') {
                    let label = words(matcher).next().expect("a matcher names a label");
                    assert!(
                        FOREIGN.contains(&label) || labels.contains(label),
                        "`{name}` has no label `{label}`, asked for by: {expression}"
                    );
                }
            }
        }
        for group in expression.split("by (").skip(1) {
            let (group, _) = group.split_once(')').expect("a group ends");
            for label in words(group) {
                let is_known = series.values().any(|labels| labels.contains(label));
                assert!(FOREIGN.contains(&label) || is_known, "no label `{label}`");
            }
        }
    }
    assert!(asked.len() > 15, "{asked:?}");
}

#[test]
fn expressions_are_found_on_a_line_and_below_it() {
    let text = "- alert: A\n  expr: a > 1\n  for: 5m\n- alert: B\n  expr: |\n    b\n      > 2\n  for: 1m\n";
    assert_eq!(expressions_of_alerts(text), ["a > 1", "    b       > 2"]);
}

// --- variables ----------------------------------------------------------------------------------

/// The five of the axinova server may stand at the top, all packs below `services`.
const AT_THE_TOP: [&str; 5] = [
    "PORTAINER",
    "GRAFANA",
    "PROMETHEUS",
    "SILVERBULLET",
    "VIKUNJA",
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// Whether a variable is one of the reference, in any of the ways it may be said.
fn is_known(reference: &BTreeSet<&str>, variable: &str) -> bool {
    if reference.contains(variable) {
        return true;
    }
    // The value from a file.
    let variable = variable.strip_suffix("_FILE").unwrap_or(variable);
    let Some((service, key)) = variable
        .strip_prefix("APP_")
        .map(|rest| rest.strip_prefix("SERVICES__").unwrap_or(rest))
        .and_then(|rest| rest.split_once("__"))
    else {
        return reference.contains(variable);
    };
    let is_pack = match variable.starts_with("APP_SERVICES__") {
        true => Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("config/packs")
            .join(format!("{}.toml", service.to_lowercase()))
            .is_file(),
        false => AT_THE_TOP.contains(&service),
    };
    let of_service = format!("APP_SERVICES__ID__{key}");
    reference.contains(variable) || is_pack && reference.contains(of_service.as_str())
}

#[test]
fn every_variable_that_the_files_set_is_a_key() {
    let reference = read("config/README.md").replace("<ID>", "ID");
    let reference: BTreeSet<&str> = words(&reference)
        .filter(|word| word.contains('_') && word.to_uppercase() == *word)
        .collect();
    assert!(is_known(&reference, "APP_SERVER__API_TOKEN_FILE"));
    assert!(is_known(&reference, "APP_STATE__FILE"));
    assert!(is_known(&reference, "APP_VIKUNJA__URL"));
    assert!(!is_known(&reference, "APP_SERVER__API_TOKENS"));
    assert!(!is_known(&reference, "APP_VIKUNJA__URLS"));
    assert!(is_known(
        &reference,
        "APP_SERVICES__HOME_ASSISTANT__TOKEN_FILE"
    ));
    assert!(!is_known(&reference, "APP_SERVICES__NO_SUCH__TOKEN"));

    let mut paths = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy"),
        &mut paths,
    );
    paths.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("Dockerfile.alpine"));
    let mut seen = 0;
    for path in paths {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for word in words(&text) {
            let is_variable = (word.starts_with("APP_") && word.contains("__"))
                || (word.starts_with("FASTMCP_") && word.len() > "FASTMCP_".len());
            if is_variable {
                seen += 1;
                assert!(
                    is_known(&reference, word),
                    "{}: no key is set by `{word}`",
                    path.display()
                );
            }
        }
    }
    assert!(seen > 60, "{seen}");
}
