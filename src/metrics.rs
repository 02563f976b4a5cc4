//! Counters, gauges and histograms as Prometheus text.

/// Limits.
#[derive(Clone, Copy)]
pub enum Limit {
    /// Open files.
    OpenFiles,
}

/// All metrics.
#[derive(Default)]
pub struct Metrics {}

impl Metrics {
    /// Counts.
    pub fn limit_hit(&self, _limit: Limit) {}
}
