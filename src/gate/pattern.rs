//! Names with `*` and `?`, for tools a token may call. No regular expressions: nothing here can take long.

/// `*` stands for any text, `?` for one character; everything else for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// The pattern written so; every text is one.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for the whole of `name`. At most `name × pattern` steps: only the last `*` is ever retried,
    /// because an earlier one that took more could not make room the last one cannot.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (mut pattern, mut name) = (self.0.chars(), name.chars());
        let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
        loop {
            let rest_of_name = name.clone();
            match (pattern.next(), name.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    retry = Some((pattern.clone(), rest_of_name.clone()));
                    name = rest_of_name;
                }
                (Some(wanted), Some(found)) if wanted == '?' || wanted == found => (),
                _ => {
                    // The last `*` takes one character more.
                    let Some((after_star, from)) = &mut retry else {
                        return false;
                    };
                    if from.next().is_none() {
                        return false;
                    }
                    (pattern, name) = (after_star.clone(), from.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, matches: &[&str], others: &[&str]) {
        for name in matches {
            assert!(
                Pattern::new(pattern).matches(name),
                "{pattern} should match {name}"
            );
        }
        for name in others {
            assert!(
                !Pattern::new(pattern).matches(name),
                "{pattern} should not match {name}"
            );
        }
    }

    #[test]
    fn patterns() {
        check("", &[""], &["a"]);
        check("*", &["", "a", "anything"], &[]);
        check("?", &["a", "é"], &["", "ab"]);
        check(
            "grafana_*",
            &["grafana_", "grafana_list"],
            &["grafana", "xgrafana_list"],
        );
        check(
            "*_list",
            &["_list", "a_list", "list_list_list"],
            &["list", "a_lists"],
        );
        check(
            "a*b*c",
            &["abc", "aXbYc", "abbcc", "abcbc"],
            &["ab", "acb", "abcd"],
        );
        check("a?c", &["abc", "a?c"], &["ac", "abbc"]);
        check(
            "device_cpu",
            &["device_cpu"],
            &["device_cpus", "Device_cpu"],
        );
        check("**a", &["a", "ba"], &["ab"]);
    }

    #[test]
    fn hostile_patterns_end() {
        let pattern = "*a".repeat(50) + "b";
        assert!(!Pattern::new(&pattern).matches(&"a".repeat(2000)));
    }
}
