//! The parsers of single values, one for each kind.
//!
//! They say what they expected and what they found; the caller adds the key and the place.

use std::net::IpAddr;
use std::path::Path;

use toml::de::DeValue;

use super::error::{Fault, Problem};
use super::given::{Given, for_each_member};
use super::kind::{Item, Value};
use super::secret::Secret;

pub(super) const EXPECTED_BOOL: &str = "`true` or `false`";
pub(super) const EXPECTED_DURATION: &str = "a duration like \"30s\", \"500ms\" or \"1m30s\"";
pub(super) const EXPECTED_HOST: &str = "an IP address or `localhost`";
pub(super) const EXPECTED_INTEGER: &str = "a whole number";
pub(super) const EXPECTED_SIZE: &str = "a size in bytes or like \"64KiB\" or \"1MiB\"";
pub(super) const EXPECTED_URL: &str =
    "a URL like `http://host:port/prefix` without user, query or fragment";
pub(super) const EXPECTED_URL_PATH: &str = "a path like `/mcp`";
pub(super) const EXPECTED_WORD: &str = "1 to 64 letters, digits, `-` or `_`";

/// Largest first; the binary ones stand in front because only those are printed.
pub(super) const SIZES: [(u64, &str); 7] = [
    (1 << 30, "GiB"),
    (1 << 20, "MiB"),
    (1 << 10, "KiB"),
    (1_000_000_000, "GB"),
    (1_000_000, "MB"),
    (1_000, "kB"),
    (1, "B"),
];
pub(super) const DURATIONS: [(u64, &str); 5] = [
    (86_400_000, "d"),
    (3_600_000, "h"),
    (60_000, "m"),
    (1_000, "s"),
    (1, "ms"),
];

pub(super) fn parse_bool(given: Given<'_>) -> Result<Value, Problem> {
    let yes = match given {
        Given::Toml(value) => value.get_ref().as_bool(),
        Given::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        },
    };
    yes.map(Value::Bool)
        .ok_or_else(|| Problem::expected(EXPECTED_BOOL, given.found()))
}

pub(super) fn parse_choice(
    words: &'static [(&'static str, &'static [&'static str])],
    given: Given<'_>,
) -> Result<Value, Problem> {
    let text = given.text().unwrap_or_default();
    let same = |word: &&str| word.eq_ignore_ascii_case(text);
    words
        .iter()
        .find(|(word, aliases)| same(word) || aliases.iter().any(same))
        .map(|(word, _)| Value::Text((*word).to_owned()))
        .ok_or_else(|| Problem::expected(&choice_words(words), given.found()))
}

pub(super) fn choice_words(words: &[(&str, &[&str])]) -> String {
    let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    match words.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        _ => words.concat(),
    }
}

pub(super) fn parse_integer(given: Given<'_>) -> Result<u64, Problem> {
    let number = match given {
        Given::Text(text) => digits(text),
        Given::Toml(value) => match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        },
    };
    number.ok_or_else(|| Problem::expected(EXPECTED_INTEGER, given.found()))
}

pub(super) fn parse_size(given: Given<'_>) -> Result<u64, Problem> {
    if let Ok(bytes) = parse_integer(given) {
        return Ok(bytes);
    }
    given
        .text()
        .and_then(|text| {
            let (count, unit) = split_unit(text)?;
            let (factor, _) = SIZES
                .iter()
                .find(|(_, name)| name.eq_ignore_ascii_case(unit))?;
            count.checked_mul(*factor)
        })
        .ok_or_else(|| Problem::expected(EXPECTED_SIZE, given.found()))
}

/// A duration needs a unit in every layer: a bare `30` would be milliseconds to some and seconds to others.
pub(super) fn parse_duration(given: Given<'_>) -> Result<u64, Problem> {
    let read = |mut rest: &str| {
        let mut total = 0u64;
        let mut last_factor = u64::MAX;
        loop {
            let (count, tail) = split_unit(rest)?;
            let end = tail
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(tail.len());
            let (unit, tail) = tail.split_at_checked(end)?;
            let (factor, _) = DURATIONS.iter().find(|(_, name)| *name == unit)?;
            // Units fall from left to right, so `1s1m` and `1s1s` are typing errors.
            if *factor >= last_factor {
                return None;
            }
            last_factor = *factor;
            total = total.checked_add(count.checked_mul(*factor)?)?;
            rest = tail;
            if rest.is_empty() {
                return Some(total);
            }
        }
    };
    given
        .text()
        .and_then(read)
        .ok_or_else(|| Problem::expected(EXPECTED_DURATION, given.found()))
}

pub(super) fn parse_text(given: Given<'_>) -> Result<Value, Problem> {
    match given.text() {
        Some(text) if !text.is_empty() => Ok(Value::Text(text.to_owned())),
        _ => Err(Problem::expected("a text", given.found())),
    }
}

pub(super) fn parse_file(given: Given<'_>, folder: &Path) -> Result<Value, Problem> {
    let Some(text) = given
        .text()
        .filter(|text| !text.is_empty() && !text.contains('\0'))
    else {
        return Err(Problem::expected("a path", given.found()));
    };
    // Both parts come from `String`s, so nothing is lost here.
    Ok(Value::Text(
        folder.join(text).to_string_lossy().into_owned(),
    ))
}

/// A secret goes into a header field as it is, so control characters and non-ASCII are refused (RFC 9110 5.5).
pub(super) fn parse_secret(given: Given<'_>) -> Result<Value, Problem> {
    match given.text() {
        Some(text) if !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => {
            Ok(Value::Secret(Secret::new(text.to_owned())))
        }
        _ => Err(Problem::expected(
            "a secret of printable ASCII characters",
            given.found_masked(),
        )),
    }
}

pub(super) fn parse_host(given: Given<'_>) -> Result<Value, Problem> {
    let text = given.text().unwrap_or_default();
    parse_ip(text)
        .map(|ip| Value::Text(ip.to_string()))
        .ok_or_else(|| Problem::expected(EXPECTED_HOST, given.found()))
}

/// An address with or without brackets. Names other than `localhost` would need the resolver, which has no place here.
pub(super) fn parse_ip(text: &str) -> Option<IpAddr> {
    if text.eq_ignore_ascii_case("localhost") {
        return Some(IpAddr::from([127, 0, 0, 1]));
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(text).parse().ok()
}

pub(super) fn parse_url(given: Given<'_>) -> Result<Value, Problem> {
    let text = given.text().unwrap_or_default();
    if is_url(text) {
        return Ok(Value::Text(text.to_owned()));
    }
    // A refused URL may hold a password before an `@`, so that one is not repeated.
    let found = if text.contains('@') {
        given.found_masked()
    } else {
        given.found()
    };
    Err(Problem::expected(EXPECTED_URL, found))
}

pub(super) fn is_url(text: &str) -> bool {
    let Some(rest) = text
        .strip_prefix("http://")
        .or(text.strip_prefix("https://"))
    else {
        return false;
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    is_authority(authority) && path.bytes().all(|byte| is_path_byte(byte) || byte == b'%')
}

/// `host`, `host:port`, `[v6]`, `[v6]:port` (RFC 9110 4.2.3 forbids the user part that RFC 3986 3.2 has).
pub(super) fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let host_is_sound = match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
    };
    host_is_sound
        && port.is_none_or(|port| digits(port).is_some_and(|port| (1..=65_535).contains(&port)))
}

pub(super) fn parse_url_path(given: Given<'_>) -> Result<Value, Problem> {
    let text = given.text().unwrap_or_default();
    if is_url_path(text) {
        return Ok(Value::Text(text.to_owned()));
    }
    Err(Problem::expected(EXPECTED_URL_PATH, given.found()))
}

pub(super) fn is_url_path(text: &str) -> bool {
    text.len() > 1
        && text.starts_with('/')
        && text.bytes().all(is_path_byte)
        && !text.contains("//")
        && !text
            .split('/')
            .any(|segment| segment == "." || segment == "..")
}

pub(super) fn parse_word(given: Given<'_>) -> Result<Value, Problem> {
    let text = given.text().unwrap_or_default();
    let is_word = (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_word {
        return Ok(Value::Text(text.to_owned()));
    }
    Err(Problem::expected(EXPECTED_WORD, given.found()))
}

/// `pchar` of RFC 3986 3.3 and `/`, less the escapes: routes are compared byte by byte.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte)
}

pub(super) fn parse_list(item: Item, given: Given<'_>) -> Result<Value, Vec<Fault>> {
    let mut list = Vec::new();
    let faults = for_each_member(given, &mut |member| match member.text() {
        Some(text) if item.accepts(text) => {
            list.push(text.to_owned());
            Vec::new()
        }
        _ => vec![member.fault(Problem::expected(item.words(), member.found()))],
    });
    if faults.is_empty() {
        Ok(Value::List(list))
    } else {
        Err(faults)
    }
}

/// Splits `64KiB` into 64 and `KiB`. The digits are bounded so that the number cannot wrap.
fn split_unit(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((digits(number)?, unit))
}

pub(super) fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}
