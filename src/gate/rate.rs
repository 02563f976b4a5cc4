//! How often a caller may come: a token bucket per token's name, or per address for those without one, in a table of
//! bounded size. Time is an argument.

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
    Unix,
}

impl Key {
    /// An address; `None` is everybody on a socket file together. IPv6 counts by its first 64 bits: one household has
    /// all the rest (RFC 6177).
    #[must_use]
    pub fn address(ip: Option<IpAddr>) -> Self {
        let Some(ip) = ip else {
            return Self(Kind::Unix);
        };
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

/// The size of a bucket and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Time after which a bucket has one request more.
    interval: Duration,
    /// Time a whole bucket takes to fill, less one interval: how far `full_at` may lie ahead and still give a request.
    tolerance: Duration,
}

impl Rate {
    /// One request later.
    fn after(self, at: Instant) -> Instant {
        at.checked_add(self.interval).unwrap_or(at)
    }

    /// So many requests a minute, of which `burst` may come at once. Zero counts as one in both: a rate that admits
    /// nobody is a mistake.
    #[must_use]
    pub fn per_minute(requests: u32, burst: u32) -> Self {
        let minute = Duration::from_secs(60);
        let interval = minute.checked_div(requests).unwrap_or(minute);
        let tolerance = interval.saturating_mul(burst.saturating_sub(1));
        Self {
            interval,
            tolerance,
        }
    }

    /// The burst of those who say none: what comes in ten seconds, and room for a client that starts, which asks for
    /// all lists at once.
    #[must_use]
    pub fn usual_burst(requests_per_minute: u32) -> u32 {
        (requests_per_minute / 6).max(10)
    }
}

/// The rates of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    /// Of addresses and of tokens without their own; none is no bound.
    pub usual: Option<Rate>,
    /// Of tokens with their own, by name.
    pub own: HashMap<Rc<str>, Option<Rate>>,
}

impl Rates {
    /// The rate of a token.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<Rate> {
        self.own.get(name).copied().unwrap_or(self.usual)
    }
}

/// The buckets of many callers.
pub struct Limiter {
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
    /// Buckets for at most `keys_max` callers at once.
    #[must_use]
    pub fn new(keys_max: usize) -> Self {
        Self {
            keys_max: keys_max.max(1),
            full_at: HashMap::new(),
        }
    }

    /// Takes a request from the caller's bucket. `rate` may be another than the last time.
    ///
    /// # Errors
    /// When it is empty; nothing is taken then.
    pub fn take(&mut self, key: &Key, rate: Rate, now: Instant) -> Result<(), RateRefusal> {
        if let Some(full_at) = self.full_at.get_mut(key) {
            let missing = full_at.saturating_duration_since(now);
            if let Some(retry_after) = missing.checked_sub(rate.tolerance)
                && !retry_after.is_zero()
            {
                return Err(RateRefusal { retry_after });
            }
            *full_at = rate.after((*full_at).max(now));
            return Ok(());
        }
        self.make_room(now);
        self.full_at.insert(key.clone(), rate.after(now));
        Ok(())
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
        let has_part = self.retry_after.subsec_nanos() > 0;
        self.retry_after
            .as_secs()
            .saturating_add(u64::from(has_part))
    }

    /// The answer's body: `what` there was too much of, and how long to wait.
    #[must_use]
    pub fn body(self, what: &str) -> String {
        let seconds = self.retry_after_seconds();
        super::error_body(&format!("{what}, try again in {seconds} s"))
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
        Key::address(Some(ip.parse().unwrap()))
    }

    /// One a second, so many at once.
    fn rate(burst: u32) -> Rate {
        Rate::per_minute(60, burst)
    }

    #[test]
    fn a_burst_then_one_per_interval() {
        let (mut limiter, start, key) = (Limiter::new(10), Instant::now(), key("10.0.0.1"));
        let mut take = |now| limiter.take(&key, rate(3), now);
        for _ in 0..3 {
            assert_eq!(take(start), Ok(()));
        }
        let refusal = |retry_after| Err(RateRefusal { retry_after });
        for _ in 0..5 {
            // Trying in vain costs nothing.
            assert_eq!(take(start), refusal(SECOND));
        }
        let nanosecond = Duration::from_nanos(1);
        let nearly = take(start + SECOND - nanosecond);
        assert_eq!(nearly, refusal(nanosecond));
        assert_eq!(nearly.unwrap_err().retry_after_seconds(), 1);
        assert_eq!(take(start + SECOND), Ok(()));
        assert!(take(start + SECOND).is_err());
        for _ in 0..3 {
            assert_eq!(take(start + 1000 * SECOND), Ok(()));
        }
        assert!(take(start + 1000 * SECOND).is_err());
    }

    #[test]
    fn a_rate_may_change_between_requests() {
        let (mut limiter, now, key) = (Limiter::new(10), Instant::now(), key("10.0.0.1"));
        while limiter.take(&key, rate(3), now).is_ok() {}
        assert_eq!(limiter.take(&key, rate(4), now), Ok(()));
        let refusal = limiter.take(&key, rate(2), now).unwrap_err();
        assert_eq!(refusal.retry_after_seconds(), 3);
        assert!(refusal.body("too many").contains("try again in 3 s"));
    }

    #[test]
    fn rates_in_numbers() {
        let per_minute = |requests, burst| {
            let rate = Rate::per_minute(requests, burst);
            (rate.interval, rate.tolerance)
        };
        assert_eq!(per_minute(1, 1), (60 * SECOND, Duration::ZERO));
        assert_eq!(per_minute(600, 11), (SECOND / 10, SECOND));
        assert_eq!(per_minute(0, 0), per_minute(1, 1));
        let bursts = [1, 60, 66, 600].map(Rate::usual_burst);
        assert_eq!(bursts, [10, 10, 11, 100]);
        let mut rates = Rates {
            usual: Some(rate(1)),
            ..Rates::default()
        };
        rates.own.insert("free".into(), None);
        rates.own.insert("slow".into(), Some(rate(2)));
        assert_eq!(rates.of("free"), None);
        assert_eq!(rates.of("slow"), Some(rate(2)));
        assert_eq!(rates.of("other"), Some(rate(1)));
    }

    #[test]
    fn callers_are_told_apart_by_network_and_name() {
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
        assert_ne!(key("127.0.0.1"), Key::address(None));
        assert_ne!(Key::principal(&"a".into()), Key::principal(&"b".into()));
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_worst() {
        let (mut limiter, now) = (Limiter::new(100), Instant::now());
        let worst = key("10.9.9.9");
        while limiter.take(&worst, rate(5), now).is_ok() {}
        for n in 0..10_000_u32 {
            let key = Key::address(Some(IpAddr::from(n.to_be_bytes())));
            assert_eq!(limiter.take(&key, rate(5), now), Ok(()));
            assert!(limiter.len() <= 100);
        }
        assert!(limiter.take(&worst, rate(5), now).is_err());
        // Everybody is full again and forgotten when the next comes.
        let later = now + 10 * SECOND;
        assert_eq!(limiter.take(&key("10.8.8.8"), rate(5), later), Ok(()));
        assert_eq!(limiter.len(), 1);
    }
}
