//! What a run found, as one line of JSON.

use std::time::{Duration, Instant};

use crate::sys;

/// Collects calls; [`Report::begin`] starts the time that counts.
pub struct Report {
    pid: u32,
    begun: Instant,
    server_cpu_us: u64,
    own_cpu_us: u64,
    latencies_ns: Vec<u32>,
    failed: u64,
    first_failure: Option<String>,
    reconnects: u64,
    refused: u64,
    last_answer: Instant,
    longest_gap: Duration,
}

impl Report {
    /// `pid` is the server's, 0 if it is nobody's business.
    pub fn new(pid: u32) -> Report {
        let now = Instant::now();
        Report {
            pid,
            begun: now,
            server_cpu_us: 0,
            own_cpu_us: 0,
            latencies_ns: Vec::new(),
            failed: 0,
            first_failure: None,
            reconnects: 0,
            refused: 0,
            last_answer: now,
            longest_gap: Duration::ZERO,
        }
    }

    /// Forgets the warm-up, but for its failures: a wrong answer is wrong at any time.
    pub fn begin(&mut self) {
        self.latencies_ns.clear();
        self.longest_gap = Duration::ZERO;
        self.server_cpu_us = sys::tree_cpu_us(self.pid);
        self.own_cpu_us = sys::own_cpu_us();
        self.begun = Instant::now();
        self.last_answer = self.begun;
    }

    pub fn call(&mut self, sent: Instant, now: Instant) {
        let ns = now.duration_since(sent).as_nanos();
        self.latencies_ns
            .push(u32::try_from(ns).unwrap_or(u32::MAX));
        self.longest_gap = self.longest_gap.max(now.duration_since(self.last_answer));
        self.last_answer = now;
    }

    /// A call without its answer, or with a wrong one.
    pub fn fail(&mut self, why: String) {
        self.failed += 1;
        self.first_failure.get_or_insert(why);
    }

    pub fn failures(&self) -> u64 {
        self.failed
    }

    pub fn reconnected(&mut self) {
        self.reconnects += 1;
    }

    pub fn refused(&mut self) {
        self.refused += 1;
    }

    pub fn len(&self) -> usize {
        self.latencies_ns.len()
    }

    /// Ends the time and says what was.
    pub fn end(&mut self) -> String {
        let seconds = self.begun.elapsed().as_secs_f64();
        let own_cpu_us = sys::own_cpu_us() - self.own_cpu_us;
        let server_cpu_us = sys::tree_cpu_us(self.pid).saturating_sub(self.server_cpu_us);
        let gap = self.longest_gap.max(self.last_answer.elapsed());
        self.latencies_ns.sort_unstable();
        let calls = self.latencies_ns.len();
        let share = |us: u64| us as f64 / 1e6 / seconds;
        let quantile = |share: f64| match calls {
            0 => 0.0,
            calls => {
                f64::from(self.latencies_ns[((calls - 1) as f64 * share).round() as usize]) / 1000.0
            }
        };
        serde_json::json!({
            "calls": calls,
            "seconds": seconds,
            "per_second": calls as f64 / seconds,
            "p50_us": quantile(0.5),
            "p99_us": quantile(0.99),
            "p999_us": quantile(0.999),
            "server_us_per_call": server_cpu_us as f64 / calls.max(1) as f64,
            "server_cores": share(server_cpu_us),
            "load_cores": share(own_cpu_us),
            "failed": self.failed,
            "first_failure": self.first_failure,
            "reconnects": self.reconnects,
            "refused": self.refused,
            "longest_gap_ms": gap.as_secs_f64() * 1000.0,
        })
        .to_string()
    }
}
