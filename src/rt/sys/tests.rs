use std::path::Path;

use super::*;

/// So that all unit tests go by it.
#[global_allocator]
static ALLOCATOR: KeepSmall = KeepSmall;

#[test]
fn the_root_filesystem_has_a_size_and_a_missing_path_has_none() {
    let space = space(Path::new("/")).unwrap();
    assert!(
        space.total_bytes >= space.free_bytes
            && space.free_bytes >= space.available_bytes
            && space.total_bytes > 0
    );
    assert_eq!(super::space(Path::new("/there/is/no/such/folder")), None);
    assert_eq!(super::space(Path::new("/a\0b")), None);
}

#[test]
fn what_was_written_outlives_the_release_of_the_programs_pages() {
    static WRITTEN: std::sync::Mutex<[u64; 2048]> = std::sync::Mutex::new([1; 2048]);
    static READ_ONLY: [u64; 2048] = [3; 2048];
    WRITTEN.lock().unwrap().fill(2);
    release_program_pages();
    assert_eq!(*WRITTEN.lock().unwrap(), [2; 2048]);
    assert_eq!(std::hint::black_box(&READ_ONLY), &[3; 2048]);
}

#[test]
fn loopback_has_its_address() {
    let addresses = interface_addresses();
    let loopback = addresses
        .iter()
        .find(|entry| entry.address == IpAddr::V4(Ipv4Addr::LOCALHOST))
        .unwrap();
    assert_eq!(loopback.prefix_length, Some(8));
    assert_eq!(ones("ffff:ffff::".parse().unwrap()), 32);
}

#[test]
fn pages_are_powers_of_two_and_the_machine_has_a_name() {
    assert!(page_bytes().is_power_of_two());
    assert!(machine().is_some_and(|name| !name.is_empty()));
}

#[test]
fn comparing_by_words_is_comparing() {
    for length in 0..40 {
        let one = vec![7; length];
        assert_eq!(compare(&one, &one.clone()), 0);
        for at in 0..length {
            for bit in 0..8 {
                let mut other = one.clone();
                other[at] ^= 1 << bit;
                assert_ne!(compare(&one, &other), 0, "{length} {at} {bit}");
            }
        }
    }
}

#[test]
fn rows_are_as_wide_as_their_largest_piece_and_end_at_508_bytes() {
    let layout = |size| Layout::from_size_align(size, 1).unwrap();
    for size in 1..=508 {
        let at = row_of(layout(size)).unwrap();
        assert!(row_layout(at).size() >= size, "{size}");
        assert!(at == 0 || row_layout(at - 1).size() < size, "{size}");
    }
    assert_eq!(row_of(layout(509)), None);
    assert_eq!(row_of(Layout::new::<u64>()), Some(0));
    assert_eq!(row_of(Layout::from_size_align(16, 16).unwrap()), None);
}

#[test]
fn what_comes_back_is_handed_out_again_where_small_pieces_are_kept() {
    let at = row_of(Layout::new::<[u8; 300]>()).unwrap();
    let kept = || ROW.with(|rows| rows[at].kept.get());
    let pieces = || {
        (0..=KEPT_MAX)
            .map(|_| Box::new([7u8; 300]))
            .collect::<Vec<_>>()
    };
    drop(pieces());
    assert!(
        ROW.with(|rows| rows[at].first.get().is_null()),
        "nothing before"
    );

    keep_small_pieces();
    let piece = Box::new([7u8; 300]);
    let address = piece.as_ptr();
    drop(piece);
    assert_eq!(kept(), 1);
    let again = vec![0u8; 300];
    assert_eq!((again.as_ptr(), kept()), (address, 0));
    assert_eq!(again, [0; 300]);
    drop(again);
    drop(pieces());
    assert_eq!(kept(), KEPT_MAX, "and no more than that");

    return_small_pieces();
    assert!(ROW.with(|rows| rows[at].first.get().is_null()));
}

#[test]
fn a_piece_that_grows_or_shrinks_keeps_what_is_in_it() {
    keep_small_pieces();
    let sizes = [1, 12, 13, 100, 508, 509, 5000];
    for from in sizes {
        for to in sizes {
            let mut piece = Vec::with_capacity(from);
            piece.resize(from, 7u8);
            piece.resize(to.max(from), 8);
            piece.truncate(to);
            piece.shrink_to_fit();
            assert_eq!((piece.capacity(), piece.len()), (to, to));
            let seven = piece.iter().take_while(|byte| **byte == 7).count();
            assert_eq!(seven, from.min(to), "{from} to {to}");
            assert!(
                piece[seven..].iter().all(|byte| *byte == 8),
                "{from} to {to}"
            );
        }
    }
    return_small_pieces();
}
