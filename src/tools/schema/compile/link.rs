//! What can be settled only when all schemas are known: references, circles, secrets, defaults.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "ids are places in `nodes`, the other lists are as long, and counts are of what is in them"
)]

use crate::sorted::SortedSet;

use super::super::check::Check;
use super::super::kind::Kind;
use super::super::node::{Additional, Node, NodeId};
use super::super::{Schema, SchemaProblem};
use super::{Compiler, Problem, in_place};

/// How many schemas may apply to the same value through one another.
const CHAIN_MAX: usize = 32;

impl Compiler {
    pub(super) fn link(mut self) -> Result<Schema, Problem> {
        self.resolve()?;
        let order = self.order()?;
        self.spread_secrets(&order);
        self.spread_defaults(&order);
        let known = self.known_arguments();
        self.check_names(known.as_ref())?;
        self.check_root()?;
        self.check_defaults()?;
        Ok(Schema {
            nodes: self.nodes,
            known,
            arrays_from_strings: false,
        })
    }

    fn resolve(&mut self) -> Result<(), Problem> {
        for (id, target, pointer) in std::mem::take(&mut self.references) {
            let Some(target) = self.by_place.get(&target) else {
                let text = format!("refers to `#{target}`, where there is no schema");
                return Err(Box::new(SchemaProblem { pointer, text }));
            };
            in_place(&mut self.nodes[id]).all.insert(0, *target);
        }
        Ok(())
    }

    fn at<T>(&self, id: NodeId, text: impl Into<String>) -> Result<T, Problem> {
        Err(Box::new(SchemaProblem {
            pointer: self.places[id].clone(),
            text: text.into(),
        }))
    }

    /// All nodes, each before those that apply to the same value through it. A circle among them
    /// would be checked for ever.
    fn order(&self) -> Result<Vec<NodeId>, Problem> {
        let mut entered = vec![0_usize; self.nodes.len()];
        for node in &self.nodes {
            for next in applied(node) {
                entered[next] += 1;
            }
        }
        let mut chain = vec![0_usize; self.nodes.len()];
        let is_first = |id: &NodeId| entered[*id] == 0;
        let mut order: Vec<NodeId> = (0..self.nodes.len()).filter(is_first).collect();
        let mut done = 0;
        while let Some(id) = order.get(done).copied() {
            done += 1;
            if chain[id] > CHAIN_MAX {
                return self.at(id, format!("applies to a value by more than {CHAIN_MAX} steps of `$ref`, `allOf` and the like"));
            }
            for next in applied(&self.nodes[id]) {
                chain[next] = chain[next].max(chain[id] + 1);
                entered[next] -= 1;
                if entered[next] == 0 {
                    order.push(next);
                }
            }
        }
        match entered.iter().position(|entered| *entered > 0) {
            Some(id) => self.at(
                id,
                "contains itself without going into a member or an element",
            ),
            None => Ok(order),
        }
    }

    /// A value is secret if any schema that applies to it says so.
    fn spread_secrets(&mut self, order: &[NodeId]) {
        for id in order.iter().rev() {
            let node = &self.nodes[*id];
            let is_secret = |id: NodeId| self.nodes[id].is_secret;
            if applied(node).into_iter().any(is_secret) {
                self.nodes[*id].is_secret = true;
            }
        }
    }

    /// A default may stand behind a `$ref`, or in a part of an `allOf`.
    fn spread_defaults(&mut self, order: &[NodeId]) {
        for id in order.iter().rev() {
            let node = &self.nodes[*id];
            if let (None, Some(in_place)) = (&node.default, &node.in_place) {
                let default = in_place
                    .all
                    .iter()
                    .find_map(|id| self.nodes[*id].default.clone());
                self.nodes[*id].default = default;
            }
        }
    }

    /// The names of all arguments, unless the schema leaves open which there are. JSON Schema leaves
    /// that open unless `additionalProperties` is false; for arguments nothing said means false, as
    /// an argument that is not known is a slip that must not pass.
    fn known_arguments(&self) -> Option<SortedSet<String>> {
        let mut known: Option<SortedSet<String>> = None;
        let mut seen = vec![false; self.nodes.len()];
        let mut waiting = vec![0];
        while let Some(id) = waiting.pop() {
            let node = &self.nodes[id];
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            if let Some(rules) = &node.object {
                if matches!(rules.additional, Additional::Schema(_)) {
                    return None;
                }
                if let Some(properties) = &rules.properties {
                    let names = properties.keys().cloned();
                    known.get_or_insert_default().extend(names);
                }
            }
            waiting.extend(
                node.in_place
                    .iter()
                    .flat_map(|in_place| in_place.positive()),
            );
        }
        known
    }

    /// A member that is required and refused makes every value wrong.
    fn check_names(&self, known: Option<&SortedSet<String>>) -> Result<(), Problem> {
        for (id, node) in self.nodes.iter().enumerate() {
            let Some(rules) = &node.object else { continue };
            for name in &rules.required {
                let is_declared = rules
                    .properties
                    .as_ref()
                    .is_some_and(|properties| properties.contains_key(name));
                let is_refused = !is_declared && rules.additional == Additional::Refused;
                let is_unknown = id == 0 && known.is_some_and(|known| !known.contains(name));
                if is_refused || is_unknown {
                    return self.at(id, format!("requires `{name}`, which `properties` lacks"));
                }
            }
        }
        Ok(())
    }

    fn check_root(&self) -> Result<(), Problem> {
        match &self.nodes[0] {
            Node { is_never: true, .. } => self.at(0, "allows nothing, expected an object"),
            Node {
                kinds: Some(kinds), ..
            } if !kinds.has(Kind::Object) => self.at(
                0,
                "has a `type` without `object`, which arguments always are",
            ),
            _ => Ok(()),
        }
    }

    /// A default is given to the tool without having come from anybody, so it must fit as it is.
    fn check_defaults(&self) -> Result<(), Problem> {
        for (id, node) in self.nodes.iter().enumerate() {
            let Some(default) = &node.default else {
                continue;
            };
            let problems = Check::strict(&self.nodes).problems(id, default);
            if let Some(problem) = problems.first() {
                let at = match problem.path.as_str() {
                    "" => String::new(),
                    path => format!(" at `{path}`"),
                };
                return self.at(
                    id,
                    format!("has a default that does not fit{at}: {}", problem.text),
                );
            }
        }
        Ok(())
    }
}

/// The nodes that apply to the same value as this one.
fn applied(node: &Node) -> Vec<NodeId> {
    let in_place = node.in_place.as_deref();
    let not = in_place.and_then(|in_place| in_place.not);
    in_place
        .into_iter()
        .flat_map(|in_place| in_place.positive())
        .chain(not)
        .collect()
}
