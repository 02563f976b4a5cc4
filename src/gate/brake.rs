//! A brake on guessing tokens: an address that has shown several wrong ones waits before the next is looked at, twice
//! as long each time up to a minute.
//!
//! While an address waits its tokens are refused unseen, or guessing would go on at full speed. A token that was right
//! from this address before is looked at all the same: behind a proxy that is not named in `server.trusted_proxies`,
//! or in one household, a single client with an old token would otherwise lock out all others for as long as it keeps
//! trying. Whoever shares an address with somebody could so guess on at the one token in use there; that is little
//! against tokens of the length that `siskin` makes, and against locking people out for good.
//!
//! Not here: looking at tokens (`auth`), and what comes without one, which guesses nothing. Time is an argument.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use super::rate::{Key, RateRefusal};

/// An address is as new when it has shown nothing wrong for so long.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);
/// The first wait.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Addresses that are remembered for wrong tokens, and for right ones. About 100 bytes each.
const FAILURES_MAX: usize = 1024;
const REGULARS_MAX: usize = 256;

/// What is remembered of addresses.
pub struct Brake {
    /// Invariant: at most `FAILURES_MAX`.
    failures: HashMap<Key, Failures>,
    /// When a token was last right from an address. Only right tokens come in here, so strangers cannot push anybody
    /// out. Invariant: at most `REGULARS_MAX`.
    regulars: HashMap<(Key, u64), Instant>,
    /// Tokens are kept as a keyed hash. Two of the same hash are no harm: both are only looked at.
    hash: RandomState,
}

struct Failures {
    count: u32,
    last: Instant,
    waits_until: Instant,
}

/// What a wrong token brought its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// How many there are by now.
    pub count: u32,
    /// How long its tokens are not looked at.
    pub wait: Duration,
}

impl Default for Brake {
    fn default() -> Self {
        Self::new()
    }
}

impl Brake {
    /// Knows nobody.
    #[must_use]
    pub fn new() -> Self {
        Self {
            failures: HashMap::new(),
            regulars: HashMap::new(),
            hash: RandomState::new(),
        }
    }

    /// Whether a credential from an address is to be looked at.
    ///
    /// # Errors
    /// The refusal to answer with while the address waits.
    pub fn ask(&self, address: &Key, credential: &str, now: Instant) -> Result<(), RateRefusal> {
        let Some(failures) = self.failures.get(address) else {
            return Ok(());
        };
        let retry_after = failures.waits_until.saturating_duration_since(now);
        if retry_after.is_zero()
            || self
                .regulars
                .contains_key(&self.regular(address, credential))
        {
            return Ok(());
        }
        Err(RateRefusal { retry_after })
    }

    /// It was wrong. From the `limit`th time on the address has to wait.
    pub fn failed(&mut self, address: &Key, credential: &str, limit: u32, now: Instant) -> Failed {
        // It may have been right until a reload.
        let regular = self.regular(address, credential);
        self.regulars.remove(&regular);
        if !self.failures.contains_key(address) {
            self.make_room(now);
        }
        let failures = self.failures.entry(address.clone()).or_insert(Failures {
            count: 0,
            last: now,
            waits_until: now,
        });
        if now.saturating_duration_since(failures.last) >= FORGOTTEN_AFTER {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        let wait = match failures.count.checked_sub(limit.max(1)) {
            None => Duration::ZERO,
            Some(doublings) => WAIT_MIN
                .saturating_mul(2_u32.saturating_pow(doublings))
                .min(WAIT_MAX),
        };
        failures.waits_until = now.checked_add(wait).unwrap_or(now);
        Failed {
            count: failures.count,
            wait,
        }
    }

    /// It was right.
    pub fn passed(&mut self, address: &Key, credential: &str, now: Instant) {
        let regular = self.regular(address, credential);
        if let Some(last) = self.regulars.get_mut(&regular) {
            *last = now;
            return;
        }
        if self.regulars.len() >= REGULARS_MAX {
            let oldest = self.regulars.iter().min_by_key(|(_, last)| **last);
            if let Some(oldest) = oldest.map(|(regular, _)| regular.clone()) {
                self.regulars.remove(&oldest);
            }
        }
        self.regulars.insert(regular, now);
    }

    fn regular(&self, address: &Key, credential: &str) -> (Key, u64) {
        (address.clone(), self.hash.hash_one(credential))
    }

    /// A map keyed by what strangers send must forget: first everybody whose time is over, and when that is not enough
    /// the one with the fewest failures.
    fn make_room(&mut self, now: Instant) {
        if self.failures.len() < FAILURES_MAX {
            return;
        }
        self.failures
            .retain(|_, one| now.saturating_duration_since(one.last) < FORGOTTEN_AFTER);
        if self.failures.len() < FAILURES_MAX {
            return;
        }
        let mildest = (self.failures.iter()).min_by_key(|(_, one)| (one.count, one.last));
        if let Some(key) = mildest.map(|(key, _)| key.clone()) {
            self.failures.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LIMIT: u32 = 10;

    fn key(ip: &str) -> Key {
        Key::address(Some(ip.parse().unwrap()))
    }

    /// A brake on which `address` has failed so often.
    fn failed(address: &Key, times: u32, now: Instant) -> Brake {
        let mut brake = Brake::new();
        for count in 1..=times {
            let got = brake.failed(address, "wrong", LIMIT, now);
            assert_eq!(got.count, count);
        }
        brake
    }

    #[test]
    fn the_tenth_failure_brings_a_wait() {
        let (address, now) = (key("203.0.113.7"), Instant::now());
        let wait = |times| failed(&address, times, now).ask(&address, "right", now);
        assert_eq!((wait(0), wait(9)), (Ok(()), Ok(())));
        let refusal = |retry_after| Err(RateRefusal { retry_after });
        assert_eq!(wait(10), refusal(SECOND));
        assert_eq!(wait(11), refusal(2 * SECOND));
        assert_eq!(wait(15), refusal(32 * SECOND));
        assert_eq!(wait(16), refusal(60 * SECOND));
        assert_eq!(wait(1000), refusal(60 * SECOND));
        let brake = failed(&address, 10, now);
        let nearly = now + SECOND - Duration::from_nanos(1);
        assert!(brake.ask(&address, "right", nearly).is_err());
        assert_eq!(brake.ask(&address, "right", now + SECOND), Ok(()));
        // Others are not meant.
        assert_eq!(brake.ask(&key("203.0.113.8"), "wrong", now), Ok(()));
    }

    #[test]
    fn failures_are_forgotten_when_none_follows() {
        let (address, now) = (key("203.0.113.7"), Instant::now());
        let again = |after| failed(&address, 12, now).failed(&address, "wrong", LIMIT, now + after);
        assert_eq!(again(FORGOTTEN_AFTER - SECOND).count, 13);
        let expected = Failed {
            count: 1,
            wait: Duration::ZERO,
        };
        assert_eq!(again(FORGOTTEN_AFTER), expected);
    }

    #[test]
    fn who_was_right_before_does_not_wait() {
        let (address, now) = (key("203.0.113.7"), Instant::now());
        let mut brake = failed(&address, 9, now);
        brake.passed(&address, "right", now);
        _ = brake.failed(&address, "wrong", LIMIT, now);
        assert_eq!(brake.ask(&address, "right", now), Ok(()));
        assert!(brake.ask(&address, "other", now).is_err());
        // Being right wins nobody free guesses, and counts only where it was.
        brake.passed(&address, "right", now);
        assert_eq!(brake.failed(&address, "wrong", LIMIT, now).count, 11);
        let elsewhere = key("198.51.100.1");
        for _ in 0..10 {
            _ = brake.failed(&elsewhere, "wrong", LIMIT, now);
        }
        assert!(brake.ask(&elsewhere, "right", now).is_err());
        // A token that a reload took away is like any other.
        _ = brake.failed(&address, "right", LIMIT, now);
        assert!(brake.ask(&address, "right", now).is_err());
    }

    #[test]
    fn the_tables_are_bounded_and_keep_the_worst() {
        let now = Instant::now();
        let (worst, regular) = (key("203.0.113.7"), key("10.0.0.1"));
        let mut brake = failed(&worst, 10, now);
        brake.passed(&regular, "right", now + SECOND);
        for n in 0..5_000_u32 {
            let stranger = Key::address(Some(IpAddr::from(n.to_be_bytes())));
            _ = brake.failed(&stranger, "wrong", LIMIT, now);
            brake.passed(&stranger, "right too", now);
            assert!(brake.failures.len() <= FAILURES_MAX);
            assert!(brake.regulars.len() <= REGULARS_MAX);
        }
        assert!(brake.ask(&worst, "x", now).is_err());
        assert!(
            brake
                .regulars
                .contains_key(&brake.regular(&regular, "right"))
        );
        let later = now + FORGOTTEN_AFTER;
        _ = brake.failed(&key("198.51.100.1"), "wrong", LIMIT, later);
        assert_eq!(brake.failures.len(), 1);
    }
}
