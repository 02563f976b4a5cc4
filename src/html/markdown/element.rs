//! What each element turns into, given what its children came to.

use super::super::space::{is_blank, is_plain_space, is_space, trim};
use super::super::{Document, NodeId, Selector};
use super::{Inside, Work, heading_level, table};

/// An element whose children are done.
pub(super) struct Element<'a> {
    pub(super) document: &'a Document,
    pub(super) id: NodeId,
    /// What it stands inside of.
    pub(super) around: Inside,
    /// How many `li` stand before it under the same parent.
    pub(super) items_before: u64,
}

impl Element<'_> {
    /// Its Markdown. `work` counts what that costs beyond the length of the text.
    pub(super) fn markdown(&self, text: String, work: &mut Work) -> String {
        work.add(text.len());
        let name = self.document.name(self.id).unwrap_or_default();
        if let Some(level) = heading_level(name) {
            return self.heading(level, text);
        }
        match name {
            "a" => self.link(text),
            "article" | "div" | "dl" | "section" => self.division(text),
            "b" | "strong" => self.marked("**", text),
            "blockquote" => self.quotation(text, work),
            "br" => if self.around.line { " " } else { "  \n" }.to_owned(),
            "caption" => format!("{}\n\n", trim(&text)),
            "code" | "kbd" | "samp" => self.code(text),
            "dd" => self.description(text, work),
            "del" | "s" => self.marked("~~", text),
            "dt" => self.term(text),
            "em" | "i" => self.marked("*", text),
            "figcaption" => format!("\n\n{}\n\n", trim(&text)),
            "hr" => "\n\n---\n\n".to_owned(),
            "img" => self.image(),
            "li" => self.item(text, work),
            "ol" | "ul" => self.list(text),
            "p" => self.paragraph(text),
            "pre" => preformatted(&text),
            "q" => format!("\"{text}\""),
            "script" | "style" => String::new(),
            // Nothing is written around them, but their edges are cleaned as if it were.
            "sub" | "sup" => self.marked("", text),
            "table" => format!("\n\n{}\n\n", trim(&text)),
            "td" | "th" => table::cell(self.document, self.id, &text),
            "tr" => table::row(self.document, self.id, &text, work),
            "video" => self.video(text),
            _ => text,
        }
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        let value = self.document.attribute(self.id, name);
        value.filter(|value| !value.is_empty())
    }

    fn heading(&self, level: usize, text: String) -> String {
        if self.around.line {
            return text;
        }
        format!("\n\n{:#<level$} {}\n\n", "", one_line(&text))
    }

    fn division(&self, text: String) -> String {
        let inner = trim(&text);
        match (self.around.line, inner) {
            (true, _) => format!(" {inner} "),
            (false, "") => String::new(),
            (false, _) => format!("\n\n{inner}\n\n"),
        }
    }

    fn paragraph(&self, text: String) -> String {
        let inner = text.trim_matches(is_plain_space);
        match (self.around.line, inner) {
            (true, _) => format!(" {inner} "),
            (false, "") => String::new(),
            (false, _) => format!("\n\n{inner}\n\n"),
        }
    }

    fn quotation(&self, text: String, work: &mut Work) -> String {
        let inner = text.trim_matches(is_plain_space);
        if self.around.line {
            return format!(" {inner} ");
        }
        if inner.is_empty() {
            return "\n".to_owned();
        }
        format!("\n{}\n\n", prefixed(inner, "> ", ">", work))
    }

    fn term(&self, text: String) -> String {
        let inner = one_line(&text);
        match (self.around.line, inner.as_str()) {
            (true, _) => format!(" {inner} "),
            (false, "") => "\n".to_owned(),
            (false, _) => format!("\n\n{inner}\n"),
        }
    }

    fn description(&self, text: String, work: &mut Work) -> String {
        let inner = trim(&text);
        if self.around.line {
            return format!(" {inner} ");
        }
        if inner.is_empty() {
            return "\n".to_owned();
        }
        let mut out = prefixed(inner, "    ", "", work);
        out.replace_range(..1, ":");
        out.push('\n');
        out
    }

    fn marked(&self, mark: &str, text: String) -> String {
        if self.around.literal {
            return text;
        }
        surrounded(&text, mark, mark)
    }

    /// More backticks than the text has anywhere in a row, so that it cannot end the code.
    fn code(&self, text: String) -> String {
        if self.around.literal {
            return text;
        }
        let runs = text.as_bytes().split(|byte| *byte != b'`');
        let longest = match text.contains('`') {
            true => runs.map(<[u8]>::len).max().unwrap_or(0),
            false => 0,
        };
        let ticks = "`".repeat(longest.saturating_add(1));
        match longest {
            0 => surrounded(&text, &ticks, &ticks),
            _ => surrounded(&text, &format!("{ticks} "), &format!(" {ticks}")),
        }
    }

    fn link(&self, text: String) -> String {
        if self.around.literal {
            return text;
        }
        match self.attribute("href") {
            None => trim(&text).to_owned(),
            Some(href) => surrounded(&text, "[", &format!("]({href}{})", self.title())),
        }
    }

    fn title(&self) -> String {
        let title = self.attribute("title");
        title.map_or_else(String::new, |title| {
            format!(" \"{}\"", title.replace('"', "\\\""))
        })
    }

    fn image(&self) -> String {
        let alt = self.attribute("alt").unwrap_or_default();
        if self.around.line {
            return alt.to_owned();
        }
        let src = self.attribute("src").unwrap_or_default();
        format!("![{alt}]({src}{})", self.title())
    }

    fn video(&self, text: String) -> String {
        if self.around.line {
            return text;
        }
        let source = || {
            let mut sources = self.document.select(self.id, &Selector::Tag("source"));
            sources.find_map(|source| self.document.attribute(source, "src"))
        };
        let src = self
            .attribute("src")
            .or_else(source)
            .filter(|src| !src.is_empty());
        match (src, self.attribute("poster")) {
            (Some(src), Some(poster)) => format!("[![{text}]({poster})]({src})"),
            (Some(src), None) => format!("[{text}]({src})"),
            (None, Some(poster)) => format!("![{text}]({poster})"),
            (None, None) => text,
        }
    }

    fn list(&self, mut text: String) -> String {
        if self.around.item {
            text.truncate(text.trim_end_matches(is_space).len());
            text.insert(0, '\n');
            return text;
        }
        text.insert_str(0, "\n\n");
        let mut following = self.document.following(self.id);
        let next = following.find(|id| match self.document.text_node(*id) {
            Some(text) => !is_blank(text),
            None => self.document.is_element(*id),
        });
        let is_list = |id| self.document.is(id, "ol") || self.document.is(id, "ul");
        if next.is_some_and(|next| !is_list(next)) {
            text.push('\n');
        }
        text
    }

    fn item(&self, text: String, work: &mut Work) -> String {
        let inner = trim(&text);
        if inner.is_empty() {
            return "\n".to_owned();
        }
        let bullet = self.bullet();
        let mut out = prefixed(inner, &" ".repeat(bullet.len()), "", work);
        out.replace_range(..bullet.len(), &bullet);
        out.push('\n');
        out
    }

    /// What stands before an item, with its space.
    fn bullet(&self) -> String {
        let parent = self.document.parent(self.id);
        let Some(list) = parent.filter(|parent| self.document.is(*parent, "ol")) else {
            // Outside of all lists the last kind.
            let depth = self.around.bullets.checked_sub(1).unwrap_or(2);
            return match depth % 3 {
                0 => "* ",
                1 => "+ ",
                _ => "- ",
            }
            .to_owned();
        };
        let start = self.document.attribute(list, "start").unwrap_or_default();
        let is_number = !start.is_empty() && start.bytes().all(|byte| byte.is_ascii_digit());
        let start: u64 = if is_number {
            start.parse().unwrap_or(u64::MAX)
        } else {
            1
        };
        format!("{}. ", start.saturating_add(self.items_before))
    }
}

/// The text between these, without its white space at the edges, of which a single space each is put outside. Nothing for nothing.
fn surrounded(text: &str, before: &str, after: &str) -> String {
    let inner = trim(text);
    if inner.is_empty() {
        return String::new();
    }
    let lead = if text.starts_with(' ') { " " } else { "" };
    let tail = if text.ends_with(' ') { " " } else { "" };
    [lead, before, inner, after, tail].concat()
}

/// Every line with this before it, empty ones with that.
fn prefixed(text: &str, prefix: &str, prefix_of_empty: &str, work: &mut Work) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(prefix.len()));
    work.add(text.len());
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        out.push_str(if line.is_empty() {
            prefix_of_empty
        } else {
            prefix
        });
        out.push_str(line);
    }
    out
}

/// Trimmed, on one line.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in trim(text)
        .split(is_plain_space)
        .filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// A fenced block without the empty lines at its ends. A fence inside is not guarded against.
fn preformatted(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let is_blank = |c| matches!(c, ' ' | '\n');
    let begun = text.trim_start_matches(is_blank);
    // The first line keeps what it is indented by.
    let blank = text.strip_suffix(begun).unwrap_or_default();
    let indent = blank.rsplit('\n').next().unwrap_or_default();
    let begin = blank.len().saturating_sub(indent.len());
    let text = text.get(begin..).unwrap_or_default();
    format!("\n\n```\n{}\n```\n\n", text.trim_end_matches(is_blank))
}
