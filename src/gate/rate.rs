//! How often a caller may come: a token bucket per address or per token's name, in a table of bounded size.
//!
//! Serves requests (each [`take`](Limiter::take)s) and failed logins ([`peek`](Limiter::peek) before looking at a
//! token, `take` when it was wrong). Time is an argument.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Who is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Address(IpAddr),
    Principal(Rc<str>),
}

impl Key {
    /// An address. IPv6 counts by its first 64 bits: one household has all the rest (RFC 6177).
    #[must_use]
    pub fn address(ip: IpAddr) -> Self {
        let network = match ip.to_canonical() {
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
            v4 @ IpAddr::V4(_) => v4,
        };
        Self(Kind::Address(network))
    }

    /// A token's name.
    #[must_use]
    pub fn principal(name: &Rc<str>) -> Self {
        Self(Kind::Principal(Rc::clone(name)))
    }
}

/// Buckets of one size for many callers.
pub struct Limiter {
    /// Time after which a bucket has one token more.
    interval: Duration,
    /// Time a whole bucket takes to fill, less one interval: how far `full_at` may lie ahead and still give a token.
    tolerance: Duration,
    keys_max: usize,
    /// When each caller's bucket is full again. A full bucket needs no entry. Invariant: at most `keys_max`.
    full_at: HashMap<Key, Instant>,
}

/// Too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateRefusal {
    /// Until the next token.
    pub retry_after: Duration,
}

impl Limiter {
    /// Buckets of `burst` tokens that gain one per `interval`, for at most `keys_max` callers at once. A burst of zero
    /// counts as one: a limiter that admits nobody is a mistake.
    #[must_use]
    pub fn new(interval: Duration, burst: u32, keys_max: usize) -> Self {
        let tolerance = interval.saturating_mul(burst.saturating_sub(1));
        Self {
            interval,
            tolerance,
            keys_max: keys_max.max(1),
            full_at: HashMap::new(),
        }
    }

    /// Takes a token from the caller's bucket.
    ///
    /// # Errors
    /// When it is empty; nothing is taken then.
    pub fn take(&mut self, key: &Key, now: Instant) -> Result<(), RateRefusal> {
        self.peek(key, now)?;
        if let Some(full_at) = self.full_at.get_mut(key) {
            *full_at = (*full_at).max(now) + self.interval;
            return Ok(());
        }
        self.make_room(now);
        self.full_at.insert(key.clone(), now + self.interval);
        Ok(())
    }

    /// Whether there is a token in the caller's bucket, without taking it.
    ///
    /// # Errors
    /// When there is none.
    pub fn peek(&self, key: &Key, now: Instant) -> Result<(), RateRefusal> {
        let Some(full_at) = self.full_at.get(key) else {
            return Ok(());
        };
        let missing = full_at.saturating_duration_since(now);
        match missing.checked_sub(self.tolerance) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(retry_after) => Err(RateRefusal { retry_after }),
        }
    }

    /// How many callers are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full_at.len()
    }

    /// Whether nobody is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.full_at.is_empty()
    }

    /// A map keyed by what strangers send must forget: first everybody whose bucket is full again, and when that is
    /// not enough the one who is nearest to it.
    fn make_room(&mut self, now: Instant) {
        if self.full_at.len() < self.keys_max {
            return;
        }
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() < self.keys_max {
            return;
        }
        let fullest = self
            .full_at
            .iter()
            .min_by_key(|(_, full_at)| **full_at)
            .map(|(key, _)| key.clone());
        if let Some(key) = fullest {
            self.full_at.remove(&key);
        }
    }
}

impl RateRefusal {
    /// 429 Too Many Requests, RFC 6585 4.
    pub const STATUS: u16 = 429;

    /// The value of `Retry-After`: whole seconds, rounded up, so that who waits so long is let in.
    #[must_use]
    pub fn retry_after_seconds(self) -> u64 {
        self.retry_after.as_secs() + u64::from(self.retry_after.subsec_nanos() > 0)
    }

    /// The answer's body.
    #[must_use]
    pub fn body(self) -> String {
        super::error_body(&self.to_string())
    }
}

impl fmt::Display for RateRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "too many requests, try again in {} s",
            self.retry_after_seconds()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn key(ip: &str) -> Key {
        Key::address(ip.parse().unwrap())
    }

    #[test]
    fn a_burst_then_one_per_interval() {
        let (mut limiter, start, key) =
            (Limiter::new(SECOND, 3, 10), Instant::now(), key("10.0.0.1"));
        for _ in 0..3 {
            assert_eq!(limiter.take(&key, start), Ok(()));
        }
        for _ in 0..5 {
            // Trying in vain costs nothing.
            assert_eq!(
                limiter.take(&key, start),
                Err(RateRefusal {
                    retry_after: SECOND
                })
            );
        }
        let nearly = start + SECOND - Duration::from_nanos(1);
        let refusal = limiter.take(&key, nearly).unwrap_err();
        assert_eq!(
            refusal,
            RateRefusal {
                retry_after: Duration::from_nanos(1)
            }
        );
        assert_eq!(refusal.retry_after_seconds(), 1);
        assert_eq!(limiter.take(&key, start + SECOND), Ok(()));
        assert!(limiter.take(&key, start + SECOND).is_err());
        for _ in 0..3 {
            assert_eq!(limiter.take(&key, start + 1000 * SECOND), Ok(()));
        }
        assert!(limiter.take(&key, start + 1000 * SECOND).is_err());
    }

    #[test]
    fn peeking_takes_nothing() {
        let (mut limiter, now, key) =
            (Limiter::new(SECOND, 1, 10), Instant::now(), key("10.0.0.1"));
        assert_eq!(
            (limiter.peek(&key, now), limiter.peek(&key, now)),
            (Ok(()), Ok(()))
        );
        assert!(limiter.is_empty());
        assert_eq!(limiter.take(&key, now), Ok(()));
        assert!(limiter.peek(&key, now).is_err());
    }

    #[test]
    fn callers_are_told_apart_by_network_and_name() {
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
        assert_ne!(Key::principal(&"a".into()), Key::principal(&"b".into()));
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_worst() {
        let (mut limiter, now) = (Limiter::new(SECOND, 5, 100), Instant::now());
        let worst = key("10.9.9.9");
        while limiter.take(&worst, now).is_ok() {}
        for n in 0..10_000_u32 {
            let key = Key::address(IpAddr::from(n.to_be_bytes()));
            assert_eq!(limiter.take(&key, now), Ok(()));
            assert!(limiter.len() <= 100);
        }
        assert!(limiter.take(&worst, now).is_err());
        // Everybody is full again and forgotten when the next comes.
        assert_eq!(limiter.take(&key("10.8.8.8"), now + 10 * SECOND), Ok(()));
        assert_eq!(limiter.len(), 1);
    }
}
