//! Who is asking and what they may do.

use std::fmt;
use std::rc::Rc;

use super::pattern::Pattern;

/// One right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// See metrics and status, reload.
    Admin,
    /// Publish events.
    Publish,
    /// List everything; call tools that only read.
    Read,
    /// Call every tool.
    Write,
}

impl Scope {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Admin, Self::Publish];

    /// As in the configuration and in `WWW-Authenticate`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Publish => "publish",
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of rights. `write` brings `read` with it: whoever may change a thing may look at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Every right.
    pub const ALL: Self = Self(0b1111);

    /// No right.
    pub const NONE: Self = Self(0);

    /// These, and one more.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        let implied = match scope {
            Scope::Write => Scope::Read.bit(),
            Scope::Admin | Scope::Publish | Scope::Read => 0,
        };
        Self(self.0 | scope.bit() | implied)
    }

    /// Whether `scope` is among them.
    #[must_use]
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Those among them.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        scopes.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().map(Scope::as_str).collect::<Vec<_>>().join(" "))
    }
}

/// A caller: the name of a token, or `anonymous`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// For logs, rate limits and the binding of sessions. Two callers are the same when their names are.
    pub name: Rc<str>,
    /// What it may do.
    pub scopes: Scopes,
    /// Which tools it may see and call; none means all.
    pub tools: Rc<[Pattern]>,
}

impl Principal {
    /// Whoever comes when authentication is off: may do everything.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            name: "anonymous".into(),
            scopes: Scopes::ALL,
            tools: Rc::new([]),
        }
    }

    /// Whether no tool is kept from this caller.
    #[must_use]
    pub fn may_call_everything(&self) -> bool {
        self.scopes.has(Scope::Read) && self.scopes.has(Scope::Write) && self.tools.is_empty()
    }

    /// Whether it may call this tool. A tool it may not call is not listed either.
    #[must_use]
    pub fn may_call(&self, tool: &str, read_only: bool) -> bool {
        let needed = if read_only { Scope::Read } else { Scope::Write };
        let is_named =
            self.tools.is_empty() || self.tools.iter().any(|pattern| pattern.matches(tool));
        self.scopes.has(needed) && is_named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(scopes: &[Scope], tools: &[&str]) -> Principal {
        let tools = tools.iter().map(|text| Pattern::new(text)).collect();
        Principal {
            name: "t".into(),
            scopes: scopes.iter().copied().collect(),
            tools,
        }
    }

    #[test]
    fn scopes_have_names_and_write_brings_read() {
        for scope in Scope::ALL {
            assert_eq!(Scope::of(scope.as_str()), Some(scope));
            assert!(Scopes::ALL.has(scope) && !Scopes::NONE.has(scope));
        }
        assert_eq!(Scope::of("Read"), None);
        let write: Scopes = [Scope::Write].into_iter().collect();
        assert!(write.has(Scope::Read) && !write.has(Scope::Admin) && !write.has(Scope::Publish));
        assert_eq!(write.to_string(), "read write");
        assert_eq!(Scopes::ALL, Scope::ALL.into_iter().collect());
    }

    #[test]
    fn tools_by_scope_and_pattern() {
        let reader = principal(&[Scope::Read], &[]);
        assert!(reader.may_call("device_cpu", true));
        assert!(!reader.may_call("wake_on_lan", false));
        let writer = principal(&[Scope::Write], &["grafana_*", "device_cpu"]);
        assert!(writer.may_call("grafana_update", false));
        assert!(writer.may_call("device_cpu", true));
        assert!(!writer.may_call("device_disks", true));
        assert!(!principal(&[Scope::Admin], &[]).may_call("device_cpu", true));
        assert!(Principal::anonymous().may_call("wake_on_lan", false));
    }
}
