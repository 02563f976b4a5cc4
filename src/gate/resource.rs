//! What the server says of itself as a protected resource: the document of RFC 9728, and where it lies.
//!
//! A client that was refused reads here who issues tokens for this server. Nothing in it is secret, and nothing in it
//! comes from a request: a `Host` header could name any server.

use serde_json::json;

/// Where such documents lie (RFC 9728 3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The document and its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The document, JSON.
    pub document: Box<str>,
    /// Its full address, for `WWW-Authenticate`.
    pub metadata_url: Box<str>,
}

impl Resource {
    /// Of the resource `identifier`: the URL of the MCP endpoint as clients know it, which `config` has checked.
    #[must_use]
    pub fn new(
        identifier: &str,
        name: &str,
        authorization_servers: &[String],
        scopes: &[&str],
    ) -> Self {
        let document = json!({
            "resource": identifier,
            "authorization_servers": authorization_servers,
            "scopes_supported": scopes,
            "bearer_methods_supported": ["header"],
            "resource_name": name,
        });
        let authority = identifier.find("://").map_or(0, |at| at.saturating_add(3));
        let (scheme, rest) = identifier
            .split_at_checked(authority)
            .unwrap_or(("", identifier));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // "Any terminating slash following the host component MUST be removed" (RFC 9728 3.1).
        let path = if path == "/" { "" } else { path };
        Self {
            document: document.to_string().into(),
            metadata_url: format!("{scheme}{host}{WELL_KNOWN}{path}").into(),
        }
    }

    /// Whether a request for `path` asks for the document: at the root, or with the path of the endpoint behind it, as
    /// it is here (`endpoint`) and as clients know it, should a proxy stand between.
    #[must_use]
    pub fn is_at(&self, path: &str, endpoint: &str) -> bool {
        let Some(rest) = path.strip_prefix(WELL_KNOWN) else {
            return false;
        };
        rest.is_empty() || rest == endpoint || self.metadata_url.ends_with(path)
    }
}

/// The audiences by which an issuer may name the resource `identifier`. Clients that take a URL apart and put it together
/// again give one without a path a slash, so there the slash makes no difference.
#[must_use]
pub fn audiences(identifier: &str) -> Vec<String> {
    let bare = identifier.strip_suffix('/').unwrap_or(identifier);
    match bare.matches('/').count() {
        2 => vec![bare.to_owned(), format!("{bare}/")],
        _ => vec![identifier.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(identifier: &str) -> Resource {
        let servers = ["https://id.lan/a".to_owned()];
        Resource::new(identifier, "siskin", &servers, &["read", "write"])
    }

    #[test]
    fn the_document_lies_behind_the_host() {
        for (identifier, expected) in [
            (
                "https://nas.lan/mcp",
                "https://nas.lan/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "https://nas.lan",
                "https://nas.lan/.well-known/oauth-protected-resource",
            ),
            (
                "https://nas.lan/",
                "https://nas.lan/.well-known/oauth-protected-resource",
            ),
            (
                "http://[::1]:8000/a/mcp",
                "http://[::1]:8000/.well-known/oauth-protected-resource/a/mcp",
            ),
        ] {
            assert_eq!(&*resource(identifier).metadata_url, expected);
        }
    }

    #[test]
    fn it_is_found_at_the_root_and_behind_it() {
        let resource = resource("https://nas.lan/siskin/mcp");
        for (rest, expected) in [
            ("", true),
            ("/mcp", true),
            ("/siskin/mcp", true),
            ("/", false),
            ("/mcp/", false),
            ("/siskin", false),
            ("/other", false),
            ("mcp", false),
        ] {
            let path = format!("{WELL_KNOWN}{rest}");
            assert_eq!(resource.is_at(&path, "/mcp"), expected, "{path}");
        }
        for path in [
            "",
            "/mcp",
            "/siskin/mcp",
            "/.well-known/oauth-authorization-server",
        ] {
            assert!(!resource.is_at(path, "/mcp"), "{path}");
        }
    }

    #[test]
    fn it_says_who_issues_tokens_and_for_what() {
        let document = resource("https://nas.lan/mcp").document;
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        let expected = json!({
            "resource": "https://nas.lan/mcp",
            "authorization_servers": ["https://id.lan/a"],
            "scopes_supported": ["read", "write"],
            "bearer_methods_supported": ["header"],
            "resource_name": "siskin",
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn a_slash_behind_the_host_makes_no_difference() {
        let both = ["https://nas.lan", "https://nas.lan/"];
        for identifier in both {
            assert_eq!(audiences(identifier), both);
        }
        for identifier in ["https://nas.lan/mcp", "https://nas.lan/mcp/"] {
            assert_eq!(audiences(identifier), [identifier]);
        }
    }
}
