//! The four lists as result text: pages, and the whole list kept once rendered.

use std::cell::RefCell;
use std::rc::Rc;

use crate::mcp::list::{Item, List, write_page};
use crate::mcp::result::{CacheHint, Dialect};
use crate::mcp::revision::Revision;
use crate::tools::Change;

use super::{Catalog, ToolEntry};

/// Whole lists as result text, by list and revision.
#[derive(Default)]
pub struct Lists(RefCell<Vec<WholeList>>);

type WholeList = (List, Revision, Rc<[u8]>);

/// What part of a list to show.
pub struct Page<'a> {
    /// Index of the first item, among those the caller sees.
    pub start: usize,
    /// Most items on it.
    pub len_max: usize,
    /// Makes the cursor of the page that starts at the given index.
    pub cursor: &'a dyn Fn(usize) -> String,
}

impl Catalog {
    /// A whole list that everyone may see, if it fits one page: rendered at the first request and
    /// sent as prepared bytes from then on.
    pub fn whole_list(&self, list: List, dialect: &Dialect<'_>, cache: CacheHint) -> Rc<[u8]> {
        let mut lists = self.lists.0.borrow_mut();
        let known = lists
            .iter()
            .find(|(known, revision, _)| *known == list && *revision == dialect.revision);
        if let Some((_, _, text)) = known {
            return text.clone();
        }
        let mut text = Vec::new();
        let items = self.items(list, &|_| true);
        write_page(&mut text, dialect, list, items.into_iter(), None, cache);
        let text: Rc<[u8]> = text.into();
        lists.push((list, dialect.revision, text.clone()));
        text
    }

    /// Writes one page of what the caller may see.
    pub fn write_page(
        &self,
        out: &mut Vec<u8>,
        list: List,
        dialect: &Dialect<'_>,
        cache: CacheHint,
        page: &Page<'_>,
        may_see: &dyn Fn(&ToolEntry) -> bool,
    ) {
        let items = self.items(list, may_see);
        let end = page.start.saturating_add(page.len_max).min(items.len());
        let next = (end < items.len()).then(|| (page.cursor)(end));
        write_page(
            out,
            dialect,
            list,
            items.iter().copied().take(end).skip(page.start),
            next.as_deref(),
            cache,
        );
    }

    /// How many items a list has.
    pub fn list_len(&self, list: List) -> usize {
        match list {
            List::Prompts => self.prompts.len(),
            List::Resources => self.resources.len(),
            List::ResourceTemplates => self.templates.len(),
            List::Tools => self.tools.len(),
        }
    }

    fn items<'a>(&'a self, list: List, may_see: &dyn Fn(&ToolEntry) -> bool) -> Vec<&'a dyn Item> {
        match list {
            List::Prompts => self
                .prompts
                .iter()
                .map(|entry| &entry.prompt as &dyn Item)
                .collect(),
            List::Resources => self
                .resources
                .iter()
                .map(|entry| &entry.resource as &dyn Item)
                .collect(),
            List::ResourceTemplates => self
                .templates
                .iter()
                .map(|entry| &entry.template as &dyn Item)
                .collect(),
            List::Tools => (self.tools.iter().filter(|entry| may_see(entry)))
                .map(|entry| &entry.tool as &dyn Item)
                .collect(),
        }
    }

    /// Which lists differ in the snapshot that takes this one's place, by what clients see.
    pub fn changes_to(&self, next: &Catalog) -> Vec<Change> {
        let differs = |list: List| {
            let dialect = Dialect {
                revision: Revision::LATEST,
                server_info: "",
            };
            let render = |catalog: &Catalog| {
                let mut text = Vec::new();
                let items = catalog.items(list, &|_| true);
                write_page(
                    &mut text,
                    &dialect,
                    list,
                    items.into_iter(),
                    None,
                    CacheHint::default(),
                );
                text
            };
            render(self) != render(next)
        };
        let mut changes = Vec::new();
        if differs(List::Tools) {
            changes.push(Change::Tools);
        }
        if differs(List::Prompts) {
            changes.push(Change::Prompts);
        }
        if differs(List::Resources) || differs(List::ResourceTemplates) {
            changes.push(Change::Resources);
        }
        changes
    }
}
