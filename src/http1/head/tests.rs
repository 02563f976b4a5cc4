//! Request heads against the samples in `tests/wire/heads.txt`, and what a sample cannot say.

use super::*;
use crate::http1::samples::{self, Sample};

const LIMITS: HeadLimits = HeadLimits {
    head_bytes_max: 512,
    headers_max: 8,
};

/// The outcome of one head, in the words of the sample file.
fn outcome(parsed: Result<Option<usize>, HeadError>, head: &Head, len: usize) -> String {
    let consumed = match parsed {
        Ok(Some(consumed)) => consumed,
        Ok(None) => return "more".into(),
        Err(error) => return format!("{} {error}", error.status()),
    };
    let (host, framing) = match (head.host(), head.framing()) {
        (Err(error), _) => return format!("{} {error}", error.status()),
        (_, Err(error)) => return format!("{} {error}", error.status()),
        (Ok(host), Ok(framing)) => (host, framing),
    };
    let query = head
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let host = match host {
        None => "-".into(),
        Some(Host { name, port: None }) => name.to_owned(),
        Some(Host {
            name,
            port: Some(port),
        }) => format!("{name}:{port}"),
    };
    let body = match framing {
        Framing::None => "none".into(),
        Framing::Length(len) => format!("length {len}"),
        Framing::Chunked => "chunked".to_owned(),
    };
    let persistence = if head.keep_alive() {
        "keep-alive"
    } else {
        "close"
    };
    let rest = if consumed < len {
        format!(" +{}", len - consumed)
    } else {
        String::new()
    };
    format!(
        "{} {}{query} {host} {body} {persistence}{rest}",
        head.method_text(),
        head.path()
    )
}

/// Feeds `bytes` in pieces that end at `cuts` and then whole, as a connection's buffer grows.
fn parse_in_pieces(head: &mut Head, bytes: &[u8], cuts: impl Iterator<Item = usize>) -> String {
    for cut in cuts {
        match head.try_parse(&bytes[..cut], &LIMITS) {
            Ok(None) => (),
            // Anything else is final: more bytes behind it change nothing.
            parsed => return outcome(parsed, head, bytes.len()),
        }
    }
    let parsed = head.try_parse(bytes, &LIMITS);
    outcome(parsed, head, bytes.len())
}

fn head_of(text: &str) -> Head {
    let mut head = Head::new();
    assert_eq!(
        head.try_parse(text.as_bytes(), &LIMITS),
        Ok(Some(text.len())),
        "{text:?}"
    );
    head
}

#[test]
fn samples_whole_and_split_at_every_byte() {
    for Sample {
        name,
        outcome,
        bytes,
    } in samples::read(include_str!("../../../tests/wire/heads.txt"))
    {
        assert_eq!(
            parse_in_pieces(&mut Head::new(), &bytes, 0..0),
            outcome,
            "{name}"
        );
        assert_eq!(
            parse_in_pieces(&mut Head::new(), &bytes, 0..bytes.len()),
            outcome,
            "{name}, byte by byte"
        );
        for cut in 0..bytes.len() {
            assert_eq!(
                parse_in_pieces(&mut Head::new(), &bytes, cut..cut + 1),
                outcome,
                "{name}, cut at {cut}"
            );
        }
        fuzz_head(&bytes);
    }
}

#[test]
fn one_value_serves_all_requests_of_a_connection() {
    let mut head = Head::new();
    for Sample {
        name,
        outcome,
        bytes,
    } in samples::read(include_str!("../../../tests/wire/heads.txt"))
    {
        assert_eq!(parse_in_pieces(&mut head, &bytes, 0..0), outcome, "{name}");
        // A head that completed leaves nothing behind; a refused or unfinished one ends its
        // connection.
        if outcome.starts_with(['4', '5', 'm']) {
            head.reset();
        }
    }
}

#[test]
fn pipelined_requests_come_out_in_order() {
    let stream =
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\nGET /3";
    let mut head = Head::new();
    let first = head.try_parse(stream, &LIMITS).unwrap().unwrap();
    assert_eq!((head.path(), head.header("x")), ("/1", None));
    let second = head.try_parse(&stream[first..], &LIMITS).unwrap().unwrap();
    assert_eq!((head.path(), head.header("x")), ("/2", Some("y")));
    assert_eq!(head.try_parse(&stream[first + second..], &LIMITS), Ok(None));
}

#[test]
fn names_compare_without_case_and_the_first_value_counts() {
    let head = head_of("GET / HTTP/1.1\r\nX-A: 1\r\nx-a:\t2 \r\nX-B:\r\n\r\n");
    assert_eq!(head.header("x-A"), Some("1"));
    assert_eq!(head.headers("X-a").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(head.header("x-b"), Some(""));
    assert_eq!(head.header("x"), None);
    assert_eq!(head.headers("x-").count(), 0);
    assert_eq!(
        head.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["X-A", "x-a", "X-B"]
    );
}

#[test]
fn a_value_that_is_not_text_is_present_and_matches_nothing() {
    let mut head = Head::new();
    let text = b"GET / HTTP/1.1\r\nOrigin: \xff\r\nX-Name: \xc3\xa4\r\n\r\n";
    assert_eq!(head.try_parse(text, &LIMITS), Ok(Some(text.len())));
    assert_eq!(head.header("origin"), Some(UNREADABLE));
    assert_eq!(head.header_bytes("origin"), Some(&b"\xff"[..]));
    assert_eq!(head.header("x-name"), Some("ä"));
}

#[test]
fn expectations() {
    let expect = |lines: &str| head_of(&format!("POST / HTTP/1.1\r\n{lines}\r\n")).expect();
    assert_eq!(expect(""), Expectation::None);
    assert_eq!(expect("Expect: 100-Continue\r\n"), Expectation::Continue);
    assert_eq!(expect("Expect: 100-continue, x\r\n"), Expectation::Unknown);
    assert_eq!(
        expect("Expect: 100-continue\r\nExpect: 100-continue\r\n"),
        Expectation::Unknown
    );
    assert_eq!(expect("Expect:\r\n"), Expectation::Unknown);
    assert_eq!(
        head_of("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expect(),
        Expectation::None
    );
    assert_eq!(
        head_of("POST / HTTP/1.0\r\nExpect: x\r\n\r\n").expect(),
        Expectation::Unknown
    );
}

#[test]
fn the_configured_header_limit_cannot_pass_the_cap() {
    let limits = HeadLimits {
        head_bytes_max: 1 << 20,
        headers_max: usize::MAX,
    };
    let too_many = HeadError::TooManyHeaders { limit: HEADERS_CAP };
    for (lines, expected) in [
        (32, Ok(32)),
        (33, Ok(33)),
        (HEADERS_CAP, Ok(HEADERS_CAP)),
        (HEADERS_CAP + 1, Err(too_many)),
    ] {
        let text = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(lines));
        let mut head = Head::new();
        let found = head.try_parse(text.as_bytes(), &limits);
        assert_eq!(found.map(|_| head.headers("A").count()), expected);
    }
}

#[test]
fn release_frees_and_reset_keeps() {
    let mut head = head_of("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    head.reset();
    assert_eq!(
        (head.path(), head.header("host"), head.method_text()),
        ("/", None, "")
    );
    assert!(head.fields.capacity() > 0);
    head.release();
    assert_eq!(head.fields.capacity(), 0);
}

#[test]
fn lines_of_a_list_are_joined_and_those_of_one_value_told() {
    let head =
        head_of("GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\norigin: c\r\nACCEPT: d, e\r\n\r\n");
    assert_eq!(head.list("accept").as_deref(), Some("b, d, e"));
    assert_eq!(head.list("origin").as_deref(), Some("c"));
    assert_eq!(head.list("x"), None);
    assert_eq!(head.repeated(&["x", "origin", "host"]), None);
    assert_eq!(head.repeated(&["origin", "accept"]), Some("accept"));
}

#[test]
fn the_authority_is_that_of_the_target_if_it_has_one() {
    let head = head_of("GET http://b:1/x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(head.authority(), Some("b:1"));
    assert_eq!(
        head_of("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").authority(),
        Some("a")
    );
    assert_eq!(head_of("GET /x HTTP/1.0\r\n\r\n").authority(), None);
}
