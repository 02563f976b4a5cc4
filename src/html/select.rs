//! The few selectors that are needed, compared as style sheets do: names, ids and classes exactly.

use super::tree::{Document, NodeId};

/// What an element must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector {
    /// One of this class: `.content`.
    Class(&'static str),
    /// The one with this id: `#content`.
    Id(&'static str),
    /// One of this name: `main`.
    Tag(&'static str),
    /// One of this name with this value of an attribute: `div[role='main']`.
    TagWith(&'static str, &'static str, &'static str),
}

impl Selector {
    /// Whether it fits a node.
    pub fn fits(&self, document: &Document, id: NodeId) -> bool {
        match *self {
            Selector::Class(class) => document.has_class(id, class),
            Selector::Id(value) => document.attribute(id, "id") == Some(value),
            Selector::Tag(name) => document.is(id, name),
            Selector::TagWith(name, attribute, value) => {
                document.is(id, name) && document.attribute(id, attribute) == Some(value)
            }
        }
    }
}
