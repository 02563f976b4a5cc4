//! Keys as JSON: a JWK or a JWK set (RFC 7517, RFC 7518 6, RFC 8037 2).

use super::key::{Algorithm, Key, KeyError, ec, ed, rsa};
use super::object::{Object, WrongType};
use crate::base64;
use crate::raw::Raw;

/// The keys of a set, or the one key there is; each perhaps none of ours.
pub(super) fn parse(json: &[u8]) -> Result<Vec<Result<Key, KeyError>>, KeyError> {
    let object = Object::parse(json).ok_or(KeyError::NotKeys("no JSON object"))?;
    if object.has("kty") {
        return Ok(vec![key(&object)]);
    }
    let keys = object.array("keys");
    let keys = keys.ok_or(KeyError::NotKeys("an object without `keys`"))?;
    let each = |value: Raw<'_>| {
        let object = Object::parse(value.get().as_bytes());
        key(&object.ok_or(KeyError::NotKeys("a key that is no object"))?)
    };
    Ok(keys.into_iter().map(each).collect())
}

fn key(object: &Object<'_>) -> Result<Key, KeyError> {
    let kind = text(object, "kty")?;
    let material = match kind.as_str() {
        "RSA" => rsa(&bytes(object, "n")?, &bytes(object, "e")?),
        "EC" => match text(object, "crv")?.as_str() {
            "P-256" => {
                // Coordinates have their full length (RFC 7518 6.2.1.2), so nothing is filled up.
                let (x, y) = (bytes(object, "x")?, bytes(object, "y")?);
                match (x.len(), y.len()) {
                    (32, 32) => ec(&[&[4], x.as_slice(), y.as_slice()].concat()),
                    _ => Err(KeyError::Unsound("point")),
                }
            }
            curve => Err(KeyError::Kind(format!("EC {}", printable(curve)))),
        },
        "OKP" => match text(object, "crv")?.as_str() {
            "Ed25519" => ed(&bytes(object, "x")?),
            curve => Err(KeyError::Kind(format!("OKP {}", printable(curve)))),
        },
        "oct" => Key::secret(&bytes(object, "k")?).map(|key| key.material),
        kind => Err(KeyError::Kind(printable(kind))),
    }?;
    if object.has("d") {
        return Err(KeyError::Private);
    }
    let kid = object.text("kid").map_err(unsound("`kid`"))?;
    let key = Key {
        kid: kid.map(Into::into),
        material,
    };
    check_purpose(object, &key)?;
    Ok(key)
}

/// What a key says it is for has to include what we use it for (RFC 7517 4.2 to 4.4).
fn check_purpose(object: &Object<'_>, key: &Key) -> Result<(), KeyError> {
    let purpose = object.text("use").map_err(unsound("`use`"))?;
    if purpose.is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::Unsound("`use` (for signatures)"));
    }
    let operations = object.texts("key_ops").map_err(unsound("`key_ops`"))?;
    if operations.is_some_and(|all| !all.iter().any(|one| one == "verify")) {
        return Err(KeyError::Unsound("`key_ops` (for verifying)"));
    }
    let algorithm = object.text("alg").map_err(unsound("`alg`"))?;
    if algorithm.is_some_and(|name| Algorithm::of(&name) != Some(key.algorithm())) {
        return Err(KeyError::Unsound("`alg`"));
    }
    Ok(())
}

fn text(object: &Object<'_>, name: &'static str) -> Result<String, KeyError> {
    let text = object.text(name).map_err(unsound(name))?;
    text.ok_or(KeyError::Unsound(name))
}

fn bytes(object: &Object<'_>, name: &'static str) -> Result<Vec<u8>, KeyError> {
    base64::decode_url(&text(object, name)?).ok_or(KeyError::Unsound(name))
}

fn unsound(part: &'static str) -> impl Fn(WrongType) -> KeyError {
    move |WrongType| KeyError::Unsound(part)
}

/// A word of a document, short enough and plain enough for a message.
fn printable(word: &str) -> String {
    let plain = word.chars().filter(|c| !c.is_control());
    format!("`{}`", plain.take(40).collect::<String>())
}
