//! Counters, gauges and histograms as Prometheus text.
//!
//! One [`Metrics`] per server, shared by `Rc`, on the protocol thread only: counting is an index and an add. Which
//! series can exist is fixed by the enums in `labels` and by the names configured at start; text from a client never
//! becomes a label. Names are the old server's where it had one.
//!
//! Here: counting and rendering. Not here: the `/metrics` route, and any decision.

#![expect(
    clippy::indexing_slicing,
    reason = "a table has a place for each variant of the enum that it is read by, and ids are given out with theirs"
)]

mod histogram;
mod labels;
mod process;
mod table;
mod text;

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

pub use labels::{
    Close, CodeLabel, Disconnect, EventKind, Limit, MethodLabel, Outcome, RevisionLabel, Transport,
    UpstreamOutcome,
};

use histogram::{Histogram, add};

/// The media type to answer a scrape with.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Names of tools, or of services, that get a series of their own. More than any configuration we know has; what comes
/// later is counted as `other`.
const NAMES_MAX: usize = 1024;

/// All metrics of one server.
pub struct Metrics {
    started: Instant,
    start_unix_ns: OnceCell<Option<u64>>,
    tools_registered: Cell<u64>,
    resources_registered: Cell<u64>,
    /// Made at first use: most pairs never are.
    rpc: [[OnceCell<Box<RpcSeries>>; Transport::LEN]; MethodLabel::LEN],
    http_active: Cell<u64>,
    closes: [Cell<u64>; Close::LEN],
    sse_active: Cell<u64>,
    sse_events: [Cell<u64>; EventKind::LEN],
    sse_disconnects: [Cell<u64>; Disconnect::LEN],
    sse_durations: Histogram,
    sse_resumes: Cell<u64>,
    sessions_active: [Cell<i64>; RevisionLabel::LEN],
    limit_hits: [Cell<u64>; Limit::LEN],
    forwarded_ignored: Cell<u64>,
    log_lines_dropped: Cell<u64>,
    limits: RefCell<Vec<(&'static str, u64)>>,
    /// The first is `other`.
    tools: RefCell<Vec<ToolSeries>>,
    /// The first is `other`.
    services: RefCell<Vec<ServiceSeries>>,
}

struct RpcSeries {
    durations: Histogram,
    errors: [Cell<u64>; CodeLabel::LEN],
}

struct ToolSeries {
    name: Box<str>,
    outcomes: [Cell<u64>; Outcome::LEN],
    durations: OnceCell<Box<Histogram>>,
}

struct ServiceSeries {
    name: Box<str>,
    outcomes: [Cell<u64>; UpstreamOutcome::LEN],
}

/// A tool's place in the metrics; from [`Metrics::tool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToolIndex(usize);

impl ToolIndex {
    /// Where unknown tools are counted.
    pub const OTHER: Self = Self(0);
}

/// A service's place in the metrics; from [`Metrics::service`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceIndex(usize);

impl ServiceIndex {
    /// Where requests of no configured service are counted.
    pub const OTHER: Self = Self(0);
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All zero; the uptime counts from here.
    #[must_use]
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            start_unix_ns: OnceCell::new(),
            tools_registered: Cell::default(),
            resources_registered: Cell::default(),
            rpc: std::array::from_fn(|_| std::array::from_fn(|_| OnceCell::new())),
            http_active: Cell::default(),
            closes: zeros(),
            sse_active: Cell::default(),
            sse_events: zeros(),
            sse_disconnects: zeros(),
            sse_durations: Histogram::new(histogram::STREAM),
            sse_resumes: Cell::default(),
            sessions_active: zeros(),
            limit_hits: zeros(),
            forwarded_ignored: Cell::default(),
            log_lines_dropped: Cell::default(),
            limits: RefCell::default(),
            tools: RefCell::new(vec![ToolSeries::new("other")]),
            services: RefCell::new(vec![ServiceSeries::new("other")]),
        }
    }

    /// The limits now in force, by their keys in `[limits]`.
    pub fn set_limits(&self, limits: Vec<(&'static str, u64)>) {
        self.limits.replace(limits);
    }

    /// How many tools and resources the catalog offers now.
    pub fn set_registered(&self, tools: usize, resources: usize) {
        self.tools_registered.set(tools as u64);
        self.resources_registered.set(resources as u64);
    }

    /// The place of a configured tool, kept over reloads. Call it when a catalog is built, never with a client's text.
    #[must_use]
    pub fn tool(&self, name: &str) -> ToolIndex {
        let mut tools = self.tools.borrow_mut();
        if let Some(index) = tools.iter().position(|tool| *tool.name == *name) {
            return ToolIndex(index);
        }
        if tools.len() > NAMES_MAX {
            return ToolIndex::OTHER;
        }
        tools.push(ToolSeries::new(name));
        ToolIndex(tools.len() - 1)
    }

    /// The place of a configured service, kept over reloads.
    #[must_use]
    pub fn service(&self, name: &str) -> ServiceIndex {
        let mut services = self.services.borrow_mut();
        if let Some(index) = services.iter().position(|service| *service.name == *name) {
            return ServiceIndex(index);
        }
        if services.len() > NAMES_MAX {
            return ServiceIndex::OTHER;
        }
        services.push(ServiceSeries::new(name));
        ServiceIndex(services.len() - 1)
    }

    /// A request or notification was handled in `duration`; `code` when it was answered by a JSON-RPC error.
    pub fn rpc_request(
        &self,
        method: MethodLabel,
        transport: Transport,
        duration: Duration,
        code: Option<i64>,
    ) {
        let series =
            self.rpc[method.index()][transport.index()].get_or_init(|| Box::new(RpcSeries::new()));
        series.durations.observe(duration);
        if let Some(code) = code {
            add(&series.errors[CodeLabel::of(code).index()], 1);
        }
    }

    /// A tool was called.
    pub fn tool_call(&self, tool: ToolIndex, outcome: Outcome, duration: Duration) {
        let tools = self.tools.borrow();
        let series = &tools[tool.0];
        add(&series.outcomes[outcome.index()], 1);
        series
            .durations
            .get_or_init(|| Box::new(Histogram::new(histogram::CALL)))
            .observe(duration);
    }

    /// A service was asked.
    pub fn upstream(&self, service: ServiceIndex, outcome: UpstreamOutcome) {
        add(
            &self.services.borrow()[service.0].outcomes[outcome.index()],
            1,
        );
    }

    /// An HTTP connection was accepted; say [`close`](ConnectionGuard::close) with the reason at its end.
    #[must_use = "the connection counts as closed when the guard is dropped"]
    pub fn connection_opened(self: &Rc<Self>) -> ConnectionGuard {
        add(&self.http_active, 1);
        ConnectionGuard {
            metrics: Rc::clone(self),
            reason: Close::IoError,
            disconnect: Disconnect::Client,
        }
    }

    /// A connection was closed that never had a guard, for instance one over a limit.
    pub fn connection_closed(&self, reason: Close) {
        add(&self.closes[reason.index()], 1);
    }

    /// An event stream began; say [`close`](SseGuard::close) with the reason at its end.
    #[must_use = "the stream counts as ended when the guard is dropped"]
    pub fn sse_opened(self: &Rc<Self>) -> SseGuard {
        add(&self.sse_active, 1);
        SseGuard {
            metrics: Rc::clone(self),
            opened: Instant::now(),
            reason: Disconnect::Client,
        }
    }

    /// An event was sent.
    pub fn sse_event(&self, kind: EventKind) {
        self.sse_events(kind, 1);
    }

    /// `n` events of one kind were sent, as to all streams at a tick.
    pub fn sse_events(&self, kind: EventKind, n: u64) {
        add(&self.sse_events[kind.index()], n);
    }

    fn sse_closed(&self, opened: Instant, reason: Disconnect) {
        self.sse_active.set(self.sse_active.get() - 1);
        self.sse_durations.observe(opened.elapsed());
        add(&self.sse_disconnects[reason.index()], 1);
    }

    /// A client came back with `Last-Event-ID` and was served from there.
    pub fn sse_resume(&self) {
        add(&self.sse_resumes, 1);
    }

    /// How many event streams are open.
    #[must_use]
    pub fn sse_active(&self) -> u64 {
        self.sse_active.get()
    }

    /// How many HTTP connections are open.
    #[must_use]
    pub fn connections_active(&self) -> u64 {
        self.http_active.get()
    }

    /// A limit refused something.
    pub fn limit_hit(&self, limit: Limit) {
        add(&self.limit_hits[limit.index()], 1);
    }

    /// A proxy's word for who asks was not understood.
    pub fn forwarded_ignored(&self) {
        add(&self.forwarded_ignored, 1);
    }

    /// How many lines of the log could not be written so far.
    pub fn set_log_lines_dropped(&self, lines: u64) {
        self.log_lines_dropped.set(lines);
    }

    /// `delta` sessions more of a revision, or fewer.
    pub fn sessions_active(&self, revision: RevisionLabel, delta: i64) {
        let cell = &self.sessions_active[revision.index()];
        cell.set(cell.get().saturating_add(delta));
    }

    /// Sessions of a revision there are now, for a store that counts by itself.
    pub fn set_sessions_active(&self, revision: RevisionLabel, sessions: usize) {
        let sessions = i64::try_from(sessions).unwrap_or(i64::MAX);
        self.sessions_active[revision.index()].set(sessions);
    }

    /// How long the server has been up.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Appends everything in the text format 0.0.4; answer it as [`CONTENT_TYPE`].
    pub fn render(&self, out: &mut String) {
        table::render(self, out);
    }
}

/// One open HTTP connection.
pub struct ConnectionGuard {
    metrics: Rc<Metrics>,
    reason: Close,
    /// Of the stream it may become; here, it costs no memory.
    disconnect: Disconnect,
}

impl ConnectionGuard {
    /// Ends it for `reason`. Dropped without a reason it counts as an I/O error.
    pub fn close(mut self, reason: Close) {
        self.reason = reason;
    }

    /// The connection becomes an event stream.
    #[must_use]
    pub fn into_stream(self) -> StreamGuard {
        add(&self.metrics.sse_active, 1);
        StreamGuard {
            connection: self,
            opened: Instant::now(),
        }
    }
}

/// One open HTTP connection that is an event stream to its end: both guards in one, for there may be
/// ten thousand of them.
pub struct StreamGuard {
    connection: ConnectionGuard,
    opened: Instant,
}

impl StreamGuard {
    /// Ends both for their reasons. Dropped without, they count as with [`ConnectionGuard`] and [`SseGuard`].
    pub fn close(mut self, close: Close, disconnect: Disconnect) {
        self.connection.reason = close;
        self.connection.disconnect = disconnect;
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        let connection = &self.connection;
        connection
            .metrics
            .sse_closed(self.opened, connection.disconnect);
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.metrics
            .http_active
            .set(self.metrics.http_active.get() - 1);
        self.metrics.connection_closed(self.reason);
    }
}

/// One open event stream.
pub struct SseGuard {
    metrics: Rc<Metrics>,
    opened: Instant,
    reason: Disconnect,
}

impl SseGuard {
    /// Ends it for `reason`. Dropped without a reason it counts as closed by the client: that is when a connection's
    /// task is dropped in the middle.
    pub fn close(mut self, reason: Disconnect) {
        self.reason = reason;
    }
}

impl Drop for SseGuard {
    fn drop(&mut self) {
        self.metrics.sse_closed(self.opened, self.reason);
    }
}

impl RpcSeries {
    fn new() -> Self {
        Self {
            durations: Histogram::new(histogram::CALL),
            errors: zeros(),
        }
    }
}

impl ToolSeries {
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            outcomes: zeros(),
            durations: OnceCell::new(),
        }
    }
}

impl ServiceSeries {
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            outcomes: zeros(),
        }
    }
}

fn zeros<T: Default + Copy, const N: usize>() -> [Cell<T>; N] {
    std::array::from_fn(|_| Cell::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(metrics: &Metrics) -> String {
        let mut out = String::new();
        metrics.render(&mut out);
        out
    }

    #[track_caller]
    fn has(metrics: &Metrics, line: &str) {
        let text = render(metrics);
        assert!(
            text.lines().any(|found| found == line),
            "no `{line}` in\n{text}"
        );
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn requests_and_errors() {
        let metrics = Metrics::new();
        metrics.rpc_request(MethodLabel::Ping, Transport::Stdio, MS, None);
        metrics.rpc_request(
            MethodLabel::ToolsCall,
            Transport::Http,
            2 * MS,
            Some(-32602),
        );
        metrics.rpc_request(MethodLabel::of("no/such"), Transport::Http, MS, Some(-1));
        has(
            &metrics,
            r#"mcp_rpc_requests_total{method="ping",transport="stdio"} 1"#,
        );
        has(
            &metrics,
            r#"mcp_rpc_errors_total{method="tools/call",error_code="-32602",transport="http"} 1"#,
        );
        has(
            &metrics,
            r#"mcp_rpc_errors_total{method="other",error_code="other",transport="http"} 1"#,
        );
        has(
            &metrics,
            r#"mcp_rpc_request_duration_seconds_bucket{method="ping",transport="stdio",le="0.001"} 1"#,
        );
        has(
            &metrics,
            r#"mcp_rpc_request_duration_seconds_sum{method="tools/call",transport="http"} 0.002"#,
        );
    }

    #[test]
    fn random_tool_names_add_no_series() {
        let metrics = Metrics::new();
        let known = metrics.tool("device_cpu");
        metrics.tool_call(known, Outcome::Ok, MS);
        metrics.tool_call(ToolIndex::OTHER, Outcome::Refused, MS);
        let before = render(&metrics).lines().count();
        for n in 0..10_000 {
            // What dispatch does with a name that is not in the catalog.
            metrics.tool_call(ToolIndex::OTHER, Outcome::Refused, MS);
            metrics.rpc_request(
                MethodLabel::of(&format!("m{n}")),
                Transport::Http,
                MS,
                Some(n),
            );
        }
        let after = render(&metrics).lines().count();
        // One method (`other`) and its one code: requests, errors, 17 buckets, sum, count, three headings of two lines.
        assert!(
            after - before <= 1 + 1 + 17 + 2 + 6,
            "{before} lines became {after}"
        );
        assert_eq!(metrics.tool("device_cpu"), known);
    }

    #[test]
    fn even_registered_names_are_bounded() {
        let metrics = Metrics::new();
        let indexes: Vec<_> = (0..NAMES_MAX + 2)
            .map(|n| metrics.tool(&format!("t{n}")))
            .collect();
        assert_ne!(indexes[NAMES_MAX - 1], ToolIndex::OTHER);
        assert_eq!(indexes[NAMES_MAX], ToolIndex::OTHER);
        assert_eq!(indexes[NAMES_MAX + 1], ToolIndex::OTHER);
        assert_eq!(metrics.tools.borrow().len(), NAMES_MAX + 1);
        for n in 0..NAMES_MAX + 2 {
            let _ = metrics.service(&format!("s{n}"));
        }
        assert_eq!(metrics.services.borrow().len(), NAMES_MAX + 1);
    }

    #[test]
    fn guards_count_down_with_a_reason() {
        let metrics = Rc::new(Metrics::new());
        let (a, b) = (metrics.sse_opened(), metrics.sse_opened());
        let connection = metrics.connection_opened();
        has(&metrics, "mcp_sse_connections_active 2");
        has(&metrics, "mcp_http_active_connections 1");
        a.close(Disconnect::Slow);
        drop(b);
        connection.close(Close::Idle);
        has(&metrics, "mcp_sse_connections_active 0");
        has(&metrics, "mcp_http_active_connections 0");
        has(&metrics, r#"mcp_sse_disconnects_total{reason="slow"} 1"#);
        has(&metrics, r#"mcp_sse_disconnects_total{reason="client"} 1"#);
        has(&metrics, r#"mcp_connections_closed_total{reason="idle"} 1"#);
        has(&metrics, "mcp_sse_connection_duration_seconds_count 2");
    }

    #[test]
    fn the_rest_is_there() {
        let metrics = Metrics::new();
        metrics.set_registered(38, 4);
        metrics.sessions_active(RevisionLabel::R20250618, 2);
        metrics.sessions_active(RevisionLabel::R20250618, -1);
        metrics.set_sessions_active(RevisionLabel::R20250326, 7);
        metrics.sse_events(EventKind::Comment, 10_000);
        metrics.sse_resume();
        metrics.limit_hit(Limit::Batch);
        metrics.upstream(metrics.service("grafana"), UpstreamOutcome::Timeout);
        metrics.tool_call(metrics.tool("a\"b"), Outcome::Ok, MS);
        has(&metrics, "mcp_tools_registered_total 38");
        has(&metrics, "mcp_resources_registered_total 4");
        has(&metrics, r#"mcp_sessions_active{revision="2025-06-18"} 1"#);
        has(&metrics, r#"mcp_sessions_active{revision="2025-03-26"} 7"#);
        has(
            &metrics,
            r#"mcp_sse_events_sent_total{event_type="comment"} 10000"#,
        );
        has(&metrics, "mcp_sse_resumes_total 1");
        has(&metrics, r#"mcp_limit_hits_total{limit="batch"} 1"#);
        has(
            &metrics,
            r#"mcp_upstream_requests_total{service="grafana",outcome="timeout"} 1"#,
        );
        has(
            &metrics,
            r#"mcp_tool_calls_total{tool="a\"b",outcome="ok"} 1"#,
        );
        has(
            &metrics,
            r#"mcp_tool_duration_seconds_count{tool="a\"b"} 1"#,
        );
        assert!(render(&metrics).contains("\nprocess_resident_memory_bytes "));
    }

    #[test]
    fn metrics_are_small() {
        assert!(
            size_of::<Metrics>() <= 2048,
            "{} bytes",
            size_of::<Metrics>()
        );
    }
}
