//! Stands in for `trial.rs` in a build without the feature `packs`: there is nothing to try.

use std::path::{Path, PathBuf};

use crate::cli::{ExitCode, Failure, PackFile, Trial};
use crate::config::Config;

/// No pack is begun.
pub(super) fn new_pack(_: &Path, _: &str, _: &str) -> Result<PathBuf, Failure> {
    Err(absent())
}

/// No pack is read.
pub(super) fn read_pack(_: &Path) -> Result<PackFile, Failure> {
    Err(absent())
}

/// No tool is tried.
pub(super) fn try_tool(_: &Config, _: &Path, _: &str, _: &str) -> Result<Trial, Failure> {
    Err(absent())
}

fn absent() -> Failure {
    Failure::new(
        ExitCode::Unavailable,
        "this siskin is built without the feature `packs`",
    )
}
