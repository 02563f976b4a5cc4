//! Fan-out of changes: to legacy sessions by what they subscribed to, to listen streams by their
//! filter. Each stream gets each change at most once; whoever did not ask gets nothing.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use crate::gate::Principal;
use crate::jsonrpc::Id;
use crate::mcp::notifications::{self, ListChanged};
use crate::mcp::subscription::Filter;
use crate::rt::sync::Notify;
use crate::tools::Change;

use super::Server;
use super::running::Route;

/// All open listen streams.
#[derive(Default)]
pub struct Listeners(RefCell<Vec<Weak<Listening>>>);

/// One open listen stream; it is removed when dropped.
pub struct Listening {
    id: Id,
    caller: Rc<str>,
    filter: Filter,
    route: Route,
    is_finished: Cell<bool>,
    finished: Notify,
}

impl Listeners {
    /// Ends the listen streams of the chosen callers with their last message.
    pub fn finish(&self, is_chosen: impl Fn(&str) -> bool) {
        self.visit(|listening| {
            if is_chosen(&listening.caller) {
                listening.is_finished.set(true);
                listening.finished.notify_all();
            }
        });
    }

    fn visit(&self, mut visit: impl FnMut(&Listening)) {
        // Upgraded first: a push may end a stream, and with it drop an entry.
        let listeners: Vec<Rc<Listening>> =
            self.0.borrow().iter().filter_map(Weak::upgrade).collect();
        listeners.iter().for_each(|listening| visit(listening));
    }
}

impl Listening {
    /// Completes when the server ends the stream.
    pub async fn finished(&self) {
        while !self.is_finished.get() {
            self.finished.notified().await;
        }
    }

    fn wants(&self, change: &Change) -> bool {
        match change {
            Change::Prompts => self.filter.wants_list(ListChanged::Prompts),
            Change::Resource(uri) => self.filter.wants_resource(uri),
            Change::Resources => self.filter.wants_list(ListChanged::Resources),
            Change::Tools => self.filter.wants_list(ListChanged::Tools),
        }
    }
}

impl Server {
    /// Registers a listen stream; dropping the handle removes it.
    pub(super) fn listen(
        &self,
        id: Id,
        caller: &Principal,
        filter: Filter,
        route: Route,
    ) -> Rc<Listening> {
        let listening = Rc::new(Listening {
            id,
            caller: caller.name.clone(),
            filter,
            route,
            is_finished: Cell::new(self.is_stopping.get()),
            finished: Notify::new(),
        });
        let mut listeners = self.listeners.0.borrow_mut();
        listeners.retain(|known| known.strong_count() > 0);
        listeners.push(Rc::downgrade(&listening));
        listening
    }

    /// Tells everyone who asked of a change.
    pub fn announce(&self, change: &Change) {
        self.announce_to(change, |_| true);
    }

    /// Tells those of the chosen callers who asked of a change.
    pub fn announce_to(&self, change: &Change, is_chosen: impl Fn(&str) -> bool) {
        self.listeners.visit(|listening| {
            if listening.wants(change) && is_chosen(&listening.caller) {
                let mut text = Vec::new();
                write_change(&mut text, change, Some(&listening.id));
                listening.route.message(text);
            }
        });
        let ring_bytes_max = self.settings().limits.replay_bytes;
        self.visit_sessions(|session| {
            if session.revision().is_none() || !is_chosen(&session.owner.name) {
                return;
            }
            let wants = match change {
                Change::Resource(uri) => session.is_subscribed(uri),
                Change::Prompts | Change::Resources | Change::Tools => true,
            };
            if wants {
                let mut text = Vec::new();
                write_change(&mut text, change, None);
                session.send(text, ring_bytes_max);
            }
        });
    }

    /// Whether anybody is subscribed to this resource.
    pub fn is_watched(&self, uri: &str) -> bool {
        let mut is_watched = false;
        self.listeners.visit(|listening| {
            is_watched |= listening.filter.wants_resource(uri);
        });
        self.visit_sessions(|session| is_watched |= session.is_subscribed(uri));
        is_watched
    }

    /// Wakes whoever produces resource updates: there is somebody to send them to.
    pub(super) fn watch_resources(&self) {
        self.resource_watch.notify_all();
    }

    /// Completes when somebody subscribes to a resource.
    pub async fn resource_subscribed(&self) {
        self.resource_watch.notified().await;
    }
}

fn write_change(out: &mut Vec<u8>, change: &Change, subscription: Option<&Id>) {
    let subscription = subscription.map(Id::as_json);
    match change {
        Change::Resource(uri) => notifications::resource_updated(out, uri, subscription),
        Change::Prompts => notifications::list_changed(out, ListChanged::Prompts, subscription),
        Change::Resources => notifications::list_changed(out, ListChanged::Resources, subscription),
        Change::Tools => notifications::list_changed(out, ListChanged::Tools, subscription),
    }
}
