//! Where the values of one layer stand: a file's text, a variable or the command line.

use std::path::Path;
use std::sync::Arc;

use super::error::Origin;

/// Where a layer's values stand.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    File {
        path: &'a Arc<str>,
        text: &'a str,
        folder: &'a Path,
    },
    Environment {
        name: &'a str,
        folder: &'a Path,
    },
    CommandLine {
        folder: &'a Path,
    },
}

impl<'a> Place<'a> {
    pub(super) fn folder(self) -> &'a Path {
        match self {
            Place::File { folder, .. }
            | Place::Environment { folder, .. }
            | Place::CommandLine { folder } => folder,
        }
    }

    /// How the operator wrote the key here.
    pub(super) fn name(self, written: &str) -> String {
        match self {
            Place::Environment { name, .. } => name.to_owned(),
            Place::File { .. } | Place::CommandLine { .. } => written.to_owned(),
        }
    }

    pub(super) fn origin(self, offset: Option<usize>) -> Origin {
        match self {
            Place::File { path, text, .. } => {
                let (line, column) = offset.map_or((0, 0), |offset| position(text, offset));
                Origin::File {
                    path: path.clone(),
                    line,
                    column,
                }
            }
            Place::Environment { name, .. } => Origin::Environment {
                name: name.to_owned(),
            },
            Place::CommandLine { .. } => Origin::CommandLine,
        }
    }
}

/// Line and column of a byte, both from 1, the column in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = String::from_utf8_lossy(&before[line_start..])
        .chars()
        .count()
        + 1;
    (line, column)
}
