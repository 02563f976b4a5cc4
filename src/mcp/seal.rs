//! Texts that a client keeps for us and cannot change: HMAC-SHA-256 over bytes, expiry and purpose.
//!
//! Not encryption: a client can read what is inside, so no secrets. Called for the `requestState`
//! of multi round-trip requests (2026-07-28 basic/patterns/mrtr, "Server Requirements") and for
//! list cursors. A seal does not make a state single-use; who needs that must remember.

use std::fmt;

use serde_json::Value;

use super::errors::ProtocolError;
use crate::base64;
use crate::sha256::{Hasher, Mac, is_tag};

/// The longest sealed text that is looked at.
pub const SEALED_BYTES_MAX: usize = 16 * 1024;

/// The whole tag of a state: it travels in a body, so length costs nothing.
const STATE_TAG_BYTES: usize = 32;

/// Half a tag is plenty for a cursor, which at worst shows a page of a public list.
const CURSOR_TAG_BYTES: usize = 16;

const EXPIRY_BYTES: usize = 8;

/// A key, and what is done with it. Random per start is enough for one process: retries across a
/// restart then fail, and the server asks again.
#[derive(Clone)]
pub struct Sealer {
    mac: Mac,
}

/// The key must not end up in a log.
impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

/// Who asked for what: a state sealed under one binding opens under no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding([u8; 32]);

/// Why a sealed text is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// It was sealed here, but its time is over.
    Expired {
        /// When it ended, Unix milliseconds.
        ended_ms: u64,
        /// The time now.
        now_ms: u64,
    },
    /// Not sealed here, changed since, or sealed for another request or principal: the tag covers
    /// all of them, so they cannot be told apart.
    Forged,
    /// Longer than [`SEALED_BYTES_MAX`].
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SealError::Expired { ended_ms, now_ms } => write!(
                f,
                "`requestState` expired {} ms ago; call again without it",
                now_ms.saturating_sub(*ended_ms)
            ),
            SealError::Forged => {
                f.write_str("`requestState` was not issued for this request; call again without it")
            }
            SealError::TooLong { bytes } => {
                write!(
                    f,
                    "`requestState` of {bytes} bytes exceeds {SEALED_BYTES_MAX}"
                )
            }
        }
    }
}

impl std::error::Error for SealError {}

impl From<SealError> for ProtocolError {
    fn from(error: SealError) -> ProtocolError {
        ProtocolError::invalid_params(error.to_string())
    }
}

impl Binding {
    /// Binds to the principal (its name, or empty), the method, and the params without the members
    /// that differ between a request and its retry. Members may come in another order and with
    /// other white space: a client may well rebuild its params, which are JSON text.
    pub fn new(principal: &str, method: &str, params: Option<&str>) -> Binding {
        let mut digest = Hasher::new();
        for text in [principal, method] {
            feed_bytes(&mut digest, text.as_bytes());
        }
        let text = params.unwrap_or("null");
        let Ok(mut params) = serde_json::from_str::<Value>(text) else {
            // Deeper than the parser follows: bound to the text itself.
            feed_bytes(&mut digest, text.as_bytes());
            return Binding(digest.finish());
        };
        if let Some(members) = params.as_object_mut() {
            for varying in ["_meta", "inputResponses", "requestState"] {
                members.remove(varying);
            }
        }
        feed_value(&mut digest, &params);
        Binding(digest.finish())
    }
}

impl Sealer {
    /// A sealer with this key; it should be random.
    pub fn new(key: &[u8; 32]) -> Sealer {
        Sealer { mac: Mac::new(key) }
    }

    /// Seals a payload until `now_ms + ttl_ms` (Unix milliseconds).
    pub fn seal_state(
        &self,
        payload: &[u8],
        binding: &Binding,
        now_ms: u64,
        ttl_ms: u64,
    ) -> String {
        let expiry = now_ms.saturating_add(ttl_ms).to_be_bytes();
        let mut bytes =
            Vec::with_capacity(payload.len().saturating_add(EXPIRY_BYTES + STATE_TAG_BYTES));
        bytes.extend_from_slice(&expiry);
        bytes.extend_from_slice(payload);
        let tag = self.tag("state", &binding.0, &bytes).finish();
        bytes.extend_from_slice(&tag);
        base64::encode_url(&bytes)
    }

    /// Opens what [`Self::seal_state`] sealed. The last millisecond of its time still counts.
    pub fn open_state(
        &self,
        sealed: &str,
        binding: &Binding,
        now_ms: u64,
    ) -> Result<Vec<u8>, SealError> {
        if sealed.len() > SEALED_BYTES_MAX {
            return Err(SealError::TooLong {
                bytes: sealed.len(),
            });
        }
        let mut bytes = base64::decode_url(sealed).ok_or(SealError::Forged)?;
        let body_len = bytes
            .len()
            .checked_sub(STATE_TAG_BYTES)
            .ok_or(SealError::Forged)?;
        let (body, tag) = bytes.split_at(body_len);
        if !is_tag(&self.tag("state", &binding.0, body).finish(), tag) {
            return Err(SealError::Forged);
        }
        let expiry = body
            .first_chunk::<EXPIRY_BYTES>()
            .ok_or(SealError::Forged)?;
        let ended_ms = u64::from_be_bytes(*expiry);
        if now_ms > ended_ms {
            return Err(SealError::Expired { ended_ms, now_ms });
        }
        bytes.truncate(body_len);
        bytes.drain(..EXPIRY_BYTES);
        Ok(bytes)
    }

    /// Seals without expiry and with a short tag.
    pub(super) fn seal_cursor(&self, purpose: &str, payload: &[u8]) -> String {
        let tag = self.tag("cursor", purpose.as_bytes(), payload).finish();
        let mut bytes = payload.to_vec();
        bytes.extend(tag.iter().take(CURSOR_TAG_BYTES));
        base64::encode_url(&bytes)
    }

    /// Opens what [`Self::seal_cursor`] sealed for the same purpose.
    pub(super) fn open_cursor(&self, purpose: &str, sealed: &str) -> Option<Vec<u8>> {
        let mut bytes = base64::decode_url(sealed)?;
        let body_len = bytes.len().checked_sub(CURSOR_TAG_BYTES)?;
        let (body, tag) = bytes.split_at(body_len);
        if !is_tag(&self.tag("cursor", purpose.as_bytes(), body).finish(), tag) {
            return None;
        }
        bytes.truncate(body_len);
        Some(bytes)
    }

    /// The kind keeps a cursor from being passed off as a state; lengths keep the parts apart.
    fn tag(&self, kind: &str, purpose: &[u8], bytes: &[u8]) -> Mac {
        let mut mac = self.mac.clone();
        for part in [kind.as_bytes(), purpose, bytes] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

fn feed_bytes(digest: &mut Hasher, bytes: &[u8]) {
    digest.update(&(bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

/// Members in the order of their names. The recursion is as deep as the JSON parser allows.
fn feed_value(digest: &mut Hasher, value: &Value) {
    match value {
        Value::Array(items) => {
            digest.update(b"[");
            digest.update(&(items.len() as u64).to_be_bytes());
            for item in items {
                feed_value(digest, item);
            }
        }
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            digest.update(b"{");
            digest.update(&(names.len() as u64).to_be_bytes());
            for name in names {
                feed_bytes(digest, name.as_bytes());
                feed_value(digest, &members[name]);
            }
        }
        Value::String(text) => {
            digest.update(b"\"");
            feed_bytes(digest, text.as_bytes());
        }
        Value::Bool(_) | Value::Null | Value::Number(_) => {
            digest.update(b"=");
            feed_bytes(digest, value.to_string().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&[7; 32])
    }

    fn binding(principal: &str, method: &str, params: &str) -> Binding {
        Binding::new(principal, method, Some(params))
    }

    #[test]
    fn a_state_comes_back_until_it_expires() {
        let bound = binding("me", "tools/call", r#"{"name":"t"}"#);
        for payload in [&b""[..], b"x", &[0; 1000]] {
            let sealed = sealer().seal_state(payload, &bound, 1000, 50);
            assert_eq!(sealer().open_state(&sealed, &bound, 1000).unwrap(), payload);
            assert_eq!(sealer().open_state(&sealed, &bound, 1050).unwrap(), payload);
            assert_eq!(
                sealer().open_state(&sealed, &bound, 1051),
                Err(SealError::Expired {
                    ended_ms: 1050,
                    now_ms: 1051
                })
            );
        }
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let bound = binding("", "tools/call", "{}");
        let sealed = sealer().seal_state(b"payload", &bound, 0, 9);
        for at in 0..sealed.len() {
            let mut text = sealed.clone().into_bytes();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(text).unwrap();
            assert_eq!(
                sealer().open_state(&text, &bound, 0),
                Err(SealError::Forged)
            );
            assert_eq!(
                sealer().open_state(&sealed[..at], &bound, 0),
                Err(SealError::Forged)
            );
        }
        for text in [
            format!("{sealed}-TAMPERED"),
            format!("{sealed}="),
            String::new(),
        ] {
            assert_eq!(
                sealer().open_state(&text, &bound, 0),
                Err(SealError::Forged)
            );
        }
        let other = Sealer::new(&[8; 32]);
        assert_eq!(other.open_state(&sealed, &bound, 0), Err(SealError::Forged));
    }

    #[test]
    fn a_state_is_for_one_request_and_one_principal() {
        let first = binding(
            "me",
            "tools/call",
            r#"{"name":"t","arguments":{"a":[1,"x"],"b":null}}"#,
        );
        let same = [
            r#"{"arguments":{"b":null,"a":[1,"x"]},"name":"t"}"#,
            r#"{"name":"\u0074","arguments":{"a":[1,"x"],"b":null},"_meta":{"progressToken":2},"requestState":"s","inputResponses":{"k":{}}}"#,
        ];
        for params in same {
            assert_eq!(binding("me", "tools/call", params), first, "{params}");
        }
        let others = [
            binding(
                "you",
                "tools/call",
                r#"{"name":"t","arguments":{"a":[1,"x"],"b":null}}"#,
            ),
            binding(
                "me",
                "prompts/get",
                r#"{"name":"t","arguments":{"a":[1,"x"],"b":null}}"#,
            ),
            binding(
                "metools",
                "/call",
                r#"{"name":"t","arguments":{"a":[1,"x"],"b":null}}"#,
            ),
            binding(
                "me",
                "tools/call",
                r#"{"name":"t","arguments":{"a":["x",1],"b":null}}"#,
            ),
            binding(
                "me",
                "tools/call",
                r#"{"name":"t","arguments":{"a":["1","x"],"b":null}}"#,
            ),
            binding(
                "me",
                "tools/call",
                r#"{"name":"t","arguments":{"a":[1,"x"]}}"#,
            ),
            binding("me", "tools/call", r#"{"name":"t"}"#),
        ];
        let sealed = sealer().seal_state(b"p", &first, 0, 9);
        for other in &others {
            assert_eq!(
                sealer().open_state(&sealed, other, 0),
                Err(SealError::Forged)
            );
        }
    }

    #[test]
    fn params_too_deep_to_sort_are_bound_as_text() {
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(200), "]".repeat(200));
        let bound = |text: &str| Binding::new("", "m", Some(text));
        assert_eq!(bound(&deep("1")), bound(&deep("1")));
        assert_ne!(bound(&deep("1")), bound(&deep("2")));
    }

    #[test]
    fn length_is_bounded() {
        let bound = Binding::new("", "m", None);
        let at_limit = "A".repeat(SEALED_BYTES_MAX);
        assert_eq!(
            sealer().open_state(&at_limit, &bound, 0),
            Err(SealError::Forged)
        );
        let over = "A".repeat(SEALED_BYTES_MAX + 1);
        let error = sealer().open_state(&over, &bound, 0).unwrap_err();
        assert_eq!(
            error,
            SealError::TooLong {
                bytes: SEALED_BYTES_MAX + 1
            }
        );
        assert_eq!(ProtocolError::from(error).code, -32602);
    }

    #[test]
    fn cursors_and_states_are_apart() {
        let cursor = sealer().seal_cursor("tools", b"x");
        assert_eq!(
            sealer().open_cursor("tools", &cursor).as_deref(),
            Some(&b"x"[..])
        );
        assert_eq!(sealer().open_cursor("prompts", &cursor), None);
        assert_eq!(sealer().open_cursor("tools", ""), None);
        assert_eq!(format!("{:?}", sealer()), "Sealer");
    }
}
