//! A page as Markdown.
//!
//! This file walks the tree and joins what the parts come to: white space at the edges of blocks goes, and where two pieces meet their
//! line breaks become one gap of at most an empty line. What each element turns into stands in `element` and `table`.
//!
//! The rules are those of the converter that people's prompts and notes were made with, oddities included, so that the same page gives
//! the same text; the samples under `tests/fixtures/aws-docs` hold it to that.

mod element;
mod table;

use std::fmt;

use super::space::{is_blank, is_plain_space, is_space};
use super::{Document, NodeId};

/// Steps and moved bytes that one page may cost. Every level of nesting moves the text inside it, so that a page of tags within tags
/// costs the square of its size. Real pages of a megabyte stay below a tenth of this.
pub const WORK_MAX: usize = 1 << 30;
/// Bytes of Markdown held at once. Cells that span a thousand columns each grow a page sixtyfold.
pub const HELD_BYTES_MAX: usize = 32 << 20;

/// The page nests so deep, or grows so much, that it is not converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuchWork;

impl fmt::Display for TooMuchWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = HELD_BYTES_MAX >> 20;
        write!(
            f,
            "the page nests too deeply for its size, or comes to more than {mebibytes} MiB as Markdown"
        )
    }
}

impl std::error::Error for TooMuchWork {}

/// The page as Markdown, without line breaks at its ends.
pub fn to_markdown(document: &Document) -> Result<String, TooMuchWork> {
    let mut conversion = Conversion::new(document);
    loop {
        if let Some(done) = conversion.advance() {
            return done;
        }
    }
}

/// A page being converted, slice by slice, so that whoever shares the thread gets a turn.
pub struct Conversion<'a> {
    document: &'a Document,
    edges: Edges,
    /// The elements being converted, the innermost last.
    frames: Vec<Frame>,
    /// Bytes in all their `out`.
    held_bytes: usize,
    work: Work,
    held_bytes_max: usize,
}

/// Work between two pauses: a few milliseconds' worth on a small machine.
const SLICE_WORK: usize = 256 << 10;

/// Counts steps and moved bytes.
struct Work {
    done: usize,
    max: usize,
}

impl Work {
    /// Counts; call it before what it counts is done.
    fn add(&mut self, cost: usize) {
        self.done = self.done.saturating_add(cost);
    }

    /// Whether the page is given up. What is written from then on is thrown away.
    fn is_too_much(&self) -> bool {
        self.done > self.max
    }
}

/// An element whose children are being converted.
struct Frame {
    id: NodeId,
    /// The child to look at next.
    child: Option<NodeId>,
    /// What its children are inside of.
    inside: Inside,
    /// What the children so far came to.
    out: String,
    /// Line breaks at the end of `out` that the next piece's may share; those of a piece that is nothing else do not count.
    tail: usize,
    /// Children so far that are `li`.
    items: u64,
}

/// What an element stands inside of, at any distance.
#[derive(Debug, Clone, Copy, Default)]
struct Inside {
    /// `pre`: white space is content.
    pre: bool,
    /// `pre`, `code`, `kbd`, `samp`: no formatting and no escapes.
    literal: bool,
    /// A heading or a cell of a table: everything on one line.
    line: bool,
    /// `li`.
    item: bool,
    /// How many `ul`.
    bullets: usize,
}

enum Step {
    Going,
    Done(String),
}

impl Frame {
    fn new(document: &Document, id: NodeId, around: Inside) -> Frame {
        let name = document.name(id).unwrap_or_default();
        let inside = Inside {
            pre: around.pre || name == "pre",
            literal: around.literal || matches!(name, "code" | "kbd" | "pre" | "samp"),
            line: around.line || matches!(name, "td" | "th") || heading_level(name).is_some(),
            item: around.item || name == "li",
            bullets: around.bullets.saturating_add(usize::from(name == "ul")),
        };
        Frame {
            id,
            child: document.first_child(id),
            inside,
            out: String::new(),
            tail: 0,
            items: 0,
        }
    }

    /// Adds what a child came to.
    fn push(&mut self, piece: String) {
        if piece.is_empty() {
            return;
        }
        let rest = piece.trim_start_matches('\n');
        let lead = piece.len().saturating_sub(rest.len());
        let tail = rest.trim_end_matches('\n').len();
        let tail = rest.len().saturating_sub(tail);
        if self.inside.pre {
            self.out.push_str(&piece);
        } else if self.out.is_empty() {
            // Not copied: this is what elements within elements cost.
            self.out = piece;
        } else if self.tail > 0 && lead > 0 {
            let is_paragraph = self.tail.max(lead) > 1;
            self.out.truncate(self.out.len().saturating_sub(self.tail));
            self.out.push_str(if is_paragraph { "\n\n" } else { "\n" });
            self.out.push_str(rest);
        } else {
            self.out.push_str(&piece);
        }
        self.tail = tail;
    }
}

impl<'a> Conversion<'a> {
    /// Nothing is converted yet.
    pub fn new(document: &'a Document) -> Conversion<'a> {
        Conversion::within(document, WORK_MAX, HELD_BYTES_MAX)
    }

    /// The same with other limits, for tests.
    pub(super) fn within(
        document: &'a Document,
        work_max: usize,
        held_bytes_max: usize,
    ) -> Conversion<'a> {
        Conversion {
            document,
            edges: Edges(document.names().map(Edge::of).collect()),
            frames: vec![Frame::new(document, document.root(), Inside::default())],
            held_bytes: 0,
            work: Work {
                done: 0,
                max: work_max,
            },
            held_bytes_max,
        }
    }

    /// Converts a little; what came of it, once there is nothing left to do.
    pub fn advance(&mut self) -> Option<Result<String, TooMuchWork>> {
        let slice_end = self.work.done.saturating_add(SLICE_WORK);
        while self.work.done < slice_end {
            if let Step::Done(text) = self.step() {
                return Some(Ok(text));
            }
            if self.work.is_too_much() || self.held_bytes > self.held_bytes_max {
                return Some(Err(TooMuchWork));
            }
        }
        None
    }

    fn step(&mut self) -> Step {
        let Some(frame) = self.frames.last_mut() else {
            return Step::Done(String::new());
        };
        self.work.add(1);
        if let Some(child) = frame.child {
            frame.child = self.document.next(child);
            if let Some(text) = self.document.text_node(child) {
                let piece = text_piece(self.document, &self.edges, child, text, frame.inside);
                self.push(piece);
            } else if self.document.is_element(child) {
                let inside = frame.inside;
                self.frames.push(Frame::new(self.document, child, inside));
            }
            return Step::Going;
        }
        let Some(done) = self.frames.pop() else {
            return Step::Done(String::new());
        };
        self.held_bytes = self.held_bytes.saturating_sub(done.out.len());
        let Some(parent) = self.frames.last_mut() else {
            return Step::Done(done.out.trim_matches('\n').to_owned());
        };
        let element = element::Element {
            document: self.document,
            id: done.id,
            around: parent.inside,
            items_before: parent.items,
        };
        let is_item = self.document.is(done.id, "li");
        parent.items = parent.items.saturating_add(u64::from(is_item));
        let piece = element.markdown(done.out, &mut self.work);
        self.push(piece);
        Step::Going
    }

    fn push(&mut self, piece: String) {
        self.work.add(piece.len());
        if let Some(frame) = self.frames.last_mut() {
            let others = self.held_bytes.saturating_sub(frame.out.len());
            frame.push(piece);
            self.held_bytes = others.saturating_add(frame.out.len());
        }
    }
}

/// What a text comes to.
fn text_piece(
    document: &Document,
    edges: &Edges,
    id: NodeId,
    text: &str,
    inside: Inside,
) -> String {
    let (before, after) = (document.previous(id), document.next(id));
    let parent = document.parent(id);
    let is_in_block = parent.is_some_and(|parent| edges.of(document, parent) == Edge::Block);
    let is_at = |neighbour: Option<NodeId>| match neighbour {
        None => is_in_block,
        Some(neighbour) => edges.of(document, neighbour) != Edge::Open,
    };
    if is_blank(text) && (is_at(before) || is_at(after)) {
        return String::new();
    }
    let mut piece = match inside.pre {
        true => text.to_owned(),
        false => one_space(text),
    };
    let is_marked = |piece: &str| piece.bytes().any(|byte| matches!(byte, b'*' | b'_'));
    if !inside.literal && is_marked(&piece) {
        piece = piece.replace('*', "\\*").replace('_', "\\_");
    }
    if is_at(before) {
        let kept = piece.trim_start_matches(is_plain_space).len();
        piece.drain(..piece.len().saturating_sub(kept));
    }
    if is_at(after) {
        piece.truncate(piece.trim_end_matches(is_space).len());
    }
    piece
}

/// Each run of white space as one line break, if it holds one, or one space.
fn one_space(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Byte by byte: all of these are ASCII, and most of a page passes through here.
    let is_space = |byte: u8| is_plain_space(char::from(byte));
    while let Some((text, spaces)) = rest
        .bytes()
        .position(is_space)
        .and_then(|at| rest.split_at_checked(at))
    {
        out.push_str(text);
        let run = || spaces.bytes().take_while(|byte| is_space(*byte));
        let has_break = run().any(|byte| matches!(byte, b'\n' | b'\r'));
        out.push(if has_break { '\n' } else { ' ' });
        rest = spaces.get(run().count()..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Whether white space next to the edges of an element means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// Nothing, inside and outside.
    Block,
    /// It means what it says.
    Open,
    /// Nothing outside; inside it is content.
    Pre,
}

impl Edge {
    /// That of the elements of a name.
    fn of(name: &str) -> Edge {
        match name {
            "article" | "blockquote" | "dd" | "div" | "dl" | "dt" | "li" | "ol" | "p"
            | "section" | "table" | "tbody" | "td" | "tfoot" | "th" | "thead" | "tr" | "ul" => {
                Edge::Block
            }
            "pre" => Edge::Pre,
            _ if heading_level(name).is_some() => Edge::Block,
            _ => Edge::Open,
        }
    }
}

/// That of every name of the page, by its number: each text asks for those of all its neighbours.
struct Edges(Vec<Edge>);

impl Edges {
    fn of(&self, document: &Document, id: NodeId) -> Edge {
        let name = document.name_id(id);
        let known = name.and_then(|name| self.0.get(name.index()));
        known.copied().unwrap_or(Edge::Open)
    }
}

/// The level of `h1`, `h2` and so on; what lies beyond 6 counts as 6.
fn heading_level(name: &str) -> Option<usize> {
    let digits = name.strip_prefix('h')?;
    let len = digits.bytes().take_while(u8::is_ascii_digit).count();
    let number = digits.get(..len).filter(|number| !number.is_empty())?;
    Some(number.parse().unwrap_or(6).clamp(1, 6))
}
