//! `resources/subscribe`, `resources/unsubscribe` and `subscriptions/listen`.

use std::borrow::Cow;

use serde::Deserialize;

use crate::mcp::errors::ProtocolError;
use crate::mcp::subscription::{self, Filter};
use crate::server::arrival::Carrier;
use crate::server::dispatch::{Exchange, Flow};

#[derive(Deserialize)]
struct SubscribeParams<'a> {
    #[serde(borrow)]
    uri: Cow<'a, str>,
}

/// Subscribes the session to a resource; the result is exactly `{}`.
pub fn handle_subscribe(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let params: SubscribeParams<'_> = exchange.params()?;
    if exchange.catalog.reader(&params.uri).is_none() {
        return Err(ProtocolError::resource_not_found(&params.uri, exchange.revision()));
    }
    let limit = exchange.server.settings().limits.subscriptions;
    let Some(session) = exchange.session() else {
        return Err(ProtocolError::invalid_request("subscribing needs a session"));
    };
    if !session.subscribe(&params.uri, limit) {
        exchange.server.metrics.limit_hit("subscriptions");
        return Err(ProtocolError::invalid_params(format!(
            "`limits.subscriptions` ({limit}) resources are subscribed; unsubscribe from one first"
        )));
    }
    exchange.server.watch_resources();
    exchange.with_dialect(|dialect| dialect.empty(out));
    Ok(Flow::Done)
}

/// Ends the subscription to a resource; the result is exactly `{}`, also if there was none.
pub fn handle_unsubscribe(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let params: SubscribeParams<'_> = exchange.params()?;
    if let Some(session) = exchange.session() {
        session.unsubscribe(&params.uri);
    }
    exchange.with_dialect(|dialect| dialect.empty(out));
    Ok(Flow::Done)
}

/// Opens a stream of notifications: first the acknowledgement with what of the filter is honoured,
/// then what happens, at the end an empty result (2026-07-28 `basic/patterns/subscriptions`).
pub fn handle_listen(exchange: &Exchange<'_>, _out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let server = exchange.server;
    if matches!(exchange.arrival.carrier, Carrier::Plain) {
        return Err(ProtocolError::invalid_request("this endpoint does not stream; use `/mcp`"));
    }
    let mut filter = Filter::parse(exchange.request.params)?;
    let limit = server.settings().limits.subscriptions;
    filter.resources.truncate(limit);
    filter.resources.retain(|uri| exchange.catalog.reader(uri).is_some());
    let Some(permit) = server.stream_permit() else {
        let limit = server.settings().limits.streams;
        return Err(ProtocolError::internal(format!(
            "`limits.streams` ({limit}) are open; close one first"
        )));
    };
    let (route, id) = (exchange.route(), exchange.request.id.clone());
    let mut text = Vec::new();
    subscription::write_acknowledged(&mut text, &id, &filter);
    route.message(text);
    let watches_resources = !filter.resources.is_empty();
    let listening = server.listen(id.clone(), filter, route);
    if watches_resources {
        server.watch_resources();
    }
    let (server, revision) = (server.clone(), exchange.revision());
    Ok(Flow::Later(Box::pin(async move {
        listening.finished().await;
        drop(permit);
        let mut out = Vec::new();
        server.with_dialect(revision, |dialect| subscription::write_end(&mut out, dialect, &id));
        Ok(out)
    })))
}
