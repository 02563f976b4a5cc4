//! Where the values of one layer stand: a file's text, a variable or the command line.

use std::path::Path;
use std::sync::Arc;

use crate::position::position;

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
