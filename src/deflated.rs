//! Texts inside the binary that `build.rs` deflated: packs, and the names of characters.

use flate2::{Decompress, FlushDecompress};

/// A text of `build.rs`: four bytes for its length, then RFC 1951.
#[expect(clippy::expect_used, reason = "tests read every text")]
pub(crate) fn inflate(deflated: &[u8]) -> String {
    let (len, deflated) = deflated.split_first_chunk().expect("made by build.rs");
    let len = usize::try_from(u32::from_le_bytes(*len)).expect("a file's length");
    let mut text = Vec::with_capacity(len);
    Decompress::new(false)
        .decompress_vec(deflated, &mut text, FlushDecompress::Finish)
        .expect("made by build.rs");
    String::from_utf8(text).expect("made of text by build.rs")
}
