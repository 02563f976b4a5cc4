//! Uptime Kuma, from the routers, `auth.js` and `prometheus.js` of its source (2.5, August 2026).
//! Monitors have no REST interface there, and so have none here.

use siskin::base64;

use super::super::support::{Answer, Call, Paths, Route, Service, Value, json};

/// The API key it accepts, as the password of any name.
pub const KEY: &str = "uk1_se-cret";

/// The token of the push monitor.
pub const PUSH_TOKEN: &str = "pQ7rT";

/// A watcher of three monitors.
pub struct UptimeKuma {
    /// Authenticated calls it still takes in this minute.
    pub calls_left: u32,
    /// Heartbeats that were pushed: status, message, ping.
    pub beats: Vec<[Option<String>; 3]>,
}

impl UptimeKuma {
    /// One that takes its sixty calls.
    pub fn new() -> UptimeKuma {
        UptimeKuma {
            calls_left: 60,
            beats: Vec::new(),
        }
    }

    fn metrics(&mut self, call: &Call) -> Answer {
        let given = call
            .header("authorization")
            .and_then(|it| it.strip_prefix("Basic "));
        let given = given.and_then(base64::decode).unwrap_or_default();
        let given = String::from_utf8_lossy(&given);
        let is_known = given
            .split_once(':')
            .is_some_and(|(_, password)| password == KEY);
        // Too many calls look like a wrong key.
        if !is_known || self.calls_left == 0 {
            return Answer::empty(401).header("WWW-Authenticate", "Basic");
        }
        self.calls_left -= 1;
        Answer::new(200, "text/plain; version=0.0.4; charset=utf-8", METRICS)
    }

    fn status_page(&mut self, call: &Call) -> Answer {
        if call.arg("slug").to_lowercase() != "home" {
            return failure("Status Page Not Found");
        }
        Answer::json(
            200,
            &json!({
                "config": {
                    "slug": "home", "title": "At home", "description": "What runs here", "icon": "/icon.svg", "autoRefreshInterval": 300,
                    "theme": "auto", "published": true, "showTags": false, "customCSS": "body { color: red }", "footerText": null,
                    "showPoweredBy": true, "analyticsId": null, "showCertificateExpiry": false,
                },
                "incidents": [{"id": 1, "style": "warning", "title": "New router", "content": "Short breaks until noon.", "pin": true,
                    "active": true, "createdDate": "2026-11-20 08:00:00", "lastUpdatedDate": null, "status_page_id": 1}],
                "publicGroupList": [{"id": 1, "name": "Services", "weight": 1, "monitorList": [
                    {"id": 1, "name": "Wiki", "sendUrl": 0, "type": "http"}, {"id": 2, "name": "NAS", "sendUrl": 0, "type": "ping"}]}],
                "maintenanceList": [],
            }),
        )
    }

    fn heartbeats(&mut self, call: &Call) -> Answer {
        // A page that is not there is one without monitors.
        if call.arg("slug").to_lowercase() != "home" {
            return Answer::json(200, &json!({"heartbeatList": {}, "uptimeList": {}}));
        }
        let beats = |last: u8, count: usize| {
            let mut beats = vec![
                json!({"status": 1, "time": "2026-11-20 08:00:00.000", "msg": "", "ping": 12});
                count
            ];
            beats.push(
                json!({"status": last, "time": "2026-11-20 08:01:00.000", "msg": "", "ping": null}),
            );
            json!(beats)
        };
        Answer::json(
            200,
            &json!({"heartbeatList": {"1": beats(1, 99), "2": beats(0, 99)}, "uptimeList": {"1_24": 0.999_305_555, "2_24": 0.25}}),
        )
    }

    fn push(&mut self, call: &Call) -> Answer {
        let failed = |text: &str| Answer::json(404, &json!({"ok": false, "msg": text}));
        let ping: f64 = call
            .query("ping")
            .and_then(|ping| ping.parse().ok())
            .unwrap_or(0.0);
        if !(0.0..=100_000_000_000.0).contains(&ping) {
            return failed("Invalid ping value. Must be between 0 and 100000000000 ms.");
        }
        if call.arg("token") != PUSH_TOKEN {
            return failed("Monitor not found or not active.");
        }
        self.beats
            .push(["status", "msg", "ping"].map(|name| call.query(name)));
        Answer::json(200, &json!({"ok": true}))
    }
}

impl Service for UptimeKuma {
    const PATHS: Paths = Paths::Segments;
    const ROUTES: &'static [Route<UptimeKuma>] = &[
        ("GET", "/metrics", UptimeKuma::metrics),
        (
            "GET",
            "/api/status-page/heartbeat/{slug}",
            UptimeKuma::heartbeats,
        ),
        ("GET", "/api/status-page/{slug}", UptimeKuma::status_page),
        ("GET", "/api/push/{token}", UptimeKuma::push),
        ("POST", "/api/push/{token}", UptimeKuma::push),
    ];

    /// The interface itself answers whatever is not known, with 200.
    fn unknown(&self, _: &Call) -> Answer {
        Answer::new(
            200,
            "text/html; charset=utf-8",
            "<!DOCTYPE html><html><head><title>Uptime Kuma</title></head></html>",
        )
    }
}

fn failure(text: &str) -> Answer {
    let body: Value = json!({"status": "fail", "msg": text});
    Answer::json(404, &body)
}

/// Labels that a monitor has no value for are the word `null`.
const METRICS: &str = r#"# HELP monitor_cert_days_remaining The number of days remaining until the certificate expires
# TYPE monitor_cert_days_remaining gauge
monitor_cert_days_remaining{monitor_id="1",monitor_name="Wiki",monitor_type="http",monitor_url="https://wiki.lan",monitor_hostname="null",monitor_port="null"} 12

# HELP monitor_cert_is_valid Is the certificate still valid? (1 = Yes, 0= No)
# TYPE monitor_cert_is_valid gauge
monitor_cert_is_valid{monitor_id="1",monitor_name="Wiki",monitor_type="http",monitor_url="https://wiki.lan",monitor_hostname="null",monitor_port="null"} 1

# HELP monitor_uptime_ratio Uptime ratio calculated over sliding window specified by the 'window' label. (0.0 - 1.0)
# TYPE monitor_uptime_ratio gauge
monitor_uptime_ratio{monitor_id="1",monitor_name="Wiki",monitor_type="http",monitor_url="https://wiki.lan",monitor_hostname="null",monitor_port="null",window="1d"} 0.9993055555
monitor_uptime_ratio{monitor_id="1",monitor_name="Wiki",monitor_type="http",monitor_url="https://wiki.lan",monitor_hostname="null",monitor_port="null",window="30d"} 1
monitor_uptime_ratio{monitor_id="2",monitor_name="NAS \"old\"",monitor_type="ping",monitor_url="https://",monitor_hostname="192.168.1.5",monitor_port="null",window="1d"} 0.25

# HELP monitor_response_time Monitor Response Time (ms)
# TYPE monitor_response_time gauge
monitor_response_time{monitor_id="1",monitor_name="Wiki",monitor_type="http",monitor_url="https://wiki.lan",monitor_hostname="null",monitor_port="null"} 12
monitor_response_time{monitor_id="2",monitor_name="NAS \"old\"",monitor_type="ping",monitor_url="https://",monitor_hostname="192.168.1.5",monitor_port="null"} -1

# HELP monitor_status Monitor Status (1 = UP, 0= DOWN, 2= PENDING, 3= MAINTENANCE)
# TYPE monitor_status gauge
monitor_status{monitor_id="1",monitor_name="Wiki",monitor_type="http",monitor_url="https://wiki.lan",monitor_hostname="null",monitor_port="null"} 1
monitor_status{monitor_id="2",monitor_name="NAS \"old\"",monitor_type="ping",monitor_url="https://",monitor_hostname="192.168.1.5",monitor_port="null"} 0
monitor_status{monitor_id="3",monitor_name="Backup",monitor_type="push",monitor_url="https://",monitor_hostname="null",monitor_port="null"} 3

# HELP app_version The service version by package.json
# TYPE app_version gauge
app_version{version="2.5.3",major="2",minor="5",patch="3"} 1
"#;
