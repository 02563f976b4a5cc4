//! The tree of a page: one vector of nodes, linked by number.

mod edit;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::rc::Rc;

use super::select::{Selector, has_word};

/// A page. Nodes that are taken out stay in memory, out of reach, until the page goes.
#[derive(Debug)]
pub struct Document {
    nodes: Vec<Node>,
    /// Texts and attribute values; nodes hold ranges of it.
    text: String,
    attributes: Vec<Attribute>,
    names: Names,
}

/// A node of the page it was taken from; means nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeId(NonZeroU32);

/// One step of [`Document::walk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A node, before what is in it.
    Enter(NodeId),
    /// The same node, after what is in it.
    Leave(NodeId),
}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    parent: Option<NodeId>,
    first_child: Option<NodeId>,
    last_child: Option<NodeId>,
    previous: Option<NodeId>,
    next: Option<NodeId>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A comment, a declaration; what it says is not kept.
    Comment,
    /// An element: its name, and its attributes as a range of `Document::attributes`.
    Element(NameId, Range),
    /// The page itself.
    Root,
    /// A range of `Document::text`.
    Text(Range),
}

/// A name of an element or attribute, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameId(u32);

#[derive(Debug, Clone, Copy)]
struct Range {
    start: u32,
    len: u32,
}

#[derive(Debug, Clone, Copy)]
struct Attribute {
    name: NameId,
    value: Range,
}

/// Names are few, and compared often while parsing.
#[derive(Debug, Default)]
struct Names {
    texts: Vec<Rc<str>>,
    numbers: HashMap<Rc<str>, NameId>,
}

/// What is longer is cut off. No page is: it keeps every range in 32 bits, with room for what [`Document::merge_texts`] adds.
pub(super) const PAGE_BYTES_MAX: usize = 512 << 20;

/// The name of [`Document::root`], which no element can have.
const ROOT_NAME: &str = "[document]";

impl Document {
    pub(super) fn empty() -> Document {
        let mut document = Document {
            nodes: Vec::new(),
            text: String::new(),
            attributes: Vec::new(),
            names: Names::default(),
        };
        document.add(None, Kind::Root);
        document
    }

    /// The page itself, above all elements.
    pub fn root(&self) -> NodeId {
        NodeId(NonZeroU32::MIN)
    }

    /// The lower-case name of an element; none for text and comments.
    pub fn name(&self, id: NodeId) -> Option<&str> {
        match self.node(id).kind {
            Kind::Element(name, _) => Some(self.names.text(name)),
            Kind::Root => Some(ROOT_NAME),
            Kind::Comment | Kind::Text(_) => None,
        }
    }

    /// Whether this is an element of this name.
    pub fn is(&self, id: NodeId, name: &str) -> bool {
        self.name(id) == Some(name)
    }

    /// Whether this is an element, not text and not a comment.
    pub fn is_element(&self, id: NodeId) -> bool {
        matches!(self.node(id).kind, Kind::Element(..) | Kind::Root)
    }

    /// The text of a text node.
    pub fn text_node(&self, id: NodeId) -> Option<&str> {
        match self.node(id).kind {
            Kind::Text(range) => Some(self.slice(range)),
            _ => None,
        }
    }

    /// The value of an attribute, empty for one without value. Of several with one name the last counts.
    pub fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        let Kind::Element(_, range) = self.node(id).kind else {
            return None;
        };
        let attributes = self.attributes.get(range.indices()).unwrap_or_default();
        let last = attributes.iter().rev();
        let found = last
            .into_iter()
            .find(|attribute| self.names.text(attribute.name) == name)?;
        Some(self.slice(found.value))
    }

    /// Whether `class` is one of the classes of an element.
    pub fn has_class(&self, id: NodeId, class: &str) -> bool {
        let classes = self.attribute(id, "class");
        classes.is_some_and(|classes| has_word(classes, class))
    }

    /// The element around a node.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).parent
    }

    /// The node before it under the same parent.
    pub fn previous(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).previous
    }

    /// The node after it under the same parent.
    pub fn next(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).next
    }

    /// The first node inside.
    pub fn first_child(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).first_child
    }

    /// The nodes directly inside.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.first_child(id), |child| self.next(*child))
    }

    /// The nodes under the same parent that come after it.
    pub fn following(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.next(id), |sibling| self.next(*sibling))
    }

    /// The elements around a node, the nearest first, the page itself last.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.parent(id), |node| self.parent(*node))
    }

    /// All nodes inside, in the order of the page.
    pub fn descendants(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.first_child(id), move |node| self.after(*node, id))
    }

    /// All nodes inside, each met twice: on the way in and on the way out.
    pub fn walk(&self, top: NodeId) -> impl Iterator<Item = Step> {
        let first = self.first_child(top).map(Step::Enter);
        std::iter::successors(first, move |step| match *step {
            Step::Enter(id) => Some(self.first_child(id).map_or(Step::Leave(id), Step::Enter)),
            Step::Leave(id) => {
                let parent = || self.parent(id).filter(|parent| *parent != top);
                let next = self.next(id).map(Step::Enter);
                next.or_else(|| parent().map(Step::Leave))
            }
        })
    }

    /// The node that follows in the order of the page, within `top`.
    fn after(&self, id: NodeId, top: NodeId) -> Option<NodeId> {
        self.first_child(id).or_else(|| self.after_subtree(id, top))
    }

    /// The node that follows in the order of the page and is not inside `id`, within `top`.
    pub fn after_subtree(&self, id: NodeId, top: NodeId) -> Option<NodeId> {
        let mut node = id;
        loop {
            if node == top {
                return None;
            }
            if let Some(next) = self.next(node) {
                return Some(next);
            }
            node = self.parent(node)?;
        }
    }

    /// The elements inside that a selector fits, in the order of the page.
    pub fn select<'a>(
        &'a self,
        id: NodeId,
        selector: &'a Selector,
    ) -> impl Iterator<Item = NodeId> + 'a {
        self.descendants(id)
            .filter(|node| selector.fits(self, *node))
    }

    /// The first of them.
    pub fn find(&self, id: NodeId, selector: &Selector) -> Option<NodeId> {
        self.select(id, selector).next()
    }

    /// All text inside, without comments and without what stands directly in a script, a style sheet, a template or the reading of
    /// ruby text, unless it is asked of one of these itself.
    pub fn text(&self, id: NodeId) -> String {
        let mut out = String::new();
        for node in self.descendants(id) {
            let Some(text) = self.text_node(node) else {
                continue;
            };
            let parent = self.parent(node);
            let is_own = parent == Some(id);
            if is_own || !parent.is_some_and(|parent| self.is_apart(parent)) {
                out.push_str(text);
            }
        }
        out
    }

    /// Whether what stands directly in an element is no part of the text around it.
    pub fn is_apart(&self, id: NodeId) -> bool {
        let name = self.name(id).unwrap_or_default();
        ["rp", "rt", "script", "style", "template"].contains(&name)
    }

    // For the writer of Markdown.

    /// The name of an element by number.
    pub(super) fn name_id(&self, id: NodeId) -> Option<NameId> {
        match self.node(id).kind {
            Kind::Element(name, _) => Some(name),
            Kind::Comment | Kind::Root | Kind::Text(_) => None,
        }
    }

    /// All names, those of attributes too, in the order of their numbers.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.texts.iter().map(|text| &**text)
    }

    // For the parser.

    pub(super) fn intern(&mut self, name: &str) -> NameId {
        self.names.number(name)
    }

    pub(super) fn name_text(&self, name: NameId) -> &str {
        self.names.text(name)
    }

    /// Where the attributes of the next element begin.
    pub(super) fn attributes_len(&self) -> usize {
        self.attributes.len()
    }

    pub(super) fn add_attribute(&mut self, name: NameId, write: impl FnOnce(&mut String)) {
        let value = self.add_text(write);
        self.attributes.push(Attribute { name, value });
    }

    /// Adds an element with the attributes added since there were so many.
    pub(super) fn add_element(
        &mut self,
        parent: NodeId,
        name: NameId,
        attributes_from: usize,
    ) -> NodeId {
        let attributes = Range::of(attributes_from, self.attributes.len());
        self.add(Some(parent), Kind::Element(name, attributes))
    }

    pub(super) fn add_text_node(
        &mut self,
        parent: NodeId,
        write: impl FnOnce(&mut String),
    ) -> NodeId {
        let range = self.add_text(write);
        self.add(Some(parent), Kind::Text(range))
    }

    pub(super) fn add_comment(&mut self, parent: NodeId) {
        self.add(Some(parent), Kind::Comment);
    }

    // Inside.

    fn add(&mut self, parent: Option<NodeId>, kind: Kind) -> NodeId {
        self.nodes.push(Node {
            kind,
            parent: None,
            first_child: None,
            last_child: None,
            previous: None,
            next: None,
        });
        let number = u32::try_from(self.nodes.len())
            .ok()
            .and_then(NonZeroU32::new);
        #[expect(clippy::expect_used, reason = "it says why")]
        let id = NodeId(number.expect("a page of PAGE_BYTES_MAX has fewer nodes"));
        if let Some(parent) = parent {
            self.append(parent, id);
        }
        id
    }

    fn append(&mut self, parent: NodeId, id: NodeId) {
        let previous = self.node(parent).last_child;
        match previous {
            Some(previous) => self.node_mut(previous).next = Some(id),
            None => self.node_mut(parent).first_child = Some(id),
        }
        self.node_mut(parent).last_child = Some(id);
        let node = self.node_mut(id);
        (node.parent, node.previous, node.next) = (Some(parent), previous, None);
    }

    /// Leaves the page empty.
    fn clear(&mut self) {
        let root = self.node_mut(self.root());
        (root.first_child, root.last_child) = (None, None);
    }

    fn add_text(&mut self, write: impl FnOnce(&mut String)) -> Range {
        let start = self.text.len();
        write(&mut self.text);
        Range::of(start, self.text.len())
    }

    fn slice(&self, range: Range) -> &str {
        self.text.get(range.indices()).unwrap_or_default()
    }

    // Ids of other pages have no meaning, as `NodeId` says; ours are made with their node, and nodes stay.
    #[expect(clippy::indexing_slicing, reason = "a node is never taken out")]
    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    #[expect(clippy::indexing_slicing, reason = "as above")]
    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.index()]
    }
}

/// Whether white space is content inside an element of this name.
pub(super) fn keeps_space(name: &str) -> bool {
    matches!(name, "pre" | "textarea")
}

impl NodeId {
    fn index(self) -> usize {
        index(self.0.get() - 1)
    }
}

impl NameId {
    pub(super) fn index(self) -> usize {
        index(self.0)
    }
}

impl Range {
    fn of(start: usize, end: usize) -> Range {
        #[expect(clippy::expect_used, reason = "it says why")]
        let number = |size| u32::try_from(size).expect("a page is cut at PAGE_BYTES_MAX");
        Range {
            start: number(start),
            len: number(end.saturating_sub(start)),
        }
    }

    fn indices(self) -> std::ops::Range<usize> {
        let start = index(self.start);
        start..start.saturating_add(index(self.len))
    }
}

impl Names {
    fn number(&mut self, name: &str) -> NameId {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        #[expect(clippy::expect_used, reason = "it says why")]
        let number = NameId(u32::try_from(self.texts.len()).expect("fewer names than bytes"));
        let text: Rc<str> = name.into();
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        number
    }

    fn text(&self, name: NameId) -> &str {
        self.texts.get(name.index()).map_or("", |text| text)
    }
}

#[expect(clippy::expect_used, reason = "it says why")]
fn index(number: u32) -> usize {
    usize::try_from(number).expect("addresses have 32 bits at least")
}
