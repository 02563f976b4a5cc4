//! ntfy, from its documentation (publishing as JSON, polling) and the error table and handlers of
//! its server (2.12, July 2025).

use super::super::support::{Answer, Call, Paths, Route, Service, Value, json};

/// The access token it accepts.
pub const TOKEN: &str = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2";

/// A notification server.
pub struct Ntfy {
    /// Messages, oldest first.
    pub messages: Vec<Value>,
    /// Whether topics are closed to strangers.
    pub is_closed: bool,
}

impl Ntfy {
    /// One that lets nobody in without a token, with two messages on `alerts`.
    pub fn new() -> Ntfy {
        Ntfy {
            is_closed: true,
            messages: vec![
                json!({"id": "sPs71M8A2Taa", "time": 1_763_600_000, "expires": 1_763_643_200, "event": "message", "topic": "alerts", "message": "Disk is full", "priority": 5, "tags": ["warning"], "title": "nas"}),
                json!({"id": "sPs71M8A2Tab", "time": 1_763_603_600, "expires": 1_763_646_800, "event": "message", "topic": "alerts", "message": "Disk is fine"}),
            ],
        }
    }

    fn error(code: u32, text: &str, link: &str) -> Answer {
        let status = u16::try_from(code / 100).unwrap_or(500);
        let mut body = json!({"code": code, "http": status, "error": text});
        if !link.is_empty() {
            body["link"] = json!(link);
        }
        Answer::new(status, "application/json", format!("{body}\n"))
    }

    fn publish(&mut self, call: &Call) -> Answer {
        let Some(body) = call.try_json() else {
            return Ntfy::error(
                40024,
                "invalid request: request body must be valid JSON",
                "",
            );
        };
        let topic = body["topic"].as_str().unwrap_or_default();
        if !is_topic(topic) {
            return Ntfy::error(40009, "invalid request: topic invalid", "");
        }
        if !body["priority"].is_null()
            && !body["priority"]
                .as_u64()
                .is_some_and(|it| (1..=5).contains(&it))
        {
            return Ntfy::error(
                40007,
                "invalid priority parameter",
                "https://ntfy.sh/docs/publish/#message-priority",
            );
        }
        if let Some(delay) = body["delay"].as_str()
            && !delay.starts_with(|char: char| char.is_ascii_digit() || char == 't')
        {
            return Ntfy::error(
                40004,
                "invalid delay parameter: unable to parse delay",
                "https://ntfy.sh/docs/publish/#scheduled-delivery",
            );
        }
        let mut message = json!({"id": "hwQ2YpKdmg11", "time": 1_763_650_000, "expires": 1_763_693_200, "event": "message", "topic": topic});
        message["message"] = match body["message"].as_str() {
            None | Some("") => json!("triggered"),
            Some(text) => json!(text),
        };
        for name in ["title", "priority", "tags", "click", "icon", "actions"] {
            if let Some(value) = body.get(name) {
                message[name] = value.clone();
            }
        }
        if body["markdown"] == true {
            message["content_type"] = json!("text/markdown");
        }
        self.messages.push(message.clone());
        Answer::new(200, "application/json", format!("{message}\n"))
    }

    fn poll(&mut self, call: &Call) -> Answer {
        let topics = call.arg("topics");
        if !topics.split(',').all(is_topic) {
            return Ntfy::error(40009, "invalid request: topic invalid", "");
        }
        // Without `poll=1` it would hold the line for ever.
        if !matches!(call.query("poll").as_deref(), Some("1" | "true" | "yes")) {
            return Answer::raw("");
        }
        let since = call.query("since").unwrap_or_else(|| "all".to_owned());
        let is_span =
            since.ends_with(['s', 'm', 'h']) && since[..since.len() - 1].parse::<f64>().is_ok();
        let is_sound = ["all", "latest", "none"].contains(&since.as_str())
            || since.len() == 12
            || since.parse::<u64>().is_ok()
            || is_span;
        if !is_sound {
            return Ntfy::error(
                40008,
                "invalid since parameter",
                "https://ntfy.sh/docs/subscribe/api/#fetch-cached-messages",
            );
        }
        let priorities = call.query("priority").unwrap_or_default();
        let lines: String = self
            .messages
            .iter()
            .filter(|it| topics.split(',').any(|topic| it["topic"] == topic))
            .filter(|it| {
                since.parse::<u64>().map_or(true, |since| {
                    it["time"].as_u64().is_some_and(|time| time >= since)
                })
            })
            .filter(|it| {
                priorities.is_empty()
                    || priorities
                        .split(',')
                        .any(|one| one == it["priority"].as_u64().unwrap_or(3).to_string())
            })
            .map(|it| format!("{it}\n"))
            .collect();
        Answer::new(200, "application/x-ndjson; charset=utf-8", lines)
    }

    fn health(&mut self, _: &Call) -> Answer {
        Answer::json(200, &json!({"healthy": true}))
    }

    /// A message may be posted to its topic as text, too; then JSON is the text.
    fn publish_text(&mut self, call: &Call) -> Answer {
        let message = json!({"id": "hwQ2YpKdmg22", "time": 1_763_650_000, "event": "message", "topic": call.arg("topic"), "message": call.text()});
        self.messages.push(message.clone());
        Answer::json(200, &message)
    }
}

impl Service for Ntfy {
    const PATHS: Paths = Paths::Segments;
    const ROUTES: &'static [Route<Ntfy>] = &[
        ("POST", "/", Ntfy::publish),
        ("PUT", "/", Ntfy::publish),
        ("GET", "/v1/health", Ntfy::health),
        ("GET", "/{topics}/json", Ntfy::poll),
        ("POST", "/{topic}", Ntfy::publish_text),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        if !self.is_closed || call.path() == "/v1/health" {
            return Ok(());
        }
        match call.header("authorization") {
            Some(header) if header == format!("Bearer {TOKEN}") => Ok(()),
            Some(_) => Err(Ntfy::error(
                40101,
                "unauthorized",
                "https://ntfy.sh/docs/publish/#authentication",
            )),
            None => Err(Ntfy::error(
                40301,
                "forbidden",
                "https://ntfy.sh/docs/publish/#authentication",
            )),
        }
    }

    fn unknown(&self, _: &Call) -> Answer {
        Ntfy::error(40401, "page not found", "")
    }

    fn wrong_verb(&self, call: &Call) -> Answer {
        self.unknown(call)
    }
}

fn is_topic(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "-_".contains(char))
}
