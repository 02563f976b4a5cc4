//! HTTP/1.1 and Server-Sent Events on bytes (RFC 9110, RFC 9112, WHATWG HTML 9.2). Pure: no sockets, no clock.
