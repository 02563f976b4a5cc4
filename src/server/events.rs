//! The plain event stream of `/api/mcp/v1/sse`: `connected`, `ping`, and whatever is published,
//! filtered by `?events=`. One published event is formatted once, however many streams get it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use crate::gate::Principal;
use crate::metrics::EventKind;

use super::Server;
use super::outlet::{EndReason, Item, Outlet};

/// All open event streams.
#[derive(Default)]
pub struct Events {
    subscribers: RefCell<Vec<Subscriber>>,
    next_client: Cell<u64>,
}

struct Subscriber {
    caller: Rc<str>,
    filter: EventFilter,
    outlet: Outlet,
}

/// Which published events a stream wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventFilter {
    /// All of them.
    Everything,
    /// Those of these names.
    Named(Box<[Box<str>]>),
}

/// Why an event cannot be published.
#[derive(Debug, PartialEq, Eq)]
pub enum PublishError {
    /// The name is empty, too long, or has characters that an event stream cannot carry.
    Name,
    /// The name is one that the server itself sends.
    Reserved,
}

/// Names of events the server sends by itself.
const RESERVED: [&str; 4] = ["connected", "ping", "endpoint", "message"];

impl EventFilter {
    /// Longest event name, in bytes.
    pub const NAME_BYTES_MAX: usize = 64;
    /// Most names in one filter.
    pub const NAMES_MAX: usize = 32;

    /// Reads the value of `?events=a,b`. Empty names are skipped; none at all means everything.
    pub fn parse(text: &str) -> Option<EventFilter> {
        let names: Vec<Box<str>> = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(Into::into)
            .collect();
        if names.len() > EventFilter::NAMES_MAX || !names.iter().all(|name| is_event_name(name)) {
            return None;
        }
        match names.is_empty() {
            true => Some(EventFilter::Everything),
            false => Some(EventFilter::Named(names.into())),
        }
    }

    fn wants(&self, name: &str) -> bool {
        match self {
            EventFilter::Everything => true,
            EventFilter::Named(names) => names.iter().any(|known| &**known == name),
        }
    }
}

fn is_event_name(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    (1..=EventFilter::NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_word)
}

impl Server {
    /// Subscribes an outlet. Returns the client's id, as its `connected` event gives it.
    pub fn subscribe_events(&self, caller: &Principal, filter: EventFilter, outlet: Outlet) -> u64 {
        let client = self.events.next_client.get() + 1;
        self.events.next_client.set(client);
        let mut subscribers = self.events.subscribers.borrow_mut();
        subscribers.retain(|subscriber| subscriber.outlet.ended().is_none());
        subscribers.push(Subscriber {
            caller: caller.name.clone(),
            filter,
            outlet,
        });
        client
    }

    /// Removes a subscribed outlet.
    pub fn unsubscribe_events(&self, outlet: &Outlet) {
        self.events
            .subscribers
            .borrow_mut()
            .retain(|subscriber| !subscriber.outlet.is(outlet));
    }

    /// Checks the name of an event to publish.
    pub fn check_event_name(name: &str) -> Result<(), PublishError> {
        if RESERVED.contains(&name) {
            return Err(PublishError::Reserved);
        }
        if is_event_name(name) {
            Ok(())
        } else {
            Err(PublishError::Name)
        }
    }

    /// Sends an event, already formatted as a `text/event-stream` block, to the streams that want
    /// its name. Returns how many took it.
    pub fn publish(&self, name: &str, block: Rc<[u8]>) -> usize {
        let subscribers = self.events.subscribers.borrow();
        let wanting = subscribers
            .iter()
            .filter(|subscriber| subscriber.filter.wants(name));
        wanting
            .filter(|subscriber| {
                subscriber
                    .outlet
                    .push(Item::Event(EventKind::Published, block.clone()))
            })
            .count()
    }
}

impl Events {
    /// Ends the streams of the chosen callers.
    pub fn end(&self, reason: EndReason, is_chosen: impl Fn(&str) -> bool) {
        let subscribers = self.subscribers.borrow();
        for subscriber in subscribers.iter().filter(|known| is_chosen(&known.caller)) {
            subscriber.outlet.end(reason);
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublishError::Name => write!(
                f,
                "`event` must be 1 to {} characters of A-Z a-z 0-9 - _ . : /",
                EventFilter::NAME_BYTES_MAX
            ),
            PublishError::Reserved => {
                write!(
                    f,
                    "`event` must not be one the server sends itself ({})",
                    RESERVED.join(", ")
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_name_what_they_want() {
        assert_eq!(EventFilter::parse(""), Some(EventFilter::Everything));
        assert_eq!(EventFilter::parse(" , "), Some(EventFilter::Everything));
        let filter = EventFilter::parse("a, b.c").unwrap();
        assert!(filter.wants("a") && filter.wants("b.c") && !filter.wants("b"));
        assert_eq!(EventFilter::parse("a\nb"), None);
        let names = |count: usize| vec!["x"; count].join(",");
        assert!(EventFilter::parse(&names(32)).is_some());
        assert!(EventFilter::parse(&names(33)).is_none());
    }

    #[test]
    fn names_are_bounded_and_not_the_servers_own() {
        assert_eq!(Server::check_event_name("build.done"), Ok(()));
        assert_eq!(Server::check_event_name(&"x".repeat(64)), Ok(()));
        assert_eq!(
            Server::check_event_name(&"x".repeat(65)),
            Err(PublishError::Name)
        );
        assert_eq!(Server::check_event_name(""), Err(PublishError::Name));
        assert_eq!(Server::check_event_name("a b"), Err(PublishError::Name));
        assert_eq!(
            Server::check_event_name("ping"),
            Err(PublishError::Reserved)
        );
    }
}
