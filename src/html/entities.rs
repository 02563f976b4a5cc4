//! The named characters of the HTML standard, 13.5: `amp;` is `&`.
//!
//! The table is the standard's, one name a line in the order of their bytes, with the code points behind it in hexadecimal. It is
//! searched as it is: an index, or strings that start-up would have to relocate, would weigh more than the names.

/// As Python's `html.entities.html5` has it, which is the standard's own list.
const TABLE: &str = include_str!("entities.txt");

/// No name is longer, its semicolon included.
const NAME_LEN_MAX: usize = 32;

/// The longest beginning of `text` that is a name: its length, and the characters that it stands for.
///
/// Names end in a semicolon, but for some of HTML 2 that do without, too.
pub(super) fn longest(text: &str) -> Option<(usize, String)> {
    let letters = text.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    let behind = letters.strip_prefix(';').unwrap_or(letters);
    let name_len = text.len().saturating_sub(behind.len());
    let lens = (1..=name_len.min(NAME_LEN_MAX)).rev();
    lens.into_iter()
        .find_map(|len| Some((len, characters(text.get(..len)?)?)))
}

/// What a whole name stands for.
fn characters(name: &str) -> Option<String> {
    // Halves what is left, always between lines.
    let mut lines = TABLE;
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

/// All names.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter_map(|line| line.split(' ').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_table_is_found() {
        let names: Vec<&str> = names().collect();
        assert_eq!(names.len(), 2_231);
        assert!(names.is_sorted());
        assert_eq!(
            names.iter().map(|name| name.len()).max(),
            Some(NAME_LEN_MAX)
        );
        for name in names {
            let (len, text) = longest(name).expect(name);
            assert_eq!(len, name.len(), "{name}");
            assert!((1..=2).contains(&text.chars().count()), "{name}");
        }
    }

    #[test]
    fn the_longest_beginning_counts() {
        #[track_caller]
        fn check(text: &str, expected: Option<(usize, &str)>) {
            let found = longest(text);
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
