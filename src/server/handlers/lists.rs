//! The four lists: `tools/list`, `prompts/list`, `resources/list`, `resources/templates/list`.

use crate::catalog::{Page, ToolEntry};
use crate::gate::Principal;
use crate::mcp::errors::ProtocolError;
use crate::mcp::list::List;
use crate::mcp::pagination;
use crate::mcp::revision::Revision;
use crate::server::Server;
use crate::server::dispatch::{Exchange, Flow};

use super::tools::is_read_only;

/// `tools/list`: what the caller may call, and nothing else.
pub fn handle_tools(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    write_list(exchange, out, List::Tools)
}

/// `prompts/list`.
pub fn handle_prompts(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    write_list(exchange, out, List::Prompts)
}

/// `resources/list`.
pub fn handle_resources(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    write_list(exchange, out, List::Resources)
}

/// `resources/templates/list`.
pub fn handle_templates(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    write_list(exchange, out, List::ResourceTemplates)
}

impl Server {
    /// The result of `tools/list` for the plain endpoint, on one page, and how many tools it has.
    pub fn all_tools(&self, caller: &Principal) -> (Vec<u8>, usize) {
        let (settings, catalog) = (self.settings(), self.catalog());
        let may_see =
            |entry: &ToolEntry| caller.may_call(entry.tool.name(), is_read_only(&entry.tool));
        let count = catalog.tools.iter().filter(|entry| may_see(entry)).count();
        let page = Page {
            start: 0,
            len_max: usize::MAX,
            cursor: &|_| String::new(),
        };
        let mut out = Vec::new();
        self.with_dialect(Revision::LATEST_LEGACY, |dialect| {
            catalog.write_page(
                &mut out,
                List::Tools,
                dialect,
                settings.cache,
                &page,
                &may_see,
            );
        });
        (out, count)
    }
}

fn write_list(
    exchange: &Exchange<'_>,
    out: &mut Vec<u8>,
    list: List,
) -> Result<Flow, ProtocolError> {
    let settings = exchange.server.settings();
    let (catalog, caller) = (exchange.catalog, exchange.caller());
    let sees_everything = list != List::Tools || caller.may_call_everything();
    let fits_one_page = catalog.list_len(list) <= settings.page_len;
    let (sealer, generation) = (&exchange.server.sealer, catalog.generation);
    let start = pagination::parse_position(sealer, list, generation, exchange.request.params)?;
    if start == 0 && sees_everything && fits_one_page {
        let text =
            exchange.with_dialect(|dialect| catalog.whole_list(list, dialect, settings.cache));
        out.extend_from_slice(&text);
        return Ok(Flow::Done);
    }
    let page = Page {
        start: usize::try_from(start).unwrap_or(usize::MAX),
        len_max: settings.page_len,
        cursor: &|position| {
            let position = u32::try_from(position).unwrap_or(u32::MAX);
            pagination::write_cursor(sealer, list, generation, position)
        },
    };
    exchange.with_dialect(|dialect| {
        catalog.write_page(out, list, dialect, settings.cache, &page, &|entry| {
            caller.may_call(entry.tool.name(), is_read_only(&entry.tool))
        });
    });
    Ok(Flow::Done)
}
