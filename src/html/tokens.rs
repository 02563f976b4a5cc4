//! The tokenizer's events, for one sink at a time.
//!
//! The tokenizer is that of the HTML standard, with two leaves. Ampersands are hidden from it, since what they mean is read
//! differently here (see [`super::reference`]): the caller writes [`AMPERSAND`] in their place. And `<![CDATA[` is text everywhere,
//! not in foreign elements alone.

use std::convert::Infallible;

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Emitter, ForwardingEmitter, Span, State, Tokenizer};

pub(super) use html5gum::emitters::callback::CallbackEvent as Event;

/// Stands for `&`. No byte of UTF-8 has this value, so it cannot be mistaken for anything in the page.
pub(super) const AMPERSAND: u8 = 0xff;

/// Takes events. There is one instance of the tokenizer for all sinks, for the size of the program.
pub(super) trait Sink {
    /// The next one.
    fn event(&mut self, event: Event<'_>);
    /// Whether the tag just taken opened an element that holds text alone, up to its end tag.
    fn is_in_raw_text(&self) -> bool;
}

/// Runs over `html` to its end.
pub(super) fn tokenize(html: &[u8], sink: &mut dyn Sink) {
    let emitter = Events {
        inner: CallbackEmitter::new(Taken { sink }),
    };
    // Reading from memory cannot fail; the type says so too.
    match Tokenizer::new_with_emitter(html, emitter).finish() {
        Ok(()) => (),
    }
}

struct Taken<'a> {
    sink: &'a mut dyn Sink,
}

impl Callback<Infallible, ()> for Taken<'_> {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<Infallible> {
        self.sink.event(event);
        None
    }
}

struct Events<'a> {
    inner: CallbackEmitter<Taken<'a>, Infallible, ()>,
}

impl ForwardingEmitter for Events<'_> {
    type Token = Infallible;

    fn inner(&mut self) -> &mut impl Emitter<Token = Infallible> {
        &mut self.inner
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        let _: Option<State> = self.inner.emit_current_tag();
        let is_raw = self.inner.callback_mut().sink.is_in_raw_text();
        is_raw.then_some(State::RawText)
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        true
    }
}
