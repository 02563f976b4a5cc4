//! A server on rmcp with the fifty tools that every peer has.
//!
//! `PORT sse` keeps sessions and answers with event streams, `PORT json` keeps none and answers with JSON, which rmcp
//! does only without sessions; `--stdio` serves whoever started it. By hand instead of by macros, for speed: one match
//! and one prepared list.

use std::error::Error;
use std::sync::Arc;

use axum::serve::ListenerExt as _;
use rmcp::ErrorData as McpError;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ServerHandler, ServiceExt as _};
use serde::Deserialize;

const TOOLS: usize = 50;

#[derive(Clone)]
struct Compare {
    tools: Arc<Vec<Tool>>,
}

#[derive(Deserialize)]
struct Add {
    a: f64,
    b: f64,
}

impl Compare {
    fn new() -> Compare {
        let schema = serde_json::json!({
            "type": "object",
            "properties": {
                "a": { "type": "number", "description": "the first number" },
                "b": { "type": "number", "description": "the second number" },
            },
            "required": ["a", "b"],
        });
        let schema = Arc::new(schema.as_object().cloned().unwrap_or_default());
        let tool = |number| {
            let name = match number {
                1 => "add".to_owned(),
                number => format!("add_{number:02}"),
            };
            Tool::new(name, "Adds two numbers.", Arc::clone(&schema))
        };
        Compare {
            tools: Arc::new((1..=TOOLS).map(tool).collect()),
        }
    }
}

impl ServerHandler for Compare {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("compare", env!("CARGO_PKG_VERSION")))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, McpError> {
        Ok(ListToolsResult::with_all_items(self.tools.to_vec()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, McpError> {
        if !request.name.starts_with("add") {
            return Err(McpError::invalid_params("no such tool", None));
        }
        let arguments = serde_json::Value::Object(request.arguments.unwrap_or_default());
        let Add { a, b } = serde_json::from_value(arguments)
            .map_err(|error| McpError::invalid_params(error.to_string(), None))?;
        Ok(CallToolResult::success(vec![ContentBlock::text(format!("{}", a + b))]).into())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--stdio"] => runtime.block_on(async {
            let running = Compare::new().serve(rmcp::transport::stdio()).await?;
            running.waiting().await?;
            Ok(())
        }),
        [port, mode @ ("json" | "sse")] => runtime.block_on(serve(port.parse()?, mode == "json")),
        _ => Err("usage: siskin-compare-rmcp PORT json|sse | --stdio".into()),
    }
}

async fn serve(port: u16, json: bool) -> Result<(), Box<dyn Error>> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(!json)
        .with_json_response(json);
    let server = Compare::new();
    let service = StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let router = axum::Router::new().route_service("/mcp", service);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let listener = listener.tap_io(|stream| {
        // Without it each answer in pieces waits for the client's acknowledgement.
        _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}
