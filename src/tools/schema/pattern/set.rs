//! Sets of characters, as sorted ranges of code points.

/// A set of code points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    /// Invariant after `normalised`: sorted, apart from each other, each with first <= last.
    ranges: Vec<(u32, u32)>,
}

const LAST: u32 = char::MAX as u32;

/// ECMA-262 section 12.2 and 12.3, WhiteSpace and LineTerminator.
const SPACES: [(u32, u32); 10] = [
    (0x09, 0x0d),
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
    (0xfeff, 0xfeff),
];
const LINE_ENDS: [(u32, u32); 3] = [(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)];

impl Set {
    pub(super) fn of(c: char) -> Set {
        Set::of_ranges(&[(c.into(), c.into())])
    }

    fn of_ranges(ranges: &[(u32, u32)]) -> Set {
        Set {
            ranges: ranges.to_vec(),
        }
    }

    /// What `.` stands for.
    pub(super) fn dot() -> Set {
        Set::of_ranges(&LINE_ENDS).negated()
    }

    /// The set behind `\d`, `\D`, `\s`, `\S`, `\w` or `\W`.
    pub(super) fn of_escape(letter: char) -> Option<Set> {
        let ascii = |ranges: &[(char, char)]| Set {
            ranges: ranges
                .iter()
                .map(|(a, b)| ((*a).into(), (*b).into()))
                .collect(),
        };
        let set = match letter.to_ascii_lowercase() {
            'd' => ascii(&[('0', '9')]),
            's' => Set::of_ranges(&SPACES),
            'w' => ascii(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
            _ => return None,
        };
        Some(if letter.is_ascii_uppercase() {
            set.negated()
        } else {
            set
        })
    }

    pub(super) fn add(&mut self, first: char, last: char) {
        self.ranges.push((first.into(), last.into()));
    }

    pub(super) fn add_all(&mut self, other: &Set) {
        self.ranges.extend(&other.ranges);
    }

    /// Sorted and merged: what `contains` and `negated` need.
    pub(super) fn normalised(mut self) -> Set {
        self.ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(self.ranges.len());
        for (first, last) in self.ranges {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last)
                }
                _ => merged.push((first, last)),
            }
        }
        Set { ranges: merged }
    }

    /// Everything else. Of a normalised set.
    #[expect(clippy::arithmetic_side_effects, reason = "between `next` and `LAST`")]
    pub(super) fn negated(&self) -> Set {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = 0;
        for (first, last) in &self.ranges {
            if next < *first {
                ranges.push((next, first - 1));
            }
            next = last + 1;
        }
        if next <= LAST {
            ranges.push((next, LAST));
        }
        Set { ranges }
    }

    /// Whether `c` is in it. Of a normalised set.
    pub(super) fn contains(&self, c: char) -> bool {
        let c = u32::from(c);
        let at = self.ranges.partition_point(|(_, last)| *last < c);
        self.ranges.get(at).is_some_and(|(first, _)| *first <= c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_merge_and_turn_around() {
        let mut set = Set::default();
        for (first, last) in [('m', 'p'), ('a', 'c'), ('d', 'e'), ('b', 'b')] {
            set.add(first, last);
        }
        let set = set.normalised();
        assert_eq!(set.ranges, [(97, 101), (109, 112)]);
        let negated = set.negated();
        for c in ['\0', '`', 'a', 'e', 'f', 'l', 'm', 'p', 'q', char::MAX] {
            assert_ne!(set.contains(c), negated.contains(c), "{c:?}");
        }
        assert_eq!(negated.negated(), set);
        assert_eq!(Set::default().negated().negated(), Set::default());
    }

    #[test]
    fn tables_are_normalised() {
        for ranges in [&SPACES[..], &LINE_ENDS] {
            assert_eq!(Set::of_ranges(ranges).normalised().ranges, ranges);
        }
    }
}
