//! Who may come in, from what the configuration says: tokens, the tokens of an issuer and its keys, and what clients
//! are told who have none.

use std::rc::Rc;

use crate::config::{self, Config};
use crate::gate::auth::{Auth, Tokens};
use crate::gate::jwt::{Algorithm, Algorithms, Grants, Jwt, Rules};
use crate::gate::resource::{Resource, audiences};
use crate::gate::{Pattern, Principal, Scope};

use super::jwks::{Jwks, Published, keys};
use super::packs::Outside;
use super::plan::PlanError;

/// What the door is made of.
pub struct Door {
    /// Who may come in.
    pub auth: Auth,
    /// What the others are told.
    pub resource: Option<Resource>,
    /// Where keys are fetched from.
    pub jwks: Option<Rc<Jwks>>,
}

impl Door {
    /// The door of a configuration.
    pub fn new(
        config: &Config,
        outside: &Outside,
        published: &Published,
    ) -> Result<Door, PlanError> {
        let tokens = tokens(config)?;
        if !config.auth.accepts_jwt() {
            return Ok(Door {
                auth: match config.asks_who() {
                    true => Auth::Tokens(tokens),
                    false => Auth::off(),
                },
                resource: resource(config, &Grants::default()),
                jwks: None,
            });
        }
        let (ring, jwks) = keys(config, outside, published)?;
        let rules = rules(&config.auth);
        Ok(Door {
            resource: resource(config, &rules.grants),
            auth: Auth::Jwt(tokens, Rc::new(Jwt::new(rules, ring))),
            jwks,
        })
    }
}

pub(super) fn refused(key: &'static str, problem: String) -> PlanError {
    PlanError::Jwt { key, problem }
}

fn tokens(config: &Config) -> Result<Tokens, PlanError> {
    let mut tokens = Tokens::default();
    for token in config.tokens() {
        let patterns = token.tools.iter().map(|text| Pattern::new(text));
        let principal = Principal {
            name: token.name.as_str().into(),
            scopes: token.scopes,
            tools: patterns.collect(),
        };
        tokens
            .add_digest(token.hash.0, principal)
            .map_err(|error| PlanError::Token {
                name: token.name.clone(),
                error,
            })?;
    }
    Ok(tokens)
}

fn rules(auth: &config::Auth) -> Rules {
    let or = |given: &[String], otherwise: &[&str]| -> Vec<String> {
        match given.is_empty() {
            true => otherwise.iter().map(|name| (*name).to_owned()).collect(),
            false => given.to_vec(),
        }
    };
    let algorithms = auth.jwt_algorithms.iter();
    let named = auth.grants().into_iter();
    let otherwise = auth.jwt_default_scopes.iter();
    Rules {
        issuer: auth.jwt_issuer.clone().unwrap_or_default(),
        audiences: (auth.resource.iter())
            .flat_map(|resource| audiences(resource))
            .chain(auth.jwt_audience.iter().cloned())
            .collect(),
        algorithms: match auth.jwt_algorithms.is_empty() {
            true => Algorithms::ALL,
            false => algorithms.filter_map(|name| Algorithm::of(name)).collect(),
        },
        leeway_s: i64::try_from(auth.jwt_leeway.as_secs()).unwrap_or_default(),
        scope_claims: or(&auth.jwt_scope_claims, &["scope", "scp"]),
        grants: Grants::new(
            named.map(|(name, grant)| (name.into(), grant)).collect(),
            otherwise.filter_map(|name| Scope::of(name)).collect(),
        ),
    }
}

fn resource(config: &Config, grants: &Grants) -> Option<Resource> {
    let auth = &config.auth;
    let identifier = auth.resource.as_ref()?;
    let servers = match auth.authorization_servers.is_empty() {
        true => auth.jwt_issuer.as_slice(),
        false => &auth.authorization_servers,
    };
    let server = &config.server;
    let name = server.title.as_ref().unwrap_or(&server.name);
    Some(Resource::new(identifier, name, servers, &grants.names()))
}
