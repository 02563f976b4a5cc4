//! `redact`: secrets that a service shows to whoever may ask are not shown to a model.
//!
//! Runs before anything is chosen and cannot be switched off by an argument.

use serde_json::Value;

use super::compile::Compiler;
use super::path::Path;
use super::spec::RedactSpec;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// What is masked.
#[derive(Clone, Debug, Default)]
pub(super) struct Redact {
    env: Vec<Path>,
    values: Vec<Path>,
    /// Parts of names.
    keys: Vec<String>,
}

impl Redact {
    pub(super) fn compile(compiler: &mut Compiler<'_>, spec: &RedactSpec) -> Redact {
        let mut redact = Redact::default();
        redact.env.extend(
            spec.env
                .iter()
                .filter_map(|path| compiler.place("env", path)),
        );
        redact.values.extend(
            spec.values
                .iter()
                .filter_map(|path| compiler.place("values", path)),
        );
        for key in &spec.keys {
            match key.get_ref().is_empty() {
                true => compiler.problem(
                    key.span(),
                    "`keys`: an empty word is part of every name: write part of a name",
                ),
                false => redact.keys.push(key.get_ref().clone()),
            }
        }
        redact
    }

    pub(super) fn apply(&self, item: &mut Value) {
        for path in &self.env {
            path.visit_mut(item, &mut mask_env);
        }
        for path in &self.values {
            path.visit_mut(item, &mut |value| {
                if !value.is_null() {
                    *value = Value::String(MASK.into());
                }
            });
        }
        if !self.keys.is_empty() {
            self.mask_named(item);
        }
    }

    /// Masks what is under a telling name, at any depth. A value is as deep as its JSON text was,
    /// and the reader allows 128.
    fn mask_named(&self, value: &mut Value) {
        match value {
            Value::Array(elements) => elements
                .iter_mut()
                .for_each(|element| self.mask_named(element)),
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match self
                        .keys
                        .iter()
                        .any(|key| contains_ignoring_case(name, key))
                    {
                        true => mask_leaves(member),
                        false => self.mask_named(member),
                    }
                }
            }
            _ => (),
        }
    }
}

/// `NAME=secret` becomes `NAME=***`; a name without a value says nothing.
fn mask_env(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(at) = text.find('=') {
                text.truncate(at.saturating_add(1));
                text.push_str(MASK);
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(mask_env),
        Value::Object(members) => members.values_mut().for_each(mask_leaves),
        _ => (),
    }
}

/// Masks texts and numbers; that something is set, or not, may be seen.
fn mask_leaves(value: &mut Value) {
    match value {
        Value::String(_) | Value::Number(_) => *value = Value::String(MASK.into()),
        Value::Array(elements) => elements.iter_mut().for_each(mask_leaves),
        Value::Object(members) => members.values_mut().for_each(mask_leaves),
        Value::Bool(_) | Value::Null => (),
    }
}

fn contains_ignoring_case(name: &str, part: &str) -> bool {
    name.as_bytes()
        .windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}
