//! One function per method, and the table that names them.
//!
//! Capabilities follow from this table and the catalog: a method that nothing stands behind is
//! neither announced nor served.

mod completion;
mod lifecycle;
mod lists;
mod logging;
mod prompts;
mod resources;
mod subscriptions;
mod tasks;
mod tools;

use crate::catalog::Catalog;
use crate::jsonrpc::{Id, Notification};
use crate::mcp::errors::ProtocolError;
use crate::mcp::notifications;
use crate::metrics::MethodLabel;

use super::dispatch::{Era, Exchange, Flow};
use super::session::Session;

/// The method that opens a legacy session.
pub const INITIALIZE: &str = "initialize";

/// One row of the method table.
pub struct Method {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its label in the metrics.
    pub label: MethodLabel,
    /// In which eras it exists.
    eras: Eras,
    /// What must be offered for it to be served.
    needs: Needs,
    /// Writes the result, or says what becomes of it.
    pub handle: fn(&Exchange<'_>, &mut Vec<u8>) -> Result<Flow, ProtocolError>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Eras {
    Both,
    Legacy,
    Stateless,
}

#[derive(Clone, Copy)]
enum Needs {
    Completions,
    Nothing,
    Prompts,
    Resources,
    Tasks,
    Tools,
}

macro_rules! methods {
    ($($name:literal $label:ident $eras:ident $needs:ident $handle:path;)*) => {
        /// Every method a client may call.
        pub const METHODS: &[Method] = &[$(Method {
            name: $name,
            label: MethodLabel::$label,
            eras: Eras::$eras,
            needs: Needs::$needs,
            handle: $handle,
        }),*];
    };
}

methods! {
    "tools/call"               ToolsCall              Both      Tools       tools::handle_call;
    "tools/list"               ToolsList              Both      Tools       lists::handle_tools;
    "ping"                     Ping                   Legacy    Nothing     lifecycle::handle_ping;
    "initialize"               Initialize             Legacy    Nothing     lifecycle::handle_initialize;
    "server/discover"          ServerDiscover         Stateless Nothing     lifecycle::handle_discover;
    "subscriptions/listen"     SubscriptionsListen    Stateless Nothing     subscriptions::handle_listen;
    "resources/list"           ResourcesList          Both      Resources   lists::handle_resources;
    "resources/templates/list" ResourcesTemplatesList Both      Resources   lists::handle_templates;
    "resources/read"           ResourcesRead          Both      Resources   resources::handle_read;
    "resources/subscribe"      ResourcesSubscribe     Legacy    Resources   subscriptions::handle_subscribe;
    "resources/unsubscribe"    ResourcesUnsubscribe   Legacy    Resources   subscriptions::handle_unsubscribe;
    "prompts/list"             PromptsList            Both      Prompts     lists::handle_prompts;
    "prompts/get"              PromptsGet             Both      Prompts     prompts::handle_get;
    "completion/complete"      CompletionComplete     Both      Completions completion::handle_complete;
    "logging/setLevel"         LoggingSetLevel        Legacy    Nothing     logging::handle_set_level;
    "tasks/get"                TasksGet               Stateless Tasks       tasks::handle_get;
    "tasks/update"             TasksUpdate            Stateless Tasks       tasks::handle_update;
    "tasks/cancel"             TasksCancel            Stateless Tasks       tasks::handle_cancel;
}

impl Method {
    /// Whether it exists in this era and something stands behind it.
    pub fn is_served(&self, era: &Era<'_>, catalog: &Catalog) -> bool {
        let is_stateless = matches!(era, Era::Stateless { .. });
        let era_fits = match self.eras {
            Eras::Both => true,
            Eras::Legacy => !is_stateless,
            Eras::Stateless => is_stateless,
        };
        era_fits
            && match self.needs {
                Needs::Completions => catalog.has_completions(),
                Needs::Nothing => true,
                Needs::Prompts => !catalog.prompts.is_empty(),
                Needs::Resources => !catalog.resources.is_empty() || !catalog.templates.is_empty(),
                Needs::Tasks => catalog.has_tasks(),
                Needs::Tools => !catalog.tools.is_empty(),
            }
    }

    /// Whether it is `initialize`.
    pub fn is_handshake(&self) -> bool {
        self.name == INITIALIZE
    }
}

/// Takes a notification of a legacy session or a stdio client. Unknown ones are ignored, as
/// JSON-RPC 2.0 (section 4.1) has it.
pub fn handle_notification(session: &Session, notification: &Notification<'_>) {
    match &*notification.method {
        "notifications/cancelled" => {
            let cancelled = notifications::parse_cancelled(notification.params);
            let id = cancelled.and_then(|cancelled| Id::parse(cancelled.request_id.get()).ok());
            if let Some(id) = id {
                session.cancel_request(&id);
            }
        }
        "notifications/initialized"
        | "notifications/progress"
        | "notifications/roots/list_changed" => (),
        other => log::debug!("unknown notification `{}`", crate::log::escape(other)),
    }
}
