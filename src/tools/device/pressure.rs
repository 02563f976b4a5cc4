//! Pressure stall information: the share of time in which tasks waited for memory, processor or disk.
//!
//! In scope: the text of `/proc/pressure/*` and of a cgroup's `*.pressure` (kernel documentation, accounting/psi). Absent on kernels
//! built without it, and on Raspberry Pi OS until it is switched on. Called by [`super::memory`], [`super::cpu`] and [`super::disks`].

use serde::Serialize;

use super::{Root, units};

/// Shares of time in percent, averaged over 10 s, 60 s and 300 s.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pressure {
    /// At least one task waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub some: Option<Averages>,
    /// All tasks that wanted to run waited: lost time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full: Option<Averages>,
}

/// One line of a pressure file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Averages {
    /// Over the last 10 seconds.
    pub avg_10_seconds_percent: f64,
    /// Over the last minute.
    pub avg_60_seconds_percent: f64,
    /// Over the last five minutes.
    pub avg_300_seconds_percent: f64,
}

/// Reads a pressure file; `None` when neither line is there.
pub fn read(root: &Root, path: &str) -> Option<Pressure> {
    parse(&root.text(path)?)
}

/// Parses `some avg10=0.26 avg60=0.38 avg300=0.54 total=5098494` and its `full` neighbour.
pub fn parse(text: &str) -> Option<Pressure> {
    let averages = |kind: &str| {
        text.lines()
            .find_map(|line| parse_line(line.strip_prefix(kind)?))
    };
    let pressure = Pressure {
        some: averages("some "),
        full: averages("full "),
    };
    (pressure.some.is_some() || pressure.full.is_some()).then_some(pressure)
}

fn parse_line(line: &str) -> Option<Averages> {
    let value = |key: &str| {
        line.split_whitespace()
            .find_map(|field| units::decimal(field.strip_prefix(key)?.strip_prefix('=')?))
    };
    Some(Averages {
        avg_10_seconds_percent: value("avg10")?,
        avg_60_seconds_percent: value("avg60")?,
        avg_300_seconds_percent: value("avg300")?,
    })
}

/// The JSON Schema of a pressure member, for the output schemas that hold one.
macro_rules! pressure_schema {
    () => {
        r#"{"type":"object","description":"Pressure stall information: share of time tasks waited for the resource. some: at least one task waited; full: all waited.","properties":{"some":{"type":"object","properties":{"avg_10_seconds_percent":{"type":"number"},"avg_60_seconds_percent":{"type":"number"},"avg_300_seconds_percent":{"type":"number"}}},"full":{"type":"object","properties":{"avg_10_seconds_percent":{"type":"number"},"avg_60_seconds_percent":{"type":"number"},"avg_300_seconds_percent":{"type":"number"}}}}}"#
    };
}
pub(crate) use pressure_schema;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lines_are_read() {
        let pressure = parse("some avg10=1.48 avg60=0.34 avg300=0.22 total=2137385\nfull avg10=0.00 avg60=0.00 avg300=0.21 total=2031539\n").unwrap();
        assert_eq!(
            pressure.some,
            Some(Averages {
                avg_10_seconds_percent: 1.48,
                avg_60_seconds_percent: 0.34,
                avg_300_seconds_percent: 0.22
            })
        );
        assert_eq!(pressure.full.unwrap().avg_300_seconds_percent, 0.21);
    }

    #[test]
    fn an_old_kernel_has_no_full_line_for_the_processor() {
        let pressure = parse("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n").unwrap();
        assert!(pressure.some.is_some() && pressure.full.is_none());
    }

    #[test]
    fn garbage_is_absent() {
        for text in [
            "",
            "some",
            "some avg10=1.0 avg60=0.3",
            "some avg10=x avg60=0 avg300=0",
            "some avg10=nan avg60=0 avg300=0 total=0",
            "half avg10=1 avg60=1 avg300=1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
