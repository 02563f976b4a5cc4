//! Node-RED, from its admin routes, authentication and inject node (5.0.4, August 2026).

use super::super::support::{Answer, Call, Paths, Route, Service, Value, json};

/// A runtime with one flow.
pub struct NodeRed {
    /// Name and password; none: `adminAuth` is not set.
    pub login: Option<(&'static str, &'static str)>,
    /// Tokens that were given out.
    pub tokens: Vec<String>,
    /// How many logins were tried since one succeeded.
    pub attempts: usize,
    /// The inject nodes that were fired, with what they were to send instead.
    pub injected: Vec<(String, Option<Value>)>,
}

impl NodeRed {
    /// One that wants a login.
    pub fn new() -> NodeRed {
        NodeRed {
            login: Some(("admin", "pass:word&more")),
            tokens: Vec::new(),
            attempts: 0,
            injected: Vec::new(),
        }
    }

    fn token(&mut self, call: &Call) -> Answer {
        let form = call.form();
        let value = |wanted: &str| {
            form.iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        let failed = |status: u16, error: &str, text: &str| {
            Answer::json(status, &json!({"error": error, "error_description": text}))
        };
        let client = (
            value("client_id"),
            value("client_secret").unwrap_or("not_available"),
        );
        if !matches!(
            client,
            (Some("node-red-admin" | "node-red-editor"), "not_available")
        ) {
            return Answer::text(401, "Unauthorized");
        }
        if value("grant_type") != Some("password") {
            return failed(501, "unsupported_grant_type", "Unsupported grant type");
        }
        self.attempts += 1;
        if self.attempts > 5 {
            return failed(
                500,
                "server_error",
                "Too many login attempts. Wait 10 minutes and try again",
            );
        }
        if self.login != value("username").zip(value("password")) {
            return failed(403, "invalid_grant", "Invalid resource owner credentials");
        }
        self.attempts = 0;
        let token = format!("A4FF{}==/x", self.tokens.len());
        self.tokens.push(token.clone());
        Answer::json(
            200,
            &json!({"access_token": token, "expires_in": 604_800, "token_type": "Bearer"}),
        )
    }

    fn flows(&mut self, call: &Call) -> Answer {
        let flows = json!([
            {"id": "f1", "type": "tab", "label": "Garden", "disabled": false, "info": "Waters the beds", "env": [{"name": "KEY", "value": "hunter2", "type": "str"}]},
            {"id": "n1", "type": "inject", "z": "f1", "name": "Water now", "props": [{"p": "payload"}], "repeat": "", "crontab": "", "once": false, "topic": "", "x": 120, "y": 80, "wires": [["n2"]]},
            {"id": "n2", "type": "mqtt out", "z": "f1", "name": "Valve", "topic": "garden/valve", "x": 320, "y": 80, "wires": []},
            {"id": "c1", "type": "mqtt-broker", "name": "broker", "broker": "mqtt.lan", "port": "1883"},
        ]);
        match call.header("node-red-api-version") {
            None | Some("v1") => Answer::json(200, &flows),
            Some("v2") => Answer::json(
                200,
                &json!({"flows": flows, "rev": "91ad2d43d2d0d8f5d9bd7d9f0a4a7f9c"}),
            ),
            Some(_) => Answer::json(
                400,
                &json!({"code": "invalid_api_version", "message": "Invalid API Version requested"}),
            ),
        }
    }

    fn flow(&mut self, call: &Call) -> Answer {
        if call.arg("id") != "f1" {
            return not_found();
        }
        Answer::json(
            200,
            &json!({
                "id": "f1", "label": "Garden", "disabled": false, "info": "Waters the beds", "env": [{"name": "KEY", "value": "hunter2", "type": "str"}],
                "nodes": [
                    {"id": "n1", "type": "inject", "z": "f1", "name": "Water now", "x": 120, "y": 80, "wires": [["n2"]]},
                    {"id": "n2", "type": "mqtt out", "z": "f1", "name": "Valve", "topic": "garden/valve", "x": 320, "y": 80, "wires": []},
                ],
            }),
        )
    }

    fn inject(&mut self, call: &Call) -> Answer {
        if call.arg("id") != "n1" {
            return Answer::text(404, "Not Found");
        }
        let body = call
            .try_json()
            .filter(|body| !body["__user_inject_props__"].is_null());
        self.injected.push((call.arg("id").to_owned(), body));
        Answer::text(200, "OK")
    }

    fn context(&mut self, call: &Call) -> Answer {
        if call.query("store").is_some_and(|store| store != "memory") {
            return not_found();
        }
        if call.query("keysOnly").is_some() {
            return Answer::json(
                200,
                &json!({"memory": {"keys": [{"key": "litres"}, {"key": "password"}]}}),
            );
        }
        Answer::json(
            200,
            &json!({"memory": {
            "litres": {"msg": "42", "format": "number"}, "password": {"msg": "hunter2", "format": "string[7]"}}}),
        )
    }

    fn context_key(&mut self, call: &Call) -> Answer {
        match call.arg("key") {
            "litres" => Answer::json(200, &json!({"msg": "42", "format": "number"})),
            _ => Answer::json(200, &json!({"msg": "(undefined)", "format": "undefined"})),
        }
    }

    fn nodes(&mut self, call: &Call) -> Answer {
        // Only this value, exactly; everything else gets the editor's HTML.
        if call.header("accept") != Some("application/json") {
            return Answer::new(
                200,
                "text/html; charset=utf-8",
                "<script type=\"text/html\" data-template-name=\"inject\"></script>",
            );
        }
        let set = |id: &str, module: &str, version: &str, types: &[&str], error: Option<&str>| {
            let mut set = json!({"id": id, "name": id.split('/').nth(1), "types": types, "enabled": error.is_none(), "local": false,
                "user": false, "module": module, "version": version});
            if let Some(error) = error {
                set["err"] = json!(error);
            }
            set
        };
        Answer::json(
            200,
            &json!([
                set("node-red/inject", "node-red", "5.0.4", &["inject"], None),
                set("node-red/debug", "node-red", "5.0.4", &["debug"], None),
                set(
                    "node-red-contrib-pump/pump",
                    "node-red-contrib-pump",
                    "0.1.0",
                    &["pump"],
                    Some("Error: Cannot find module 'gpio'")
                ),
            ]),
        )
    }

    fn diagnostics(&mut self, _: &Call) -> Answer {
        Answer::json(
            200,
            &json!({
                "report": "diagnostics", "scope": "basic", "time": {"utc": "Fri, 20 Nov 2026 08:00:00 GMT", "local": "11/20/2026"},
                "intl": {"locale": "en-US", "timeZone": "UTC"},
                "nodejs": {"version": "v22.1.0", "arch": "arm64", "platform": "linux", "memoryUsage": {"rss": 90_000_000, "heapUsed": 40_000_000}},
                "os": {"containerised": "docker", "wsl": false, "totalmem": 4_000_000_000_u64, "freemem": 1_000_000_000, "arch": "arm64",
                    "loadavg": [0.1, 0.2, 0.3], "platform": "linux", "release": "6.6", "type": "Linux", "uptime": 1000.5, "version": "#1"},
                "runtime": {"version": "5.0.4", "isStarted": true, "flows": {"state": "start", "started": true},
                    "modules": {"node-red": "5.0.4"}, "settings": {"available": true, "adminAuth": "SET"}},
            }),
        )
    }

    fn settings(&mut self, _: &Call) -> Answer {
        Answer::json(
            200,
            &json!({"httpNodeRoot": "/", "version": "5.0.4", "context": {"default": "memory", "stores": ["memory"]}}),
        )
    }
}

impl Service for NodeRed {
    const PATHS: Paths = Paths::Segments;
    const ROUTES: &'static [Route<NodeRed>] = &[
        ("POST", "/auth/token", NodeRed::token),
        ("GET", "/flows", NodeRed::flows),
        ("GET", "/flow/{id}", NodeRed::flow),
        ("POST", "/inject/{id}", NodeRed::inject),
        ("GET", "/context/global", NodeRed::context),
        ("GET", "/context/global/{key:rest}", NodeRed::context_key),
        ("GET", "/nodes", NodeRed::nodes),
        ("GET", "/settings", NodeRed::settings),
        ("GET", "/diagnostics", NodeRed::diagnostics),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        let token = call
            .header("authorization")
            .and_then(|it| it.strip_prefix("Bearer "));
        let is_known = self
            .tokens
            .iter()
            .any(|known| Some(known.as_str()) == token);
        // `httpAdminRoot` may put a path before it.
        let is_login = call.method == "POST" && call.path().ends_with("/auth/token");
        match is_known || self.login.is_none() || is_login {
            true => Ok(()),
            false => Err(Answer::new(401, "text/plain", "Unauthorized")
                .header("WWW-Authenticate", "Bearer realm=\"Users\"")),
        }
    }

    fn unknown(&self, call: &Call) -> Answer {
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<body>\n<pre>Cannot {} {}</pre>\n</body>\n</html>\n",
            call.method,
            call.path()
        );
        Answer::new(404, "text/html; charset=utf-8", page)
    }

    fn wrong_verb(&self, call: &Call) -> Answer {
        self.unknown(call)
    }
}

fn not_found() -> Answer {
    // An error without a text of its own.
    Answer::json(404, &json!({"code": "not_found", "message": "Error"}))
}
