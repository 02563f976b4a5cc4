//! Every label value there is, as tables: what is not in one cannot become a series.

/// An enum with its label texts and its length.
macro_rules! labels {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// All of them, in the order of the output.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            pub(super) const LEN: usize = Self::ALL.len();

            /// The label's text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            pub(super) const fn index(self) -> usize {
                self as usize
            }
        }
    };
}

labels! {
    /// A JSON-RPC method of any revision, or `other`.
    pub enum MethodLabel {
        /// `completion/complete`
        CompletionComplete = "completion/complete",
        /// `initialize`
        Initialize = "initialize",
        /// `logging/setLevel`
        LoggingSetLevel = "logging/setLevel",
        /// `notifications/cancelled`
        Cancelled = "notifications/cancelled",
        /// `notifications/initialized`
        Initialized = "notifications/initialized",
        /// `notifications/progress`
        Progress = "notifications/progress",
        /// `notifications/roots/list_changed`
        RootsListChanged = "notifications/roots/list_changed",
        /// `ping`
        Ping = "ping",
        /// `prompts/get`
        PromptsGet = "prompts/get",
        /// `prompts/list`
        PromptsList = "prompts/list",
        /// `resources/list`
        ResourcesList = "resources/list",
        /// `resources/read`
        ResourcesRead = "resources/read",
        /// `resources/subscribe`
        ResourcesSubscribe = "resources/subscribe",
        /// `resources/templates/list`
        ResourcesTemplatesList = "resources/templates/list",
        /// `resources/unsubscribe`
        ResourcesUnsubscribe = "resources/unsubscribe",
        /// `server/discover`
        ServerDiscover = "server/discover",
        /// `subscriptions/listen`
        SubscriptionsListen = "subscriptions/listen",
        /// `tasks/cancel`
        TasksCancel = "tasks/cancel",
        /// `tasks/get`
        TasksGet = "tasks/get",
        /// `tasks/list`
        TasksList = "tasks/list",
        /// `tasks/result`
        TasksResult = "tasks/result",
        /// `tasks/update`
        TasksUpdate = "tasks/update",
        /// `tools/call`
        ToolsCall = "tools/call",
        /// `tools/list`
        ToolsList = "tools/list",
        /// Anything else, including what a client made up.
        Other = "other",
    }
}

impl MethodLabel {
    /// The label of `method` as it came in.
    #[must_use]
    pub fn of(method: &str) -> Self {
        Self::ALL
            .iter()
            .copied()
            .find(|label| label.as_str() == method)
            .unwrap_or(Self::Other)
    }
}

labels! {
    /// How a message came in.
    pub enum Transport {
        /// Plain JSON-RPC over HTTP, the old server's endpoint and label.
        Http = "http",
        /// HTTP+SSE of revision 2024-11-05.
        HttpSse = "http_sse",
        /// Standard input and output.
        Stdio = "stdio",
        /// Streamable HTTP.
        Streamable = "streamable",
    }
}

labels! {
    /// A JSON-RPC error code, or `other`.
    pub enum CodeLabel {
        /// Not JSON.
        Parse = "-32700",
        /// Not a request.
        InvalidRequest = "-32600",
        /// Unknown method.
        MethodNotFound = "-32601",
        /// Wrong parameters, unknown tool.
        InvalidParams = "-32602",
        /// Our fault.
        Internal = "-32603",
        /// The server's general refusal.
        Server = "-32000",
        /// Reserved to the implementation.
        Server1 = "-32001",
        /// Resource not found, before 2026-07-28.
        ResourceNotFound = "-32002",
        /// Headers and body disagree, 2026-07-28.
        HeaderMismatch = "-32020",
        /// A capability the client lacks, 2026-07-28.
        MissingCapability = "-32021",
        /// A revision we do not speak, 2026-07-28.
        UnsupportedRevision = "-32022",
        /// The client must open an address first, 2025-11-25.
        UrlElicitation = "-32042",
        /// Any other.
        Other = "other",
    }
}

impl CodeLabel {
    /// The label of `code`.
    #[must_use]
    pub const fn of(code: i64) -> Self {
        match code {
            -32700 => Self::Parse,
            -32600 => Self::InvalidRequest,
            -32601 => Self::MethodNotFound,
            -32602 => Self::InvalidParams,
            -32603 => Self::Internal,
            -32000 => Self::Server,
            -32001 => Self::Server1,
            -32002 => Self::ResourceNotFound,
            -32020 => Self::HeaderMismatch,
            -32021 => Self::MissingCapability,
            -32022 => Self::UnsupportedRevision,
            -32042 => Self::UrlElicitation,
            _ => Self::Other,
        }
    }
}

labels! {
    /// How a tool call ended.
    pub enum Outcome {
        /// The caller went away or cancelled.
        Cancelled = "cancelled",
        /// A protocol error: the tool itself never ran.
        Refused = "refused",
        /// The tool ran and reported a failure (`isError`).
        ToolError = "tool_error",
        /// The deadline passed.
        Timeout = "timeout",
        /// A result.
        Ok = "ok",
    }
}

labels! {
    /// How a request to a service ended.
    pub enum UpstreamOutcome {
        /// The caller went away before the answer.
        Cancelled = "cancelled",
        /// No connection: name, route, refused, TLS.
        ConnectError = "connect_error",
        /// An answer with a 4xx status.
        ClientError = "http_4xx",
        /// An answer with a 5xx status.
        ServerError = "http_5xx",
        /// An answer with a status below 400.
        Ok = "ok",
        /// Not HTTP, cut off, or not what its headers promised.
        ProtocolError = "protocol_error",
        /// Not asked: outside the allowed addresses.
        Refused = "refused",
        /// A phase's deadline passed.
        Timeout = "timeout",
        /// The body was longer than allowed.
        TooLarge = "too_large",
    }
}

impl UpstreamOutcome {
    /// The outcome of an answer with this HTTP status.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            0..400 => Self::Ok,
            400..500 => Self::ClientError,
            500.. => Self::ServerError,
        }
    }
}

labels! {
    /// Kinds of Server-Sent Events.
    pub enum EventKind {
        /// A keep-alive comment.
        Comment = "comment",
        /// `connected` of the plain event stream.
        Connected = "connected",
        /// `endpoint` of HTTP+SSE.
        Endpoint = "endpoint",
        /// A JSON-RPC message.
        Message = "message",
        /// `ping` of the plain event stream.
        Ping = "ping",
        /// An empty event that carries only an id and a retry time.
        Priming = "priming",
        /// An event published by a user, whatever its name.
        Published = "published",
    }
}

labels! {
    /// Why an event stream ended.
    pub enum Disconnect {
        /// The client closed it or its network did.
        Client = "client",
        /// Everything was said: the response was complete.
        Complete = "complete",
        /// A newer stream took its place.
        Replaced = "replaced",
        /// Its session ended.
        SessionEnded = "session_ended",
        /// The server is going down.
        Shutdown = "shutdown",
        /// Its queue went over a limit: a slow reader.
        Slow = "slow",
        /// It took no bytes for too long.
        WriteStall = "write_stall",
    }
}

labels! {
    /// Why an HTTP connection ended.
    pub enum Close {
        /// `Connection: close`, or HTTP/1.0, after a complete answer.
        Asked = "asked",
        /// A body deadline or minimum rate.
        BodyTimeout = "body_timeout",
        /// The client closed between requests.
        Client = "client",
        /// A newcomer needed its place.
        Evicted = "evicted",
        /// The head did not come in time.
        HeadTimeout = "head_timeout",
        /// Nothing to do for too long.
        Idle = "idle",
        /// The network, or the client in the middle of a message.
        IoError = "io_error",
        /// A connection limit.
        Limit = "limit",
        /// Not HTTP as we accept it.
        ProtocolError = "protocol_error",
        /// The server is going down.
        Shutdown = "shutdown",
        /// No TLS came about.
        TlsHandshake = "tls_handshake",
        /// A body or head over its limit.
        TooLarge = "too_large",
        /// It took no bytes for too long.
        WriteStall = "write_stall",
    }
}

labels! {
    /// A limit, by the name of its key.
    pub enum Limit {
        /// Failed logins of an address.
        AuthFailures = "auth_failures",
        /// Messages in a batch.
        Batch = "batch",
        /// Bytes of a body.
        BodyBytes = "body_bytes",
        /// Children at once.
        Children = "children",
        /// Connections at once.
        Connections = "connections",
        /// Connections of one address at once.
        ConnectionsPerAddress = "connections_per_address",
        /// Bytes of a head.
        HeadBytes = "head_bytes",
        /// Header fields.
        Headers = "headers",
        /// Depth of JSON.
        JsonDepth = "json_depth",
        /// Bytes of a line on standard input.
        LineBytes = "line_bytes",
        /// The system's open files: accepting paused.
        OpenFiles = "open_files",
        /// Requests per time of a token or an address.
        Rate = "rate",
        /// Bytes kept for replay by all sessions together.
        ReplayTotalBytes = "replay_total_bytes",
        /// Requests at once.
        RequestsInFlight = "requests_in_flight",
        /// Sessions at once.
        Sessions = "sessions",
        /// Bytes waiting for a stream.
        StreamQueueBytes = "stream_queue_bytes",
        /// Streams at once.
        Streams = "streams",
        /// Resources subscribed to, per session or listen stream.
        Subscriptions = "subscriptions",
        /// Tasks kept.
        Tasks = "tasks",
        /// Bytes of a tool's output.
        ToolOutputBytes = "tool_output_bytes",
        /// Bytes of a service's answer.
        UpstreamBytes = "upstream_bytes",
    }
}

labels! {
    /// A protocol revision.
    pub enum RevisionLabel {
        /// 2024-11-05
        R20241105 = "2024-11-05",
        /// 2025-03-26
        R20250326 = "2025-03-26",
        /// 2025-06-18
        R20250618 = "2025-06-18",
        /// 2025-11-25
        R20251125 = "2025-11-25",
        /// 2026-07-28
        R20260728 = "2026-07-28",
    }
}

impl RevisionLabel {
    /// The label of a revision's date.
    #[must_use]
    pub fn of(revision: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|label| label.as_str() == revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_known_or_other() {
        assert_eq!(MethodLabel::of("tools/call"), MethodLabel::ToolsCall);
        assert_eq!(MethodLabel::of("tools/calls"), MethodLabel::Other);
        assert_eq!(MethodLabel::of("other"), MethodLabel::Other);
        assert_eq!(MethodLabel::of(""), MethodLabel::Other);
    }

    #[test]
    fn each_code_has_its_own_text() {
        for label in CodeLabel::ALL {
            let Ok(code) = label.as_str().parse() else {
                continue;
            };
            assert_eq!(CodeLabel::of(code), *label);
        }
        assert_eq!(CodeLabel::of(-32701), CodeLabel::Other);
        assert_eq!(CodeLabel::of(i64::MIN), CodeLabel::Other);
    }

    #[test]
    fn statuses_fall_on_their_side() {
        for (status, expected) in [
            (399, "ok"),
            (400, "http_4xx"),
            (499, "http_4xx"),
            (500, "http_5xx"),
        ] {
            assert_eq!(UpstreamOutcome::of_status(status).as_str(), expected);
        }
    }

    #[test]
    fn indexes_are_positions() {
        for (index, label) in MethodLabel::ALL.iter().enumerate() {
            assert_eq!(label.index(), index);
        }
        assert_eq!(
            RevisionLabel::of("2025-06-18"),
            Some(RevisionLabel::R20250618)
        );
        assert_eq!(RevisionLabel::of("2025-06-19"), None);
    }
}
