//! A small JSON writer into `Vec<u8>`, and compaction of foreign JSON text.
//!
//! Not a parser (serde_json is) and not a value tree. Objects and arrays are closures, so brackets
//! always pair; commas are the writer's business. Everything written is free of line breaks,
//! because one message is one line on stdio and one `data:` line in an event stream.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::find;
use crate::raw::Raw;
use crate::sorted::SortedMap;

/// Writes `{…}` with the members `fill` adds.
pub fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    let mut object = Object {
        out,
        is_empty: true,
    };
    fill(&mut object);
    out.push(b'}');
}

/// Writes `[…]` with the elements `fill` adds.
pub fn array(out: &mut Vec<u8>, fill: impl FnOnce(&mut Array<'_>)) {
    out.push(b'[');
    let mut array = Array {
        out,
        is_empty: true,
    };
    fill(&mut array);
    out.push(b']');
}

/// Writes a JSON string, escaped.
pub fn string(out: &mut Vec<u8>, text: &str) {
    // Most texts, and all names of members, have nothing to escape.
    if !find::needs_escape(text) {
        out.reserve(text.len().saturating_add(2));
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        value(out, text);
    }
}

/// How many bytes [`string`] writes between its quotes.
pub fn escaped_len(text: &str) -> usize {
    if !find::needs_escape(text) {
        return text.len();
    }
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0x00..=0x1f => "\\u0000".len(),
        _ => 1,
    };
    text.bytes().map(escaped).fold(0, usize::saturating_add)
}

/// Writes any serialisable value. A value that cannot be JSON (a map with keys that are no
/// strings) becomes `null`; [`try_value`] tells.
pub fn value<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    if !try_value(out, value) {
        out.extend_from_slice(b"null");
    }
}

/// Writes any serialisable value; false, with nothing written, if it cannot be JSON.
pub fn try_value<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> bool {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        return false;
    }
    true
}

/// Writes a JSON text that is already valid, as it is, less any line breaks between its tokens.
pub fn raw(out: &mut Vec<u8>, text: &str) {
    let has = |byte: u8| text.as_bytes().contains(&byte);
    if has(b'\n') || has(b'\r') {
        write_compact(out, text);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// A JSON text without the white space between its tokens, keys in their order, numbers untouched.
pub fn compact(text: &str) -> Result<Box<RawValue>, serde_json::Error> {
    let valid: &RawValue = serde_json::from_str(text)?;
    let mut out = Vec::with_capacity(text.len());
    write_compact(&mut out, valid.get());
    // White space is ASCII, so what is left without it is UTF-8 as before.
    RawValue::from_string(String::from_utf8_lossy(&out).into_owned())
}

/// An object's members by name, of two of a name the last; `None` if it is no object.
pub fn members(raw: Raw<'_>) -> Option<SortedMap<Cow<'_, str>, Raw<'_>>> {
    Some(SortedMap::of(raw.members().all()?))
}

/// Reads JSON from bytes that may be no text, by the reader of texts: that of bytes would be a second one for every type.
pub fn from_bytes<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(error) => Err(no_text(bytes, error.valid_up_to())),
    }
}

/// What is wrong with bytes that are text up to `len`: what is no JSON before it, or that it is no text.
fn no_text(bytes: &[u8], len: usize) -> serde_json::Error {
    let text = bytes.get(..len).unwrap_or_default();
    let before = std::str::from_utf8(text).unwrap_or_default();
    match serde_json::from_str::<&RawValue>(before) {
        Err(error) if !error.is_eof() => error,
        _ => {
            let line = before.split('\n').count();
            let column = before.rsplit('\n').next().map_or(0, str::len);
            let column = column.saturating_add(1);
            serde_json::Error::custom(format_args!(
                "invalid unicode code point at line {line} column {column}"
            ))
        }
    }
}

fn write_compact(out: &mut Vec<u8>, text: &str) {
    let mut in_string = false;
    let mut escaped = false;
    for byte in text.bytes() {
        if in_string {
            out.push(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => (),
            }
            continue;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => (),
            b'"' => {
                in_string = true;
                out.push(byte);
            }
            _ => out.push(byte),
        }
    }
}

/// An object being written.
#[derive(Debug)]
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl Object<'_> {
    /// Begins a member; the caller writes exactly one JSON value to what is returned.
    pub fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        string(self.out, key);
        self.out.push(b':');
        self.out
    }

    /// Begins with what is known to be valid: members and a key, such as `"type":"text","text":`. The caller writes exactly
    /// one JSON value to what is returned.
    pub fn known(&mut self, text: &'static str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        self.out.extend_from_slice(text.as_bytes());
        self.out
    }

    /// A string member.
    pub fn string(&mut self, key: &str, text: &str) {
        string(self.key(key), text);
    }

    /// A string member, or nothing.
    pub fn optional_string(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.string(key, text);
        }
    }

    /// A boolean member.
    pub fn boolean(&mut self, key: &str, flag: bool) {
        self.raw(key, if flag { "true" } else { "false" });
    }

    /// A boolean member, or nothing.
    pub fn optional_boolean(&mut self, key: &str, flag: Option<bool>) {
        if let Some(flag) = flag {
            self.boolean(key, flag);
        }
    }

    /// An integer member.
    pub fn integer(&mut self, key: &str, number: i64) {
        value(self.key(key), &number);
    }

    /// An unsigned integer member.
    pub fn unsigned(&mut self, key: &str, number: u64) {
        value(self.key(key), &number);
    }

    /// A number member; whole numbers without a fraction, what is not finite as 0.
    pub fn number(&mut self, key: &str, number: f64) {
        write_number(self.key(key), number);
    }

    /// A member whose value is valid JSON text.
    pub fn raw(&mut self, key: &str, text: &str) {
        raw(self.key(key), text);
    }

    /// A member whose value is valid JSON text, or nothing.
    pub fn optional_raw(&mut self, key: &str, text: Option<&RawValue>) {
        if let Some(text) = text {
            self.raw(key, text.get());
        }
    }

    /// A member of any serialisable type.
    pub fn value<T: Serialize + ?Sized>(&mut self, key: &str, any: &T) {
        value(self.key(key), any);
    }

    /// A member that is an object.
    pub fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        object(self.key(key), fill);
    }

    /// A member that is an array.
    pub fn array(&mut self, key: &str, fill: impl FnOnce(&mut Array<'_>)) {
        array(self.key(key), fill);
    }

    /// A member that is an array of strings.
    pub fn strings<T: AsRef<str>>(&mut self, key: &str, items: &[T]) {
        self.array(key, |array| {
            for item in items {
                array.string(item.as_ref());
            }
        });
    }
}

/// An array being written.
#[derive(Debug)]
pub struct Array<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl Array<'_> {
    /// Begins an element; the caller writes exactly one JSON value to what is returned.
    pub fn element(&mut self) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        self.out
    }

    /// A string element.
    pub fn string(&mut self, text: &str) {
        string(self.element(), text);
    }

    /// An element that is an object.
    pub fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        object(self.element(), fill);
    }
}

/// JSON has no word for NaN or infinity; a progress of 0 hurts less than a broken message.
fn write_number(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        out.push(b'0');
        return;
    }
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        let mut text = String::new();
        // Display writes a whole float without a fraction, and negative zero as `-0`.
        if write!(text, "{number}").is_ok() {
            out.extend_from_slice(text.as_bytes());
        }
        return;
    }
    value(out, &number);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(out: Vec<u8>) -> String {
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_length_of_a_string_is_known_before_it_is_written() {
        let all: String = (0..0x100).filter_map(char::from_u32).collect();
        for text in ["", "plain", "\u{0}\u{1f}\u{7f}", "\u{2028}€\u{1f600}", &all] {
            let mut out = Vec::new();
            string(&mut out, text);
            assert_eq!(escaped_len(text), out.len() - 2, "{text:?}");
        }
    }

    #[test]
    fn commas_and_brackets() {
        let mut out = Vec::new();
        object(&mut out, |o| {
            o.string("a", "x\"\n");
            o.optional_string("b", None);
            o.object("c", |_| ());
            o.array("d", |a| {
                a.string("1");
                a.object(|o| o.unsigned("e", u64::MAX));
            });
            o.integer("f", -1);
            o.boolean("g", false);
            o.strings("h", &["i", "j"]);
            string(o.known(r#""k":1,"l":"#), "m");
        });
        assert_eq!(
            text(out),
            r#"{"a":"x\"\n","c":{},"d":["1",{"e":18446744073709551615}],"f":-1,"g":false,"h":["i","j"],"k":1,"l":"m"}"#
        );
    }

    #[test]
    fn numbers_are_always_json() {
        for (number, expected) in [
            (0.0, "0"),
            (50.0, "50"),
            (-3.0, "-3"),
            (0.5, "0.5"),
            (f64::NAN, "0"),
            (f64::INFINITY, "0"),
            (1e300, "1e+300"),
        ] {
            let mut out = Vec::new();
            write_number(&mut out, number);
            assert_eq!(text(out), expected);
        }
    }

    #[test]
    fn raw_text_keeps_to_one_line() {
        let mut out = Vec::new();
        raw(
            &mut out,
            "{\n \"a b\" : \"c \\\" \\n d\" ,\r\n\t\"e\": 1.0 }",
        );
        assert_eq!(text(out), r#"{"a b":"c \" \n d","e":1.0}"#);
        let mut out = Vec::new();
        raw(&mut out, "{ \"a\": 1 }");
        assert_eq!(text(out), "{ \"a\": 1 }");
    }

    #[test]
    fn compaction_refuses_what_is_not_json() {
        assert_eq!(compact(" [ 1 , \"\\\\\" ] ").unwrap().get(), r#"[1,"\\"]"#);
        assert_eq!(
            compact("{\"b\":1,\"a\":2}").unwrap().get(),
            "{\"b\":1,\"a\":2}"
        );
        for bad in ["", "{", "{} {}", "[1,]", "nul"] {
            assert!(compact(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn members_by_name() {
        let found = members(Raw::parse(r#"{"b":1,"\u0061":[2],"b":3}"#).unwrap()).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(name, raw)| (&**name, raw.get()))
            .collect();
        assert_eq!(found, [("a", "[2]"), ("b", "3")]);
        assert_eq!(members(Raw::parse("[1]").unwrap()), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_no_json() {
        #[track_caller]
        fn check(bytes: &[u8], expected: &str) {
            let read = from_bytes::<serde_json::Value>(bytes);
            let found = read.map_or_else(|error| error.to_string(), |value| value.to_string());
            assert_eq!(found, expected);
        }
        check(b"{\"a\":\"\xc3\xa4\"}", "{\"a\":\"\u{e4}\"}");
        check(
            b"[1,\n \"\xff\"]",
            "invalid unicode code point at line 2 column 3",
        );
        check(b"\xff", "invalid unicode code point at line 1 column 1");
        check(b"<p>\xff", "expected value at line 1 column 1");
    }

    #[test]
    fn a_value_that_cannot_be_json_is_null() {
        let map = std::collections::BTreeMap::from([((1, 2), 3)]);
        let mut out = b"x".to_vec();
        assert!(!try_value(&mut out, &map));
        assert_eq!(out, b"x");
        value(&mut out, &map);
        assert_eq!(out, b"xnull");
    }
}
