//! The tokenizer's events, for one sink at a time.
//!
//! The tokenizer is that of the HTML standard, with two leaves. Ampersands are hidden from it, since what they mean is read
//! differently here (see [`super::reference`]): the caller writes [`AMPERSAND`] in their place. And `<![CDATA[` is text everywhere,
//! not in foreign elements alone.

use std::cell::RefCell;
use std::rc::Rc;

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Emitter, ForwardingEmitter, Span, State, StringReader, Tokenizer};

pub(super) use html5gum::emitters::callback::CallbackEvent as Event;

/// Stands for `&`. No byte of UTF-8 has this value, so it cannot be mistaken for anything in the page.
pub(super) const AMPERSAND: u8 = 0xff;

/// Events between two pauses: a few milliseconds' worth on a small machine.
const SLICE_EVENTS: usize = 2_048;

/// Takes events. There is one instance of the tokenizer for all sinks, for the size of the program.
pub(super) trait Sink {
    /// The next one.
    fn event(&mut self, event: Event<'_>);
    /// Whether the tag just taken opened an element that holds text alone, up to its end tag.
    fn is_in_raw_text(&self) -> bool;
}

/// Runs over a page, slice by slice.
pub(super) struct Tokens<'a> {
    tokenizer: Tokenizer<StringReader<'a>, Events>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a [u8], sink: Rc<RefCell<dyn Sink>>) -> Tokens<'a> {
        let taken = Taken { sink, events: 0 };
        let inner = CallbackEmitter::new(taken);
        Tokens {
            tokenizer: Tokenizer::new_with_emitter(html, Events { inner }),
        }
    }

    /// Goes on a little; whether there is more.
    pub(super) fn advance(&mut self) -> bool {
        self.tokenizer.next().is_some()
    }
}

struct Taken {
    sink: Rc<RefCell<dyn Sink>>,
    events: usize,
}

/// The one kind of token that comes out is a pause.
struct Pause;

impl Callback<Pause, ()> for Taken {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<Pause> {
        self.sink.borrow_mut().event(event);
        self.events += 1;
        self.events.is_multiple_of(SLICE_EVENTS).then_some(Pause)
    }
}

struct Events {
    inner: CallbackEmitter<Taken, Pause, ()>,
}

impl ForwardingEmitter for Events {
    type Token = Pause;

    fn inner(&mut self) -> &mut impl Emitter<Token = Pause> {
        &mut self.inner
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        let _: Option<State> = self.inner.emit_current_tag();
        let is_raw = self.inner.callback_mut().sink.borrow().is_in_raw_text();
        is_raw.then_some(State::RawText)
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        true
    }
}
