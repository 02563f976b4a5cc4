//! Two looks at a counter: rates need a past, and this keeps it.
//!
//! In scope: which earlier sample a measurement is compared with, and how long a caller should pause to have one. Not in scope: reading
//! the counters, and waiting. Called by [`super::cpu`] and [`super::processes`]; the pause itself is made by the tool's async wrapper.
//!
//! ```text
//!            prime                pause            measure
//!   (nothing) ---> newer=t0 ----------------> compares t1 with t0
//!                                             older=t0 newer=t1
//!   a call soon after: newer is too young, compares with older
//!   a call after AGE_MAX: prime takes a new sample first
//! ```
//!
//! Two samples are kept so that calls in flight together each find one of at least [`WINDOW_MIN`]; with one, the second
//! call's sample would leave the first a window of nothing.

use std::time::Duration;

/// A sample that knows when it was taken.
pub trait Sample {
    /// Hundredths of a second since boot, from `/proc/uptime`: monotonic, and no clock needed.
    fn taken_at_centis(&self) -> u64;
}

/// The two latest samples of one kind of counter.
#[derive(Debug)]
pub struct Sampler<T> {
    older: Option<T>,
    newer: Option<T>,
}

impl<T: Sample> Sampler<T> {
    /// Nothing sampled yet.
    pub const fn new() -> Sampler<T> {
        Sampler {
            older: None,
            newer: None,
        }
    }

    /// Makes sure that a sample to compare with exists, and says how long to pause before measuring.
    /// Zero when an earlier call left one of a useful age; `take` is then not called. `at` is the time now.
    pub fn prime(&mut self, at: u64, take: impl FnOnce() -> T) -> Duration {
        let age = |sample: &Option<T>| {
            sample
                .as_ref()
                .map(|sample| centis(at.saturating_sub(sample.taken_at_centis())))
        };
        match age(&self.newer) {
            Some(newer) if newer < WINDOW_MIN => match age(&self.older) {
                Some(older) if older >= WINDOW_MIN && older <= AGE_MAX => Duration::ZERO,
                _ => WINDOW_MIN.saturating_sub(newer),
            },
            Some(newer) if newer <= AGE_MAX => Duration::ZERO,
            _ => {
                self.older = self.newer.replace(take());
                WINDOW_MIN
            }
        }
    }

    /// Compares `now` with the youngest earlier sample of at least [`WINDOW_MIN`] and keeps `now` for the next call.
    /// `None` when there is no such sample: a caller that did not prime, the first time.
    pub fn measure<R>(&mut self, now: T, compare: impl FnOnce(&T, &T) -> R) -> Option<R> {
        let at = now.taken_at_centis();
        let old_enough =
            |sample: &T| centis(at.saturating_sub(sample.taken_at_centis())) >= WINDOW_MIN;
        match &self.newer {
            None => {
                self.newer = Some(now);
                None
            }
            Some(newer) if old_enough(newer) => {
                let result = compare(newer, &now);
                self.older = self.newer.replace(now);
                Some(result)
            }
            Some(_) => self
                .older
                .as_ref()
                .filter(|older| old_enough(older))
                .map(|older| compare(older, &now)),
        }
    }
}

impl<T: Sample> Default for Sampler<T> {
    fn default() -> Self {
        Self::new()
    }
}

fn centis(count: u64) -> Duration {
    Duration::from_millis(count.saturating_mul(10))
}

/// Shortest time between two samples. The kernel counts processor time in hundredths of a second: 25 of them leave an error of 4 %.
pub const WINDOW_MIN: Duration = Duration::from_millis(250);

/// An older sample would answer "how busy is it" with an average over the time nobody asked.
pub const AGE_MAX: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    impl Sample for u64 {
        fn taken_at_centis(&self) -> u64 {
            *self
        }
    }

    fn prime(sampler: &mut Sampler<u64>, now: u64) -> Duration {
        sampler.prime(now, || now)
    }

    fn window(sampler: &mut Sampler<u64>, now: u64) -> Option<u64> {
        sampler.measure(now, |before, after| after - before)
    }

    #[test]
    fn the_first_measurement_has_nothing_to_compare_with() {
        let mut sampler = Sampler::new();
        assert_eq!(window(&mut sampler, 100), None);
        assert_eq!(window(&mut sampler, 124), None);
        assert_eq!(window(&mut sampler, 125), Some(25));
    }

    #[test]
    fn calls_in_flight_together_each_have_a_window() {
        let mut sampler = Sampler::new();
        assert_eq!(prime(&mut sampler, 100), WINDOW_MIN);
        assert_eq!(
            prime(&mut sampler, 110),
            Duration::from_millis(150),
            "the second call waits for the first one's sample"
        );
        assert_eq!(window(&mut sampler, 125), Some(25));
        assert_eq!(
            window(&mut sampler, 126),
            Some(26),
            "compared with the older sample, not with one of a hundredth"
        );
        assert_eq!(prime(&mut sampler, 127), Duration::ZERO);
        assert_eq!(window(&mut sampler, 127), Some(27));
    }

    #[test]
    fn an_old_sample_is_replaced_before_it_is_used() {
        let mut sampler = Sampler::new();
        assert_eq!(prime(&mut sampler, 100), WINDOW_MIN);
        assert_eq!(
            prime(&mut sampler, 1_100),
            Duration::ZERO,
            "ten seconds are still the present"
        );
        assert_eq!(prime(&mut sampler, 1_101), WINDOW_MIN);
        assert_eq!(
            prime(&mut sampler, 1_102),
            Duration::from_millis(240),
            "the older sample is too old to stand in"
        );
        assert_eq!(window(&mut sampler, 1_126), Some(25));
    }

    #[test]
    fn a_clock_that_stands_still_gives_no_rate() {
        let mut sampler = Sampler::new();
        assert_eq!(prime(&mut sampler, 0), WINDOW_MIN);
        assert_eq!(window(&mut sampler, 0), None);
        assert_eq!(window(&mut sampler, 0), None);
    }
}
