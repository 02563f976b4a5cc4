//! What the command line asks of the program above it.
//!
//! The command line knows the configuration and nothing else; serving, listing and calling tools are behind one trait,
//! which `crate::app` implements and the tests fake. The data that crosses is plain and belongs to this module.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Loaded, Sources};

use super::exit::Failure;

/// The program behind the commands.
pub trait App {
    /// Serves HTTP until it is told to stop. `sources` is what a reload reads again.
    ///
    /// # Errors
    /// [`Unavailable`](super::ExitCode::Unavailable) when an address cannot be bound.
    fn serve(&self, loaded: Loaded, sources: Sources) -> Result<(), Failure>;

    /// Serves one client on standard input and output, until the input ends.
    ///
    /// # Errors
    /// As the program sees fit.
    fn stdio(&self, loaded: Loaded, sources: Sources) -> Result<(), Failure>;

    /// The tools that a server of this configuration would offer, in the order it lists them.
    ///
    /// # Errors
    /// As the program sees fit, for example for a pack that cannot be read.
    fn tools(&self, loaded: &Loaded) -> Result<Vec<ToolLine>, Failure>;

    /// Runs one tool. `arguments_json` is a JSON object.
    ///
    /// # Errors
    /// When the tool did not run at all; a tool that ran and failed is an outcome.
    fn call(
        &self,
        loaded: &Loaded,
        tool: &str,
        arguments_json: &str,
    ) -> Result<CallOutcome, Failure>;

    /// Looks beyond the keys themselves: at packs, files and services.
    fn check(&self, loaded: &Loaded) -> Checked;

    /// Writes a new pack into the folder of packs, and says where it is. `url` is where the service may be found.
    ///
    /// # Errors
    /// For a name that is none, a file that is there already, and a folder that cannot be written.
    fn new_pack(&self, loaded: &Loaded, id: &str, url: &str) -> Result<PathBuf, Failure>;

    /// Reads a pack's file, whatever the configuration says.
    ///
    /// # Errors
    /// When the file cannot be read at all; mistakes in it are a result.
    fn read_pack(&self, file: &Path) -> Result<PackFile, Failure>;

    /// Runs one tool of a pack's file against the service of the configuration, and tells what went over the wire.
    ///
    /// # Errors
    /// When the tool did not run at all.
    fn try_tool(
        &self,
        loaded: &Loaded,
        file: &Path,
        tool: &str,
        arguments_json: &str,
    ) -> Result<Trial, Failure>;
    /// Bytes that nobody can guess.
    fn random(&self) -> [u8; 32];

    /// Asks a server over TLS, and returns the status of its answer.
    ///
    /// # Errors
    /// Why there is no answer.
    fn https_status(&self, ask: &HttpsAsk<'_>) -> Result<u16, String>;

    /// The protocol revisions spoken, oldest first.
    fn revisions(&self) -> Vec<&'static str>;
}

/// A question to a server that speaks TLS.
#[derive(Clone, Copy, Debug)]
pub struct HttpsAsk<'a> {
    /// Where and what.
    pub url: &'a str,
    /// The `Host` field.
    pub host: &'a str,
    /// Whether it is this machine's own server, whose certificate is for other names than the address it is asked at:
    /// then it is not looked at.
    pub is_own: bool,
    /// For all of it.
    pub timeout: Duration,
}

/// What a check of a configuration found, one line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What is wrong.
    pub problems: Vec<String>,
    /// What is worth telling if nothing is wrong.
    pub notes: Vec<String>,
}

/// A tool as the command line shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolLine {
    /// The name clients call it by.
    pub name: String,
    /// Its name for people.
    pub title: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Whether it promises to change nothing.
    pub read_only: bool,
    /// The JSON Schema of its arguments.
    pub input_schema_json: String,
}

/// What a tool answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOutcome {
    /// Whether the tool says it failed.
    pub is_error: bool,
    /// The text of each content block; for a block without text, a line that says what it is.
    pub text: Vec<String>,
    /// `structuredContent`, as JSON.
    pub structured_json: Option<String>,
}

/// A pack as it stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackFile {
    /// What is wrong with it, a line each; nothing else is known then.
    pub problems: Vec<String>,
    /// The service's name for people.
    pub title: String,
    /// Its tools, those that depend on an option included.
    pub tools: Vec<ToolLine>,
}

/// A tool that was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// What went over the wire, in order, without secrets.
    pub exchanges: Vec<Exchange>,
    /// What a client would get.
    pub outcome: CallOutcome,
}

/// One request with what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Verb and URL.
    pub request: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body; empty for none.
    pub body: String,
    /// The answer, or why there is none.
    pub answer: Result<Answer, String>,
}

/// What a service said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, and where redirects led if they did.
    pub status: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}
