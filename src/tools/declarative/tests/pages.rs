//! Lists that come in pages.

use serde_json::json;

use super::{Answer, Bench, answer, pack};

fn numbers(from: usize, to: usize) -> String {
    let items: Vec<String> = (from..to).map(|number| number.to_string()).collect();
    format!("[{}]", items.join(","))
}

fn bench(pages: &str, response: &str) -> Bench {
    Bench::new(&pack(&format!(
        "args = {{ limit = {{ type = 'integer', default = 100 }} }}\nrequest = {{ path = '/l', query = {{ q = 'x' }} }}\npages = {{ {pages} }}\nresponse = {{ {response} }}"
    )))
}

/// The queries that were sent, and the items and note that came of them.
fn read(bench: &Bench, answers: Vec<Answer>, limit: usize) -> (Vec<String>, usize, String) {
    bench.answers(answers);
    let text = bench.text("svc_do", json!({"limit": limit}));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let queries = bench.lines();
    let queries = queries
        .iter()
        .map(|line| line.rsplit_once("?q=x").unwrap().1.to_owned());
    let note = value["note"].as_str().unwrap_or_default().to_owned();
    (
        queries.collect(),
        value["items"].as_array().unwrap().len(),
        note,
    )
}

#[test]
fn f18_numbered_pages_end_with_a_short_one() {
    let by_page = bench(
        "mode = 'page', param = 'page', size_param = 'per_page', size = 2, max_items = '{limit}'",
        "",
    );
    let (queries, items, note) = read(
        &by_page,
        vec![answer(200, "[1,2]"), answer(200, "[3]")],
        100,
    );
    assert_eq!(queries, ["&page=1&per_page=2", "&page=2&per_page=2"]);
    assert_eq!((items, note.as_str()), (3, ""));
    // A full page is followed by another look, unless a header says that it was the last.
    let last = |page: &str| answer(200, page).header("x-pages", "1");
    let with_header = bench(
        "mode = 'page', param = 'page', size_param = 'n', size = 2, last_header = 'X-Pages', max_items = '{limit}'",
        "",
    );
    assert_eq!(with_header.answers([]).script.sent.borrow().len(), 0);
    let (queries, items, _) = read(
        &with_header,
        vec![Answer {
            headers: vec![("X-Pages", "1".to_owned())],
            ..last("[1,2]")
        }],
        100,
    );
    assert_eq!((queries.len(), items), (1, 2));
    let (queries, items, note) = read(
        &by_page,
        vec![answer(200, "[1,2]"), answer(200, "[3,4]")],
        3,
    );
    assert_eq!((queries.len(), items), (2, 3));
    assert!(note.contains("only the first 3 items were read"), "{note}");
}

#[test]
fn f18_a_server_with_smaller_pages_is_read_to_the_end_if_it_counts() {
    let bench = bench(
        "mode = 'page', param = 'page', size_param = 'n', size = 50, total_header = 'X-Total', max_items = '{limit}'",
        "",
    );
    let page = |items: &str| Answer {
        headers: vec![("X-Total", "5".to_owned())],
        ..answer(200, items)
    };
    let (queries, items, note) = read(&bench, vec![page("[1,2]"), page("[3,4]"), page("[5]")], 100);
    assert_eq!((queries.len(), items, note.as_str()), (3, 5, ""));
}

#[test]
fn f18_offsets_and_cursors() {
    let by_offset = bench(
        "mode = 'offset', param = 'skip', size_param = 'take', size = 3, items = '/data', max_items = '{limit}'",
        "",
    );
    let answers = vec![
        answer(200, r#"{"data":[1,2,3]}"#),
        answer(200, r#"{"data":[]}"#),
    ];
    let (queries, items, _) = read(&by_offset, answers, 100);
    assert_eq!(queries, ["&skip=0&take=3", "&skip=3&take=3"]);
    assert_eq!(items, 3);
    let by_cursor = bench(
        "mode = 'cursor', param = 'after', next = '/next', max_items = '{limit}'",
        "at = '/data'",
    );
    let answers = vec![
        answer(200, r#"{"data":[1],"next":"a&b"}"#),
        answer(200, r#"{"data":[2],"next":7}"#),
        answer(200, r#"{"data":[3],"next":null}"#),
    ];
    let (queries, items, _) = read(&by_cursor, answers, 100);
    assert_eq!(queries, ["", "&after=a%26b", "&after=7"]);
    assert_eq!(items, 3);
}

#[test]
fn f18_links_are_followed_within_the_origin_and_nowhere_else() {
    let bench = bench(
        "mode = 'next_url', next = '/next', max_items = '{limit}'",
        "at = '/r'",
    );
    bench.answers([
        answer(200, r#"{"r":[1],"next":"http://svc.lan:81/base/l?page=2"}"#),
        answer(200, r#"{"r":[2],"next":"?page=3"}"#),
        answer(200, r#"{"r":[3],"next":""}"#),
    ]);
    let text = bench.text("svc_do", json!({}));
    assert!(text.contains(r#""items":[1,2,3]"#), "{text}");
    let sent = bench.sent();
    let lines: Vec<&str> = sent.iter().map(|sent| sent.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "GET http://svc.lan:81/base/l?q=x",
            "GET http://svc.lan:81/base/l?page=2",
            "GET http://svc.lan:81/base/l?page=3"
        ]
    );
    assert!(
        sent.iter()
            .all(|sent| sent.header("Authorization") == Some("Bearer s3cr3t"))
    );
    for link in [
        "http://evil.lan/l",
        "https://svc.lan:81/l",
        "http://svc.lan/l",
        "//evil.lan/l",
    ] {
        bench.answers([answer(200, &format!(r#"{{"r":[1],"next":"{link}"}}"#))]);
        let text = bench.failure("svc_do", json!({}));
        assert!(text.contains("secrets do not leave"), "{link}: {text}");
        assert_eq!(bench.lines().len(), 1, "{link}");
    }
}

#[test]
fn f18_pages_are_counted_and_a_failure_in_between_fails_the_call() {
    let bench = bench(
        "mode = 'page', param = 'p', max_pages = 3, max_items = 1000",
        "limit = '{limit}'",
    );
    let full: Vec<Answer> = (0..3).map(|_| answer(200, &numbers(0, 10))).collect();
    let (queries, items, note) = read(&bench, full, 100);
    assert_eq!((queries.len(), items), (3, 30));
    assert!(note.contains("only the first 3 pages were read"), "{note}");
    bench.answers([answer(200, "[1]"), answer(500, "oops")]);
    assert_eq!(
        bench.failure("svc_do", json!({})),
        "svc_do: Svc answered 500: oops"
    );
}
