//! `resources/subscribe`, `resources/unsubscribe` and `subscriptions/listen`.

use crate::mcp::errors::ProtocolError;
use crate::mcp::subscription::{self, Filter};
use crate::metrics::Limit;
use crate::server::arrival::Carrier;
use crate::server::dispatch::{Exchange, Flow};

/// Subscribes the session to a resource; the result is exactly `{}`.
pub fn handle_subscribe(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let uri = subscription::parse_uri(exchange.request.params)?;
    if exchange.catalog.reader(&uri).is_none() {
        return Err(ProtocolError::resource_not_found(&uri, exchange.revision()));
    }
    let limit = exchange.server.settings().limits.subscriptions;
    let Some(session) = exchange.session() else {
        return Err(ProtocolError::invalid_request(
            "subscribing needs a session",
        ));
    };
    if !session.subscribe(&uri, limit) {
        exchange.server.metrics.limit_hit(Limit::Subscriptions);
        return Err(ProtocolError::invalid_params(format!(
            "`limits.subscriptions` ({limit}) resources are subscribed; unsubscribe from one first"
        )));
    }
    exchange.server.watch_resources();
    exchange.with_dialect(|dialect| dialect.empty(out));
    Ok(Flow::Done)
}

/// Ends the subscription to a resource; the result is exactly `{}`, also if there was none.
pub fn handle_unsubscribe(
    exchange: &Exchange<'_>,
    out: &mut Vec<u8>,
) -> Result<Flow, ProtocolError> {
    let uri = subscription::parse_uri(exchange.request.params)?;
    if let Some(session) = exchange.session() {
        session.unsubscribe(&uri);
    }
    exchange.with_dialect(|dialect| dialect.empty(out));
    Ok(Flow::Done)
}

/// Opens a stream of notifications: first the acknowledgement with what of the filter is honoured,
/// then what happens, at the end an empty result (2026-07-28 `basic/patterns/subscriptions`).
pub fn handle_listen(exchange: &Exchange<'_>, _out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let server = exchange.server;
    if matches!(exchange.arrival.carrier, Carrier::Plain) {
        return Err(ProtocolError::invalid_request(
            "this endpoint does not stream; use `/mcp`",
        ));
    }
    let mut filter = Filter::parse(exchange.request.params)?;
    let limit = server.settings().limits.subscriptions;
    filter.resource_subscriptions.truncate(limit);
    filter
        .resource_subscriptions
        .retain(|uri| exchange.catalog.reader(uri).is_some());
    let Some(permit) = server.stream_permit() else {
        let limit = server.settings().limits.streams;
        return Ok(Flow::Busy(ProtocolError::internal(format!(
            "`limits.streams` ({limit}) are open; close one first"
        ))));
    };
    // Over HTTP the response that carries it takes no second place: one listen stream is one stream.
    exchange.note_stream_permit();
    let (route, id) = (exchange.route(), exchange.request.id.clone());
    let mut text = Vec::new();
    filter.write_acknowledged(&mut text, id.as_json());
    route.message(text);
    let watches_resources = !filter.resource_subscriptions.is_empty();
    let listening = server.listen(id.clone(), exchange.caller(), filter, route);
    if watches_resources {
        server.watch_resources();
    }
    let (server, revision) = (server.clone(), exchange.revision());
    Ok(Flow::Listening(Box::pin(async move {
        listening.finished().await;
        drop(permit);
        let mut out = Vec::new();
        server.with_dialect(revision, |dialect| {
            subscription::write_end(&mut out, dialect, id.as_json())
        });
        Ok(out)
    })))
}
