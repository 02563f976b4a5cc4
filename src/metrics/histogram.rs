//! A histogram of durations with fixed bounds.

use std::cell::Cell;
use std::time::Duration;

/// Upper bounds and how they read in the output, ascending. The last bucket, `+Inf`, is not listed.
pub type Bounds = [(Duration, &'static str)];

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// For requests and calls: half a millisecond to a minute.
pub const CALL: &Bounds = &[
    (Duration::from_micros(500), "0.0005"),
    (ms(1), "0.001"),
    (Duration::from_micros(2500), "0.0025"),
    (ms(5), "0.005"),
    (ms(10), "0.01"),
    (ms(25), "0.025"),
    (ms(50), "0.05"),
    (ms(100), "0.1"),
    (ms(250), "0.25"),
    (ms(500), "0.5"),
    (ms(1000), "1"),
    (ms(2500), "2.5"),
    (ms(5000), "5"),
    (ms(10_000), "10"),
    (ms(30_000), "30"),
    (ms(60_000), "60"),
];

/// For streams: a second to a day.
pub const STREAM: &Bounds = &[
    (ms(1000), "1"),
    (ms(10_000), "10"),
    (ms(30_000), "30"),
    (ms(60_000), "60"),
    (ms(300_000), "300"),
    (ms(900_000), "900"),
    (ms(3_600_000), "3600"),
    (ms(14_400_000), "14400"),
    (ms(86_400_000), "86400"),
];

/// Counts per bucket and the sum of all values.
pub struct Histogram {
    bounds: &'static Bounds,
    /// Not cumulative; one more than bounds.
    hits: Box<[Cell<u64>]>,
    sum_ns: Cell<u64>,
}

impl Histogram {
    /// Empty, with these bounds.
    pub fn new(bounds: &'static Bounds) -> Self {
        Self {
            bounds,
            hits: vec![Cell::new(0); bounds.len() + 1].into(),
            sum_ns: Cell::new(0),
        }
    }

    /// Counts one value. A value equal to a bound lies below it (`le`).
    #[expect(
        clippy::indexing_slicing,
        reason = "there is a bucket more than bounds"
    )]
    pub fn observe(&self, value: Duration) {
        // Most calls are short, and the bounds ascend.
        let found = self.bounds.iter().position(|(bound, _)| value <= *bound);
        let bucket = found.unwrap_or(self.bounds.len());
        add(&self.hits[bucket], 1);
        add(
            &self.sum_ns,
            u64::try_from(value.as_nanos()).unwrap_or(u64::MAX),
        );
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.hits.iter().map(Cell::get).sum()
    }

    pub(super) fn sum_ns(&self) -> u64 {
        self.sum_ns.get()
    }

    /// Each bucket's bound as text and its own hits.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let bounds = self.bounds.iter().map(|(_, text)| *text).chain(["+Inf"]);
        bounds.zip(self.hits.iter().map(Cell::get))
    }
}

/// Adds without overflowing: a counter that is full stays full.
pub fn add(cell: &Cell<u64>, n: u64) {
    cell.set(cell.get().saturating_add(n));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_ascend_and_read_as_they_are() {
        for bounds in [CALL, STREAM] {
            assert!(bounds.is_sorted_by(|a, b| a.0 < b.0));
            for (bound, text) in bounds {
                assert_eq!(bound.as_secs_f64().to_string(), *text);
            }
        }
    }

    #[test]
    fn a_value_on_a_bound_lies_below_it() {
        let histogram = Histogram::new(CALL);
        for us in [499, 500, 501, 60_000_000, 60_000_001] {
            histogram.observe(Duration::from_micros(us));
        }
        let buckets: Vec<_> = histogram.buckets().filter(|(_, hits)| *hits > 0).collect();
        assert_eq!(
            buckets,
            [("0.0005", 2), ("0.001", 1), ("60", 1), ("+Inf", 1)]
        );
        assert_eq!(histogram.count(), 5);
        assert_eq!(histogram.sum_ns(), 120_001_501_000);
    }

    #[test]
    fn absurd_values_do_not_overflow() {
        let histogram = Histogram::new(STREAM);
        histogram.observe(Duration::MAX);
        histogram.observe(Duration::MAX);
        assert_eq!((histogram.count(), histogram.sum_ns()), (2, u64::MAX));
    }
}
