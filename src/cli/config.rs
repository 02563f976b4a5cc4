//! `siskin config`: the effective configuration, and the reference and the schema of all keys.

use argh::{ArgsInfo, FromArgs};

use super::{Context, Failure};
use crate::config::{json_schema, reference_markdown};

/// print the effective configuration with the origin of each value
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "config",
    help_triggers("--help"),
    note = "Secrets are masked. --schema and --reference need no sound configuration."
)]
pub(super) struct Config {
    /// print the JSON Schema of the configuration files, for editors
    #[argh(switch)]
    schema: bool,

    /// print the reference of all keys, in Markdown
    #[argh(switch)]
    reference: bool,
}

impl Config {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let text = match (self.schema, self.reference) {
            (true, true) => {
                let message = "`--schema` and `--reference` are two texts: ask for one of them";
                return Err(Failure::usage(message));
            }
            (true, false) => json_schema(),
            (false, true) => reference_markdown(),
            (false, false) => context.load()?.render_effective(),
        };
        context.out.push_str(&text);
        Ok(())
    }
}
