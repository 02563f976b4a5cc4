//! Counters, gauges and histograms as Prometheus text.
