//! The Prometheus text format 0.0.4: families, samples, escaping. Knows no metric by name.

use std::fmt::Write as _;

use super::histogram::Histogram;

/// What a family measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Writes the samples of one family. The heading comes with the first sample: a family without any is left out.
pub struct Samples<'a> {
    pub(super) out: &'a mut String,
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    pub(super) labels: &'static [&'static str],
    pub(super) has_heading: bool,
}

impl Samples<'_> {
    /// One sample; `values` stand in the order of the family's labels.
    pub fn value(&mut self, values: &[&str], value: impl std::fmt::Display) {
        self.sample("", values, None, value);
    }

    /// One sample of nanoseconds, written in seconds.
    pub fn seconds(&mut self, values: &[&str], ns: u64) {
        self.value(values, Seconds(ns));
    }

    /// All samples of one histogram, cumulative as the format wants them.
    pub fn histogram(&mut self, values: &[&str], histogram: &Histogram) {
        let mut count = 0;
        for (bound, hits) in histogram.buckets() {
            count += hits;
            self.sample("_bucket", values, Some(bound), count);
        }
        self.sample("_sum", values, None, Seconds(histogram.sum_ns()));
        self.sample("_count", values, None, count);
    }

    fn sample(
        &mut self,
        suffix: &str,
        values: &[&str],
        bound: Option<&str>,
        value: impl std::fmt::Display,
    ) {
        debug_assert_eq!(
            values.len(),
            self.labels.len(),
            "`{}` has other labels",
            self.name
        );
        self.heading();
        self.out.push_str(self.name);
        self.out.push_str(suffix);
        let labels = self
            .labels
            .iter()
            .copied()
            .zip(values.iter().copied())
            .chain(bound.map(|bound| ("le", bound)));
        let mut open = '{';
        for (label, value) in labels {
            self.out.push(open);
            self.out.push_str(label);
            self.out.push_str("=\"");
            push_escaped(self.out, value);
            self.out.push('"');
            open = ',';
        }
        if open == ',' {
            self.out.push('}');
        }
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.out, " {value}");
    }

    fn heading(&mut self) {
        if self.has_heading {
            return;
        }
        self.has_heading = true;
        let _ = writeln!(self.out, "# HELP {} {}", self.name, self.help);
        let _ = writeln!(self.out, "# TYPE {} {}", self.name, self.kind.as_str());
    }
}

/// "label_value can be any sequence of UTF-8 characters, but the backslash, double-quote, and line feed characters have
/// to be escaped" (exposition formats, "Comments, help text, and type information").
fn push_escaped(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

/// Nanoseconds as decimal seconds without a float's rounding.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, ns) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        if ns == 0 {
            return write!(f, "{seconds}");
        }
        let fraction = format!("{ns:09}");
        write!(f, "{seconds}.{}", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(
        kind: Kind,
        labels: &'static [&'static str],
        samples: impl FnOnce(&mut Samples<'_>),
    ) -> String {
        let mut out = String::new();
        samples(&mut Samples {
            out: &mut out,
            name: "n",
            help: "h",
            kind,
            labels,
            has_heading: false,
        });
        out
    }

    #[test]
    fn a_heading_comes_once_and_only_with_samples() {
        assert_eq!(write(Kind::Gauge, &[], |_| ()), "");
        let text = write(Kind::Gauge, &["a"], |samples| {
            samples.value(&["x"], 1);
            samples.value(&["y"], -2);
        });
        assert_eq!(
            text,
            "# HELP n h\n# TYPE n gauge\nn{a=\"x\"} 1\nn{a=\"y\"} -2\n"
        );
    }

    #[test]
    fn values_are_escaped() {
        let text = write(Kind::Counter, &["a", "b"], |samples| {
            samples.value(&["\\\"\n", "é\r"], 1)
        });
        assert!(
            text.ends_with("n{a=\"\\\\\\\"\\n\",b=\"é\r\"} 1\n"),
            "{text:?}"
        );
    }

    #[test]
    fn seconds_are_exact() {
        for (ns, expected) in [
            (0, "0"),
            (1, "0.000000001"),
            (1_500_000_000, "1.5"),
            (60_000_000_000, "60"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            assert_eq!(Seconds(ns).to_string(), expected);
        }
    }
}
