//! The smallest useful server: one tool with typed arguments.
//!
//! `cargo run --example hello` serves `http://127.0.0.1:8000/mcp`; with the argument `stdio` it
//! serves the client that started it.

use serde::Deserialize;
use siskin::{Builder, Context, Tool};

/// What the tool takes. What does not fit never reaches the handler.
#[derive(Deserialize)]
struct Add {
    a: f64,
    b: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let add = Tool::new("add")
        .description("Adds two numbers.")
        .number("a", "the first number")
        .number("b", "the second number")
        .read_only();

    let server = Builder::new("hello", "1.0.0")
        .tool(add, async |_: Context, Add { a, b }| {
            Ok(format!("{}", a + b))
        })
        .build()?;

    match std::env::args().nth(1).as_deref() {
        Some("stdio") => server.serve_stdio()?,
        _ => server.serve_http("127.0.0.1:8000")?,
    }
    Ok(())
}
