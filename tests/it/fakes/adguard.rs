//! AdGuard Home, from its OpenAPI file (0.107.79, August 2026); which media types writes want and
//! how refusals look, from `internal/home/control.go` and `internal/dnsforward/http.go`.

use super::super::support::{Answer, Call, Route, Service, Value, json};

/// `admin` and `se:cret`; a password may have a colon, a name may not.
const CREDENTIALS: &str = "Basic YWRtaW46c2U6Y3JldA==";

/// A resolver.
pub struct AdGuard {
    /// Whether it filters.
    pub is_protecting: bool,
    /// For how long it does not, in milliseconds; 0: until told.
    pub pause_ms: u64,
    /// The rewrites.
    pub rewrites: Vec<Value>,
}

impl AdGuard {
    /// One that filters, with one rewrite.
    pub fn new() -> AdGuard {
        AdGuard {
            is_protecting: true,
            pause_ms: 0,
            rewrites: vec![json!({"domain": "nas.lan", "answer": "192.168.1.5", "enabled": true})],
        }
    }

    fn status(&mut self, _: &Call) -> Answer {
        Answer::json(
            200,
            &json!({
                "dns_addresses": ["127.0.0.1", "192.168.1.2"], "dns_port": 53, "http_port": 80,
                "protection_enabled": self.is_protecting, "protection_disabled_duration": self.pause_ms,
                "dhcp_available": true, "running": true, "version": "v0.107.79", "language": "en", "start_time": 1_763_600_000_000_u64,
            }),
        )
    }

    fn stats(&mut self, call: &Call) -> Answer {
        if call.query("recent").is_some_and(|recent| {
            recent
                .parse()
                .is_ok_and(|ms: u64| !ms.is_multiple_of(3_600_000))
        }) {
            return error(400, "recent: must be a multiple of one hour");
        }
        Answer::json(
            200,
            &json!({
                "time_units": "hours", "num_dns_queries": 1230, "num_blocked_filtering": 200, "num_replaced_safebrowsing": 1,
                "num_replaced_safesearch": 0, "num_replaced_parental": 0, "avg_processing_time": 0.034_567_8,
                "top_queried_domains": [{"example.org": 312}, {"example.com": 12}], "top_clients": [{"192.168.1.14": 900}],
                "top_blocked_domains": [{"ads.example": 150}], "top_upstreams_responses": [{"https://dns.example/dns-query": 700}],
                "top_upstreams_avg_time": [{"https://dns.example/dns-query": 0.02}],
                "dns_queries": vec![51; 24], "blocked_filtering": vec![8; 24],
                "replaced_safebrowsing": vec![0; 24], "replaced_parental": vec![0; 24],
            }),
        )
    }

    fn query_log(&mut self, call: &Call) -> Answer {
        const REASONS: &[&str] = &[
            "NotFilteredNotFound",
            "NotFilteredWhiteList",
            "NotFilteredError",
            "FilteredBlackList",
            "FilteredSafeBrowsing",
            "FilteredParental",
            "FilteredInvalid",
            "FilteredSafeSearch",
            "FilteredBlockedService",
            "Rewrite",
            "RewriteEtcHosts",
            "RewriteRule",
        ];
        let reasons = call.queries("reason");
        if let Some(odd) = reasons
            .iter()
            .find(|reason| !REASONS.contains(&reason.as_str()))
        {
            return error(
                400,
                &format!("parsing params: reason: bad enum value: {odd:?}"),
            );
        }
        if !reasons.is_empty() && call.query("response_status").is_some() {
            return error(
                400,
                "parsing params: \"reason\" and \"response_status\" criteria cannot be used together",
            );
        }
        let entry = |name: &str, client: &str, reason: &str, rules: Value| {
            json!({
                "answer": [{"ttl": 55, "type": "A", "value": "217.69.139.201"}], "answer_dnssec": false, "cached": false,
                "client": client, "client_info": {"disallowed": false, "disallowed_rule": "", "name": "tablet", "whois": {}},
                "client_proto": "", "elapsedMs": "54.023928", "question": {"class": "IN", "name": name, "type": "A"},
                "reason": reason, "rules": rules, "status": "NOERROR", "time": "2026-11-20T00:02:41.123456789+03:00", "upstream": "https://dns.example/dns-query",
            })
        };
        let all = [
            entry(
                "ads.example",
                "192.168.1.14",
                "FilteredBlackList",
                json!([{"filter_list_id": 1, "text": "||ads.example^"}]),
            ),
            entry(
                "example.org",
                "192.168.1.14",
                "NotFilteredNotFound",
                json!([]),
            ),
            entry(
                "example.org",
                "192.168.1.15",
                "NotFilteredNotFound",
                json!([]),
            ),
        ];
        let search = call.query("search").unwrap_or_default();
        let limit = call
            .query("limit")
            .and_then(|limit| limit.parse().ok())
            .unwrap_or(500);
        let data: Vec<_> = all
            .into_iter()
            .filter(|it| {
                reasons.is_empty() || reasons.iter().any(|reason| it["reason"] == **reason)
            })
            .filter(|it| {
                let fits =
                    |value: &Value| value.as_str().is_some_and(|value| value.contains(&search));
                fits(&it["question"]["name"]) || fits(&it["client"])
            })
            .take(limit)
            .collect();
        Answer::json(
            200,
            &json!({"data": data, "oldest": "2026-11-20T00:02:41+03:00"}),
        )
    }

    fn protect(&mut self, call: &Call) -> Answer {
        let Some(body) = call.try_json() else {
            return error(400, "reading req: unexpected EOF");
        };
        let (Some(is_on), ms) = (body["enabled"].as_bool(), &body["duration"]) else {
            return error(
                400,
                "reading req: json: cannot unmarshal into Go struct field protectionJSON.enabled of type bool",
            );
        };
        if !ms.is_null() && ms.as_u64().is_none() {
            return error(
                400,
                "reading req: json: cannot unmarshal into Go struct field protectionJSON.duration of type uint",
            );
        }
        let ms = ms.as_u64().unwrap_or(0);
        if ms > 0 && is_on {
            return error(
                400,
                "Setting a duration is only allowed with protection disabling",
            );
        }
        (self.is_protecting, self.pause_ms) = (is_on, ms);
        Answer::text(200, "OK\n")
    }

    fn check_host(&mut self, call: &Call) -> Answer {
        match call.query("name").as_deref() {
            None | Some("") => error(400, "no \"name\" parameter"),
            Some("ads.example") => Answer::json(
                200,
                &json!({
                    "reason": "FilteredBlackList", "filter_id": 1, "rule": "||ads.example^", "service_name": "", "cname": "",
                    "rules": [{"filter_list_id": 1, "text": "||ads.example^"}], "ip_addrs": null,
                }),
            ),
            Some("nas.lan") => Answer::json(
                200,
                &json!({
                    "reason": "Rewrite", "filter_id": 0, "rule": "", "service_name": "", "cname": "disk.lan",
                    "rules": [], "ip_addrs": ["192.168.1.5"],
                }),
            ),
            Some("video.example") => Answer::json(
                200,
                &json!({
                    "reason": "FilteredBlockedService", "filter_id": 0, "rule": "", "service_name": "video", "cname": "",
                    "rules": [{"filter_list_id": 0, "text": "||video.example^"}], "ip_addrs": null,
                }),
            ),
            Some(_) => Answer::json(
                200,
                &json!({"reason": "NotFilteredNotFound", "filter_id": 0, "rule": "", "rules": [], "service_name": "", "cname": "", "ip_addrs": null}),
            ),
        }
    }

    fn list_rewrites(&mut self, _: &Call) -> Answer {
        Answer::json(200, &json!(self.rewrites))
    }

    fn add_rewrite(&mut self, call: &Call) -> Answer {
        let Some(body) = call.try_json() else {
            return error(400, "json.Decode: unexpected EOF");
        };
        self.rewrites.push(json!({"domain": body["domain"], "answer": body["answer"], "enabled": body.get("enabled").unwrap_or(&json!(true))}));
        Answer::empty(200)
    }

    fn delete_rewrite(&mut self, call: &Call) -> Answer {
        let Some(body) = call.try_json() else {
            return error(400, "json.Decode: unexpected EOF");
        };
        // One that is not there is no error.
        self.rewrites
            .retain(|it| it["domain"] != body["domain"] || it["answer"] != body["answer"]);
        Answer::empty(200)
    }
}

impl Service for AdGuard {
    const ROUTES: &'static [Route<AdGuard>] = &[
        ("GET", "/control/status", AdGuard::status),
        ("GET", "/control/stats", AdGuard::stats),
        ("GET", "/control/querylog", AdGuard::query_log),
        ("POST", "/control/protection", AdGuard::protect),
        ("GET", "/control/filtering/check_host", AdGuard::check_host),
        ("GET", "/control/rewrite/list", AdGuard::list_rewrites),
        ("POST", "/control/rewrite/add", AdGuard::add_rewrite),
        ("POST", "/control/rewrite/delete", AdGuard::delete_rewrite),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        if call.header("authorization") != Some(CREDENTIALS) {
            return Err(Answer::empty(401));
        }
        if call.method == "GET" {
            return Ok(());
        }
        // Compared as a whole: a charset is refused too.
        match (call.body.is_empty(), call.header("content-type")) {
            (true, None) | (false, Some("application/json")) => Ok(()),
            (true, Some(found)) => Err(error(
                415,
                &format!("empty body with content-type {found:?} not allowed"),
            )),
            (false, _) => Err(error(415, "only content-type application/json is allowed")),
        }
    }
}

/// As Go's `http.Error`.
fn error(status: u16, text: &str) -> Answer {
    Answer::text(status, &format!("{text}\n"))
}
