//! Keys that verify, each of one algorithm. A public key can therefore never be taken for the secret of an HMAC.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::header::Header;
use super::refusal::JwtRefusal;
use super::{jwk, pem, signature};

/// Shortest secret in bytes: as long as the hash (RFC 7518 3.2).
pub const SECRET_BYTES_MIN: usize = 32;

/// Most keys of one issuer. A token without a key id is tried with all of its kind.
const KEYS_MAX: usize = 32;

/// By what a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// HMAC with SHA-256.
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::EdDsa, Self::Es256, Self::Hs256, Self::Rs256];

    /// As in `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm of this name, to the letter. `Ed25519` is the newer name of the one EdDSA there is (RFC 9864).
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|one| one.as_str() == name);
        found.or((name == "Ed25519").then_some(Self::EdDsa))
    }

    const fn bit(self) -> u8 {
        match self {
            Self::EdDsa => 1,
            Self::Es256 => 2,
            Self::Hs256 => 4,
            Self::Rs256 => 8,
        }
    }
}

/// A set of algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithms(u8);

impl Algorithms {
    /// Every one.
    pub const ALL: Self = Self(0b1111);

    /// Whether `algorithm` is among them.
    #[must_use]
    pub const fn has(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }
}

impl FromIterator<Algorithm> for Algorithms {
    fn from_iter<T: IntoIterator<Item = Algorithm>>(all: T) -> Self {
        Self(all.into_iter().fold(0, |set, one| set | one.bit()))
    }
}

/// What a key is made of. It has no `Debug`: one of them is a secret.
#[derive(Clone)]
#[cfg_attr(
    not(feature = "jwt"),
    allow(dead_code, reason = "nobody verifies in such a build")
)]
pub(super) enum Material {
    /// The point, uncompressed: 4, x, y.
    Ec(Box<[u8]>),
    /// The point.
    Ed(Box<[u8]>),
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa { n: Box<[u8]>, e: Box<[u8]> },
    /// The secret.
    Secret(Box<[u8]>),
}

/// One key.
#[derive(Clone)]
pub struct Key {
    pub(super) kid: Option<Box<str>>,
    pub(super) material: Material,
}

/// Why something is no key for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Of another kind than the four; what it is.
    Kind(String),
    /// None at all.
    None,
    /// Neither PEM nor JSON of keys; what is wrong.
    NotKeys(&'static str),
    /// It could sign. Whoever only verifies has no use for it, and it is one place more to lose it from.
    Private,
    /// A secret where everybody may read it.
    Published,
    /// Its parts make no key; which.
    Unsound(&'static str),
    /// More than are looked at.
    TooMany,
    /// A secret so short that it can be guessed.
    Weak {
        /// Its length in bytes.
        got: usize,
    },
}

impl Key {
    /// The secret of HS256.
    ///
    /// # Errors
    /// When it is too short.
    pub fn secret(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(KeyError::Weak { got: secret.len() });
        }
        Ok(Self {
            kid: None,
            material: Material::Secret(secret.into()),
        })
    }

    /// What it verifies by, and by nothing else.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Ec(_) => Algorithm::Es256,
            Material::Ed(_) => Algorithm::EdDsa,
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::Secret(_) => Algorithm::Hs256,
        }
    }

    /// Whether a token that says so may be of this key: an id has to agree where both have one.
    fn fits(&self, header: &Header) -> bool {
        let same_id = match (&self.kid, &header.kid) {
            (Some(ours), Some(theirs)) => **ours == **theirs,
            _ => true,
        };
        same_id && self.algorithm() == header.algorithm
    }
}

/// Keys in the order they were given.
#[derive(Clone, Default)]
pub struct Keys(pub(super) Vec<Key>);

impl Keys {
    /// What a file holds: PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`, one or more), a JWK or a JWK set. Every key has to be
    /// one of ours: the operator chose them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_file(bytes: &[u8]) -> Result<Self, KeyError> {
        let is_json = bytes.trim_ascii_start().first() == Some(&b'{');
        let found = match is_json {
            true => jwk::parse(bytes)?.into_iter().collect::<Result<_, _>>()?,
            false => pem::parse(bytes)?,
        };
        Self::of(found)
    }

    /// What an issuer has published: a JWK set. Keys we have no use for are passed over, since an issuer may publish
    /// others beside ours (RFC 7517 5).
    ///
    /// # Errors
    /// When none is left.
    pub fn of_published(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut last = KeyError::None;
        let mut keys = Vec::new();
        for key in jwk::parse(bytes)? {
            match key {
                Ok(key) if key.algorithm() == Algorithm::Hs256 => last = KeyError::Published,
                Ok(key) => keys.push(key),
                Err(error) => last = error,
            }
        }
        match keys.is_empty() {
            true => Err(last),
            false => Self::of(keys),
        }
    }

    /// These.
    ///
    /// # Errors
    /// When there are none, or too many.
    pub fn of(keys: Vec<Key>) -> Result<Self, KeyError> {
        match keys.len() {
            0 => Err(KeyError::None),
            1..=KEYS_MAX => Ok(Self(keys)),
            _ => Err(KeyError::TooMany),
        }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of those that fit has signed.
    pub(super) fn verify(
        &self,
        header: &Header,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), JwtRefusal> {
        // Without an id, a key that fits in kind alone is a guess: the right one may not be here yet.
        let mut refusal = JwtRefusal::UnknownKey;
        for key in self.0.iter().filter(|key| key.fits(header)) {
            if signature::holds(&key.material, signed, signature) {
                return Ok(());
            }
            if key.kid.is_some() && header.kid.is_some() {
                refusal = JwtRefusal::Signature;
            }
        }
        Err(refusal)
    }
}

/// The keys of now. Cloning shares them: who fetches keys puts them here, who verifies takes them from here.
#[derive(Clone, Default)]
pub struct KeyRing(Rc<RefCell<Rc<Keys>>>);

impl KeyRing {
    /// A ring of these.
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self(Rc::new(RefCell::new(Rc::new(keys))))
    }

    /// Those of now.
    #[must_use]
    pub fn current(&self) -> Rc<Keys> {
        Rc::clone(&self.0.borrow())
    }

    /// Puts others in their place.
    pub fn replace(&self, keys: Keys) {
        self.0.replace(Rc::new(keys));
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(
                f,
                "a key of kind {kind}, expected RSA, EC P-256, Ed25519 or `oct`"
            ),
            Self::None => f.write_str("no key that verifies signatures"),
            Self::NotKeys(why) => write!(
                f,
                "{why}, expected PEM with `-----BEGIN PUBLIC KEY-----`, a JWK or a JWK set"
            ),
            Self::Private => f.write_str(
                "a private key: the server only verifies, give it the public one (`openssl pkey -pubout`)",
            ),
            Self::Published => f.write_str("a secret key that everybody can fetch"),
            Self::Unsound(part) => write!(f, "a key whose {part} is not sound"),
            Self::TooMany => write!(f, "more than {KEYS_MAX} keys"),
            Self::Weak { got } => write!(
                f,
                "a secret of {got} bytes, expected at least {SECRET_BYTES_MIN} (`openssl rand -hex 32`)"
            ),
        }
    }
}

impl std::error::Error for KeyError {}

/// RSA keys that can be verified with: 2048 to 8192 bits and a small odd exponent.
pub(super) fn rsa(n: &[u8], e: &[u8]) -> Result<Material, KeyError> {
    let trim = |number: &[u8]| -> Box<[u8]> {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        number.get(zeros..).unwrap_or_default().into()
    };
    let (n, e) = (trim(n), trim(e));
    if !(256..=1024).contains(&n.len())
        || n.len() == 256 && n.first().is_none_or(|first| first & 0x80 == 0)
    {
        return Err(KeyError::Unsound("modulus (2048 to 8192 bits)"));
    }
    let is_odd = e.last().is_some_and(|byte| byte & 1 == 1);
    if e.len() > 4 || !is_odd || *e == [1] {
        return Err(KeyError::Unsound("exponent"));
    }
    Ok(Material::Rsa { n, e })
}

/// A point of P-256 without compression (SEC 1, 2.3.3).
pub(super) fn ec(point: &[u8]) -> Result<Material, KeyError> {
    match point {
        [4, rest @ ..] if rest.len() == 64 => Ok(Material::Ec(point.into())),
        _ => Err(KeyError::Unsound("point")),
    }
}

/// A point of Ed25519.
pub(super) fn ed(point: &[u8]) -> Result<Material, KeyError> {
    match point.len() {
        32 => Ok(Material::Ed(point.into())),
        _ => Err(KeyError::Unsound("point")),
    }
}
