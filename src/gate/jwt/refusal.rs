//! Why a JWT is refused.

use std::fmt;

/// Why a token is refused. Grouped by whether its signature held: whoever cannot sign learns nothing from the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtRefusal {
    /// `alg` is none we accept.
    Algorithm,
    /// The header brings a key or an extension of its own.
    Header,
    /// No JWT in its one spelling.
    Malformed,
    /// The signature is not that of the key.
    Signature,
    /// Longer than [`TOKEN_BYTES_MAX`](super::TOKEN_BYTES_MAX).
    TooLong,
    /// `typ` says it is no access token.
    Type,
    /// No key fits; perhaps one that is not here yet.
    UnknownKey,

    /// For somebody else.
    Audience,
    /// A claim is of the wrong type or not sound.
    Claim(&'static str),
    /// Our clock has not been set.
    Clock,
    /// Over.
    Expired,
    /// Issued in the future.
    IssuedLater,
    /// By somebody else.
    Issuer,
    /// A claim is missing.
    Missing(&'static str),
    /// Not yet good.
    NotYet,
}

impl JwtRefusal {
    /// Whether the issuer has signed the token: then its holder may know what is wrong with it.
    #[must_use]
    pub const fn is_of_signed(self) -> bool {
        match self {
            Self::Algorithm
            | Self::Header
            | Self::Malformed
            | Self::Signature
            | Self::TooLong
            | Self::Type
            | Self::UnknownKey => false,
            Self::Audience
            | Self::Claim(_)
            | Self::Clock
            | Self::Expired
            | Self::IssuedLater
            | Self::Issuer
            | Self::Missing(_)
            | Self::NotYet => true,
        }
    }
}

/// Without quotation marks and backslashes: it stands in `error_description` (RFC 6750 3).
impl fmt::Display for JwtRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm => {
                f.write_str("the token is signed by an algorithm that is not accepted")
            }
            Self::Header => f.write_str("the token's header brings a key or extension of its own"),
            Self::Malformed => f.write_str("the token is no well-formed JWT"),
            Self::Signature => f.write_str("the token's signature does not hold"),
            Self::TooLong => write!(
                f,
                "the token is longer than {} bytes",
                super::TOKEN_BYTES_MAX
            ),
            Self::Type => f.write_str("the token's `typ` is no access token"),
            Self::UnknownKey => f.write_str("no known key has signed the token"),
            Self::Audience => f.write_str("the token is for another audience"),
            Self::Claim(name) => write!(f, "the claim `{name}` is not sound"),
            Self::Clock => f.write_str("the server's clock is not set, so no token can be checked"),
            Self::Expired => f.write_str("the token has expired"),
            Self::IssuedLater => f.write_str("the token was issued in the future"),
            Self::Issuer => f.write_str("the token is of another issuer"),
            Self::Missing(name) => write!(f, "the claim `{name}` is missing"),
            Self::NotYet => f.write_str("the token is not valid yet"),
        }
    }
}
