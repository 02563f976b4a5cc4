//! Which rows a query finds, and in which order.

use super::grid::Row;

/// The words of a query.
#[derive(Debug)]
pub struct Query {
    words: Vec<String>,
}

/// Words of so many characters also find words that begin with them.
const PREFIX_CHARS_MIN: usize = 4;

impl Query {
    /// Reads a query. One without words finds nothing.
    pub fn new(text: &str) -> Query {
        Query { words: words(text) }
    }

    /// The rows in which every word occurs; those with most of them in the first column first.
    pub fn filter<'a>(&self, rows: &'a [Row]) -> Vec<&'a Row> {
        if self.words.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(usize, &Row)> = Vec::new();
        for row in rows {
            let mut row_words = Vec::new();
            for (_, value) in row
                .values
                .iter()
                .chain(row.group.iter().flatten().flatten())
            {
                row_words.extend(words(value));
            }
            if !self.words.iter().all(|word| occurs(word, &row_words)) {
                continue;
            }
            let first = row
                .values
                .first()
                .map(|(_, value)| words(value))
                .unwrap_or_default();
            let in_first = self
                .words
                .iter()
                .filter(|word| occurs(word, &first))
                .count();
            found.push((in_first, row));
        }
        // Stable: equals stay in the order of the table.
        found.sort_by_key(|(in_first, _)| std::cmp::Reverse(*in_first));
        found.into_iter().map(|(_, row)| row).collect()
    }
}

fn occurs(word: &str, row: &[String]) -> bool {
    let begins = |other: &String| word.len() >= PREFIX_CHARS_MIN && other.starts_with(word);
    row.iter().any(|other| other == word || begins(other))
}

/// Runs of letters and digits, joined by single `-`, `_` or `.`; then the parts of each that is joined. Commas between digits do not
/// count, and only ASCII does.
fn words(text: &str) -> Vec<String> {
    let text = without_digit_commas(&text.to_lowercase());
    let mut words = Vec::new();
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut rest = text.as_str();
    while let Some(start) = rest.bytes().position(|byte| is_word(&byte)) {
        let begun = rest.get(start..).unwrap_or_default();
        let mut behind = begun.as_bytes();
        while let [byte, tail @ ..] = behind {
            let joins = matches!(byte, b'-' | b'.' | b'_') && tail.first().is_some_and(is_word);
            if !is_word(byte) && !joins {
                break;
            }
            behind = tail;
        }
        // All of a word is ASCII.
        let Some((word, after)) = begun.split_at_checked(begun.len().saturating_sub(behind.len()))
        else {
            break;
        };
        rest = after;
        words.push(word.to_owned());
        if word.contains(['-', '.', '_']) {
            words.extend(word.split(['-', '.', '_']).map(str::to_owned));
        }
    }
    words
}

fn without_digit_commas(text: &str) -> String {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut last = None;
    while let Some(c) = chars.next() {
        if c != ',' || !is_digit(last) || !is_digit(chars.peek().copied()) {
            out.push(c);
        }
        last = Some(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_their_parts() {
        assert_eq!(
            words("PutObject, s3:x-amz-acl é1"),
            ["putobject", "s3", "x-amz-acl", "x", "amz", "acl", "1"]
        );
        assert_eq!(
            words("1,000 a,b 1, 2 a--b _c."),
            ["1000", "a", "b", "1", "2", "a", "b", "c"]
        );
        assert!(words("日本 - –").is_empty());
    }

    #[test]
    fn four_letters_are_a_beginning() {
        let row = ["batches".to_owned()];
        assert!(occurs("batc", &row) && !occurs("bat", &row) && !occurs("atch", &row));
    }
}
