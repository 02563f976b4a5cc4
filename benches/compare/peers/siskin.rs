//! siskin as the benchmark compares it: the fifty tools that every peer has, and no other.
//!
//! `compare PORT` serves HTTP, `compare --stdio` whoever started it.

use std::error::Error;
use std::io::Write as _;

use serde::Deserialize;
use siskin::{Builder, Context, Limits, Tool};

/// `add` and the others, which only make the list longer.
const TOOLS: usize = 50;
/// As many as the benchmark opens at most, and some more.
const CLIENTS: usize = 12_000;

#[derive(Deserialize)]
struct Add {
    a: f64,
    b: f64,
}

// As in the program.
#[cfg(target_env = "musl")]
siskin::compare_by_words!(bcmp);
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: siskin::rt::sys::KeepSmall = siskin::rt::sys::KeepSmall;

fn main() -> Result<(), Box<dyn Error>> {
    let limits = Limits {
        sessions: CLIENTS,
        streams: CLIENTS,
        requests_in_flight: 1024,
        ..Limits::default()
    };
    let mut builder = Builder::new("compare", env!("CARGO_PKG_VERSION"))
        .limits(limits)
        .connections(CLIENTS, CLIENTS);
    for number in 1..=TOOLS {
        let name = match number {
            1 => "add".to_owned(),
            number => format!("add_{number:02}"),
        };
        let tool = Tool::new(name)
            .description("Adds two numbers.")
            .number("a", "the first number")
            .number("b", "the second number");
        builder = builder.tool_now(tool, |_: &Context, Add { a, b }| Ok(format!("{}", a + b)));
    }
    let server = builder.build()?;
    match std::env::args().nth(1).as_deref() {
        Some("--stdio") => server.serve_stdio()?,
        Some(port) => {
            let port: u16 = port.parse()?;
            server.serve_http_then(format!("127.0.0.1:{port}"), |address| {
                // Nobody may be listening to the end.
                _ = writeln!(std::io::stderr(), "listening http {address}");
            })?;
        }
        None => return Err("usage: compare PORT | compare --stdio".into()),
    }
    Ok(())
}
