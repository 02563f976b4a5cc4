//! Gitea, from the operations and structures in its source (`routers/api/v1`, `modules/structs`,
//! `services/context/api.go`, August 2026) and its documentation of tokens and paging. Forgejo's
//! interface is the same as far as it is used here.

use super::super::support::{Answer, Call, Paths, Route, Service, Value, json};

/// The access token it accepts; it may read and write issues, repositories and notifications.
pub const TOKEN: &str = "b1946ac92492d2347c6235b4d2611184";

/// A forge with one repository, `ada/garden`.
pub struct Gitea {
    /// The issues, oldest first.
    pub issues: Vec<Value>,
    /// Comments: the issue's number and the text.
    pub comments: Vec<(u64, String)>,
    /// No page has more items than this (`MAX_RESPONSE_ITEMS`).
    pub page_max: usize,
    /// Whether the repository is archived, and so takes no issues.
    pub is_archived: bool,
}

impl Gitea {
    /// One with 120 issues, the last two of them a pull request and a closed one.
    pub fn new() -> Gitea {
        let mut issues: Vec<_> = (1..=120)
            .map(|number| issue(number, &format!("Issue {number}"), ""))
            .collect();
        issues[118]["pull_request"] = json!({"merged": false, "merged_at": null, "draft": false, "html_url": "http://git.lan/ada/garden/pulls/119"});
        issues[119]["state"] = json!("closed");
        Gitea {
            issues,
            comments: Vec::new(),
            page_max: 50,
            is_archived: false,
        }
    }

    fn error(status: u16, message: &str) -> Answer {
        Answer::new(
            status,
            "application/json;charset=utf-8",
            json!({"message": message, "url": "http://git.lan/api/swagger"}).to_string(),
        )
    }

    /// One page of a list, with the headers that say how long it is.
    fn page(&self, call: &Call, all: &[Value], wrap: impl Fn(&[Value]) -> Value) -> Answer {
        let number = |name: &str| call.query(name).and_then(|text| text.parse::<usize>().ok());
        let size = number("limit")
            .filter(|size| *size > 0)
            .unwrap_or(30)
            .min(self.page_max);
        let page = number("page").filter(|page| *page > 0).unwrap_or(1);
        let pages = all.len().div_ceil(size).max(1);
        let from = ((page - 1) * size).min(all.len());
        let shown = &all[from..(from + size).min(all.len())];
        let mut answer = Answer::new(
            200,
            "application/json;charset=utf-8",
            wrap(shown).to_string(),
        )
        .header("X-Total-Count", &all.len().to_string());
        if page < pages {
            let link = format!(
                "<http://git.lan{}?page={}>; rel=\"next\",<http://git.lan{}?page={pages}>; rel=\"last\"",
                call.path(),
                page + 1,
                call.path()
            );
            answer = answer.header("Link", &link);
        }
        answer
    }

    fn search(&mut self, call: &Call) -> Answer {
        let wanted = call.query("q").unwrap_or_default().to_lowercase();
        let all: Vec<_> = [repository("garden", false), repository("roof", true)]
            .into_iter()
            .filter(|it| {
                it["name"]
                    .as_str()
                    .is_some_and(|name| name.contains(&wanted))
            })
            .collect();
        self.page(call, &all, |shown| json!({"ok": true, "data": shown}))
    }

    fn list_issues(&mut self, call: &Call) -> Answer {
        if let Some(refusal) = no_repository(call) {
            return refusal;
        }
        let state = call.query("state").unwrap_or_else(|| "open".to_owned());
        let kind = call.query("type").unwrap_or_default();
        let wanted = call.query("q").unwrap_or_default();
        let found: Vec<_> = self
            .issues
            .iter()
            .rev()
            .filter(|it| state == "all" || it["state"] == *state)
            .filter(|it| match kind.as_str() {
                "issues" => it["pull_request"].is_null(),
                "pulls" => !it["pull_request"].is_null(),
                _ => true,
            })
            .filter(|it| {
                it["title"]
                    .as_str()
                    .is_some_and(|title| title.contains(&wanted))
            })
            .cloned()
            .collect();
        self.page(call, &found, |shown| json!(shown))
    }

    fn show_issue(&mut self, call: &Call) -> Answer {
        match no_repository(call).map_or_else(|| self.find(call), Err) {
            Ok(issue) => Answer::json(200, issue),
            Err(refusal) => refusal,
        }
    }

    fn create_issue(&mut self, call: &Call) -> Answer {
        if let Some(refusal) = no_repository(call) {
            return refusal;
        }
        if self.is_archived {
            return Gitea::error(423, "ada/garden is archived");
        }
        let body = call.try_json().unwrap_or_default();
        let Some(title) = body["title"].as_str().filter(|title| !title.is_empty()) else {
            return Gitea::error(422, "[Title]: Required");
        };
        let number = self.issues.len() as u64 + 1;
        let new = issue(number, title, body["body"].as_str().unwrap_or_default());
        self.issues.push(new.clone());
        Answer::json(201, &new)
    }

    fn comment(&mut self, call: &Call) -> Answer {
        let found = no_repository(call).map_or_else(|| self.find(call), Err);
        let number = match found {
            Ok(issue) => issue["number"].as_u64().unwrap_or_default(),
            Err(refusal) => return refusal,
        };
        let body = call.try_json().unwrap_or_default();
        let Some(text) = body["body"].as_str().filter(|text| !text.is_empty()) else {
            return Gitea::error(422, "[Body]: Required");
        };
        self.comments.push((number, text.to_owned()));
        Answer::json(
            201,
            &json!({
                "id": 900 + self.comments.len(), "html_url": format!("http://git.lan/ada/garden/issues/{number}#issuecomment-901"),
                "pull_request_url": "", "issue_url": format!("http://git.lan/ada/garden/issues/{number}"), "user": user(),
                "original_author": "", "original_author_id": 0, "body": text, "assets": [], "created_at": TIME, "updated_at": TIME,
            }),
        )
    }

    fn raw(&mut self, call: &Call) -> Answer {
        if let Some(refusal) = no_repository(call) {
            return refusal;
        }
        if call.query("ref").is_some_and(|name| name != "main") {
            return Gitea::error(404, "unable to find a git ref");
        }
        match call.arg("path") {
            "docs/how to/plant.md" => Answer::text(200, "# Plant\n\nDig, put, water.\n"),
            "logo.png" => Answer::new(200, "image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            _ => Gitea::error(404, "GetBlobByPath"),
        }
    }

    fn notifications(&mut self, call: &Call) -> Answer {
        let all: Vec<_> = [("Issue 3", true), ("Issue 1", false)]
            .into_iter()
            .filter(|(_, is_unread)| *is_unread || call.query("all").as_deref() == Some("true"))
            .map(|(title, is_unread)| {
                json!({
                    "id": 7, "repository": repository("garden", false), "unread": is_unread, "pinned": false, "updated_at": TIME,
                    "url": "http://git.lan/api/v1/notifications/threads/7",
                    "subject": {"title": title, "url": "http://git.lan/api/v1/repos/ada/garden/issues/3", "latest_comment_url": "",
                        "html_url": "http://git.lan/ada/garden/issues/3", "latest_comment_html_url": "", "type": "Issue", "state": "open"},
                })
            })
            .collect();
        self.page(call, &all, |shown| json!(shown))
    }

    fn runs(&mut self, call: &Call) -> Answer {
        if let Some(refusal) = no_repository(call) {
            return refusal;
        }
        let run = |id: u32, status: &str, conclusion: Value| {
            json!({
                "id": id, "url": "http://git.lan/api/v1/x", "html_url": format!("http://git.lan/ada/garden/actions/runs/{id}"),
                "display_title": "Water more", "path": "test.yml@refs/heads/main", "event": "push", "run_attempt": 1, "run_number": id,
                "repository_id": 1, "head_sha": "8d1add8d99d8a36ccc6fb97628a33a219cf8abbd", "head_branch": "main", "status": status,
                "conclusion": conclusion, "started_at": TIME, "completed_at": TIME, "actor": user(), "trigger_actor": user(), "repository": repository("garden", false),
            })
        };
        let all: Vec<_> = [
            run(2, "in_progress", Value::Null),
            run(1, "completed", json!("failure")),
        ]
        .into_iter()
        .filter(|it| {
            call.query("status")
                .is_none_or(|wanted| it["status"] == *wanted || it["conclusion"] == *wanted)
        })
        .collect();
        let total = all.len();
        self.page(
            call,
            &all,
            |shown| json!({"workflow_runs": shown, "total_count": total}),
        )
    }

    fn version(&mut self, _: &Call) -> Answer {
        Answer::json(200, &json!({"version": "1.27.0"}))
    }

    fn find(&self, call: &Call) -> Result<&Value, Answer> {
        let number = call
            .arg_number("index")
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(0);
        let issue = number.checked_sub(1).and_then(|at| self.issues.get(at));
        issue.ok_or_else(|| {
            Gitea::error(404, "issue does not exist [id: 0, repo_id: 1, index: 999]")
        })
    }
}

impl Service for Gitea {
    const PATHS: Paths = Paths::Segments;
    const ROUTES: &'static [Route<Gitea>] = &[
        ("GET", "/api/v1/version", Gitea::version),
        ("GET", "/api/v1/repos/search", Gitea::search),
        (
            "GET",
            "/api/v1/repos/{owner}/{repo}/issues",
            Gitea::list_issues,
        ),
        (
            "POST",
            "/api/v1/repos/{owner}/{repo}/issues",
            Gitea::create_issue,
        ),
        (
            "GET",
            "/api/v1/repos/{owner}/{repo}/issues/{index}",
            Gitea::show_issue,
        ),
        (
            "POST",
            "/api/v1/repos/{owner}/{repo}/issues/{index}/comments",
            Gitea::comment,
        ),
        (
            "GET",
            "/api/v1/repos/{owner}/{repo}/raw/{path:rest}",
            Gitea::raw,
        ),
        (
            "GET",
            "/api/v1/repos/{owner}/{repo}/actions/runs",
            Gitea::runs,
        ),
        ("GET", "/api/v1/notifications", Gitea::notifications),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        let header = call.header("authorization");
        match header.and_then(|it| it.strip_prefix("token ")) {
            Some(TOKEN) => Ok(()),
            Some(_) => Err(Gitea::error(401, "invalid username, password or token")),
            None => Err(Gitea::error(401, "token is required")),
        }
    }

    fn unknown(&self, _: &Call) -> Answer {
        Answer::text(404, "404 page not found\n")
    }

    fn wrong_verb(&self, _: &Call) -> Answer {
        Answer::empty(405)
    }
}

const TIME: &str = "2026-11-20T08:00:00Z";

fn no_repository(call: &Call) -> Option<Answer> {
    let is_there = (call.arg("owner"), call.arg("repo")) == ("ada", "garden");
    (!is_there).then(|| Gitea::error(404, "not found"))
}

fn user() -> Value {
    json!({"id": 1, "login": "ada", "login_name": "", "source_id": 0, "full_name": "Ada", "email": "ada@git.lan",
        "avatar_url": "http://git.lan/avatars/1", "html_url": "http://git.lan/ada", "language": "", "is_admin": true,
        "last_login": TIME, "created": TIME, "restricted": false, "active": true, "visibility": "public", "username": "ada"})
}

fn repository(name: &str, is_private: bool) -> Value {
    json!({
        "id": 1, "owner": user(), "name": name, "full_name": format!("ada/{name}"), "description": "What grows where", "empty": false,
        "private": is_private, "fork": false, "template": false, "mirror": false, "size": 120, "language": "Rust",
        "html_url": format!("http://git.lan/ada/{name}"), "ssh_url": "git@git.lan:ada/garden.git", "clone_url": "http://git.lan/ada/garden.git",
        "stars_count": 2, "forks_count": 0, "watchers_count": 1, "open_issues_count": 118, "open_pr_counter": 1, "release_counter": 0,
        "default_branch": "main", "archived": false, "created_at": TIME, "updated_at": TIME,
        "permissions": {"admin": true, "push": true, "pull": true}, "has_issues": true, "has_wiki": false,
    })
}

fn issue(number: u64, title: &str, body: &str) -> Value {
    json!({
        "id": 1000 + number, "url": format!("http://git.lan/api/v1/repos/ada/garden/issues/{number}"),
        "html_url": format!("http://git.lan/ada/garden/issues/{number}"), "number": number, "user": user(), "original_author": "",
        "original_author_id": 0, "title": title, "body": body, "ref": "", "assets": [],
        "labels": [{"id": 3, "name": "soil", "exclusive": false, "is_archived": false, "color": "8b4513", "description": "", "url": ""}],
        "milestone": null, "assignee": null, "assignees": [user()], "state": "open", "is_locked": false, "comments": 0,
        "created_at": TIME, "updated_at": TIME, "closed_at": null, "due_date": null, "pull_request": null, "pin_order": 0,
        "repository": {"id": 1, "name": "garden", "owner": "ada", "full_name": "ada/garden"},
    })
}
