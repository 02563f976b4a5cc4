//! `siskin serve`: HTTP, whatever `server.transport` says.

use argh::{ArgsInfo, FromArgs};

use super::{Context, Failure};

/// serve HTTP until told to stop
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "serve",
    help_triggers("--help"),
    note = "Beyond loopback a token is required: set `server.api_token`, best by `APP_SERVER__API_TOKEN_FILE`.",
    example = "siskin serve --port 9000",
    example = "siskin serve --listen unix:/run/siskin.sock"
)]
pub(super) struct Serve {
    /// listen on this address and on no configured one, as in 127.0.0.1:8000, [::1]:8000 or unix:/run/siskin.sock;
    /// may be repeated
    #[argh(option, arg_name = "ADDRESS")]
    listen: Vec<String>,

    /// port for all routes, 0 for any free one; the same as --set server.port=N
    #[argh(option, arg_name = "N")]
    port: Option<String>,
}

impl Serve {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        if !self.listen.is_empty() && self.port.is_some() {
            let message = "`--listen` has a port already: keep it or `--port`";
            return Err(Failure::usage(message));
        }
        let overrides = &mut context.sources.overrides;
        overrides.push("server.transport=http".to_owned());
        if let Some(port) = self.port {
            overrides.push(format!("server.port={port}"));
        }
        if !self.listen.is_empty() {
            overrides.push(format!("server.listeners={}", self.listen.join(",")));
            // "Here" means nowhere else: a port left open by a file would surprise whoever names an address.
            overrides.push("server.port=".to_owned());
            for further in ["http_enabled", "api_enabled", "sse_enabled"] {
                overrides.push(format!("server.{further}=false"));
            }
        }
        let loaded = context.load()?;
        let sources = std::mem::take(&mut context.sources);
        context.app.serve(loaded, sources)
    }
}
