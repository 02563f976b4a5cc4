//! Names of fields: the grammar of all of them, and those that the server asks for by itself.
//! These are told apart once, when a head is read: asking for one is then a look into a list, and a
//! request is asked for some twenty. Other names are looked for by their text.

/// A name that the server asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// `Accept`
    Accept,
    /// `Access-Control-Request-Headers`
    AccessControlRequestHeaders,
    /// `Access-Control-Request-Method`
    AccessControlRequestMethod,
    /// `Authorization`
    Authorization,
    /// `Connection`
    Connection,
    /// `Content-Encoding`
    ContentEncoding,
    /// `Content-Length`
    ContentLength,
    /// `Content-Type`
    ContentType,
    /// `Expect`
    Expect,
    /// `Forwarded`
    Forwarded,
    /// `Host`
    Host,
    /// `Last-Event-ID`
    LastEventId,
    /// `Mcp-Method`
    McpMethod,
    /// `Mcp-Name`
    McpName,
    /// `MCP-Protocol-Version`
    McpProtocolVersion,
    /// `Mcp-Session-Id`
    McpSessionId,
    /// `Origin`
    Origin,
    /// `Transfer-Encoding`
    TransferEncoding,
    /// `X-Forwarded-For`
    XForwardedFor,
}

impl Name {
    /// How many there are.
    pub(super) const COUNT: usize = 19;

    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Name::Accept => "accept",
            Name::AccessControlRequestHeaders => "access-control-request-headers",
            Name::AccessControlRequestMethod => "access-control-request-method",
            Name::Authorization => "authorization",
            Name::Connection => "connection",
            Name::ContentEncoding => "content-encoding",
            Name::ContentLength => "content-length",
            Name::ContentType => "content-type",
            Name::Expect => "expect",
            Name::Forwarded => "forwarded",
            Name::Host => "host",
            Name::LastEventId => "last-event-id",
            Name::McpMethod => "mcp-method",
            Name::McpName => "mcp-name",
            Name::McpProtocolVersion => "mcp-protocol-version",
            Name::McpSessionId => "mcp-session-id",
            Name::Origin => "origin",
            Name::TransferEncoding => "transfer-encoding",
            Name::XForwardedFor => "x-forwarded-for",
        }
    }

    /// Which of them a name is, if it is a token. Names compare without case.
    pub fn of(name: &[u8]) -> Option<Name> {
        // Few have the same length.
        let candidates: &[Name] = match name.len() {
            4 => &[Name::Host],
            6 => &[Name::Accept, Name::Origin, Name::Expect],
            8 => &[Name::McpName],
            9 => &[Name::Forwarded],
            10 => &[Name::Connection, Name::McpMethod],
            12 => &[Name::ContentType],
            13 => &[Name::Authorization, Name::LastEventId],
            14 => &[Name::ContentLength, Name::McpSessionId],
            15 => &[Name::XForwardedFor],
            16 => &[Name::ContentEncoding],
            17 => &[Name::TransferEncoding],
            20 => &[Name::McpProtocolVersion],
            29 => &[Name::AccessControlRequestMethod],
            30 => &[Name::AccessControlRequestHeaders],
            _ => return None,
        };
        for candidate in candidates {
            if is_same(name, candidate.as_str().as_bytes()) {
                return Some(*candidate);
            }
        }
        None
    }
}

/// Whether a token is a name of the same length, which is of lower-case letters and hyphens: these and
/// their capitals are the only bytes of tokens that come to the same with that bit. By words: it is
/// asked for nearly every line of a head.
fn is_same(token: &[u8], name: &[u8]) -> bool {
    let (token_words, token_rest) = token.as_chunks();
    let (name_words, name_rest) = name.as_chunks();
    for (one, other) in token_words.iter().zip(name_words) {
        if u32::from_ne_bytes(*one) | u32::from_ne_bytes([0x20; 4]) != u32::from_ne_bytes(*other) {
            return false;
        }
    }
    for (one, other) in token_rest.iter().zip(name_rest) {
        if one | 0x20 != *other {
            return false;
        }
    }
    true
}

/// How long the token is that `bytes` begin with (RFC 9110 section 5.6.2): a name, or a method.
#[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
pub(super) fn token_len(bytes: &[u8]) -> usize {
    let mut len = 0usize;
    while let Some(byte) = bytes.get(len)
        && IS_TOKEN[usize::from(*byte)]
    {
        len = len.wrapping_add(1);
    }
    len
}

/// Whether it is a token, and so may be the name of a field.
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && token_len(bytes) == bytes.len()
}

/// `tchar`: any visible ASCII character but delimiters.
static IS_TOKEN: [bool; 256] = {
    let mut is_token = [false; 256];
    let mut byte = 0u8;
    loop {
        #[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
        {
            is_token[byte as usize] = byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                );
        }
        if byte == u8::MAX {
            break is_token;
        }
        byte = byte.wrapping_add(1);
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    /// All of them, in order.
    const ALL: [Name; Name::COUNT] = [
        Name::Accept,
        Name::AccessControlRequestHeaders,
        Name::AccessControlRequestMethod,
        Name::Authorization,
        Name::Connection,
        Name::ContentEncoding,
        Name::ContentLength,
        Name::ContentType,
        Name::Expect,
        Name::Forwarded,
        Name::Host,
        Name::LastEventId,
        Name::McpMethod,
        Name::McpName,
        Name::McpProtocolVersion,
        Name::McpSessionId,
        Name::Origin,
        Name::TransferEncoding,
        Name::XForwardedFor,
    ];

    #[test]
    fn every_name_is_found_in_any_case_and_no_neighbour_of_it() {
        for (place, name) in ALL.into_iter().enumerate() {
            let text = name.as_str();
            assert_eq!(name as usize, place);
            assert_eq!(Name::of(text.as_bytes()), Some(name));
            assert_eq!(Name::of(text.to_uppercase().as_bytes()), Some(name));
            assert_eq!(Name::of(&text.as_bytes()[1..]), None);
            assert_eq!(Name::of(format!("{text}s").as_bytes()), None);
            for at in 0..text.len() {
                let mut other = text.as_bytes().to_vec();
                other[at] = b'0';
                assert_eq!(Name::of(&other), None, "{text} {at}");
            }
        }
    }

    #[test]
    fn tokens_end_at_delimiters_and_at_what_is_not_visible() {
        assert_eq!(token_len(b""), 0);
        assert_eq!(token_len(b"x-Y_9~:"), 6);
        assert!(is_token(b"x-Y_9~") && !is_token(b"") && !is_token(b"x y") && !is_token(b"x\r\n"));
        for byte in 0..=255_u8 {
            let is_token = byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte);
            assert_eq!(token_len(&[byte, b' ']), usize::from(is_token), "{byte}");
        }
    }
}
