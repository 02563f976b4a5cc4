//! Who may come in, from what the configuration says: tokens, the tokens of an issuer and its keys, and what clients
//! are told who have none.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use crate::client::{Client, Trust, TrustSettings, Url};
use crate::config::{self, Config};
use crate::gate::auth::{Auth, Tokens};
use crate::gate::jwt::{self, Algorithm, Algorithms, Grants, Jwt, Key, KeyRing, Keys, Rules};
use crate::gate::resource::{Resource, audiences};
use crate::gate::{Pattern, Principal, Scope};
use crate::rt::Clock;

use super::jwks::Jwks;
use super::plan::PlanError;

/// A file of keys is no longer than this.
const KEY_FILE_BYTES_MAX: u64 = 256 * 1024;

/// The published keys of an issuer, which outlive a reload: it must not fail because the issuer is away.
#[derive(Clone, Default)]
pub struct Published(Rc<RefCell<Option<Rc<Jwks>>>>);

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
    pub fn new(config: &Config, client: &Client, published: &Published) -> Result<Door, PlanError> {
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
        if !jwt::IS_BUILT_IN {
            let problem = "this program was built without the feature `jwt`".to_owned();
            return Err(refused("auth.jwt_issuer", problem));
        }
        let (ring, jwks) = keys(config, client, published)?;
        let rules = rules(&config.auth);
        Ok(Door {
            resource: resource(config, &rules.grants),
            auth: Auth::Jwt(tokens, Rc::new(Jwt::new(rules, ring))),
            jwks,
        })
    }
}

fn refused(key: &'static str, problem: String) -> PlanError {
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

fn keys(
    config: &Config,
    client: &Client,
    published: &Published,
) -> Result<(KeyRing, Option<Rc<Jwks>>), PlanError> {
    let auth = &config.auth;
    if let Some(path) = &auth.jwt_key_file {
        const KEY: &str = "auth.jwt_key_file";
        let named = |problem: String| refused(KEY, format!("`{}`: {problem}", path.display()));
        let bytes = read(path).map_err(named)?;
        let keys = Keys::of_file(&bytes).map_err(|error| named(error.to_string()))?;
        return Ok((KeyRing::new(keys), None));
    }
    if let Some(secret) = &auth.jwt_secret {
        let key = Key::secret(secret.expose().as_bytes());
        let keys = key.and_then(|key| Keys::of(vec![key]));
        let keys = keys.map_err(|error| refused("auth.jwt_secret", error.to_string()))?;
        return Ok((KeyRing::new(keys), None));
    }
    let url = auth.jwt_jwks_url.as_deref().unwrap_or_default();
    let url = Url::parse(url).map_err(|error| refused("auth.jwt_jwks_url", error.to_string()))?;
    let chosen = TrustSettings {
        ca_file: auth.jwt_jwks_ca_file.clone(),
        ..TrustSettings::default()
    };
    let trust = match chosen == TrustSettings::default() {
        true => Trust::standard(),
        false => Trust::new(chosen)
            .map_err(|error| refused("auth.jwt_jwks_ca_file", error.to_string()))?,
    };
    let known = published.0.borrow().clone();
    let jwks = match known.filter(|jwks| jwks.are_of(&url)) {
        Some(jwks) => {
            jwks.renew(trust);
            jwks
        }
        None => Jwks::new(url, client.clone(), trust, Clock::system()),
    };
    published.0.replace(Some(Rc::clone(&jwks)));
    Ok((jwks.ring(), Some(jwks)))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read ({error})");
    let len = std::fs::metadata(path).map_err(cannot)?.len();
    if len > KEY_FILE_BYTES_MAX {
        return Err(format!(
            "{len} bytes, expected at most {KEY_FILE_BYTES_MAX}"
        ));
    }
    std::fs::read(path).map_err(cannot)
}
