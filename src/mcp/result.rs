//! The frame every result shares: how a revision dresses it.
//!
//! Until 2025-11-25 a result is its members and nothing else; in 2026-07-28 it also says its
//! `resultType`, names the server in `_meta`, and lists and reads say how long they keep. Called by
//! the writers of single results here and by handlers that write their own.

use serde_json::value::RawValue;

use super::json::{self, Object};
use super::revision::Revision;

/// The `_meta` key under which a result names the server, as it is written.
const SERVER_INFO_KEY: &[u8] = br#""io.modelcontextprotocol/serverInfo":"#;

/// What a result writer needs to know besides its result.
#[derive(Clone, Copy, Debug)]
pub struct Dialect<'a> {
    /// The revision of the request.
    pub revision: Revision,
    /// The server's own [`super::capabilities::Implementation`], rendered once for this revision.
    /// Empty: results do not name the server.
    pub server_info: &'a str,
}

/// Who may keep a cached result (2026-07-28 server/utilities/caching).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheScope {
    /// The same for everyone.
    Public,
    /// Only for the principal that asked.
    Private,
}

/// How long a result stays fresh, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheHint {
    /// Milliseconds; 0 means already stale.
    pub ttl_ms: u64,
    /// Who may share it.
    pub scope: CacheScope,
}

impl Default for CacheHint {
    fn default() -> CacheHint {
        CacheHint {
            ttl_ms: 0,
            scope: CacheScope::Private,
        }
    }
}

impl CacheHint {
    /// Adds `ttlMs` and `cacheScope` where the revision has them.
    pub fn write(&self, result: &mut Object<'_>, revision: Revision) {
        if !revision.has_cache_hints() {
            return;
        }
        result.unsigned("ttlMs", self.ttl_ms);
        let scope = match self.scope {
            CacheScope::Public => "public",
            CacheScope::Private => "private",
        };
        result.string("cacheScope", scope);
    }
}

impl Dialect<'_> {
    /// Writes a complete result with the members `fill` adds.
    pub fn complete(&self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        self.typed(out, "complete", None, fill);
    }

    /// Writes a complete result whose handler has `_meta` members of its own.
    pub fn complete_with_meta(
        &self,
        out: &mut Vec<u8>,
        meta: Option<&RawValue>,
        fill: impl FnOnce(&mut Object<'_>),
    ) {
        self.typed(out, "complete", meta, fill);
    }

    /// Writes a result without members: exactly `{}` in the legacy revisions, where clients
    /// compare it, and the bare frame in 2026-07-28.
    pub fn empty(&self, out: &mut Vec<u8>) {
        self.complete(out, |_| ());
    }

    /// Writes a result of another type: `input_required`, or an extension's `task`. Only for
    /// revisions in which results are typed.
    pub fn typed(
        &self,
        out: &mut Vec<u8>,
        result_type: &str,
        meta: Option<&RawValue>,
        fill: impl FnOnce(&mut Object<'_>),
    ) {
        json::object(out, |result| {
            if self.revision.results_are_typed() {
                json::string(result.known(r#""resultType":"#), result_type);
            }
            fill(result);
            self.write_meta(result, meta);
        });
    }

    /// Adds `_meta`: the handler's own members and the server's name, if there is either.
    fn write_meta(&self, result: &mut Object<'_>, meta: Option<&RawValue>) {
        let own = meta.map(|raw| inner_members(raw.get())).unwrap_or_default();
        let names_server = self.revision.results_are_typed() && !self.server_info.is_empty();
        if own.is_empty() && !names_server {
            return;
        }
        let out = result.known(r#""_meta":"#);
        out.push(b'{');
        json::raw(out, own);
        if names_server {
            if !own.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(SERVER_INFO_KEY);
            out.extend_from_slice(self.server_info.as_bytes());
        }
        out.push(b'}');
    }
}

/// The members of a JSON object's text, without its braces; empty for anything else.
fn inner_members(text: &str) -> &str {
    let inner = text
        .trim()
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    inner.unwrap_or("").trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(revision: Revision) -> Dialect<'static> {
        Dialect {
            revision,
            server_info: r#"{"name":"s","version":"1"}"#,
        }
    }

    #[test]
    fn empty_results() {
        for revision in Revision::ALL {
            let mut out = Vec::new();
            dialect(revision).empty(&mut out);
            let expected = if revision.is_stateless() {
                r#"{"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}}"#
            } else {
                "{}"
            };
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{revision}");
        }
    }

    #[test]
    fn own_meta_is_kept_beside_the_name() {
        let meta = RawValue::from_string("{ \"a/b\" : 1 }".into()).unwrap();
        let mut out = Vec::new();
        dialect(Revision::LATEST).complete_with_meta(&mut out, Some(&meta), |_| ());
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"resultType":"complete","_meta":{"a/b" : 1,"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}}"#
        );
        let mut out = Vec::new();
        dialect(Revision::LATEST_LEGACY).complete_with_meta(&mut out, Some(&meta), |_| ());
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"_meta":{"a/b" : 1}}"#);
    }

    #[test]
    fn no_name_means_no_meta() {
        let mut out = Vec::new();
        Dialect {
            revision: Revision::LATEST,
            server_info: "",
        }
        .empty(&mut out);
        assert_eq!(out, br#"{"resultType":"complete"}"#);
    }

    #[test]
    fn cache_hints_only_where_they_exist() {
        let hint = CacheHint {
            ttl_ms: 5,
            scope: CacheScope::Public,
        };
        for revision in Revision::ALL {
            let mut out = Vec::new();
            json::object(&mut out, |o| hint.write(o, revision));
            let expected: &[u8] = if revision.is_stateless() {
                br#"{"ttlMs":5,"cacheScope":"public"}"#
            } else {
                b"{}"
            };
            assert_eq!(out, expected);
        }
    }
}
