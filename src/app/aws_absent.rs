//! Stands in for `aws.rs` in a build without the feature `aws`: offers nothing, and says so where a partition is asked for.

use std::rc::Rc;

use crate::catalog::CatalogBuilder;
use crate::config::Config;

use super::packs::Outside;
use super::plan::PlanError;

/// What the AWS tools would remember.
#[derive(Default)]
pub struct Memory;

impl Memory {
    /// Nothing.
    pub fn new() -> Memory {
        Memory
    }
}

/// Adds nothing.
///
/// # Errors
/// A partition is asked for.
pub fn offer(
    _: &mut CatalogBuilder,
    config: &Config,
    _: &Outside,
    _: &Rc<Memory>,
) -> Result<(), PlanError> {
    match config.aws.partition {
        None => Ok(()),
        Some(_) => Err(PlanError::Feature {
            key: "aws.partition",
            feature: "aws",
        }),
    }
}

/// What the server says of itself: the operator's words.
pub fn instructions(config: &Config) -> Option<String> {
    config.server.instructions.clone()
}
