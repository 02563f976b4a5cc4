//! A page as tokens: texts, tags, comments.
//!
//! Cut as the HTML standard's tokenizer does (13.2.5), with two leaves. `&` means nothing here, since it is read differently by us (see
//! [`super::reference`]), and `<![CDATA[` is text everywhere, not in foreign elements alone. What a comment or a declaration says is
//! not kept, so that all kinds of them are one. The whole page is there at once, which is why the standard's many states are searches.

use std::borrow::Cow;

/// Attributes of one element; further ones are not kept. They are searched one by one, and often.
const ATTRIBUTES_MAX: usize = 256;

/// A piece of the page. Names and values are as the page has them: see [`name_text`] and [`value_bytes`].
pub(super) enum Token<'t> {
    /// A comment or a declaration.
    Comment,
    /// `</name>`.
    EndTag { name: &'t [u8] },
    /// `<name …>`.
    StartTag {
        name: &'t [u8],
        attributes: &'t [Attribute<'t>],
        /// Whether it ended in `/>`.
        is_self_closing: bool,
    },
    /// All characters up to the next token of another kind.
    Text { value: &'t [u8] },
}

/// One attribute of a start tag; without `=`, its value is empty.
pub(super) struct Attribute<'t> {
    pub(super) name: &'t [u8],
    pub(super) value: &'t [u8],
}

/// A name of an element or an attribute, in lower case.
pub(super) fn name_text(name: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&value_bytes(name)).into_owned();
    text.make_ascii_lowercase();
    text
}

/// Text in which a zero byte, which HTML does not have, is U+FFFD.
pub(super) fn value_bytes(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&0) {
        return Cow::Borrowed(value);
    }
    let replaced: Vec<&[u8]> = value.split(|byte| *byte == 0).collect();
    Cow::Owned(replaced.join("\u{fffd}".as_bytes()))
}

/// Runs over a page whose line ends are `\n` alone.
pub(super) struct Tokens<'a> {
    /// What has not been read yet.
    rest: &'a [u8],
    /// The element whose text comes next, whatever it looks like.
    raw_text_of: Option<&'static str>,
    /// The characters since the last token: more than a slice of the page, as `</>` and what encloses CDATA leave no trace.
    text: Vec<u8>,
    attributes: Vec<Attribute<'a>>,
    /// What the characters stand in front of.
    markup: Option<Markup<'a>>,
}

/// What is not text. The attributes of a start tag are those of [`Tokens`].
enum Markup<'a> {
    Comment,
    EndTag {
        name: &'a [u8],
    },
    StartTag {
        name: &'a [u8],
        is_self_closing: bool,
    },
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a [u8]) -> Tokens<'a> {
        Tokens {
            rest: html,
            raw_text_of: None,
            text: Vec::new(),
            attributes: Vec::new(),
            markup: None,
        }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Option<Token<'_>> {
        if self.markup.is_none() {
            self.text.clear();
            self.markup = self.read();
            if !self.text.is_empty() {
                return Some(Token::Text { value: &self.text });
            }
        }
        Some(match self.markup.take()? {
            Markup::Comment => Token::Comment,
            Markup::EndTag { name } => Token::EndTag { name },
            Markup::StartTag {
                name,
                is_self_closing,
            } => Token::StartTag {
                name,
                attributes: &self.attributes,
                is_self_closing,
            },
        })
    }

    /// Takes what follows as text, up to the end tag of this name: 13.2.5.3, "RAWTEXT state".
    pub(super) fn expect_raw_text(&mut self, name: &'static str) {
        self.raw_text_of = Some(name);
    }

    /// Collects characters up to the next markup. None at the end, and when the page ends within a tag, which then is lost.
    fn read(&mut self) -> Option<Markup<'a>> {
        if let Some(name) = self.raw_text_of.take() {
            let len = raw_text_len(self.rest, name);
            let text = value_bytes(self.take(len));
            self.text.extend_from_slice(&text);
        }
        loop {
            let text = self.take_until(b"<");
            self.text.extend_from_slice(text);
            let rest = self.rest;
            match rest {
                [b'<', b'/', b'>', rest @ ..] => self.rest = rest,
                [b'<', b'/', rest @ ..] if begins_name(rest) => {
                    self.rest = rest;
                    let (name, _) = self.tag()?;
                    return Some(Markup::EndTag { name });
                }
                [b'<', rest @ ..] if begins_name(rest) => {
                    self.rest = rest;
                    let (name, is_self_closing) = self.tag()?;
                    return Some(Markup::StartTag {
                        name,
                        is_self_closing,
                    });
                }
                [b'<', b'!', b'-', b'-', rest @ ..] => {
                    self.rest = rest;
                    self.take(comment_len(rest));
                    return Some(Markup::Comment);
                }
                _ if rest.starts_with(b"<![CDATA[") => {
                    self.take(b"<![CDATA[".len());
                    let text = self.take_until(b"]]>");
                    self.text.extend_from_slice(text);
                    self.take(3);
                }
                // Declarations, and what the standard calls bogus comments, end alike.
                [b'<', b'!' | b'?', ..] | [b'<', b'/', _, ..] => {
                    self.take_until(b">");
                    self.take(1);
                    return Some(Markup::Comment);
                }
                [] => return None,
                // A lone `<`, and `</` at the very end.
                _ => {
                    let len = if rest == b"</" { 2 } else { 1 };
                    let text = self.take(len);
                    self.text.extend_from_slice(text);
                }
            }
        }
    }

    /// Reads a tag from its name on, to behind its `>`; its name and whether it ends in `/>`. None if it does not end.
    fn tag(&mut self) -> Option<(&'a [u8], bool)> {
        self.attributes.clear();
        let name = self.take_while(|byte| !ends_name(byte));
        loop {
            self.take_while(is_space);
            match self.rest {
                [] => return None,
                [b'>', rest @ ..] => {
                    self.rest = rest;
                    return Some((name, false));
                }
                [b'/', b'>', rest @ ..] => {
                    self.rest = rest;
                    return Some((name, true));
                }
                [b'/', rest @ ..] => self.rest = rest,
                _ => {
                    let attribute = self.attribute()?;
                    if self.attributes.len() < ATTRIBUTES_MAX {
                        self.attributes.push(attribute);
                    }
                }
            }
        }
    }

    fn attribute(&mut self) -> Option<Attribute<'a>> {
        // The first character belongs to the name even if it is `=`.
        let ends = |at, byte| at > 0 && (ends_name(byte) || byte == b'=');
        let mut bytes = self.rest.iter().enumerate();
        let len = bytes.position(|(at, byte)| ends(at, *byte));
        let name = self.take(len.unwrap_or(self.rest.len()));
        self.take_while(is_space);
        if self.rest.first() != Some(&b'=') {
            return Some(Attribute { name, value: &[] });
        }
        self.take(1);
        self.take_while(is_space);
        let value = match self.rest {
            [quote @ (b'"' | b'\''), ..] => {
                self.take(1);
                let value = self.take_until(&[*quote]);
                // Without its end, there is none of the tag either.
                self.take(1);
                value
            }
            _ => self.take_while(|byte| !is_space(byte) && byte != b'>'),
        };
        Some(Attribute { name, value })
    }

    /// Goes on by this much, or to the end.
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, is_wanted: fn(u8) -> bool) -> &'a [u8] {
        let len = self.rest.iter().position(|byte| !is_wanted(*byte));
        self.take(len.unwrap_or(self.rest.len()))
    }

    /// Goes on to `end`, or to the end of the page.
    fn take_until(&mut self, end: &[u8]) -> &'a [u8] {
        let found = find(self.rest, end).unwrap_or_default();
        self.take(len_before(found, self.rest))
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b' ')
}

/// The name of a tag.
fn begins_name(rest: &[u8]) -> bool {
    rest.first().is_some_and(u8::is_ascii_alphabetic)
}

fn ends_name(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'/' | b'>')
}

/// `text` from where `wanted` begins. What is looked for is short, and its first byte rare.
fn find<'t>(text: &'t [u8], wanted: &[u8]) -> Option<&'t [u8]> {
    let first = wanted.first()?;
    let mut rest = text;
    loop {
        let at = rest.iter().position(|byte| byte == first)?;
        rest = rest.get(at..)?;
        if rest.starts_with(wanted) {
            return Some(rest);
        }
        (_, rest) = rest.split_first()?;
    }
}

/// How much of `text` stands before its end `rest`.
fn len_before(rest: &[u8], text: &[u8]) -> usize {
    text.len().saturating_sub(rest.len())
}

/// From behind `<!--` to behind the end of the comment: 13.2.5.43 and following.
fn comment_len(rest: &[u8]) -> usize {
    for abrupt in [&b">"[..], b"->"] {
        if rest.starts_with(abrupt) {
            return abrupt.len();
        }
    }
    let mut inside = rest;
    while let Some(dashes) = find(inside, b"--") {
        for end in [&b"-->"[..], b"--!>"] {
            if let Some(behind) = dashes.strip_prefix(end) {
                return len_before(behind, rest);
            }
        }
        inside = dashes.get(1..).unwrap_or_default();
    }
    rest.len()
}

/// How long the text of an element is that holds text alone: up to its end tag.
fn raw_text_len(rest: &[u8], name: &str) -> usize {
    let mut inside = rest;
    while let Some(found) = find(inside, b"</") {
        let tag = found.get(2..).unwrap_or_default();
        let is_end = tag
            .split_at_checked(name.len())
            .is_some_and(|(tag, behind)| {
                tag.eq_ignore_ascii_case(name.as_bytes())
                    && behind.first().copied().is_some_and(ends_name)
            });
        if is_end {
            return len_before(found, rest);
        }
        inside = tag;
    }
    rest.len()
}

#[cfg(test)]
mod tests;
