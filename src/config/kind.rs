//! The kinds of value a key can have: one parser, one rendering and one set of words for each.
//!
//! A value is given either typed, by a TOML file, or as bare text, by the environment and the command line. TOML is
//! held to its types (`port = "80"` is refused); bare text is read weakly, since it has no types of its own.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;

use toml::Spanned;
use toml::de::DeValue;

use super::auth::{self, Token};
use super::error::{Fault, Problem};
use super::listen::{self, Listener};
use super::network::Network;
use super::secret::Secret;

/// What a key's value looks like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Bool,
    Choice(&'static [(&'static str, &'static [&'static str])]),
    /// In milliseconds.
    Duration(Bounds),
    File,
    /// An IP address to listen on, or `localhost`.
    Host,
    Integer(Bounds),
    List(Item),
    Listeners,
    Secret,
    /// In bytes.
    Size(Bounds),
    Text,
    Tokens,
    /// `http://` or `https://`, host, optional path; no user, query or fragment.
    Url,
    /// An absolute route such as `/mcp`.
    UrlPath,
}

/// The least and the greatest value allowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub min: u64,
    pub max: u64,
}

/// What the members of a list look like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    /// `host=url`
    HostUrl,
    /// A `Host` header value, port optional.
    HostName,
    Network,
    /// `*` or `scheme://host[:port]`
    Origin,
    /// A tool name in which `*` stands for any text.
    Pattern,
}

/// A value that fits its key's kind. Sizes are bytes and durations milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    List(Vec<String>),
    Listeners(Vec<Listener>),
    Number(u64),
    Secret(Secret),
    Text(String),
    Tokens(Vec<Token>),
    Unset,
}

/// A value as it was given.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    Text(&'a str),
    Toml(&'a Spanned<DeValue<'a>>),
}

/// Reads a file as text: the `read` of `Sources`.
pub(super) type Read = dyn Fn(&Path) -> std::io::Result<String>;

/// What a parser may need beside the text.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// Reads a file named by a value, such as a token file.
    pub read: &'a Read,
    /// The folder relative paths start from.
    pub folder: &'a Path,
}

impl Kind {
    /// Parses and checks one value. `optional` keys turn an empty text into `Unset`.
    pub(super) fn parse(
        self,
        given: Given<'_>,
        optional: bool,
        context: Context<'_>,
    ) -> Result<Value, Vec<Fault>> {
        if optional && given.text().is_some_and(str::is_empty) {
            return Ok(Value::Unset);
        }
        let one = match self {
            Kind::List(item) => return parse_list(item, given),
            Kind::Listeners => return listen::parse_listeners(given).map(Value::Listeners),
            Kind::Tokens => return auth::parse_tokens(given, context).map(Value::Tokens),
            Kind::Bool => parse_bool(given),
            Kind::Choice(words) => parse_choice(words, given),
            Kind::Duration(bounds) => self.parse_number(bounds, parse_duration, given),
            Kind::File => parse_file(given, context.folder),
            Kind::Host => parse_host(given),
            Kind::Integer(bounds) => self.parse_number(bounds, parse_integer, given),
            Kind::Secret => parse_secret(given),
            Kind::Size(bounds) => self.parse_number(bounds, parse_size, given),
            Kind::Text => parse_text(given),
            Kind::Url => parse_url(given),
            Kind::UrlPath => parse_url_path(given),
        };
        one.map_err(|problem| vec![given.fault(problem)])
    }

    fn parse_number(
        self,
        bounds: Bounds,
        read: fn(Given<'_>) -> Result<u64, Problem>,
        given: Given<'_>,
    ) -> Result<Value, Problem> {
        let number = read(given)?;
        if number < bounds.min || number > bounds.max {
            let show = |number| self.show_number(number);
            return Err(Problem::OutOfBounds {
                got: show(number),
                min: show(bounds.min),
                max: show(bounds.max),
            });
        }
        Ok(Value::Number(number))
    }

    /// A number in the words of its kind: `64`, `1MiB`, `30s`.
    pub(super) fn show_number(self, number: u64) -> String {
        let units: &[(u64, &str)] = match self {
            Kind::Size(_) => &SIZES[..3],
            Kind::Duration(_) => &DURATIONS,
            _ => &[],
        };
        let largest = units
            .iter()
            .find(|(factor, _)| number >= *factor && number % factor == 0);
        match (largest, self) {
            (Some((factor, unit)), _) => format!("{}{unit}", number / factor),
            (None, Kind::Duration(_)) => format!("{number}ms"),
            (None, _) => number.to_string(),
        }
    }

    /// The value in TOML, with secrets masked.
    pub(super) fn show(self, value: &Value) -> String {
        match value {
            Value::Bool(yes) => yes.to_string(),
            Value::List(items) => show_array(items.iter().map(|item| quote(item))),
            Value::Listeners(all) => show_array(all.iter().map(listen::show_listener)),
            Value::Number(number) => {
                let text = self.show_number(*number);
                if text.bytes().all(|byte| byte.is_ascii_digit()) {
                    text
                } else {
                    quote(&text)
                }
            }
            Value::Secret(_) => quote(MASK),
            Value::Text(text) => quote(text),
            Value::Tokens(all) => show_array(all.iter().map(auth::show_token)),
            Value::Unset => "unset".to_owned(),
        }
    }

    /// The kind in words, for messages and the reference.
    pub(super) fn words(self) -> String {
        match self {
            Kind::Bool => "true or false".to_owned(),
            Kind::Choice(words) => choice_words(words),
            Kind::Duration(_) => EXPECTED_DURATION.to_owned(),
            Kind::File => "a path".to_owned(),
            Kind::Host => EXPECTED_HOST.to_owned(),
            Kind::Integer(_) => EXPECTED_INTEGER.to_owned(),
            Kind::List(item) => format!("a list, each {}", item.words()),
            Kind::Listeners => listen::EXPECTED.to_owned(),
            Kind::Secret => "a secret text".to_owned(),
            Kind::Size(_) => EXPECTED_SIZE.to_owned(),
            Kind::Text => "a text".to_owned(),
            Kind::Tokens => auth::EXPECTED.to_owned(),
            Kind::Url => EXPECTED_URL.to_owned(),
            Kind::UrlPath => EXPECTED_URL_PATH.to_owned(),
        }
    }

    pub(super) fn bounds(self) -> Option<Bounds> {
        match self {
            Kind::Duration(bounds) | Kind::Integer(bounds) | Kind::Size(bounds) => Some(bounds),
            _ => None,
        }
    }
}

impl<'a> Given<'a> {
    /// The text, if the value is one.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Given::Text(text) => Some(text),
            Given::Toml(value) => value.get_ref().as_str(),
        }
    }

    /// What stands there, short enough for a message.
    pub(super) fn found(self) -> String {
        match self {
            Given::Text(text) => clip(text),
            Given::Toml(value) => match value.get_ref() {
                DeValue::String(text) => format!("the string {}", clip(text)),
                DeValue::Integer(number) => format!("the integer {number}"),
                DeValue::Float(number) => format!("the float {number}"),
                DeValue::Boolean(yes) => format!("the boolean {yes}"),
                DeValue::Datetime(time) => format!("the date {time}"),
                DeValue::Array(_) => "an array".to_owned(),
                DeValue::Table(_) => "a table".to_owned(),
            },
        }
    }

    /// What stands there, without the content.
    pub(super) fn found_masked(self) -> String {
        match self {
            Given::Text(text) => format!("a text of {} bytes", text.len()),
            Given::Toml(value) => match value.get_ref() {
                DeValue::String(text) => format!("a string of {} bytes", text.len()),
                other => format!("type {}", other.type_str()),
            },
        }
    }

    pub(super) fn fault(self, problem: Problem) -> Fault {
        let offset = match self {
            Given::Text(_) => None,
            Given::Toml(value) => Some(value.span().start),
        };
        Fault {
            offset,
            at: String::new(),
            problem,
        }
    }
}

impl Item {
    fn words(self) -> &'static str {
        match self {
            Item::HostName => "a host name like `nas.lan` or `nas.lan:8000`",
            Item::HostUrl => "`host=url` like `docs.aws.amazon.com=http://127.0.0.1:9000`",
            Item::Network => "an IP address or network like `10.0.0.0/8`",
            Item::Origin => "`*` or an origin like `https://nas.lan:8000`",
            Item::Pattern => "a tool name, `*` standing for any text",
        }
    }

    fn accepts(self, text: &str) -> bool {
        match self {
            Item::HostName => is_authority(text),
            Item::HostUrl => text
                .split_once('=')
                .is_some_and(|(host, url)| is_authority(host) && is_url(url)),
            Item::Network => Network::parse(text).is_some(),
            Item::Origin => {
                let authority = text
                    .strip_prefix("http://")
                    .or(text.strip_prefix("https://"));
                text == "*" || authority.is_some_and(is_authority)
            }
            Item::Pattern => {
                !text.is_empty()
                    && text
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"_-./*".contains(&byte))
            }
        }
    }
}

/// What stands in place of a secret in anything we print.
pub(super) const MASK: &str = "***";

const EXPECTED_BOOL: &str = "`true` or `false`";
const EXPECTED_DURATION: &str = "a duration like \"30s\", \"500ms\" or \"1m30s\"";
const EXPECTED_HOST: &str = "an IP address or `localhost`";
const EXPECTED_INTEGER: &str = "a whole number";
const EXPECTED_SIZE: &str = "a size in bytes or like \"64KiB\" or \"1MiB\"";
const EXPECTED_URL: &str = "a URL like `http://host:port/prefix` without user, query or fragment";
const EXPECTED_URL_PATH: &str = "a path like `/mcp`";

/// Largest first; the binary ones stand in front because only those are printed.
const SIZES: [(u64, &str); 7] = [
    (1 << 30, "GiB"),
    (1 << 20, "MiB"),
    (1 << 10, "KiB"),
    (1_000_000_000, "GB"),
    (1_000_000, "MB"),
    (1_000, "kB"),
    (1, "B"),
];
const DURATIONS: [(u64, &str); 5] = [
    (86_400_000, "d"),
    (3_600_000, "h"),
    (60_000, "m"),
    (1_000, "s"),
    (1, "ms"),
];

fn parse_bool(given: Given<'_>) -> Result<Value, Problem> {
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

fn parse_choice(
    words: &'static [(&'static str, &'static [&'static str])],
    given: Given<'_>,
) -> Result<Value, Problem> {
    let text = given.text().unwrap_or_default();
    let same = |word: &&str| word.eq_ignore_ascii_case(text);
    words
        .iter()
        .find(|(word, aliases)| same(word) || aliases.iter().any(|alias| same(alias)))
        .map(|(word, _)| Value::Text((*word).to_owned()))
        .ok_or_else(|| Problem::expected(&choice_words(words), given.found()))
}

fn choice_words(words: &[(&str, &[&str])]) -> String {
    let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    match words.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        _ => words.concat(),
    }
}

fn parse_integer(given: Given<'_>) -> Result<u64, Problem> {
    let number = match given {
        Given::Text(text) => digits(text),
        Given::Toml(value) => match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        },
    };
    number.ok_or_else(|| Problem::expected(EXPECTED_INTEGER, given.found()))
}

fn parse_size(given: Given<'_>) -> Result<u64, Problem> {
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
fn parse_duration(given: Given<'_>) -> Result<u64, Problem> {
    let read = |mut rest: &str| {
        let mut total = 0u64;
        let mut last_factor = u64::MAX;
        loop {
            let (count, tail) = split_unit(rest)?;
            let end = tail
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(tail.len());
            let (factor, _) = DURATIONS.iter().find(|(_, name)| *name == &tail[..end])?;
            // Units fall from left to right, so `1s1m` and `1s1s` are typing errors.
            if *factor >= last_factor {
                return None;
            }
            last_factor = *factor;
            total = total.checked_add(count.checked_mul(*factor)?)?;
            rest = &tail[end..];
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

fn parse_text(given: Given<'_>) -> Result<Value, Problem> {
    match given.text() {
        Some(text) if !text.is_empty() => Ok(Value::Text(text.to_owned())),
        _ => Err(Problem::expected("a text", given.found())),
    }
}

fn parse_file(given: Given<'_>, folder: &Path) -> Result<Value, Problem> {
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

fn parse_host(given: Given<'_>) -> Result<Value, Problem> {
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

fn parse_url(given: Given<'_>) -> Result<Value, Problem> {
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

fn is_url(text: &str) -> bool {
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
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rfind(':') {
        Some(colon) if !text.ends_with(']') => (&text[..colon], Some(&text[colon + 1..])),
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

fn parse_url_path(given: Given<'_>) -> Result<Value, Problem> {
    let text = given.text().unwrap_or_default();
    let is_sound = text.len() > 1
        && text.starts_with('/')
        && text.bytes().all(is_path_byte)
        && !text.contains("//")
        && !text
            .split('/')
            .any(|segment| segment == "." || segment == "..");
    if is_sound {
        return Ok(Value::Text(text.to_owned()));
    }
    Err(Problem::expected(EXPECTED_URL_PATH, given.found()))
}

/// `pchar` of RFC 3986 3.3 and `/`, less the escapes: routes are compared byte by byte.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte)
}

fn parse_list(item: Item, given: Given<'_>) -> Result<Value, Vec<Fault>> {
    let mut list = Vec::new();
    let faults = for_each_member(given, |_, member| match member.text() {
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

/// Calls `visit` with each member of an array and collects what it finds wrong. Bare text is either an array in TOML
/// (it starts with `[`) or a list with commas.
pub(super) fn for_each_member(
    given: Given<'_>,
    mut visit: impl FnMut(usize, Given<'_>) -> Vec<Fault>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut collect = |index: usize, member: Given<'_>, keep_offsets: bool| {
        for mut fault in visit(index, member) {
            fault.at.insert_str(0, &format!("[{index}]"));
            // An offset into a variable's value would be taken for one into a file.
            fault.offset = fault.offset.filter(|_| keep_offsets);
            faults.push(fault);
        }
    };
    match given {
        Given::Toml(value) => match value.get_ref() {
            DeValue::Array(members) => {
                for (index, member) in members.iter().enumerate() {
                    collect(index, Given::Toml(member), true);
                }
            }
            _ => return vec![given.fault(Problem::expected("an array", given.found()))],
        },
        // `[::1]:8000,...` starts with a bracket too, but is no TOML array.
        Given::Text(text)
            if text.trim_start().starts_with('[') && !text.trim_start().starts_with("[:") =>
        {
            match DeValue::parse(text) {
                Ok(value) => match value.get_ref() {
                    DeValue::Array(members) => {
                        for (index, member) in members.iter().enumerate() {
                            collect(index, Given::Toml(member), false);
                        }
                    }
                    _ => return vec![Problem::expected("an array", "another value").into()],
                },
                Err(error) => {
                    return vec![
                        Problem::Syntax {
                            message: error.message().to_owned(),
                        }
                        .into(),
                    ];
                }
            }
        }
        Given::Text(text) => {
            let members = text
                .split(',')
                .map(str::trim)
                .filter(|member| !member.is_empty());
            for (index, member) in members.enumerate() {
                collect(index, Given::Text(member), false);
            }
        }
    }
    faults
}

/// Splits `64KiB` into 64 and `KiB`. The digits are bounded so that the number cannot wrap.
fn split_unit(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    Some((digits(&text[..end])?, &text[end..]))
}

fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// A TOML basic string.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                write!(quoted, "\\u{:04X}", u32::from(c))
                    .expect("a string can always be written to");
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn show_array(members: impl Iterator<Item = String>) -> String {
    format!("[{}]", members.collect::<Vec<_>>().join(", "))
}

fn clip(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    let shown: Cow<'_, str> = match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    };
    quote(&shown)
}

impl Context<'_> {
    /// The value a file holds: its text without the newline editors and `echo` put at the end.
    pub(super) fn read_value(self, path: &str) -> Result<String, Problem> {
        let path = self.folder.join(path);
        let text = (self.read)(&path).map_err(|cause| Problem::Unreadable {
            path: path.to_string_lossy().into_owned(),
            cause: cause.to_string(),
        })?;
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }
}
