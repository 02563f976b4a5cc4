//! `siskin token new`: a token for a client, shown once, and what the configuration holds in its place.

use std::fmt::Write as _;

use argh::{ArgsInfo, FromArgs};

use super::front::did_you_mean;
use super::{Context, Failure};
use crate::config::{TokenHash, TokenWords, nearest};

/// make an access token and the lines of the configuration that accept it
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "token",
    help_triggers("--help"),
    note = "ACTION is `new`. The token is shown once and kept nowhere; the configuration gets its SHA-256, from which \
            nobody can make it again. A running server accepts it after SIGHUP.",
    example = "siskin token new --name laptop",
    example = "siskin token new --name grafana --scopes read --tools 'grafana_*'"
)]
pub(super) struct Token {
    /// name of the token, for logs; default: client
    #[argh(option, arg_name = "NAME")]
    name: Option<String>,

    /// what its holder may do, comma separated: read, write, admin, publish; default: read,write
    #[argh(option, arg_name = "SCOPES")]
    scopes: Option<String>,

    /// tools its holder may call, comma separated, * standing for any text; default: all
    #[argh(option, arg_name = "PATTERNS")]
    tools: Option<String>,

    /// what to do: new
    #[argh(positional, arg_name = "ACTION")]
    action: String,
}

/// What tokens begin with, so that one is known for what it is where it should not be.
const PREFIX: &str = "siskin_";

impl Token {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        if self.action != "new" {
            let guess = nearest(&self.action, ["new"].into_iter());
            let guess = did_you_mean(guess.as_deref());
            let shown = self.action.escape_debug();
            return Err(Failure::usage(format!(
                "unknown action `{shown}`{guess}; `siskin token new` makes a token"
            )));
        }
        let words = TokenWords {
            name: self.name.as_deref().unwrap_or("client"),
            scopes: self.scopes.as_deref().unwrap_or("read,write"),
            tools: self.tools.as_deref().unwrap_or_default(),
        };
        let mut token = PREFIX.to_owned();
        for byte in context.app.random() {
            write!(token, "{byte:02x}").expect(INFALLIBLE);
        }
        let entry = words.entry(&TokenHash::of(&token));
        let entry = entry.map_err(|problem| Failure::usage(problem.to_string()))?;
        write!(
            context.out,
            "token, shown this once:\n\n{token}\n\nfor the configuration:\n\n{entry}"
        )
        .expect(INFALLIBLE);
        Ok(())
    }
}

const INFALLIBLE: &str = "a string can always be written to";
