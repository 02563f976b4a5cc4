//! Stands in for `jwks.rs` in a build without the feature `jwt`, which then needs no HTTP client for it: there are no keys
//! of an issuer.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use crate::config::Config;
use crate::gate::jwt::KeyRing;
use crate::transport::site::KeySource;

use super::auth::refused;
use super::packs::Outside;
use super::plan::PlanError;

/// What outlives a reload: nothing.
#[derive(Clone, Default)]
pub struct Published(());

/// Finds none.
///
/// # Errors
/// Always: whoever configures an issuer is told first that the feature is not built in.
pub(super) fn keys(
    _: &Config,
    _: &Outside,
    _: &Published,
) -> Result<(KeyRing, Option<Rc<Jwks>>), PlanError> {
    let problem = "this program was built without the feature `jwt`".to_owned();
    Err(refused("auth.jwt_issuer", problem))
}

/// Published keys, of which there are none.
pub enum Jwks {}

impl Jwks {
    /// Nothing to fetch.
    pub async fn check(self: &Rc<Jwks>) -> Result<usize, String> {
        match **self {}
    }
}

/// For the transport.
pub struct Source(pub Rc<Jwks>);

impl KeySource for Source {
    fn refresh(&self) -> Pin<Box<dyn Future<Output = bool>>> {
        match *self.0 {}
    }

    fn used(&self) {
        match *self.0 {}
    }

    fn are_here(&self) -> bool {
        match *self.0 {}
    }
}
