//! Whole answers, as the services document them, through the tables that packs have for them.

use serde_json::{Value, json};

use super::answer;

/// Checks what a model gets to read.
#[track_caller]
fn check(toml: &str, arguments: Value, body: &[u8], expected: &str) {
    let result = answer(toml, arguments, body);
    assert_eq!(result.text_blocks(), expected);
}

#[test]
fn portainer_containers() {
    let toml = r#"
where = [{ path = "Names[]", icontains = "{query}" }]
limit = "{limit}"
pick = [
  "id = Id", "name = Names[0]", "image = Image", "state = State", "status = Status",
  { as = "ports", at = "Ports[]", where = [{ path = "PublicPort", exists = true }], format = "{PublicPort}:{PrivatePort}/{Type}" },
  'project = Labels["com.docker.compose.project"]',
]
trim = { id = { chars = 12 }, name = { prefix = "/" } }
"#;
    let body = br#"[{"Id":"aa86eacfb3b3ed4cd362c1e88fc89a53908ad05fb3a4103bca3f9b28292d14bf","Names":["/funny_chatelet"],"Image":"nginx:latest",
        "ImageID":"sha256:72297848456d5d37d1262630108ab308d3e9ec7ed1c3286a32fe09856619a782","Command":"/docker-entrypoint.sh","Created":1739811096,
        "Ports":[{"PrivatePort":443,"Type":"tcp"},{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"}],
        "Labels":{"com.docker.compose.project":"shop","maintainer":"x"},"State":"running","Status":"Up 4 days"},
        {"Id":"bb","Names":["/db"],"Image":"postgres","Ports":[],"Labels":{},"State":"exited","Status":"Exited (0)"}]"#;
    check(
        toml,
        json!({"query": "FUNNY"}),
        body,
        r#"{"items":[{"id":"aa86eacfb3b3","image":"nginx:latest","name":"funny_chatelet","ports":["8080:80/tcp"],"project":"shop","state":"running","status":"Up 4 days"}],"shown":1,"total":1}"#,
    );
}

#[test]
fn portainer_stacks_and_a_container() {
    let toml = r#"
list = true
redact = { values = ["Env[].value"] }
pick = ["id = Id", "name = Name", "type = Type", "status = Status", "endpoint_id = EndpointId", "env = Env[].name", "created = CreationDate", "updated = UpdateDate"]
map = { type = { 1 = "swarm", 2 = "compose", 3 = "kubernetes" }, status = { 1 = "active", 2 = "inactive" } }
time = { created = "unix", updated = "unix" }
"#;
    let body = br#"[{"Id":3,"Name":"shop","Type":2,"EndpointId":1,"SwarmId":"","EntryPoint":"docker-compose.yml","Env":[{"name":"DB_PASSWORD","value":"hunter2"}],"Status":1,"CreationDate":1739811096,"UpdateDate":0}]"#;
    check(
        toml,
        json!({}),
        body,
        r#"{"items":[{"created":"2025-02-17T16:51:36Z","endpoint_id":1,"env":["DB_PASSWORD"],"id":3,"name":"shop","status":"active","type":"compose","updated":0}],"shown":1,"total":1}"#,
    );
    check(toml, json!({}), b"", r#"{"items":[],"shown":0,"total":0}"#);
    let toml = r#"
full = "{full}"
redact = { env = ["Config.Env"] }
pick = ["name = Name", "state = State.Status", "env = Config.Env[]", "networks = NetworkSettings.Networks[keys]", "ports = NetworkSettings.Ports"]
trim = { name = { prefix = "/" }, "env[]" = { until = "=" } }
"#;
    let body = br#"{"Name":"/web","State":{"Status":"running"},"Config":{"Env":["PASSWORD=a=b","PATH=/bin"]},"NetworkSettings":{"Networks":{"bridge":{}},"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"443/tcp":null}}}"#;
    check(
        toml,
        json!({}),
        body,
        r#"{"env":["PASSWORD","PATH"],"name":"web","networks":["bridge"],"ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}]},"state":"running"}"#,
    );
    let all = answer(toml, json!({"full": true}), body).text_blocks();
    assert!(
        all.contains(r#""Env":["PASSWORD=***","PATH=***"]"#) && all.contains(r#""443/tcp":null"#),
        "{all}"
    );
}

#[test]
fn container_logs() {
    let toml = "decode = 'docker_logs'\nkeep = 'tail'\nmax_output = 1024\nnarrow = ['limit']";
    let mut body = Vec::new();
    for line in 0..100 {
        let payload = format!("line {line:03} of the log\n");
        body.extend([1, 0, 0, 0, 0, 0, 0, u8::try_from(payload.len()).unwrap()]);
        body.extend(payload.as_bytes());
    }
    let text = answer(toml, json!({}), &body).text_blocks();
    let (note, log) = text.split_once('\n').unwrap();
    assert_eq!(
        note,
        format!(
            "[the last {} bytes of a text of 2000 bytes shown; narrow with `limit`]",
            log.len()
        )
    );
    assert!(
        log.starts_with("line 0") && log.ends_with("line 099 of the log\n"),
        "{log}"
    );
    assert!(log.len() % 20 == 0 && text.len() <= 1024 && text.len() > 900);
    check(
        "decode = 'docker_logs'",
        json!({}),
        &body[..28],
        "line 000 of the log\n",
    );
    check(
        "decode = 'docker_logs'",
        json!({}),
        &body[..20],
        "line 000 of \n[the last line is incomplete]",
    );
}

#[test]
fn prometheus() {
    let toml = r#"
decode = "prom_api"
at = "/items"
beside = { warnings = "/warnings" }
limit = "{limit}"
time = { time = "unix" }
round = { value = 6, "values[][1]" = 3 }
points = { path = "values", max = 2 }
"#;
    let body = br#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"node"},"value":[1435781451.781,"0.93827160493"]},{"metric":{},"value":[1435781451.781,"1"]}]},"warnings":["w"]}"#;
    check(
        toml,
        json!({"limit": 1}),
        body,
        r#"{"items":[{"metric":{"job":"node"},"time":"2015-07-01T20:10:51.781Z","value":"0.938272"}],"shown":1,"total":2,"warnings":["w"],"note":"1 of 2 shown; narrow with `limit`"}"#,
    );
    let body =
        br#"{"status":"success","data":{"resultType":"scalar","result":[1435781451.781,"2"]}}"#;
    check(
        toml,
        json!({}),
        body,
        r#"{"items":[{"time":"2015-07-01T20:10:51.781Z","value":"2"}],"shown":1,"total":1}"#,
    );
    let body = br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"node"},"values":[[1435781430,"0.12345"],[1435781445,"1"],[1435781460,"NaN"]]}]}}"#;
    check(
        toml,
        json!({}),
        body,
        r#"{"items":[{"metric":{"job":"node"},"values":[[1435781430,"0.123"],[1435781460,"NaN"]]}],"shown":1,"total":1,"note":"lists of up to 3 elements are thinned to 2"}"#,
    );
    let toml = "at = '/data'\nentries = 'metric'\nlimit = 1\npick = ['metric', 'type = value[0].type', 'help = value[0].help', 'unit = value[0].unit']";
    let body = br#"{"status":"success","data":{"cortex_ring_tokens":[{"type":"gauge","help":"Number of tokens in the ring","unit":""}],"http_requests_total":[{"type":"counter","help":"Number of HTTP requests","unit":""}]}}"#;
    check(
        toml,
        json!({}),
        body,
        r#"{"items":[{"help":"Number of tokens in the ring","metric":"cortex_ring_tokens","type":"gauge"}],"shown":1,"total":2,"note":"1 of 2 shown"}"#,
    );
    check(
        "at = '/data'\nlist = true",
        json!({}),
        br#"{"status":"success","data":null}"#,
        r#"{"items":[],"shown":0,"total":0}"#,
    );
}

#[test]
fn prometheus_targets() {
    let toml = r#"
at = "/data/activeTargets"
where = [{ path = "health", ne = "up", when = "{only_down}" }]
sort = ["labels.job", "labels.instance"]
pick = ["job = labels.job", "instance = labels.instance", "health", "error = lastError", "scraped = lastScrape", "seconds = lastScrapeDuration"]
round = { seconds = 3 }
"#;
    let body = br#"{"status":"success","data":{"activeTargets":[
        {"discoveredLabels":{"__address__":"b:9100"},"labels":{"instance":"b:9100","job":"node"},"scrapePool":"node","scrapeUrl":"http://b:9100/metrics","lastError":"connection refused","lastScrape":"2017-01-17T15:07:44.723715405+01:00","lastScrapeDuration":0.050688943,"health":"down"},
        {"labels":{"instance":"a:9100","job":"node"},"lastError":"","lastScrape":"0001-01-01T00:00:00Z","lastScrapeDuration":0,"health":"up"}],"droppedTargets":[]}}"#;
    let down = r#"{"error":"connection refused","health":"down","instance":"b:9100","job":"node","scraped":"2017-01-17T15:07:44.723715405+01:00","seconds":0.0507}"#;
    let up = r#"{"health":"up","instance":"a:9100","job":"node","seconds":0}"#;
    check(
        toml,
        json!({"only_down": false}),
        body,
        &format!(r#"{{"items":[{up},{down}],"shown":2,"total":2}}"#),
    );
    check(
        toml,
        json!({"only_down": true}),
        body,
        &format!(r#"{{"items":[{down}],"shown":1,"total":1}}"#),
    );
}

#[test]
fn grafana_dashboard() {
    let toml = r#"
at = ["/dashboard", "/spec"]
full = "{full}"
pick = ["title", "uid", "tags",
  { as = "variables", at = "templating.list[]", pick = ["name", "query", "current = current.text"] },
  { at = "panels[]", pick = ["id", "type", "title", "datasource = datasource.uid | datasource",
    { as = "queries", at = "targets[]", pick = ["query = expr | query | rawSql"] }] }]
"#;
    let dashboard = r#"{"uid":"cIBgcSjkk","title":"Production Overview","tags":[],"version":1,"templating":{"list":[{"name":"job","query":"label_values(job)","current":{"text":"node","value":"node"},"type":"query"}]},
        "panels":[{"id":1,"type":"timeseries","title":"CPU","datasource":{"type":"prometheus","uid":"p1"},"gridPos":{"h":8},"targets":[{"refId":"A","expr":"up"}]},{"id":2,"type":"text","title":"","datasource":"old"}]}"#;
    let expected = r#"{"panels":[{"datasource":"p1","id":1,"queries":[{"query":"up"}],"title":"CPU","type":"timeseries"},{"datasource":"old","id":2,"type":"text"}],"title":"Production Overview","uid":"cIBgcSjkk","variables":[{"current":"node","name":"job","query":"label_values(job)"}]}"#;
    check(
        toml,
        json!({}),
        format!(r#"{{"meta":{{"slug":"p"}},"dashboard":{dashboard}}}"#).as_bytes(),
        expected,
    );
    check(
        toml,
        json!({}),
        format!(r#"{{"spec":{dashboard}}}"#).as_bytes(),
        expected,
    );
    let all = answer(
        toml,
        json!({"full": true}),
        format!(r#"{{"spec":{dashboard}}}"#).as_bytes(),
    );
    assert!(
        all.text_blocks().contains(r#""gridPos":{"h":8}"#)
            && all.text_blocks().contains(r#""tags":[]"#)
    );
}

#[test]
fn grafana_frames() {
    let toml = "decode = 'grafana_frames'\nat = '/items'\nlist = true\nbeside = { errors = '/errors' }\npoints = { path = 'rows', max = '{limit}' }";
    let body = br#"{"results":{"A":{"status":200,"frames":[{"schema":{"refId":"A","fields":[{"name":"Time","type":"time"},{"name":"Value","type":"number","labels":{"job":"x"}}]},
        "data":{"values":[[1644488152000,1644488212000,1644488272000],[1,2,3]]}}]},"B":{"error":"bad","status":400}}}"#;
    check(
        toml,
        json!({"limit": 2}),
        body,
        r#"{"items":[{"columns":["Time","Value{job=\"x\"}"],"ref":"A","rows":[["2022-02-10T10:15:52Z",1],["2022-02-10T10:17:52Z",3]]}],"shown":1,"total":1,"errors":{"B":"bad"},"note":"lists of up to 3 elements are thinned to 2"}"#,
    );
}

#[test]
fn silverbullet_pages() {
    let toml = r#"
where = [
  { path = "name", ends_with = ".md" },
  { path = "name", icontains = "{query}" },
  { not = { path = "name", starts_with = "Library/" }, unless = "{full}" },
]
sort = "-lastModified"
limit = "{limit}"
pick = ["name", "modified = lastModified", "size", "perm"]
trim = { name = { suffix = ".md" } }
time = { modified = "ms" }
"#;
    let body = br#"[{"name":"index.md","created":1700000000000,"lastModified":1700000000000,"size":12,"contentType":"text/markdown","perm":"rw"},
        {"name":"Projects/Garden.md","lastModified":1760000000500,"size":3,"perm":"rw"},{"name":"a.png","lastModified":1,"size":1,"perm":"rw"},
        {"name":"Library/Std.md","lastModified":1800000000000,"size":9,"perm":"ro"}]"#;
    check(
        toml,
        json!({"limit": 5}),
        body,
        r#"{"items":[{"modified":"2025-10-09T08:53:20.500Z","name":"Projects/Garden","perm":"rw","size":3},{"modified":"2023-11-14T22:13:20Z","name":"index","perm":"rw","size":12}],"shown":2,"total":2}"#,
    );
    check(
        toml,
        json!({"query": "none"}),
        body,
        r#"{"items":[],"shown":0,"total":0}"#,
    );
}

#[test]
fn uptime_kuma_monitors() {
    let toml = r#"
decode = "prom_text"
at = "/samples"
where = [{ path = "metric", eq = "monitor_status" }, { path = "labels.monitor_name", icontains = "{query}" }]
pick = ["name = labels.monitor_name", "status = value", "type = labels.monitor_type"]
map = { status = { 0 = "down", 1 = "up" } }
"#;
    let body = b"# HELP monitor_status Monitor Status (1 = UP, 0= DOWN, 2= PENDING, 3= MAINTENANCE)\n# TYPE monitor_status gauge\n\
        monitor_status{monitor_id=\"1\",monitor_name=\"Web\",monitor_type=\"http\",monitor_url=\"https://x\"} 1\n\
        monitor_status{monitor_id=\"2\",monitor_name=\"DB\",monitor_type=\"port\"} 0\nmonitor_response_time{monitor_name=\"Web\"} 35\n";
    check(
        toml,
        json!({"query": "web"}),
        body,
        r#"{"items":[{"name":"Web","status":"up","type":"http"}],"shown":1,"total":1}"#,
    );
}

#[test]
fn vikunja_tasks() {
    let toml = r#"
list = true
pick = ["id", "title", "done", "due = due_date", "priority", "labels = labels[].title", "assignees = assignees[].username"]
"#;
    let body = br#"[{"id":7,"title":"Water","done":false,"due_date":"0001-01-01T00:00:00Z","priority":0,"labels":[{"id":1,"title":"garden"}],"assignees":null,"description":"<p>x</p>"}]"#;
    check(
        toml,
        json!({}),
        body,
        r#"{"items":[{"done":false,"id":7,"labels":["garden"],"priority":0,"title":"Water"}],"shown":1,"total":1}"#,
    );
}
