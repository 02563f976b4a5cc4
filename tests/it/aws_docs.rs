//! The AWS documentation tools against recorded answers of the reference server: the real binary, its requests answered by a server of
//! our own that plays the documentation's hosts back.
//!
//! `tests/fixtures/aws-docs/README.md` says how the recordings came about and how to compare. Where siskin answers differently on
//! purpose stands in [`DIFFERENT`], and nowhere else. One thing cannot be seen here: whether a host was asked by `http` or `https`, since
//! `aws.hosts` leads to this machine either way.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::support::{Mcp, Server, StdioServer, Value, Way, json};

/// Cases whose answer differs, and why.
const DIFFERENT: [(&str, &str); 1] = [(
    "085-recommend-any-url",
    "what is no address of the documentation is not sent to the service",
)];

/// Folders of calls; the one of the surface is not among them.
const CASES: usize = 93;

const REVISION: &str = "2025-06-18";

/// Every host that is asked for anything.
const HOSTS: [&str; 5] = [
    "docs.aws.amazon.com",
    "awsdocs-neuron.readthedocs-hosted.com",
    "docs.amazonaws.cn",
    "proxy.search.docs.aws.com",
    "api.contentrecs.docs.aws.com",
];

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
    let mut wrong = Vec::new();
    let mut different: Vec<&str> = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let name = case.file_name().unwrap().to_str().unwrap();
        let problems = Case::read(case).run(WAYS[at % WAYS.len()]);
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
    assert!(
        wrong.is_empty(),
        "{} of {CASES}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(different.len(), DIFFERENT.len());
}

/// The cases take turns: handlers must not know transports.
const WAYS: [Way; 3] = [Way::Stdio, Way::Streamable, Way::HttpSse];

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
            bytes: answer
                .get("error")
                .is_none()
                .then(|| [head.into_bytes(), body].concat()),
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

/// Version 4, in lower case.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            19 => b"89ab".contains(&byte),
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// A recorded answer.
struct Reply {
    /// Host and path it belongs to.
    place: String,
    /// The whole response; none to close the connection instead.
    bytes: Option<Vec<u8>>,
}

/// A request that came.
#[derive(Clone, Debug)]
struct Asked {
    method: String,
    /// Host, path and query.
    place: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn session(&self) -> Option<&str> {
        let (_, rest) = self.place.split_once("session=")?;
        // A recorded redirect names another one, which is not ours.
        rest.get(..36)
    }

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

/// The documentation's hosts: a listener for each, and one list of answers to give in order.
struct Upstream {
    /// What `aws.hosts` is told.
    hosts: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    asked: Vec<Asked>,
    problems: Vec<String>,
}

impl Upstream {
    fn start(replies: Vec<Reply>) -> Upstream {
        let state = Arc::new(Mutex::new(State {
            replies: replies.into(),
            ..State::default()
        }));
        let mut hosts = Vec::new();
        for host in HOSTS {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            hosts.push(format!("{host}=http://{}", listener.local_addr().unwrap()));
            let state = state.clone();
            // Waits for connections until the test's process ends.
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    serve(host, stream.unwrap(), &state);
                }
            });
        }
        Upstream {
            hosts: hosts.join(","),
            state,
        }
    }

    fn requests(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    fn problems(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let left = state
            .replies
            .iter()
            .map(|reply| format!("{} was not asked for", reply.place));
        state.problems.iter().cloned().chain(left).collect()
    }
}

fn serve(host: &str, mut stream: TcpStream, state: &Mutex<State>) {
    let Some(asked) = read_request(host, &stream) else {
        return;
    };
    let reply = {
        let mut state = state.lock().unwrap();
        let path = asked.place.split('?').next().unwrap().to_owned();
        state.asked.push(asked);
        match state.replies.pop_front() {
            Some(reply) if reply.place == path => reply.bytes,
            other => {
                let expected = other.map(|reply| reply.place);
                state
                    .problems
                    .push(format!("{path} was asked for, expected {expected:?}"));
                None
            }
        }
    };
    if let Some(bytes) = reply {
        // The client may have gone away; what came of it is seen in its answer.
        let _ = stream.write_all(&bytes);
    }
}

fn read_request(host: &str, stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let place = format!("{host}{target}");
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut asked = Asked {
        method,
        place,
        headers,
        body: Vec::new(),
    };
    let len = asked
        .header("content-length")
        .map_or(0, |len| len.parse().unwrap());
    asked.body = vec![0; len];
    reader.read_exact(&mut asked.body).ok()?;
    Some(asked)
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

// --- what was not recorded ---------------------------------------------------------------------

fn page(place: &str, html: &str) -> Reply {
    reply(place, "200 OK", "content-type: text/html\r\n", html)
}

fn moved(place: &str, to: &str) -> Reply {
    reply(place, "302 Found", &format!("location: {to}\r\n"), "")
}

fn reply(place: &str, status: &str, headers: &str, body: &str) -> Reply {
    let len = body.len();
    let bytes = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {len}\r\nConnection: close\r\n\r\n{body}"
    );
    Reply {
        place: place.to_owned(),
        bytes: Some(bytes.into_bytes()),
    }
}

/// Calls a tool once; its result and what it asked the hosts for, without the session.
#[track_caller]
fn call(
    partition: &str,
    tool: &str,
    arguments: Value,
    replies: Vec<Reply>,
) -> (Value, Vec<String>) {
    let upstream = Upstream::start(replies);
    let env = [
        ("AWS_DOCUMENTATION_PARTITION", partition),
        ("APP_AWS__HOSTS", upstream.hosts.as_str()),
    ];
    let mut mcp = Mcp::stdio(StdioServer::start(&env), REVISION);
    let result = mcp.call(tool, arguments);
    assert_eq!(upstream.problems(), [""; 0]);
    let requests = upstream.requests();
    let asked = requests.iter().map(|asked| match asked.session() {
        Some(session) => asked.place.replace(session, "S"),
        None => asked.place.clone(),
    });
    (result, asked.collect())
}

#[track_caller]
fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

#[test]
fn a_query_in_the_address_stays_one() {
    let replies = vec![page("docs.aws.amazon.com/a.html", "<main>b</main>")];
    let arguments = json!({"url": "https://docs.aws.amazon.com/a.html?x=y.html", "max_length": "50", "unknown": [1]});
    let (result, asked) = call("aws", "read_documentation", arguments, replies);
    assert_eq!(
        text(&result),
        "AWS Documentation from https://docs.aws.amazon.com/a.html:\n\nb"
    );
    assert_eq!(asked, ["docs.aws.amazon.com/a.html?x=y.html&session=S"]);
}

#[test]
fn twenty_redirects_are_followed_and_no_more() {
    for (hops, is_error) in [(20, false), (21, true)] {
        let place = |at| format!("docs.aws.amazon.com/{at}.html");
        let mut replies: Vec<Reply> = (0..hops)
            .map(|at| moved(&place(at), &format!("{}.html", at + 1)))
            .collect();
        if !is_error {
            replies.push(page(&place(hops), "<main>b</main>"));
        }
        let arguments = json!({"url": "https://docs.aws.amazon.com/0.html"});
        let (result, asked) = call("aws", "read_documentation", arguments, replies);
        assert_eq!(
            result["isError"].as_bool().unwrap_or(false),
            is_error,
            "{result}"
        );
        assert_eq!(asked.len(), 21);
        if is_error {
            let expected = "Failed to fetch https://docs.aws.amazon.com/0.html: Exceeded maximum allowed redirects.";
            assert!(text(&result).ends_with(expected), "{result}");
        }
    }
}

#[test]
fn the_note_on_another_page_comes_with_every_answer() {
    let replies = || {
        vec![
            moved("docs.aws.amazon.com/a.html", "/b.html"),
            page(
                "docs.aws.amazon.com/b.html",
                "<h2>T</h2><table><tr><td>x</td></tr></table>",
            ),
        ]
    };
    let url = "https://docs.aws.amazon.com/a.html";
    let note =
        "Requested https://docs.aws.amazon.com/a.html; served https://docs.aws.amazon.com/b.html.";
    let (result, _) = call(
        "aws",
        "search_table",
        json!({"url": url, "query": "x"}),
        replies(),
    );
    assert_eq!(result["structuredContent"]["hint"], note);
    let (result, _) = call(
        "aws",
        "search_table",
        json!({"url": url, "query": "y"}),
        replies(),
    );
    let hint = result["structuredContent"]["hint"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        hint.starts_with(&format!("{note} No rows matched")),
        "{hint}"
    );
    let (result, _) = call(
        "aws",
        "read_sections",
        json!({"url": url, "section_titles": "[\"t\"]"}),
        replies(),
    );
    assert!(
        text(&result).starts_with(&format!("<e>{note}</e>\n\nAWS Documentation from")),
        "{result}"
    );
}

#[test]
fn china_names_only_tools_it_has() {
    let url = "https://docs.amazonaws.cn/a.html";
    let arguments = || json!({"url": url});
    let failed = reply("docs.amazonaws.cn/a.html", "404 Not Found", "", "");
    let (result, _) = call("aws-cn", "read_documentation", arguments(), vec![failed]);
    let expected =
        format!("Error executing tool read_documentation: Failed to fetch {url} - status code 404");
    assert_eq!(text(&result), expected);
    let rows = "<tr><td>x</td></tr>".repeat(30);
    let table = page(
        "docs.amazonaws.cn/a.html",
        &format!("<table>{rows}</table>"),
    );
    let (result, _) = call("aws-cn", "read_documentation", arguments(), vec![table]);
    assert!(!text(&result).contains("search_table"), "{result}");
    assert_eq!(text(&result).matches("| x |").count(), 30);
}

#[test]
fn a_host_within_the_network_is_not_asked() {
    // Only what the operator maps may be here; a redirect cannot lead to it, nor can a name.
    let replies = vec![moved(
        "docs.aws.amazon.com/a.html",
        "http://127.0.0.1/x.html",
    )];
    let arguments = json!({"url": "https://docs.aws.amazon.com/a.html"});
    let (result, asked) = call("aws", "read_documentation", arguments, replies);
    assert!(
        text(&result).ends_with("non-allowlisted URL: http://127.0.0.1/x.html"),
        "{result}"
    );
    assert_eq!(asked.len(), 1);
}

#[test]
fn a_page_beyond_the_limit_is_refused_with_its_key() {
    let replies = vec![page("docs.aws.amazon.com/a.html", &"x".repeat(2_000))];
    let upstream = Upstream::start(replies);
    let env = [
        ("AWS_DOCUMENTATION_PARTITION", "aws"),
        ("APP_AWS__HOSTS", upstream.hosts.as_str()),
        ("APP_LIMITS__UPSTREAM_BYTES", "1KiB"),
    ];
    let mut mcp = Mcp::stdio(StdioServer::start(&env), REVISION);
    let result = mcp.call(
        "read_documentation",
        json!({"url": "https://docs.aws.amazon.com/a.html"}),
    );
    assert_eq!(result["isError"], true);
    assert!(
        text(&result).contains("`limits.upstream_bytes`"),
        "{result}"
    );
}
