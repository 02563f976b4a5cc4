//! Where the server listens and which routes each place serves.
//!
//! Nothing is bound here; the result is a list of addresses for the caller to open.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use toml::de::DeValue;

use super::error::{Fault, Problem};
use super::given::{Given, for_each_key, for_each_member, pairs, parse_members};
use super::kind::{Value, quote};
use super::parse::{EXPECTED_BOOL, parse_bool, parse_ip};
use super::{Config, Server};

/// A place to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A TCP address; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A Unix socket's path, absolute.
    Unix(PathBuf),
}

impl Address {
    /// Reads `127.0.0.1:8000`, `[::1]:8000`, `localhost:8000` or `unix:/run/siskin.sock`.
    pub fn parse(text: &str) -> Option<Address> {
        if let Some(path) = text.strip_prefix("unix:") {
            let is_sound = path.starts_with('/') && path.len() > 1 && !path.contains('\0');
            return is_sound.then(|| Address::Unix(path.into()));
        }
        let (host, port) = text.rsplit_once(':')?;
        if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // `::1:8000` could be read two ways; RFC 3986 3.2.2 asks for brackets.
        if host.contains(':') && !host.starts_with('[') {
            return None;
        }
        Some(Address::Tcp(SocketAddr::new(
            parse_ip(host)?,
            port.parse().ok()?,
        )))
    }

    /// Whether only this machine can reach it. A Unix socket is guarded by the file system.
    pub fn is_local(&self) -> bool {
        match self {
            Address::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Address::Unix(_) => true,
        }
    }

    /// Whether binding both fails, or would make one of them shadow the other.
    fn overlaps(&self, other: &Address) -> bool {
        let (Address::Tcp(ours), Address::Tcp(theirs)) = (self, other) else {
            return self == other;
        };
        // `::` also takes IPv4 unless the system says otherwise, so a wildcard of either family overlaps with all.
        let meet =
            ours.ip() == theirs.ip() || ours.ip().is_unspecified() || theirs.ip().is_unspecified();
        ours.port() != 0 && ours.port() == theirs.port() && meet
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => write!(f, "{address}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The route groups a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups(u8);

impl Groups {
    /// Every group.
    pub const ALL: Groups = Groups(0b111);
    /// `/mcp`, the SSE stream and its messages.
    pub const MCP: Groups = Groups(0b001);
    /// `/api/mcp/v1/...`
    pub const API: Groups = Groups(0b010);
    /// `/health`, `/ready`, `/status`, `/metrics`.
    pub const ADMIN: Groups = Groups(0b100);

    const NAMES: [(&'static str, Groups); 3] = [
        ("mcp", Groups::MCP),
        ("api", Groups::API),
        ("admin", Groups::ADMIN),
    ];

    /// Whether all groups of `other` are among these.
    pub fn contains(self, other: Groups) -> bool {
        self.0 & other.0 == other.0
    }

    /// The groups of both.
    pub fn union(self, other: Groups) -> Groups {
        Groups(self.0 | other.0)
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        Groups::NAMES
            .into_iter()
            .filter(move |(_, group)| self.contains(*group))
            .map(|(name, _)| name)
    }
}

impl fmt::Display for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(","))
    }
}

/// One address and what it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where.
    pub address: Address,
    /// What.
    pub groups: Groups,
    /// Whether it speaks TLS; none where nobody said so. [`Config::listeners`] fills it in.
    pub tls: Option<bool>,
}

impl Listener {
    /// What to add behind its groups.
    pub fn tls_note(&self) -> &'static str {
        match self.tls {
            Some(true) => ", TLS",
            _ => "",
        }
    }
}

impl Config {
    /// Every address to open, each once: `server.listeners`, then the shorthand keys. Where two of them name the same
    /// address, it serves the groups of both.
    ///
    /// - `server.host` and `server.port` make a listener with all groups, unless `server.listeners` is given and
    ///   `server.port` is not.
    /// - `server.http_*`, `api_*` and `sse_*` open the further ports of the axinova server on the same host.
    /// - Where there is `tls.cert_file`, what is reached by TCP speaks TLS unless it says `tls = false`.
    pub fn listeners(&self) -> Vec<Listener> {
        let mut all: Vec<Listener> = Vec::new();
        for wanted in self
            .server
            .listeners
            .iter()
            .cloned()
            .chain(self.server.shorthands())
        {
            // Port 0 is a new port each time, so two of them are two listeners.
            let is_fixed = !matches!(wanted.address, Address::Tcp(address) if address.port() == 0);
            match all
                .iter_mut()
                .find(|known| is_fixed && known.address == wanted.address)
            {
                Some(known) => known.groups = known.groups.union(wanted.groups),
                None => all.push(wanted),
            }
        }
        for listener in &mut all {
            listener.tls = Some(self.speaks_tls(listener));
        }
        all
    }

    fn speaks_tls(&self, listener: &Listener) -> bool {
        let is_tcp = matches!(listener.address, Address::Tcp(_));
        is_tcp && listener.tls.unwrap_or(self.tls.cert_file.is_some())
    }
}

/// The addresses that other machines reach, if neither tokens nor certificates guard them.
pub(super) fn unguarded(config: &Config) -> Vec<String> {
    if config.asks_who() {
        return Vec::new();
    }
    let is_guarded =
        |listener: &Listener| listener.tls == Some(true) && config.requires_certificates();
    let listeners = config.listeners().into_iter();
    listeners
        .filter(|listener| !listener.address.is_local() && !is_guarded(listener))
        .map(|listener| listener.address.to_string())
        .collect()
}

/// The port served when nothing is said.
pub const DEFAULT_PORT: u16 = 8000;

impl Server {
    fn shorthands(&self) -> impl Iterator<Item = Listener> {
        let host = self.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let main = match self.port {
            None if self.listeners.is_empty() => Some(DEFAULT_PORT),
            port => port,
        };
        // The SSE port of the axinova server is where native MCP clients were meant to connect, so it serves both.
        let ports = [
            (main, Groups::ALL),
            (
                open_port(self.api_enabled, self.api_port, 8080),
                Groups::API,
            ),
            (
                open_port(self.sse_enabled, self.sse_port, 8081),
                Groups::MCP.union(Groups::API),
            ),
            (
                open_port(self.http_enabled, self.http_port, 9001),
                Groups::ADMIN,
            ),
        ];
        ports.into_iter().filter_map(move |(port, groups)| {
            Some(Listener {
                address: Address::Tcp(SocketAddr::new(host, port?)),
                groups,
                tls: None,
            })
        })
    }
}

/// A further port opens when its number is given or when it is enabled by name, never by default.
fn open_port(enabled: Option<bool>, port: Option<u16>, default: u16) -> Option<u16> {
    match enabled {
        Some(true) => Some(port.unwrap_or(default)),
        Some(false) => None,
        None => port,
    }
}

/// Pairs of places that cannot be open at once, and explicit listeners that a shorthand would widen.
pub(super) fn conflicts(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut conflict = |one: &Listener, other: &Listener| {
        let show = |listener: &Listener| {
            let (address, groups) = (&listener.address, listener.groups);
            format!("`{address}` ({groups}{})", listener.tls_note())
        };
        problems.push(Problem::AddressConflict {
            one: show(one),
            other: show(other),
        });
    };
    let explicit = &config.server.listeners;
    let shorthands: Vec<Listener> = config.server.shorthands().collect();
    let beside = explicit
        .iter()
        .flat_map(|one| shorthands.iter().map(move |other| (one, other)));
    for (one, other) in pairs(explicit).chain(beside) {
        if one.address == other.address
            && one.address.overlaps(&other.address)
            && (one.groups != other.groups || config.speaks_tls(one) != config.speaks_tls(other))
        {
            conflict(one, other);
        }
    }
    for (one, other) in pairs(&config.listeners()) {
        if one.address.overlaps(&other.address) {
            conflict(one, other);
        }
    }
    problems
}

pub(super) const EXPECTED: &str = "a list, each an address or `{ address = \"127.0.0.1:8000\", groups = [\"mcp\", \"api\", \"admin\"], tls = true }`";
const EXPECTED_ADDRESS: &str =
    "an address like `127.0.0.1:8000`, `[::1]:8000` or `unix:/run/siskin.sock`";
const EXPECTED_GROUP: &str = "`mcp`, `api` or `admin`";

pub(super) fn parse_listeners(given: Given<'_>) -> Result<Vec<Listener>, Vec<Fault>> {
    parse_members(given, &mut parse_listener)
}

fn parse_listener(given: Given<'_>) -> Result<Listener, Vec<Fault>> {
    let table = match given {
        Given::Toml(value) => value.get_ref().as_table(),
        Given::Text(_) => None,
    };
    let Some(table) = table else {
        return Ok(Listener {
            address: parse_address(given).map_err(|fault| vec![fault])?,
            groups: Groups::ALL,
            tls: None,
        });
    };
    let mut address = None;
    let mut tls = None;
    let mut groups = Groups::ALL;
    let mut faults = for_each_key(table, &["address", "groups", "tls"], &mut |name, member| {
        Some(match name {
            "address" => parse_address(member)
                .map(|found| address = Some(found))
                .map_err(|fault| vec![fault]),
            "groups" => parse_groups(member).map(|found| groups = found),
            "tls" => parse_tls(member)
                .map(|found| tls = Some(found))
                .map_err(|problem| vec![member.fault(problem)]),
            _ => return None,
        })
    });
    if tls == Some(true) && matches!(address, Some(Address::Unix(_))) {
        let problem = Problem::expected("`tls = false` for a socket file", "`tls = true`");
        faults.push(given.fault(problem));
    }
    match address {
        Some(address) if faults.is_empty() => Ok(Listener {
            address,
            groups,
            tls,
        }),
        None if !table.contains_key("address") => {
            faults.push(given.fault(Problem::Required { what: "`address`" }));
            Err(faults)
        }
        _ => Err(faults),
    }
}

fn parse_address(given: Given<'_>) -> Result<Address, Fault> {
    given
        .text()
        .and_then(Address::parse)
        .ok_or_else(|| given.fault(Problem::expected(EXPECTED_ADDRESS, given.found())))
}

fn parse_tls(given: Given<'_>) -> Result<bool, Problem> {
    match parse_bool(given)? {
        Value::Bool(yes) => Ok(yes),
        _ => Err(Problem::expected(EXPECTED_BOOL, given.found())),
    }
}

fn parse_groups(given: Given<'_>) -> Result<Groups, Vec<Fault>> {
    let mut groups = Groups(0);
    let mut faults = for_each_member(given, &mut |member| {
        let named = Groups::NAMES
            .iter()
            .find(|(name, _)| Some(*name) == member.text());
        match named {
            Some((_, group)) => {
                groups = groups.union(*group);
                Vec::new()
            }
            None => vec![member.fault(Problem::expected(EXPECTED_GROUP, member.found()))],
        }
    });
    if faults.is_empty() && groups == Groups(0) {
        faults.push(given.fault(Problem::expected(
            "at least one of `mcp`, `api` and `admin`",
            "an empty list",
        )));
    }
    if faults.is_empty() {
        Ok(groups)
    } else {
        Err(faults)
    }
}

pub(super) fn show_listener(listener: &Listener) -> String {
    let groups: Vec<_> = listener.groups.names().map(quote).collect();
    let tls = match listener.tls {
        Some(tls) => format!(", tls = {tls}"),
        None => String::new(),
    };
    format!(
        "{{ address = {}, groups = [{}]{tls} }}",
        quote(&listener.address.to_string()),
        groups.join(", ")
    )
}

/// Whether the value is a table: only those can hold members.
pub(super) fn table<'a>(given: Given<'a>) -> Option<&'a toml::de::DeTable<'a>> {
    match given {
        Given::Toml(value) => match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        },
        Given::Text(_) => None,
    }
}
