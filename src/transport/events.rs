//! The plain event stream of the axinova server, and publishing to it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::gate::Principal;
use crate::http1::query;
use crate::mcp::json::from_bytes;
use crate::metrics::EventKind;
use crate::server::{EventFilter, Server};

use super::connection::{After, Connection};
use super::respond::Response;
use super::sse_out::{named_event, write_stream_head};
use super::stream::{StreamOwner, StreamPlan};
use super::streamable::too_many_streams;

/// Opens a stream: `connected`, then `ping` every so often, then what is published. `?events=a,b`
/// keeps it to the named ones.
pub async fn open(connection: &mut Connection, caller: &Principal) -> After {
    let filter = connection
        .head
        .query()
        .and_then(|query| query::first(query, "events"));
    let filter = EventFilter::parse(filter.as_deref().unwrap_or_default());
    let Some(filter) = filter else {
        let text = "`events` must be a list of at most 32 event names";
        return connection.send(Response::error(400, text)).await;
    };
    let http = connection.http.clone();
    let Some(permit) = http.server.stream_permit() else {
        return connection.send(too_many_streams()).await;
    };
    let outlet = http.server.stream_outlet();
    let client = http.server.subscribe_events(caller, filter, outlet.clone());
    let frame = connection.answer_frame();
    let mut opening = std::mem::take(&mut connection.output);
    let (framing, _) = write_stream_head(&http, &mut opening, frame, None);
    http.server.metrics.sse_event(EventKind::Connected);
    let connected = named_event("connected", &format!(r#"{{"clientId":"{client}"}}"#));
    framing.frame(&mut opening, |out| out.extend_from_slice(&connected));
    let owner = StreamOwner::Events;
    After::Stream(Box::new(StreamPlan {
        opening,
        outlet,
        framing,
        owner,
        permit,
    }))
}

/// Publishes `{"event": name, "data": any JSON}`; answers how many streams took it.
pub fn publish(server: &Server, bytes: &[u8]) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Publish<'a> {
        event: String,
        #[serde(borrow, default)]
        data: Option<&'a RawValue>,
    }
    let publish: Publish<'_> = match from_bytes(bytes) {
        Ok(publish) => publish,
        Err(error) => {
            let text = format!("expected {{\"event\": name, \"data\": …}}: {error}");
            return Response::error(400, &text);
        }
    };
    if let Err(error) = Server::check_event_name(&publish.event) {
        return Response::error(400, &error.to_string());
    }
    let data = publish.data.map_or("null", RawValue::get);
    let delivered = server.publish(&publish.event, named_event(&publish.event, data));
    Response::json(200, format!(r#"{{"delivered":{delivered}}}"#))
}
