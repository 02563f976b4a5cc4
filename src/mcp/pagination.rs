//! Cursors: where the next page of a list begins, sealed so that a client cannot make one up.
//!
//! A cursor belongs to one list and one generation of the catalog; after a reload the client
//! starts over, which is what 2025-11-25 server/utilities/pagination asks for (-32602).

use std::fmt;

use super::errors::ProtocolError;
use super::list::List;
use super::seal::Sealer;
use crate::raw::Raw;

/// Why a cursor is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorError {
    /// Not from here, or from another list.
    Forged,
    /// `cursor` is not a string.
    NotAString,
    /// The list has changed since.
    Stale,
}

impl fmt::Display for CursorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CursorError::Forged => "`cursor` was not issued for this list; list without it",
            CursorError::NotAString => "`cursor` must be a string",
            CursorError::Stale => "`cursor` is from before the list changed; list without it",
        })
    }
}

impl std::error::Error for CursorError {}

impl From<CursorError> for ProtocolError {
    fn from(error: CursorError) -> ProtocolError {
        ProtocolError::invalid_params(error.to_string())
    }
}

/// The cursor of the page that begins at item `position`.
pub fn write_cursor(sealer: &Sealer, list: List, generation: u64, position: u32) -> String {
    let mut payload = [0; 12];
    payload[..8].copy_from_slice(&generation.to_be_bytes());
    payload[8..].copy_from_slice(&position.to_be_bytes());
    sealer.seal_cursor(list.key(), &payload)
}

/// Where the page asked for begins: 0 without a cursor.
pub fn parse_position(
    sealer: &Sealer,
    list: List,
    generation: u64,
    params: Option<Raw<'_>>,
) -> Result<u32, CursorError> {
    let cursor = params.and_then(|params| params.pick(["cursor"]).ok());
    let Some(cursor) = cursor.and_then(|[cursor]| cursor) else {
        return Ok(0);
    };
    let cursor = cursor.text().ok_or(CursorError::NotAString)?;
    let payload = sealer
        .open_cursor(list.key(), &cursor)
        .ok_or(CursorError::Forged)?;
    let (of, position) = payload
        .split_first_chunk::<8>()
        .ok_or(CursorError::Forged)?;
    let position = <[u8; 4]>::try_from(position).map_err(|_| CursorError::Forged)?;
    if u64::from_be_bytes(*of) != generation {
        return Err(CursorError::Stale);
    }
    Ok(u32::from_be_bytes(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(list: List, generation: u64, params: &str) -> Result<u32, CursorError> {
        let raw = Raw::parse(params).unwrap();
        parse_position(&Sealer::new(&[1; 32]), list, generation, Some(raw))
    }

    #[test]
    fn cursors() {
        let sealer = Sealer::new(&[1; 32]);
        let cursor = write_cursor(&sealer, List::Tools, 3, 200);
        let params = format!(r#"{{"cursor":"{cursor}","_meta":{{}}}}"#);
        assert_eq!(position(List::Tools, 3, &params), Ok(200));
        assert_eq!(position(List::Tools, 4, &params), Err(CursorError::Stale));
        assert_eq!(
            position(List::Prompts, 3, &params),
            Err(CursorError::Forged)
        );
        let longer = params.replace(&cursor, &format!("{cursor}A"));
        assert_eq!(position(List::Tools, 3, &longer), Err(CursorError::Forged));
        assert_ne!(
            write_cursor(&Sealer::new(&[2; 32]), List::Tools, 3, 200),
            cursor
        );
    }

    #[test]
    fn without_a_cursor_the_list_begins() {
        for params in ["{}", r#"{"cursor":null}"#, r#"{"_meta":{}}"#] {
            assert_eq!(position(List::Tools, 1, params), Ok(0), "{params}");
        }
        assert_eq!(
            parse_position(&Sealer::new(&[1; 32]), List::Tools, 1, None),
            Ok(0)
        );
        assert_eq!(
            position(List::Tools, 1, r#"{"cursor":1}"#),
            Err(CursorError::NotAString)
        );
        for cursor in ["", "0", "invalid-cursor", "AAAA"] {
            let params = format!(r#"{{"cursor":"{cursor}"}}"#);
            assert_eq!(
                position(List::Tools, 1, &params),
                Err(CursorError::Forged),
                "{cursor}"
            );
        }
        assert_eq!(ProtocolError::from(CursorError::Stale).code, -32602);
    }
}
