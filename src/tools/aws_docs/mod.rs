//! The AWS documentation tools of both partitions: reading, searching and recommending pages.
//!
//! They answer as the reference server does, release 1.2.3 of the Python package `awslabs.aws-documentation-mcp-server`, text for text and
//! request for request; `tests/it/aws_docs.rs` holds them to recorded answers and lists where they differ on purpose. In scope: which URLs
//! may be asked for, the requests, what answers look like. Not in scope: HTTP itself (`client`), HTML itself (`html`), and whether the
//! tools are offered (`app`).
//!
//! ```text
//!   call ─▶ arguments ─▶ one tool ─▶ fetch ─▶ page ─▶ output
//!                         read, sections, search_table, search, recommend, services
//! ```

pub mod address;
pub mod definitions;
pub mod fetch;
pub mod page;
pub mod tables;

mod arguments;
mod budget;
mod output;
mod read;
mod recommend;
mod search;
mod search_table;
mod sections;
mod services;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use crate::client::{Client, Trust};
use crate::mcp::logging::Level;
use crate::mcp::tool::ToolResult;
use crate::rt;
use crate::sorted::SortedMap;

use super::Context;
use arguments::Arguments;
use definitions::Name;

/// A partition of AWS with documentation of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// The regions in China.
    AwsCn,
}

/// What the operator decides.
pub struct Settings {
    /// Whose documentation.
    pub partition: Partition,
    /// The first part of the `User-Agent`.
    pub user_agent: Option<String>,
    /// Where to reach a host instead: host, or host and port, to URL.
    pub hosts: SortedMap<String, String>,
    /// For each phase of a request, and for all of it.
    pub timeout: Duration,
    /// Longest page.
    pub body_bytes_max: usize,
    /// Whom to believe over TLS.
    pub trust: Trust,
}

/// What outlives a change of the settings: who we are to the documentation's hosts, and what was searched for last.
pub struct Memory {
    /// Sent along with every request, so that the host can tell what belongs together: a random UUID.
    session: String,
    searches: RefCell<VecDeque<Search>>,
}

/// A search that was answered.
struct Search {
    query_id: String,
    urls: Vec<String>,
}

/// Searches that are remembered.
const SEARCHES_MAX: usize = 3;

impl Memory {
    /// Nothing yet.
    #[expect(clippy::new_without_default, reason = "two of them differ")]
    pub fn new() -> Memory {
        Memory {
            session: uuid(rt::random()),
            searches: RefCell::new(VecDeque::new()),
        }
    }

    fn remember(&self, search: Search) {
        let mut searches = self.searches.borrow_mut();
        searches.push_front(search);
        searches.truncate(SEARCHES_MAX);
    }

    /// The id of the newest search that found exactly this URL.
    fn query_id(&self, url: &str) -> Option<String> {
        let searches = self.searches.borrow();
        let found = searches
            .iter()
            .find(|search| search.urls.iter().any(|found| found == url))?;
        Some(found.query_id.clone()).filter(|id| !id.is_empty())
    }
}

/// A UUID of version 4 (RFC 9562, section 5.4) from random bytes.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The tools of one partition.
pub struct AwsDocs {
    partition: Partition,
    upstream: fetch::Upstream,
    memory: Rc<Memory>,
}

/// Why a tool has no answer. The model is shown one text, the log of the client another where it says more.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    text: String,
    logged: String,
}

impl Failure {
    fn new(text: impl Into<String>) -> Failure {
        let text = text.into();
        Failure {
            logged: text.clone(),
            text,
        }
    }
}

impl AwsDocs {
    /// The tools, over a client and a memory that outlive them.
    pub fn new(settings: Settings, client: Client, memory: Rc<Memory>) -> AwsDocs {
        AwsDocs {
            partition: settings.partition,
            upstream: fetch::Upstream::new(settings, client),
            memory,
        }
    }

    /// Calls a tool. Failures are results too.
    pub async fn call(&self, context: &Context, name: Name, arguments: &str) -> ToolResult {
        let mut arguments = Arguments::parse(arguments);
        let answer = match name {
            Name::GetAvailableServices => self.services(context, arguments).await,
            Name::ReadDocumentation => self.read(context, &mut arguments).await,
            Name::ReadSections => self.read_sections(&mut arguments).await,
            Name::Recommend => self.recommend(context, &mut arguments).await,
            Name::SearchDocumentation => self.search(context, &mut arguments).await,
            Name::SearchTable => self.search_table(&mut arguments).await,
        };
        let failure = match answer {
            Ok(result) => return result,
            Err(Refused::Arguments(text)) => return failed(name, &text),
            Err(Refused::Failure(failure)) => failure,
        };
        context.log(Level::Error, &failure.logged);
        failed(name, &failure.text)
    }
}

fn failed(name: Name, text: &str) -> ToolResult {
    ToolResult::error(format!("Error executing tool {}: {text}", name.as_str()))
}

/// Why there is no result: the caller's fault, or what became of the request.
enum Refused {
    /// The arguments do not fit; nothing is logged.
    Arguments(String),
    Failure(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Refused {
        Refused::Failure(failure)
    }
}

type Answer = Result<ToolResult, Refused>;

/// For fuzzing: a page of any bytes, its article and its tables. They end within their budget.
#[doc(hidden)]
pub fn fuzz_page(html: &str) {
    crate::rt::run(async {
        let mut document = page::read(html).await;
        _ = tables::find(&document, None).await;
        _ = tables::find(&document, Some("a")).await;
        _ = page::article(&mut document).await;
    });
}

#[cfg(test)]
mod tests;
