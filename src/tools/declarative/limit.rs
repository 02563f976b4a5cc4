//! Time limits of requests, which may grow with an argument.

use super::filter::text_of;
use super::source::Node;
use super::template::{Names, Reference, Scope, Template, Unfit};
use super::time;

/// `"15s"`, `"15s + {timeout_s}"`.
#[derive(Debug)]
pub(super) struct TimeoutSpec {
    fixed_ms: i64,
    more: Option<Template>,
}

impl TimeoutSpec {
    pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<TimeoutSpec> {
        let text = node.text()?;
        let (fixed, more) = match text.split_once('+') {
            Some((fixed, more)) => (fixed, Some(more.trim())),
            None => (text, None),
        };
        let Some(fixed_ms) = read_timeout(fixed) else {
            node.report("expected a time such as `45s`, or `15s + {timeout_s}`");
            return None;
        };
        let more = match more {
            None => None,
            Some(more) => match Template::parse(more, names) {
                Ok(template) => Some(template),
                Err(problems) => {
                    problems.into_iter().for_each(|text| node.report(text));
                    return None;
                }
            },
        };
        Some(TimeoutSpec { fixed_ms, more })
    }

    pub(super) fn ms(&self, scope: &Scope<'_>) -> Result<u64, Unfit> {
        let more = match &self.more {
            Some(template) => template.value(scope)?,
            None => None,
        };
        let more_ms = match more {
            None => 0,
            Some(value) => {
                let text = text_of(&value);
                time::parse_duration(&text).ok_or_else(|| Unfit {
                    name: self
                        .more
                        .iter()
                        .flat_map(Template::references)
                        .map(Reference::name)
                        .next()
                        .unwrap_or_default(),
                    text: format!("found `{text}`, expected a number of seconds or a duration"),
                })?
            }
        };
        let ms = self
            .fixed_ms
            .saturating_add(more_ms)
            .clamp(1, TIMEOUT_MS_MAX);
        Ok(ms.unsigned_abs())
    }
}

/// An hour, as for the keys of the configuration.
const TIMEOUT_MS_MAX: i64 = 3_600_000;

/// A time limit with its unit, in milliseconds.
pub(super) fn read_timeout(text: &str) -> Option<i64> {
    let text = text.trim();
    let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
    time::parse_duration(text).filter(|ms| has_unit && (100..=TIMEOUT_MS_MAX).contains(ms))
}
