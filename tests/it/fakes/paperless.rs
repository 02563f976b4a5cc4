//! Paperless-ngx, from its API documentation and, for field names and refusals, its serialisers
//! and settings (3.0.5, August 2026).

use super::super::support::{Answer, Call, Paths, Route, Service, Value, json};

/// The token it accepts.
pub const TOKEN: &str = "62ce30b676d95ef439af5e1d84f9161034c67c4a";

/// An archive of three documents.
pub struct Paperless {
    /// The documents.
    pub documents: Vec<Value>,
    /// Bulk edits, as they came.
    pub edits: Vec<Value>,
}

impl Paperless {
    /// One with three documents.
    pub fn new() -> Paperless {
        let document = |id: u64, title: &str, content: &str| {
            json!({
                "id": id, "correspondent": 2, "document_type": null, "storage_path": null, "title": title, "content": content, "tags": [1],
                "created": "2026-03-01", "created_date": "2026-03-01", "modified": "2026-11-20T08:00:00.123456+01:00", "added": "2026-03-02T09:00:00+01:00",
                "deleted_at": null, "archive_serial_number": null, "original_file_name": "scan.pdf", "archived_file_name": "a.pdf",
                "duplicate_documents": [], "owner": 3, "user_can_change": true, "is_shared_by_requester": false, "notes": [],
                "custom_fields": [], "page_count": 2, "mime_type": "application/pdf", "root_document": null, "versions": [],
            })
        };
        Paperless {
            edits: Vec::new(),
            documents: vec![
                document(11, "Water bill", "You owe 12.30 for water."),
                document(12, "Water meter", "Meter 7 was read."),
                document(13, "Lease", "This is a long lease."),
            ],
        }
    }

    fn list(&mut self, call: &Call) -> Answer {
        let given: Vec<_> = ["text", "title_search", "query", "more_like_id"]
            .into_iter()
            .filter_map(|name| call.query(name).map(|value| (name, value.to_lowercase())))
            .collect();
        if given.len() > 1 {
            return detail(
                400,
                "Specify only one of text, title_search, query, or more_like_id.",
            );
        }
        let mut found = Vec::new();
        for document in &self.documents {
            let mut document = document.clone();
            let Some((name, wanted)) = given.first() else {
                found.push(document);
                continue;
            };
            let holds = |member: &str| {
                document[member]
                    .as_str()
                    .is_some_and(|text| text.to_lowercase().contains(wanted.as_str()))
            };
            if holds("title") || *name != "title_search" && holds("content") {
                document["__search_hit__"] = json!({"score": 0.343, "rank": found.len(), "note_highlights": null,
                    "highlights": format!("owe 12.30 for <span class=\"match\">{wanted}</span>")});
                found.push(document);
            }
        }
        page(call, &found)
    }

    fn show(&mut self, call: &Call) -> Answer {
        match self.find(call) {
            Some(document) => answer(200, document),
            None => detail(404, "No Document matches the given query."),
        }
    }

    fn update(&mut self, call: &Call) -> Answer {
        let body = call.try_json().unwrap_or_default();
        if let Some(tag) = body["tags"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|tag| **tag != 1 && **tag != 4)
        {
            return answer(
                400,
                &json!({"tags": [format!("Invalid pk \"{tag}\" - object does not exist.")]}),
            );
        }
        let Some(document) = self.find(call) else {
            return detail(404, "No Document matches the given query.");
        };
        for (name, value) in body.as_object().into_iter().flatten() {
            document[name] = value.clone();
        }
        answer(200, document)
    }

    fn bulk_edit(&mut self, call: &Call) -> Answer {
        const METHODS: &[&str] = &[
            "set_correspondent",
            "set_document_type",
            "set_storage_path",
            "add_tag",
            "remove_tag",
            "modify_tags",
            "modify_custom_fields",
            "set_permissions",
            "delete",
            "reprocess",
        ];
        let Some(body) = call.try_json() else {
            return detail(
                400,
                "JSON parse error - Expecting value: line 1 column 1 (char 0)",
            );
        };
        let method = body["method"].as_str().unwrap_or_default();
        if !METHODS.contains(&method) {
            return answer(
                400,
                &json!({"method": [format!("\"{method}\" is not a valid choice.")]}),
            );
        }
        let ids: Vec<_> = body["documents"].as_array().into_iter().flatten().collect();
        if !ids
            .iter()
            .all(|id| self.documents.iter().any(|document| document["id"] == **id))
        {
            return answer(
                400,
                &json!({"documents": ["Some documents in documents don't exist or were specified twice."]}),
            );
        }
        let parameters = &body["parameters"];
        let needed = match method {
            "add_tag" | "remove_tag" => "tag",
            "modify_tags" => "add_tags",
            "set_correspondent" => "correspondent",
            _ => "",
        };
        if !needed.is_empty() && parameters.get(needed).is_none() {
            return answer(
                400,
                &json!({"non_field_errors": [format!("{needed} not specified")]}),
            );
        }
        self.edits.push(body);
        answer(200, &json!({"result": "OK"}))
    }

    fn tags(&mut self, call: &Call) -> Answer {
        let tag = |id: u64, name: &str| {
            json!({"id": id, "slug": name.to_lowercase(), "name": name, "color": "#a6cee3", "text_color": "#000000", "match": "",
                "matching_algorithm": 6, "is_insensitive": true, "is_inbox_tag": false, "document_count": 3, "owner": 3,
                "user_can_change": true, "parent": null, "children": []})
        };
        page(call, &named(call, vec![tag(1, "Bills"), tag(4, "House")]))
    }

    fn correspondents(&mut self, call: &Call) -> Answer {
        let one = json!({"id": 2, "slug": "water-works", "name": "Water works", "match": "", "matching_algorithm": 6, "is_insensitive": true,
            "document_count": 2, "last_correspondence": null, "owner": 3, "user_can_change": true});
        page(call, &named(call, vec![one]))
    }

    fn types(&mut self, call: &Call) -> Answer {
        let one = json!({"id": 5, "slug": "invoice", "name": "Invoice", "match": "", "matching_algorithm": 6, "is_insensitive": true,
            "document_count": 0, "owner": 3, "user_can_change": true});
        page(call, &named(call, vec![one]))
    }

    /// Without its slash a path is sent elsewhere, whatever the verb, and the body is lost.
    fn slash(&mut self, call: &Call) -> Answer {
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        Answer::new(301, "text/html; charset=utf-8", "")
            .header("Location", &format!("{path}/{query}"))
    }

    fn find(&mut self, call: &Call) -> Option<&mut Value> {
        let id = call.arg_number("id")?;
        self.documents
            .iter_mut()
            .find(|document| document["id"] == id)
    }
}

impl Service for Paperless {
    const PATHS: Paths = Paths::Segments;
    const ROUTES: &'static [Route<Paperless>] = &[
        ("GET", "/api/documents/", Paperless::list),
        ("POST", "/api/documents/bulk_edit/", Paperless::bulk_edit),
        ("GET", "/api/documents/{id}/", Paperless::show),
        ("PATCH", "/api/documents/{id}/", Paperless::update),
        ("GET", "/api/tags/", Paperless::tags),
        ("GET", "/api/correspondents/", Paperless::correspondents),
        ("GET", "/api/document_types/", Paperless::types),
        ("GET", "/api/documents", Paperless::slash),
        ("POST", "/api/documents/bulk_edit", Paperless::slash),
        ("GET", "/api/documents/{id}", Paperless::slash),
        ("PATCH", "/api/documents/{id}", Paperless::slash),
        ("GET", "/api/tags", Paperless::slash),
        ("GET", "/api/correspondents", Paperless::slash),
        ("GET", "/api/document_types", Paperless::slash),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        // A path that is sent elsewhere is so before anything else.
        if !call.path().ends_with('/') {
            return Ok(());
        }
        let accept = call.header("accept").unwrap_or("*/*");
        let version = accept
            .split("version=")
            .nth(1)
            .map(|version| version.trim_end());
        if version.is_some_and(|version| !["9", "10"].contains(&version)) {
            return Err(detail(406, "Invalid version in \"Accept\" header."));
        }
        let header = call
            .header("authorization")
            .and_then(|it| it.strip_prefix("Token "));
        let refusal = match header {
            Some(TOKEN) => return Ok(()),
            Some(_) => "Invalid token.",
            None => "Authentication credentials were not provided.",
        };
        Err(detail(401, refusal).header("WWW-Authenticate", "Basic realm=\"api\""))
    }

    fn unknown(&self, _: &Call) -> Answer {
        Answer::new(
            404,
            "text/html; charset=utf-8",
            "<!doctype html>\n<html lang=\"en\"><head><title>Not Found</title></head><body><h1>Not Found</h1></body></html>",
        )
    }

    fn wrong_verb(&self, call: &Call) -> Answer {
        detail(405, &format!("Method \"{}\" not allowed.", call.method))
    }
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer::json(status, body)
        .header("X-Api-Version", "10")
        .header("X-Version", "3.0.5")
}

fn detail(status: u16, text: &str) -> Answer {
    answer(status, &json!({"detail": text}))
}

fn named(call: &Call, all: Vec<Value>) -> Vec<Value> {
    let wanted = call
        .query("name__icontains")
        .unwrap_or_default()
        .to_lowercase();
    all.into_iter()
        .filter(|it| {
            it["name"]
                .as_str()
                .is_some_and(|name| name.to_lowercase().contains(&wanted))
        })
        .collect()
}

/// A page; `next` is a whole URL, of the host as the request named it.
fn page(call: &Call, all: &[Value]) -> Answer {
    let number = |name: &str| call.query(name).and_then(|text| text.parse::<usize>().ok());
    let (size, page) = (
        number("page_size").unwrap_or(25),
        number("page").unwrap_or(1),
    );
    let from = (page - 1) * size;
    if from >= all.len() && page > 1 {
        return detail(404, "Invalid page.");
    }
    let shown = &all[from.min(all.len())..(from + size).min(all.len())];
    let host = call.header("host").unwrap_or_default();
    let next = (from + size < all.len()).then(|| {
        format!(
            "http://{host}{}?page={}&page_size={size}",
            call.path(),
            page + 1
        )
    });
    answer(
        200,
        &json!({"count": all.len(), "next": next, "previous": null, "results": shown}),
    )
}
