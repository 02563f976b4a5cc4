//! "Did you mean": the known name most like a misspelt one. The loader asks for keys, the command line for its own words,
//! the check of a tool's arguments for theirs.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

/// The known name nearest to `name`, if it is near enough to be a likely slip.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    // Long input is no slip, and the distance costs the product of both lengths.
    const NAME_BYTES_MAX: usize = 64;
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    // `http.timeout` for `timeout.http` is a slip no edit distance sees.
    let swapped = name
        .split_once('.')
        .map(|(head, tail)| format!("{tail}.{head}"));
    let allowed = (name.len() / 3).clamp(1, 4);
    known
        .map(|candidate| match swapped.as_deref() == Some(candidate) {
            true => (0, candidate),
            false => (distance(name, candidate), candidate),
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// Edits (insert, delete, replace, swap neighbours) between two names.
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "i and j are places in a and b; a row has one place more than b"
)]
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = last;
        last = row;
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distance_counts_edits() {
        for (a, b, expected) in [
            ("", "", 0),
            ("abc", "", 3),
            ("port", "prot", 1),
            ("port", "ports", 1),
            ("host", "port", 2),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn nearest_names_likely_slips_only() {
        let known = || ["server.port", "timeout.http", "limits.body_bytes"].into_iter();
        assert_eq!(
            nearest("server.prot", known()).as_deref(),
            Some("server.port")
        );
        assert_eq!(
            nearest("http.timeout", known()).as_deref(),
            Some("timeout.http")
        );
        assert_eq!(
            nearest("limits.body_byte", known()).as_deref(),
            Some("limits.body_bytes")
        );
        assert_eq!(nearest("weather.city", known()), None);
        assert_eq!(nearest(&"server.port".repeat(9), known()), None);
    }
}
