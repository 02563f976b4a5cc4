//! `read_documentation` and `read_sections`, and what all page tools have in common: the check of the URL, the request, the page that answered.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::client::Url;
use crate::html::space;
use crate::mcp::content::Content;
use crate::mcp::logging::Level;
use crate::mcp::tool::ToolResult;
use crate::tools::Context;

use super::address;
use super::arguments::Arguments;
use super::fetch::{FetchError, Fetched};
use super::output;
use super::page::{self, Unreadable};
use super::sections::{self, Missing};
use super::{Answer, AwsDocs, Failure, Partition};

/// Characters of one part, unless said otherwise, and at most.
const LENGTH: u64 = 5_000;
const LENGTH_MAX: u64 = 999_999;

/// A page that answered.
pub(super) struct Page {
    pub(super) text: String,
    pub(super) is_html: bool,
    /// Its address without the query.
    pub(super) served: String,
    /// What to say if this is not the page that was asked for.
    pub(super) note: Option<String>,
}

/// How far into a body one looks for `<html`.
const MARKER_CHARS_MAX: usize = 100;

impl Page {
    fn new(requested: &str, fetched: Fetched) -> Page {
        let requested = address::without_query(requested);
        let served = address::without_query(fetched.url.as_str()).to_owned();
        let is_same = address::is_same_page(requested, &fetched.url);
        let start: String = fetched.text.chars().take(MARKER_CHARS_MAX).collect();
        let content_type = fetched.content_type.as_str();
        Page {
            is_html: start.contains("<html")
                || content_type.contains("text/html")
                || content_type.is_empty(),
            text: fetched.text,
            note: (!is_same).then(|| format!("Requested {requested}; served {served}.")),
            served,
        }
    }

    /// A failure that concerns this page.
    pub(super) fn failure(&self, text: &str) -> Failure {
        Failure::new(match &self.note {
            Some(note) => format!("{note} {text}"),
            None => text.to_owned(),
        })
    }

    /// The page, or a part of it, as an answer.
    pub(super) fn answer(&self, content: &str) -> ToolResult {
        let note = match &self.note {
            Some(note) => format!("<e>{note}</e>\n\n"),
            None => String::new(),
        };
        text_answer(&format!("{note}{}{content}", output::header(&self.served)))
    }
}

/// One text, also as structured content.
pub(super) fn text_answer(text: &str) -> ToolResult {
    #[derive(Serialize)]
    struct Structured<'a> {
        result: &'a str,
    }
    let mut result = ToolResult::structured(&Structured { result: text });
    result.content = vec![Content::text(text)];
    result
}

/// An object, and the same as indented JSON.
pub(super) fn object_answer(object: Vec<u8>) -> ToolResult {
    let json = String::from_utf8_lossy(&object).into_owned();
    ToolResult {
        content: vec![Content::text(output::indented(&json))],
        structured: RawValue::from_string(json).ok(),
        ..ToolResult::default()
    }
}

impl AwsDocs {
    /// Reads a page, or says in plain words what is wrong with its URL.
    pub(super) async fn read(&self, context: &Context, arguments: &mut Arguments) -> Answer {
        let url = arguments.text("url");
        let length = arguments.integer("max_length", LENGTH, 1, LENGTH_MAX);
        let start = arguments.integer("start_index", 0, 0, u64::MAX);
        arguments.finish()?;
        if let Err(failure) = self.checked(&url) {
            if self.partition == Partition::AwsCn {
                // An ordinary answer in this partition.
                context.log(Level::Error, &failure.logged);
                return Ok(text_answer(&failure.logged));
            }
            return Err(failure.into());
        }
        let page = self.page(&url, &[]).await?;
        let content = match page.is_html {
            true => Cow::Owned(self.markdown(&page).await?),
            false => Cow::Borrowed(page.text.as_str()),
        };
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(page.answer(&output::part(&content, size(start), size(length))))
    }

    async fn markdown(&self, page: &Page) -> Result<String, Failure> {
        let markdown = match page.text.is_empty() {
            true => Err(Unreadable::Empty),
            false => page::article(&mut page::read(&page.text).await).await,
        };
        let markdown = markdown.map_err(|reason| self.unreadable(page, &reason.to_string()))?;
        Ok(match self.partition {
            Partition::Aws => output::shorten_tables(&markdown, &page.served),
            // There is no tool here that the note on a shortened table could name.
            Partition::AwsCn => markdown,
        })
    }

    /// Reads some sections of a page.
    pub(super) async fn read_sections(&self, arguments: &mut Arguments) -> Answer {
        let url = arguments.text("url");
        let titles = arguments.list("section_titles");
        arguments.finish()?;
        self.checked(&url)?;
        if titles.is_empty() {
            return Err(Failure::new("section_titles parameter cannot be empty").into());
        }
        let encoded = titles
            .iter()
            .map(|title| address::encode(space::trim(title), ""));
        let encoded: Vec<String> = encoded.collect();
        let page = self.page(&url, &[("sections", &encoded.join(","))]).await?;
        if !page.is_html {
            let text = "Cannot extract sections from non-HTML content. Please use the read_documentation tool instead \
                        to get the full document content.";
            return Err(page.failure(text).into());
        }
        if page.text.is_empty() {
            // Not a failure for the reference either.
            return Ok(page.answer("No content or section titles provided"));
        }
        let mut document = page::read(&page.text).await;
        let article = match sections::keep(&mut document, &titles) {
            Ok(()) => page::article(&mut document).await,
            Err(Missing::Page(reason)) => Err(reason),
            Err(Missing::All(text)) => return Err(page.failure(&text).into()),
        };
        let markdown = article.map_err(|reason| self.unreadable(&page, &reason.to_string()))?;
        Ok(page.answer(&output::shorten_tables(&markdown, &page.served)))
    }

    /// Whether a URL may be asked for.
    pub(super) fn checked(&self, url: &str) -> Result<(), Failure> {
        let problem = match (self.partition.allows(url), url.ends_with(".html")) {
            (false, _) => match self.partition {
                Partition::Aws => "URL must be from list of supported domains",
                Partition::AwsCn => "URL must be from the docs.amazonaws.cn domain",
            },
            (true, false) => "URL must end with .html",
            (true, true) => return Ok(()),
        };
        Err(Failure {
            text: problem.to_owned(),
            logged: format!("Invalid URL: {url}. {problem}"),
        })
    }

    /// Gets a page. The parameters come after the session and are encoded already.
    pub(super) async fn page(
        &self,
        url: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Page, Failure> {
        let session = self.memory.session.as_str();
        let mut all = vec![("session", session)];
        all.extend(parameters);
        let query_id = self
            .memory
            .query_id(url)
            .map(|id| address::encode(&id, "/"));
        if let Some(query_id) = &query_id {
            all.push(("query_id", query_id));
        }
        let fetched = match address::with_parameters(url, &all) {
            Ok(url) => {
                self.upstream
                    .get(url, &[("X-MCP-Session-Id", session)])
                    .await
            }
            Err(error) => Err(FetchError::Url(error)),
        };
        let fetched =
            fetched.map_err(|error| Failure::new(format!("Failed to fetch {url}: {error}")))?;
        let status = fetched.status;
        let page = Page::new(url, fetched);
        if status >= 400 {
            let advice = match self.advice(true) {
                "" => String::new(),
                advice => format!(".{advice}"),
            };
            let text = format!("Failed to fetch {url} - status code {status}{advice}");
            return Err(page.failure(&text));
        }
        Ok(page)
    }

    /// A page that cannot be read, for a reason.
    pub(super) fn unreadable(&self, page: &Page, reason: &str) -> Failure {
        let advice = self.advice(page.note.is_some());
        page.failure(&format!(
            "{} could not be read: {reason}{advice}",
            page.served
        ))
    }

    /// Whom to turn to, where that exists.
    fn advice(&self, is_wanted: bool) -> &'static str {
        match (self.partition, is_wanted) {
            (Partition::Aws, true) => " Use search_documentation.",
            _ => "",
        }
    }
}

/// Reads an address that is fixed.
pub(super) fn fixed_url(text: &str) -> Result<Url, FetchError> {
    Url::parse(text).map_err(FetchError::Url)
}
