//! Header fields, as text: those of a response, and those that a request is made with.

use crate::http1::response::ResponseHead;

/// Header fields in the order they came, names in lower case. A value that is no UTF-8 is read as Latin-1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value of the field `name`, in whatever case.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let field = self
            .0
            .iter()
            .find(|field| field.0.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }

    /// Every value of the field `name`, as for `Set-Cookie`.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        let same = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.0
            .iter()
            .filter(same)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Names with values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn of(head: &ResponseHead) -> Self {
        head.iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), text(value)))
            .collect()
    }

    /// One more, at the end; `name` in lower case.
    pub(super) fn push(&mut self, name: String, value: String) {
        self.0.push((name, value));
    }

    /// Leaves out every field with one of these names.
    pub(super) fn remove(&mut self, names: &[&str]) {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
    }
}

impl FromIterator<(String, String)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_the_first_value_and_all_of_them() {
        let headers: Headers = [("set-cookie", "a=1"), ("etag", "x"), ("set-cookie", "b=2")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        assert_eq!(headers.value("Set-Cookie"), Some("a=1"));
        assert_eq!(headers.values("SET-COOKIE"), ["a=1", "b=2"]);
        assert_eq!(headers.value("cookie"), None);
        assert_eq!(headers.iter().count(), 3);
    }

    #[test]
    fn any_bytes_are_a_text() {
        assert_eq!(text("é".as_bytes()), "é");
        assert_eq!(text(b"\xe9"), "é");
    }
}
