//! Media types: what a client accepts (RFC 9110 section 12.5.1) and whether a body is JSON (section
//! 8.3).

use std::cmp::Ordering;

/// Whether a client that sent `header` takes `media_type` (`type/subtype`, lower case). No header,
/// or an empty one, takes all.
pub fn accepts(header: Option<&str>, media_type: &str) -> bool {
    quality(header, media_type) > 0
}

/// Whether a client that takes both would rather have `this` than `other`: by weight, and where the
/// weights are equal because it names `this` first. RFC 9110 gives the order no meaning, but where
/// either answer is right, the one that a client wrote first is the better guess.
pub fn prefers(header: Option<&str>, this: &str, other: &str) -> bool {
    let named = |media_type: &str| {
        let mut elements = split_unquoted(header.unwrap_or(""), b',');
        elements.position(|element| {
            let range = split_unquoted(element, b';').next();
            range.is_some_and(|range| range.eq_ignore_ascii_case(media_type))
        })
    };
    match quality(header, this).cmp(&quality(header, other)) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => {
            named(this).is_some_and(|at| named(other).is_none_or(|other| at < other))
        }
    }
}

/// How much a client wants `media_type`, in thousandths; 0 means not at all.
///
/// The most specific range decides (`a/b` before `a/*` before `*/*`), so `q=0` on a type excludes
/// it from a wildcard. Parameters other than `q` are ignored: we offer no type in two variants. An
/// element that is not a media range counts for nothing.
pub fn quality(header: Option<&str>, media_type: &str) -> u16 {
    let Some(header) = header.filter(|header| !header.trim().is_empty()) else {
        return 1000;
    };
    let (own_type, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    let mut best = (0, 0);
    for element in split_unquoted(header, b',') {
        let mut parts = split_unquoted(element, b';');
        let range = parts.next().unwrap_or("");
        let specificity = match range.split_once('/') {
            Some(("*", "*")) => 1,
            Some((kind, "*")) if kind.eq_ignore_ascii_case(own_type) => 2,
            Some(_) if range.eq_ignore_ascii_case(media_type) => 3,
            _ => continue,
        };
        let weight = parts
            .filter_map(parameter)
            .find(|(name, _)| name.eq_ignore_ascii_case("q"));
        let Some(quality) = weight.map_or(Some(1000), |(_, value)| parse_quality(value)) else {
            continue;
        };
        best = best.max((specificity, quality));
    }
    best.1
}

/// Whether a `Content-Type` is JSON in UTF-8: `application/json`, with any parameters except a
/// `charset` other than `utf-8`.
pub fn is_json_content_type(content_type: &str) -> bool {
    if content_type == "application/json" {
        return true;
    }
    let mut parts = split_unquoted(content_type, b';');
    let is_json = parts
        .next()
        .is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.all(|part| match parameter(part) {
            Some((name, value)) => {
                !name.eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
            }
            None => part.is_empty(),
        })
}

/// `name=value` with the quotes off. Escapes inside quotes stay: no value we look at has any.
fn parameter(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let bare = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    Some((name, bare.unwrap_or(value)))
}

/// A weight in thousandths: `0` or `1` with up to any number of decimals, of which three count;
/// more than 1 is no weight.
fn parse_quality(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digit = |at: usize| {
        decimals
            .as_bytes()
            .get(at)
            .map_or(0, |byte| u16::from(byte.wrapping_sub(b'0')))
    };
    let thousandths = (0..3).fold(0_u16, |number, at| {
        number.saturating_mul(10).saturating_add(digit(at))
    });
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// The trimmed pieces between separators that do not stand in a quoted string.
fn split_unquoted(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        let mut escaped = false;
        let end = text.bytes().position(|byte| {
            let is_escaped = std::mem::take(&mut escaped);
            match byte {
                b'\\' if quoted && !is_escaped => escaped = true,
                b'"' if !is_escaped => quoted = !quoted,
                _ => (),
            }
            byte == separator && !quoted
        });
        // The separator is one byte, so both sides of it are text.
        let (part, after) = match end.and_then(|end| text.split_at_checked(end)) {
            Some((part, after)) => (part, after.get(1..)),
            None => (text, None),
        };
        rest = after;
        Some(part.trim_matches([' ', '\t']))
    })
}

/// For fuzzing: no header panics, and no weight passes one.
#[doc(hidden)]
pub fn fuzz_accept(header: &str) {
    assert!(quality(Some(header), "application/json") <= 1000);
    let _ = prefers(Some(header), "text/event-stream", "application/json");
    let _ = is_json_content_type(header);
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "application/json";
    const STREAM: &str = "text/event-stream";

    /// `expected`: the qualities of JSON and of an event stream.
    #[track_caller]
    fn check(header: &str, expected: (u16, u16)) {
        assert_eq!(
            (quality(Some(header), JSON), quality(Some(header), STREAM)),
            expected,
            "{header:?}"
        );
        assert_eq!(
            (accepts(Some(header), JSON), accepts(Some(header), STREAM)),
            (expected.0 > 0, expected.1 > 0)
        );
    }

    #[test]
    fn no_header_takes_everything() {
        assert!(accepts(None, JSON));
        check("", (1000, 1000));
        check(" \t", (1000, 1000));
    }

    #[test]
    fn what_clients_send() {
        check("application/json, text/event-stream", (1000, 1000));
        check("application/json,text/event-stream", (1000, 1000));
        check("text/event-stream", (0, 1000));
        check("*/*", (1000, 1000));
        check(
            "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8",
            (800, 800),
        );
        check("text/plain", (0, 0));
    }

    #[test]
    fn by_weight_and_then_by_order() {
        for (header, expected) in [
            ("text/event-stream, application/json", true),
            ("Text/Event-Stream;q=0.5 ,application/json;q=0.5", true),
            ("text/event-stream, */*", true),
            ("application/json, text/event-stream", false),
            ("text/event-stream;q=0.9, application/json", false),
            ("application/json;q=0.9, text/event-stream", true),
            ("application/json, */*", false),
            ("text/html, */*", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(prefers(Some(header), STREAM, JSON), expected, "{header:?}");
        }
        assert!(!prefers(None, STREAM, JSON));
    }

    #[test]
    fn the_most_specific_range_decides_in_any_order() {
        check("*/*, application/json;q=0", (0, 1000));
        check("application/json;q=0, */*", (0, 1000));
        check("text/*;q=0.5, */*;q=0.1", (100, 500));
        check("application/*;q=0, application/json", (1000, 0));
        check("*/*;q=0", (0, 0));
    }

    #[test]
    fn case_space_and_parameters() {
        check("Application/JSON ; charset=utf-8 ; Q=0.25", (250, 0));
        check("application/json;x=\"a, text/event-stream;q=1\"", (1000, 0));
        check("application/json;x=\"a\\\", text/event-stream\"", (1000, 0));
        check("application/jsonx, text/event", (0, 0));
        check(",, ,application/json,", (1000, 0));
    }

    #[test]
    fn weights() {
        check("application/json;q=1.000", (1000, 0));
        check("application/json;q=0.000", (0, 0));
        check("application/json;q=0.0019", (1, 0));
        check("application/json;q=1.001", (0, 0));
        check("application/json;q=2", (0, 0));
        check("application/json;q=-1", (0, 0));
        check("application/json;q=", (0, 0));
    }

    #[test]
    fn json_content_types() {
        for (text, expected) in [
            ("application/json", true),
            ("Application/Json; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"", true),
            ("application/json; profile=x", true),
            ("application/json;", true),
            ("application/json; charset=latin1", false),
            ("application/json; charset=utf-8; charset=utf-16", false),
            ("application/json; charset", false),
            ("application/json, text/plain", false),
            ("application/jsonl", false),
            ("text/json", false),
            ("text/plain", false),
            ("", false),
        ] {
            assert_eq!(is_json_content_type(text), expected, "{text:?}");
        }
    }
}
