//! `siskin version`, and `-V`.

use std::fmt::Write as _;

use argh::{ArgsInfo, FromArgs};

use super::{Context, Failure};

/// print the version, the features built in and the MCP revisions
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "version", help_triggers("--help"))]
pub(super) struct Version {}

/// The cargo features, by whether they are built in.
const FEATURES: [(&str, bool); 6] = [
    ("aws", cfg!(feature = "aws")),
    ("http-types", cfg!(feature = "http-types")),
    ("jwt", cfg!(feature = "jwt")),
    ("packs", cfg!(feature = "packs")),
    ("stderr", cfg!(feature = "stderr")),
    ("tls", cfg!(feature = "tls")),
];

impl Version {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        write(context);
        Ok(())
    }
}

pub(super) fn write(context: &mut Context<'_>) {
    let version = env!("CARGO_PKG_VERSION");
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    let features: Vec<_> = FEATURES
        .iter()
        .filter(|(_, is_built_in)| *is_built_in)
        .map(|(name, _)| *name)
        .collect();
    let features = match features.as_slice() {
        [] => "none".to_owned(),
        names => names.join(", "),
    };
    let revisions = context.app.revisions().join(", ");
    write!(
        context.out,
        "siskin {version} ({arch}-{os})\nfeatures: {features}\nMCP revisions: {revisions}\n"
    )
    .expect("a string can always be written to");
}
