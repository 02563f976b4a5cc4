//! What to tell a browser so that a page let in by [`origin`](super::origin) may read our answers.
//!
//! Fetch standard, "CORS protocol". Credentials mode is never allowed: clients send `Authorization` themselves, and we
//! set no cookies.

use super::origin::AllowedOrigin;

/// Request headers a page may send, beside `Mcp-Param-*` (2026-07-28 basic/transports, "Request headers").
const REQUEST_HEADERS: &str = "accept, authorization, content-type, last-event-id, mcp-method, mcp-name, \
                               mcp-protocol-version, mcp-session-id";

/// Response headers a page may read.
const EXPOSED_HEADERS: &str = "Mcp-Session-Id, WWW-Authenticate";

/// How long a browser may remember a preflight, in seconds; Chromium takes no more.
const MAX_AGE: &str = "7200";

/// A tool's header parameters begin so, in lower case.
const PARAM_PREFIX: &str = "mcp-param-";

/// Most `Mcp-Param-*` names repeated to one page, and the longest of them.
const PARAMS_MAX: usize = 32;
const PARAM_BYTES_MAX: usize = 64;

/// A header to add to a response. Values hold nothing a client wrote but an [`AllowedOrigin`] and checked tokens.
pub type Header = (&'static str, String);

/// Whether an `OPTIONS` request is a preflight: it has an origin and asks for a method.
#[must_use]
pub const fn is_preflight(origin: Option<&str>, request_method: Option<&str>) -> bool {
    origin.is_some() && request_method.is_some()
}

/// The headers of the 204 that answers a preflight. `methods` are those of the route, as in `Allow`;
/// `request_headers` is the value of `Access-Control-Request-Headers`.
#[must_use]
pub fn preflight_headers(
    origin: AllowedOrigin<'_>,
    methods: &str,
    request_headers: Option<&str>,
) -> Vec<Header> {
    let mut headers = String::from(REQUEST_HEADERS);
    for param in params(request_headers.unwrap_or_default()) {
        headers.push_str(", ");
        headers.push_str(&param);
    }
    vec![
        ("Access-Control-Allow-Origin", origin.as_str().into()),
        ("Access-Control-Allow-Methods", methods.into()),
        ("Access-Control-Allow-Headers", headers),
        ("Access-Control-Max-Age", MAX_AGE.into()),
        // The answer depends on all three: a cache in between must not mix pages up.
        (
            "Vary",
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers".into(),
        ),
    ]
}

/// The headers of every other response to a request with an allowed origin, refusals included.
#[must_use]
pub fn response_headers(origin: AllowedOrigin<'_>) -> [Header; 3] {
    [
        ("Access-Control-Allow-Origin", origin.as_str().into()),
        ("Access-Control-Expose-Headers", EXPOSED_HEADERS.into()),
        ("Vary", "Origin".into()),
    ]
}

/// The `Mcp-Param-*` names in a list, checked and in lower case. Others are left out: the browser then refuses by
/// itself.
fn params(list: &str) -> impl Iterator<Item = String> {
    let names = list
        .split(',')
        .map(|name| name.trim_matches([' ', '\t']).to_ascii_lowercase());
    names.filter(|name| is_param(name)).take(PARAMS_MAX)
}

fn is_param(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PARAM_PREFIX) else {
        return false;
    };
    !rest.is_empty() && name.len() <= PARAM_BYTES_MAX && rest.bytes().all(is_token_byte)
}

/// `tchar`, RFC 9110 5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::host::Reach;
    use crate::gate::origin::OriginRule;

    /// The allowed headers for a page asking for `request_headers`, beyond the usual ones.
    #[track_caller]
    fn check(request_headers: &str, expected: &str) {
        let rule = OriginRule::new(Reach::Network, &["*".into()]).unwrap();
        let origin = rule
            .admit(Some("https://app.example"), None)
            .unwrap()
            .unwrap();
        let headers = preflight_headers(origin, "GET, POST, DELETE", Some(request_headers));
        let (_, allowed) = headers
            .iter()
            .find(|(name, _)| *name == "Access-Control-Allow-Headers")
            .unwrap();
        assert_eq!(allowed.strip_prefix(REQUEST_HEADERS), Some(expected));
        assert!(
            headers
                .iter()
                .all(|(_, value)| !value.contains(['\r', '\n', '\0']))
        );
        assert!(headers.contains(&("Access-Control-Allow-Origin", "https://app.example".into())));
        assert!(headers.contains(&("Access-Control-Allow-Methods", "GET, POST, DELETE".into())));
    }

    #[test]
    fn tool_parameters_are_repeated_and_nothing_else() {
        check("", "");
        check("content-type,authorization", "");
        check(
            "Mcp-Param-Region , x-evil,mcp-param-a_b",
            ", mcp-param-region, mcp-param-a_b",
        );
        check("mcp-param-", "");
        check("mcp-param-a b", "");
        check("mcp-param-a\r\nset-cookie: x", "");
        check("mcp-param-é", "");
        let longest = format!(
            "mcp-param-{}",
            "x".repeat(PARAM_BYTES_MAX - PARAM_PREFIX.len())
        );
        check(&longest, &format!(", {longest}"));
        check(&format!("{longest}x"), "");
    }

    #[test]
    fn the_number_of_parameters_is_bounded() {
        let list = |n: usize| {
            (0..n)
                .map(|n| format!("mcp-param-{n}"))
                .collect::<Vec<_>>()
                .join(",")
        };
        for (n, expected) in [
            (PARAMS_MAX - 1, PARAMS_MAX - 1),
            (PARAMS_MAX, PARAMS_MAX),
            (PARAMS_MAX + 1, PARAMS_MAX),
        ] {
            assert_eq!(params(&list(n)).count(), expected);
        }
    }

    #[test]
    fn an_answer_may_be_read_and_is_not_cached_for_another_page() {
        let rule = OriginRule::new(Reach::Network, &["https://a.example".into()]).unwrap();
        let origin = rule
            .admit(Some("https://a.example"), None)
            .unwrap()
            .unwrap();
        let headers = response_headers(origin);
        assert!(headers.contains(&("Vary", "Origin".into())));
        assert!(headers.contains(&(
            "Access-Control-Expose-Headers",
            "Mcp-Session-Id, WWW-Authenticate".into()
        )));
        assert!(
            headers
                .iter()
                .all(|(name, _)| *name != "Access-Control-Allow-Credentials")
        );
    }

    #[test]
    fn a_preflight_has_an_origin_and_a_method() {
        assert!(is_preflight(Some("https://a.example"), Some("POST")));
        assert!(!is_preflight(Some("https://a.example"), None));
        assert!(!is_preflight(None, Some("POST")));
    }

    #[test]
    fn token_bytes_are_those_of_the_grammar() {
        let allowed = (0..=255_u8)
            .filter(|byte| is_token_byte(*byte))
            .map(char::from)
            .collect::<String>();
        let symbols: String = allowed
            .chars()
            .filter(|c| !c.is_ascii_alphanumeric())
            .collect();
        assert_eq!(symbols, "!#$%&'*+-.^_`|~");
        assert_eq!(allowed.len(), 62 + 15);
    }
}
