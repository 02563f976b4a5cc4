//! The tools of `config/packs/prometheus.toml` against a fake Prometheus.

use crate::fakes::prometheus::Prometheus;
use crate::support::{Answer, Rig, Upstream, Value, json};

/// The pairs of a form.
fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// One query that succeeds: the form that arrives and the result.
#[track_caller]
fn check_query(
    rig: &mut Rig<Prometheus>,
    arguments: Value,
    form: &[(&str, &str)],
    expected: Value,
) {
    let found = rig.json("prometheus_query", arguments);
    let call = rig.upstream.only();
    assert_eq!(call.line(), "POST /api/v1/query");
    assert_eq!(
        call.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(call.form(), pairs(form));
    assert_eq!(found, expected);
}

fn rig() -> Rig<Prometheus> {
    Rig::start("prometheus", None, Upstream::start(Prometheus::default()))
}

/// One call that succeeds: the request that arrives and the result.
#[track_caller]
fn check(rig: &mut Rig<Prometheus>, tool: &str, arguments: Value, line: &str, expected: Value) {
    let found = rig.json(tool, arguments);
    let call = rig.upstream.only();
    assert_eq!(call.line(), line, "{tool}");
    assert_eq!(call.header("authorization"), None, "{tool}");
    assert_eq!(found, expected, "{tool}");
}

#[test]
fn every_kind_of_result_is_read() {
    let mut rig = rig();
    let at = "2023-11-14T22:13:20.123Z";
    let up = |instance: &str, value: &str| {
        let metric = json!({"__name__": "up", "job": "node", "instance": instance});
        json!({"metric": metric, "time": at, "value": value})
    };
    check_query(
        &mut rig,
        json!({"query": "up"}),
        &[("query", "up"), ("limit", "100")],
        json!({"items": [up("a:9100", "1"), up("b:9100", "0")], "shown": 2, "total": 2}),
    );
    check_query(
        &mut rig,
        json!({"query": "1+1", "time": 1_700_000_000, "timeout": "10s", "limit": 5}),
        &[
            ("query", "1+1"),
            ("time", "1700000000"),
            ("timeout", "10s"),
            ("limit", "5"),
        ],
        json!({"items": [{"time": "2023-11-14T22:13:20Z", "value": "2"}], "shown": 1, "total": 1}),
    );
    check_query(
        &mut rig,
        json!({"query": "'text'"}),
        &[("query", "'text'"), ("limit", "100")],
        json!({"items": [{"time": at, "value": "text"}], "shown": 1, "total": 1}),
    );
    check_query(
        &mut rig,
        json!({"query": "none"}),
        &[("query", "none"), ("limit", "100")],
        json!({"items": [], "shown": 0, "total": 0}),
    );
    let values = rig.json("prometheus_query", json!({"query": "up[1m]"}));
    assert_eq!(values["items"][0]["values"].as_array().unwrap().len(), 2);
    let latency = rig.json("prometheus_query", json!({"query": "latency"}));
    assert_eq!(latency["items"][0]["histogram"]["count"], "60", "{latency}");
    let fractions = rig.json("prometheus_query", json!({"query": "fraction"}));
    assert_eq!(fractions["items"][0]["value"], "0.123457");
    assert_eq!(fractions["items"][1]["value"], "NaN");
    let warned = rig.json("prometheus_query", json!({"query": "warned"}));
    assert_eq!(warned["warnings"], json!(["remote read failed"]));
    assert_eq!(warned["infos"], json!(["metric might not be a counter"]));
}

#[test]
fn a_range_has_a_step_that_the_server_takes() {
    let mut rig = rig();
    // Seven days at 15 s would be 40,320 points; 200 are 3024 s apart.
    let week = rig.json(
        "prometheus_query_range",
        json!({"query": "up", "start": "2023-11-14T22:13:20Z", "end": 1_700_604_800}),
    );
    let call = rig.upstream.only();
    assert_eq!(call.line(), "POST /api/v1/query_range");
    let expected = [
        ("query", "up"),
        ("start", "1700000000"),
        ("end", "1700604800"),
        ("step", "3024"),
        ("limit", "20"),
    ];
    assert_eq!(call.form(), pairs(&expected));
    let values = week["items"][0]["values"].as_array().unwrap();
    assert!((190..=200).contains(&values.len()), "{}", values.len());
    assert_eq!(values[0][1], "0.333333");

    // A short range is not finer than 15 s; points over the limit are thinned, and that is told.
    let hour = rig.json(
        "prometheus_query_range",
        json!({"query": "up", "start": 1_700_000_000, "end": 1_700_000_600, "max_points": 10}),
    );
    let step = rig.upstream.only().form().remove(3);
    assert_eq!(step, ("step".to_owned(), "15".to_owned()));
    assert!(
        hour["items"][0]["values"].as_array().unwrap().len() <= 10,
        "{hour}"
    );
    assert!(hour["note"].is_string(), "{hour}");

    // Days ago, by one clock.
    rig.json(
        "prometheus_query_range",
        json!({"query": "up", "start": "7d", "step": "1h"}),
    );
    let form = rig.upstream.only().form();
    let seconds = |at: usize| form[at].1.parse::<i64>().unwrap();
    assert_eq!(seconds(2) - seconds(1), 7 * 86_400);
    assert_eq!(seconds(3), 3600);

    // What the server refuses is told in its words.
    let text = rig.failure(
        "prometheus_query_range",
        json!({"query": "up", "start": "7d", "step": "15s"}),
    );
    assert!(text.contains("11,000 points"), "{text}");
    let text = rig.failure(
        "prometheus_query_range",
        json!({"query": "up", "start": 1_700_000_600, "end": 1_700_000_000, "step": "15"}),
    );
    assert!(text.contains("must not be before start"), "{text}");
}

#[test]
fn labels_series_and_metadata_are_listed() {
    let mut rig = rig();
    check(
        &mut rig,
        "prometheus_list_label_names",
        json!({"match": ["up", "{job=\"node\"}"]}),
        "GET /api/v1/labels?match%5B%5D=up&match%5B%5D=%7Bjob%3D%22node%22%7D&limit=500",
        json!({"items": ["__name__", "instance", "job"], "shown": 3, "total": 3}),
    );
    check(
        &mut rig,
        "prometheus_list_label_values",
        json!({"label": "job", "limit": 1}),
        "GET /api/v1/label/job/values?limit=1",
        json!({"items": ["node"], "shown": 1, "total": 1}),
    );
    check(
        &mut rig,
        "prometheus_list_label_values",
        json!({"label": "U__http_2e_status", "match": "up"}),
        "GET /api/v1/label/U__http_2e_status/values?match%5B%5D=up&limit=500",
        json!({"items": ["200", "404"], "shown": 2, "total": 2}),
    );
    check(
        &mut rig,
        "prometheus_list_label_values",
        json!({"label": "job", "contains": "PROM"}),
        "GET /api/v1/label/job/values",
        json!({"items": ["prometheus"], "shown": 1, "total": 1}),
    );
    check(
        &mut rig,
        "prometheus_list_label_values",
        json!({"label": "nobody"}),
        "GET /api/v1/label/nobody/values?limit=500",
        json!({"items": [], "shown": 0, "total": 0}),
    );
    for (given, sent) in [
        (json!("up"), vec!["up"]),
        (json!(["up", "down"]), vec!["up", "down"]),
    ] {
        let found = rig.json(
            "prometheus_find_series",
            json!({"match": given, "lookback": "2023-11-14T22:13:20Z", "limit": 7}),
        );
        let call = rig.upstream.only();
        assert_eq!(call.path(), "/api/v1/series");
        assert_eq!(call.queries("match[]"), sent);
        assert_eq!(call.query("start").as_deref(), Some("1700000000"));
        assert_eq!(call.query("limit").as_deref(), Some("7"));
        let first = json!({"__name__": "up", "job": "node", "instance": "a:9100"});
        assert_eq!(found["items"][0], first);
        assert_eq!(found["total"], sent.len());
    }
    check(
        &mut rig,
        "prometheus_get_metadata",
        json!({"metric": "up"}),
        "GET /api/v1/metadata?metric=up&limit=50",
        json!({"items": [{"metric": "up", "type": "gauge", "help": "1 if the instance is healthy, 0 if the scrape failed."}],
            "shown": 1, "total": 1}),
    );
    let two = rig.json("prometheus_get_metadata", json!({"limit": 2}));
    assert_eq!(rig.upstream.only().line(), "GET /api/v1/metadata?limit=2");
    assert_eq!(two["items"].as_array().unwrap().len(), 2);
}

#[test]
fn targets_and_alerts_are_short() {
    let mut rig = rig();
    let target = |instance: &str, health: &str| {
        json!({"job": "node", "instance": instance, "health": health,
            "scraped": "2026-01-17T15:07:44.723715405+01:00", "seconds": 0.0507, "interval": "1m"})
    };
    let mut down = target("b:9100", "down");
    down["error"] = json!("connection refused");
    check(
        &mut rig,
        "prometheus_list_targets",
        json!({}),
        "GET /api/v1/targets?state=active",
        json!({"items": [target("a:9100", "up"), down], "shown": 2, "total": 2}),
    );
    check(
        &mut rig,
        "prometheus_list_targets",
        json!({"only_down": true, "scrape_pool": "node"}),
        "GET /api/v1/targets?state=active&scrapePool=node",
        json!({"items": [down], "shown": 1, "total": 1}),
    );
    let labels = json!({"alertname": "NodeDown", "severity": "page"});
    check(
        &mut rig,
        "prometheus_get_alerts",
        json!({}),
        "GET /api/v1/alerts",
        json!({"items": [{"name": "NodeDown", "state": "firing", "since": "2026-07-04T20:27:12.60602144+02:00",
            "value": "1e+00", "labels": labels, "summary": "b is down"}], "shown": 1, "total": 1}),
    );
    check(
        &mut rig,
        "prometheus_get_alert_rules",
        json!({"state": "firing"}),
        "GET /api/v1/rules?type=alert",
        json!({"items": [{"name": "NodeDown", "state": "firing", "query": "up == 0", "for_s": 600,
            "labels": {"severity": "page"}, "summary": "{{ $labels.instance }} is down", "health": "ok"}],
            "shown": 1, "total": 1}),
    );
    let quiet = rig.json("prometheus_get_alert_rules", json!({"state": "inactive"}));
    assert_eq!(quiet["items"], json!([]));
}

#[test]
fn refusals_are_told_in_the_servers_words() {
    let mut rig = rig();
    for (query, status, words) in [
        ("bad(", "400", "parse error: unexpected end of input"),
        ("twins", "422", "found duplicate series"),
        ("slow", "503", "query timed out"),
    ] {
        let text = rig.failure("prometheus_query", json!({"query": query}));
        assert!(text.contains(status) && text.contains(words), "{text}");
        let range = json!({"query": query, "start": "1h"});
        let text = rig.failure("prometheus_query_range", range);
        assert!(text.contains(status) && text.contains(words), "{text}");
    }
    let text = rig.failure("prometheus_find_series", json!({"match": "up!"}));
    assert!(
        text.contains("400") && text.contains("parse error"),
        "{text}"
    );
    let text = rig.failure("prometheus_list_label_values", json!({"label": "2xx"}));
    assert!(text.contains("invalid label name"), "{text}");
    rig.upstream.taken();
    for (tool, path) in [
        ("prometheus_list_label_names", "/api/v1/labels"),
        ("prometheus_list_targets", "/api/v1/targets"),
        ("prometheus_get_metadata", "/api/v1/metadata"),
        ("prometheus_get_alerts", "/api/v1/alerts"),
        ("prometheus_get_alert_rules", "/api/v1/rules"),
    ] {
        let error =
            json!({"status": "error", "errorType": "internal", "error": "the disk is full"});
        rig.upstream.next("GET", path, Answer::json(500, &error));
        let text = rig.failure(tool, json!({}));
        assert!(
            text.contains("500") && text.contains("the disk is full"),
            "{tool}: {text}"
        );
        rig.upstream.only();
    }
}

#[test]
fn credentials_are_optional_and_of_two_kinds() {
    for (token, header) in [
        ("ada:secret", "Basic YWRhOnNlY3JldA=="),
        ("abc.def", "Bearer abc.def"),
    ] {
        let prometheus = Prometheus {
            authorization: Some(header),
        };
        let mut rig = Rig::start(
            "prometheus",
            Some(token),
            Upstream::start_under("/prom", prometheus),
        );
        rig.json("prometheus_get_alerts", json!({}));
        assert_eq!(rig.upstream.only().line(), "GET /prom/api/v1/alerts");
    }
    let prometheus = Prometheus {
        authorization: Some("Basic YWRhOnNlY3JldA=="),
    };
    let mut rig = Rig::start("prometheus", Some("ada:wrong"), Upstream::start(prometheus));
    let text = rig.failure("prometheus_query", json!({"query": "up"}));
    assert!(text.contains("401") && !text.contains("wrong"), "{text}");
}

#[test]
fn arguments_mean_what_they_say_or_are_refused() {
    let mut rig = rig();
    for (tool, arguments, words) in [
        ("prometheus_query", json!({}), "query"),
        ("prometheus_query", json!({"query": ""}), "query"),
        (
            "prometheus_query",
            json!({"query": "up", "time": "soon"}),
            "time",
        ),
        (
            "prometheus_query",
            json!({"query": "up", "limit": 0}),
            "limit",
        ),
        ("prometheus_query_range", json!({"query": "up"}), "start"),
        (
            "prometheus_query_range",
            json!({"query": "up", "start": "1h", "step": "fine"}),
            "step",
        ),
        (
            "prometheus_query_range",
            json!({"query": "up", "start": "eine Woche"}),
            "start",
        ),
        (
            "prometheus_list_label_names",
            json!({"match": [5, {}]}),
            "match",
        ),
        ("prometheus_list_label_values", json!({}), "label"),
        (
            "prometheus_list_label_values",
            json!({"label": ".."}),
            "label",
        ),
        ("prometheus_find_series", json!({}), "match"),
        ("prometheus_find_series", json!({"match": []}), "match"),
        (
            "prometheus_find_series",
            json!({"match": "up", "lookback": "long"}),
            "lookback",
        ),
        (
            "prometheus_list_targets",
            json!({"only_down": "perhaps"}),
            "only_down",
        ),
        ("prometheus_get_metadata", json!({"limit": -1}), "limit"),
        (
            "prometheus_get_alerts",
            json!({"state": "resolved"}),
            "pending",
        ),
        (
            "prometheus_get_alert_rules",
            json!({"state": "on fire"}),
            "firing",
        ),
    ] {
        rig.refused(tool, arguments, words);
    }
    // A label is one segment; this one no Prometheus has, but nothing else is asked for.
    let text = rig.failure("prometheus_list_label_values", json!({"label": "a/b?x"}));
    assert!(text.contains("404"), "{text}");
    assert_eq!(
        rig.upstream.only().line(),
        "GET /api/v1/label/a%2Fb%3Fx/values?limit=500"
    );
}

#[test]
fn readiness_asks_the_service_with_the_token() {
    let line = "GET /api/v1/status/buildinfo".to_owned();
    assert_eq!(rig().probe(), (line.clone(), true));
    let prometheus = Prometheus {
        authorization: Some("Bearer abc"),
    };
    let wrong = Rig::start("prometheus", None, Upstream::start(prometheus));
    assert_eq!(wrong.probe(), (line, false));
}
