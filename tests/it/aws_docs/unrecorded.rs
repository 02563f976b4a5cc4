//! What was not recorded: redirects, limits, time, services that answer badly, what belongs together over several calls.

use std::io::Write;
use std::net::TcpListener;

use super::REVISION;
use super::hosts::{Outcome, Reply, Upstream, is_uuid, moved, odd, page, reply};
use crate::support::{Mcp, StdioServer, Value, json};

/// Calls a tool once; its result and what it asked the hosts for, without the session.
#[track_caller]
fn call(
    partition: &str,
    tool: &str,
    arguments: Value,
    replies: Vec<Reply>,
) -> (Value, Vec<String>) {
    let mut desk = Desk::open(partition, &[], replies);
    let result = desk.mcp.call(tool, arguments);
    (result, desk.asked())
}

/// A session over stdio, and the hosts it asks.
struct Desk {
    mcp: Mcp,
    upstream: Upstream,
}

impl Desk {
    #[track_caller]
    fn open(partition: &str, env: &[(&str, &str)], replies: Vec<Reply>) -> Desk {
        let upstream = Upstream::start(replies);
        let mut all = vec![
            ("AWS_DOCUMENTATION_PARTITION", partition),
            ("APP_AWS__HOSTS", upstream.hosts.as_str()),
        ];
        all.extend(env);
        let mcp = Mcp::stdio(StdioServer::start(&all), REVISION);
        Desk { mcp, upstream }
    }

    /// What the hosts were asked for, without the session; all of their answers must be used up.
    #[track_caller]
    fn asked(&self) -> Vec<String> {
        assert_eq!(self.upstream.problems(), [""; 0]);
        let requests = self.upstream.requests();
        let asked = requests.iter().map(|asked| match asked.session() {
            Some(session) => asked.place.replace(session, "S"),
            None => asked.place.clone(),
        });
        asked.collect()
    }
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
fn every_redirect_is_checked_before_it_is_followed() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    let trapped = format!(
        "http://127.0.0.1:{}/x.html",
        trap.local_addr().unwrap().port()
    );
    for (partition, host, other) in [
        (
            "aws",
            "docs.aws.amazon.com",
            "https://docs.amazonaws.cn/x.html",
        ),
        (
            "aws-cn",
            "docs.amazonaws.cn",
            "https://docs.aws.amazon.com/x.html",
        ),
    ] {
        for target in [
            other,
            trapped.as_str(),
            "https://docs.aws.amazon.com.example/x.html",
            "http://169.254.169.254/latest/meta-data/",
        ] {
            let hops = |to: &str| {
                vec![
                    moved(&format!("{host}/a.html"), "b.html"),
                    moved(&format!("{host}/b.html"), &format!("http://{host}/c.html")),
                    moved(&format!("{host}/c.html"), to),
                ]
            };
            let url = format!("https://{host}/a.html");
            let (result, asked) = call(
                partition,
                "read_documentation",
                json!({"url": url}),
                hops(target),
            );
            let expected = format!(
                "Error executing tool read_documentation: Failed to fetch {url}: Refusing to follow redirect to non-allowlisted \
                 URL: {target}"
            );
            assert_eq!(text(&result), expected);
            assert_eq!(result["isError"], true);
            assert_eq!(asked.len(), 3, "{asked:?}");
        }
    }
    trap.set_nonblocking(true).unwrap();
    let nobody = trap.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(nobody, Err(std::io::ErrorKind::WouldBlock));
}

#[test]
fn a_redirect_may_lead_to_the_other_host_of_the_partition() {
    let neuron = "awsdocs-neuron.readthedocs-hosted.com/b.html";
    let replies = vec![
        moved("docs.aws.amazon.com/a.html", &format!("https://{neuron}")),
        page(neuron, "<main>b</main>"),
    ];
    let url = "https://docs.aws.amazon.com/a.html";
    let mut desk = Desk::open("aws", &[], replies);
    let result = desk.mcp.call("read_documentation", json!({"url": url}));
    let expected = format!(
        "<e>Requested {url}; served https://{neuron}.</e>\n\nAWS Documentation from https://{neuron}:\n\nb"
    );
    assert_eq!(text(&result), expected);
    // The second request has the target's query, which is none, and the same headers.
    assert_eq!(
        desk.asked(),
        ["docs.aws.amazon.com/a.html?session=S", neuron]
    );
    let requests = desk.upstream.requests();
    let header = |name| {
        requests
            .iter()
            .map(|asked| asked.header(name))
            .collect::<Vec<_>>()
    };
    for name in ["x-mcp-session-id", "user-agent"] {
        let [Some(first), Some(second)] = header(name)[..] else {
            panic!("{name}: {requests:?}");
        };
        assert_eq!(first, second);
    }
}

#[test]
fn what_has_no_answer_in_time_is_a_failure_like_any_other() {
    let replies = vec![
        odd("docs.aws.amazon.com/a.html", Outcome::Silence),
        odd("proxy.search.docs.aws.com/search", Outcome::Silence),
        odd(
            "api.contentrecs.docs.aws.com/v1/recommendations",
            Outcome::Silence,
        ),
        page("docs.aws.amazon.com/a.html", "<main>b</main>"),
    ];
    let mut desk = Desk::open("aws", &[("APP_TIMEOUT__HTTP", "1s")], replies);
    let url = json!({"url": "https://docs.aws.amazon.com/a.html"});
    let result = desk.mcp.call("read_documentation", url.clone());
    assert_eq!(result["isError"], true);
    let expected = "Error executing tool read_documentation: Failed to fetch https://docs.aws.amazon.com/a.html: ";
    assert!(text(&result).starts_with(expected), "{result}");
    assert!(text(&result).contains("within 1000 ms"), "{result}");
    // These two tell it as their only result.
    let result = desk
        .mcp
        .call("search_documentation", json!({"search_phrase": "a"}));
    let title = &result["structuredContent"]["search_results"][0]["title"];
    let title = title.as_str().unwrap();
    assert!(title.starts_with("Error searching AWS docs: "), "{title}");
    assert!(title.contains("within 1000 ms"), "{title}");
    let result = desk.mcp.call("recommend", url.clone());
    let title = result["structuredContent"]["result"][0]["title"]
        .as_str()
        .unwrap();
    assert!(
        title.starts_with("Error getting recommendations: "),
        "{title}"
    );
    // The next call is as good as any.
    let result = desk.mcp.call("read_documentation", url);
    assert!(text(&result).ends_with("\n\nb"), "{result}");
    assert_eq!(desk.asked().len(), 4);
}

#[test]
fn bad_answers_of_the_services_are_told_as_the_reference_does() {
    let recommendations = "api.contentrecs.docs.aws.com/v1/recommendations";
    let url = json!({"url": "https://docs.aws.amazon.com/a.html"});
    for (answer, expected) in [
        (
            reply(recommendations, "200 OK", "", "{\"new\""),
            "Error parsing recommendations: ",
        ),
        (
            reply(recommendations, "200 OK", "", ""),
            "Error parsing recommendations: ",
        ),
        (
            reply(recommendations, "503 Unavailable", "", "{}"),
            "Error getting recommendations - status code 503",
        ),
        (
            odd(recommendations, Outcome::Closed),
            "Error getting recommendations: ",
        ),
        // A redirect is read like any answer.
        (
            moved(recommendations, "https://docs.aws.amazon.com/"),
            "Error parsing recommendations: ",
        ),
    ] {
        let (result, asked) = call("aws", "recommend", url.clone(), vec![answer]);
        let told = &result["structuredContent"]["result"];
        assert_eq!(told.as_array().unwrap().len(), 1, "{result}");
        let title = told[0]["title"].as_str().unwrap();
        assert!(title.starts_with(expected), "{title}");
        assert_eq!(
            (&told[0]["url"], &told[0]["context"]),
            (&json!(""), &Value::Null)
        );
        assert_ne!(result["isError"], true);
        assert_eq!(asked.len(), 1);
    }
    // What the reference crashes over, withholding why, is a failure that says why.
    for (tool, arguments, place, body) in [
        ("recommend", url, recommendations, "[]"),
        (
            "recommend",
            json!({"url": "https://docs.aws.amazon.com/a.html"}),
            recommendations,
            r#"{"new":{"items":[{"url":null}]}}"#,
        ),
        (
            "search_documentation",
            json!({"search_phrase": "a"}),
            "proxy.search.docs.aws.com/search",
            "[]",
        ),
        (
            "search_documentation",
            json!({"search_phrase": "a"}),
            "proxy.search.docs.aws.com/search",
            r#"{"suggestions":null}"#,
        ),
        (
            "search_documentation",
            json!({"search_phrase": "a"}),
            "proxy.search.docs.aws.com/search",
            r#"{"queryId":null}"#,
        ),
    ] {
        let (result, _) = call(
            "aws",
            tool,
            arguments,
            vec![reply(place, "200 OK", "", body)],
        );
        assert_eq!(result["isError"], true, "{body}: {result}");
        let begin = format!("Error executing tool {tool}: the ");
        assert!(text(&result).starts_with(&begin), "{body}: {result}");
    }
}

#[test]
fn what_the_list_of_services_needs_may_fail() {
    const FOLDER: &str = "docs.amazonaws.cn/en_us/aws/latest/userguide";
    let (services, contents) = (
        format!("{FOLDER}/services.html"),
        format!("{FOLDER}/toc-contents.json"),
    );
    let list = || page(&services, "<main>b</main>");
    for (replies, is_error, expected) in [
        (
            vec![list(), odd(&contents, Outcome::Closed)],
            false,
            "Failed to fetch AWS-CN services page: ",
        ),
        (
            vec![list(), reply(&contents, "200 OK", "", "{")],
            true,
            "Error executing tool get_available_services: the table of contents is not JSON: ",
        ),
    ] {
        let (result, asked) = call("aws-cn", "get_available_services", json!({}), replies);
        assert_eq!(result["isError"].as_bool().unwrap_or(false), is_error);
        assert!(text(&result).starts_with(expected), "{result}");
        let both = [
            format!("{services}?session=S"),
            format!("{contents}?session=S"),
        ];
        assert_eq!(asked, both);
    }
}

#[test]
fn a_recommendation_is_asked_for_by_an_address_of_the_documentation() {
    // Escaped, so that it stays one parameter and the session comes through.
    let replies = vec![reply(
        "api.contentrecs.docs.aws.com/v1/recommendations",
        "200 OK",
        "",
        "{}",
    )];
    let url = json!({"url": "https://docs.aws.amazon.com/a b.html?c=1&session=evil#é"});
    let (result, asked) = call("aws", "recommend", url, replies);
    assert_eq!(result["structuredContent"], json!({"result": []}));
    let path = "https://docs.aws.amazon.com/a%20b.html%3Fc%3D1%26session%3Devil%23%C3%A9";
    let expected = format!("api.contentrecs.docs.aws.com/v1/recommendations?path={path}&session=");
    assert!(asked[0].starts_with(&expected), "{asked:?}");
    // What is no such address is not sent anywhere.
    for url in [
        "not a url & more=1#frag é",
        "",
        "https://example.com/a.html",
    ] {
        let (result, asked) = call("aws", "recommend", json!({"url": url}), Vec::new());
        let expected = "Error executing tool recommend: URL must be from list of supported domains";
        assert_eq!(
            (text(&result), result["isError"].as_bool()),
            (expected, Some(true))
        );
        assert_eq!(asked, [""; 0]);
    }
}

#[test]
fn searches_lead_on_to_what_they_found() {
    let search = "proxy.search.docs.aws.com/search";
    let found = |id: &str, links: &[&str]| {
        let excerpts = links
            .iter()
            .map(|link| json!({"textExcerptSuggestion": {"link": link}}));
        let answer = json!({"queryId": id, "suggestions": excerpts.collect::<Vec<_>>()});
        reply(search, "200 OK", "", &answer.to_string())
    };
    let (a, b) = (
        "https://docs.aws.amazon.com/a.html",
        "https://docs.aws.amazon.com/b.html",
    );
    let replies = vec![
        found("x/1 &é", &[a, b]),
        found("2", &[b]),
        reply(search, "500 Oops", "", ""),
        page("docs.aws.amazon.com/a.html", "<html>"),
        page("docs.aws.amazon.com/b.html", "<h2>t</h2>"),
        page("docs.aws.amazon.com/b.html", "<table>"),
        page("docs.aws.amazon.com/a.html", "<main>a</main>"),
    ];
    let mut desk = Desk::open("aws", &[], replies);
    for intent in ["  how\n to  rest ", " \t", "a+b&c=é"] {
        let arguments = json!({"search_phrase": "a", "search_intent": intent});
        desk.mcp.call("search_documentation", arguments);
    }
    desk.mcp.call("read_documentation", json!({"url": a}));
    desk.mcp.call(
        "read_sections",
        json!({"url": b, "section_titles": [" t ", "é/,"]}),
    );
    desk.mcp.call(
        "search_table",
        json!({"url": b, "query": "q r", "section_title": " t "}),
    );
    // Another spelling is another address.
    desk.mcp.call(
        "read_documentation",
        json!({"url": "http://docs.aws.amazon.com/a.html"}),
    );
    let expected = [
        "proxy.search.docs.aws.com/search?session=S&search_intent=how+to+rest",
        "proxy.search.docs.aws.com/search?session=S",
        "proxy.search.docs.aws.com/search?session=S&search_intent=a%2Bb%26c%3D%C3%A9",
        "docs.aws.amazon.com/a.html?session=S&query_id=x/1%20%26%C3%A9",
        "docs.aws.amazon.com/b.html?session=S&sections=t,%C3%A9%2F%2C&query_id=2",
        "docs.aws.amazon.com/b.html?session=S&tool=search_table&query=q%20r&section=%20t%20&query_id=2",
        "docs.aws.amazon.com/a.html?session=S",
    ];
    assert_eq!(desk.asked(), expected);
}

#[test]
fn one_process_is_one_session_for_the_hosts() {
    let session_of = |env: &[(&str, &str)]| {
        let page = || page("docs.aws.amazon.com/a.html", "<main>b</main>");
        let mut desk = Desk::open("aws", env, vec![page(), page()]);
        for _ in 0..2 {
            desk.mcp.call(
                "read_documentation",
                json!({"url": "https://docs.aws.amazon.com/a.html"}),
            );
        }
        let requests = desk.upstream.requests();
        let [first, second] = requests.as_slice() else {
            panic!("{requests:?}");
        };
        let session = first.session().unwrap().to_owned();
        assert!(is_uuid(&session), "{session}");
        for asked in [first, second] {
            assert_eq!(asked.session(), Some(session.as_str()));
            assert_eq!(asked.header("x-mcp-session-id"), Some(session.as_str()));
        }
        session
    };
    assert_ne!(session_of(&[]), session_of(&[]));
}

#[test]
fn a_page_beyond_the_limit_is_refused_with_its_key() {
    let place = "docs.aws.amazon.com/a.html";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&[b'x'; 1 << 20]).unwrap();
    let packed = encoder.finish().unwrap();
    let head = |headers: String| {
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{headers}Connection: close\r\n\r\n")
            .into_bytes()
    };
    let body = |len: usize| vec![b'x'; len];
    let answers = [
        // Exactly the limit is taken.
        (
            [head("Content-Length: 4096\r\n".to_owned()), body(4096)].concat(),
            false,
        ),
        (
            [head("Content-Length: 4097\r\n".to_owned()), body(4097)].concat(),
            true,
        ),
        // Without a length, and a megabyte in a few bytes.
        ([head(String::new()), body(4097)].concat(), true),
        (
            [
                head(format!(
                    "Content-Encoding: gzip\r\nContent-Length: {}\r\n",
                    packed.len()
                )),
                packed,
            ]
            .concat(),
            true,
        ),
    ];
    for (bytes, is_refused) in answers {
        let replies = vec![odd(place, Outcome::Bytes(bytes))];
        let mut desk = Desk::open("aws", &[("APP_LIMITS__UPSTREAM_BYTES", "4KiB")], replies);
        let url = json!({"url": "https://docs.aws.amazon.com/a.html"});
        let result = desk.mcp.call("read_documentation", url);
        assert_eq!(result["isError"].as_bool().unwrap_or(false), is_refused);
        assert_eq!(
            text(&result).contains("`limits.upstream_bytes`"),
            is_refused,
            "{result}"
        );
    }
}
