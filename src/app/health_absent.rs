//! Stands in for `health.rs` in a build without the feature `tls`, which speaks to no server over it.

use crate::cli::HttpsAsk;

/// Says that it cannot be asked.
pub fn https_status(_ask: &HttpsAsk<'_>) -> Result<u16, String> {
    Err(crate::rt::tls::TlsProblem::NotBuiltIn.to_string())
}
