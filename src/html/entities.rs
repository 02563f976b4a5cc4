//! The named characters of the HTML standard, 13.5: `amp;` is `&`.
//!
//! The table is the standard's, one name a line in the order of their bytes, with the code points behind it in hexadecimal. It is
//! searched as it is: an index, or strings that start-up would have to relocate, would weigh more than the names. In the binary it is
//! deflated, which leaves a third of it.

use std::cell::OnceCell;

use crate::deflated::inflate;

/// As Python's `html.entities.html5` has it, which is the standard's own list; made of `entities.txt` by `build.rs`.
const TABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/entities.txt.deflated"));

/// No name is longer, its semicolon included.
const NAME_LEN_MAX: usize = 32;

/// The table while a page is read: inflated for the first name that is not a common one.
#[derive(Default)]
pub(super) struct Entities(OnceCell<String>);

impl Entities {
    /// The longest beginning of `text` that is a name: its length, and the characters that it stands for.
    ///
    /// Names end in a semicolon, but for some of HTML 2 that do without, too.
    pub(super) fn longest(&self, text: &str) -> Option<(usize, String)> {
        let letters = text.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        let behind = letters.strip_prefix(';').unwrap_or(letters);
        let name_len = text.len().saturating_sub(behind.len());
        let lens = (1..=name_len.min(NAME_LEN_MAX)).rev();
        let mut names = lens.filter_map(|len| text.get(..len));
        names.find_map(|name| Some((name.len(), characters(self.table(), name)?)))
    }

    fn table(&self) -> &str {
        self.0.get_or_init(|| inflate(TABLE))
    }

    /// All names.
    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.table().lines().map(|line| line.split(' ').next());
        names.flatten()
    }
}

/// What a name of the most frequent ones stands for, without its semicolon. They need no table.
pub(super) fn common(name: &str) -> Option<&'static str> {
    Some(match name {
        "amp" => "&",
        "gt" => ">",
        "lt" => "<",
        "nbsp" => "\u{a0}",
        "quot" => "\"",
        "semi" => ";",
        _ => return None,
    })
}

/// What a whole name stands for.
fn characters(table: &str, name: &str) -> Option<String> {
    // Halves what is left, always between lines.
    let mut lines = table;
    while !lines.is_empty() {
        // The table is ASCII, so that any place divides it.
        let (first_half, _) = lines.split_at_checked(lines.len() / 2)?;
        let before_line = first_half.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let (before, rest) = lines.split_at_checked(before_line)?;
        let (line, after) = rest.split_once('\n')?;
        let (found, points) = line.split_once(' ')?;
        lines = match name.cmp(found) {
            std::cmp::Ordering::Equal => return points.split_whitespace().map(character).collect(),
            std::cmp::Ordering::Greater => after,
            std::cmp::Ordering::Less => before,
        };
    }
    None
}

fn character(hexadecimal: &str) -> Option<char> {
    char::from_u32(u32::from_str_radix(hexadecimal, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_table_is_found() {
        let entities = Entities::default();
        let names: Vec<&str> = entities.names().collect();
        assert_eq!(names.len(), 2_231);
        assert!(names.is_sorted());
        assert_eq!(
            names.iter().map(|name| name.len()).max(),
            Some(NAME_LEN_MAX)
        );
        for name in names {
            let (len, text) = entities.longest(name).expect(name);
            assert_eq!(len, name.len(), "{name}");
            assert!((1..=2).contains(&text.chars().count()), "{name}");
            if let Some(common) = name.strip_suffix(';').and_then(common) {
                assert_eq!(text, common, "{name}");
            }
        }
    }

    #[test]
    fn the_longest_beginning_counts() {
        #[track_caller]
        fn check(text: &str, expected: Option<(usize, &str)>) {
            let found = Entities::default().longest(text);
            let found = found.as_ref().map(|(len, text)| (*len, text.as_str()));
            assert_eq!(found, expected, "{text}");
        }
        check("notin;x", Some((6, "\u{2209}")));
        check("notit;x", Some((3, "\u{ac}")));
        check("nGt;", Some((4, "\u{226b}\u{20d2}")));
        check("NewLine;", Some((8, "\n")));
        check("zwnj;", Some((5, "\u{200c}")));
        check("zwnj", None);
        check("", None);
        check("é", None);
    }
}
