//! The program behind the command line: what each command asks of the parts.

use std::path::{Path, PathBuf};

use crate::cli::{
    App, CallOutcome, Checked, ExitCode, Failure, HttpsAsk, PackFile, ToolLine, Trial,
};
use crate::config::{Loaded, Sources};
use crate::mcp::content::Body;
use crate::mcp::revision::Revision;
use crate::mcp::tool::{Tool, ToolResult};
use crate::rt;

use super::health;
use super::launch::{self, LaunchError};
use super::packs::Reading;
use super::plan::{Parts, Plan, PlanError};
use super::trial;

/// The `siskin` program.
pub struct Siskin;

impl App for Siskin {
    fn serve(&self, loaded: Loaded, sources: Sources) -> Result<(), Failure> {
        Ok(launch::run_http(loaded, sources)?)
    }

    fn stdio(&self, loaded: Loaded, _sources: Sources) -> Result<(), Failure> {
        launch::run_stdio(&loaded)?;
        Ok(())
    }

    fn tools(&self, loaded: &Loaded) -> Result<Vec<ToolLine>, Failure> {
        let catalog = plan(loaded)?.catalog;
        Ok(catalog
            .tools
            .iter()
            .map(|entry| line(&entry.tool))
            .collect())
    }

    fn call(
        &self,
        loaded: &Loaded,
        tool: &str,
        arguments_json: &str,
    ) -> Result<CallOutcome, Failure> {
        let Plan {
            catalog, services, ..
        } = plan(loaded)?;
        let result = rt::run(async {
            let result = catalog.call(tool, arguments_json).await;
            services.log_out().await;
            result
        });
        Ok(outcome(&result))
    }

    fn new_pack(&self, loaded: &Loaded, id: &str, url: &str) -> Result<PathBuf, Failure> {
        trial::new_pack(&loaded.folder, id, url)
    }

    fn read_pack(&self, file: &Path) -> Result<PackFile, Failure> {
        trial::read_pack(file)
    }

    fn try_tool(
        &self,
        loaded: &Loaded,
        file: &Path,
        tool: &str,
        arguments_json: &str,
    ) -> Result<Trial, Failure> {
        trial::try_tool(&loaded.config, file, tool, arguments_json)
    }

    fn check(&self, loaded: &Loaded) -> Checked {
        let (config, folder) = (&loaded.config, &loaded.folder);
        match Plan::read(config, folder, &Parts::new(), 1, Reading::Everything) {
            Ok(plan) => rt::run(async {
                let (mut problems, mut notes) = plan.services.check().await;
                plan.services.log_out().await;
                if let Some(jwks) = &plan.jwks {
                    match jwks.check().await {
                        Ok(count) => notes.push(format!("auth.jwt_jwks_url: {count} keys")),
                        Err(problem) => problems.push(format!("auth.jwt_jwks_url: {problem}")),
                    }
                }
                Checked { problems, notes }
            }),
            Err(error) => Checked {
                problems: error.lines(),
                notes: Vec::new(),
            },
        }
    }

    fn https_status(&self, ask: &HttpsAsk<'_>) -> Result<u16, String> {
        health::https_status(ask)
    }

    fn random(&self) -> [u8; 32] {
        rt::random()
    }

    fn revisions(&self) -> Vec<&'static str> {
        Revision::ALL.map(Revision::as_str).to_vec()
    }
}

/// A tool as the command line shows it.
pub(super) fn line(tool: &Tool) -> ToolLine {
    ToolLine {
        name: tool.name().to_owned(),
        title: tool.title_text().map(str::to_owned),
        description: tool.description_text().map(str::to_owned),
        read_only: tool.hints().read_only == Some(true),
        input_schema_json: tool.input_schema().into_owned(),
    }
}

/// A result as the command line shows it.
pub(super) fn outcome(result: &ToolResult) -> CallOutcome {
    let text = result.content.iter().map(|content| match &content.body {
        Body::Text(text) => text.clone(),
        Body::Image { mime_type, .. } => format!("[image, {mime_type}]"),
        Body::Audio { mime_type, .. } => format!("[audio, {mime_type}]"),
        Body::ResourceLink(resource) => format!("[resource {}]", resource.uri),
        Body::Resource(contents) => format!("[resource {}]", contents.uri),
    });
    CallOutcome {
        is_error: result.is_error,
        text: text.collect(),
        structured_json: result.structured.as_ref().map(|json| json.get().to_owned()),
    }
}

fn plan(loaded: &Loaded) -> Result<Plan, Failure> {
    Ok(Plan::new(&loaded.config, &loaded.folder, &Parts::new(), 1)?)
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Failure {
        Failure::new(ExitCode::Config, error.to_string())
    }
}

impl From<LaunchError> for Failure {
    fn from(error: LaunchError) -> Failure {
        let exit = match &error {
            LaunchError::Plan(_) => ExitCode::Config,
            LaunchError::Serve(_) => ExitCode::Unavailable,
        };
        Failure::new(exit, error.to_string())
    }
}
