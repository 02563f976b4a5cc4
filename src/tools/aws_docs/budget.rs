//! How much one page may cost. What is asked of elements within elements, their text or their rows, is read anew for every level, so
//! that a page of a megabyte could cost the square of that.

use crate::html::{Document, NodeId, Selector, TooMuchWork, space};

/// Nodes looked at, bytes of text and cells made, that are left.
pub struct Budget(usize);

/// A page of a few megabytes has a million nodes, and is walked about ten times.
const WORK_MAX: usize = 16 << 20;

impl Budget {
    /// That of one page.
    pub fn new() -> Budget {
        Budget::of(WORK_MAX)
    }

    /// A smaller one, for tests.
    pub fn of(work_max: usize) -> Budget {
        Budget(work_max)
    }

    /// Takes a cost off.
    pub fn spend(&mut self, cost: usize) -> Result<(), TooMuchWork> {
        self.0 = self.0.checked_sub(cost).ok_or(TooMuchWork)?;
        Ok(())
    }

    /// The text of an element, on one line.
    pub fn line(&mut self, document: &Document, id: NodeId) -> Result<String, TooMuchWork> {
        self.walk(document, id)?;
        let text = document.text(id);
        self.spend(text.len())?;
        Ok(space::collapse(&text))
    }

    /// The elements of this name inside.
    pub fn select(
        &mut self,
        document: &Document,
        id: NodeId,
        name: &'static str,
    ) -> Result<Vec<NodeId>, TooMuchWork> {
        self.walk(document, id)?;
        Ok(document.select(id, &Selector::Tag(name)).collect())
    }

    /// Pays for a walk over all that is inside. Found out by walking, which is of the same order and cheaper.
    pub fn walk(&mut self, document: &Document, id: NodeId) -> Result<(), TooMuchWork> {
        self.spend(document.descendants(id).count())
    }
}
