//! Conversations from `tests/transcripts`, replayed over every transport that carries them: what a
//! server says must not depend on how it is spoken to. The format stands in README.md there.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{Incoming, Mcp, Program, STATELESS, Server, StdioServer, Value, Way, json};

const REVISIONS: [&str; 5] = [
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
];

/// Which transports carry a revision. HTTP+SSE belongs to 2024-11-05, but real clients initialise
/// newer legacy revisions there; plain JSON-RPC without `_meta` is served as the newest legacy one.
fn carries(way: Way, revision: &str) -> bool {
    match way {
        Way::Stdio => true,
        Way::HttpSse => revision < STATELESS,
        Way::Streamable => revision >= "2025-03-26",
        Way::Plain => revision >= "2025-11-25",
    }
}

/// One file.
struct Transcript {
    name: String,
    revisions: Vec<String>,
    ways: Vec<Way>,
    has_handshake: bool,
    capabilities: Value,
    lines: Vec<Line>,
}

struct Line {
    number: usize,
    is_client: bool,
    first: String,
    last: String,
    text: String,
}

#[test]
fn every_transcript_passes_over_every_transport() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    let mut failed = Vec::new();
    let mut runs: BTreeMap<(String, String), usize> = BTreeMap::new();
    for path in &paths {
        let transcript = Transcript::read(path);
        let mut runs_of_this = 0;
        let server = Server::everything();
        for revision in &transcript.revisions {
            for way in &transcript.ways {
                if !carries(*way, revision) {
                    continue;
                }
                println!("{} · {revision} · {way:?}", transcript.name);
                // All of them are run before any is told to have failed: which transports differ
                // says more than that one does.
                let run = || transcript.replay(*way, revision, &server);
                if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
                    failed.push(format!("{} · {revision} · {way:?}", transcript.name));
                }
                runs_of_this += 1;
                *runs
                    .entry((revision.clone(), format!("{way:?}")))
                    .or_default() += 1;
            }
        }
        assert!(
            runs_of_this > 0,
            "{}: no transport carries it",
            transcript.name
        );
    }
    assert!(failed.is_empty(), "failed:\n{}", failed.join("\n"));
    assert!(paths.len() >= 12, "only {} transcripts found", paths.len());
    for revision in REVISIONS {
        for way in [Way::HttpSse, Way::Plain, Way::Stdio, Way::Streamable] {
            let count = runs
                .get(&(revision.to_owned(), format!("{way:?}")))
                .copied();
            assert_eq!(
                count.is_some(),
                carries(way, revision),
                "{revision} {way:?}: {count:?}"
            );
        }
    }
    println!(
        "{} transcripts in {} runs",
        paths.len(),
        runs.values().sum::<usize>()
    );
}

impl Transcript {
    #[track_caller]
    fn read(path: &Path) -> Transcript {
        let text = std::fs::read_to_string(path).unwrap();
        let mut transcript = Transcript {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            revisions: REVISIONS.map(str::to_owned).to_vec(),
            ways: vec![Way::Stdio, Way::HttpSse, Way::Streamable, Way::Plain],
            has_handshake: true,
            capabilities: json!({}),
            lines: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let place = format!("{}:{number}", transcript.name);
            match line.chars().next() {
                None | Some('#') => (),
                Some('>' | '<') => transcript.lines.push(Line::read(number, line)),
                Some(' ') => {
                    let last = transcript.lines.last_mut();
                    let last = last.unwrap_or_else(|| panic!("{place}: continues nothing"));
                    last.text.push_str(line);
                }
                Some(_) => transcript.set(line, &place),
            }
        }
        assert!(
            !transcript.lines.is_empty(),
            "{}: says nothing",
            transcript.name
        );
        transcript
    }

    #[track_caller]
    fn set(&mut self, line: &str, place: &str) {
        let (key, value) = line
            .split_once(':')
            .unwrap_or_else(|| panic!("{place}: `{line}`"));
        let value = value.trim();
        match key {
            "about" => (),
            "revisions" => {
                let (first, last) = range(value);
                self.revisions
                    .retain(|it| (first..=last).contains(&it.as_str()));
            }
            "over" => {
                self.ways = value
                    .split(' ')
                    .map(|way| match way {
                        "stdio" => Way::Stdio,
                        "http+sse" => Way::HttpSse,
                        "mcp" => Way::Streamable,
                        "plain" => Way::Plain,
                        other => panic!("{place}: unknown transport `{other}`"),
                    })
                    .collect();
            }
            "handshake" => self.has_handshake = value != "in the transcript",
            "capabilities" => self.capabilities = crate::support::parse(value),
            other => panic!("{place}: unknown key `{other}`"),
        }
    }

    #[track_caller]
    fn replay(&self, way: Way, revision: &str, server: &Server) {
        let mut mcp = match (way, self.has_handshake) {
            (Way::Stdio, true) => {
                let server = StdioServer::start_program(Program::Everything, &[]);
                Mcp::stdio_with(server, revision, self.capabilities.clone())
            }
            (Way::Stdio, false) => {
                let server = StdioServer::start_program(Program::Everything, &[]);
                Mcp::stdio_unopened(server, revision)
            }
            (_, true) => Mcp::open_with(way, server, revision, self.capabilities.clone()),
            (_, false) => Mcp::connect(way, server.addr, revision),
        };
        mcp.capabilities = self.capabilities.clone();
        let mut captures = BTreeMap::from([("revision".to_owned(), json!(revision))]);
        let mut source: Option<Incoming> = None;
        for line in &self.lines {
            if !(line.first.as_str()..=line.last.as_str()).contains(&revision) {
                continue;
            }
            let place = format!("{}:{} · {revision} · {way:?}", self.name, line.number);
            let mut value = serde_json::from_str(&line.text)
                .unwrap_or_else(|error| panic!("{place}: {error}: {}", line.text));
            if line.is_client {
                fill(&mut value, &captures, &place);
                let message = complete(&mcp, value);
                let is_request = message.get("method").is_some() && message.get("id").is_some();
                if is_request && let Some(done) = source.take() {
                    let rest = done.all();
                    assert!(rest.is_empty(), "{place}: not expected before: {rest:?}");
                }
                if let Some(incoming) = mcp.send(&message) {
                    source = Some(incoming);
                }
            } else {
                let got = match &mut source {
                    Some(source) => source.next(),
                    None => mcp.next(),
                };
                assert_eq!(got["jsonrpc"], "2.0", "{place}: {got}");
                let mut rest = got.clone();
                rest.as_object_mut().unwrap().remove("jsonrpc");
                if let Err(why) = fits(&value, &rest, &mut captures, "") {
                    panic!("{place}: {why}\nexpected {value}\ngot      {got}");
                }
            }
        }
        if let Some(source) = source {
            let rest = source.all();
            assert!(
                rest.is_empty(),
                "{}: not expected at the end: {rest:?}",
                self.name
            );
        }
        if matches!(way, Way::Stdio | Way::HttpSse) {
            // The next message of the connection is the answer to this: nothing else was sent.
            let method = if mcp.is_stateless() {
                "server/discover"
            } else {
                "ping"
            };
            let message = mcp.build_with_id(json!("the end"), method, json!({}));
            assert!(mcp.send(&message).is_none());
            let got = mcp.next();
            assert_eq!(
                got["id"], "the end",
                "{}: not expected at the end: {got}",
                self.name
            );
        }
    }
}

impl Line {
    /// `> {…}`, `<2025-06-18 {…}`, `<2024-11-05..2025-11-25 {…}`.
    #[track_caller]
    fn read(number: usize, line: &str) -> Line {
        let (head, text) = line.split_once(' ').unwrap_or((line, ""));
        let (first, last) = range(&head[1..]);
        Line {
            number,
            is_client: head.starts_with('>'),
            first: first.to_owned(),
            last: last.to_owned(),
            text: text.to_owned(),
        }
    }
}

/// `A..B`, `A..`, `..B`, `A` or nothing.
fn range(text: &str) -> (&str, &str) {
    let (first, last) = match text.split_once("..") {
        Some((first, last)) => (first, last),
        None => (text, text),
    };
    let first = if first.is_empty() {
        REVISIONS[0]
    } else {
        first
    };
    let last = if last.is_empty() { REVISIONS[4] } else { last };
    assert!(
        REVISIONS.contains(&first) && REVISIONS.contains(&last),
        "`{text}`"
    );
    (first, last)
}

/// Adds what every message has and the transcript leaves out.
fn complete(mcp: &Mcp, mut message: Value) -> Value {
    if message.get("method").is_some() && message.get("id").is_some() {
        let params = message.get("params").cloned().unwrap_or_else(|| json!({}));
        let method = message["method"].as_str().unwrap();
        return mcp.build_with_id(message["id"].clone(), method, params);
    }
    message["jsonrpc"] = json!("2.0");
    message
}

/// Puts captured values in place of `"=name"`.
#[track_caller]
fn fill(value: &mut Value, captures: &BTreeMap<String, Value>, place: &str) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix('=') {
                let captured = captures.get(name);
                *value = captured
                    .unwrap_or_else(|| panic!("{place}: `{name}` was not captured"))
                    .clone();
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| fill(item, captures, place)),
        Value::Object(members) => {
            members
                .values_mut()
                .for_each(|member| fill(member, captures, place));
        }
        _ => (),
    }
}

/// Whether `got` is what `expected` describes; the error says where it is not.
fn fits(
    expected: &Value,
    got: &Value,
    captures: &mut BTreeMap<String, Value>,
    at: &str,
) -> Result<(), String> {
    match (expected, got) {
        (Value::String(text), _) if text == "*" => Ok(()),
        (Value::String(text), _) if text.starts_with('=') => {
            let known = captures
                .entry(text[1..].to_owned())
                .or_insert_with(|| got.clone());
            match known == got {
                true => Ok(()),
                false => Err(format!("`{at}` is not {known}")),
            }
        }
        (Value::String(text), Value::String(got)) if text.contains('*') => {
            match matches_parts(text, got) {
                true => Ok(()),
                false => Err(format!("`{at}` does not look like `{text}`")),
            }
        }
        (Value::Object(members), Value::Object(got)) => {
            let is_open = members.contains_key("...");
            for (key, member) in members.iter().filter(|(key, _)| *key != "...") {
                let at = format!("{at}.{key}");
                let Some(got) = got.get(key) else {
                    return Err(format!("`{at}` is missing"));
                };
                fits(member, got, captures, &at)?;
            }
            match got
                .keys()
                .find(|key| !is_open && !members.contains_key(*key))
            {
                Some(key) => Err(format!("`{at}.{key}` is not expected")),
                None => Ok(()),
            }
        }
        (Value::Array(items), Value::Array(got)) => {
            let is_open = items.last().is_some_and(|item| item == "...");
            let items = &items[..items.len() - usize::from(is_open)];
            if got.len() < items.len() || (got.len() > items.len() && !is_open) {
                return Err(format!("`{at}` has {} elements", got.len()));
            }
            for (index, (item, got)) in items.iter().zip(got).enumerate() {
                fits(item, got, captures, &format!("{at}[{index}]"))?;
            }
            Ok(())
        }
        (expected, got) if expected == got => Ok(()),
        _ => Err(format!("`{at}` is not {expected}")),
    }
}

/// A text with `*` for any text.
fn matches_parts(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn expectations_fit_what_they_say_and_nothing_else() {
    #[track_caller]
    fn check(expected: Value, got: Value, does: bool) {
        let mut captures = BTreeMap::new();
        let fits = fits(&expected, &got, &mut captures, "");
        assert_eq!(fits.is_ok(), does, "{expected} {got} {fits:?}");
    }
    check(json!({"a": 1}), json!({"a": 1}), true);
    check(json!({"a": 1}), json!({"a": 2}), false);
    check(json!({"a": 1}), json!({"a": 1, "b": 2}), false);
    check(json!({"a": 1, "...": 0}), json!({"a": 1, "b": 2}), true);
    check(json!({"a": 1, "...": 0}), json!({"b": 2}), false);
    check(json!([1, "..."]), json!([1, 2]), true);
    check(json!([1, "..."]), json!([2]), false);
    check(json!([1]), json!([1, 2]), false);
    check(json!("*"), json!({"a": 1}), true);
    check(json!("a*c"), json!("abc"), true);
    check(json!("a*c"), json!("abd"), false);
    check(json!(["=x", "=x"]), json!([1, 1]), true);
    check(json!(["=x", "=x"]), json!([1, 2]), false);
}
