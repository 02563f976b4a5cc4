//! Our tokens beside those of an independent tokenizer that follows the standard state by state.

use std::cell::RefCell;
use std::rc::Rc;

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Emitter, ForwardingEmitter, Span, State, Tokenizer};

use super::*;
use crate::html::entities::Entities;
use crate::html::parse::Source;
use crate::html::reference;

/// What stands for `&` in front of the other tokenizer. No byte of UTF-8 has this value.
const AMPERSAND: u8 = 0xff;

/// Pieces of pages, whole and broken.
const PIECES: [&str; 58] = [
    "<",
    ">",
    "/",
    "!",
    "-",
    "--",
    "=",
    "\"",
    "'",
    " ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\x0c",
    "\0",
    "?",
    "]",
    "]]>",
    "&",
    "a",
    "B",
    "é",
    "x1",
    "<p",
    "<p>",
    "</p>",
    "</p",
    "<br/>",
    "</",
    "</>",
    "<!--",
    "-->",
    "--!>",
    "<!-->",
    "<!--->",
    "<!",
    "<!doctype html>",
    "<!DOCTYPE",
    "<![CDATA[",
    "<![cdata[",
    "<?xml ?>",
    "<a href=x>",
    "<a href='y\"z'",
    " class=\"m n\"",
    " =x",
    "<script>",
    "</script>",
    "</SCRIPT ",
    "<style",
    "</style>",
    "</styles>",
    "<script/>",
    "<script",
    "&amp;",
    "<P A=1 a=2>",
    "< p>",
    "`",
];

#[derive(Debug, PartialEq)]
enum Seen {
    Comment,
    EndTag(String),
    StartTag(String, Vec<(String, String)>, bool),
    Text(String),
}

fn text(bytes: &[u8]) -> String {
    let shown = |byte: &u8| if *byte == AMPERSAND { b'&' } else { *byte };
    String::from_utf8_lossy(&bytes.iter().map(shown).collect::<Vec<u8>>()).into_owned()
}

fn raw_text_of(name: &str, is_self_closing: bool) -> Option<&'static str> {
    let name = ["script", "style"].into_iter().find(|raw| *raw == name);
    name.filter(|_| !is_self_closing)
}

fn ours(page: &str) -> Vec<Seen> {
    let source = Source::new(page);
    let mut tokens = Tokens::new(source.bytes());
    let mut seen = Vec::new();
    while let Some(token) = tokens.next() {
        let token = match token {
            Token::Comment => Seen::Comment,
            Token::EndTag { name } => Seen::EndTag(name_text(name)),
            Token::StartTag {
                name,
                attributes,
                is_self_closing,
            } => {
                let pair =
                    |one: &Attribute<'_>| (name_text(one.name), text(&value_bytes(one.value)));
                let attributes = attributes.iter().map(pair).collect();
                Seen::StartTag(name_text(name), attributes, is_self_closing)
            }
            Token::Text { value } => Seen::Text(text(value)),
        };
        if let Seen::StartTag(name, _, is_self_closing) = &token
            && let Some(name) = raw_text_of(name, *is_self_closing)
        {
            tokens.expect_raw_text(name);
        }
        seen.push(token);
    }
    seen
}

#[derive(Default)]
struct Theirs {
    seen: Vec<Seen>,
    open: Option<(String, Vec<(String, String)>)>,
    is_raw: bool,
}

#[derive(Clone, Default)]
struct Taken(Rc<RefCell<Theirs>>);

impl Callback<(), ()> for Taken {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<()> {
        let Theirs { seen, open, is_raw } = &mut *self.0.borrow_mut();
        match event {
            CallbackEvent::OpenStartTag { name } => *open = Some((text(name), Vec::new())),
            CallbackEvent::AttributeName { name } => {
                if let Some((_, attributes)) = open {
                    attributes.push((text(name), String::new()));
                }
            }
            CallbackEvent::AttributeValue { value } => {
                if let Some((_, last)) = open.as_mut().and_then(|(_, all)| all.last_mut()) {
                    *last = text(value);
                }
            }
            CallbackEvent::CloseStartTag { self_closing } => {
                let (name, attributes) = open.take().expect("a tag was opened");
                *is_raw = raw_text_of(&name, self_closing).is_some();
                seen.push(Seen::StartTag(name, attributes, self_closing));
            }
            CallbackEvent::EndTag { name } => {
                (*open, *is_raw) = (None, false);
                seen.push(Seen::EndTag(text(name)));
            }
            CallbackEvent::String { value } => seen.push(Seen::Text(text(value))),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } => {
                seen.push(Seen::Comment)
            }
            CallbackEvent::Error(_) => (),
        }
        None
    }
}

struct Events {
    inner: CallbackEmitter<Taken, (), ()>,
}

impl ForwardingEmitter for Events {
    type Token = ();

    fn inner(&mut self) -> &mut impl Emitter<Token = ()> {
        &mut self.inner
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        let _: Option<State> = self.inner.emit_current_tag();
        let is_raw = self.inner.callback_mut().0.borrow().is_raw;
        is_raw.then_some(State::RawText)
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        true
    }
}

fn theirs(page: &[u8]) -> Vec<Seen> {
    let taken = Taken::default();
    let inner = CallbackEmitter::new(taken.clone());
    let tokens = Tokenizer::new_with_emitter(page, Events { inner });
    assert_eq!(tokens.count(), 0);
    taken.0.take().seen
}

#[track_caller]
fn check(page: &str) {
    let hide = |byte| if byte == b'&' { AMPERSAND } else { byte };
    let hidden: Vec<u8> = page.bytes().map(hide).collect();
    assert_eq!(ours(page), theirs(&hidden), "{page:?}");
}

#[test]
fn pages_are_cut_as_by_another_tokenizer() {
    for first in PIECES {
        for second in PIECES {
            check(&format!("{first}{second}"));
            check(&format!("<b>{first}{second} c=d>e"));
        }
    }
    let mut random = 7_u64;
    for len in 0..40_000 {
        let page: String = (0..len % 24)
            .map(|_| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let at = usize::try_from(random >> 33).expect("31 bits");
                PIECES[at % PIECES.len()]
            })
            .collect();
        check(&page);
    }
}

#[test]
fn names_of_characters_are_resolved_as_by_another_tokenizer() {
    let entities = Entities::default();
    let check = |name: &str| {
        let expected = theirs(format!("&{name}").as_bytes());
        assert_eq!(
            vec![Seen::Text(reference::resolved(name, &entities))],
            expected,
            "{name}"
        );
    };
    for name in entities.names() {
        check(name);
        check(name.trim_end_matches(';'));
        check(&format!("{name}x"));
        check(&name.replace(';', "x;"));
        check(&name[..name.len() / 2]);
    }
}

#[test]
fn attributes_beyond_the_limit_are_not_kept() {
    for (wanted, kept) in [(255, 255), (256, 256), (257, 256)] {
        let attributes: String = (0..wanted).map(|at| format!(" a{at}=1")).collect();
        let seen = ours(&format!("<p{attributes}>x"));
        let Some(Seen::StartTag(name, attributes, false)) = seen.first() else {
            panic!("{seen:?}");
        };
        assert_eq!((name.as_str(), attributes.len()), ("p", kept));
        assert_eq!(seen[1], Seen::Text("x".to_owned()));
    }
}
