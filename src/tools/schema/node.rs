//! A compiled schema: nodes in one list that refer to each other by number, so that a schema may
//! contain itself. Rules that few nodes have are boxed.

use serde_json::Value;

use crate::sorted::SortedMap;

use super::decimal::Decimal;
use super::format::Format;
use super::kind::Kinds;
use super::pattern::Pattern;

/// The number of a node in the list.
pub(super) type NodeId = usize;

/// The node of this id among all of a schema.
#[expect(
    clippy::indexing_slicing,
    reason = "ids are given out with their nodes, which stay"
)]
pub(super) fn node(nodes: &[Node], id: NodeId) -> &Node {
    &nodes[id]
}

/// What one schema object, or `true` or `false`, says.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// `false`: no value will do.
    pub(super) is_never: bool,
    /// `writeOnly` or the format `password`, here or in a schema that applies to the same value: the
    /// value does not appear in any message.
    pub(super) is_secret: bool,
    /// `type`; all kinds if absent.
    pub(super) kinds: Option<Kinds>,
    /// What a value of another kind may be turned into: `type`, or the kinds of what `enum` lists.
    pub(super) targets: Kinds,
    /// `enum`, or `const` as a list of one.
    pub(super) values: Option<Box<Values>>,
    pub(super) number: Option<Box<NumberRules>>,
    pub(super) string: Option<Box<StringRules>>,
    pub(super) array: Option<Box<ArrayRules>>,
    pub(super) object: Option<Box<ObjectRules>>,
    /// Schemas that apply to the same value.
    pub(super) in_place: Option<Box<InPlace>>,
    /// `default`.
    pub(super) default: Option<Value>,
}

/// The values of `enum`, as given and in the form in which equal values are equal texts.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) given: Vec<Value>,
    pub(super) canonical: Vec<String>,
}

/// Bounds of a number.
#[derive(Clone, Debug, Default)]
pub(super) struct NumberRules {
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) above: Option<Bound>,
    pub(super) below: Option<Bound>,
    pub(super) step: Option<Bound>,
}

/// A number of the schema and how it was written there.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) decimal: Decimal,
    pub(super) text: String,
}

/// From and to, both allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
}

impl Count {
    pub(super) fn allows(self, count: usize) -> bool {
        self.least.is_none_or(|least| least <= count) && self.most.is_none_or(|most| count <= most)
    }
}

/// Rules for a string.
#[derive(Clone, Debug, Default)]
pub(super) struct StringRules {
    /// Of code points.
    pub(super) length: Count,
    pub(super) pattern: Option<Pattern>,
    pub(super) format: Option<Format>,
}

/// Rules for an array.
#[derive(Clone, Debug, Default)]
pub(super) struct ArrayRules {
    pub(super) count: Count,
    /// `prefixItems`.
    pub(super) first: Vec<NodeId>,
    /// `items`: all elements after those.
    pub(super) rest: Option<NodeId>,
    pub(super) is_unique: bool,
}

/// Rules for an object.
#[derive(Clone, Debug, Default)]
pub(super) struct ObjectRules {
    pub(super) count: Count,
    /// `properties`, if the schema has them.
    pub(super) properties: Option<SortedMap<String, NodeId>>,
    pub(super) required: Vec<String>,
    pub(super) additional: Additional,
    /// `propertyNames`.
    pub(super) names: Option<NodeId>,
}

/// Members that `properties` does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Additional {
    /// Nothing said: allowed, except among the arguments themselves.
    #[default]
    Unsaid,
    /// `false`.
    Refused,
    /// By this schema, which is `true` as a rule.
    Schema(NodeId),
}

/// Schemas that apply to the same value.
#[derive(Clone, Debug, Default)]
pub(super) struct InPlace {
    /// `$ref`, then `allOf`.
    pub(super) all: Vec<NodeId>,
    /// `anyOf`.
    pub(super) any: Option<Vec<NodeId>>,
    /// `oneOf`.
    pub(super) one: Option<Vec<NodeId>>,
    /// `not`.
    pub(super) not: Option<NodeId>,
}

impl InPlace {
    /// All of them but `not`, which says nothing about what the value is.
    pub(super) fn positive(&self) -> impl Iterator<Item = NodeId> {
        let choices = self.any.iter().chain(&self.one).flatten();
        self.all.iter().chain(choices).copied()
    }
}
