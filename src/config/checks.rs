//! Rules between keys, and values derived from others. Runs once, over the merged layers.

use super::error::{Finding, Origin, Problem};
use super::keys::{Config, Limits, Transport};
use super::kind::Value;
use super::load::Draft;
use super::target::service_key;
use super::{auth, certificates, listen};

/// Derives what is left to derive and reports every broken rule.
pub(super) fn check(draft: &mut Draft<'_>) {
    derive_limits(draft);
    let config = draft.config.clone();
    for problem in listen::conflicts(&config) {
        let key = first_set(draft, "server.listeners", ["server.port", "server.host"]);
        draft.report_at(key, problem);
    }
    for problem in auth::conflicts(&config) {
        let key = first_set(draft, "auth.tokens", ["server.api_token"]);
        draft.report_at(key, problem);
    }
    for (key, problem) in auth::check_jwt(&config.auth) {
        draft.report_at(key, problem);
    }
    for problem in certificates::conflicts(&config) {
        draft.report_at("auth.certificates", problem);
    }
    for (key, what) in certificates::incomplete(&config) {
        draft.report_at(key, Problem::Required { what });
    }
    check_paths(draft, &config);
    check_exposure(draft, &config);
    warn_of_services(draft, &config);
}

impl Draft<'_> {
    fn report_at(&mut self, key: &str, problem: Problem) {
        let origin = self.origin(key);
        self.errors.push(Finding {
            origin,
            key: key.to_owned(),
            problem,
        });
    }
}

/// The first of `keys` somebody set, or the first of all.
fn first_set<'k, const N: usize>(
    draft: &Draft<'_>,
    first: &'k str,
    others: [&'k str; N],
) -> &'k str {
    let mut keys = std::iter::once(first).chain(others);
    keys.find(|key| draft.origins.contains_key(*key))
        .unwrap_or(first)
}

/// Refuses to be reachable from other machines by accident. On stdio nothing listens.
fn check_exposure(draft: &mut Draft<'_>, config: &Config) {
    if config.server.transport == Transport::Stdio {
        return;
    }
    let exposed = listen::unguarded(config);
    if exposed.is_empty() {
        return;
    }
    let addresses = exposed.join(", ");
    if config.auth.allow_anonymous {
        let key = "auth.allow_anonymous".to_owned();
        let origin = draft.origin(&key);
        let problem = Problem::ExposedAsWished { addresses };
        draft.warnings.push(Finding {
            origin,
            key,
            problem,
        });
        return;
    }
    let by_listeners = config
        .server
        .listeners
        .iter()
        .any(|listener| !listener.address.is_local());
    let key = if by_listeners {
        "server.listeners"
    } else {
        "server.host"
    };
    draft.report_at(key, Problem::Exposed { addresses });
}

/// Two routes on one path would leave one of them unreachable. The last slash does not tell routes apart.
fn check_paths(draft: &mut Draft<'_>, config: &Config) {
    const FIXED: [&str; 9] = [
        "/health",
        "/ready",
        "/status",
        "/metrics",
        "/api/mcp/v1/call",
        "/api/mcp/v1/tools",
        "/api/mcp/v1/sse",
        "/api/mcp/v1/sse/rpc",
        "/api/mcp/v1/events",
    ];
    let server = &config.server;
    let ours = [
        ("server.mcp_path", server.mcp_path.trim_end_matches('/')),
        ("server.sse_path", server.sse_path.trim_end_matches('/')),
        (
            "server.message_path",
            server.message_path.trim_end_matches('/'),
        ),
    ];
    for (index, (key, path)) in ours.iter().enumerate() {
        let same = ours
            .iter()
            .take(index)
            .find(|(_, other)| other == path)
            .map(|(other, _)| format!("`{other}`"));
        let fixed = FIXED
            .iter()
            .find(|fixed| *fixed == path)
            .map(|fixed| format!("the built-in route `{fixed}`"));
        if let Some(other) = same.or(fixed) {
            draft.report_at(key, Problem::SamePath { other });
        }
    }
}

fn warn_of_services(draft: &mut Draft<'_>, config: &Config) {
    let mut warn = |key: String, problem| {
        let origin = draft.origins.get(&key).cloned().unwrap_or_default();
        draft.warnings.push(Finding {
            origin,
            key,
            problem,
        });
    };
    if config.tls.skip_verify {
        warn("tls.skip_verify".to_owned(), Problem::Insecure);
    }
    if auth::fetches_keys_in_the_clear(&config.auth) {
        warn("auth.jwt_jwks_url".to_owned(), Problem::KeysInTheClear);
    }
    for (id, service) in config
        .services
        .iter()
        .filter(|(_, service)| service.enabled)
    {
        if service.insecure {
            warn(service_key(id, "insecure"), Problem::Insecure);
        }
        if service.token.is_some() && service.url.is_none() {
            warn(service_key(id, "token"), Problem::TokenWithoutUrl);
        }
    }
}

/// Sets the limits that nobody set to what `limits.memory` leaves for them.
fn derive_limits(draft: &mut Draft<'_>) {
    let Some(memory) = draft.config.limits.memory else {
        return;
    };
    let is_set = |name: &str| draft.origins.contains_key(&format!("limits.{name}"));
    for (name, number) in derived_limits(memory, &draft.config.limits, &is_set) {
        draft.config.set("limits", name, Value::Number(number));
        draft.origins.insert(
            format!("limits.{name}"),
            Origin::Derived {
                from: "limits.memory",
            },
        );
    }
}

/// What a connection and a session take beside their buffers, with room to spare.
const RECORD_BYTES: usize = 4096;

/// What is held at once of one kind, at most.
pub(super) struct Held {
    /// In words.
    pub what: &'static str,
    /// The keys that say how many there are and what each takes, as the reference has them.
    pub keys: (&'static str, &'static str),
    /// How many there are.
    pub count: usize,
    /// What each takes, in bytes.
    pub each: usize,
}

impl Held {
    /// What all of them take.
    pub(super) fn bytes(&self) -> usize {
        self.count.saturating_mul(self.each)
    }
}

/// Everything that is held at once by these limits.
pub(super) fn held(limits: &Limits) -> [Held; 6] {
    let request = limits
        .body_bytes
        .saturating_add(limits.upstream_bytes)
        .saturating_add(limits.tool_output_bytes);
    let connection = limits.head_bytes.saturating_add(RECORD_BYTES);
    let held = |what, keys, count, each| Held {
        what,
        keys,
        count,
        each,
    };
    [
        held(
            "requests being worked on",
            (
                "`requests_in_flight`",
                "`body_bytes` + `upstream_bytes` + `tool_output_bytes`",
            ),
            limits.requests_in_flight,
            request,
        ),
        held(
            "streams",
            ("`streams`", "`stream_queue_bytes`"),
            limits.streams,
            limits.stream_queue_bytes,
        ),
        held(
            "connections",
            ("`connections`", "`head_bytes` + 4KiB"),
            limits.connections,
            connection,
        ),
        held(
            "sessions",
            ("`sessions`", "4KiB"),
            limits.sessions,
            RECORD_BYTES,
        ),
        held(
            "past events of all sessions",
            ("1", "`replay_total_bytes`"),
            1,
            limits.replay_total_bytes,
        ),
        held(
            "outputs of tasks",
            ("`tasks`", "`tool_output_bytes`"),
            limits.tasks,
            limits.tool_output_bytes,
        ),
    ]
}

/// What `memory` bytes leave for each limit that is not set: half for the requests being worked on, each with its body,
/// what it reads from an upstream and its output; a quarter for the queues of streams; a sixteenth each for connections
/// with their heads, for sessions, for replay and for the outputs of tasks. Within the bounds of each key, and what is
/// a size never above its default.
pub(super) fn derived_limits(
    memory: usize,
    limits: &Limits,
    is_set: &dyn Fn(&str) -> bool,
) -> Vec<(&'static str, u64)> {
    let mut derived = Vec::new();
    let mut derive = |name: &'static str, set: usize, wanted: usize| -> usize {
        let row = Limits::SECTION.rows.iter().find(|row| row.name == name);
        let bounds = row.and_then(|row| row.kind.bounds());
        let Some(bounds) = bounds.filter(|_| !is_set(name)) else {
            return set;
        };
        let number = u64::try_from(wanted).unwrap_or(u64::MAX);
        let number = number.clamp(bounds.min, bounds.max);
        derived.push((name, number));
        usize::try_from(number).unwrap_or(usize::MAX)
    };
    let mut size = |name, default: usize, share: usize| derive(name, default, default.min(share));
    let body = size("body_bytes", limits.body_bytes, memory / 32);
    let upstream = size("upstream_bytes", limits.upstream_bytes, memory / 16);
    let output = size("tool_output_bytes", limits.tool_output_bytes, memory / 64);
    let queue = size(
        "stream_queue_bytes",
        limits.stream_queue_bytes,
        memory / 256,
    );
    let all_replay = size("replay_total_bytes", limits.replay_total_bytes, memory / 16);
    size("replay_bytes", limits.replay_bytes, all_replay / 16);

    // The bounds of the keys keep all of these above zero and far from what does not fit.
    let per = |share: usize, each: usize| share.checked_div(each).unwrap_or(share);
    let of_a_request = body.saturating_add(upstream).saturating_add(output);
    let requests = per(memory / 2, of_a_request);
    derive("requests_in_flight", limits.requests_in_flight, requests);
    derive("streams", limits.streams, per(memory / 4, queue));
    let of_a_connection = limits.head_bytes.saturating_add(RECORD_BYTES);
    let connections = per(memory / 16, of_a_connection);
    let connections = derive("connections", limits.connections, connections);
    let of_one = connections / 4;
    derive(
        "connections_per_address",
        limits.connections_per_address,
        of_one,
    );
    derive("sessions", limits.sessions, memory / 16 / RECORD_BYTES);
    derive("tasks", limits.tasks, per(memory / 16, output));
    derived
}
