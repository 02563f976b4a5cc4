//! Access tokens: who may come in and what they may do.
//!
//! A token is kept as its SHA-256 from the moment it is read; comparing and refusing is the gate's.

use std::fmt;

use crate::constant_time::is_equal;
use crate::gate::jwt::{Grant, SECRET_BYTES_MIN};
use crate::gate::{Scope, Scopes};
use crate::sha256;

use super::Config;
use super::error::{Fault, Problem};
use super::given::{Context, Given, for_each_key, for_each_member, pairs, parse_members};
use super::keys::Auth;
use super::kind::{Item, Kind, Value, quote};
use super::listen::table;
use super::parse::{is_url, parse_integer, parse_ip, parse_secret};
use super::secret::Secret;

/// A named token and its rights.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Shown in logs in place of the token.
    pub name: String,
    /// What to compare with.
    pub hash: TokenHash,
    /// What its holder may do.
    pub scopes: Scopes,
    /// Tools its holder may call, `*` standing for any text; empty means all.
    pub tools: Vec<String>,
    /// Its own `limits.requests_per_minute`; 0 is no bound.
    pub requests_per_minute: Option<u32>,
    /// Its own `limits.burst`.
    pub burst: Option<u32>,
}

/// The SHA-256 of a token. Its `Debug` hides it: a weak token can be found from its hash.
#[derive(Clone, Copy)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// The hash of a presented token.
    pub fn of(token: &str) -> TokenHash {
        TokenHash(sha256::hash(token.as_bytes()))
    }

    /// As 64 hexadecimal digits, for a configuration to hold in place of the token.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(hex: &str) -> Option<TokenHash> {
        let (pairs, []) = hex.as_bytes().as_chunks::<2>() else {
            return None;
        };
        let pairs: &[[u8; 2]; 32] = pairs.try_into().ok()?;
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(pairs) {
            let text = std::str::from_utf8(pair)
                .ok()
                .filter(|text| !text.starts_with('+'))?;
            *byte = u8::from_str_radix(text, 16).ok()?;
        }
        Some(TokenHash(hash))
    }
}

/// Equality looks at every byte whatever it finds, so its time does not lead a guesser on.
impl PartialEq for TokenHash {
    fn eq(&self, other: &TokenHash) -> bool {
        is_equal(&self.0, &other.0)
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(***)")
    }
}

/// The name of the token made from `server.api_token`.
pub const API_TOKEN_NAME: &str = "api";

impl Config {
    /// Every token that opens the door: `server.api_token` under the name `api` with all rights, then `auth.tokens`.
    pub fn tokens(&self) -> Vec<Token> {
        let api = self.server.api_token.as_ref().map(|token| Token {
            name: API_TOKEN_NAME.to_owned(),
            hash: TokenHash::of(token.expose()),
            scopes: Scopes::ALL,
            tools: Vec::new(),
            requests_per_minute: None,
            burst: None,
        });
        api.into_iter()
            .chain(self.auth.tokens.iter().cloned())
            .collect()
    }
}

impl Auth {
    /// Whether tokens of an issuer are accepted.
    pub fn accepts_jwt(&self) -> bool {
        self.jwt_secret.is_some() || self.jwt_key_file.is_some() || self.jwt_jwks_url.is_some()
    }

    /// The issuer's scopes with what each gives, as `auth.jwt_scopes` has them.
    pub fn grants(&self) -> Vec<(&str, Grant)> {
        let all = self.jwt_scopes.iter();
        all.filter_map(|text| parse_grant(text)).collect()
    }
}

impl Config {
    /// Whether anybody is asked for a token.
    pub fn asks_for_token(&self) -> bool {
        !self.tokens().is_empty() || self.auth.accepts_jwt()
    }
}

/// Reads `scope=right`; the name of a scope as RFC 6749 3.3 has it.
pub(super) fn parse_grant(text: &str) -> Option<(&str, Grant)> {
    // A scope may be a URL with a query, a right has no sign of equality.
    let (scope, right) = text.rsplit_once('=')?;
    let is_scope_byte = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let is_scope = !scope.is_empty() && scope.bytes().all(is_scope_byte);
    let is_pattern = match right.strip_prefix("tools:") {
        Some(pattern) => Item::Pattern.accepts(pattern),
        None => true,
    };
    let grant = Grant::of(right).filter(|_| is_scope && is_pattern)?;
    Some((scope, grant))
}

/// What is missing or too much for JWTs and their metadata, by key.
pub(super) fn check_jwt(auth: &Auth) -> Vec<(&'static str, Problem)> {
    const ONE_OF: &str = "one of `auth.jwt_jwks_url`, `auth.jwt_key_file` and `auth.jwt_secret`";
    let sources = [
        ("auth.jwt_jwks_url", auth.jwt_jwks_url.is_some()),
        ("auth.jwt_key_file", auth.jwt_key_file.is_some()),
        ("auth.jwt_secret", auth.jwt_secret.is_some()),
    ];
    let given: Vec<_> = sources.into_iter().filter(|(_, is)| *is).collect();
    let mut problems = Vec::new();
    match (given.as_slice(), &auth.jwt_issuer) {
        ([], None) => (),
        ([], Some(_)) => problems.push(("auth.jwt_issuer", Problem::Required { what: ONE_OF })),
        ([(key, _), rest @ ..], issuer) => {
            if !rest.is_empty() {
                let found = format!("{} of them", given.len());
                problems.push((*key, Problem::expected(ONE_OF, found)));
            }
            if issuer.is_none() {
                let what = "`auth.jwt_issuer`, whose tokens these keys sign,";
                problems.push((*key, Problem::Required { what }));
            }
            if auth.resource.is_none() && auth.jwt_audience.is_empty() {
                let what = "`auth.resource` or `auth.jwt_audience`, for whom tokens have to be,";
                problems.push((*key, Problem::Required { what }));
            }
        }
    }
    let servers = !auth.authorization_servers.is_empty();
    if servers && auth.resource.is_none() {
        let what = "`auth.resource`, the URL that tokens are asked for,";
        problems.push(("auth.authorization_servers", Problem::Required { what }));
    }
    let issuer_is_url = auth.jwt_issuer.as_deref().is_some_and(is_url);
    if auth.resource.is_some() && !servers && !issuer_is_url {
        let what = "`auth.authorization_servers` or an `auth.jwt_issuer` that is a URL";
        problems.push(("auth.resource", Problem::Required { what }));
    }
    if let Some(secret) = &auth.jwt_secret
        && secret.expose().len() < SECRET_BYTES_MIN
    {
        let expected = format!("a secret of at least {SECRET_BYTES_MIN} bytes");
        let found = format!("{} bytes", secret.expose().len());
        problems.push(("auth.jwt_secret", Problem::expected(&expected, found)));
    }
    problems
}

/// Whether keys come over a line on which anybody may replace them.
pub(super) fn fetches_keys_in_the_clear(auth: &Auth) -> bool {
    let rest = auth.jwt_jwks_url.as_deref();
    let Some(rest) = rest.and_then(|url| url.strip_prefix("http://")) else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, _)) if !authority.ends_with(']') => host,
        _ => authority,
    };
    !parse_ip(host).is_some_and(|ip| ip.to_canonical().is_loopback())
}

/// Two tokens of one name, or one token under two names: which of the two rights would hold is a guess.
pub(super) fn conflicts(config: &Config) -> Vec<Problem> {
    pairs(&config.tokens())
        .filter(|(one, other)| one.name == other.name || one.hash == other.hash)
        .map(|(one, other)| Problem::SameToken {
            one: one.name.clone(),
            other: other.name.clone(),
        })
        .collect()
}

/// A token in the words of a command line.
pub struct TokenWords<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its rights, with commas between.
    pub scopes: &'a str,
    /// Patterns of tools, with commas between; none means all.
    pub tools: &'a str,
}

impl TokenWords<'_> {
    /// The lines of a configuration that accept the token of this hash.
    ///
    /// # Errors
    /// What is wrong with a word.
    pub fn entry(&self, hash: &TokenHash) -> Result<String, Problem> {
        let name = parse_name(Given::Text(self.name))?;
        let words = |text| -> Vec<&str> {
            let all = str::split(text, ',').map(str::trim);
            all.filter(|word| !word.is_empty()).collect()
        };
        let (scopes, tools) = (words(self.scopes), words(self.tools));
        if scopes.is_empty() {
            return Err(Problem::expected(EXPECTED_SCOPE, "none"));
        }
        for (words, item) in [(&scopes, Item::Scope), (&tools, Item::Pattern)] {
            if let Some(word) = words.iter().find(|word| !item.accepts(word)) {
                return Err(Problem::expected(item.words(), Given::Text(word).found()));
            }
        }
        let list = |words: &[&str]| -> String {
            let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
            quoted.join(", ")
        };
        let mut entry = format!(
            "[[auth.tokens]]\nname = {}\ntoken_sha256 = {}\nscopes = [{}]\n",
            quote(&name),
            quote(&hash.hex()),
            list(&scopes),
        );
        if !tools.is_empty() {
            entry.push_str(&format!("tools = [{}]\n", list(&tools)));
        }
        Ok(entry)
    }
}

pub(super) const EXPECTED: &str = "a list of tables, each with `name`, one of `token`, `token_sha256` and \
                                   `token_file`, and optionally `scopes`, `tools`, `requests_per_minute` and `burst`";
pub(super) const EXPECTED_SCOPE: &str = "`read`, `write`, `admin` or `publish`";
/// The most that `requests_per_minute` and `burst` can be.
pub(super) const RATE_MAX: u64 = 1_000_000;
const MEMBERS: [&str; 8] = [
    "burst",
    "name",
    "requests_per_minute",
    "scopes",
    "token",
    "token_file",
    "token_sha256",
    "tools",
];

pub(super) fn parse_tokens(
    given: Given<'_>,
    context: Context<'_>,
) -> Result<Vec<Token>, Vec<Fault>> {
    parse_members(given, &mut |member| parse_token(member, context))
}

/// Reads the patterns of tool names of one who comes in.
pub(super) fn parse_patterns(
    given: Given<'_>,
    context: Context<'_>,
) -> Result<Vec<String>, Vec<Fault>> {
    match Kind::List(Item::Pattern).parse(given, false, context)? {
        Value::List(patterns) => Ok(patterns),
        _ => Ok(Vec::new()),
    }
}

fn parse_token(given: Given<'_>, context: Context<'_>) -> Result<Token, Vec<Fault>> {
    let Some(table) = table(given) else {
        // Most likely a bare token, so its text stays out of the message.
        return Err(vec![given.fault(Problem::expected(
            "a table with `name` and `token`",
            given.found_masked(),
        ))]);
    };
    let mut name = None;
    let mut hashes: Vec<Option<TokenHash>> = Vec::new();
    let mut scopes = Scopes::NONE.with(Scope::Read).with(Scope::Write);
    let mut tools = Vec::new();
    let (mut requests_per_minute, mut burst) = (None, None);
    let mut faults = for_each_key(table, &MEMBERS, &mut |key, member| {
        let one = |problem| vec![member.fault(problem)];
        let mut hash = |found: Result<TokenHash, Problem>| {
            hashes.push(found.as_ref().ok().copied());
            found.map(|_| ()).map_err(one)
        };
        Some(match key {
            "name" => parse_name(member)
                .map(|found| name = Some(found))
                .map_err(one),
            "token" => hash(secret_of(member).map(|secret| TokenHash::of(secret.expose()))),
            "token_sha256" => hash(parse_hash(member)),
            "token_file" => hash(read_token(member, context)),
            "scopes" => parse_scopes(member).map(|found| scopes = found),
            "tools" => parse_patterns(member, context).map(|found| tools = found),
            "requests_per_minute" => parse_rate(member, 0)
                .map(|found| requests_per_minute = Some(found))
                .map_err(one),
            "burst" => parse_rate(member, 1)
                .map(|found| burst = Some(found))
                .map_err(one),
            _ => return None,
        })
    });
    if !table.contains_key("name") {
        faults.push(given.fault(Problem::Required { what: "`name`" }));
    }
    if hashes.len() != 1 {
        let expected = "one of `token`, `token_sha256` and `token_file`";
        let found = format!("{} of them", hashes.len());
        faults.push(given.fault(Problem::expected(expected, found)));
    }
    match (name, hashes.first().copied().flatten()) {
        (Some(name), Some(hash)) if faults.is_empty() => Ok(Token {
            name,
            hash,
            scopes,
            tools,
            requests_per_minute,
            burst,
        }),
        _ => Err(faults),
    }
}

fn parse_rate(given: Given<'_>, min: u64) -> Result<u32, Problem> {
    let number = parse_integer(given)?;
    let found = u32::try_from(number).ok();
    found
        .filter(|_| (min..=RATE_MAX).contains(&number))
        .ok_or_else(|| Problem::OutOfBounds {
            got: number.to_string(),
            min: min.to_string(),
            max: RATE_MAX.to_string(),
        })
}

pub(super) fn parse_name(given: Given<'_>) -> Result<String, Problem> {
    let is_sound = |text: &&str| {
        (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte))
    };
    let name = given.text().filter(is_sound).map(str::to_owned);
    name.ok_or_else(|| {
        Problem::expected(
            "a name of up to 64 letters, digits and `-_.@`",
            given.found(),
        )
    })
}

fn parse_hash(given: Given<'_>) -> Result<TokenHash, Problem> {
    let hash = given.text().and_then(TokenHash::parse);
    // A plain token put here by mistake must not be repeated.
    hash.ok_or_else(|| {
        Problem::expected("the SHA-256 as 64 hexadecimal digits", given.found_masked())
    })
}

fn secret_of(given: Given<'_>) -> Result<Secret, Problem> {
    match parse_secret(given)? {
        Value::Secret(secret) => Ok(secret),
        _ => Err(Problem::expected("a secret", given.found_masked())),
    }
}

fn read_token(given: Given<'_>, context: Context<'_>) -> Result<TokenHash, Problem> {
    let path = given.text().filter(|text| !text.is_empty());
    let path = path.ok_or_else(|| Problem::expected("a path", given.found()))?;
    let text = context.read_value(path)?;
    secret_of(Given::Text(&text)).map(|secret| TokenHash::of(secret.expose()))
}

pub(super) fn parse_scopes(given: Given<'_>) -> Result<Scopes, Vec<Fault>> {
    let mut scopes = Scopes::NONE;
    let faults = for_each_member(
        given,
        &mut |member| match member.text().and_then(Scope::of) {
            Some(scope) => {
                scopes = scopes.with(scope);
                Vec::new()
            }
            None => vec![member.fault(Problem::expected(EXPECTED_SCOPE, member.found()))],
        },
    );
    if faults.is_empty() {
        Ok(scopes)
    } else {
        Err(faults)
    }
}

pub(super) fn show_list(items: &mut dyn Iterator<Item = &str>) -> String {
    items.map(quote).collect::<Vec<_>>().join(", ")
}

pub(super) fn show_token(token: &Token) -> String {
    let tools = match token.tools.is_empty() {
        true => String::new(),
        false => format!(
            ", tools = [{}]",
            show_list(&mut token.tools.iter().map(String::as_str))
        ),
    };
    let number = |name: &str, number: Option<u32>| {
        number.map_or_else(String::new, |number| format!(", {name} = {number}"))
    };
    format!(
        "{{ name = {}, token_sha256 = {}, scopes = [{}]{tools}{}{} }}",
        quote(&token.name),
        quote(super::kind::MASK),
        show_list(&mut token.scopes.iter().map(Scope::as_str)),
        number("requests_per_minute", token.requests_per_minute),
        number("burst", token.burst),
    )
}
