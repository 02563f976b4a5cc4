//! Request heads against the samples in `tests/wire/heads.txt`, and what a sample cannot say.

use super::*;
use crate::dice::Dice;
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
        // A refused or unfinished head ends its connection.
        if outcome.starts_with(['4', '5', 'm']) {
            head = Head::new();
        }
    }
}

#[test]
fn pipelined_requests_come_out_in_order() {
    let stream =
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\nGET /3";
    let mut head = Head::new();
    let first = head.try_parse(stream, &LIMITS).unwrap().unwrap();
    assert_eq!((head.path(), head.headers("x").next()), ("/1", None));
    let second = head.try_parse(&stream[first..], &LIMITS).unwrap().unwrap();
    assert_eq!((head.path(), head.headers("x").next()), ("/2", Some("y")));
    assert_eq!(head.try_parse(&stream[first + second..], &LIMITS), Ok(None));
}

#[test]
fn names_compare_without_case_and_the_first_value_counts() {
    let head =
        head_of("GET / HTTP/1.1\r\nX-A: 1\r\nx-a:\t2 \r\nX-B:\r\nORIGIN: 3\r\norigin: 4\r\n\r\n");
    assert_eq!(head.headers("X-a").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(head.headers("x-b").collect::<Vec<_>>(), [""]);
    assert_eq!(head.headers("x").count(), 0);
    assert_eq!(head.headers("x-").count(), 0);
    assert_eq!(head.headers("Origin").collect::<Vec<_>>(), ["3", "4"]);
    assert_eq!(head.header(Name::Origin), Some("3"));
    assert_eq!(head.header(Name::Host), None);
    assert_eq!(
        head.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["X-A", "x-a", "X-B", "ORIGIN", "origin"]
    );
}

#[test]
fn a_value_that_is_not_text_is_present_and_matches_nothing() {
    let mut head = Head::new();
    let text = b"GET / HTTP/1.1\r\nOrigin: \xff\r\nX-Name: \xc3\xa4\r\n\r\n";
    assert_eq!(head.try_parse(text, &LIMITS), Ok(Some(text.len())));
    assert_eq!(head.header(Name::Origin), Some(UNREADABLE));
    assert_eq!(head.header_bytes(Name::Origin), Some(&b"\xff"[..]));
    assert_eq!(head.headers("origin").collect::<Vec<_>>(), [UNREADABLE]);
    assert_eq!(head.all_bytes("origin").collect::<Vec<_>>(), [b"\xff"]);
    assert_eq!(head.headers("x-name").collect::<Vec<_>>(), ["ä"]);
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
fn release_frees() {
    let mut head = head_of("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(head.fields.capacity() > 0);
    head.release();
    assert_eq!(head.fields.capacity(), 0);
    assert_eq!(
        (head.path(), head.header(Name::Host), head.method_text()),
        ("/", None, "")
    );
}

/// What a head says, all of it.
fn all_of(head: &Head) -> impl PartialEq + std::fmt::Debug {
    let fields = head.iter();
    let fields: Vec<_> = fields
        .map(|(name, value)| (name.to_owned(), value.to_vec()))
        .collect();
    let known = [Name::Host, Name::ContentLength, Name::Origin];
    let known = known.map(|name| {
        let value = head.header(name).map(str::to_owned);
        (value, head.fields.is_repeated(name))
    });
    (
        (head.method_text().to_owned(), head.version()),
        head.path().to_owned(),
        head.query().map(str::to_owned),
        fields,
        known,
    )
}

/// What is kept of one head for the next makes no difference to it, wherever they differ and however it comes.
#[test]
fn a_head_reads_the_same_after_any_other() {
    let mut samples: Vec<Vec<u8>> = samples::read(include_str!("../../../tests/wire/heads.txt"))
        .into_iter()
        .map(|sample| sample.bytes)
        .collect();
    let usual =
        b"POST /mcp?a HTTP/1.1\r\nHost: a:1\r\nOrigin: x\r\nContent-Length: 12\r\nA: b\r\n\r\n";
    for at in 0..usual.len() {
        let (before, after) = usual.split_at(at);
        samples.push([before, b"\r\nHost: b", after].concat());
        samples.push([before, b"\r\n ", after].concat());
        samples.push([before, b"1", after].concat());
        samples.push([before, &after[1..]].concat());
        samples.push([before, b"\r\n\r\n"].concat());
    }
    samples.push(usual.to_vec());
    let mut kept = 0;
    for first in &samples {
        let mut before = Head::new();
        let Ok(Some(_)) = before.try_parse(first, &LIMITS) else {
            continue;
        };
        for second in &samples {
            let mut fresh = Head::new();
            let expected = fresh.try_parse(second, &LIMITS);
            for cut in [0, second.len() / 2, second.len().saturating_sub(2)] {
                let mut head = Head::new();
                assert!(matches!(head.try_parse(first, &LIMITS), Ok(Some(_))));
                let mut parsed = head.try_parse(&second[..cut], &LIMITS);
                if parsed == Ok(None) {
                    parsed = head.try_parse(second, &LIMITS);
                }
                let names = (first.escape_ascii(), second.escape_ascii());
                assert_eq!(parsed, expected, "{} {} {cut}", names.0, names.1);
                if let Ok(Some(_)) = parsed {
                    assert_eq!(
                        all_of(&head),
                        all_of(&fresh),
                        "{} {} {cut}",
                        names.0,
                        names.1
                    );
                    kept += 1;
                }
            }
        }
    }
    assert!(kept > 10_000, "{kept}");
}

/// Limits that have become lower count for a head that has been there before.
#[test]
fn a_head_that_is_known_is_held_to_the_limits_of_now() {
    let text = b"GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";
    let lower = |head_bytes_max: usize, headers_max: usize| {
        let limits = HeadLimits {
            head_bytes_max,
            headers_max,
        };
        let mut head = Head::new();
        assert_eq!(head.try_parse(text, &LIMITS), Ok(Some(text.len())));
        head.try_parse(text, &limits)
    };
    assert_eq!(lower(text.len(), 2), Ok(Some(text.len())));
    let limit = text.len() - 1;
    assert_eq!(lower(limit, 2), Err(HeadError::HeadTooLong { limit }));
    let limit = 1;
    assert_eq!(
        lower(text.len(), 1),
        Err(HeadError::TooManyHeaders { limit })
    );
}

#[test]
fn lines_of_a_list_are_joined_and_those_of_one_value_told() {
    let head =
        head_of("GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\norigin: c\r\nACCEPT: d, e\r\n\r\n");
    assert_eq!(head.list(Name::Accept).as_deref(), Some("b, d, e"));
    assert_eq!(head.list(Name::Origin).as_deref(), Some("c"));
    assert_eq!(head.list(Name::Expect), None);
    let single = [Name::Expect, Name::Origin, Name::Host];
    assert_eq!(head.repeated(&single), None);
    let single = [Name::Origin, Name::Accept];
    assert_eq!(head.repeated(&single), Some(Name::Accept));
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

/// The tokeniser that stood here before, which other servers have, reads the same in what the scan lets through.
#[test]
fn lines_are_read_as_by_others() {
    let mut dice = Dice(1);
    let (mut heads, mut refused) = (0, 0);
    for _ in 0..100_000 {
        let text = made_up_head(&mut dice);
        if text.starts_with(b"\r\n") || text[..text.len() - 1].ends_with(b"\n\r\n\r") {
            // Its first line or its last one came to nothing.
            continue;
        }
        let mut head = Head::new();
        let ours = head.try_parse(&text, &LIMITS);
        let theirs = by_httparse(&text);
        let Ok(Some(_)) = ours else {
            refused += 1;
            assert_eq!(ours, theirs.map(|_| None), "{}", text.escape_ascii());
            continue;
        };
        heads += 1;
        let fields = head
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .collect();
        let start = (head.method_text().to_owned(), head.version());
        assert_eq!(theirs, Ok((start, fields)), "{}", text.escape_ascii());
    }
    assert!(heads > 10_000 && refused > 10_000, "{heads} {refused}");
}

/// Method and version, and the fields.
type Read = ((String, Version), Vec<(String, Vec<u8>)>);

/// What httparse makes of it, with the rules that we have beside those.
fn by_httparse(text: &[u8]) -> Result<Read, HeadError> {
    let line_end = text.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let (line, lines) = text.split_at(line_end);
    let is_folded = |text: &[u8]| text.starts_with(b" ") || text.starts_with(b"\t");
    if is_folded(line) {
        return Err(HeadError::FoldedLine);
    }
    let mut none = [];
    let mut request = httparse::Request::new(&mut none);
    let outcome = request.parse(line);
    let limit = METHOD_BYTES_MAX;
    if request.method.is_some_and(|method| method.len() > limit) {
        return Err(HeadError::MethodTooLong { limit });
    }
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    match (outcome, &words[..]) {
        (Ok(_), _) => (),
        (
            Err(httparse::Error::Version),
            [
                _,
                _,
                [
                    b'H',
                    b'T',
                    b'T',
                    b'P',
                    b'/',
                    b'0'..=b'9',
                    b'.',
                    b'0'..=b'9',
                    b'\r',
                    b'\n',
                ],
            ],
        ) => return Err(HeadError::UnknownVersion),
        (Err(_), _) => return Err(HeadError::BadStartLine),
    }
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(HeadError::BadStartLine);
    };
    if line.len() != method.len() + target.len() + "  HTTP/1.1\r\n".len() {
        return Err(HeadError::BadStartLine);
    }
    if Target::parse(target, Method::parse(method.as_bytes())).is_none() {
        return Err(HeadError::BadTarget);
    }
    if lines.split(|byte| *byte == b'\n').any(is_folded) {
        return Err(HeadError::FoldedLine);
    }
    let mut tokens = [httparse::EMPTY_HEADER; LIMITS.headers_max];
    let (_, tokens) = match httparse::parse_headers(lines, &mut tokens) {
        Ok(httparse::Status::Complete(complete)) => complete,
        Err(httparse::Error::TooManyHeaders) => {
            return Err(HeadError::TooManyHeaders {
                limit: LIMITS.headers_max,
            });
        }
        _ => return Err(HeadError::BadField),
    };
    let version = match minor {
        0 => Version::Http10,
        _ => Version::Http11,
    };
    let field = |token: &httparse::Header<'_>| {
        // It leaves white space in front of nothing.
        (token.name.to_owned(), token.value.trim_ascii().to_vec())
    };
    Ok((
        (method.to_owned(), version),
        tokens.iter().map(field).collect(),
    ))
}

/// A head of lines that end well and hold no control byte, mostly: what is left to read after the scan.
fn made_up_head(dice: &mut Dice) -> Vec<u8> {
    const ODD: [&[u8]; 16] = [
        b" ",
        b"\t",
        b":",
        b"",
        b"a",
        b"Host",
        b"\xff",
        b"\xc3\xa4",
        b"(",
        b"~",
        b"/",
        b"=",
        b"1",
        b"#",
        b"HTTP/1.1",
        b"?",
    ];
    let mut text = Vec::new();
    let mut put = |dice: &mut Dice, usual: &[&[u8]]| {
        for piece in usual {
            let odd = *dice.one(&ODD);
            match dice.below(48) {
                0 => text.extend_from_slice(odd),
                1 => (),
                2 => text.extend_from_slice(&[piece, odd].concat()),
                _ => text.extend_from_slice(piece),
            }
        }
        text.extend_from_slice(b"\r\n");
    };
    let long = [b'A'; METHOD_BYTES_MAX + 1];
    let methods: [&[u8]; 6] = [b"GET", b"POST", b"OPTIONS", b"B!", &long[1..], &long];
    let targets: [&[u8]; 4] = [b"/", b"/mcp?x", b"*", b"http://a/"];
    let versions: [&[u8]; 8] = [
        b"1.1", b"1.1", b"1.1", b"1.0", b"1.2", b"2.0", b"11", b"1.x",
    ];
    let (method, target) = (*dice.one(&methods), *dice.one(&targets));
    let version = *dice.one(&versions);
    put(dice, &[method, b" ", target, b" ", b"HTTP/", version]);
    let names: [&[u8]; 6] = [b"Host", b"Content-Length", b"x", b"X-Y_z", b"origin", b"A"];
    let values: [&[u8]; 5] = [b"a", b"", b"a b\tc", b" 1 ", b"application/json"];
    for _ in 0..dice.below(10) {
        let (name, value) = (*dice.one(&names), *dice.one(&values));
        put(dice, &[name, b":", b" ", value]);
    }
    text.extend_from_slice(b"\r\n");
    text
}
