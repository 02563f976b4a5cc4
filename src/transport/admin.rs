//! `/health`, `/ready`, `/status`, `/metrics`, and what the server says of itself to clients without a token. All but
//! `/ready` answer at once: that one asks the services.

use crate::mcp::json;
use crate::mcp::revision::Revision;
use crate::rt;

use super::http::Http;
use super::respond::{ContentType, Response};
use super::routes::Target;
use super::site::Settings;

/// Answers an administrative path but `/ready`.
pub fn respond(http: &Http, target: Target) -> Response {
    match target {
        Target::Metrics => metrics(http),
        Target::Status => status(http),
        _ => health(http),
    }
    .with("Cache-Control", "no-store")
}

/// 200 if we are not stopping and all services that can be looked at answer as they should. Says which do not and
/// never why: whoever asks here need have no token.
pub async fn ready(http: &Http) -> Response {
    let is_stopping = || http.server.is_stopping() || http.shutdown.is_triggered();
    let readiness = http.settings().readiness.clone();
    let services = match readiness {
        Some(ask) if !is_stopping() => ask().await,
        _ => Vec::new(),
    };
    let (status, word) = match services.iter().all(|(_, is_ready)| *is_ready) {
        // Looked at after the wait.
        _ if is_stopping() => (503, "stopping"),
        true => (200, "ready"),
        false => (503, "degraded"),
    };
    let mut body = Vec::new();
    json::object(&mut body, |ready| {
        ready.string("status", word);
        if !services.is_empty() {
            ready.object("services", |members| {
                for (id, is_ready) in &services {
                    members.string(id, if *is_ready { "up" } else { "down" });
                }
            });
        }
    });
    Response::json(status, body).with("Cache-Control", "no-store")
}

/// The document of RFC 9728. Clients may keep it for a while: it is looked up before every login.
pub fn resource_metadata(settings: &Settings) -> Response {
    let resource = settings.resource.as_ref();
    let document = resource.map_or("{}", |resource| &resource.document);
    Response::json(200, document).with("Cache-Control", "public, max-age=300")
}

/// Cheap, and 200 as long as the loop turns.
fn health(http: &Http) -> Response {
    let mut body = Vec::new();
    let settings = http.server.settings();
    json::object(&mut body, |health| {
        health.string("status", "healthy");
        health.integer("timestamp", rt::unix_time());
        health.string("service", &settings.implementation.name);
    });
    Response::json(200, body)
}

fn status(http: &Http) -> Response {
    let server = &http.server;
    let settings = server.settings();
    let catalog = server.catalog();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let mut body = Vec::new();
    json::object(&mut body, |status| {
        status.string("service", &settings.implementation.name);
        status.string("version", &settings.implementation.version);
        status.string("siskin", env!("CARGO_PKG_VERSION"));
        status.string("protocol", Revision::LATEST.as_str());
        status.strings("revisions", &Revision::ALL.map(Revision::as_str));
        status.strings(
            "transports",
            &["stdio", "streamable-http", "http+sse", "json-rpc"],
        );
        status.unsigned("uptimeSeconds", server.metrics.uptime().as_secs());
        status.unsigned("tools", count(catalog.tools.len()));
        status.unsigned(
            "resources",
            count(catalog.resources.len() + catalog.templates.len()),
        );
        status.unsigned("prompts", count(catalog.prompts.len()));
        status.unsigned("sessions", count(server.sessions_open()));
        status.unsigned("streams", count(server.streams_open()));
        status.unsigned("connections", count(http.connections_open()));
        status.unsigned("requestsInFlight", count(server.requests_running()));
    });
    Response::json(200, body)
}

fn metrics(http: &Http) -> Response {
    let mut text = String::with_capacity(16 * 1024);
    for (revision, count) in http.server.sessions_by_revision() {
        http.server.metrics.set_sessions_active(revision, count);
    }
    let dropped = crate::log::dropped();
    http.server.metrics.set_log_lines_dropped(dropped);
    http.server.metrics.render(&mut text);
    let mut response = Response::empty(200);
    response.content_type = Some(ContentType::Metrics);
    response.body = text.into_bytes();
    response
}
