//! The five revisions and every predicate about them.
//!
//! This is the only place where revisions are compared by date. Elsewhere the code asks what a
//! revision means, e.g. [`Revision::allows_batch`]. Called by everything that reads or writes MCP.

use std::fmt;

/// A dated revision of the protocol this server speaks, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(non_camel_case_types)] // the dates are the protocol's own names
pub enum Revision {
    /// 2024-11-05: HTTP+SSE, the first published one.
    V2024_11_05,
    /// 2025-03-26: Streamable HTTP, batches, audio, tool annotations.
    V2025_03_26,
    /// 2025-06-18: elicitation, structured content, resource links, titles; no batches.
    V2025_06_18,
    /// 2025-11-25: icons, URL elicitation, polling streams; the last with sessions.
    V2025_11_25,
    /// 2026-07-28: stateless requests, multi round-trip input, typed results.
    V2026_07_28,
}

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Revision; 5] = [
        Revision::V2024_11_05,
        Revision::V2025_03_26,
        Revision::V2025_06_18,
        Revision::V2025_11_25,
        Revision::V2026_07_28,
    ];

    /// The newest revision.
    pub const LATEST: Revision = Revision::V2026_07_28;

    /// The newest revision that is opened by `initialize`.
    pub const LATEST_LEGACY: Revision = Revision::V2025_11_25;

    /// What a Streamable HTTP request without version header and without session speaks
    /// (2025-06-18 basic/transports, "Protocol Version Header").
    pub const ASSUMED_WITHOUT_HEADER: Revision = Revision::V2025_03_26;

    /// The date as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Revision::V2024_11_05 => "2024-11-05",
            Revision::V2025_03_26 => "2025-03-26",
            Revision::V2025_06_18 => "2025-06-18",
            Revision::V2025_11_25 => "2025-11-25",
            Revision::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision of that exact date, if we speak it.
    pub fn from_text(text: &str) -> Option<Revision> {
        Revision::ALL
            .into_iter()
            .find(|revision| revision.as_str() == text)
    }

    /// The answer to `initialize`: the requested revision if it is one with a handshake that we
    /// speak, else the newest such (2025-11-25 basic/lifecycle, "Version Negotiation").
    pub fn negotiate(requested: &str) -> Revision {
        match Revision::from_text(requested) {
            Some(revision) if !revision.is_stateless() => revision,
            _ => Revision::LATEST_LEGACY,
        }
    }

    /// Whether a version text, known or not, belongs to the stateless era: equal to or after
    /// 2026-07-28 in the order of its characters, so `v999.0.0` and `DRAFT-2026` too when they sort
    /// there. An unknown text for which this holds earns -32022, others the legacy treatment.
    pub fn looks_stateless(text: &str) -> bool {
        text >= Revision::V2026_07_28.as_str()
    }

    /// No handshake, no session: each request carries its own version and capabilities in `_meta`.
    pub fn is_stateless(self) -> bool {
        self >= Revision::V2026_07_28
    }

    /// JSON-RPC arrays must be received (2025-03-26 basic/index, "Batching"; removed after it).
    pub fn allows_batch(self) -> bool {
        self == Revision::V2025_03_26
    }

    /// `MCP-Protocol-Version` is required on HTTP requests after the handshake (2025-06-18), or on
    /// every POST (2026-07-28).
    pub fn requires_version_header(self) -> bool {
        self >= Revision::V2025_06_18
    }

    /// `Mcp-Method`, `Mcp-Name` and `Mcp-Param-*` must be present and equal to the body.
    pub fn requires_routing_headers(self) -> bool {
        self.is_stateless()
    }

    /// The HTTP transport is HTTP+SSE, with an `endpoint` event, not Streamable HTTP.
    pub fn uses_http_sse(self) -> bool {
        self == Revision::V2024_11_05
    }

    /// Content may be of type `audio`.
    pub fn has_audio(self) -> bool {
        self >= Revision::V2025_03_26
    }

    /// Content may be of type `resource_link`.
    pub fn has_resource_links(self) -> bool {
        self >= Revision::V2025_06_18
    }

    /// `outputSchema` and `structuredContent` exist; see also [`Self::structured_may_be_any_json`].
    pub fn has_structured_content(self) -> bool {
        self >= Revision::V2025_06_18
    }

    /// `structuredContent` may be any JSON value; before, only an object.
    pub fn structured_may_be_any_json(self) -> bool {
        self >= Revision::V2026_07_28
    }

    /// `title` on tools, prompts, resources, implementations.
    pub fn has_titles(self) -> bool {
        self >= Revision::V2025_06_18
    }

    /// `icons` on tools, prompts, resources, implementations; `description`, `websiteUrl` on the last.
    pub fn has_icons(self) -> bool {
        self >= Revision::V2025_11_25
    }

    /// `_meta` on definitions and content blocks, not only on params and results.
    pub fn has_meta_on_items(self) -> bool {
        self >= Revision::V2025_06_18
    }

    /// `annotations.lastModified` on content and resources.
    pub fn has_last_modified(self) -> bool {
        self >= Revision::V2025_06_18
    }

    /// `annotations` on tools (`readOnlyHint` and the like).
    pub fn has_tool_annotations(self) -> bool {
        self >= Revision::V2025_03_26
    }

    /// The `completions` capability is announced; `completion/complete` itself is older.
    pub fn has_completions_capability(self) -> bool {
        self >= Revision::V2025_03_26
    }

    /// `completion/complete` carries `context.arguments`.
    pub fn has_completion_context(self) -> bool {
        self >= Revision::V2025_06_18
    }

    /// `instructions` may be given on initialize or discover.
    pub fn has_instructions(self) -> bool {
        self >= Revision::V2024_11_05
    }

    /// `elicitation/create` exists, as a request (legacy) or inside an input-required result.
    pub fn has_elicitation(self) -> bool {
        self >= Revision::V2025_06_18
    }

    /// Elicitation has a `mode`, and `url` is one.
    pub fn has_url_elicitation(self) -> bool {
        self >= Revision::V2025_11_25
    }

    /// A URL elicitation carries an `elicitationId`, completed by a notification (only 2025-11-25).
    pub fn has_elicitation_ids(self) -> bool {
        self == Revision::V2025_11_25
    }

    /// Sampling params may carry `tools` and `toolChoice`.
    pub fn has_sampling_tools(self) -> bool {
        self >= Revision::V2025_11_25
    }

    /// The server may send requests of its own; later it asks inside a result.
    pub fn server_may_send_requests(self) -> bool {
        !self.is_stateless()
    }

    /// `logging/setLevel`, `resources/subscribe`, `ping` and `initialize` exist.
    pub fn has_session_methods(self) -> bool {
        !self.is_stateless()
    }

    /// Tools, prompts and resource reads may answer `input_required`.
    pub fn has_input_required(self) -> bool {
        self.is_stateless()
    }

    /// List changes and resource updates are delivered only on a `subscriptions/listen` stream.
    pub fn changes_need_listen(self) -> bool {
        self.is_stateless()
    }

    /// `notifications/message` is sent only for a request that set a log level in `_meta`.
    pub fn logs_are_per_request(self) -> bool {
        self.is_stateless()
    }

    /// Closing the HTTP response stream cancels the request (2026-07-28
    /// basic/patterns/cancellation). Before, a disconnect is expressly not a cancel.
    pub fn disconnect_cancels(self) -> bool {
        self.is_stateless()
    }

    /// An answer stream opens with an event that has an id and empty data, so that the client can
    /// come back (2025-11-25 basic/transports, "Sending Messages to the Server").
    pub fn primes_streams(self) -> bool {
        self == Revision::V2025_11_25
    }

    /// A GET with `Last-Event-ID` may resume a stream.
    pub fn has_resumable_streams(self) -> bool {
        self >= Revision::V2025_03_26 && !self.is_stateless()
    }

    /// An error about a request whose id is unknown leaves `id` out; before, it must say `null`.
    pub fn error_id_may_be_absent(self) -> bool {
        self >= Revision::V2025_11_25
    }

    /// `capabilities.extensions` is part of the schema.
    pub fn has_extensions(self) -> bool {
        self.is_stateless()
    }

    /// Results carry `resultType`, and SHOULD name the server in `_meta`.
    pub fn results_are_typed(self) -> bool {
        self.is_stateless()
    }

    /// `ttlMs` and `cacheScope` are required on lists, reads and discover.
    pub fn has_cache_hints(self) -> bool {
        self.is_stateless()
    }

    /// Arguments that fail a tool's schema become an `isError` result the model can read, not a
    /// protocol error (SEP-1303).
    pub fn bad_arguments_are_results(self) -> bool {
        self >= Revision::V2025_11_25
    }

    /// An unknown resource is -32602 from 2026-07-28 on, -32002 before.
    pub fn resource_not_found_code(self) -> i64 {
        if self.is_stateless() {
            super::errors::INVALID_PARAMS
        } else {
            super::errors::RESOURCE_NOT_FOUND
        }
    }

    /// `notifications/progress` may carry `message`.
    pub fn progress_has_message(self) -> bool {
        self >= Revision::V2025_03_26
    }

    /// An unknown method over HTTP is status 404 beside the JSON-RPC error.
    pub fn unknown_method_is_http_404(self) -> bool {
        self.is_stateless()
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_revision_agree() {
        for revision in Revision::ALL {
            assert_eq!(Revision::from_text(revision.as_str()), Some(revision));
        }
        for text in ["", "2025-06-17", "2025-06-18 ", "2024-10-07", "v999.0.0"] {
            assert_eq!(Revision::from_text(text), None, "{text}");
        }
        assert!(Revision::ALL.is_sorted());
    }

    #[test]
    fn negotiation_never_leaves_the_legacy_era() {
        for revision in Revision::ALL {
            let answer = Revision::negotiate(revision.as_str());
            let expected = if revision == Revision::LATEST {
                Revision::LATEST_LEGACY
            } else {
                revision
            };
            assert_eq!(answer, expected);
        }
        assert_eq!(Revision::negotiate("2024-10-07"), Revision::LATEST_LEGACY);
        assert_eq!(Revision::negotiate(""), Revision::LATEST_LEGACY);
    }

    #[test]
    fn era_of_unknown_versions() {
        for text in [
            "2026-07-28",
            "2026-07-29",
            "2027-01-01",
            "v999.0.0",
            "DRAFT-2026",
        ] {
            assert!(Revision::looks_stateless(text), "{text}");
        }
        for text in ["2026-07-27", "2025-11-25", "1.0", ""] {
            assert!(!Revision::looks_stateless(text), "{text}");
        }
    }

    #[test]
    fn batches_belong_to_one_revision() {
        let with: Vec<_> = Revision::ALL
            .into_iter()
            .filter(|r| r.allows_batch())
            .collect();
        assert_eq!(with, [Revision::V2025_03_26]);
        let primed: Vec<_> = Revision::ALL
            .into_iter()
            .filter(|r| r.primes_streams())
            .collect();
        assert_eq!(primed, [Revision::V2025_11_25]);
    }

    #[test]
    fn unknown_resource_codes() {
        assert_eq!(Revision::V2025_11_25.resource_not_found_code(), -32002);
        assert_eq!(Revision::V2026_07_28.resource_not_found_code(), -32602);
    }
}
