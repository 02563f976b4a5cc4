//! Portainer with one Docker environment behind it. From Portainer's API description (environments,
//! stacks, the proxy under `/api/endpoints/{id}/docker`) and from the Docker Engine API's own
//! (`api/swagger.yaml`: ContainerList, ContainerInspect, ContainerStart, ContainerStop,
//! ContainerRestart, ContainerLogs; the stream format of ContainerAttach).

use crate::support::{Answer, Call, Route, Service, Value, json};

/// The access token it knows.
pub const TOKEN: &str = "ptr_fake/access+token=";

/// A Portainer.
pub struct Portainer {
    /// Environments as `/api/endpoints` lists them.
    pub environments: Vec<Value>,
    /// The containers of the environment with this id.
    pub environment_id: u64,
    /// Its containers.
    pub containers: Vec<Container>,
    /// Stacks as `/api/stacks` lists them; the file is the member `File`, never shown there.
    pub stacks: Vec<Value>,
}

/// A container.
pub struct Container {
    /// 64 hex digits.
    pub id: String,
    /// Without a slash.
    pub name: &'static str,
    /// `running`, `exited` …
    pub state: &'static str,
    /// Whether it has a terminal: its log is then not framed.
    pub has_tty: bool,
    /// Stream (1 stdout, 2 stderr), unix time, line.
    pub log: Vec<(u8, u64, &'static str)>,
    /// How many times it was started.
    pub starts: u32,
}

impl Container {
    fn new(id: &str, name: &'static str, state: &'static str) -> Container {
        Container {
            id: id.repeat(64 / id.len()),
            name,
            state,
            has_tty: false,
            log: Vec::new(),
            starts: 0,
        }
    }
}

impl Portainer {
    /// An environment with id 1 and two containers, a running `web` and a stopped `db`.
    pub fn new() -> Portainer {
        Portainer::with_environment(1)
    }

    /// The same where the environment was made anew and has another id.
    pub fn with_environment(id: u64) -> Portainer {
        let mut web = Container::new("a1b2c3d4", "web", "running");
        web.log = vec![
            (1, 1_700_000_000, "listening on 80"),
            (2, 1_700_000_100, "\u{1b}[31mupstream gone\u{1b}[0m"),
            (1, 1_700_000_200, "caf\u{e9} served"),
        ];
        let mut db = Container::new("0f", "db", "exited");
        db.has_tty = true;
        db.log = vec![(1, 1_700_000_000, "ready")];
        Portainer {
            environment_id: id,
            environments: vec![json!({
                "Id": id, "Name": "local", "Type": 1, "URL": "unix:///var/run/docker.sock",
                "GroupId": 1, "Status": 1, "Snapshots": [{"DockerVersion": "29.0.1"}],
                "AzureCredentials": {"ApplicationID": "", "TenantID": "", "AuthenticationKey": "azure-secret"},
                "TLSConfig": {"TLS": false},
            })],
            containers: vec![web, db],
            stacks: vec![json!({
                "Id": 7, "Name": "shop", "Type": 2, "EndpointId": id, "SwarmId": "",
                "EntryPoint": "docker-compose.yml", "Status": 1,
                "Env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "REGION", "value": "north"}],
                "ResourceControl": null, "ProjectPath": "/data/compose/7",
                "CreationDate": 1_700_000_000, "CreatedBy": "admin", "UpdateDate": 1_700_086_400, "UpdatedBy": "admin",
                "GitConfig": null,
                "File": "services:\n  web:\n    image: nginx:1.29\n    environment:\n      DB_PASSWORD: ${DB_PASSWORD}\n",
            })],
        }
    }

    fn environments(&mut self, call: &Call) -> Answer {
        let mut listed = self.environments.clone();
        if call.query("excludeSnapshots").as_deref() == Some("true") {
            for environment in &mut listed {
                environment.as_object_mut().unwrap().remove("Snapshots");
            }
        }
        Answer::json(200, &json!(listed)).header("X-Total-Count", &listed.len().to_string())
    }

    fn users(&mut self, _: &Call) -> Answer {
        Answer::json(200, &json!([{"Id": 1, "Username": "admin", "Role": 1}]))
    }

    // --- stacks -------------------------------------------------------------------------------

    fn stacks(&mut self, call: &Call) -> Answer {
        let mut listed = self.stacks.clone();
        if let Some(filters) = call.query("filters") {
            let Ok(filters) = serde_json::from_str::<Value>(&filters) else {
                let text = "Invalid query parameter: filters";
                return error(400, text, "unexpected end of JSON input");
            };
            if let Some(id) = filters["EndpointID"].as_u64().filter(|id| *id != 0) {
                listed.retain(|stack| stack["EndpointId"] == id);
            }
        }
        for stack in &mut listed {
            stack.as_object_mut().unwrap().remove("File");
        }
        if listed.is_empty() {
            return Answer::empty(204);
        }
        Answer::json(200, &json!(listed))
    }

    fn stack(&self, call: &Call) -> Result<Value, Answer> {
        let Some(id) = call.arg_number("id") else {
            let text = "Invalid stack identifier route variable";
            return Err(error(400, text, "Invalid route variable"));
        };
        let found = self.stacks.iter().find(|stack| stack["Id"] == id);
        found.cloned().ok_or_else(|| {
            let text = "Unable to find a stack with the specified identifier inside the database";
            error(404, text, "Object not found inside the database")
        })
    }

    fn show_stack(&mut self, call: &Call) -> Answer {
        match self.stack(call) {
            Err(answer) => answer,
            Ok(mut stack) => {
                stack.as_object_mut().unwrap().remove("File");
                Answer::json(200, &stack)
            }
        }
    }

    fn stack_file(&mut self, call: &Call) -> Answer {
        match self.stack(call) {
            Err(answer) => answer,
            Ok(stack) => Answer::json(200, &json!({"StackFileContent": stack["File"]})),
        }
    }

    // --- the Docker proxy -----------------------------------------------------------------------

    fn docker(&mut self, call: &Call) -> Result<(), Answer> {
        let Some(id) = call.arg_number("environment") else {
            let text = "Invalid environment identifier route variable";
            return Err(error(400, text, "Invalid route variable"));
        };
        if id != self.environment_id {
            let text =
                "Unable to find an environment with the specified identifier inside the database";
            return Err(error(404, text, "Object not found inside the database"));
        }
        Ok(())
    }

    fn container(&mut self, call: &Call) -> Result<&mut Container, Answer> {
        self.docker(call)?;
        let wanted = call.arg("id");
        let found = self.containers.iter_mut().find(|container| {
            container.name == wanted || (wanted.len() >= 4 && container.id.starts_with(wanted))
        });
        found.ok_or_else(|| docker_error(404, &format!("No such container: {wanted}")))
    }

    fn list(&mut self, call: &Call) -> Answer {
        self.try_list(call).unwrap_or_else(|answer| answer)
    }

    fn try_list(&mut self, call: &Call) -> Result<Answer, Answer> {
        self.docker(call)?;
        let filters = call.query("filters").unwrap_or_else(|| "{}".into());
        let filters: Value = serde_json::from_str(&filters)
            .map_err(|_| docker_error(400, "invalid character in filters"))?;
        let filters = filters
            .as_object()
            .ok_or_else(|| docker_error(400, "filters must be a map"))?;
        let mut shown: Vec<&Container> = self.containers.iter().collect();
        let mut is_all = flag(call, "all");
        for (name, values) in filters {
            let values: Vec<&str> = match values.as_array() {
                Some(values) => values.iter().filter_map(Value::as_str).collect(),
                None => {
                    let text = "json: cannot unmarshal into Go value of type []string";
                    return Err(docker_error(400, text));
                }
            };
            match name.as_str() {
                // No value is no filter.
                _ if values.is_empty() => (),
                "status" => {
                    let known = [
                        "created",
                        "restarting",
                        "running",
                        "removing",
                        "paused",
                        "exited",
                        "dead",
                    ];
                    if let Some(value) = values.iter().find(|value| !known.contains(value)) {
                        let text = format!("invalid filter 'status={value}'");
                        return Err(docker_error(400, &text));
                    }
                    is_all = true;
                    shown.retain(|container| values.contains(&container.state));
                }
                "name" => shown.retain(|container| {
                    let mut values = values.iter();
                    values.any(|value| format!("/{}", container.name).contains(value))
                }),
                other => {
                    return Err(docker_error(400, &format!("invalid filter '{other}'")));
                }
            }
        }
        if !is_all {
            shown.retain(|container| container.state == "running");
        }
        Ok(Answer::json(
            200,
            &shown.iter().map(|container| summary(container)).collect(),
        ))
    }

    fn inspect(&mut self, call: &Call) -> Answer {
        match self.container(call) {
            Ok(container) => Answer::json(200, &details(container)),
            Err(answer) => answer,
        }
    }

    fn start(&mut self, call: &Call) -> Answer {
        match self.container(call) {
            Ok(container) if container.state == "running" => Answer::empty(304),
            Ok(container) => {
                container.state = "running";
                container.starts += 1;
                Answer::empty(204)
            }
            Err(answer) => answer,
        }
    }

    fn stop(&mut self, call: &Call) -> Answer {
        if let Err(answer) = grace(call) {
            return answer;
        }
        match self.container(call) {
            Ok(container) if container.state != "running" => Answer::empty(304),
            Ok(container) => {
                container.state = "exited";
                Answer::empty(204)
            }
            Err(answer) => answer,
        }
    }

    fn restart(&mut self, call: &Call) -> Answer {
        if let Err(answer) = grace(call) {
            return answer;
        }
        match self.container(call) {
            Ok(container) => {
                container.state = "running";
                container.starts += 1;
                Answer::empty(204)
            }
            Err(answer) => answer,
        }
    }

    fn logs(&mut self, call: &Call) -> Answer {
        self.try_logs(call).unwrap_or_else(|answer| answer)
    }

    fn try_logs(&mut self, call: &Call) -> Result<Answer, Answer> {
        let (stdout, stderr) = (flag(call, "stdout"), flag(call, "stderr"));
        let container = self.container(call)?;
        if !stdout && !stderr {
            let text = "Bad parameters: you must choose at least one stream";
            return Err(docker_error(400, text));
        }
        let moment = |name: &str| match call.query(name).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => text.parse::<f64>().map(Some).map_err(|_| {
                let text = format!("invalid value for \"{name}\": parsing \"{text}\"");
                docker_error(400, &text)
            }),
        };
        let (since, until) = (moment("since")?, moment("until")?);
        let mut lines: Vec<_> = container.log.clone();
        lines.retain(|(stream, at, _)| {
            // Seconds of this century are exact as f64.
            #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
            let at = *at as f64;
            (if *stream == 2 { stderr } else { stdout })
                && since.is_none_or(|since| at >= since)
                && until.is_none_or(|until| until == 0.0 || at <= until)
        });
        // What is no number, or a negative one, means all.
        let tail = call.query("tail").unwrap_or_else(|| "all".into());
        let tail = tail.parse::<usize>().unwrap_or(usize::MAX);
        let skipped = lines.len().saturating_sub(tail);
        let mut body = Vec::new();
        for (stream, at, line) in &lines[skipped..] {
            let mut line = if container.has_tty {
                format!("{line}\r\n")
            } else {
                format!("{line}\n")
            };
            if flag(call, "timestamps") {
                assert_eq!(at / 1000, 1_700_000, "the fake knows the hour 22:13 only");
                let (minute, second) = (13 + (at % 1000 + 20) / 60, (at % 1000 + 20) % 60);
                line = format!("2023-11-14T22:{minute:02}:{second:02}.000000000Z {line}");
            }
            if !container.has_tty {
                body.extend([*stream, 0, 0, 0]);
                let len = u32::try_from(line.len()).expect("a short line");
                body.extend(len.to_be_bytes());
            }
            body.extend(line.as_bytes());
        }
        let media_type = if container.has_tty {
            "application/vnd.docker.raw-stream"
        } else {
            "application/vnd.docker.multiplexed-stream"
        };
        Ok(Answer::new(200, media_type, body).chunked(11))
    }
}

impl Service for Portainer {
    const ROUTES: &'static [Route<Portainer>] = &[
        ("GET", "/api/endpoints", Portainer::environments),
        ("GET", "/api/users", Portainer::users),
        ("GET", "/api/stacks", Portainer::stacks),
        ("GET", "/api/stacks/{id}", Portainer::show_stack),
        ("GET", "/api/stacks/{id}/file", Portainer::stack_file),
        (
            "GET",
            "/api/endpoints/{environment}/docker/containers/json",
            Portainer::list,
        ),
        (
            "GET",
            "/api/endpoints/{environment}/docker/containers/{id}/json",
            Portainer::inspect,
        ),
        (
            "GET",
            "/api/endpoints/{environment}/docker/containers/{id}/logs",
            Portainer::logs,
        ),
        (
            "POST",
            "/api/endpoints/{environment}/docker/containers/{id}/start",
            Portainer::start,
        ),
        (
            "POST",
            "/api/endpoints/{environment}/docker/containers/{id}/stop",
            Portainer::stop,
        ),
        (
            "POST",
            "/api/endpoints/{environment}/docker/containers/{id}/restart",
            Portainer::restart,
        ),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        match call.header("x-api-key") {
            Some(TOKEN) => Ok(()),
            Some(_) => Err(error(401, "Invalid API key", "Unauthorized")),
            None => Err(error(
                401,
                "A valid authorization token is missing",
                "Unauthorized",
            )),
        }
    }

    fn unknown(&self, call: &Call) -> Answer {
        if call.path().contains("/docker/") {
            return docker_error(404, "page not found");
        }
        Answer::text(404, "404 page not found\n")
    }
}

/// Portainer's error body.
pub fn error(status: u16, message: &str, details: &str) -> Answer {
    Answer::json(status, &json!({"message": message, "details": details}))
}

/// Docker's error body.
pub fn docker_error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"message": message}))
}

/// A query boolean as the daemon reads it: everything is true but these.
fn flag(call: &Call, name: &str) -> bool {
    let value = call.query(name).unwrap_or_default().to_lowercase();
    !["", "0", "no", "false", "none"].contains(&value.trim())
}

fn grace(call: &Call) -> Result<(), Answer> {
    match call.query("t").map(|t| (t.parse::<i32>(), t)) {
        Some((Err(_), t)) => {
            let text = format!("strconv.Atoi: parsing \"{t}\": invalid syntax");
            Err(docker_error(400, &text))
        }
        _ => Ok(()),
    }
}

fn summary(container: &Container) -> Value {
    let status = match container.state {
        "running" => "Up 4 days",
        _ => "Exited (0) 2 hours ago",
    };
    let ports = match container.state {
        "running" => json!([
            {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"PrivatePort": 443, "Type": "tcp"},
        ]),
        _ => json!([]),
    };
    json!({
        "Id": container.id, "Names": [format!("/{}", container.name)], "Image": "nginx:1.29",
        "ImageID": "sha256:72297848", "Command": "nginx -g 'daemon off;'", "Created": 1_739_811_096,
        "Ports": ports, "State": container.state, "Status": status,
        "Labels": {"com.docker.compose.project": "shop", "maintainer": "a very long label"},
        "HostConfig": {"NetworkMode": "shop_default"},
        "NetworkSettings": {"Networks": {"shop_default": {"IPAddress": "172.18.0.2"}}},
        "Mounts": [],
    })
}

fn details(container: &Container) -> Value {
    json!({
        "Id": container.id, "Created": "2025-02-17T16:51:36Z", "Path": "nginx", "Args": ["-g", "daemon off;"],
        "State": {"Status": container.state, "Running": container.state == "running", "ExitCode": 0,
            "StartedAt": "2025-02-17T16:51:37Z", "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {"Status": "healthy", "FailingStreak": 0, "Log": [{"Output": "a long probe output"}]}},
        "Image": "sha256:72297848", "Name": format!("/{}", container.name), "RestartCount": 3,
        "HostConfig": {"RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0}, "Binds": ["/srv:/data:rw"]},
        "Mounts": [{"Type": "bind", "Source": "/srv", "Destination": "/data", "Mode": "rw", "RW": true}],
        "Config": {"Hostname": "a1b2c3d4a1b2", "Image": "nginx:1.29", "Cmd": ["nginx"],
            "Env": ["PATH=/usr/bin", "DB_PASSWORD=hunter2"], "Tty": container.has_tty,
            "Labels": {"com.docker.compose.project": "shop"}},
        "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "443/tcp": null},
            "Networks": {"shop_default": {"IPAddress": "172.18.0.2"}}},
    })
}
