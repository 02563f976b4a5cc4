//! Changes to a tree: taking nodes out, keeping some, joining texts.

use super::super::space::is_html_space;
use super::{Document, Kind, Node, NodeId, keeps_space};

impl Document {
    /// Takes a node out with all that is in it.
    pub fn remove(&mut self, id: NodeId) {
        let Node {
            parent,
            previous,
            next,
            ..
        } = *self.node(id);
        let Some(parent) = parent else {
            return;
        };
        match previous {
            Some(previous) => self.node_mut(previous).next = next,
            None => self.node_mut(parent).first_child = next,
        }
        match next {
            Some(next) => self.node_mut(next).previous = previous,
            None => self.node_mut(parent).last_child = previous,
        }
        let node = self.node_mut(id);
        (node.parent, node.previous, node.next) = (None, None, None);
    }

    /// Puts what is in an element in its place.
    pub fn unwrap(&mut self, id: NodeId) {
        let Node {
            parent,
            previous,
            next,
            first_child,
            last_child,
            ..
        } = *self.node(id);
        let (Some(parent), Some(first), Some(last)) = (parent, first_child, last_child) else {
            return self.remove(id);
        };
        let mut child = Some(first);
        while let Some(moved) = child {
            self.node_mut(moved).parent = Some(parent);
            child = self.next(moved);
        }
        match previous {
            Some(previous) => self.node_mut(previous).next = Some(first),
            None => self.node_mut(parent).first_child = Some(first),
        }
        match next {
            Some(next) => self.node_mut(next).previous = Some(last),
            None => self.node_mut(parent).last_child = Some(last),
        }
        self.node_mut(first).previous = previous;
        self.node_mut(last).next = next;
        let node = self.node_mut(id);
        (node.parent, node.previous, node.next) = (None, None, None);
        (node.first_child, node.last_child) = (None, None);
    }

    /// Makes a node the only one of the page.
    pub fn keep(&mut self, id: NodeId) {
        if id == self.root() {
            return;
        }
        self.remove(id);
        self.clear();
        self.append(self.root(), id);
    }

    /// Makes copies of these nodes, with what is in them, the page. Returns whether that took at most `nodes_max` nodes; what is
    /// beyond is missing.
    pub fn keep_copies(&mut self, kept: &[NodeId], nodes_max: usize) -> bool {
        let root = self.root();
        let mut copies = Vec::with_capacity(kept.len());
        let nodes_max = self.nodes.len().saturating_add(nodes_max);
        for id in kept {
            let copy = self.add(None, self.node(*id).kind);
            copies.push(copy);
            // Walks both trees at once; `at` is where the next copy belongs.
            let (mut from, mut at) = (*id, copy);
            loop {
                if self.nodes.len() > nodes_max {
                    return false;
                }
                if let Some(child) = self.first_child(from) {
                    at = self.add(Some(at), self.node(child).kind);
                    from = child;
                    continue;
                }
                while from != *id && self.next(from).is_none() {
                    (from, at) = (
                        self.parent(from).unwrap_or(*id),
                        self.parent(at).unwrap_or(copy),
                    );
                }
                let (false, Some(next), Some(above)) =
                    (from == *id, self.next(from), self.parent(at))
                else {
                    break;
                };
                at = self.add(Some(above), self.node(next).kind);
                from = next;
            }
        }
        self.clear();
        for copy in copies {
            self.append(root, copy);
        }
        true
    }

    /// Makes one of neighbouring texts, which removals leave, and shrinks those of white space alone as the parser does: what the
    /// page would be if it were written out and read again.
    pub fn merge_texts(&mut self) {
        let root = self.root();
        let mut at = self.first_child(root);
        // Behind the outermost element in which white space is kept, while inside; `None` in it is the end of the page.
        let mut kept_until: Option<Option<NodeId>> = None;
        while let Some(id) = at {
            if kept_until == Some(at) {
                kept_until = None;
            }
            if self.text_node(id).is_some() {
                self.merge_following(id);
                if kept_until.is_none() {
                    self.shrink(id);
                }
            } else if kept_until.is_none() && self.name(id).is_some_and(keeps_space) {
                // What follows an element is never merged into a text before it, so it will be met.
                kept_until = Some(self.after_subtree(id, root));
            }
            at = self.after(id, root);
        }
    }

    fn merge_following(&mut self, id: NodeId) {
        let mut merged = String::new();
        while let Some(next) = self.next(id) {
            let (Some(own), Some(text)) = (self.text_node(id), self.text_node(next)) else {
                break;
            };
            if merged.is_empty() {
                merged.push_str(own);
            }
            merged.push_str(text);
            self.remove(next);
        }
        if !merged.is_empty() {
            let range = self.add_text(|out| out.push_str(&merged));
            self.node_mut(id).kind = Kind::Text(range);
        }
    }

    /// White space alone becomes one line break, if there was one, or one space.
    pub(in crate::html) fn shrink(&mut self, id: NodeId) {
        let Some(text) = self.text_node(id) else {
            return;
        };
        if text.len() < 2 && text != "\t" || !text.chars().all(is_html_space) {
            return;
        }
        let space = if text.contains('\n') { "\n" } else { " " };
        let range = self.add_text(|out| out.push_str(space));
        self.node_mut(id).kind = Kind::Text(range);
    }
}
