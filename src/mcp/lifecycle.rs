//! How a conversation begins: `initialize` in the legacy revisions, `server/discover` in 2026-07-28.
//!
//! Not the session it opens (`server`). Sources: 2025-11-25 basic/lifecycle, 2026-07-28
//! server/discover.

use std::borrow::Cow;

use super::capabilities::{ClientCapabilities, Implementation, ServerCapabilities};
use super::errors::ProtocolError;
use super::json;
use super::result::{CacheHint, Dialect};
use super::revision::Revision;
use crate::raw::Raw;

/// What `initialize` asks for.
#[derive(Clone, Debug)]
pub struct InitializeParams<'a> {
    /// The version the client would like.
    pub requested: Cow<'a, str>,
    /// The revision to answer with.
    pub revision: Revision,
    /// What the client can do; absent or malformed counts as nothing, as peers do.
    pub capabilities: ClientCapabilities,
    /// The client's name and version, for logs.
    pub client: ClientInfo<'a>,
}

/// The part of a client's self-description that is worth logging. Never a basis for decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo<'a> {
    /// `name`, or empty.
    pub name: Cow<'a, str>,
    /// `version`, or empty.
    pub version: Cow<'a, str>,
}

impl<'a> ClientInfo<'a> {
    /// Reads an implementation object; anything else is an unnamed client.
    pub fn parse(raw: Option<Raw<'a>>) -> ClientInfo<'a> {
        raw.and_then(ClientInfo::read).unwrap_or_default()
    }

    fn read(raw: Raw<'a>) -> Option<ClientInfo<'a>> {
        let text = |raw: Option<Raw<'a>>| raw.map_or(Some(Cow::Borrowed("")), Raw::text);
        let [name, version] = raw.pick(["name", "version"]).ok()?;
        Some(ClientInfo {
            name: text(name)?,
            version: text(version)?,
        })
    }
}

impl<'a> InitializeParams<'a> {
    /// Reads the params; only the version is insisted on.
    pub fn parse(params: Option<Raw<'a>>) -> Result<InitializeParams<'a>, ProtocolError> {
        let members = ["protocolVersion", "capabilities", "clientInfo"];
        let found = params.and_then(|params| params.pick(members).ok());
        let [version, capabilities, client] = found.unwrap_or_default();
        let Some(requested) = version.and_then(Raw::text) else {
            return Err(ProtocolError::invalid_params(
                "`initialize` needs params with a string `protocolVersion`",
            ));
        };
        Ok(InitializeParams {
            revision: Revision::negotiate(&requested),
            requested,
            capabilities: capabilities
                .and_then(ClientCapabilities::parse)
                .unwrap_or_default(),
            client: ClientInfo::parse(client),
        })
    }
}

/// What the server says of itself on either occasion.
#[derive(Clone, Copy, Debug)]
pub struct Introduction<'a> {
    /// Name and version.
    pub server: &'a Implementation,
    /// What is offered.
    pub capabilities: ServerCapabilities,
    /// Advice for the model, or nothing.
    pub instructions: Option<&'a str>,
}

impl Introduction<'_> {
    /// Writes the result of `initialize`.
    pub fn write_initialize(&self, out: &mut Vec<u8>, revision: Revision) {
        json::object(out, |result| {
            result.string("protocolVersion", revision.as_str());
            self.capabilities
                .write(result.key("capabilities"), revision);
            self.server.write(result.key("serverInfo"), revision);
            result.optional_string("instructions", self.instructions);
        });
    }

    /// Writes the result of `server/discover`. It lists all five revisions: what
    /// [`ProtocolError::unsupported_version`] offers must be a subset of it.
    pub fn write_discover(&self, out: &mut Vec<u8>, dialect: &Dialect<'_>, cache: CacheHint) {
        dialect.complete(out, |result| {
            result.strings("supportedVersions", &Revision::ALL.map(Revision::as_str));
            self.capabilities
                .write(result.key("capabilities"), dialect.revision);
            result.optional_string("instructions", self.instructions);
            cache.write(result, dialect.revision);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::result::CacheScope;

    #[test]
    fn initialize_params() {
        let raw = r#"{"method":"x","protocolVersion":"2025-06-18","capabilities":{"roots":{}},
            "clientInfo":{"name":"c\n","version":"2","title":"t"}}"#;
        let params = InitializeParams::parse(Raw::parse(raw)).unwrap();
        assert_eq!(params.revision, Revision::V2025_06_18);
        assert!(params.capabilities.roots);
        assert_eq!(params.client.name, "c\n");

        let raw = r#"{"protocolVersion":"1999-01-01","capabilities":7,"clientInfo":[]}"#;
        let params = InitializeParams::parse(Raw::parse(raw)).unwrap();
        assert_eq!(params.revision, Revision::LATEST_LEGACY);
        assert_eq!(params.requested, "1999-01-01");
        assert_eq!(params.capabilities, ClientCapabilities::default());
        assert_eq!(params.client, ClientInfo::default());
    }

    #[test]
    fn initialize_without_a_version_is_refused() {
        for raw in [
            "{}",
            "[]",
            r#"{"protocolVersion":1}"#,
            r#"{"protocolVersion":null}"#,
        ] {
            let error = InitializeParams::parse(Raw::parse(raw));
            assert_eq!(error.unwrap_err().code, -32602, "{raw}");
        }
        assert!(InitializeParams::parse(None).is_err());
    }

    #[test]
    fn introductions() {
        let server = Implementation::new("s", "1");
        let introduction = Introduction {
            server: &server,
            capabilities: ServerCapabilities {
                tools: true,
                ..ServerCapabilities::default()
            },
            instructions: Some("be kind"),
        };
        let mut out = Vec::new();
        introduction.write_initialize(&mut out, Revision::V2025_03_26);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"protocolVersion":"2025-03-26","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"},"instructions":"be kind"}"#
        );
        let mut out = Vec::new();
        let info = server.render(Revision::LATEST);
        let dialect = Dialect {
            revision: Revision::LATEST,
            server_info: &info,
        };
        let cache = CacheHint {
            ttl_ms: 1000,
            scope: CacheScope::Private,
        };
        introduction.write_discover(&mut out, &dialect, cache);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"resultType":"complete","supportedVersions":["2024-11-05","2025-03-26","2025-06-18","2025-11-25","2026-07-28"],"capabilities":{"tools":{}},"instructions":"be kind","ttlMs":1000,"cacheScope":"private","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}}"#
        );
    }
}
