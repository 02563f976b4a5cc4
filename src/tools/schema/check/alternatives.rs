//! Schemas that may apply to a value or not: `anyOf`, `oneOf`, `not`.

use serde_json::Value;

use super::super::node::{InPlace, NodeId};
use super::super::path::{Edit, Path};
use super::super::words::found;
use super::super::{ArgumentProblem, PROBLEMS_MAX};
use super::{Check, Mode, Place};

/// An alternative that fits.
pub(super) struct Taken {
    changed: Option<Value>,
    edits: Vec<Edit>,
}

impl Check<'_> {
    /// `anyOf`, `oneOf` and `not`. An alternative that fits as it is goes before one that would have
    /// to change the value.
    pub(super) fn visit_choices(
        &mut self,
        in_place: &InPlace,
        value: &Value,
        place: &Place<'_>,
    ) -> Option<Value> {
        let mut changed: Option<Value> = None;
        if let Some(ids) = &in_place.any {
            changed = self.choose(ids, false, value, place);
        }
        if let Some(ids) = &in_place.one {
            let value = changed.as_ref().unwrap_or(value);
            changed = self.choose(ids, true, value, place).or(changed);
        }
        if let Some(id) = in_place.not {
            let value = changed.as_ref().unwrap_or(value);
            if self
                .attempt(id, value, place.path, place.is_secret, Mode::Strict)
                .is_ok()
            {
                self.unfit(place, value);
            }
        }
        changed
    }

    fn choose(
        &mut self,
        ids: &[NodeId],
        only_one: bool,
        value: &Value,
        place: &Place<'_>,
    ) -> Option<Value> {
        let modes: &[Mode] = match self.mode {
            Mode::Coerce => &[Mode::Strict, Mode::Coerce],
            Mode::Strict => &[Mode::Strict],
        };
        let mut refusals = Vec::new();
        for mode in modes {
            let mut taken: Option<(NodeId, Taken)> = None;
            refusals.clear();
            for id in ids {
                match self.attempt(*id, value, place.path, place.is_secret, *mode) {
                    Ok(_) if taken.is_some() && only_one => {
                        self.problem(place.path, || {
                            let found = found(value, place.is_secret);
                            format!(
                                "found {found}, which fits more than one of the forms it may have"
                            )
                        });
                        return None;
                    }
                    Ok(fitting) => {
                        taken.get_or_insert((*id, fitting));
                    }
                    Err(problems) => refusals.push((*id, problems)),
                }
                if taken.is_some() && !only_one {
                    break;
                }
            }
            let Some((id, fitting)) = taken else { continue };
            // Fitting as it is, it may still have defaults to fill in.
            let fitting = match (self.mode, mode) {
                (Mode::Coerce, Mode::Strict) => self
                    .attempt(id, value, place.path, place.is_secret, Mode::Coerce)
                    .unwrap_or(fitting),
                _ => fitting,
            };
            self.edits.extend(fitting.edits);
            return fitting.changed;
        }
        self.refuse_all(refusals, value, place);
        None
    }

    /// No alternative fits. If there is but one of the value's type, what is wrong with the value by
    /// that one says more than a list of all.
    fn refuse_all(
        &mut self,
        refusals: Vec<(NodeId, Vec<ArgumentProblem>)>,
        value: &Value,
        place: &Place<'_>,
    ) {
        let here = place.path.text();
        let mut inner = refusals
            .into_iter()
            .map(|(_, problems)| problems)
            .filter(|problems| problems.iter().all(|problem| problem.path != here));
        match (inner.next(), inner.next()) {
            (Some(problems), None) => {
                let room = PROBLEMS_MAX.saturating_sub(self.problems.len());
                self.problems.extend(problems.into_iter().take(room));
            }
            _ => self.unfit(place, value),
        }
    }

    /// Tries one schema on its own; neither its problems nor its edits are kept.
    pub(super) fn attempt(
        &mut self,
        id: NodeId,
        value: &Value,
        path: &Path<'_>,
        is_secret: bool,
        mode: Mode,
    ) -> Result<Taken, Vec<ArgumentProblem>> {
        let mode = std::mem::replace(&mut self.mode, mode);
        let problems = std::mem::take(&mut self.problems);
        let edits = std::mem::take(&mut self.edits);
        let changed = self.visit(id, value, path, is_secret);
        self.mode = mode;
        let problems = std::mem::replace(&mut self.problems, problems);
        let edits = std::mem::replace(&mut self.edits, edits);
        match problems.is_empty() {
            true => Ok(Taken { changed, edits }),
            false => Err(problems),
        }
    }
}
