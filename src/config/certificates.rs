//! Client certificates: whose each is and what its holder may do. What rules there are between the keys of our own TLS
//! stands here too; the files are read by who uses them.

use crate::gate::{Scope, Scopes};

use super::Config;
use super::auth::{TokenHash, parse_name, parse_patterns, parse_scopes, show_list};
use super::error::{Fault, Problem};
use super::given::{Context, Given, for_each_key, pairs, parse_members};
use super::kind::quote;
use super::listen::table;

/// A named client certificate and its rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Shown in logs, and whose its sessions are.
    pub name: String,
    /// Which certificate it is.
    pub mark: CertificateMark,
    /// What its holder may do.
    pub scopes: Scopes,
    /// Tools its holder may call, `*` standing for any text; empty means all.
    pub tools: Vec<String>,
}

/// What tells a certificate from others that the same authority has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateMark {
    /// SHA-256 of the certificate; another one for the same holder has another.
    Fingerprint([u8; 32]),
    /// Its common name or one of its alternative names, word for word.
    Subject(String),
}

impl Config {
    /// Whether callers have to say who they are, by a token or a certificate.
    pub fn asks_who(&self) -> bool {
        !self.auth.certificates.is_empty() || self.asks_for_token()
    }

    /// Whether nobody shakes hands with us who has no certificate.
    pub fn requires_certificates(&self) -> bool {
        self.tls.client_ca_file.is_some() && self.tls.client_cert_required
    }
}

/// Certificates that cannot be told from another, or from a token.
pub(super) fn conflicts(config: &Config) -> Vec<Problem> {
    let all = &config.auth.certificates;
    let mut problems = Vec::new();
    let mut conflict = |one: &str, other: &str| {
        problems.push(Problem::SameCaller {
            one: one.to_owned(),
            other: other.to_owned(),
        });
    };
    for (one, other) in pairs(all) {
        if one.name == other.name || one.mark == other.mark {
            conflict(&one.name, &other.name);
        }
    }
    for token in config.tokens() {
        if all.iter().any(|one| one.name == token.name) {
            conflict(&token.name, &token.name);
        }
    }
    problems
}

/// Keys of ours that need another: each with the one that is missing.
pub(super) fn incomplete(config: &Config) -> Vec<(&'static str, &'static str)> {
    let tls = &config.tls;
    let (cert, key) = (tls.cert_file.is_some(), tls.key_file.is_some());
    let is_wanted = |listener: &super::Listener| listener.tls == Some(true);
    let rules = [
        (cert && !key, "tls.cert_file", "`tls.key_file`"),
        (key && !cert, "tls.key_file", "`tls.cert_file`"),
        (
            tls.client_ca_file.is_some() && !cert && !key,
            "tls.client_ca_file",
            "`tls.cert_file`",
        ),
        (
            tls.client_cert_required && tls.client_ca_file.is_none(),
            "tls.client_cert_required",
            "`tls.client_ca_file`",
        ),
        (
            !config.auth.certificates.is_empty() && tls.client_ca_file.is_none(),
            "auth.certificates",
            "`tls.client_ca_file`",
        ),
        (
            config.server.listeners.iter().any(is_wanted) && !cert,
            "server.listeners",
            "`tls.cert_file`",
        ),
    ];
    let broken = rules.into_iter().filter(|(is_broken, ..)| *is_broken);
    broken.map(|(_, key, missing)| (key, missing)).collect()
}

pub(super) const EXPECTED: &str = "a list of tables, each with `name`, one of `subject` and `fingerprint`, and \
                                   optionally `scopes` and `tools`";
const MEMBERS: [&str; 5] = ["fingerprint", "name", "scopes", "subject", "tools"];

pub(super) fn parse_certificates(
    given: Given<'_>,
    context: Context<'_>,
) -> Result<Vec<Certificate>, Vec<Fault>> {
    parse_members(given, &mut |member| parse_one(member, context))
}

fn parse_one(given: Given<'_>, context: Context<'_>) -> Result<Certificate, Vec<Fault>> {
    let Some(table) = table(given) else {
        let expected = "a table with `name` and `subject`";
        return Err(vec![
            given.fault(Problem::expected(expected, given.found())),
        ]);
    };
    let mut name = None;
    let mut marks = Vec::new();
    let mut scopes = Scopes::NONE.with(Scope::Read).with(Scope::Write);
    let mut tools = Vec::new();
    let mut faults = for_each_key(table, &MEMBERS, &mut |key, member| {
        let one = |problem| vec![member.fault(problem)];
        let mut mark = |found: Result<CertificateMark, Problem>| {
            marks.push(found.as_ref().ok().cloned());
            found.map(|_| ()).map_err(one)
        };
        Some(match key {
            "name" => parse_name(member)
                .map(|found| name = Some(found))
                .map_err(one),
            "subject" => mark(parse_subject(member)),
            "fingerprint" => mark(parse_fingerprint(member)),
            "scopes" => parse_scopes(member).map(|found| scopes = found),
            "tools" => parse_patterns(member, context).map(|found| tools = found),
            _ => return None,
        })
    });
    if !table.contains_key("name") {
        faults.push(given.fault(Problem::Required { what: "`name`" }));
    }
    if marks.len() != 1 {
        let expected = "one of `subject` and `fingerprint`";
        let found = if marks.is_empty() { "none" } else { "both" };
        faults.push(given.fault(Problem::expected(expected, found)));
    }
    match (name, marks.pop().flatten()) {
        (Some(name), Some(mark)) if faults.is_empty() => Ok(Certificate {
            name,
            mark,
            scopes,
            tools,
        }),
        _ => Err(faults),
    }
}

fn parse_subject(given: Given<'_>) -> Result<CertificateMark, Problem> {
    let is_sound =
        |text: &&str| (1..=255).contains(&text.len()) && !text.contains(char::is_control);
    let subject = given.text().filter(is_sound);
    let subject = subject.map(|text| CertificateMark::Subject(text.to_owned()));
    subject.ok_or_else(|| {
        let expected = "the common name or an alternative name, without the word before it, as in `laptop.lan`";
        Problem::expected(expected, given.found())
    })
}

/// As tools print it: hexadecimal, with or without colons.
fn parse_fingerprint(given: Given<'_>) -> Result<CertificateMark, Problem> {
    let digits = given.text().map(|text| text.replace(':', ""));
    let print = digits.and_then(|digits| TokenHash::parse(&digits));
    let print = print.map(|TokenHash(print)| CertificateMark::Fingerprint(print));
    print.ok_or_else(|| {
        let expected = "the SHA-256 fingerprint as 64 hexadecimal digits";
        Problem::expected(expected, given.found())
    })
}

pub(super) fn show_certificate(one: &Certificate) -> String {
    let mark = match &one.mark {
        CertificateMark::Subject(subject) => format!("subject = {}", quote(subject)),
        CertificateMark::Fingerprint(print) => {
            let hex: String = print.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("fingerprint = {}", quote(&hex))
        }
    };
    let tools = match one.tools.is_empty() {
        true => String::new(),
        false => format!(
            ", tools = [{}]",
            show_list(&mut one.tools.iter().map(String::as_str))
        ),
    };
    format!(
        "{{ name = {}, {mark}, scopes = [{}]{tools} }}",
        quote(&one.name),
        show_list(&mut one.scopes.iter().map(Scope::as_str)),
    )
}
