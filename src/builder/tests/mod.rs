//! A server is built as an author would, and spoken to in JSON-RPC without a socket.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::gate::Principal;
use crate::jsonrpc::{self, Envelope, Incoming, Rules};
use crate::mcp::capabilities::{ClientCapabilities, TASKS_EXTENSION};
use crate::mcp::headers::{HeaderSource, HeaderValue};
use crate::mcp::revision::Revision;
use crate::mcp::tool::TaskSupport;
use crate::metrics::{Metrics, Transport};
use crate::rt::{self, Clock, Deadlines};
use crate::server::Server;
use crate::server::arrival::{Arrival, Carrier, Reply, StreamableHead};
use crate::server::outlet::{Item, Outlet};
use crate::server::session::Session;
use crate::tools::{Ask, NoArguments};

use super::*;

mod mistakes;
mod offers;
mod questions;
mod settings;
mod tasks;
mod tools;

/// One client of the stateless era.
struct Client {
    server: Rc<Server>,
    caller: Rc<Principal>,
    capabilities: Value,
    clock: Clock,
}

impl Client {
    /// Sends one request of 2026-07-28 and returns the whole response.
    async fn send(&self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": self.capabilities,
        });
        self.exchange(json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}))
            .await
    }

    /// Sends one request of the era before.
    async fn send_legacy(&self, method: &str, params: Value) -> Value {
        self.exchange(json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}))
            .await
    }

    async fn exchange(&self, request: Value) -> Value {
        let text = request.to_string();
        let answer = match self.receive(&text, Carrier::Plain) {
            Reply::Accepted => panic!("{text} was taken for a notification"),
            Reply::Ready(answer) => answer.text,
            Reply::Running(running) => loop {
                match running.outlet.next().await {
                    Ok(Item::Answer(packet, _)) => break packet.text.to_vec(),
                    Ok(_) => (),
                    Err(reason) => panic!("{text} ended without an answer: {reason:?}"),
                }
            },
        };
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["id"], 7);
        answer
    }

    fn receive(&self, text: &str, carrier: Carrier<'_>) -> Reply {
        let rules = Rules {
            batch_len_max: 1,
            depth_max: 64,
            envelope: Envelope::Strict,
        };
        let Ok(Incoming::Single(message)) = jsonrpc::parse(text.as_bytes(), &rules) else {
            panic!("{text} is not a message");
        };
        let arrival = Arrival {
            transport: Transport::Http,
            caller: &self.caller,
            carrier,
        };
        self.server.receive(message, &arrival)
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        self.send("tools/call", params).await["result"].take()
    }
}

fn speak<T>(server: McpServer, capabilities: Value, test: impl AsyncFnOnce(Client) -> T) -> T {
    let (settings, catalog) = server.into_parts();
    rt::run(async move {
        let clock = Clock::manual();
        let (metrics, deadlines) = (Rc::new(Metrics::new()), Deadlines::new(&clock));
        let server = Server::new(settings, catalog, metrics, deadlines, [7; 32]);
        let client = Client {
            server,
            caller: Rc::new(Principal::anonymous()),
            capabilities,
            clock,
        };
        test(client).await
    })
}

#[derive(Deserialize)]
struct Add {
    a: i64,
    b: i64,
}

fn add() -> Tool {
    Tool::new("add")
        .description("Adds.")
        .integer("a", "")
        .integer("b", "")
}

fn builder() -> Builder {
    Builder::new("test", "1")
}

fn adder() -> McpServer {
    let server = builder()
        .tool(add(), async |_: Context, Add { a, b }| {
            Ok((a + b).to_string())
        })
        .tool_now(Tool::new("sub"), |_: &Context, Add { a, b }| {
            Ok((a - b).to_string())
        })
        .alias("plus", "add");
    server.build().unwrap()
}
