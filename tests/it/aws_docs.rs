//! The AWS documentation tools against recorded answers of the reference server: the real binary, its requests answered by a server of
//! our own that plays the documentation's hosts back.
//!
//! `tests/fixtures/aws-docs/README.md` says how the recordings came about and how to compare. Where siskin answers differently on
//! purpose stands in [`DIFFERENT`] and [`ALSO_DIFFERENT`], and nowhere else. One thing cannot be seen here: whether a host was asked by
//! `http` or `https`, since `aws.hosts` leads to this machine either way.

mod hosts;
mod pages;
mod unrecorded;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::support::{Mcp, Server, StdioServer, Value, Way, json};
use hosts::{Asked, Outcome, Reply, Upstream, is_uuid};

/// Cases whose answer differs, and why.
const DIFFERENT: [(&str, &str); 1] = [(
    "085-recommend-any-url",
    "The reference puts whatever it is given into the service's address unescaped: `&more=1` became a parameter of its own and `#` took \
     the session off. Here what is no address of the documentation is not sent, and what is one is escaped.",
)];

/// What no case shows and differs all the same, each by the test of [`unrecorded`] or [`pages`] that shows it, and why.
const ALSO_DIFFERENT: [(&str, &str); 7] = [
    (
        "a_query_in_the_address_stays_one",
        "The reference joins texts, so that an address with a `?` or `#` loses the session and what else is sent along.",
    ),
    (
        "china_names_only_tools_it_has",
        "The reference advises to search by a tool that this partition does not have, and shortens tables for another.",
    ),
    (
        "bad_answers_of_the_services_are_told_as_the_reference_does",
        "Where the reference crashes over an answer of another shape, and withholds why, the failure says why.",
    ),
    (
        "what_the_list_of_services_needs_may_fail",
        "The same, for a table of contents that is not JSON.",
    ),
    (
        "a_page_beyond_the_limit_is_refused_with_its_key",
        "The reference reads on for as long as the host sends.",
    ),
    (
        "no_depth_and_no_disorder_is_too_much",
        "The reference fails at about 325 elements within elements; here the work that a page may cost is bounded instead.",
    ),
    (
        "what_has_no_answer_in_time_is_a_failure_like_any_other",
        "The reference says nothing behind the colon when time ran out, and gives 30 s to each phase instead of to all of them.",
    ),
];

#[test]
fn what_is_said_to_differ_has_its_test() {
    let tests = [
        include_str!("aws_docs/unrecorded.rs"),
        include_str!("aws_docs/pages.rs"),
    ]
    .concat();
    for (test, why) in ALSO_DIFFERENT {
        let is_there = tests.contains(&format!("#[test]\nfn {test}() {{"));
        assert!(is_there && why.ends_with('.'), "{test}");
    }
}

/// Folders of calls; the one of the surface is not among them.
const CASES: usize = 93;

const REVISION: &str = "2025-06-18";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/aws-docs")
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn answers_are_those_of_the_reference() {
    let mut cases: Vec<PathBuf> = fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.retain(|case| case.join("request.json").is_file());
    cases.sort();
    assert_eq!(cases.len(), CASES);
    // Handlers must not know transports: each case is run over all of them.
    std::thread::scope(|scope| {
        let ways = [Way::Stdio, Way::Streamable, Way::HttpSse];
        let cases = &cases;
        let runs = ways.map(|way| scope.spawn(move || wrong_over(way, cases)));
        for (way, run) in ways.iter().zip(runs) {
            let wrong = run.join().unwrap();
            let (count, list) = (wrong.len(), wrong.join("\n"));
            assert!(wrong.is_empty(), "{count} of {CASES} over {way:?}:\n{list}");
        }
    });
}

/// Runs all cases over one transport; those that are not as they should be.
fn wrong_over(way: Way, cases: &[PathBuf]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut different: Vec<&str> = Vec::new();
    for case in cases {
        let name = case.file_name().unwrap().to_str().unwrap();
        let problems = Case::read(case).run(way);
        let listed = DIFFERENT.iter().find(|(listed, _)| *listed == name);
        match (listed, problems.is_empty()) {
            (Some((listed, _)), false) => different.push(listed),
            (Some((listed, _)), true) => {
                wrong.push(format!("{listed} needs no row in `DIFFERENT` any more"))
            }
            (None, false) => wrong.push(format!("{name}: {}", problems.join("\n  "))),
            (None, true) => (),
        }
    }
    if different.len() != DIFFERENT.len() {
        wrong.push(format!("of `DIFFERENT` only {different:?} were run"));
    }
    wrong
}

impl Asked {
    /// In what it differs from what was recorded.
    fn compare(&self, expected: &Value, session: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |what: &str, got: Option<String>, expected: Option<&str>| {
            if got.as_deref() != expected {
                problems.push(format!("{what} {got:?}, expected {expected:?}"));
            }
        };
        let named = |text: &str| text.replace(session, "{SESSION}");
        check(
            "method",
            Some(self.method.clone()),
            expected["method"].as_str(),
        );
        let (_, place) = expected["url"].as_str().unwrap().split_once("://").unwrap();
        check("url", Some(named(&self.place)), Some(place));
        let headers = &expected["headers"];
        for name in ["x-mcp-session-id", "content-type"] {
            check(name, self.header(name).map(named), headers[name].as_str());
        }
        // The version is ours.
        let agent = headers["user-agent"].as_str().unwrap();
        let (base, _) = agent.split_once(" ModelContextProtocol/").unwrap();
        let agent = format!(
            "{base} ModelContextProtocol/{} (AWS Documentation Server)",
            env!("CARGO_PKG_VERSION")
        );
        check(
            "user-agent",
            self.header("user-agent").map(str::to_owned),
            Some(&agent),
        );
        let body = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        if body != expected["json"] {
            problems.push(format!("body {body}, expected {}", expected["json"]));
        }
        problems
    }
}

/// One recorded call.
struct Case {
    folder: PathBuf,
    request: Value,
    expected: Value,
}

impl Case {
    fn read(folder: &Path) -> Case {
        Case {
            folder: folder.to_owned(),
            request: read_json(&folder.join("request.json")),
            expected: read_json(&folder.join("expected.json")),
        }
    }

    /// Makes the call and says in what its outcome differs.
    fn run(&self, way: Way) -> Vec<String> {
        let upstream = Upstream::start(self.answers());
        let mut env = vec![
            (
                "AWS_DOCUMENTATION_PARTITION",
                self.request["partition"].as_str().unwrap(),
            ),
            ("APP_AWS__HOSTS", upstream.hosts.as_str()),
        ];
        let more = self.request["env"].as_object();
        env.extend(
            more.into_iter()
                .flatten()
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap())),
        );
        let _server;
        let mut mcp = match way {
            Way::Stdio => Mcp::stdio(StdioServer::start(&env), REVISION),
            _ => {
                _server = Server::start(&env);
                Mcp::open(way, &_server, REVISION)
            }
        };
        for call in self.request["before"].as_array().into_iter().flatten() {
            mcp.call(call["tool"].as_str().unwrap(), call["arguments"].clone());
        }
        mcp.heard.clear();
        let result = mcp.call(
            self.request["tool"].as_str().unwrap(),
            self.request["arguments"].clone(),
        );
        let mut problems = self.compare_result(&result);
        let heard = json!(mcp.heard.iter().map(logged).collect::<Vec<_>>());
        let expected = &self.expected["log_notifications"];
        if heard != *expected && self.text_contains().is_empty()
            || heard.as_array().map(Vec::len) != expected.as_array().map(Vec::len)
        {
            problems.push(format!("logged {heard}, expected {expected}"));
        }
        problems.extend(self.compare_requests(&upstream.requests()));
        problems.extend(upstream.problems());
        problems
    }

    /// Texts that must be in an answer whose rest comes from a library.
    fn text_contains(&self) -> Vec<&str> {
        let texts = self.request["compare"]["text_contains"].as_array();
        texts
            .into_iter()
            .flatten()
            .map(|text| text.as_str().unwrap())
            .collect()
    }

    fn compare_result(&self, result: &Value) -> Vec<String> {
        let expected = &self.expected["result"];
        let mut problems = Vec::new();
        let is_error = result.get("isError").cloned().unwrap_or(json!(false));
        if is_error != expected["isError"] {
            problems.push(format!("isError is {is_error}: {result}"));
        }
        let contains = self.text_contains();
        if !contains.is_empty() {
            let text = result["content"][0]["text"].as_str().unwrap_or_default();
            let missing = contains.iter().filter(|part| !text.contains(**part));
            problems.extend(missing.map(|part| format!("`{part}` is not in `{text}`")));
            return problems;
        }
        for member in ["content", "structuredContent"] {
            if result.get(member) != expected.get(member) {
                let (got, wanted) = (&result[member], &expected[member]);
                problems.push(format!("{member}\n  got      {got}\n  expected {wanted}"));
            }
        }
        // The bare text stands in a file of its own: the bytes, not what JSON makes of them.
        if let Ok(markdown) = fs::read(self.folder.join("expected.md")) {
            let text = result["content"][0]["text"].as_str().unwrap_or_default();
            if text.as_bytes() != markdown {
                problems.push("the text differs from expected.md".to_owned());
            }
        }
        problems
    }

    fn compare_requests(&self, requests: &[Asked]) -> Vec<String> {
        let expected = self.expected["upstream_requests"].as_array().unwrap();
        let mut problems = Vec::new();
        if requests.len() != expected.len() {
            problems.push(format!(
                "{} requests, expected {}: {requests:?}",
                requests.len(),
                expected.len()
            ));
        }
        let sessions: Vec<&str> = requests.iter().filter_map(Asked::session).collect();
        if let Some(session) = sessions.first() {
            let is_one = sessions.iter().all(|other| other == session);
            if !is_one || !is_uuid(session) {
                problems.push(format!("sessions {sessions:?}"));
            }
        }
        let session = sessions.first().copied().unwrap_or("none");
        for (request, expected) in requests.iter().zip(expected) {
            problems.extend(request.compare(expected, session));
        }
        problems
    }

    fn answers(&self) -> Vec<Reply> {
        let answers = self.request["upstream"].as_array().unwrap();
        answers.iter().map(|answer| self.reply(answer)).collect()
    }

    fn reply(&self, answer: &Value) -> Reply {
        let (_, place) = answer["url"].as_str().unwrap().split_once("://").unwrap();
        let mut body = match (answer["body_file"].as_str(), answer["body"].as_str()) {
            (Some(file), _) => fs::read(self.folder.join(file)).unwrap(),
            (None, Some(text)) => text.as_bytes().to_vec(),
            (None, None) => match answer.get("body_json") {
                Some(json) => json.to_string().into_bytes(),
                None => Vec::new(),
            },
        };
        let mut headers = String::new();
        for (name, value) in answer["headers"].as_object().into_iter().flatten() {
            headers.push_str(&format!("{name}: {}\r\n", value.as_str().unwrap()));
        }
        if answer["gzip"] == true {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&body).unwrap();
            body = encoder.finish().unwrap();
            if !headers.contains("content-encoding") {
                headers.push_str("content-encoding: gzip\r\n");
            }
        }
        let status = answer["status"].as_u64().unwrap_or(200);
        let head = format!(
            "HTTP/1.1 {status} Recorded\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        Reply {
            place: place.to_owned(),
            // No answer: whatever the network did, it came to that.
            outcome: match answer.get("error") {
                None => Outcome::Bytes([head.into_bytes(), body].concat()),
                Some(_) => Outcome::Closed,
            },
        }
    }
}

fn logged(notification: &Value) -> Value {
    let params = &notification["params"];
    assert_eq!(
        notification["method"], "notifications/message",
        "{notification}"
    );
    json!({"level": params["level"], "data": params["data"]})
}

#[test]
fn tools_are_those_of_the_reference() {
    for (partition, count) in [("aws", 5), ("aws-cn", 2)] {
        let expected = read_json(&fixtures().join(format!("000-surface/tools-{partition}.json")));
        let env = [
            ("AWS_DOCUMENTATION_PARTITION", partition),
            ("APP_TOOLS__ALLOW", "*_*,recommend"),
        ];
        let mut mcp = Mcp::stdio(StdioServer::start(&env), REVISION);
        let listed = mcp.result("tools/list", json!({}));
        let ours = |tool: &&Value| {
            !["device_", "net_", "wake_"]
                .iter()
                .any(|own| tool["name"].as_str().unwrap().starts_with(own))
        };
        let mut tools: Vec<Value> = listed["tools"]
            .as_array()
            .unwrap()
            .iter()
            .filter(ours)
            .cloned()
            .collect();
        assert_eq!(tools.len(), count);
        for tool in &mut tools {
            let described = tool["description"]
                .as_str()
                .is_some_and(|text| text.len() > 40);
            assert!(described, "{tool}");
            assert_eq!(tool["annotations"]["readOnlyHint"], true);
            // Ours, beyond what was recorded.
            for member in ["annotations", "title", "description"] {
                tool.as_object_mut().unwrap().remove(member);
            }
            remove_descriptions(&mut tool["inputSchema"]);
        }
        assert_eq!(json!(tools), expected, "{partition}");
        let instructions = mcp.introduction["instructions"].as_str().unwrap();
        assert!(
            instructions.contains("read_documentation"),
            "{instructions}"
        );
    }
}

/// Arguments are described in our own words; the recording has none.
fn remove_descriptions(schema: &mut Value) {
    for property in schema["properties"].as_object_mut().unwrap().values_mut() {
        property.as_object_mut().unwrap().remove("description");
    }
}

#[test]
fn without_a_partition_there_are_no_such_tools() {
    let mut mcp = Mcp::stdio(StdioServer::start(&[]), REVISION);
    let listed = mcp.result("tools/list", json!({}));
    assert!(!listed.to_string().contains("read_documentation"));
    let answer = mcp.error(
        "tools/call",
        json!({"name": "read_documentation", "arguments": {}}),
    );
    assert_eq!(answer["code"], -32602);
}
