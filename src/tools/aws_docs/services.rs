//! `get_available_services`: which services the regions in China have, from the documentation's own list.

use serde_json::Value;

use crate::mcp::logging::Level;
use crate::tools::Context;

use super::address;
use super::arguments::Arguments;
use super::fetch::{FetchError, Fetched};
use super::output;
use super::page::{self, Unreadable};
use super::read::{fixed_url, text_answer};
use super::{Answer, AwsDocs, Failure};

/// Where the list is, and its table of contents.
const FOLDER: &str = "https://docs.amazonaws.cn/en_us/aws/latest/userguide/";
const PAGE: &str = "services.html";
const CONTENTS: &str = "toc-contents.json";

impl AwsDocs {
    /// Lists the services. What goes wrong is told in an ordinary answer.
    pub(super) async fn services(&self, context: &Context, _: Arguments) -> Answer {
        let told = |text: String| {
            context.log(Level::Error, &text);
            Ok(text_answer(&text))
        };
        let (page, contents) = match self.fetch_services().await {
            Ok(fetched) => fetched,
            Err(error) => return told(format!("Failed to fetch AWS-CN services page: {error}")),
        };
        if page.status >= 400 {
            return told(format!(
                "Failed to fetch AWS-CN services page - status code {}",
                page.status
            ));
        }
        let contents: Value = serde_json::from_str(&contents.text)
            .map_err(|error| Failure::new(format!("the table of contents is not JSON: {error}")))?;
        let Some(entry) = entry(&contents) else {
            return told(format!(
                "Failed fetching list of available AWS Services, please go to {FOLDER}{PAGE} directly"
            ));
        };
        let markdown = match page.text.is_empty() {
            true => Err(Unreadable::Empty),
            false => page::article(&mut page::read(&page.text).await).await,
        };
        let markdown = markdown.unwrap_or_else(|reason| format!("Note: {reason}"));
        let header = output::header(address::without_query(page.url.as_str()));
        Ok(text_answer(&format!(
            "{header}{markdown}\n\n## Services in Amazon Web Services China\n\n{}",
            list(entry).join("\n")
        )))
    }

    /// Both, always.
    async fn fetch_services(&self) -> Result<(Fetched, Fetched), FetchError> {
        let url = |file: &str| -> Result<_, FetchError> {
            let url = fixed_url(&format!("{FOLDER}{file}"))?;
            let session = [("session", self.memory.session.as_str())];
            address::with_parameters(url.as_str(), &session).map_err(FetchError::Url)
        };
        let page = self.upstream.get(url(PAGE)?, &[]).await?;
        let contents = self
            .upstream
            .get(url(CONTENTS)?, &[("Content-Type", "application/json")])
            .await?;
        Ok((page, contents))
    }
}

/// The list's entry in the table of contents.
fn entry(contents: &Value) -> Option<&Value> {
    let entries = contents.get("contents")?.as_array()?;
    entries
        .iter()
        .find(|entry| entry.get("href").and_then(Value::as_str) == Some(PAGE))
}

/// A line for each service.
fn list(entry: &Value) -> Vec<String> {
    let children = entry.get("contents").and_then(Value::as_array);
    let mut lines = Vec::new();
    for child in children.into_iter().flatten() {
        let text = |name| child.get(name).and_then(Value::as_str);
        let title = text("title").unwrap_or_default();
        if title.contains("Services Unsupported") {
            continue;
        }
        // The reference writes so, and callers compare.
        let href = text("href").unwrap_or("None");
        lines.push(format!("- [{title}]({FOLDER}{href})"));
    }
    lines
}
