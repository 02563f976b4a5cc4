//! Software RAID: `/proc/mdstat`.
//!
//! In scope: arrays, their level, members, whether one is missing, a rebuild's progress. Not in scope: btrfs and zfs, which keep that
//! to themselves. Called by [`super::disks`].

use serde::Serialize;

use super::{root::printable, units};

/// One md array.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Array {
    /// Such as `md0`.
    pub name: String,
    /// Whether it runs.
    pub active: bool,
    /// Such as `raid1`; absent on an inactive array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Member partitions without their marks.
    pub members: Vec<String>,
    /// Members marked as failed.
    pub failed: Vec<String>,
    /// Members it should have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members_expected: Option<u64>,
    /// Members that work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members_working: Option<u64>,
    /// Fewer work than expected: the next failure may lose data.
    pub degraded: bool,
    /// `recovery`, `resync`, `reshape` or `check`, while one runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_percent: Option<f64>,
}

/// Parses `/proc/mdstat`: a line per array, indented lines with its details below.
pub fn parse(text: &str) -> Vec<Array> {
    let mut arrays: Vec<Array> = Vec::new();
    for line in text.lines() {
        if line.starts_with(char::is_whitespace) {
            if let Some(array) = arrays.last_mut() {
                read_details(line, array);
            }
        } else if let Some(array) = parse_head(line) {
            arrays.push(array);
        }
    }
    arrays
}

/// `md0 : active (auto-read-only) raid1 sdb1[1] sda1[0](F)`
fn parse_head(line: &str) -> Option<Array> {
    let (name, rest) = line.split_once(" : ")?;
    if !name.starts_with("md") {
        return None;
    }
    let mut words = rest
        .split_whitespace()
        .filter(|word| !word.starts_with('('));
    let active = match words.next()? {
        "active" => true,
        "inactive" => false,
        _ => return None,
    };
    let mut array = Array {
        name: printable(name),
        active,
        ..Array::default()
    };
    for word in words {
        match word.split_once('[') {
            Some((member, marks)) => {
                array.members.push(printable(member));
                if marks.ends_with("(F)") {
                    array.failed.push(printable(member));
                }
            }
            None => array.level = Some(printable(word)),
        }
    }
    array.degraded = !array.failed.is_empty();
    Some(array)
}

/// `... [2/1] [_U]` and `[=>....]  recovery =  8.5% (...)`
fn read_details(line: &str, array: &mut Array) {
    let words: Vec<&str> = line.split_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        if let Some((expected, working)) = word
            .strip_prefix('[')
            .and_then(|word| word.strip_suffix(']')?.split_once('/'))
        {
            if let (Ok(expected), Ok(working)) = (expected.parse(), working.parse::<u64>()) {
                (array.members_expected, array.members_working) = (Some(expected), Some(working));
                array.degraded |= working < expected;
            }
        } else if let Some([_, "=", percent @ ..]) =
            words.get(at..).filter(|_| OPERATIONS.contains(word))
        {
            array.operation = Some((*word).to_string());
            array.operation_percent = percent
                .first()
                .and_then(|percent| units::decimal(percent.strip_suffix('%')?));
        }
    }
}

const OPERATIONS: [&str; 4] = ["recovery", "resync", "reshape", "check"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuild_shows_what_is_missing() {
        let arrays = parse(
            "Personalities : [raid1]\nmd0 : active raid1 sdb1[1] sda1[0](F)\n      976630464 blocks super 1.2 [2/1] [_U]\n      [=>...]  recovery =  8.5% (1/2) finish=99.1min\n\nunused devices: <none>\n",
        );
        let [array] = arrays.as_slice() else {
            panic!("{arrays:?}")
        };
        assert!(array.active && array.degraded);
        assert_eq!(
            (array.members.len(), array.failed.as_slice()),
            (2, ["sda1".to_string()].as_slice())
        );
        assert_eq!(
            (array.members_expected, array.members_working),
            (Some(2), Some(1))
        );
        assert_eq!(
            (array.operation.as_deref(), array.operation_percent),
            (Some("recovery"), Some(8.5))
        );
    }

    #[test]
    fn an_inactive_array_has_no_level() {
        let arrays = parse("md127 : inactive sdc1[2](S)\n      5 blocks super 1.2\n");
        assert_eq!(
            (
                arrays[0].active,
                arrays[0].level.as_deref(),
                arrays[0].degraded
            ),
            (false, None, false)
        );
    }

    #[test]
    fn garbage_has_no_arrays() {
        for text in [
            "",
            "Personalities :",
            "md0",
            "md0 :",
            "md0 : ",
            "md0 : perhaps raid1",
            "  [2/1]",
            "x : active raid1",
        ] {
            assert_eq!(parse(text), [], "{text}");
        }
        let odd = parse("md0 : active raid1 sda1\n [x/1] [2/] [/] recovery = x% resync\n");
        assert_eq!(
            (odd[0].members_expected, odd[0].operation_percent),
            (None, None)
        );
    }
}
