//! A page of the documentation as Markdown: the part that is the article, without the furniture around it.

use crate::html::{Document, NodeId, Selector, TooMuchWork, space, to_markdown};

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
    /// Nothing is left of it.
    Nothing,
    /// It cannot be converted within bounds.
    TooMuchWork(TooMuchWork),
}

/// The article of a page; the page is used up.
pub fn article(document: &mut Document) -> Result<String, Unreadable> {
    let root = document.root();
    let found = ARTICLE.iter().find_map(|selector| document.find(root, selector));
    let container = found.unwrap_or(root);
    let is_furniture = |document: &Document, id: NodeId| FURNITURE.iter().any(|selector| selector.fits(document, id));
    let furniture: Vec<NodeId> = document.descendants(container).filter(|id| is_furniture(document, *id)).collect();
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
    match to_markdown(document) {
        Ok(markdown) if space::is_blank(&markdown) => Err(Unreadable::Nothing),
        Ok(markdown) => Ok(markdown),
        Err(error) => Err(Unreadable::TooMuchWork(error)),
    }
}

/// Whether a link names a page without a name, such as `./.html#part`: the documentation's generator leaves them behind.
pub fn leads_nowhere(href: &str) -> bool {
    let path = href.split(['#', '?']).next().unwrap_or_default();
    let path = space::trim(path);
    let file = path.rsplit('/').next().unwrap_or_default();
    file.eq_ignore_ascii_case(".html") || file.eq_ignore_ascii_case(".htm")
}
