//! Callers by the certificate they shook hands with.
//!
//! Whether to believe a certificate has been decided in the handshake; here it gets a name and rights, for each request
//! anew, so that a reload changes them on connections that are open.

use std::rc::Rc;

use crate::gate::Principal;
use crate::gate::auth::Standing;
use crate::rt::tls::PeerCertificate;

/// What tells a certificate from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// SHA-256 of the certificate.
    Fingerprint([u8; 32]),
    /// One of its names, word for word.
    Subject(Box<str>),
}

/// The certificates of a configuration. Names are theirs alone, also beside those of tokens.
#[derive(Clone, Default)]
pub struct Certificates(Vec<(Mark, Rc<Principal>)>);

impl Certificates {
    /// Adds one.
    pub fn add(&mut self, mark: Mark, principal: Principal) {
        self.0.push((mark, Rc::new(principal)));
    }

    /// Whose certificate this is. A fingerprint says more than a name; of several names, the first that is configured.
    #[must_use]
    pub fn caller(&self, shown: &PeerCertificate) -> Option<Rc<Principal>> {
        let exact = Mark::Fingerprint(shown.fingerprint);
        let is_named = |mark: &Mark| match mark {
            Mark::Fingerprint(_) => false,
            Mark::Subject(name) => shown.names.contains(name),
        };
        let by_print = self.0.iter().find(|(mark, _)| *mark == exact);
        let found = by_print.or_else(|| self.0.iter().find(|(mark, _)| is_named(mark)));
        found.map(|(_, principal)| Rc::clone(principal))
    }

    /// The caller of this name.
    #[must_use]
    pub fn principal(&self, name: &str) -> Option<Rc<Principal>> {
        let mut principals = self.0.iter().map(|(_, principal)| principal);
        principals.find(|known| &*known.name == name).cloned()
    }

    /// Whether this caller came by one of them.
    #[must_use]
    pub fn knows(&self, caller: &Rc<Principal>) -> bool {
        let mut principals = self.0.iter().map(|(_, principal)| principal);
        principals.any(|known| Rc::ptr_eq(known, caller))
    }

    /// What becomes of the caller `name` when these replace `old`; none if no certificate is theirs.
    #[must_use]
    pub fn standing(&self, old: &Self, name: &str) -> Option<Standing> {
        let new = self.principal(name)?;
        Some(match old.principal(name) {
            Some(old) if old == new => Standing::Same,
            _ => Standing::Changed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(name: &str) -> Principal {
        Principal {
            name: name.into(),
            ..Principal::anonymous()
        }
    }

    fn certificates() -> Certificates {
        let mut all = Certificates::default();
        all.add(Mark::Subject("ann".into()), principal("ann"));
        all.add(Mark::Subject("bob.lan".into()), principal("bob"));
        all.add(Mark::Fingerprint([7; 32]), principal("exactly"));
        all
    }

    #[track_caller]
    fn check(fingerprint: u8, names: &[&str], expected: Option<&str>) {
        let shown = PeerCertificate {
            fingerprint: [fingerprint; 32],
            names: names.iter().map(|name| (*name).into()).collect(),
        };
        let all = certificates();
        let caller = all.caller(&shown);
        assert_eq!(caller.as_ref().map(|caller| &*caller.name), expected);
        assert!(caller.is_none_or(|caller| all.knows(&caller)));
    }

    #[test]
    fn certificates_are_told_by_fingerprint_and_then_by_name_word_for_word() {
        check(0, &["ann"], Some("ann"));
        check(0, &["x", "bob.lan"], Some("bob"));
        check(0, &["bob.lan", "ann"], Some("ann"));
        check(7, &["ann"], Some("exactly"));
        check(0, &["Ann"], None);
        check(0, &["ann.lan"], None);
        check(0, &["ann\0"], None);
        check(0, &[], None);
    }

    #[test]
    fn a_reload_leaves_callers_changes_them_or_knows_them_no_more() {
        let (old, mut new) = (certificates(), Certificates::default());
        let read_only = Principal {
            scopes: crate::gate::Scopes::NONE,
            ..principal("ann")
        };
        new.add(Mark::Subject("ann".into()), read_only);
        new.add(Mark::Subject("bob.new".into()), principal("bob"));
        assert_eq!(new.standing(&old, "ann"), Some(Standing::Changed));
        assert_eq!(new.standing(&old, "bob"), Some(Standing::Same));
        assert_eq!(new.standing(&old, "exactly"), None);
        assert!(!new.knows(&old.principal("bob").unwrap()));
    }
}
