//! Packs cut short and changed at every byte: whatever comes of it, it is said and survived.

use super::super::fuzz_pack;

#[test]
fn a_pack_cut_anywhere_or_with_any_byte_changed_is_survived() {
    let text = include_str!("../../../../fuzz/seeds/pack/kettle");
    assert_eq!(
        super::super::Pack::read("p.toml", "svc", text.to_owned().into()).err(),
        None
    );
    for at in 0..text.len() {
        fuzz_pack(&text[..at]);
        for byte in ["\"", "{", "$", "ü", ""] {
            if let (Some(before), Some(after)) = (text.get(..at), text.get(at + 1..)) {
                fuzz_pack(&format!("{before}{byte}{after}"));
            }
        }
    }
}
