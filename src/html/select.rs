//! The few selectors that are needed, compared as style sheets do: names, ids and classes exactly.

use super::space::is_html_space;
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
    /// The first of several that fits a node. Looks up once what each of them would ask for.
    pub fn first_fit(selectors: &[Selector], document: &Document, id: NodeId) -> Option<usize> {
        let name = document.name(id)?;
        let (own_id, classes) = (
            document.attribute(id, "id"),
            document.attribute(id, "class"),
        );
        let fits = |selector: &Selector| match *selector {
            Selector::Class(class) => classes.is_some_and(|classes| has_word(classes, class)),
            Selector::Id(value) => own_id == Some(value),
            Selector::Tag(tag) => name == tag,
            Selector::TagWith(tag, attribute, value) => {
                name == tag && document.attribute(id, attribute) == Some(value)
            }
        };
        selectors.iter().position(fits)
    }

    /// Whether it fits a node.
    pub fn fits(&self, document: &Document, id: NodeId) -> bool {
        match *self {
            // Asked most often, and of texts too.
            Selector::Tag(name) => document.is(id, name),
            _ => Selector::first_fit(&[*self], document, id).is_some(),
        }
    }
}

/// Whether one of the words of an attribute like `class` is this one.
pub(super) fn has_word(words: &str, wanted: &str) -> bool {
    words.split(is_html_space).any(|word| word == wanted)
}
