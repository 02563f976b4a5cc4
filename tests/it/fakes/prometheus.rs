//! Prometheus, small: the envelope, the kinds of results and the refusals of its HTTP API page
//! (`docs/querying/api.md`) and of `web/api/v1`. It evaluates nothing; a query is a row of a table.

use crate::support::{Answer, Call, Route, Service, Value, json};

/// A Prometheus.
#[derive(Default)]
pub struct Prometheus {
    /// The `Authorization` header it asks for, as its own web configuration (basic) or a proxy
    /// (bearer) would.
    pub authorization: Option<&'static str>,
}

/// The time every instant result has.
pub const NOW: f64 = 1_700_000_000.123;

impl Prometheus {
    fn query(&mut self, call: &Call) -> Answer {
        self.try_query(call).unwrap_or_else(|answer| answer)
    }

    fn try_query(&mut self, call: &Call) -> Result<Answer, Answer> {
        let time = parameter(call, "time").map(|time| instant("time", &time));
        let at = time.transpose()?.unwrap_or(NOW);
        limit(call)?;
        let query = parameter(call, "query").unwrap_or_default();
        let up = |instance: &str, value: &str| {
            let metric = json!({"__name__": "up", "job": "node", "instance": instance});
            json!({"metric": metric, "value": [at, value]})
        };
        let data = match query.as_str() {
            "up" => {
                json!({"resultType": "vector", "result": [up("a:9100", "1"), up("b:9100", "0")]})
            }
            "1+1" => json!({"resultType": "scalar", "result": [at, "2"]}),
            "'text'" => json!({"resultType": "string", "result": [at, "text"]}),
            "up[1m]" => json!({"resultType": "matrix", "result": [
                {"metric": {"__name__": "up"}, "values": [[at - 15.0, "1"], [at, "1"]]}]}),
            "latency" => json!({"resultType": "vector", "result": [
                {"metric": {"__name__": "latency"}, "histogram": [at, {"count": "60", "sum": "33.3",
                    "buckets": [[0, "1", "2", "40"], [0, "2", "4", "20"]]}]}]}),
            "fraction" => json!({"resultType": "vector", "result": [
                {"metric": {}, "value": [at, "0.12345678901234"]}, {"metric": {}, "value": [at, "NaN"]}]}),
            "none" => json!({"resultType": "vector", "result": []}),
            "warned" => {
                let data = json!({"resultType": "vector", "result": [up("a:9100", "1")]});
                return Ok(Answer::json(
                    200,
                    &json!({
                        "status": "success", "data": data,
                        "warnings": ["remote read failed"], "infos": ["metric might not be a counter"],
                    }),
                ));
            }
            other => return Err(refusal(other)),
        };
        Ok(success(data))
    }

    fn query_range(&mut self, call: &Call) -> Answer {
        self.try_query_range(call).unwrap_or_else(|answer| answer)
    }

    fn try_query_range(&mut self, call: &Call) -> Result<Answer, Answer> {
        let start = instant("start", &parameter(call, "start").unwrap_or_default())?;
        let end = instant("end", &parameter(call, "end").unwrap_or_default())?;
        if end < start {
            let text = "invalid parameter \"end\": end timestamp must not be before start time";
            return Err(bad_data(text));
        }
        let text = parameter(call, "step").unwrap_or_default();
        let step = seconds(&text).ok_or_else(|| {
            let text =
                format!("invalid parameter \"step\": cannot parse \"{text}\" to a valid duration");
            bad_data(&text)
        })?;
        if step <= 0.0 {
            return Err(bad_data(
                "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer",
            ));
        }
        if (end - start) / step > 11_000.0 {
            return Err(bad_data(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
            ));
        }
        limit(call)?;
        let query = parameter(call, "query").unwrap_or_default();
        if query != "up" {
            return Err(refusal(&query));
        }
        let mut values = Vec::new();
        let mut at = start;
        while at <= end {
            values.push(json!([at, "0.333333333333"]));
            at += step;
        }
        let metric = json!({"__name__": "up", "job": "node", "instance": "a:9100"});
        Ok(success(
            json!({"resultType": "matrix", "result": [{"metric": metric, "values": values}]}),
        ))
    }

    fn labels(&mut self, call: &Call) -> Answer {
        listed(call, &["__name__", "instance", "job"])
    }

    fn label_values(&mut self, call: &Call) -> Answer {
        // U__ escaping is how names that are no plain words are written here.
        match call.arg("name") {
            "job" => listed(call, &["node", "prometheus"]),
            "U__http_2e_status" => listed(call, &["200", "404"]),
            name if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
                listed(call, &[])
            }
            name => bad_data(&format!("invalid label name: \"{name}\"")),
        }
    }

    fn series(&mut self, call: &Call) -> Answer {
        let mut matchers = call.queries("match[]");
        matchers.extend(
            call.form()
                .into_iter()
                .filter(|(name, _)| name == "match[]")
                .map(|(_, value)| value),
        );
        if matchers.is_empty() {
            return bad_data("no match[] parameter provided");
        }
        for name in ["start", "end"] {
            if let Some(Err(answer)) = parameter(call, name).map(|text| instant(name, &text)) {
                return answer;
            }
        }
        if let Some(wrong) = matchers.iter().find(|matcher| matcher.contains('!')) {
            let text = format!(
                "invalid parameter \"match[]\": 1:1: parse error: unexpected \"!\" in {wrong}"
            );
            return bad_data(&text);
        }
        if let Err(answer) = limit(call) {
            return answer;
        }
        let found: Vec<Value> = matchers
            .iter()
            .map(|matcher| json!({"__name__": matcher, "job": "node", "instance": "a:9100"}))
            .collect();
        success(json!(found))
    }

    fn targets(&mut self, call: &Call) -> Answer {
        let state = call.query("state").unwrap_or_else(|| "any".into());
        let target = |instance: &str, health: &str, error: &str| {
            json!({
                "discoveredLabels": {"__address__": instance, "__meta_long": "discovered"},
                "labels": {"instance": instance, "job": "node"}, "scrapePool": "node",
                "scrapeUrl": format!("http://{instance}/metrics"), "globalUrl": format!("http://{instance}/metrics"),
                "lastError": error, "lastScrape": "2026-01-17T15:07:44.723715405+01:00",
                "lastScrapeDuration": 0.050_688_943, "health": health, "scrapeInterval": "1m", "scrapeTimeout": "10s",
            })
        };
        let active = json!([
            target("b:9100", "down", "connection refused"),
            target("a:9100", "up", "")
        ]);
        let dropped = json!([{"discoveredLabels": {"__address__": "c:9100"}}]);
        let (active, dropped) = match state.as_str() {
            "active" => (active, json!([])),
            "dropped" => (json!([]), dropped),
            _ => (active, dropped),
        };
        success(
            json!({"activeTargets": active, "droppedTargets": dropped, "droppedTargetCounts": {"node": 1}}),
        )
    }

    fn metadata(&mut self, call: &Call) -> Answer {
        let all = [
            ("go_goroutines", "gauge", "Number of goroutines."),
            ("node_cpu_seconds_total", "counter", "Seconds per mode."),
            (
                "up",
                "gauge",
                "1 if the instance is healthy, 0 if the scrape failed.",
            ),
        ];
        let max = match limit(call) {
            Err(answer) => return answer,
            Ok(max) => max.unwrap_or(usize::MAX),
        };
        let wanted = call.query("metric").filter(|metric| !metric.is_empty());
        let chosen = all
            .iter()
            .filter(|(name, ..)| wanted.as_deref().is_none_or(|wanted| wanted == *name));
        let map: serde_json::Map<String, Value> = chosen
            .take(max)
            .map(|(name, kind, help)| {
                let about = json!([{"type": kind, "help": help, "unit": ""}]);
                ((*name).to_owned(), about)
            })
            .collect();
        success(Value::Object(map))
    }

    fn alerts(&mut self, _: &Call) -> Answer {
        success(json!({"alerts": [{
            "activeAt": "2026-07-04T20:27:12.60602144+02:00", "state": "firing", "value": "1e+00",
            "labels": {"alertname": "NodeDown", "severity": "page"}, "annotations": {"summary": "b is down"},
        }]}))
    }

    fn rules(&mut self, call: &Call) -> Answer {
        let alerting = json!({
            "type": "alerting", "name": "NodeDown", "state": "firing", "query": "up == 0", "duration": 600,
            "labels": {"severity": "page"}, "annotations": {"summary": "{{ $labels.instance }} is down"},
            "health": "ok", "alerts": [{"state": "firing", "labels": {"instance": "b:9100"}}],
        });
        let recording = json!({"type": "recording", "name": "job:up:sum", "query": "sum by (job) (up)", "health": "ok"});
        let rules = match call.query("type").as_deref() {
            None => vec![alerting, recording],
            Some("alert") => vec![alerting],
            Some("record") => vec![recording],
            Some(other) => {
                return bad_data(&format!(
                    "invalid parameter \"type\": not supported value \"{other}\""
                ));
            }
        };
        success(
            json!({"groups": [{"name": "node", "file": "/rules.yml", "interval": 60, "rules": rules}]}),
        )
    }

    fn buildinfo(&mut self, _: &Call) -> Answer {
        success(
            json!({"version": "3.7.0", "revision": "cb7cbad5", "branch": "HEAD", "goVersion": "go1.25"}),
        )
    }
}

impl Service for Prometheus {
    const ROUTES: &'static [Route<Prometheus>] = &[
        ("GET", "/api/v1/query", Prometheus::query),
        ("POST", "/api/v1/query", Prometheus::query),
        ("GET", "/api/v1/query_range", Prometheus::query_range),
        ("POST", "/api/v1/query_range", Prometheus::query_range),
        ("GET", "/api/v1/labels", Prometheus::labels),
        ("POST", "/api/v1/labels", Prometheus::labels),
        (
            "GET",
            "/api/v1/label/{name}/values",
            Prometheus::label_values,
        ),
        ("GET", "/api/v1/series", Prometheus::series),
        ("POST", "/api/v1/series", Prometheus::series),
        ("GET", "/api/v1/targets", Prometheus::targets),
        ("GET", "/api/v1/metadata", Prometheus::metadata),
        ("GET", "/api/v1/alerts", Prometheus::alerts),
        ("GET", "/api/v1/rules", Prometheus::rules),
        ("GET", "/api/v1/status/buildinfo", Prometheus::buildinfo),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        match self.authorization {
            Some(wanted) if call.header("authorization") != Some(wanted) => {
                Err(Answer::text(401, "Unauthorized\n").header("WWW-Authenticate", "Basic"))
            }
            _ => Ok(()),
        }
    }
}

fn success(data: Value) -> Answer {
    Answer::json(200, &json!({"status": "success", "data": data}))
}

fn failure(status: u16, kind: &str, text: &str) -> Answer {
    Answer::json(
        status,
        &json!({"status": "error", "errorType": kind, "error": text}),
    )
}

fn bad_data(text: &str) -> Answer {
    failure(400, "bad_data", text)
}

/// What a query that is not in the tables gets.
fn refusal(query: &str) -> Answer {
    match query {
        "slow" => failure(503, "timeout", "query timed out in expression evaluation"),
        "twins" => failure(
            422,
            "execution",
            "found duplicate series for the match group {} on the right hand-side of the operation",
        ),
        query => bad_data(&format!(
            "invalid parameter \"query\": 1:1: parse error: unexpected end of input in {query}"
        )),
    }
}

/// Of the query or of a form body.
fn parameter(call: &Call, name: &str) -> Option<String> {
    call.query(name).or_else(|| {
        let mut form = call.form().into_iter();
        form.find(|(known, _)| known == name)
            .map(|(_, value)| value)
    })
}

fn limit(call: &Call) -> Result<Option<usize>, Answer> {
    let Some(text) = parameter(call, "limit") else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        bad_data(&format!(
            "invalid parameter \"limit\": strconv.Atoi: parsing \"{text}\": invalid syntax"
        ))
    })
}

fn listed(call: &Call, all: &[&str]) -> Answer {
    match limit(call) {
        Err(answer) => answer,
        // 0 means no limit.
        Ok(max) => {
            let max = max.filter(|max| *max > 0).unwrap_or(usize::MAX);
            success(json!(&all[..all.len().min(max)]))
        }
    }
}

/// Unix seconds or RFC 3339, nothing else.
fn instant(name: &str, text: &str) -> Result<f64, Answer> {
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        return Ok(seconds);
    }
    let is_rfc3339 = text.len() >= 20 && text.as_bytes()[10] == b'T' && text.contains(':');
    if is_rfc3339 {
        return Ok(NOW);
    }
    Err(bad_data(&format!(
        "invalid parameter \"{name}\": cannot parse \"{text}\" to a valid timestamp"
    )))
}

/// Seconds, or a Prometheus duration of one unit.
fn seconds(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let unit = match &text[at..] {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        "w" => 604_800.0,
        _ => return None,
    };
    Some(text[..at].parse::<f64>().ok()? * unit)
}
