//! The messages that are sent, the same to every server.

use std::sync::OnceLock;

/// Ids have seven digits, so that all requests of a kind have one length.
pub const FIRST_ID: u64 = 1_000_000;

const REVISION: &str = "2025-11-25";
const STATELESS: &str = "2026-07-28";

/// Whom requests name as their host, set once: the port counts, for some servers refuse a host without it.
static HOST: OnceLock<String> = OnceLock::new();

/// Says which port is asked.
pub fn set_port(port: u16) {
    HOST.get_or_init(|| format!("127.0.0.1:{port}"));
}

fn host() -> &'static str {
    HOST.get().map_or("127.0.0.1", String::as_str)
}

/// What a call asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// `tools/call` of this tool with `{"a":2,"b":40}`.
    Call,
    List,
}

/// How calls are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// 2024-11-05: answers come on a stream of their own.
    HttpSse,
    /// The call's request without anything before it, to something that is no MCP server.
    Raw,
    /// 2025-11-25: `initialize` once on each connection.
    Session,
    /// 2025-11-25: `initialize`, `initialized`, the call and DELETE for every call.
    SessionPerCall,
    /// 2026-07-28.
    Stateless,
}

impl Era {
    pub fn parse(word: &str) -> Option<Era> {
        Some(match word {
            "http-sse" => Era::HttpSse,
            "raw" => Era::Raw,
            "session" => Era::Session,
            "session-per-call" => Era::SessionPerCall,
            "stateless" => Era::Stateless,
            _ => return None,
        })
    }
}

pub fn initialize(id: u64, era: Era) -> String {
    let revision = if era == Era::HttpSse {
        "2024-11-05"
    } else {
        REVISION
    };
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{{"name":"siskin-load","version":"1"}}}}}}"#
    )
}

pub const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// The call, by `ask`; 2026-07-28 says with every request who asks.
pub fn call(id: u64, era: Era, ask: Ask, tool: &str) -> String {
    let meta = if era == Era::Stateless {
        format!(
            r#""_meta":{{"io.modelcontextprotocol/protocolVersion":"{STATELESS}","io.modelcontextprotocol/clientInfo":{{"name":"siskin-load","version":"1"}},"io.modelcontextprotocol/clientCapabilities":{{}}}}"#
        )
    } else {
        String::new()
    };
    let (method, params) = match ask {
        Ask::Call => {
            let comma = if meta.is_empty() { "" } else { "," };
            let params =
                format!(r#"{{"name":"{tool}","arguments":{{"a":2,"b":40}}{comma}{meta}}}"#);
            ("tools/call", params)
        }
        Ask::List => ("tools/list", format!("{{{meta}}}")),
    };
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}

/// A POST with `body`. The id in a body of [`call`] can be overwritten in place; see [`id_place`].
pub fn post(
    path: &str,
    era: Era,
    ask: Ask,
    tool: &str,
    session: Option<&str>,
    body: &str,
) -> Vec<u8> {
    let mut headers = String::new();
    match era {
        Era::Session | Era::SessionPerCall | Era::Raw => {
            if let Some(session) = session {
                headers =
                    format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: {REVISION}\r\n");
            }
        }
        Era::Stateless => {
            let (method, name) = match ask {
                Ask::Call => ("tools/call", format!("Mcp-Name: {tool}\r\n")),
                Ask::List => ("tools/list", String::new()),
            };
            headers =
                format!("MCP-Protocol-Version: {STATELESS}\r\nMcp-Method: {method}\r\n{name}");
        }
        Era::HttpSse => (),
    }
    format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/json, text/event-stream\r\n\
         Content-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        host(),
        body.len()
    )
    .into_bytes()
}

/// GET of a stream.
pub fn get(path: &str, session: Option<&str>) -> Vec<u8> {
    let session = match session {
        Some(session) => {
            format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: {REVISION}\r\n")
        }
        None => String::new(),
    };
    format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n{session}\r\n",
        host()
    )
    .into_bytes()
}

pub fn delete(path: &str, session: &str) -> Vec<u8> {
    format!(
        "DELETE {path} HTTP/1.1\r\nHost: {}\r\nMcp-Session-Id: {session}\r\n\
         MCP-Protocol-Version: {REVISION}\r\n\r\n",
        host()
    )
    .into_bytes()
}

/// Where the id of [`FIRST_ID`] stands in a request.
pub fn id_place(request: &[u8]) -> usize {
    let key = format!("\"id\":{FIRST_ID}");
    crate::http::find(request, key.as_bytes()).map_or(0, |at| at + 5)
}
