//! Which path means what, who may use it, and by which methods. One table.

use crate::gate::Scope;
use crate::http1::Method;

use super::site::{Groups, Settings};

/// What stands behind a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `/api/mcp/v1/call`: plain JSON-RPC.
    Call,
    /// `/api/mcp/v1/sse`: the plain event stream.
    EventStream,
    /// `/health`.
    Health,
    /// `/sse/`: HTTP+SSE, its stream.
    HttpSse,
    /// `/mcp`: Streamable HTTP.
    Mcp,
    /// `/messages/`: HTTP+SSE, its messages.
    Messages,
    /// `/metrics`.
    Metrics,
    /// `/api/mcp/v1/events`: publish an event.
    Publish,
    /// `/ready`.
    Ready,
    /// `/.well-known/oauth-protected-resource`, with and without the endpoint's path: RFC 9728.
    ResourceMetadata,
    /// `/status`.
    Status,
    /// `/api/mcp/v1/tools`: the tools as a plain list.
    Tools,
}

/// Who may use a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone who can connect.
    Open,
    /// A token with the scope `admin`, if tokens are asked for; everyone if `metrics.public`.
    Operator,
    /// Everyone with a token, if tokens are asked for.
    Token,
    /// A token with this scope.
    Scope(Scope),
}

impl Target {
    /// The target of a path, if this listener serves it.
    pub fn of(path: &str, settings: &Settings, groups: Groups) -> Option<Target> {
        let target = match path {
            "/health" => Target::Health,
            "/ready" => Target::Ready,
            "/status" => Target::Status,
            "/metrics" if settings.metrics_enabled => Target::Metrics,
            "/api/mcp/v1/call" | "/api/mcp/v1/sse/rpc" => Target::Call,
            "/api/mcp/v1/tools" => Target::Tools,
            "/api/mcp/v1/sse" => Target::EventStream,
            "/api/mcp/v1/events" => Target::Publish,
            _ if path == settings.mcp_path => Target::Mcp,
            _ if is_path(path, &settings.sse_path) => Target::HttpSse,
            _ if is_path(path, &settings.message_path) => Target::Messages,
            _ if is_resource_metadata(path, settings) => Target::ResourceMetadata,
            _ => return None,
        };
        let is_served = match target {
            Target::HttpSse | Target::Mcp | Target::Messages => groups.mcp,
            Target::Call | Target::EventStream | Target::Publish | Target::Tools => groups.api,
            // Every listener can be asked for its health.
            Target::Health => true,
            // Wherever a token is asked for.
            Target::ResourceMetadata => groups.mcp || groups.api,
            Target::Metrics | Target::Ready | Target::Status => groups.admin,
        };
        is_served.then_some(target)
    }

    /// The methods it answers, beside OPTIONS, as `Allow` has them.
    pub fn allow(self) -> &'static str {
        match self {
            Target::Mcp => "GET, POST, DELETE, OPTIONS",
            Target::Call | Target::Messages | Target::Publish => "POST, OPTIONS",
            Target::EventStream | Target::HttpSse => "GET, OPTIONS",
            Target::Health
            | Target::Metrics
            | Target::Ready
            | Target::ResourceMetadata
            | Target::Status
            | Target::Tools => "GET, HEAD, OPTIONS",
        }
    }

    /// Whether it answers a method.
    pub fn allows(self, method: Method) -> bool {
        let allowed: &[Method] = match self {
            Target::Mcp => &[Method::Post, Method::Get, Method::Delete],
            Target::Call | Target::Messages | Target::Publish => &[Method::Post],
            Target::EventStream | Target::HttpSse => &[Method::Get],
            Target::Health
            | Target::Metrics
            | Target::Ready
            | Target::ResourceMetadata
            | Target::Status
            | Target::Tools => &[Method::Get, Method::Head],
        };
        method == Method::Options || allowed.contains(&method)
    }

    /// Who may use it.
    pub fn access(self) -> Access {
        match self {
            Target::Health | Target::Ready | Target::ResourceMetadata => Access::Open,
            Target::Metrics | Target::Status => Access::Operator,
            Target::Publish => Access::Scope(Scope::Publish),
            Target::Call
            | Target::EventStream
            | Target::HttpSse
            | Target::Mcp
            | Target::Messages
            | Target::Tools => Access::Token,
        }
    }
}

fn is_resource_metadata(path: &str, settings: &Settings) -> bool {
    let resource = settings.resource.as_ref();
    resource.is_some_and(|resource| resource.is_at(path, &settings.mcp_path))
}

/// Whether both name the same endpoint; one slash at the end makes no difference, because half of
/// the clients of the old endpoints write it and half do not.
fn is_path(path: &str, configured: &str) -> bool {
    path.strip_suffix('/').unwrap_or(path) == configured.strip_suffix('/').unwrap_or(configured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::resource::Resource;

    #[track_caller]
    fn check(path: &str, groups: Groups, expected: Option<Target>) {
        assert_eq!(
            Target::of(path, &Settings::default(), groups),
            expected,
            "{path}"
        );
    }

    #[test]
    fn paths_lead_to_targets() {
        check("/mcp", Groups::ALL, Some(Target::Mcp));
        check("/mcp/", Groups::ALL, None);
        for path in ["/sse/", "/sse"] {
            check(path, Groups::ALL, Some(Target::HttpSse));
        }
        check("/sse//", Groups::ALL, None);
        check("/messages", Groups::ALL, Some(Target::Messages));
        check("/api/mcp/v1/sse/rpc", Groups::ALL, Some(Target::Call));
        check("/api/mcp/v1/sse", Groups::ALL, Some(Target::EventStream));
        check("/", Groups::ALL, None);
        check("", Groups::ALL, None);
    }

    #[test]
    fn a_listener_serves_its_groups_and_its_health() {
        let admin = Groups {
            mcp: false,
            api: false,
            admin: true,
        };
        check("/metrics", admin, Some(Target::Metrics));
        check("/mcp", admin, None);
        let api = Groups {
            mcp: false,
            api: true,
            admin: false,
        };
        check("/health", api, Some(Target::Health));
        check("/metrics", api, None);
    }

    #[test]
    fn the_resource_is_described_only_where_there_is_one() {
        const ROOT: &str = "/.well-known/oauth-protected-resource";
        check(ROOT, Groups::ALL, None);
        let settings = Settings {
            resource: Some(Resource::new("https://nas.lan/mcp", "siskin", &[], &[])),
            ..Settings::default()
        };
        let at = |path: &str, groups| Target::of(path, &settings, groups);
        let admin = Groups {
            mcp: false,
            api: false,
            admin: true,
        };
        for path in [ROOT.to_owned(), format!("{ROOT}/mcp")] {
            assert_eq!(at(&path, Groups::ALL), Some(Target::ResourceMetadata));
            assert_eq!(at(&path, admin), None);
        }
        assert_eq!(at(&format!("{ROOT}/sse"), Groups::ALL), None);
    }

    #[test]
    fn methods_are_those_of_allow() {
        assert!(Target::Mcp.allows(Method::Delete));
        assert!(!Target::Call.allows(Method::Get));
        assert!(Target::Health.allows(Method::Head));
        assert!(!Target::Health.allows(Method::Other));
        let targets = [
            Target::Call,
            Target::EventStream,
            Target::Health,
            Target::HttpSse,
            Target::Mcp,
            Target::Messages,
            Target::Metrics,
            Target::Publish,
            Target::Ready,
            Target::ResourceMetadata,
            Target::Status,
            Target::Tools,
        ];
        let methods = [
            Method::Get,
            Method::Head,
            Method::Post,
            Method::Put,
            Method::Delete,
            Method::Options,
            Method::Patch,
            Method::Connect,
            Method::Trace,
            Method::Other,
        ];
        for target in targets {
            let told: Vec<&str> = target.allow().split(", ").collect();
            for method in methods {
                assert_eq!(
                    target.allows(method),
                    told.contains(&method.as_str()),
                    "{target:?} {method:?}"
                );
            }
        }
    }
}
