//! From tokens to the tree: a stack, and no rules about what may stand in what.
//!
//! An end tag closes up to the nearest open element of its name, and is ignored without one. `<x/>` closes at once, whatever `x` is.

use std::cell::RefCell;
use std::rc::Rc;

use super::reference::{decode_attribute, decode_text};
use super::tokens::{AMPERSAND, Event, Sink, Tokens};
use super::tree::{Document, NameId, NodeId, PAGE_BYTES_MAX, keeps_space};

/// Elements that never have content, with those of the past.
const VOID: [&str; 24] = [
    "area", "base", "basefont", "bgsound", "br", "col", "command", "embed", "frame", "hr", "image",
    "img", "input", "isindex", "keygen", "link", "menuitem", "meta", "nextid", "param", "source",
    "spacer", "track", "wbr",
];

/// Attributes of one element; further ones are not kept. They are searched one by one, and often.
const ATTRIBUTES_MAX: usize = 256;

/// A page as it came.
pub struct Source {
    /// UTF-8 but for [`AMPERSAND`].
    hidden: Vec<u8>,
}

impl Source {
    /// Any text is one.
    pub fn new(html: &str) -> Source {
        // Half a character at the end becomes U+FFFD.
        let cut = html.len().min(PAGE_BYTES_MAX);
        let mut hidden = html.as_bytes()[..cut].to_vec();
        for byte in &mut hidden {
            if *byte == b'&' {
                *byte = AMPERSAND;
            }
        }
        Source { hidden }
    }
}

/// A page being read, slice by slice, so that whoever shares the thread gets a turn.
pub struct Parsing<'a> {
    tokens: Tokens<'a>,
    builder: Rc<RefCell<Builder>>,
}

impl<'a> Parsing<'a> {
    /// Nothing is read yet.
    pub fn new(source: &'a Source) -> Parsing<'a> {
        Parsing::into(Document::empty(), source)
    }

    fn into(document: Document, source: &'a Source) -> Parsing<'a> {
        let builder = Rc::new(RefCell::new(Builder {
            document,
            open: Vec::new(),
            open_by_name: Vec::new(),
            keeping_space: 0,
            tag: None,
            is_in_raw_text: false,
        }));
        Parsing {
            tokens: Tokens::new(&source.hidden, builder.clone()),
            builder,
        }
    }

    /// Reads a little; whether there is more.
    pub fn advance(&mut self) -> bool {
        self.tokens.advance()
    }

    /// What was read. Elements that are open end here.
    pub fn finish(self) -> Document {
        let mut builder = self.builder.borrow_mut();
        std::mem::replace(&mut builder.document, Document::empty())
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
    /// The elements that are open, the innermost last.
    open: Vec<(NodeId, NameId)>,
    /// How many of them have each name, so that an end tag of none costs nothing however deep the stack is.
    open_by_name: Vec<u32>,
    /// How many of them keep white space.
    keeping_space: u32,
    /// The start tag being read.
    tag: Option<Tag>,
    is_in_raw_text: bool,
}

struct Tag {
    name: NameId,
    attributes_from: usize,
    attribute: Option<NameId>,
}

impl Sink for Builder {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::OpenStartTag { name } => {
                self.tag = Some(Tag {
                    name: self.name(name),
                    attributes_from: self.document.attributes_len(),
                    attribute: None,
                });
            }
            Event::AttributeName { name } => {
                self.end_attribute(&[]);
                let name = self.name(name);
                if let Some(tag) = &mut self.tag {
                    tag.attribute = Some(name);
                }
            }
            Event::AttributeValue { value } => self.end_attribute(value),
            Event::CloseStartTag { self_closing } => {
                self.end_attribute(&[]);
                if let Some(tag) = self.tag.take() {
                    self.start(&tag, self_closing);
                }
            }
            Event::EndTag { name } => {
                self.tag = None;
                let name = self.name(name);
                self.end(name);
            }
            Event::String { value } => self.text(value),
            Event::Comment { .. } | Event::Doctype { .. } => {
                self.document.add_comment(self.parent())
            }
            Event::Error(_) => (),
        }
    }

    fn is_in_raw_text(&self) -> bool {
        self.is_in_raw_text
    }
}

impl Builder {
    fn parent(&self) -> NodeId {
        self.open.last().map_or(self.document.root(), |(id, _)| *id)
    }

    fn name(&mut self, name: &[u8]) -> NameId {
        match std::str::from_utf8(name) {
            Ok(name) => self.document.intern(name),
            Err(_) => self.document.intern(&String::from_utf8_lossy(name)),
        }
    }

    fn end_attribute(&mut self, value: &[u8]) {
        let Some(tag) = &mut self.tag else {
            return;
        };
        let is_one_more = self.document.attributes_len() - tag.attributes_from < ATTRIBUTES_MAX;
        if let Some(name) = tag.attribute.take().filter(|_| is_one_more) {
            self.document
                .add_attribute(name, |out| decode_attribute(value, out));
        }
    }

    fn start(&mut self, tag: &Tag, self_closing: bool) {
        let id = self
            .document
            .add_element(self.parent(), tag.name, tag.attributes_from);
        let name = self.document.name_text(tag.name);
        self.is_in_raw_text = false;
        if self_closing || VOID.contains(&name) {
            return;
        }
        self.is_in_raw_text = matches!(name, "script" | "style");
        self.keeping_space += u32::from(keeps_space(name));
        self.open.push((id, tag.name));
        let at = tag.name.index();
        if self.open_by_name.len() <= at {
            self.open_by_name.resize(at + 1, 0);
        }
        self.open_by_name[at] += 1;
    }

    fn end(&mut self, name: NameId) {
        self.is_in_raw_text = false;
        if self
            .open_by_name
            .get(name.index())
            .is_none_or(|open| *open == 0)
        {
            return;
        }
        while let Some((_, closed)) = self.open.pop() {
            self.open_by_name[closed.index()] -= 1;
            self.keeping_space -= u32::from(keeps_space(self.document.name_text(closed)));
            if closed == name {
                break;
            }
        }
    }

    fn text(&mut self, value: &[u8]) {
        let parent = self.parent();
        let id = self
            .document
            .add_text_node(parent, |out| decode_text(value, out));
        if self.keeping_space == 0 {
            self.document.shrink(id);
        }
    }
}
