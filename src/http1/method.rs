//! Request methods (RFC 9110 section 9, RFC 5789 for PATCH). What a route allows is the router's
//! business.

/// A request method. Names are case-sensitive: `get` is [`Method::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`: as `GET`, but the answer carries no body.
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `OPTIONS`: CORS preflight, or `*`.
    Options,
    /// `PATCH`
    Patch,
    /// `CONNECT`: parsed so that it can be refused by name.
    Connect,
    /// `TRACE`: parsed so that it can be refused by name.
    Trace,
    /// Any other token; its text is [`Head::method_text`](super::Head::method_text).
    Other,
}

impl Method {
    /// The method named by a token.
    pub fn parse(token: &[u8]) -> Method {
        match token {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            b"PUT" => Method::Put,
            b"DELETE" => Method::Delete,
            b"OPTIONS" => Method::Options,
            b"PATCH" => Method::Patch,
            b"CONNECT" => Method::Connect,
            b"TRACE" => Method::Trace,
            _ => Method::Other,
        }
    }

    /// The name on the wire; `OTHER` for [`Method::Other`]. A bounded set, so it may label a
    /// metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Patch => "PATCH",
            Method::Connect => "CONNECT",
            Method::Trace => "TRACE",
            Method::Other => "OTHER",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_case_matters() {
        let methods = [
            "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE",
        ];
        for name in methods {
            assert_eq!(Method::parse(name.as_bytes()).as_str(), name);
            assert_eq!(Method::parse(name.to_lowercase().as_bytes()), Method::Other);
        }
    }
}
