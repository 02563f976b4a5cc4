//! Grafana. From its HTTP API pages (`developer-resources/api-reference/http-api`: dashboard,
//! folder_dashboard_search, data_source, alerting_provisioning, folder, other) and, where those are
//! silent, from the behaviour its issues report: 406 for dashboards of the second schema.

use std::collections::BTreeMap;

use crate::support::{Answer, Call, Paths, Route, Service, Value, json};

/// The service account token it knows.
pub const TOKEN: &str = "glsa_fakeServiceAccountToken_12345678";

/// A Grafana.
pub struct Grafana {
    /// 12 answers 406 for dashboards of schema v2; 13 converts them if it is asked for `v1beta1`.
    pub major: u32,
    /// Whether its database answers.
    pub is_database_ok: bool,
    /// Dashboards by uid.
    pub dashboards: BTreeMap<String, Dashboard>,
    /// Folders: uid, title.
    pub folders: Vec<(&'static str, &'static str)>,
    /// Data sources as it lists them.
    pub datasources: Vec<Value>,
    next_id: u64,
}

/// A dashboard.
pub struct Dashboard {
    /// Its model, classic schema.
    pub model: Value,
    /// Folder's uid; empty for the root.
    pub folder: String,
    /// Whether it is kept in the second schema.
    pub is_v2: bool,
    id: u64,
    version: u64,
}

impl Grafana {
    /// A dashboard in a folder, one of the second schema, and a Prometheus data source.
    pub fn new() -> Grafana {
        let mut grafana = Grafana {
            major: 13,
            is_database_ok: true,
            dashboards: BTreeMap::new(),
            folders: vec![("infra", "Infrastructure"), ("home", "Home")],
            datasources: vec![json!({
                "id": 1, "uid": "prom1", "orgId": 1, "name": "Prometheus", "type": "prometheus",
                "typeName": "Prometheus", "typeLogoUrl": "public/app/plugins/datasource/prometheus/img/logo.svg",
                "access": "proxy", "url": "http://prometheus:9090", "user": "", "database": "",
                "basicAuth": false, "isDefault": true, "jsonData": {"httpMethod": "POST"}, "readOnly": false,
            })],
            next_id: 10,
        };
        let nodes = json!({
            "title": "Node overview", "tags": ["linux", "prod"], "schemaVersion": 42, "timezone": "browser",
            "templating": {"list": [{"name": "instance", "type": "query", "query": "label_values(up, instance)",
                "current": {"text": "a:9100", "value": "a:9100"}, "options": [{"text": "a:9100"}]}]},
            "panels": [
                {"id": 1, "type": "timeseries", "title": "CPU", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
                 "datasource": {"type": "prometheus", "uid": "prom1"}, "fieldConfig": {"defaults": {"unit": "percent"}},
                 "targets": [{"refId": "A", "expr": "rate(node_cpu_seconds_total[5m])"}]},
                {"id": 2, "type": "row", "title": "Disks", "panels": []},
            ],
        });
        grafana.put("nodes", "infra", nodes, false);
        let new = json!({"title": "New layout", "tags": [], "panels": [{"id": 1, "type": "stat", "title": "Up"}]});
        grafana.put("layout", "", new, true);
        grafana
    }

    /// Keeps a dashboard.
    pub fn put(&mut self, uid: &str, folder: &str, mut model: Value, is_v2: bool) {
        self.next_id += 1;
        model["uid"] = json!(uid);
        let dashboard = Dashboard {
            model,
            folder: folder.to_owned(),
            is_v2,
            id: self.next_id,
            version: 1,
        };
        self.dashboards.insert(uid.to_owned(), dashboard);
    }

    fn health(&mut self, _: &Call) -> Answer {
        let (status, database) = match self.is_database_ok {
            true => (200, "ok"),
            false => (503, "failing"),
        };
        let body = json!({"database": database, "version": format!("{}.0.2", self.major), "commit": "9e9f4a8"});
        Answer::json(status, &body)
    }

    // --- search and folders -----------------------------------------------------------------------

    fn search(&mut self, call: &Call) -> Answer {
        let number = |name: &str, default: usize| {
            let text = call.query(name).unwrap_or_default();
            text.parse().unwrap_or(default)
        };
        let (limit, page) = (number("limit", 1000), number("page", 1).max(1));
        if limit > 5000 {
            return message(
                422,
                "Limit is above maximum allowed (5000), use page parameter to access hits beyond limit",
            );
        }
        let kind = call.query("type").unwrap_or_default();
        let words = call.query("query").unwrap_or_default().to_lowercase();
        let tags = call.queries("tag");
        let folders = call.queries("folderUIDs");
        let mut hits = Vec::new();
        if kind != "dash-db" {
            for (uid, title) in &self.folders {
                if title.to_lowercase().contains(&words) && tags.is_empty() {
                    hits.push(json!({"id": 2, "orgId": 1, "uid": uid, "title": title, "uri": format!("db/{uid}"),
                        "url": format!("/dashboards/f/{uid}/{uid}"), "type": "dash-folder", "tags": [], "isStarred": false}));
                }
            }
        }
        for (uid, dashboard) in &self.dashboards {
            let title = dashboard.model["title"].as_str().unwrap_or_default();
            let own: Vec<&str> = dashboard.model["tags"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            if kind == "dash-folder"
                || !title.to_lowercase().contains(&words)
                || !tags.iter().all(|tag| own.contains(&tag.as_str()))
                || !(folders.is_empty() || folders.contains(&dashboard.folder))
            {
                continue;
            }
            let mut hit = json!({"id": dashboard.id, "orgId": 1, "uid": uid, "title": title, "uri": format!("db/{uid}"),
                "url": format!("/d/{uid}/{uid}"), "slug": "", "type": "dash-db", "tags": own, "isStarred": false,
                "sortMeta": 0});
            if let Some((folder, title)) = self.folder(&dashboard.folder) {
                hit["folderId"] = json!(2);
                hit["folderUid"] = json!(folder);
                hit["folderTitle"] = json!(title);
                hit["folderUrl"] = json!(format!("/dashboards/f/{folder}/{folder}"));
            }
            hits.push(hit);
        }
        let hits: Vec<_> = hits
            .into_iter()
            .skip(limit * (page - 1))
            .take(limit)
            .collect();
        Answer::json(200, &json!(hits))
    }

    fn folder(&self, uid: &str) -> Option<&(&'static str, &'static str)> {
        self.folders.iter().find(|(known, _)| *known == uid)
    }

    fn folders(&mut self, _: &Call) -> Answer {
        let folders = self.folders.iter();
        let folders: Value = folders
            .map(|(uid, title)| json!({"id": 2, "uid": uid, "title": title}))
            .collect();
        Answer::json(200, &folders)
    }

    // --- dashboards -------------------------------------------------------------------------------

    fn dashboard(&mut self, call: &Call) -> Answer {
        let uid = call.arg("uid");
        let Some(dashboard) = self.dashboards.get(uid) else {
            return message(404, "Dashboard not found");
        };
        let asks_for_classic = call.query("apiVersion").as_deref() == Some("v1beta1");
        if dashboard.is_v2 && !(self.major >= 13 && asks_for_classic) {
            let text = format!(
                "dashboard api version not supported, use /apis/dashboard.grafana.app/v2alpha1/namespaces/default/dashboards/{uid} instead"
            );
            return message(406, &text);
        }
        let mut model = dashboard.model.clone();
        model["id"] = json!(dashboard.id);
        model["version"] = json!(dashboard.version);
        let meta = json!({"type": "db", "isStarred": false, "canSave": true, "slug": uid, "url": format!("/d/{uid}/{uid}"),
            "folderId": 2, "folderUid": dashboard.folder, "created": "2026-01-01T00:00:00Z", "version": dashboard.version,
            "annotationsPermissions": {"dashboard": {"canAdd": true}}});
        Answer::json(200, &json!({"dashboard": model, "meta": meta}))
    }

    fn resource(&mut self, call: &Call) -> Answer {
        let uid = call.arg("uid");
        let Some(dashboard) = self.dashboards.get(uid) else {
            let text = format!("dashboards.dashboard.grafana.app \"{uid}\" not found");
            return Answer::json(
                404,
                &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                    "message": text, "reason": "NotFound", "details": {}, "code": 404}),
            );
        };
        let mut spec = dashboard.model.clone();
        spec.as_object_mut().unwrap().remove("uid");
        Answer::json(
            200,
            &json!({"kind": "Dashboard", "apiVersion": "dashboard.grafana.app/v1beta1",
                "metadata": {"name": uid, "namespace": "default", "resourceVersion": "1", "generation": 1,
                    "annotations": {"grafana.app/folder": dashboard.folder}},
                "spec": spec, "status": {}}),
        )
    }

    fn save(&mut self, call: &Call) -> Answer {
        let Some(body) = call.try_json().filter(|body| body["dashboard"].is_object()) else {
            return message(400, "bad request data");
        };
        let mut model = body["dashboard"].clone();
        let title = model["title"].as_str().unwrap_or_default().to_owned();
        if title.is_empty() {
            return refused(400, "Dashboard title cannot be empty", "empty-name");
        }
        let folder = body["folderUid"].as_str().unwrap_or_default().to_owned();
        if !folder.is_empty() && self.folder(&folder).is_none() {
            return refused(400, "folder not found", "not-found");
        }
        let is_overwrite = body["overwrite"] == true;
        let given = model["uid"].as_str().unwrap_or_default().to_owned();
        if given.len() > 40 {
            return message(400, "uid too long, max 40 characters");
        }
        let uid = match model["id"].as_u64().filter(|id| *id != 0) {
            // An id says: update that one.
            Some(id) => {
                let mut known = self.dashboards.iter();
                let found = known.find(|(_, dashboard)| dashboard.id == id);
                let Some((uid, old)) = found else {
                    return refused(404, "Dashboard not found", "not-found");
                };
                if !is_overwrite && model["version"] != old.version {
                    let text = "The dashboard has been changed by someone else";
                    return refused(412, text, "version-mismatch");
                }
                uid.clone()
            }
            None if given.is_empty() => format!("made-{}", self.next_id + 1),
            None if self.dashboards.contains_key(&given) && !is_overwrite => {
                let text = "A dashboard with the same uid already exists";
                return refused(412, text, "name-exists");
            }
            None => given,
        };
        let version = self.dashboards.get(&uid).map_or(1, |old| old.version + 1);
        let id = self.dashboards.get(&uid).map(|old| old.id);
        model.as_object_mut().unwrap().remove("id");
        let slug = title.to_lowercase().replace(' ', "-");
        self.put(&uid, &folder, model, false);
        let saved = self.dashboards.get_mut(&uid).expect("it was just kept");
        saved.version = version;
        saved.id = id.unwrap_or(saved.id);
        Answer::json(
            200,
            &json!({"id": saved.id, "uid": uid, "url": format!("/d/{uid}/{slug}"), "status": "success",
                "version": version, "slug": slug, "folderUid": folder}),
        )
    }

    fn delete(&mut self, call: &Call) -> Answer {
        match self.dashboards.remove(call.arg("uid")) {
            None => message(404, "Dashboard not found"),
            Some(dashboard) => {
                let title = dashboard.model["title"].as_str().unwrap_or_default();
                let text = format!("Dashboard {title} deleted");
                Answer::json(
                    200,
                    &json!({"title": title, "message": text, "id": dashboard.id}),
                )
            }
        }
    }

    // --- data sources -----------------------------------------------------------------------------

    fn datasources(&mut self, _: &Call) -> Answer {
        Answer::json(200, &json!(self.datasources))
    }

    fn add_datasource(&mut self, call: &Call) -> Answer {
        let body = call.try_json().unwrap_or_default();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        if text("type").is_empty() || text("access").is_empty() {
            return message(400, "bad request data");
        }
        let name = text("name");
        if self.datasources.iter().any(|known| known["name"] == *name) {
            return message(409, "data source with the same name already exists");
        }
        self.next_id += 1;
        let uid = Some(text("uid")).filter(|uid| !uid.is_empty());
        let made = json!({
            "id": self.next_id, "uid": uid.unwrap_or_else(|| format!("ds{}", self.next_id)), "orgId": 1, "name": name,
            "type": text("type"), "typeLogoUrl": "", "access": text("access"), "url": text("url"), "user": "",
            "database": "", "basicAuth": false, "basicAuthUser": "", "withCredentials": false,
            "isDefault": body["isDefault"] == true, "jsonData": body["jsonData"], "secureJsonFields": {},
            "version": 1, "readOnly": false,
        });
        self.datasources.push(made.clone());
        Answer::json(
            200,
            &json!({"datasource": made, "id": self.next_id, "message": "Datasource added", "name": name}),
        )
    }

    fn datasource_health(&mut self, call: &Call) -> Answer {
        let uid = call.arg("uid");
        let mut known = self.datasources.iter();
        match known.find(|datasource| datasource["uid"] == uid) {
            None => message(404, "Data source not found"),
            Some(datasource) if datasource["url"] == "http://gone:9090" => Answer::json(
                400,
                &json!({"status": "ERROR", "message": "dial tcp: lookup gone: no such host"}),
            ),
            Some(_) => Answer::json(
                200,
                &json!({"status": "OK", "message": "Successfully queried the Prometheus API.", "details": {}}),
            ),
        }
    }

    fn query(&mut self, call: &Call) -> Answer {
        let body = call.try_json().unwrap_or_default();
        let Some(queries) = body["queries"].as_array().filter(|list| !list.is_empty()) else {
            return message(400, "no queries found");
        };
        if !body["from"].is_string() || !body["to"].is_string() {
            return message(400, "bad request data");
        }
        let mut results = serde_json::Map::new();
        let mut is_bad = false;
        for query in queries {
            let uid = &query["datasource"]["uid"];
            let Some(uid) = uid.as_str().or_else(|| query["datasource"].as_str()) else {
                return message(400, "missing data source ID/UID");
            };
            if !self
                .datasources
                .iter()
                .any(|datasource| datasource["uid"] == uid)
            {
                return message(404, "Data source not found");
            }
            let expr = ["expr", "rawSql", "query"].map(|field| query[field].as_str());
            let expr = expr.into_iter().flatten().next().unwrap_or_default();
            let ref_id = query["refId"].as_str().unwrap_or("A").to_owned();
            let result = if expr.contains("bad(") {
                is_bad = true;
                json!({"error": "bad_data: parse error: unclosed left parenthesis", "errorSource": "downstream", "status": 400})
            } else {
                let frames = ["a", "b"].map(|job| frame(&ref_id, job));
                json!({"status": 200, "frames": frames})
            };
            results.insert(ref_id, result);
        }
        let status = if is_bad { 400 } else { 200 };
        Answer::json(status, &json!({"results": results}))
    }

    // --- alerts -----------------------------------------------------------------------------------

    fn alert_rules(&mut self, _: &Call) -> Answer {
        Answer::json(
            200,
            &json!([{
                "id": 1, "uid": "disk", "orgID": 1, "folderUID": "infra", "ruleGroup": "disks", "title": "Disk full",
                "condition": "C", "data": [{"refId": "A", "model": {"expr": "node_filesystem_avail_bytes"}}],
                "updated": "2026-01-01T00:00:00Z", "noDataState": "NoData", "execErrState": "Error", "for": "5m",
                "annotations": {"summary": "A disk is full", "runbook_url": "https://example.org"},
                "labels": {"severity": "page"}, "isPaused": false, "provenance": "api",
            }]),
        )
    }

    fn rule_states(&mut self, _: &Call) -> Answer {
        let rule = |name: &str, state: &str| {
            json!({
                "uid": name, "name": name, "state": state, "query": "[{\"refId\":\"A\"}]", "folderUid": "infra",
                "duration": 300, "health": "ok", "type": "alerting", "labels": {"severity": "page"},
                "annotations": {"summary": format!("{name} {state}")}, "lastEvaluation": "2026-01-01T00:00:00Z",
                "alerts": [{"state": "Alerting", "activeAt": "2026-01-01T00:00:00Z", "labels": {"instance": "a"}, "value": ""}],
            })
        };
        Answer::json(
            200,
            &json!({"status": "success", "data": {"groups": [
                {"name": "disks", "file": "Infrastructure", "folderUid": "infra", "interval": 60,
                 "rules": [rule("Disk full", "firing"), rule("Disk slow", "inactive")]},
                {"name": "net", "file": "Infrastructure", "folderUid": "infra", "interval": 60,
                 "rules": [rule("Link down", "pending")]},
            ], "totals": {"firing": 1}}}),
        )
    }
}

impl Service for Grafana {
    // Its router matches the escaped path and unescapes what it takes from it.
    const PATHS: Paths = Paths::Segments;
    const ROUTES: &'static [Route<Grafana>] = &[
        ("GET", "/api/health", Grafana::health),
        ("GET", "/api/search", Grafana::search),
        ("GET", "/api/folders", Grafana::folders),
        ("GET", "/api/dashboards/uid/{uid}", Grafana::dashboard),
        ("DELETE", "/api/dashboards/uid/{uid}", Grafana::delete),
        ("POST", "/api/dashboards/db", Grafana::save),
        (
            "GET",
            "/apis/dashboard.grafana.app/v1beta1/namespaces/default/dashboards/{uid}",
            Grafana::resource,
        ),
        ("GET", "/api/datasources", Grafana::datasources),
        ("POST", "/api/datasources", Grafana::add_datasource),
        (
            "GET",
            "/api/datasources/uid/{uid}/health",
            Grafana::datasource_health,
        ),
        ("POST", "/api/ds/query", Grafana::query),
        (
            "GET",
            "/api/v1/provisioning/alert-rules",
            Grafana::alert_rules,
        ),
        (
            "GET",
            "/api/prometheus/grafana/api/v1/rules",
            Grafana::rule_states,
        ),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        let expected = format!("Bearer {TOKEN}");
        match call.header("authorization") {
            _ if call.path() == "/api/health" => Ok(()),
            Some(given) if given == expected => Ok(()),
            Some(_) => Err(Answer::json(
                401,
                &json!({"message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401, "traceID": ""}),
            )),
            None => Err(Answer::json(
                401,
                &json!({"extra": null, "message": "Unauthorized", "messageId": "auth.unauthorized", "statusCode": 401, "traceID": ""}),
            )),
        }
    }

    fn unknown(&self, _: &Call) -> Answer {
        message(404, "Not found")
    }

    // One router per verb: a path of another verb is unknown.
    fn wrong_verb(&self, _: &Call) -> Answer {
        message(404, "Not found")
    }
}

/// Two points of a series, columns as the data plane has them.
fn frame(ref_id: &str, job: &str) -> Value {
    json!({
        "schema": {"refId": ref_id, "name": job, "fields": [
            {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}},
            {"name": "Value", "type": "number", "typeInfo": {"frame": "float64"}, "labels": {"job": job}}]},
        "data": {"values": [[1_700_000_000_000_u64, 1_700_000_015_000_u64], [1.5, null]]},
    })
}

fn message(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({"message": text, "traceID": ""}))
}

fn refused(status: u16, text: &str, why: &str) -> Answer {
    Answer::json(status, &json!({"message": text, "status": why}))
}
