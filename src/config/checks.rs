//! Rules between keys, and values derived from others. Runs once, over the merged layers.

use super::error::{Finding, Origin, Problem};
use super::keys::{Config, Limits, Transport};
use super::kind::Value;
use super::load::Draft;
use super::target::service_key;
use super::{auth, listen};

/// Derives what is left to derive and reports every broken rule.
pub(super) fn check(draft: &mut Draft<'_>) {
    derive_limits(draft);
    let config = draft.config.clone();
    for problem in listen::conflicts(&config) {
        let key = first_set(draft, &["server.listeners", "server.port", "server.host"]);
        draft.report_at(key, problem);
    }
    for problem in auth::conflicts(&config) {
        let key = first_set(draft, &["auth.tokens", "server.api_token"]);
        draft.report_at(key, problem);
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
fn first_set<'k>(draft: &Draft<'_>, keys: &[&'k str]) -> &'k str {
    keys.iter()
        .find(|key| draft.origins.contains_key(**key))
        .unwrap_or(&keys[0])
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
        let same = ours[..index]
            .iter()
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

/// Shares `limits.memory` out among the limits nobody set: half to the requests being worked on, a quarter to the
/// queues of streams, an eighth each to heads of connections and to sessions.
fn derive_limits(draft: &mut Draft<'_>) {
    let Some(memory) = draft.config.limits.memory else {
        return;
    };
    /// What a connection and a session take beside their buffers, with room to spare.
    const RECORD_BYTES: usize = 4096;
    let limits = &draft.config.limits;
    let is_free = |key: &str| !draft.origins.contains_key(key);
    let unless_set =
        |key: &str, set: usize, derived: usize| if is_free(key) { derived.max(1) } else { set };
    let body = unless_set(
        "limits.body_bytes",
        limits.body_bytes,
        limits.body_bytes.min(memory / 32),
    );
    let upstream = unless_set(
        "limits.upstream_bytes",
        limits.upstream_bytes,
        limits.upstream_bytes.min(memory / 16),
    );
    let output = unless_set(
        "limits.tool_output_bytes",
        limits.tool_output_bytes,
        limits.tool_output_bytes.min(memory / 64),
    );
    let requests = memory / 2 / (body + upstream + output);
    let streams = memory / 4 / limits.stream_queue_bytes;
    let connections = memory / 8 / (limits.head_bytes + RECORD_BYTES);
    let derived = [
        ("body_bytes", body),
        ("upstream_bytes", upstream),
        ("tool_output_bytes", output),
        ("requests_in_flight", requests),
        ("streams", streams),
        ("connections", connections),
        (
            "connections_per_address",
            unless_set("limits.connections", limits.connections, connections) / 4,
        ),
        ("sessions", memory / 8 / RECORD_BYTES),
    ];
    for (name, number) in derived {
        let key = format!("limits.{name}");
        let row = Limits::SECTION.rows.iter().find(|row| row.name == name);
        let Some(bounds) = row
            .and_then(|row| row.kind.bounds())
            .filter(|_| !draft.origins.contains_key(&key))
        else {
            continue;
        };
        let number = u64::try_from(number)
            .unwrap_or(u64::MAX)
            .clamp(bounds.min, bounds.max);
        draft.config.set("limits", name, Value::Number(number));
        draft.origins.insert(
            key,
            Origin::Derived {
                from: "limits.memory",
            },
        );
    }
}
