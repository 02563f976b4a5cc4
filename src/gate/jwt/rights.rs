//! What the scopes of an issuer mean here.

use std::rc::Rc;

use crate::gate::pattern::Pattern;
use crate::gate::principal::{Principal, Scope, Scopes};

/// What one scope of a token gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A right.
    Scope(Scope),
    /// Tools it may call; who has one of these may call no others.
    Tools(Pattern),
}

impl Grant {
    /// Reads `read`, `write`, `admin`, `publish` or `tools:` and a pattern.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        match text.strip_prefix("tools:") {
            Some(pattern) => (!pattern.is_empty()).then(|| Self::Tools(Pattern::new(pattern))),
            None => Scope::of(text).map(Self::Scope),
        }
    }
}

/// A list of scopes and what each gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    named: Vec<(Rc<str>, Grant)>,
    /// The rights of a token whose scopes give none.
    otherwise: Scopes,
}

/// `read`, `write`, `admin` and `publish` mean themselves.
impl Default for Grants {
    fn default() -> Self {
        let own = |scope: Scope| (Rc::from(scope.as_str()), Grant::Scope(scope));
        Self {
            named: Scope::ALL.map(own).into(),
            otherwise: Scopes::NONE,
        }
    }
}

impl Grants {
    /// What `named` says; if that is nothing, the names of our own. `otherwise` is for tokens whose
    /// scopes give no right.
    #[must_use]
    pub fn new(named: Vec<(Rc<str>, Grant)>, otherwise: Scopes) -> Self {
        match named.is_empty() {
            true => Self {
                otherwise,
                ..Self::default()
            },
            false => Self { named, otherwise },
        }
    }

    /// All names, each once, in the order they were given: `scopes_supported` of RFC 9728.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.named {
            if !names.contains(&&**name) {
                names.push(name);
            }
        }
        names
    }

    /// What to ask the issuer for to get these rights: a name for each right that has one.
    #[must_use]
    pub fn asking_for(&self, scopes: Scopes) -> String {
        let name = |scope: Scope| {
            let given = Grant::Scope(scope);
            let found = self.named.iter().find(|(_, grant)| *grant == given);
            found.map(|(name, _)| &**name)
        };
        let mut names: Vec<&str> = scopes.iter().filter_map(name).collect();
        names.dedup();
        names.join(" ")
    }

    /// The caller `name` with a token of these scopes.
    pub(super) fn principal(&self, name: &str, scopes: &[String]) -> Principal {
        let mut rights = Scopes::NONE;
        let mut tools = Vec::new();
        for (given, grant) in &self.named {
            if !scopes.iter().any(|scope| **scope == **given) {
                continue;
            }
            match grant {
                Grant::Scope(scope) => rights = rights.with(*scope),
                Grant::Tools(pattern) => tools.push(pattern.clone()),
            }
        }
        Principal {
            name: name.into(),
            scopes: match rights == Scopes::NONE {
                true => self.otherwise,
                false => rights,
            },
            tools: tools.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[track_caller]
    fn check(grants: &Grants, names: &[&str], rights: &str, tools: usize) {
        let principal = grants.principal("jwt:x", &scopes(names));
        let got = (principal.scopes.to_string(), principal.tools.len());
        assert_eq!(got, (rights.to_owned(), tools), "{names:?}");
    }

    #[test]
    fn our_names_mean_themselves_until_others_are_given() {
        let own = Grants::default();
        check(&own, &["read"], "read", 0);
        check(
            &own,
            &["openid", "write", "publish"],
            "read write publish",
            0,
        );
        check(&own, &["admin", "admin"], "admin", 0);
        check(&own, &[], "", 0);
        check(&own, &["Read", "READ", "read ", "tools:*"], "", 0);
        assert_eq!(own, Grants::new(Vec::new(), Scopes::NONE));

        let named = |text: &[(&str, &str)]| -> Vec<(Rc<str>, Grant)> {
            let each = |(name, grant): &(&str, &str)| (Rc::from(*name), Grant::of(grant).unwrap());
            text.iter().map(each).collect()
        };
        let mapped = Grants::new(
            named(&[
                ("mcp:use", "write"),
                ("graphs", "read"),
                ("graphs", "tools:grafana_*"),
                ("root", "admin"),
                ("root", "write"),
            ]),
            Scopes::NONE.with(Scope::Read),
        );
        check(&mapped, &["mcp:use"], "read write", 0);
        check(&mapped, &["graphs"], "read", 1);
        check(&mapped, &["graphs", "root"], "read write admin", 1);
        // Our own names mean nothing any more.
        check(&mapped, &["admin"], "read", 0);
        check(&mapped, &[], "read", 0);
        assert_eq!(mapped.names(), ["mcp:use", "graphs", "root"]);
        let ask = |scope: Scope| mapped.asking_for(Scopes::NONE.with(scope));
        assert_eq!(ask(Scope::Write), "graphs mcp:use");
        assert_eq!(ask(Scope::Admin), "root");
        assert_eq!(ask(Scope::Publish), "");
        let only_tools = Grants::new(named(&[("t", "tools:x")]), Scopes::NONE);
        check(&only_tools, &["t"], "", 1);
        let only_tools = Grants::new(named(&[("t", "tools:x")]), Scopes::NONE.with(Scope::Read));
        check(&only_tools, &["t"], "read", 1);
    }

    #[test]
    fn a_grant_is_a_right_or_a_pattern() {
        for scope in Scope::ALL {
            assert_eq!(Grant::of(scope.as_str()), Some(Grant::Scope(scope)));
        }
        assert!(matches!(Grant::of("tools:x_*"), Some(Grant::Tools(_))));
        for other in ["", "tools:", "tool:x", "root", "READ", "read write"] {
            assert_eq!(Grant::of(other), None, "{other}");
        }
    }
}
