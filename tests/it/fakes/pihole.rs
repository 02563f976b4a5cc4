//! Pi-hole 6, from the OpenAPI files that FTL v6.4.1 serves itself, and its `auth.c` for which
//! answer a session that is gone gets.

use super::super::support::{Answer, Call, Route, Service, Value, json};

/// A resolver with a password, or without.
pub struct Pihole {
    /// The password; none: nobody needs to log in.
    pub password: Option<&'static str>,
    /// How many sessions there may be at a time (`webserver.api.max_sessions`, 16 by default).
    pub seats: usize,
    /// The sessions that are open.
    pub sessions: Vec<String>,
    /// How many there were in all.
    pub logins: usize,
    /// Whether it blocks.
    pub is_blocking: bool,
    /// Seconds until it changes back.
    pub timer: Option<f64>,
    /// Domains on the lists, as the API shows them.
    pub domains: Vec<Value>,
}

impl Pihole {
    /// One that wants a password and has sixteen seats.
    pub fn new() -> Pihole {
        Pihole {
            password: Some("correct horse"),
            seats: 16,
            sessions: Vec::new(),
            logins: 0,
            is_blocking: true,
            timer: None,
            domains: vec![domain("ads.example", "deny", "exact", Some("seen on TV"))],
        }
    }

    fn error(status: u16, key: &str, message: &str, hint: Value) -> Answer {
        let error = json!({"key": key, "message": message, "hint": hint});
        Answer::json(status, &json!({"error": error, "took": 0.003}))
    }

    fn log_in(&mut self, call: &Call) -> Answer {
        let Some(body) = call.try_json() else {
            return Pihole::error(
                400,
                "bad_request",
                "No valid JSON payload found",
                Value::Null,
            );
        };
        let session = |valid: bool, sid: Option<&str>, validity: i32, message: &str| {
            json!({
                "session": {"valid": valid, "totp": false, "sid": sid, "csrf": sid.map(|_| "Ux87YTIiMOf/GKCefVIOMw="),
                    "validity": validity, "message": message},
                "took": 0.003,
            })
        };
        let Some(password) = self.password else {
            return Answer::json(200, &session(true, None, -1, "no auth for local user"));
        };
        let Some(given) = body["password"].as_str() else {
            return Pihole::error(
                400,
                "bad_request",
                "No password found in JSON payload",
                Value::Null,
            );
        };
        if given != password {
            return Answer::json(401, &session(false, None, -1, "password incorrect"));
        }
        if self.sessions.len() >= self.seats {
            let hint = json!("increase webserver.api.max_sessions");
            return Pihole::error(429, "api_seats_exceeded", "API seats exceeded", hint);
        }
        self.logins += 1;
        // Base64 with all it may hold, as the real ones.
        let sid = format!("vFA+EP4MQ5/Jv{}=", self.logins);
        self.sessions.push(sid.clone());
        Answer::json(200, &session(true, Some(&sid), 1800, "correct password"))
    }

    fn log_out(&mut self, call: &Call) -> Answer {
        let before = self.sessions.len();
        self.sessions
            .retain(|sid| Some(sid.as_str()) != call.header("x-ftl-sid"));
        match self.sessions.len() < before {
            true => Answer::empty(204),
            false => Answer::json(404, &json!({"took": 0.003})),
        }
    }

    fn summary(&mut self, _: &Call) -> Answer {
        Answer::json(
            200,
            &json!({
                "queries": {
                    "total": 7497, "blocked": 3465, "percent_blocked": 46.218_487, "unique_domains": 445,
                    "forwarded": 4574, "cached": 9765, "frequency": 1.1,
                    "types": {"A": 3643, "AAAA": 123, "ANY": 0, "SRV": 345},
                    "status": {"UNKNOWN": 3, "GRAVITY": 72, "FORWARDED": 533},
                    "replies": {"UNKNOWN": 3, "NODATA": 72},
                },
                "clients": {"active": 10, "total": 22},
                "gravity": {"domains_being_blocked": 104_756, "last_update": 1_763_600_000},
                "took": 0.003,
            }),
        )
    }

    fn top_domains(&mut self, call: &Call) -> Answer {
        let all = match call.query("blocked").as_deref() {
            Some("true") => {
                json!([{"domain": "ads.example", "count": 812}, {"domain": "track.example", "count": 77}])
            }
            _ => json!([{"domain": "pi-hole.net", "count": 8516}]),
        };
        let count = call
            .query("count")
            .and_then(|count| count.parse().ok())
            .unwrap_or(10);
        let domains: Vec<_> = all.as_array().into_iter().flatten().take(count).collect();
        Answer::json(
            200,
            &json!({"domains": domains, "total_queries": 29160, "blocked_queries": 6379, "took": 0.003}),
        )
    }

    fn queries(&mut self, call: &Call) -> Answer {
        for time in ["from", "until"] {
            if call
                .query(time)
                .is_some_and(|time| time.parse::<f64>().is_err())
            {
                return Pihole::error(400, "bad_request", &format!("Invalid {time}"), Value::Null);
            }
        }
        let one = |id: u32, domain: &str, ip: &str, status: &str| {
            json!({
                "id": id, "time": 1_763_650_000.539_157, "type": "A", "domain": domain, "cname": null, "status": status,
                "client": {"ip": ip, "name": "desktop.lan"}, "dnssec": "INSECURE", "list_id": null,
                "upstream": "localhost#5353", "reply": {"type": "IP", "time": 19}, "ede": {"code": 0, "text": null},
            })
        };
        let all = [
            one(2, "ads.example", "192.168.0.14", "GRAVITY"),
            one(1, "community.example", "192.168.0.14", "FORWARDED"),
            one(0, "community.example", "192.168.0.15", "CACHE"),
        ];
        let fits = |name: &str, value: &Value| {
            let wanted = call.query(name);
            wanted.is_none_or(|wanted| *value == *wanted)
        };
        let found: Vec<_> = all
            .into_iter()
            .filter(|query| {
                fits("domain", &query["domain"])
                    && fits("client_ip", &query["client"]["ip"])
                    && fits("status", &query["status"])
            })
            .collect();
        let length = call
            .query("length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(100);
        let shown: Vec<_> = found.iter().take(length).collect();
        Answer::json(
            200,
            &json!({"queries": shown, "cursor": 175_881, "recordsTotal": 3, "recordsFiltered": found.len(), "draw": 1, "took": 0.01}),
        )
    }

    fn blocking(&mut self, _: &Call) -> Answer {
        let word = if self.is_blocking {
            "enabled"
        } else {
            "disabled"
        };
        Answer::json(
            200,
            &json!({"blocking": word, "timer": self.timer, "took": 0.003}),
        )
    }

    fn set_blocking(&mut self, call: &Call) -> Answer {
        let Some(body) = call.try_json() else {
            return Pihole::error(
                400,
                "bad_request",
                "Invalid request body data (no valid JSON)",
                Value::Null,
            );
        };
        let Some(is_blocking) = body["blocking"].as_bool() else {
            return Pihole::error(
                400,
                "body_error",
                "No \"blocking\" boolean in body data",
                Value::Null,
            );
        };
        self.is_blocking = is_blocking;
        self.timer = body["timer"].as_f64().filter(|timer| *timer > 0.0);
        self.blocking(call)
    }

    fn add_domain(&mut self, call: &Call) -> Answer {
        let (list, kind) = (call.arg("type"), call.arg("kind"));
        if !["allow", "deny"].contains(&list) || !["exact", "regex"].contains(&kind) {
            let message = "Invalid request: Specify list to modify more precisely";
            return Pihole::error(400, "uri_error", message, Value::Null);
        }
        let Some(body) = call.try_json() else {
            return Pihole::error(
                400,
                "bad_request",
                "Invalid request body data (no valid JSON)",
                Value::Null,
            );
        };
        let name = body["domain"].as_str().unwrap_or_default();
        if kind == "regex" && name.matches('[').count() != name.matches(']').count() {
            return Pihole::error(
                400,
                "regex_error",
                "Regex validation failed",
                json!("Missing ']'"),
            );
        }
        if name.contains(' ') {
            let message = "Spaces, newlines and tabs are not allowed in domains and URLs";
            return Pihole::error(400, "bad_request", message, json!(name));
        }
        let is_known =
            |it: &&Value| it["domain"] == name && it["type"] == list && it["kind"] == kind;
        let known = self.domains.iter().find(is_known).cloned();
        // Created it says, whether it could be added or not.
        let processed = match &known {
            Some(_) => json!({"success": [], "errors": [{"item": name,
                "error": "UNIQUE constraint failed: domainlist.domain, domainlist.type"}]}),
            None => json!({"success": [{"item": name}], "errors": []}),
        };
        let shown = known.unwrap_or_else(|| {
            let new = domain(name, list, kind, body["comment"].as_str());
            self.domains.push(new.clone());
            new
        });
        Answer::json(
            201,
            &json!({"domains": [shown], "took": 0.012, "processed": processed}),
        )
    }

    fn remove_domain(&mut self, call: &Call) -> Answer {
        let before = self.domains.len();
        self.domains.retain(|it| {
            it["domain"] != call.arg("domain")
                || it["type"] != call.arg("type")
                || it["kind"] != call.arg("kind")
        });
        match self.domains.len() < before {
            true => Answer::empty(204),
            false => Answer::json(404, &json!({"took": 0.003})),
        }
    }

    fn search(&mut self, call: &Call) -> Answer {
        let wanted = call.arg("domain").to_lowercase();
        let is_partial = call.query("partial").as_deref() == Some("true");
        let fits = |name: &Value| {
            let name = name.as_str().unwrap_or_default();
            name == wanted || is_partial && name.contains(&wanted)
        };
        let domains: Vec<_> = self
            .domains
            .iter()
            .filter(|it| fits(&it["domain"]))
            .collect();
        let gravity: Vec<_> = [json!({
            "domain": "doubleclick.example", "address": "https://lists.example/hosts", "comment": "big list", "enabled": true,
            "id": 0, "type": "block", "date_added": 1_664_624_500, "date_modified": 1_664_624_500,
            "date_updated": 1_664_624_500, "number": 7, "invalid_domains": 0, "abp_entries": 0, "status": 1, "groups": [0],
        })]
        .into_iter()
        .filter(|it| fits(&it["domain"]))
        .collect();
        let total = domains.len() + gravity.len();
        Answer::json(
            200,
            &json!({"search": {
                "domains": domains,
                "gravity": gravity,
                "parameters": {"partial": is_partial, "N": 20, "domain": wanted, "debug": false},
                "results": {"domains": {"exact": domains.len(), "regex": 0}, "gravity": {"allow": 0, "block": gravity.len()}, "total": total},
            }, "took": 0.01}),
        )
    }

    fn version(&mut self, _: &Call) -> Answer {
        let ftl = json!({"local": {"branch": "master", "version": "v6.4.1", "hash": "8d1add8"}});
        Answer::json(200, &json!({"version": {"ftl": ftl}, "took": 0.003}))
    }
}

impl Service for Pihole {
    const ROUTES: &'static [Route<Pihole>] = &[
        ("POST", "/api/auth", Pihole::log_in),
        ("DELETE", "/api/auth", Pihole::log_out),
        ("GET", "/api/stats/summary", Pihole::summary),
        ("GET", "/api/stats/top_domains", Pihole::top_domains),
        ("GET", "/api/queries", Pihole::queries),
        ("GET", "/api/dns/blocking", Pihole::blocking),
        ("POST", "/api/dns/blocking", Pihole::set_blocking),
        ("POST", "/api/domains/{type}/{kind}", Pihole::add_domain),
        (
            "DELETE",
            "/api/domains/{type}/{kind}/{domain}",
            Pihole::remove_domain,
        ),
        ("GET", "/api/search/{domain}", Pihole::search),
        ("GET", "/api/info/version", Pihole::version),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        let sid = call.header("x-ftl-sid").unwrap_or_default();
        let is_login = call.method == "POST" && call.path().ends_with("/api/auth");
        let is_open = self.password.is_none() || is_login;
        match is_open || self.sessions.iter().any(|known| known == sid) {
            true => Ok(()),
            false => Err(Pihole::error(
                401,
                "unauthorized",
                "Unauthorized",
                Value::Null,
            )),
        }
    }

    fn unknown(&self, call: &Call) -> Answer {
        Pihole::error(404, "not_found", "Not found", json!(call.path()))
    }

    fn wrong_verb(&self, _: &Call) -> Answer {
        Pihole::error(405, "method_not_allowed", "Method not allowed", Value::Null)
    }
}

fn domain(name: &str, list: &str, kind: &str, comment: Option<&str>) -> Value {
    json!({
        "domain": name, "unicode": name, "type": list, "kind": kind, "comment": comment, "groups": [0],
        "enabled": true, "id": 299, "date_added": 1_611_239_095, "date_modified": 1_612_163_756,
    })
}
