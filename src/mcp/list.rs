//! Pages of the four lists: tools, prompts, resources, resource templates.
//!
//! The items are written by their own types; a page is rendered once per catalog and revision.
//! Where a page begins is `pagination`'s business.

use super::json;
use super::result::{CacheHint, Dialect};
use super::revision::Revision;

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// `prompts/list`.
    Prompts,
    /// `resources/list`.
    Resources,
    /// `resources/templates/list`.
    ResourceTemplates,
    /// `tools/list`.
    Tools,
}

impl List {
    /// The method that asks for it.
    pub fn method(self) -> &'static str {
        match self {
            List::Prompts => "prompts/list",
            List::Resources => "resources/list",
            List::ResourceTemplates => "resources/templates/list",
            List::Tools => "tools/list",
        }
    }

    /// The member of the result that holds the items.
    pub fn key(self) -> &'static str {
        match self {
            List::Prompts => "prompts",
            List::Resources => "resources",
            List::ResourceTemplates => "resourceTemplates",
            List::Tools => "tools",
        }
    }
}

/// Something a list can show.
pub trait Item {
    /// Writes it as the list shows it.
    fn write_item(&self, out: &mut Vec<u8>, revision: Revision);
}

impl Item for super::tool::Tool {
    fn write_item(&self, out: &mut Vec<u8>, revision: Revision) {
        self.write(out, revision);
    }
}

impl Item for super::prompt::Prompt {
    fn write_item(&self, out: &mut Vec<u8>, revision: Revision) {
        self.write(out, revision);
    }
}

impl Item for super::resource::Resource {
    fn write_item(&self, out: &mut Vec<u8>, revision: Revision) {
        self.write(out, revision);
    }
}

impl Item for super::resource::ResourceTemplate {
    fn write_item(&self, out: &mut Vec<u8>, revision: Revision) {
        self.write(out, revision);
    }
}

/// Writes one page; `next` is the cursor of the following one.
pub fn write_page<'a>(
    out: &mut Vec<u8>,
    dialect: &Dialect<'_>,
    list: List,
    items: impl Iterator<Item = &'a dyn Item>,
    next: Option<&str>,
    cache: CacheHint,
) {
    dialect.complete(out, |result| {
        let array = result.key(list.key());
        json::array(array, |array| {
            for item in items {
                item.write_item(array.element(), dialect.revision);
            }
        });
        result.optional_string("nextCursor", next);
        cache.write(result, dialect.revision);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::prompt::Prompt;

    #[test]
    fn a_page() {
        let prompts = [Prompt::new("a"), Prompt::new("b")];
        let items = || prompts.iter().map(|prompt| prompt as &dyn Item);
        let legacy = Dialect {
            revision: Revision::V2025_06_18,
            server_info: "",
        };
        let mut out = Vec::new();
        write_page(
            &mut out,
            &legacy,
            List::Prompts,
            items(),
            Some("c"),
            CacheHint::default(),
        );
        assert_eq!(
            out,
            br#"{"prompts":[{"name":"a"},{"name":"b"}],"nextCursor":"c"}"#
        );
        let latest = Dialect {
            revision: Revision::LATEST,
            server_info: "",
        };
        let mut out = Vec::new();
        write_page(
            &mut out,
            &latest,
            List::Tools,
            std::iter::empty(),
            None,
            CacheHint::default(),
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"resultType":"complete","tools":[],"ttlMs":0,"cacheScope":"private"}"#
        );
    }

    #[test]
    fn method_and_key_belong_together() {
        for list in [List::Prompts, List::Resources, List::Tools] {
            assert_eq!(list.method(), format!("{}/list", list.key()));
        }
    }
}
