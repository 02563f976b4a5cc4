//! Miniflux 2, from its API page: keys, entries, marking. As much of it as the walkthrough of packs needs.

use super::super::support::{Answer, Call, Route, Service, Value, json};

/// The API key it takes.
pub const KEY: &str = "mf-4f1c9a7e";

/// A feed reader with three entries.
pub struct Miniflux {
    /// The entries, oldest first.
    pub entries: Vec<Value>,
}

impl Miniflux {
    /// One whose third entry has been read.
    pub fn new() -> Miniflux {
        let entry = |id: u64, title: &str, status: &str| {
            json!({
                "id": id, "user_id": 1, "feed_id": 7, "status": status, "hash": format!("{id:032x}"), "title": title,
                "url": format!("https://blog.example/{id}"), "comments_url": "", "published_at": "2025-11-20T08:30:00Z",
                "content": format!("<p>{title}</p>"), "author": "Ann", "starred": id == 2,
                "feed": {"id": 7, "title": "Blog", "feed_url": "https://blog.example/atom"},
            })
        };
        Miniflux {
            entries: vec![
                entry(1, "A kettle that listens", "unread"),
                entry(2, "Small machines", "unread"),
                entry(3, "Old news", "read"),
            ],
        }
    }

    fn error(status: u16, text: &str) -> Answer {
        Answer::json(status, &json!({"error_message": text}))
    }

    fn me(&mut self, _: &Call) -> Answer {
        Answer::json(200, &json!({"id": 1, "username": "ann", "is_admin": false}))
    }

    fn list(&mut self, call: &Call) -> Answer {
        let is_wanted =
            |name: &str, of: &Value| call.query(name).is_none_or(|wanted| *of == json!(wanted));
        let mut found: Vec<&Value> = self
            .entries
            .iter()
            .filter(|entry| is_wanted("status", &entry["status"]))
            .collect();
        if call.query("direction").as_deref() == Some("desc") {
            found.reverse();
        }
        let limit = match call.query("limit").map(|text| text.parse::<usize>()) {
            None => 100,
            Some(Ok(limit)) => limit,
            Some(Err(_)) => return Miniflux::error(400, "invalid limit"),
        };
        let total = found.len();
        found.truncate(limit);
        Answer::json(200, &json!({"total": total, "entries": found}))
    }

    fn show(&mut self, call: &Call) -> Answer {
        let id = call.arg_number("id");
        match self.entries.iter().find(|entry| entry["id"].as_u64() == id) {
            Some(entry) => Answer::json(200, entry),
            None => Miniflux::error(404, "Resource Not Found"),
        }
    }

    fn mark(&mut self, call: &Call) -> Answer {
        let body = call.json();
        let (Some(ids), Some(status)) = (body["entry_ids"].as_array(), body["status"].as_str())
        else {
            return Miniflux::error(400, "invalid request body");
        };
        for entry in &mut self.entries {
            if ids.contains(&entry["id"]) {
                entry["status"] = status.into();
            }
        }
        Answer::empty(204)
    }
}

impl Service for Miniflux {
    const ROUTES: &'static [Route<Miniflux>] = &[
        ("GET", "/v1/me", Miniflux::me),
        ("GET", "/v1/entries", Miniflux::list),
        ("GET", "/v1/entries/{id}", Miniflux::show),
        ("PUT", "/v1/entries", Miniflux::mark),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        match call.header("x-auth-token") {
            Some(KEY) => Ok(()),
            _ => Err(Miniflux::error(401, "Access Unauthorized")),
        }
    }
}
