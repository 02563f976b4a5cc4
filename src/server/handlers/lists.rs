//! The four lists: `tools/list`, `prompts/list`, `resources/list`, `resources/templates/list`.

use std::borrow::Cow;

use serde::Deserialize;

use crate::catalog::Page;
use crate::mcp::errors::ProtocolError;
use crate::mcp::list::List;
use crate::mcp::pagination;
use crate::server::dispatch::{Exchange, Flow};

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

#[derive(Deserialize)]
struct ListParams<'a> {
    #[serde(borrow, default)]
    cursor: Option<Cow<'a, str>>,
}

fn write_list(exchange: &Exchange<'_>, out: &mut Vec<u8>, list: List) -> Result<Flow, ProtocolError> {
    let params: ListParams<'_> = exchange.params()?;
    let settings = exchange.server.settings();
    let (catalog, caller) = (exchange.catalog, exchange.caller());
    let sees_everything = list != List::Tools || caller.may_call_everything();
    let fits_one_page = catalog.list_len(list) <= settings.page_len;
    if params.cursor.is_none() && sees_everything && fits_one_page {
        let text = exchange.with_dialect(|dialect| catalog.whole_list(list, dialect, settings.cache));
        out.extend_from_slice(&text);
        return Ok(Flow::Done);
    }
    let (key, generation) = (exchange.server.seal_key(), catalog.generation);
    let start = match &params.cursor {
        None => 0,
        Some(cursor) => pagination::open_cursor(key, list, generation, cursor)?,
    };
    let page = Page {
        start,
        len_max: settings.page_len,
        cursor: &|position| pagination::seal_cursor(key, list, generation, position),
    };
    exchange.with_dialect(|dialect| {
        catalog.write_page(out, list, dialect, settings.cache, &page, &|entry| {
            caller.may_call(&entry.tool.name, entry.tool.is_read_only())
        });
    });
    Ok(Flow::Done)
}
