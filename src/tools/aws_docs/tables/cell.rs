//! The text of a cell: its values, apart by `; `.
//!
//! Line breaks, paragraphs and list items separate values. A callout, a box with a remark, belongs to the value before it, or to the
//! first one if it stands in front; so the breaks at its edges and inside it are soft.

use crate::html::{Document, NodeId, Step, TooMuchWork, space};
use crate::tools::aws_docs::budget::Budget;
use crate::tools::aws_docs::page::leads_nowhere;

/// Stands for a break in a text under way. Neither occurs in pages that mean it.
const BREAK: char = '\0';
/// Stands for a soft break.
const SOFT: char = '\u{1}';

/// The class of callouts.
const CALLOUT: &str = "awsdocs-note";
/// The class of their titles, such as "Note", which say nothing.
const CALLOUT_TITLE: &str = "awsdocs-note-title";

/// The values of a cell as plain text.
pub(super) fn text(
    document: &Document,
    cell: NodeId,
    budget: &mut Budget,
) -> Result<String, TooMuchWork> {
    let text = values(&one_behind_the_other(tokens(document, cell, budget)?));
    budget.spend(text.len())?;
    Ok(text)
}

/// The values of a cell, links as in Markdown.
pub(super) fn text_with_links(
    document: &Document,
    cell: NodeId,
    budget: &mut Budget,
) -> Result<String, TooMuchWork> {
    let tokens = tokens(document, cell, budget)?;
    let has_link = tokens.iter().any(|token| matches!(token, Token::Link(_)));
    let text = match has_link {
        true => values(&with_spaces_between(document, tokens)),
        false => values(&one_behind_the_other(tokens)),
    };
    budget.spend(text.len())?;
    Ok(text)
}

/// What a cell holds, in order.
enum Token {
    /// Text of a script, a style sheet and the like.
    Apart(String),
    /// Links begin and end; those inside others do not count.
    Link(NodeId),
    LinkEnd,
    /// [`BREAK`] or [`SOFT`].
    Mark(char),
    Text(String),
}

fn tokens(
    document: &Document,
    cell: NodeId,
    budget: &mut Budget,
) -> Result<Vec<Token>, TooMuchWork> {
    budget.walk(document, cell)?;
    let mut tokens = Vec::new();
    let mut within = Within::around(document, cell);
    let (mut link, mut skipped) = (None, None);
    for step in document.walk(cell) {
        match step {
            Step::Enter(id) if skipped.is_none() => {
                if document.has_class(id, CALLOUT_TITLE) {
                    skipped = Some(id);
                    continue;
                }
                within.enter(document, id);
                if let Some(text) = document.text_node(id) {
                    let text = within.broken(text);
                    let is_apart = document
                        .parent(id)
                        .is_some_and(|parent| parent != cell && document.is_apart(parent));
                    tokens.push(if is_apart {
                        Token::Apart(text)
                    } else {
                        Token::Text(text)
                    });
                    continue;
                }
                let Some(name) = document.name(id) else {
                    continue;
                };
                match name {
                    "a" if link.is_none() => {
                        link = Some(id);
                        tokens.push(Token::Link(id));
                    }
                    "img" => {
                        let alt = document.attribute(id, "alt").unwrap_or_default();
                        tokens.push(Token::Text(within.broken(&format!(" {alt} "))));
                    }
                    "br" => tokens.push(Token::Mark(within.mark())),
                    _ if has_edges(name) => tokens.push(Token::Mark(within.mark())),
                    _ => (),
                }
            }
            Step::Leave(id) if skipped.is_none() => {
                if document.name(id).is_some_and(has_edges) {
                    tokens.push(Token::Mark(within.mark()));
                }
                if link == Some(id) {
                    link = None;
                    tokens.push(Token::LinkEnd);
                }
                within.leave(document, id);
            }
            Step::Leave(id) if skipped == Some(id) => skipped = None,
            Step::Enter(_) | Step::Leave(_) => (),
        }
    }
    Ok(tokens)
}

/// What the walk is inside of: how many of each.
struct Within {
    callouts: usize,
    preformatted: usize,
}

impl Within {
    fn around(document: &Document, cell: NodeId) -> Within {
        let mut within = Within {
            callouts: 0,
            preformatted: 0,
        };
        within.enter(document, cell);
        within
    }

    fn enter(&mut self, document: &Document, id: NodeId) {
        let (callout, preformatted) = Within::kinds(document, id);
        self.callouts = self.callouts.saturating_add(callout);
        self.preformatted = self.preformatted.saturating_add(preformatted);
    }

    fn leave(&mut self, document: &Document, id: NodeId) {
        let (callout, preformatted) = Within::kinds(document, id);
        self.callouts = self.callouts.saturating_sub(callout);
        self.preformatted = self.preformatted.saturating_sub(preformatted);
    }

    /// What this element counts as.
    fn kinds(document: &Document, id: NodeId) -> (usize, usize) {
        let is_callout = document.has_class(id, CALLOUT);
        let is_preformatted = document.is(id, "pre");
        (usize::from(is_callout), usize::from(is_preformatted))
    }

    fn mark(&self) -> char {
        if self.callouts > 0 { SOFT } else { BREAK }
    }

    /// Lines of preformatted text are values.
    fn broken(&self, text: &str) -> String {
        match self.preformatted {
            0 => text.to_owned(),
            _ => text.replace('\n', "\0"),
        }
    }
}

/// Whether an element begins and ends a value.
fn has_edges(name: &str) -> bool {
    ["dd", "div", "dt", "li", "p", "tr"].contains(&name)
}

fn one_behind_the_other(tokens: Vec<Token>) -> String {
    let mut out = String::new();
    for token in tokens {
        match token {
            Token::Apart(_) | Token::Link(_) | Token::LinkEnd => (),
            Token::Mark(mark) => out.push(mark),
            Token::Text(text) => out.push_str(&text),
        }
    }
    out
}

/// The tokens with a space between any two; a link is one, and in it they stand one behind the other.
fn with_spaces_between(document: &Document, tokens: Vec<Token>) -> String {
    let mut out = String::new();
    let mut link: Option<(NodeId, Vec<Token>)> = None;
    let mut push = |piece: &str| {
        let piece = space::trim(piece);
        if !piece.is_empty() {
            out.push(' ');
            out.push_str(piece);
        }
    };
    for token in tokens {
        match (token, &mut link) {
            (Token::Link(id), _) => link = Some((id, Vec::new())),
            (Token::LinkEnd, _) => {
                if let Some((id, inside)) = link.take() {
                    push(&written_link(
                        document,
                        id,
                        &values(&one_behind_the_other(inside)),
                    ));
                }
            }
            (token, Some((_, inside))) => inside.push(token),
            (Token::Mark(mark), None) => push(mark.encode_utf8(&mut [0; 4])),
            (Token::Apart(text) | Token::Text(text), None) => push(&text),
        }
    }
    out
}

fn written_link(document: &Document, id: NodeId, text: &str) -> String {
    let href = document.attribute(id, "href").unwrap_or_default();
    match text.is_empty() || href.is_empty() || leads_nowhere(href) {
        true => text.to_owned(),
        false => format!("[{text}]({href})"),
    }
}

/// The values between breaks. What begins softly goes on with the value before it; in front of all values, it opens the first.
fn values(marked: &str) -> String {
    let mut values: Vec<String> = Vec::new();
    let mut opening = String::new();
    let add = |to: &mut String, text: &str| {
        if !to.is_empty() && !text.is_empty() {
            to.push(' ');
        }
        to.push_str(text);
    };
    let is_gap = |c: char| c == SOFT || space::is_space(c);
    for segment in marked.split(BREAK) {
        // Most are empty: where elements end within each other, their edges meet.
        if segment.chars().all(is_gap) {
            continue;
        }
        let goes_on = segment
            .trim_start_matches(space::is_space)
            .starts_with(SOFT);
        let words = segment.split(is_gap).filter(|word| !word.is_empty());
        let text = words.collect::<Vec<_>>().join(" ");
        match values.last_mut() {
            Some(last) if goes_on => add(last, &text),
            None if goes_on => add(&mut opening, &text),
            _ => {
                let mut value = std::mem::take(&mut opening);
                add(&mut value, &text);
                values.push(value);
            }
        }
    }
    if values.is_empty() {
        return opening;
    }
    values.join("; ")
}
