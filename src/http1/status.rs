//! The statuses we send: whole status lines, ready to copy. Which one to send is decided elsewhere.

/// Whether a response with this status never has a body (RFC 9110 section 6.4.1).
pub fn status_forbids_body(status: u16) -> bool {
    status < 200 || status == 204 || status == 304
}

/// The reason phrase of a status we send (RFC 9110 section 15, RFC 6585), else an empty text.
pub fn reason(status: u16) -> &'static str {
    let line = status_line(status).unwrap_or(b"HTTP/1.1 000 \r\n");
    let text = std::str::from_utf8(line).unwrap_or_default();
    text.get("HTTP/1.1 000 ".len()..)
        .unwrap_or_default()
        .trim_end()
}

/// The status line of a status we send, with its CRLF.
pub(super) fn status_line(status: u16) -> Option<&'static [u8]> {
    Some(match status {
        100 => b"HTTP/1.1 100 Continue\r\n",
        200 => b"HTTP/1.1 200 OK\r\n",
        201 => b"HTTP/1.1 201 Created\r\n",
        202 => b"HTTP/1.1 202 Accepted\r\n",
        204 => b"HTTP/1.1 204 No Content\r\n",
        301 => b"HTTP/1.1 301 Moved Permanently\r\n",
        302 => b"HTTP/1.1 302 Found\r\n",
        303 => b"HTTP/1.1 303 See Other\r\n",
        304 => b"HTTP/1.1 304 Not Modified\r\n",
        307 => b"HTTP/1.1 307 Temporary Redirect\r\n",
        308 => b"HTTP/1.1 308 Permanent Redirect\r\n",
        400 => b"HTTP/1.1 400 Bad Request\r\n",
        401 => b"HTTP/1.1 401 Unauthorized\r\n",
        403 => b"HTTP/1.1 403 Forbidden\r\n",
        404 => b"HTTP/1.1 404 Not Found\r\n",
        405 => b"HTTP/1.1 405 Method Not Allowed\r\n",
        406 => b"HTTP/1.1 406 Not Acceptable\r\n",
        408 => b"HTTP/1.1 408 Request Timeout\r\n",
        409 => b"HTTP/1.1 409 Conflict\r\n",
        410 => b"HTTP/1.1 410 Gone\r\n",
        411 => b"HTTP/1.1 411 Length Required\r\n",
        413 => b"HTTP/1.1 413 Content Too Large\r\n",
        414 => b"HTTP/1.1 414 URI Too Long\r\n",
        415 => b"HTTP/1.1 415 Unsupported Media Type\r\n",
        417 => b"HTTP/1.1 417 Expectation Failed\r\n",
        421 => b"HTTP/1.1 421 Misdirected Request\r\n",
        422 => b"HTTP/1.1 422 Unprocessable Content\r\n",
        429 => b"HTTP/1.1 429 Too Many Requests\r\n",
        431 => b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
        500 => b"HTTP/1.1 500 Internal Server Error\r\n",
        501 => b"HTTP/1.1 501 Not Implemented\r\n",
        502 => b"HTTP/1.1 502 Bad Gateway\r\n",
        503 => b"HTTP/1.1 503 Service Unavailable\r\n",
        504 => b"HTTP/1.1 504 Gateway Timeout\r\n",
        505 => b"HTTP/1.1 505 HTTP Version Not Supported\r\n",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_line_names_its_own_status() {
        let mut found = 0;
        for status in 0..1000 {
            let Some(line) = status_line(status) else {
                continue;
            };
            assert!(
                line.starts_with(format!("HTTP/1.1 {status} ").as_bytes())
                    && line.ends_with(b"\r\n"),
                "{status}"
            );
            assert!(!reason(status).is_empty());
            found += 1;
        }
        assert!(found > 30, "{found}");
        assert_eq!(reason(299), "");
    }
}
