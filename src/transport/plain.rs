//! Plain JSON-RPC: the answer is in the body, there is no session and no stream. The paths and the
//! forgiving envelope are those of the axinova server and of the AWS server's guide.

use std::rc::Rc;

use crate::gate::Principal;
use crate::jsonrpc::{self, Envelope, Incoming};
use crate::metrics::Transport;
use crate::server::Server;
use crate::server::arrival::{Arrival, Carrier, Reply};

use super::connection::{After, Connection};
use super::reply::{self, Takes};
use super::respond::Response;
use super::site::Settings;
use super::streamable::rules;

/// Takes a message or a batch.
pub async fn post(
    connection: &mut Connection,
    settings: &Rc<Settings>,
    caller: &Rc<Principal>,
    bytes: &[u8],
) -> After {
    let arrival = Arrival {
        transport: Transport::Http,
        caller,
        carrier: Carrier::Plain,
    };
    let server = &connection.http.server;
    let reply = match jsonrpc::parse(bytes, &rules(settings, Envelope::Lenient)) {
        Ok(Incoming::Single(message)) => server.receive(message, &arrival),
        Ok(Incoming::Batch(messages)) => server.receive_batch(messages, &arrival),
        Err(error) => Reply::Ready(server.refuse(&error, &arrival)),
    };
    reply::send(connection, settings, reply, Takes::Json).await
}

/// The tools as `{"tools":[…],"count":n}`.
pub fn tools(server: &Rc<Server>, caller: &Principal) -> Response {
    let (mut body, count) = server.all_tools(caller);
    body.pop();
    body.extend_from_slice(format!(r#","count":{count}}}"#).as_bytes());
    Response::json(200, body)
}
