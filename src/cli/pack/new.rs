//! `siskin pack new`: a pack to begin with.

use std::fmt::Write as _;

use argh::{ArgsInfo, FromArgs};

use super::super::{Context, Failure};

/// write a new pack, commented and sound, to go on from
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "new",
    help_triggers("--help"),
    note = "For the id of a pack that siskin brings along, that pack is copied: yours then takes its place. \
            An existing file is left as it is.",
    example = "siskin pack new kettle --url http://192.168.1.7:8080"
)]
pub(super) struct New {
    /// where the service is, for the lines of configuration
    #[argh(option, arg_name = "URL")]
    url: Option<String>,

    /// name of the service: lower-case letters, digits and `_`
    #[argh(positional, arg_name = "ID")]
    id: String,
}

/// Stands for the service's address as long as nobody has said it.
const URL: &str = "http://127.0.0.1:8080";

impl New {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let url = self.url.as_deref().unwrap_or(URL);
        let is_url = ["http://", "https://"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        if !is_url
            || url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '\\')
        {
            let shown = url.escape_debug();
            return Err(Failure::usage(format!(
                "`--url`: expected `http://HOST:PORT` or `https://HOST`, found `{shown}`"
            )));
        }
        let loaded = context.load()?;
        let path = context.app.new_pack(&loaded, &self.id, url)?;
        let (id, path) = (&self.id, path.display());
        write!(
            context.out,
            "wrote {path}\n\n\
             1. Change it to what the service offers, and check it:\n     siskin pack test {path}\n\
             2. Say in the configuration where the service is:\n     [services.{id}]\n     url = \"{url}\"\n     token = \"…\"\n\
             3. Try a tool:\n     siskin pack test {path} TOOL KEY=VALUE...\n\
             4. Look at all of it, then restart or SIGHUP the server:\n     siskin check\n"
        )
        .expect("a string can always be written to");
        Ok(())
    }
}
