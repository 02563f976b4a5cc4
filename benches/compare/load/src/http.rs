//! Just enough HTTP/1.1 of the client's side: responses, chunks, server-sent events.

use std::borrow::Cow;

/// A response that has come whole.
pub struct Response<'a> {
    pub status: u16,
    pub is_events: bool,
    /// The server closes the connection after it.
    pub closes: bool,
    pub session: Option<&'a str>,
    pub body: Cow<'a, [u8]>,
    /// How many bytes of the buffer it took.
    pub len: usize,
}

/// A response's head.
pub struct Head<'a> {
    pub status: u16,
    pub is_events: bool,
    pub closes: bool,
    pub session: Option<&'a str>,
    pub framing: Framing,
    pub len: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Chunked,
    Length(usize),
    UntilClose,
}

/// The head at the start of `buf`; none while it is incomplete.
pub fn head(buf: &[u8]) -> Result<Option<Head<'_>>, String> {
    let Some(end) = find(buf, b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&buf[..end]).map_err(|_| "a head that is not text")?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|line| line.get(..3))
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| format!("no status line: {:?}", text.lines().next()))?;
    let mut head = Head {
        status,
        is_events: false,
        closes: false,
        session: None,
        framing: Framing::UntilClose,
        len: end + 4,
    };
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            return Err(format!("no header: {line:?}"));
        };
        let value = value.trim();
        // By length first: names are compared for every answer.
        match name.len() {
            10 if name.eq_ignore_ascii_case("connection") => {
                head.closes = value.eq_ignore_ascii_case("close");
            }
            12 if name.eq_ignore_ascii_case("content-type") => {
                head.is_events = value.starts_with("text/event-stream");
            }
            14 if name.eq_ignore_ascii_case("content-length") => {
                let len = value
                    .parse()
                    .map_err(|_| format!("Content-Length {value:?}"))?;
                head.framing = Framing::Length(len);
            }
            14 if name.eq_ignore_ascii_case("mcp-session-id") => head.session = Some(value),
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                head.framing = Framing::Chunked;
            }
            _ => (),
        }
    }
    if status == 204 || status == 304 {
        head.framing = Framing::Length(0);
    }
    Ok(Some(head))
}

/// The response at the start of `buf`; none while it is incomplete.
pub fn response(buf: &[u8]) -> Result<Option<Response<'_>>, String> {
    let Some(head) = head(buf)? else {
        return Ok(None);
    };
    let rest = &buf[head.len..];
    let (body, taken) = match head.framing {
        Framing::Length(len) if rest.len() < len => return Ok(None),
        Framing::Length(len) => (Cow::Borrowed(&rest[..len]), len),
        Framing::Chunked => {
            let mut body = Vec::new();
            let mut chunks = Chunks::default();
            let taken = chunks.decode(rest, &mut body)?;
            if !chunks.is_over {
                return Ok(None);
            }
            (Cow::Owned(body), taken)
        }
        Framing::UntilClose => return Err(format!("status {} without a length", head.status)),
    };
    Ok(Some(Response {
        status: head.status,
        is_events: head.is_events,
        closes: head.closes,
        session: head.session,
        body,
        len: head.len + taken,
    }))
}

/// A decoder of chunks that may come in any pieces, as long as a size line comes whole.
#[derive(Default)]
pub struct Chunks {
    /// Of the chunk that is being read, with its final CRLF.
    left: usize,
    pub is_over: bool,
}

impl Chunks {
    /// Moves what is complete from `input` to `body`, and says how much of `input` that was.
    pub fn decode(&mut self, input: &[u8], body: &mut Vec<u8>) -> Result<usize, String> {
        let mut at = 0;
        while !self.is_over {
            if self.left == 0 {
                let Some(end) = find(&input[at..], b"\r\n") else {
                    break;
                };
                let line = &input[at..at + end];
                let size = std::str::from_utf8(line)
                    .ok()
                    .and_then(|line| line.split(';').next())
                    .and_then(|digits| usize::from_str_radix(digits.trim(), 16).ok())
                    .ok_or_else(|| format!("a chunk of size {line:?}"))?;
                if size == 0 {
                    if input.len() < at + end + 4 {
                        break;
                    }
                    at += end + 4;
                    self.is_over = true;
                    break;
                }
                at += end + 2;
                self.left = size + 2;
            }
            let here = self.left.min(input.len() - at);
            // The CRLF at the end is no data.
            let data = here.min(self.left.saturating_sub(2));
            body.extend_from_slice(&input[at..at + data]);
            at += here;
            self.left -= here;
            if self.left > 0 {
                break;
            }
        }
        Ok(at)
    }
}

/// One server-sent event.
pub struct Event<'a> {
    pub name: &'a str,
    pub data: &'a str,
    /// How many bytes of the text it took, with the blank line.
    pub len: usize,
}

/// The first complete event of `text`. Data of several lines is cut to its last: nobody here sends any.
pub fn event(text: &[u8]) -> Option<Event<'_>> {
    let (end, gap) = match (find(text, b"\n\n"), find(text, b"\r\n\r\n")) {
        (Some(short), Some(long)) if long < short => (long, 4),
        (Some(short), _) => (short, 2),
        (None, Some(long)) => (long, 4),
        (None, None) => return None,
    };
    let mut event = Event {
        name: "message",
        data: "",
        len: end + gap,
    };
    for line in std::str::from_utf8(&text[..end])
        .unwrap_or_default()
        .lines()
    {
        if let Some(data) = line.strip_prefix("data:") {
            event.data = data.trim_start();
        } else if let Some(name) = line.strip_prefix("event:") {
            event.name = name.trim();
        }
    }
    Some(event)
}

/// The last event of a complete response that has data: the answer, after whatever came before it.
pub fn last_data(mut text: &[u8]) -> Option<&str> {
    let mut last = None;
    while let Some(event) = event(text) {
        if !event.data.is_empty() {
            last = Some(event.data);
        }
        text = &text[event.len..];
    }
    last
}

/// The path that `text`, the endpoint of HTTP+SSE, means beside the path of the stream: a path, one relative to it, or a
/// whole address.
pub fn endpoint(base: &str, text: &str) -> String {
    if let Some(rest) = text.strip_prefix("http://") {
        return rest.find('/').map_or("/", |at| &rest[at..]).to_owned();
    }
    if text.starts_with('/') {
        return text.to_owned();
    }
    let mut folders: Vec<&str> = base.split('/').collect();
    folders.pop();
    let mut rest = text;
    while let Some(shorter) = rest.strip_prefix("../") {
        folders.pop();
        rest = shorter;
    }
    format!("{}/{rest}", folders.join("/"))
}

/// Where `needle` stands in `haystack`.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = needle[0];
    let mut at = 0;
    while let Some(found) = haystack[at..].iter().position(|byte| *byte == first) {
        at += found;
        if haystack[at..].starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_comes_in_pieces() {
        let text =
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\
            Mcp-Session-Id: abc\r\n\r\n9\r\ndata: {}\n\r\n1\r\n\n\r\n0\r\n\r\n";
        for len in 0..text.len() {
            assert!(response(&text[..len]).unwrap().is_none(), "{len}");
        }
        let whole = response(text).unwrap().unwrap();
        assert_eq!(
            (whole.status, whole.len, whole.session),
            (200, text.len(), Some("abc"))
        );
        assert_eq!(last_data(&whole.body), Some("{}"));
    }

    #[test]
    fn endpoints_are_what_a_browser_makes_of_them() {
        assert_eq!(endpoint("/sse/", "../messages/?a=b"), "/messages/?a=b");
        assert_eq!(endpoint("/sse", "/messages?a"), "/messages?a");
        assert_eq!(endpoint("/a/sse", "m"), "/a/m");
        assert_eq!(endpoint("/sse", "http://127.0.0.1:1/m?x"), "/m?x");
    }

    #[test]
    fn events_end_with_a_blank_line_of_either_kind() {
        let text = b": hello\r\n\r\nevent: endpoint\r\ndata: /m?x=1\r\n\r\nid: 5\ndata: {\"a\":1}\n\ndata: ";
        assert_eq!(last_data(text), Some("{\"a\":1}"));
        assert_eq!(event(text).unwrap().data, "");
    }
}
