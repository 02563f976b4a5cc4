//! Request methods a caller may choose.

use std::fmt;
use std::str::FromStr;

/// A request method. `CONNECT` is the client's own business, with proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`: as `GET`, without the body.
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
}

/// A text that names no [`Method`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMethod(String);

impl fmt::Display for UnknownMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a method, expected one of",
            self.0.escape_debug()
        )?;
        for (at, method) in Method::ALL.iter().enumerate() {
            write!(
                f,
                "{} `{}`",
                if at == 0 { "" } else { "," },
                method.as_str()
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownMethod {}

impl Method {
    const ALL: [Self; 7] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
        Self::Options,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// Whether it only reads (RFC 9110 section 9.2.1): it may be sent again without asking.
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }

    /// Whether a server expects a body, and a `Content-Length: 0` when there is none (RFC 9110 section 8.6).
    pub(super) const fn expects_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names are case-sensitive, as on the wire.
impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        let found = Self::ALL.into_iter().find(|method| method.as_str() == text);
        found.ok_or_else(|| UnknownMethod(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_case_matters() {
        for method in Method::ALL {
            assert_eq!(method.as_str().parse(), Ok(method));
            assert!(method.as_str().to_lowercase().parse::<Method>().is_err());
        }
        let error = "FETCH".parse::<Method>().unwrap_err().to_string();
        assert!(
            error.starts_with("`FETCH` is not a method, expected one of `GET`, `HEAD`"),
            "{error}"
        );
    }

    #[test]
    fn what_only_reads_expects_no_body() {
        for method in Method::ALL {
            assert!(!(method.is_safe() && method.expects_body()), "{method}");
        }
    }
}
