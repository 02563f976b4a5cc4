//! From tokens to the tree: a stack, and no rules about what may stand in what.
//!
//! An end tag closes up to the nearest open element of its name, and is ignored without one. `<x/>` closes at once, whatever `x` is.

use std::borrow::Cow;

use super::entities::Entities;
use super::reference::{decode_attribute, decode_text};
use super::tokens::{Attribute, Token, Tokens, name_text, value_bytes};
use super::tree::{Document, NameId, NodeId, PAGE_BYTES_MAX, keeps_space};

/// Elements that never have content, with those of the past.
const VOID: [&str; 24] = [
    "area", "base", "basefont", "bgsound", "br", "col", "command", "embed", "frame", "hr", "image",
    "img", "input", "isindex", "keygen", "link", "menuitem", "meta", "nextid", "param", "source",
    "spacer", "track", "wbr",
];

/// Elements that hold text alone, up to their end tag.
const RAW_TEXT: [&str; 2] = ["script", "style"];

/// Tokens between two pauses: a few milliseconds' worth on a small machine.
const SLICE_TOKENS: usize = 1_024;

/// A page as it came.
pub struct Source<'a> {
    /// With `\n` for every end of a line.
    html: Cow<'a, [u8]>,
}

impl<'a> Source<'a> {
    /// Any text is one.
    pub fn new(html: &'a str) -> Source<'a> {
        // Half a character at the end becomes U+FFFD.
        let html = html.as_bytes();
        let html = html.get(..PAGE_BYTES_MAX).unwrap_or(html);
        let html = match html.contains(&b'\r') {
            true => Cow::Owned(unify_line_ends(html)),
            false => Cow::Borrowed(html),
        };
        Source { html }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.html
    }
}

/// HTML standard, 13.2.3.5, "Preprocessing the input stream".
fn unify_line_ends(html: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(html.len());
    let mut last = 0;
    for byte in html {
        match byte {
            b'\r' => out.push(b'\n'),
            b'\n' if last == b'\r' => (),
            _ => out.push(*byte),
        }
        last = *byte;
    }
    out
}

/// A page being read, slice by slice, so that whoever shares the thread gets a turn.
pub struct Parsing<'a> {
    tokens: Tokens<'a>,
    builder: Builder,
}

impl<'a> Parsing<'a> {
    /// Nothing is read yet.
    pub fn new(source: &'a Source<'_>) -> Parsing<'a> {
        Parsing::into(Document::empty(), source)
    }

    fn into(document: Document, source: &'a Source<'_>) -> Parsing<'a> {
        Parsing {
            tokens: Tokens::new(&source.html),
            builder: Builder {
                document,
                entities: Entities::default(),
                open: Vec::new(),
                open_by_name: Vec::new(),
                keeping_space: 0,
            },
        }
    }

    /// Reads a little; whether there is more.
    pub fn advance(&mut self) -> bool {
        for _ in 0..SLICE_TOKENS {
            let Some(token) = self.tokens.next() else {
                return false;
            };
            if let Some(name) = self.builder.take(&token) {
                self.tokens.expect_raw_text(name);
            }
        }
        true
    }

    /// What was read. Elements that are open end here.
    pub fn finish(self) -> Document {
        self.builder.document
    }
}

impl Document {
    /// Reads a page. Any text is one.
    pub fn parse(html: &str) -> Document {
        let mut document = Document::empty();
        document.parse_more(html);
        document
    }

    /// Reads more of the page, as if it came behind all open elements were closed.
    pub fn parse_more(&mut self, html: &str) {
        let source = Source::new(html);
        let document = std::mem::replace(self, Document::empty());
        let mut parsing = Parsing::into(document, &source);
        while parsing.advance() {}
        *self = parsing.finish();
    }
}

struct Builder {
    document: Document,
    entities: Entities,
    /// The elements that are open, the innermost last.
    open: Vec<(NodeId, NameId)>,
    /// How many of them have each name, so that an end tag of none costs nothing however deep the stack is.
    open_by_name: Vec<u32>,
    /// How many of them keep white space.
    keeping_space: u32,
}

impl Builder {
    /// Adds the next token. Returns the name of the element whose text alone follows, if it opened such a one.
    fn take(&mut self, token: &Token<'_>) -> Option<&'static str> {
        match token {
            Token::Comment => self.document.add_comment(self.parent()),
            Token::EndTag { name } => {
                let name = self.document.intern(&name_text(name));
                self.end(name);
            }
            Token::StartTag {
                name,
                attributes,
                is_self_closing,
            } => return self.start(name, attributes, *is_self_closing),
            Token::Text { value } => self.text(value),
        }
        None
    }

    fn parent(&self) -> NodeId {
        self.open.last().map_or(self.document.root(), |(id, _)| *id)
    }

    fn start(
        &mut self,
        name: &[u8],
        attributes: &[Attribute<'_>],
        is_self_closing: bool,
    ) -> Option<&'static str> {
        let name_id = self.document.intern(&name_text(name));
        let attributes_from = self.document.attributes_len();
        for attribute in attributes {
            let name = self.document.intern(&name_text(attribute.name));
            let value = value_bytes(attribute.value);
            self.document
                .add_attribute(name, |out| decode_attribute(&value, &self.entities, out));
        }
        let parent = self.parent();
        let id = self.document.add_element(parent, name_id, attributes_from);
        let name = self.document.name_text(name_id);
        if is_self_closing || VOID.contains(&name) {
            return None;
        }
        let raw_text_of = RAW_TEXT.into_iter().find(|raw| *raw == name);
        let keeps_space = u32::from(keeps_space(name));
        self.keeping_space = self.keeping_space.saturating_add(keeps_space);
        self.open.push((id, name_id));
        let at = name_id.index();
        if self.open_by_name.len() <= at {
            self.open_by_name.resize(at.saturating_add(1), 0);
        }
        if let Some(open) = self.open_by_name.get_mut(at) {
            *open = open.saturating_add(1);
        }
        raw_text_of
    }

    fn end(&mut self, name: NameId) {
        if self
            .open_by_name
            .get(name.index())
            .is_none_or(|open| *open == 0)
        {
            return;
        }
        while let Some((_, closed)) = self.open.pop() {
            if let Some(open) = self.open_by_name.get_mut(closed.index()) {
                *open = open.saturating_sub(1);
            }
            let keeps_space = u32::from(keeps_space(self.document.name_text(closed)));
            self.keeping_space = self.keeping_space.saturating_sub(keeps_space);
            if closed == name {
                break;
            }
        }
    }

    fn text(&mut self, value: &[u8]) {
        let parent = self.parent();
        let id = self
            .document
            .add_text_node(parent, |out| decode_text(value, &self.entities, out));
        if self.keeping_space == 0 {
            self.document.shrink(id);
        }
    }
}
