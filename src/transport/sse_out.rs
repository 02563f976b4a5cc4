//! Outlet items as Server-Sent Events, framed for the connection they go out on.

use std::rc::Rc;

use crate::gate::cors;
use crate::http1::Version;
use crate::http1::encode::{
    Body, HeadWriter, HeaderValue, LAST_CHUNK, Persistence, encode_chunk_with,
};
use crate::http1::sse::{Event, encode_comment, encode_event};
use crate::metrics::{EventKind, Metrics};
use crate::server::outlet::{EventId, Item, Packet};

use super::http::Http;

const EVENT_STREAM: HeaderValue<'static> = HeaderValue::from_static("text/event-stream");
/// `no-transform`: a proxy that compresses the stream buffers it.
const NO_STORE: HeaderValue<'static> = HeaderValue::from_static("no-store, no-transform");
/// nginx buffers responses unless told not to.
const NO: HeaderValue<'static> = HeaderValue::from_static("no");

/// How events are framed: chunks, or nothing for an HTTP/1.0 client.
#[derive(Clone, Copy)]
pub struct EventFraming {
    is_chunked: bool,
}

/// Writes the head of an event stream, and a first comment so that something arrives at once:
/// some clients and proxies count the seconds until then.
pub fn write_stream_head(
    http: &Http,
    out: &mut Vec<u8>,
    frame: (Version, Persistence, Vec<cors::Header>),
    session: Option<&str>,
) -> (EventFraming, Persistence) {
    let (version, persistence, cors) = frame;
    let mut head = HeadWriter::start(out, version, 200);
    head.header("Content-Type", EVENT_STREAM)
        .header("Cache-Control", NO_STORE)
        .header("X-Accel-Buffering", NO);
    if let Some(Ok(session)) = session.map(HeaderValue::parse) {
        head.header("Mcp-Session-Id", session);
    }
    for (name, value) in &cors {
        if let Ok(value) = HeaderValue::parse(value) {
            head.header(name, value);
        }
    }
    let written = head.finish(Body::Chunked, persistence, &http.date());
    let framing = EventFraming {
        is_chunked: written.body == Body::Chunked,
    };
    framing.frame(out, |out| encode_comment(out, ""));
    (framing, written.persistence)
}

impl EventFraming {
    /// No framing: the bytes of the stream as they are.
    #[cfg(feature = "http-types")]
    pub const PLAIN: EventFraming = EventFraming { is_chunked: false };

    /// Writes one piece of the stream; each piece is one chunk, and one write.
    pub fn frame(self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
        if self.is_chunked {
            encode_chunk_with(out, fill)
        } else {
            fill(out)
        }
    }

    /// Writes the priming event: an id and no data, and how long to wait before coming back
    /// (2025-11-25 `basic/transports`).
    pub fn prime(self, out: &mut Vec<u8>, metrics: &Metrics, id: EventId, retry_ms: u64) {
        metrics.sse_event(EventKind::Priming);
        let id = id.to_string();
        let event = Event {
            id: Some(&id),
            retry_ms: Some(retry_ms),
            ..Event::default()
        };
        self.frame(out, |out| encode_event(out, &event));
    }

    /// Writes an item of an outlet.
    pub fn item(self, out: &mut Vec<u8>, metrics: &Metrics, item: &Item) {
        match item {
            Item::Answer(packet, _) | Item::Message(packet) => self.message(out, metrics, packet),
            Item::Event(kind, block) => {
                metrics.sse_event(*kind);
                self.frame(out, |out| out.extend_from_slice(block));
            }
            Item::KeepAlive => {
                metrics.sse_event(EventKind::Comment);
                self.frame(out, |out| encode_comment(out, ""));
            }
            Item::Unanswered => (),
        }
    }

    fn message(self, out: &mut Vec<u8>, metrics: &Metrics, packet: &Packet) {
        metrics.sse_event(EventKind::Message);
        let id = packet.event_id.map(|id| id.to_string());
        // JSON text of ours is UTF-8 on one line.
        let Ok(data) = std::str::from_utf8(&packet.text) else {
            return;
        };
        let event = Event {
            id: id.as_deref(),
            event: Some("message"),
            data,
            ..Event::default()
        };
        self.frame(out, |out| encode_event(out, &event));
    }

    /// Writes the end of the stream, on an event boundary.
    pub fn end(self, out: &mut Vec<u8>) {
        if self.is_chunked {
            out.extend_from_slice(LAST_CHUNK);
        }
    }
}

/// One named event with JSON data, as a block that any number of streams can share.
pub fn named_event(name: &str, data: &str) -> Rc<[u8]> {
    let mut block = Vec::new();
    encode_event(
        &mut block,
        &Event {
            event: Some(name),
            data,
            ..Event::default()
        },
    );
    block.into()
}
