//! Answers that come in pages: how the next one is asked for, and when it is enough.

use serde_json::Value;

use super::header::check_header_name;
use super::request::Outgoing;
use super::source::Node;
use super::status::read_pointer;
use super::template::{Names, Scope, Template, Unfit};

/// `[tool.pages]`.
#[derive(Debug)]
pub(super) struct PagesSpec {
    mode: Mode,
    /// Where the list stands in an answer, if the response's `at` does not say.
    pub items: Option<Box<str>>,
    param: Box<str>,
    start: u64,
    size_param: Option<Box<str>>,
    size: Option<u64>,
    last_header: Option<Box<str>>,
    /// Header with the number of all items. A page that is not full is then no end: servers have limits of their own.
    total_header: Option<Box<str>>,
    next: Option<Box<str>>,
    pub pages_max: u64,
    items_max: ItemsMax,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Cursor,
    NextUrl,
    Offset,
    Page,
}

#[derive(Debug)]
enum ItemsMax {
    Argument(Template),
    Fixed(u64),
}

/// Where the next page is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// There is none.
    End,
    /// Behind this value of the parameter.
    Parameter(String),
    /// At this URL.
    Url(String),
}

/// What is known about one page.
pub(super) struct Page<'a> {
    /// What [`PagesSpec::pointed`] found in it.
    pub pointed: Option<String>,
    pub items_len: usize,
    /// Items of this and all earlier pages.
    pub items_total: usize,
    /// From 0.
    pub index: u64,
    /// What the header says that tells the last page.
    pub last: Option<&'a str>,
    /// How many items there are in all, where a header says so.
    pub total: Option<u64>,
}

pub(super) const MODES: [&str; 4] = ["page", "offset", "cursor", "next_url"];
pub(super) const PAGES_KEYS: &[&str] = &[
    "mode",
    "items",
    "param",
    "start",
    "size_param",
    "size",
    "last_header",
    "total_header",
    "next",
    "max_pages",
    "max_items",
];
const PAGES_MAX: i64 = 10;
const ITEMS_MAX: i64 = 500;

impl PagesSpec {
    pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<PagesSpec> {
        let table = node.table(PAGES_KEYS)?;
        let mode = match table.require("mode")?.word(&MODES)? {
            0 => Mode::Page,
            1 => Mode::Offset,
            2 => Mode::Cursor,
            _ => Mode::NextUrl,
        };
        let goes_on = matches!(mode, Mode::Cursor | Mode::NextUrl);
        if goes_on {
            table.require("next");
        } else if let Some(node) = table.get("next") {
            node.report("means nothing to this mode");
        }
        if mode != Mode::NextUrl {
            table.require("param");
        } else if let Some(node) = table.get("param") {
            node.report("means nothing to this mode");
        }
        for key in ["start", "last_header", "total_header"] {
            if let Some(node) = table.get(key).filter(|_| goes_on) {
                node.report("means nothing to this mode");
            }
        }
        let bounded = |key: &str, min: i64, max: i64, default: i64| match table.get(key) {
            None => Some(default.unsigned_abs()),
            Some(node) => node.integer(min, max).map(i64::unsigned_abs),
        };
        let size = bounded("size", 1, 10_000, 0);
        match (table.get("size_param"), table.get("size")) {
            (Some(node), None) | (None, Some(node)) if mode != Mode::Offset => {
                node.report("`size_param` and `size` go together");
            }
            (Some(node), None) => node.report("`size` is missing"),
            _ => (),
        }
        let header = |key: &str| {
            let node = table.get(key)?;
            let name = node.text()?;
            if let Err(problem) = check_header_name(name) {
                node.report(problem);
            }
            Some(name.into())
        };
        let items_max = match table.get("max_items") {
            Some(node) if node.value.get_ref().is_str() => {
                ItemsMax::Argument(Template::read(&node, names)?)
            }
            _ => ItemsMax::Fixed(bounded("max_items", 1, 100_000, ITEMS_MAX)?),
        };
        let start = if mode == Mode::Page { 1 } else { 0 };
        Some(PagesSpec {
            mode,
            items: match table.get("items") {
                Some(node) => Some(read_pointer(&node)?),
                None => None,
            },
            param: table.text("param").unwrap_or_default().into(),
            start: bounded("start", 0, 1_000, start)?,
            size_param: table.text("size_param").map(Box::from),
            size: size.filter(|size| *size > 0),
            last_header: header("last_header"),
            total_header: header("total_header"),
            next: match table.get("next") {
                Some(node) => Some(read_pointer(&node)?),
                None => None,
            },
            pages_max: bounded("max_pages", 1, 100, PAGES_MAX)?,
            items_max,
        })
    }

    /// Makes a request one for the first page.
    pub(super) fn prepare(&self, outgoing: &mut Outgoing) {
        if matches!(self.mode, Mode::Page | Mode::Offset) {
            outgoing.put_query(&self.param, self.start.to_string());
        }
        if let (Some(param), Some(size)) = (&self.size_param, self.size) {
            outgoing.put_query(param, size.to_string());
        }
    }

    /// Makes it one for the next.
    pub(super) fn advance(&self, outgoing: &mut Outgoing, value: String) {
        outgoing.put_query(&self.param, value);
    }

    /// How many items are enough.
    pub(super) fn items_max(&self, scope: &Scope<'_>) -> Result<usize, Unfit> {
        let max = match &self.items_max {
            ItemsMax::Fixed(max) => Some(*max),
            ItemsMax::Argument(template) => template.value(scope)?.and_then(|value| value.as_u64()),
        };
        let max = max.unwrap_or(ITEMS_MAX.unsigned_abs());
        Ok(usize::try_from(max).unwrap_or(usize::MAX))
    }

    /// The cursor or URL in an answer.
    pub(super) fn pointed(&self, value: &Value) -> Option<String> {
        match value.pointer(self.next.as_deref()?)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The name of the header that says which page is the last.
    pub(super) fn last_header(&self) -> Option<&str> {
        self.last_header.as_deref()
    }

    /// The name of the header that says how many items there are.
    pub(super) fn total_header(&self) -> Option<&str> {
        self.total_header.as_deref()
    }

    /// Where the page after this one is.
    pub(super) fn next(&self, page: Page<'_>) -> Next {
        match (self.mode, page.pointed) {
            (Mode::NextUrl, Some(url)) => return Next::Url(url),
            (Mode::Cursor, Some(cursor)) => return Next::Parameter(cursor),
            (Mode::NextUrl | Mode::Cursor, None) => return Next::End,
            (Mode::Offset | Mode::Page, _) => (),
        }
        let is_last = match page.total {
            Some(total) => page.items_total as u64 >= total,
            None => self.size.is_some_and(|size| (page.items_len as u64) < size),
        };
        if page.items_len == 0 || is_last {
            return Next::End;
        }
        let number = match self.mode {
            Mode::Offset => self.start.checked_add(page.items_total as u64),
            _ => self.start.checked_add(page.index.saturating_add(1)),
        };
        // There is no page behind the last number.
        let Some(number) = number else {
            return Next::End;
        };
        let last = page.last.and_then(|text| text.trim().parse::<u64>().ok());
        match last {
            Some(last) if number > last => Next::End,
            _ => Next::Parameter(number.to_string()),
        }
    }
}
