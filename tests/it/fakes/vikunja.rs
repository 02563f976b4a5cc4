//! Vikunja, `/api/v1`. From its route table (`pkg/routes/routes.go`: PUT creates, POST updates),
//! its handlers (`pkg/web/handler`: pages of at most 50, their headers) and its task model
//! (`pkg/models/tasks.go`: what an update writes, and what it takes away).

use crate::support::{Answer, Call, Route, Service, Value, json};

/// The API token it knows.
pub const TOKEN: &str = "tk_fake0123456789";

/// Its null date.
pub const NEVER: &str = "0001-01-01T00:00:00Z";

const PER_PAGE_MAX: usize = 50;

/// What POST writes, whether it was sent or not, with what stands there when it was not.
const COLUMNS: [&str; 13] = [
    "title",
    "description",
    "done",
    "due_date",
    "repeat_after",
    "repeat_mode",
    "priority",
    "start_date",
    "end_date",
    "hex_color",
    "percent_done",
    "cover_image_attachment_id",
    "is_favorite",
];

/// A Vikunja.
pub struct Vikunja {
    /// Projects, all members.
    pub projects: Vec<Value>,
    /// Tasks, all members.
    pub tasks: Vec<Value>,
    /// Labels.
    pub labels: Vec<Value>,
    next_id: u64,
}

impl Vikunja {
    /// Two projects and two tasks of the first, one done.
    pub fn new() -> Vikunja {
        let mut vikunja = Vikunja {
            projects: Vec::new(),
            tasks: Vec::new(),
            labels: vec![
                json!({"id": 4, "title": "urgent", "hex_color": "ff0000", "description": "",
                "created": "2026-01-01T00:00:00Z", "created_by": {"id": 1, "username": "ada"}}),
            ],
            next_id: 0,
        };
        vikunja.add_project(
            &json!({"title": "Home", "identifier": "HOME", "description": "<p>house</p>"}),
        );
        vikunja.add_project(&json!({"title": "Old", "is_archived": true}));
        let task = vikunja.add_task(1, &json!({
            "title": "Mend the gutter", "description": "<p>north side</p>", "priority": 3, "hex_color": "00ff00",
            "due_date": "2026-12-01T09:00:00Z", "percent_done": 0.25, "repeat_after": 86400, "is_favorite": true,
            "reminders": [{"reminder": "2026-11-30T09:00:00Z", "relative_period": 0, "relative_to": ""}],
            "assignees": [{"id": 1, "username": "ada", "name": "Ada"}],
        }));
        task["labels"] = json!([vikunja_label()]);
        vikunja.add_task(1, &json!({"title": "Paint", "done": true}));
        vikunja
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn add_project(&mut self, given: &Value) -> &Value {
        let id = self.id();
        let text = |name: &str| given[name].as_str().unwrap_or_default();
        self.projects.push(json!({
            "id": id, "title": text("title"), "description": text("description"), "identifier": text("identifier"),
            "hex_color": text("hex_color"), "parent_project_id": given["parent_project_id"].as_u64().unwrap_or(0),
            "default_bucket_id": 0, "is_archived": given["is_archived"] == true, "is_favorite": false,
            "background_information": null, "background_blur_hash": "", "position": 65536, "max_permission": null,
            "owner": {"id": 1, "username": "ada", "name": "Ada", "created": NEVER}, "views": [{"id": 1, "title": "List"}],
            "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z",
        }));
        &self.projects[self.projects.len() - 1]
    }

    /// Adds a task as a PUT would.
    pub fn add_task(&mut self, project: u64, given: &Value) -> &mut Value {
        let id = self.id();
        let index = self
            .tasks
            .iter()
            .filter(|task| task["project_id"] == project)
            .count()
            + 1;
        let mut task = json!({
            "id": id, "project_id": project, "index": index, "identifier": format!("HOME-{index}"),
            "done_at": NEVER, "labels": null, "related_tasks": {}, "attachments": null, "bucket_id": 0, "position": 0,
            "reactions": null, "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z",
            "created_by": {"id": 1, "username": "ada", "name": "Ada", "created": NEVER, "updated": NEVER},
        });
        write(&mut task, given);
        self.tasks.push(task);
        let last = self.tasks.len() - 1;
        &mut self.tasks[last]
    }

    // --- projects ---------------------------------------------------------------------------------

    fn list_projects(&mut self, call: &Call) -> Answer {
        let words = call.query("s").unwrap_or_default().to_lowercase();
        let with_archived = call.query("is_archived").as_deref() == Some("true");
        let found = self.projects.iter().filter(|project| {
            let title = project["title"].as_str().unwrap_or_default();
            title.to_lowercase().contains(&words)
                && (with_archived || project["is_archived"] == false)
        });
        paged(call, found.cloned().collect())
    }

    fn project(&self, call: &Call) -> Result<&Value, Answer> {
        let Some(id) = call.arg_number("project") else {
            return Err(model_error());
        };
        let found = self.projects.iter().find(|project| project["id"] == id);
        found.ok_or_else(|| error(404, 3001, "This project does not exist."))
    }

    fn show_project(&mut self, call: &Call) -> Answer {
        match self.project(call) {
            Ok(project) => Answer::json(200, project).header("x-max-permission", "2"),
            Err(answer) => answer,
        }
    }

    fn create_project(&mut self, call: &Call) -> Answer {
        let Some(given) = call.try_json() else {
            return model_error();
        };
        let len = given["title"].as_str().unwrap_or_default().chars().count();
        let mut wrong = Vec::new();
        if !(1..=250).contains(&len) {
            wrong.push("title: non zero value required");
        }
        if given["identifier"]
            .as_str()
            .unwrap_or_default()
            .chars()
            .count()
            > 10
        {
            wrong.push("identifier: runelength(0|10)");
        }
        if !wrong.is_empty() {
            return Answer::json(
                412,
                &json!({"code": 2002, "message": "Invalid Data", "invalid_fields": wrong}),
            );
        }
        Answer::json(201, self.add_project(&given))
    }

    // --- tasks ------------------------------------------------------------------------------------

    fn list_tasks_of_project(&mut self, call: &Call) -> Answer {
        match self.project(call) {
            Ok(project) => {
                let id = project["id"].clone();
                self.listed(call, &|task| task["project_id"] == id)
            }
            Err(answer) => answer,
        }
    }

    fn list_tasks(&mut self, call: &Call) -> Answer {
        self.listed(call, &|_| true)
    }

    fn listed(&self, call: &Call, is_in: &dyn Fn(&Value) -> bool) -> Answer {
        let words = call.query("s").unwrap_or_default().to_lowercase();
        let filter = match call.query("filter").filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => match Filter::parse(&text) {
                Some(filter) => Some(filter),
                None => {
                    let text = format!("The filter expression '{text}' is invalid");
                    return error(400, 4024, &text);
                }
            },
        };
        let mut found: Vec<Value> = self
            .tasks
            .iter()
            .filter(|task| {
                let title = task["title"].as_str().unwrap_or_default();
                is_in(task)
                    && title.to_lowercase().contains(&words)
                    && filter.as_ref().is_none_or(|filter| filter.holds(task))
            })
            .cloned()
            .collect();
        let orders = call.queries("order_by");
        for (at, field) in call.queries("sort_by").iter().enumerate().rev() {
            if self
                .tasks
                .first()
                .is_some_and(|task| task.get(field).is_none())
            {
                let text = format!("The task field '{field}' is invalid.");
                return error(400, 4016, &text);
            }
            found.sort_by_key(|task| sort_key(&task[field]));
            if orders.get(at).map(String::as_str) == Some("desc") {
                found.reverse();
            }
        }
        paged(call, found)
    }

    fn create_task(&mut self, call: &Call) -> Answer {
        let project = match self.project(call) {
            Ok(project) => project["id"].as_u64().expect("ids are numbers"),
            Err(answer) => return answer,
        };
        let Some(given) = call.try_json().filter(is_model) else {
            return model_error();
        };
        if given["title"].as_str().unwrap_or_default().is_empty() {
            return error(400, 4001, "You must provide at least a task title.");
        }
        Answer::json(201, self.add_task(project, &given))
    }

    fn task(&mut self, call: &Call) -> Result<&mut Value, Answer> {
        let Some(id) = call.arg_number("task") else {
            return Err(model_error());
        };
        let found = self.tasks.iter_mut().find(|task| task["id"] == id);
        found.ok_or_else(|| error(404, 4002, "This task does not exist"))
    }

    fn show_task(&mut self, call: &Call) -> Answer {
        match self.task(call) {
            Ok(task) => Answer::json(200, task).header("x-max-permission", "2"),
            Err(answer) => answer,
        }
    }

    /// Replaces: a column that is absent gets its zero, absent assignees and reminders go.
    fn update_task(&mut self, call: &Call) -> Answer {
        let Some(given) = call.try_json().filter(is_model) else {
            return model_error();
        };
        match self.task(call) {
            Err(answer) => answer,
            Ok(_) if given["title"] == "" => Answer::json(
                412,
                &json!({"code": 2002, "message": "Invalid Data", "invalid_fields": ["title: minstringlength(1)"]}),
            ),
            Ok(task) => {
                let was_done = task["done"] == true;
                write(task, &given);
                // What repeats opens again (and moves on to its next date, which is a clock's work).
                if !was_done && task["repeat_after"] != 0 {
                    task["done"] = json!(false);
                }
                if let Some(project) = given["project_id"].as_u64().filter(|id| *id != 0) {
                    task["project_id"] = json!(project);
                }
                Answer::json(200, task)
            }
        }
    }

    fn delete_task(&mut self, call: &Call) -> Answer {
        match self.task(call) {
            Err(answer) => answer,
            Ok(task) => {
                let id = task["id"].clone();
                self.tasks.retain(|task| task["id"] != id);
                Answer::json(200, &json!({"message": "Successfully deleted."}))
            }
        }
    }

    fn list_labels(&mut self, call: &Call) -> Answer {
        paged(call, self.labels.clone())
    }

    fn info(&mut self, _: &Call) -> Answer {
        Answer::json(
            200,
            &json!({"version": "v2.5.0", "frontend_url": "", "max_items_per_page": 50}),
        )
    }
}

impl Service for Vikunja {
    const ROUTES: &'static [Route<Vikunja>] = &[
        ("GET", "/api/v1/info", Vikunja::info),
        ("GET", "/api/v1/projects", Vikunja::list_projects),
        ("PUT", "/api/v1/projects", Vikunja::create_project),
        ("GET", "/api/v1/projects/{project}", Vikunja::show_project),
        (
            "GET",
            "/api/v1/projects/{project}/tasks",
            Vikunja::list_tasks_of_project,
        ),
        (
            "PUT",
            "/api/v1/projects/{project}/tasks",
            Vikunja::create_task,
        ),
        ("GET", "/api/v1/tasks", Vikunja::list_tasks),
        ("GET", "/api/v1/tasks/{task}", Vikunja::show_task),
        ("POST", "/api/v1/tasks/{task}", Vikunja::update_task),
        ("DELETE", "/api/v1/tasks/{task}", Vikunja::delete_task),
        ("GET", "/api/v1/labels", Vikunja::list_labels),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        let expected = format!("Bearer {TOKEN}");
        if call.path() == "/api/v1/info" || call.header("authorization") == Some(&expected) {
            return Ok(());
        }
        let text = "missing, malformed, expired or otherwise invalid token provided";
        Err(error(401, 11, text))
    }

    fn unknown(&self, _: &Call) -> Answer {
        Answer::json(404, &json!({"message": "Not Found"}))
    }

    fn wrong_verb(&self, _: &Call) -> Answer {
        Answer::json(405, &json!({"message": "Method Not Allowed"}))
    }
}

fn vikunja_label() -> Value {
    json!({"id": 4, "title": "urgent", "hex_color": "ff0000", "created": "2026-01-01T00:00:00Z"})
}

fn error(status: u16, code: u32, text: &str) -> Answer {
    Answer::json(status, &json!({"code": code, "message": text}))
}

fn model_error() -> Answer {
    error(400, 2004, "Invalid model provided")
}

/// Whether the members have the types of the model.
fn is_model(given: &Value) -> bool {
    let dates = ["due_date", "start_date", "end_date"];
    let is_date = |text: &str| text.len() >= 20 && text.as_bytes()[10] == b'T';
    dates
        .iter()
        .all(|name| given[*name].is_null() || given[*name].as_str().is_some_and(is_date))
        && (given["priority"].is_null() || given["priority"].is_i64())
        && (given["done"].is_null() || given["done"].is_boolean())
        && (given["title"].is_null() || given["title"].is_string())
}

/// All columns, and what hangs on a task by tables of its own.
fn write(task: &mut Value, given: &Value) {
    for column in COLUMNS {
        let zero = match column {
            "title" | "description" | "hex_color" => json!(""),
            "done" | "is_favorite" => json!(false),
            "due_date" | "start_date" | "end_date" => json!(NEVER),
            _ => json!(0),
        };
        let value = given.get(column).filter(|value| !value.is_null());
        task[column] = value.cloned().unwrap_or(zero);
    }
    for list in ["reminders", "assignees"] {
        task[list] = given.get(list).cloned().unwrap_or(Value::Null);
    }
}

fn paged(call: &Call, all: Vec<Value>) -> Answer {
    let number = |name: &str, default: usize| {
        let text = call.query(name).unwrap_or_default();
        text.parse().unwrap_or(default)
    };
    let per_page = match number("per_page", PER_PAGE_MAX) {
        0 => PER_PAGE_MAX,
        given => given.min(PER_PAGE_MAX),
    };
    let pages = all.len().div_ceil(per_page);
    let skipped = (number("page", 1).max(1) - 1) * per_page;
    let shown: Vec<Value> = all.into_iter().skip(skipped).take(per_page).collect();
    let count = shown.len();
    Answer::json(200, &json!(shown))
        .header("x-pagination-total-pages", &pages.to_string())
        .header("x-pagination-result-count", &count.to_string())
}

/// Numbers before texts, each in their order.
fn sort_key(value: &Value) -> (i64, String) {
    match value.as_i64() {
        Some(number) => (number, String::new()),
        None => (i64::MAX, value.as_str().unwrap_or_default().to_owned()),
    }
}

/// A filter as its `filters` page has it: comparisons, `&&`, `||`, parentheses.
enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Compare {
        field: String,
        operator: String,
        value: String,
    },
}

impl Filter {
    fn parse(text: &str) -> Option<Filter> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut rest = &words[..];
        let filter = Filter::parse_any(&mut rest)?;
        rest.is_empty().then_some(filter)
    }

    fn parse_any(words: &mut &[&str]) -> Option<Filter> {
        let mut parts = vec![Filter::parse_all(words)?];
        while let Some(rest) = words.strip_prefix(&["||"]) {
            *words = rest;
            parts.push(Filter::parse_all(words)?);
        }
        Some(Filter::Any(parts))
    }

    fn parse_all(words: &mut &[&str]) -> Option<Filter> {
        let mut parts = vec![Filter::parse_one(words)?];
        while let Some(rest) = words.strip_prefix(&["&&"]) {
            *words = rest;
            parts.push(Filter::parse_one(words)?);
        }
        Some(Filter::All(parts))
    }

    fn parse_one(words: &mut &[&str]) -> Option<Filter> {
        if let Some(rest) = words.strip_prefix(&["("]) {
            *words = rest;
            let inner = Filter::parse_any(words)?;
            *words = words.strip_prefix(&[")"])?;
            return Some(inner);
        }
        let [field, operator, value, rest @ ..] = *words else {
            return None;
        };
        let is_known = ["=", "!=", ">", ">=", "<", "<="].contains(operator)
            && ["done", "priority", "title", "percent_done", "project"].contains(field);
        *words = rest;
        is_known.then(|| Filter::Compare {
            field: (*field).to_owned(),
            operator: (*operator).to_owned(),
            value: value.trim_matches(['"', '\'']).to_owned(),
        })
    }

    fn holds(&self, task: &Value) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.holds(task)),
            Filter::Any(parts) => parts.iter().any(|part| part.holds(task)),
            Filter::Compare {
                field,
                operator,
                value,
            } => {
                let actual = match field.as_str() {
                    "project" => &task["project_id"],
                    field => &task[field],
                };
                let order = match (actual.as_f64(), value.parse::<f64>()) {
                    (Some(actual), Ok(value)) => actual.total_cmp(&value),
                    _ => {
                        let text = actual.as_str().map(str::to_owned);
                        text.unwrap_or_else(|| actual.to_string()).cmp(value)
                    }
                };
                match operator.as_str() {
                    "=" => order.is_eq(),
                    "!=" => order.is_ne(),
                    ">" => order.is_gt(),
                    ">=" => order.is_ge(),
                    "<" => order.is_lt(),
                    _ => order.is_le(),
                }
            }
        }
    }
}

#[test]
fn filters_are_read_as_vikunja_reads_them() {
    let task = json!({"done": false, "priority": 3, "project_id": 1});
    for (text, expected) in [
        ("done = false", Some(true)),
        ("done = false && (priority >= 4 || project = 1)", Some(true)),
        ("(done = true)", Some(false)),
        ("priority < 3", Some(false)),
        ("done", None),
        ("(done = false", None),
        ("colour = red", None),
    ] {
        let holds = Filter::parse(text).map(|filter| filter.holds(&task));
        assert_eq!(holds, expected, "{text}");
    }
}
