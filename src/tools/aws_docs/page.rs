//! A page of the documentation as Markdown: the part that is the article, without the furniture around it.

use std::fmt;

use crate::html::{
    Conversion, Document, NodeId, Parsing, Selector, Source, Step, TooMuchWork, space,
};
use crate::rt;

use Selector::{Class, Id, Tag, TagWith};

/// Where the article is, by the first of these that the page has; its body without any, and the whole page without that.
const ARTICLE: [Selector; 10] = [
    Tag("main"),
    Tag("article"),
    Id("main-content"),
    Class("main-content"),
    Id("content"),
    Class("content"),
    TagWith("div", "role", "main"),
    Id("awsdocs-content"),
    Class("awsui-article"),
    Tag("body"),
];

/// What is in the article and no part of it.
const FURNITURE: [Selector; 13] = [
    Tag("noscript"),
    Class("prev-next"),
    Id("main-col-footer"),
    Class("awsdocs-page-utilities"),
    Id("quick-feedback-yes"),
    Id("quick-feedback-no"),
    Class("page-loading-indicator"),
    Id("tools-panel"),
    Class("doc-cookie-banner"),
    Tag("awsdocs-copyright"),
    Tag("awsdocs-thumb-feedback"),
    Tag("script"),
    Tag("style"),
];

/// Why a page has no Markdown; the texts are part of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// There is no page.
    Empty,
    /// It has markup and no text.
    NoText,
    /// Nothing is left of it.
    Nothing,
    /// It cannot be converted within bounds.
    TooMuchWork(TooMuchWork),
}

/// Reads a page; others get their turns meanwhile.
pub async fn read(html: &str) -> Document {
    let source = Source::new(html);
    let mut parsing = Parsing::new(&source);
    while parsing.advance() {
        rt::yield_now().await;
    }
    parsing.finish()
}

/// The article of a page; the page is used up.
pub async fn article(document: &mut Document) -> Result<String, Unreadable> {
    let container = container(document);
    let furniture: Vec<NodeId> = document
        .descendants(container)
        .filter(|id| Selector::first_fit(&FURNITURE, document, *id).is_some())
        .collect();
    for id in furniture {
        document.remove(id);
    }
    let links: Vec<NodeId> = document.select(container, &Tag("a")).collect();
    for link in links {
        if document.attribute(link, "href").is_some_and(leads_nowhere) {
            document.unwrap(link);
        }
    }
    document.keep(container);
    document.merge_texts();
    let mut conversion = Conversion::new(document);
    let markdown = loop {
        match conversion.advance() {
            Some(done) => break done,
            None => rt::yield_now().await,
        }
    };
    match markdown {
        Ok(markdown) if space::is_blank(&markdown) => Err(Unreadable::Nothing),
        Ok(markdown) => Ok(markdown),
        Err(error) => Err(Unreadable::TooMuchWork(error)),
    }
}

/// What holds the article: the first element that the first of [`ARTICLE`] fits which fits any. One walk for all of them.
fn container(document: &Document) -> NodeId {
    let mut found = document.root();
    let mut wanted = ARTICLE.as_slice();
    for id in document.descendants(document.root()) {
        if let Some(at) = Selector::first_fit(wanted, document, id) {
            found = id;
            wanted = wanted.get(..at).unwrap_or_default();
            if wanted.is_empty() {
                break;
            }
        }
    }
    found
}

/// Whether a link names a page without a name, such as `./.html#part`: the documentation's generator leaves them behind.
pub fn leads_nowhere(href: &str) -> bool {
    let path = href.split(['#', '?']).next().unwrap_or_default();
    let path = space::trim(path);
    let file = path.rsplit('/').next().unwrap_or_default();
    file.eq_ignore_ascii_case(".html") || file.eq_ignore_ascii_case(".htm")
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Empty => f.write_str("Empty HTML content."),
            Unreadable::NoText => f.write_str("The page carries no readable content."),
            Unreadable::Nothing => f.write_str("Page failed to be simplified from HTML."),
            Unreadable::TooMuchWork(error) => write!(f, "{error}."),
        }
    }
}

/// Whether there is any text on a page outside of what is never shown.
pub fn has_text(document: &Document) -> bool {
    let root = document.root();
    let body = document.find(root, &Tag("body")).unwrap_or(root);
    let mut hidden = None;
    for step in document.walk(body) {
        match step {
            Step::Enter(id) if hidden.is_none() => {
                let name = document.name(id).unwrap_or_default();
                if matches!(name, "noscript" | "script" | "style") {
                    hidden = Some(id);
                }
                if document
                    .text_node(id)
                    .is_some_and(|text| !space::is_blank(text))
                {
                    return true;
                }
            }
            Step::Leave(id) if hidden == Some(id) => hidden = None,
            Step::Enter(_) | Step::Leave(_) => (),
        }
    }
    false
}
