//! The families: name, help, kind, labels, and where the samples come from; one row each, in the order of the output.

use super::labels::{
    Close, CodeLabel, Disconnect, EventKind, Limit, MethodLabel, Outcome, RevisionLabel, Transport,
    UpstreamOutcome,
};
use super::process::{Process, start_unix_ns};
use super::text::{Kind, Samples};
use super::{Metrics, RpcSeries};

struct Family {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    samples: fn(&Scrape<'_>, &mut Samples<'_>),
}

/// What one rendering reads: the process is asked once.
struct Scrape<'a> {
    metrics: &'a Metrics,
    process: Process,
}

pub(super) fn render(metrics: &Metrics, out: &mut String) {
    let scrape = Scrape {
        metrics,
        process: Process::read(),
    };
    for family in FAMILIES {
        let Family {
            name,
            help,
            kind,
            labels,
            samples,
        } = *family;
        samples(
            &scrape,
            &mut Samples {
                out,
                name,
                help,
                kind,
                labels,
                has_heading: false,
            },
        );
    }
}

use Kind::{Counter, Gauge, Histogram};

/// The two `…_registered_total` gauges are misnamed by today's rules; they keep the old server's names so that its
/// dashboards go on working.
#[rustfmt::skip]
const FAMILIES: &[Family] = &[
    Family { name: "mcp_server_uptime_seconds", help: "Time since the server started.", kind: Gauge, labels: &[],
        samples: |s, out| out.seconds(&[], u64::try_from(s.metrics.uptime().as_nanos()).unwrap_or(u64::MAX)) },
    Family { name: "mcp_tools_registered_total", help: "Tools offered now.", kind: Gauge, labels: &[],
        samples: |s, out| out.value(&[], s.metrics.tools_registered.get()) },
    Family { name: "mcp_resources_registered_total", help: "Resources offered now.", kind: Gauge, labels: &[],
        samples: |s, out| out.value(&[], s.metrics.resources_registered.get()) },

    Family { name: "mcp_rpc_requests_total", help: "JSON-RPC requests and notifications handled.", kind: Counter, labels: &["method", "transport"],
        samples: |s, out| each_rpc(s, |method, transport, rpc| out.value(&[method, transport], rpc.durations.count())) },
    Family { name: "mcp_rpc_request_duration_seconds", help: "Time to handle a JSON-RPC request.", kind: Histogram, labels: &["method", "transport"],
        samples: |s, out| each_rpc(s, |method, transport, rpc| out.histogram(&[method, transport], &rpc.durations)) },
    Family { name: "mcp_rpc_errors_total", help: "JSON-RPC requests answered by an error.", kind: Counter, labels: &["method", "error_code", "transport"],
        samples: rpc_errors },

    Family { name: "mcp_tool_calls_total", help: "Tool calls.", kind: Counter, labels: &["tool", "outcome"],
        samples: tool_calls },
    Family { name: "mcp_tool_duration_seconds", help: "Time a tool call took.", kind: Histogram, labels: &["tool"],
        samples: tool_durations },
    Family { name: "mcp_upstream_requests_total", help: "Requests to configured services.", kind: Counter, labels: &["service", "outcome"],
        samples: upstream_requests },

    Family { name: "mcp_http_active_connections", help: "Open HTTP connections.", kind: Gauge, labels: &[],
        samples: |s, out| out.value(&[], s.metrics.http_active.get()) },
    Family { name: "mcp_connections_closed_total", help: "Closed HTTP connections.", kind: Counter, labels: &["reason"],
        samples: |s, out| for l in Close::ALL { out.value(&[l.as_str()], s.metrics.closes[l.index()].get()) } },
    Family { name: "siskin_limit", help: "What a limit of the configuration is now.", kind: Gauge, labels: &["limit"],
        samples: |s, out| for (key, value) in &*s.metrics.limits.borrow() { out.value(&[key], *value) } },
    Family { name: "mcp_limit_hits_total", help: "Times a limit refused something.", kind: Counter, labels: &["limit"],
        samples: |s, out| for l in Limit::ALL { out.value(&[l.as_str()], s.metrics.limit_hits[l.index()].get()) } },
    Family { name: "siskin_forwarded_ignored_total", help: "Requests through a trusted proxy whose header with the client's address was not understood.", kind: Counter, labels: &[],
        samples: |s, out| out.value(&[], s.metrics.forwarded_ignored.get()) },
    Family { name: "siskin_log_lines_dropped_total", help: "Lines of the log that stderr did not take.", kind: Counter, labels: &[],
        samples: |s, out| out.value(&[], s.metrics.log_lines_dropped.get()) },
    Family { name: "mcp_sessions_active", help: "Sessions held now.", kind: Gauge, labels: &["revision"],
        samples: |s, out| for l in RevisionLabel::ALL { out.value(&[l.as_str()], s.metrics.sessions_active[l.index()].get()) } },

    Family { name: "mcp_sse_connections_active", help: "Open event streams.", kind: Gauge, labels: &[],
        samples: |s, out| out.value(&[], s.metrics.sse_active.get()) },
    Family { name: "mcp_sse_events_sent_total", help: "Events sent.", kind: Counter, labels: &["event_type"],
        samples: |s, out| for l in EventKind::ALL { out.value(&[l.as_str()], s.metrics.sse_events[l.index()].get()) } },
    Family { name: "mcp_sse_connection_duration_seconds", help: "How long event streams lasted.", kind: Histogram, labels: &[],
        samples: |s, out| out.histogram(&[], &s.metrics.sse_durations) },
    Family { name: "mcp_sse_disconnects_total", help: "Ended event streams.", kind: Counter, labels: &["reason"],
        samples: |s, out| for l in Disconnect::ALL { out.value(&[l.as_str()], s.metrics.sse_disconnects[l.index()].get()) } },
    Family { name: "mcp_sse_resumes_total", help: "Event streams taken up again with Last-Event-ID.", kind: Counter, labels: &[],
        samples: |s, out| out.value(&[], s.metrics.sse_resumes.get()) },

    Family { name: "process_cpu_seconds_total", help: "User and system CPU time.", kind: Counter, labels: &[],
        samples: |s, out| if let Some(ns) = s.process.cpu_ns { out.seconds(&[], ns) } },
    Family { name: "process_open_fds", help: "Open file descriptors.", kind: Gauge, labels: &[],
        samples: |s, out| known(out, s.process.open_fds) },
    Family { name: "process_max_fds", help: "File descriptors allowed.", kind: Gauge, labels: &[],
        samples: |s, out| known(out, s.process.max_fds) },
    Family { name: "process_resident_memory_bytes", help: "Resident memory.", kind: Gauge, labels: &[],
        samples: |s, out| known(out, s.process.resident_bytes) },
    Family { name: "process_virtual_memory_bytes", help: "Virtual memory.", kind: Gauge, labels: &[],
        samples: |s, out| known(out, s.process.virtual_bytes) },
    Family { name: "process_threads", help: "Threads.", kind: Gauge, labels: &[],
        samples: |s, out| known(out, s.process.threads) },
    Family { name: "process_start_time_seconds", help: "Start of the process, in seconds since 1970.", kind: Gauge, labels: &[],
        samples: |s, out| if let Some(ns) = s.metrics.start_unix_ns.get_or_init(start_unix_ns) { out.seconds(&[], *ns) } },

    Family { name: "siskin_build_info", help: "Always 1; what was built.", kind: Gauge, labels: &["version", "arch"],
        samples: |_, out| out.value(&[env!("CARGO_PKG_VERSION"), std::env::consts::ARCH], 1) },
];

fn known(out: &mut Samples<'_>, value: Option<u64>) {
    if let Some(value) = value {
        out.value(&[], value);
    }
}

fn each_rpc(scrape: &Scrape<'_>, mut each: impl FnMut(&str, &str, &RpcSeries)) {
    for method in MethodLabel::ALL {
        for transport in Transport::ALL {
            if let Some(series) = scrape.metrics.rpc[method.index()][transport.index()].get() {
                each(method.as_str(), transport.as_str(), series);
            }
        }
    }
}

fn rpc_errors(scrape: &Scrape<'_>, out: &mut Samples<'_>) {
    each_rpc(scrape, |method, transport, rpc| {
        for code in CodeLabel::ALL {
            let count = rpc.errors[code.index()].get();
            if count > 0 {
                out.value(&[method, code.as_str(), transport], count);
            }
        }
    });
}

/// A tool appears with its first call and then with all its outcomes, so that a rate of failures has a zero to start
/// from.
fn tool_calls(scrape: &Scrape<'_>, out: &mut Samples<'_>) {
    for tool in scrape
        .metrics
        .tools
        .borrow()
        .iter()
        .filter(|tool| tool.durations.get().is_some())
    {
        for outcome in Outcome::ALL {
            out.value(
                &[&tool.name, outcome.as_str()],
                tool.outcomes[outcome.index()].get(),
            );
        }
    }
}

fn tool_durations(scrape: &Scrape<'_>, out: &mut Samples<'_>) {
    for tool in scrape.metrics.tools.borrow().iter() {
        if let Some(durations) = tool.durations.get() {
            out.histogram(&[&tool.name], durations);
        }
    }
}

fn upstream_requests(scrape: &Scrape<'_>, out: &mut Samples<'_>) {
    for service in scrape.metrics.services.borrow().iter() {
        let was_asked = service.outcomes.iter().any(|count| count.get() > 0);
        if !was_asked {
            continue;
        }
        for outcome in UpstreamOutcome::ALL {
            out.value(
                &[&service.name, outcome.as_str()],
                service.outcomes[outcome.index()].get(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_name(text: &str) -> bool {
        text.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    }

    #[test]
    fn names_follow_the_rules_but_for_two() {
        let mut misnamed = Vec::new();
        for (index, family) in FAMILIES.iter().enumerate() {
            assert!(
                is_name(family.name) && family.labels.iter().all(|label| is_name(label)),
                "{}",
                family.name
            );
            assert!(
                FAMILIES[..index]
                    .iter()
                    .all(|other| other.name != family.name),
                "{} twice",
                family.name
            );
            assert!(
                family.help.ends_with('.') && !family.help.contains(['\n', '\\']),
                "{}",
                family.name
            );
            if family.name.ends_with("_total") != (family.kind == Counter) {
                misnamed.push(family.name);
            }
        }
        assert_eq!(
            misnamed,
            [
                "mcp_tools_registered_total",
                "mcp_resources_registered_total"
            ]
        );
    }

    #[test]
    fn every_line_is_a_comment_or_a_sample_with_a_number() {
        let mut text = String::new();
        render(&Metrics::new(), &mut text);
        assert!(text.ends_with('\n'));
        for line in text.lines() {
            if line.starts_with("# ") {
                continue;
            }
            let (_, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
}
