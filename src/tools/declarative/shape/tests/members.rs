//! Which members stay: `redact`, `drop`, `pick`, `full`, `beside`.

use serde_json::{Value, json};

use super::{answer, check, object, shaped};

#[test]
fn picked_members() {
    let item = || {
        json!({"Id": "a", "Config": {"Image": "nginx", "Env": ["A=1"]}, "Names": ["/web"],
            "labels": [{"title": "x"}, {"title": "y"}, {"id": 1}], "none": null, "Networks": {"b": {"IP": 1}, "c": {}}})
    };
    check(
        "pick = ['Id', 'Config.Image']",
        item(),
        json!({"Id": "a", "Image": "nginx"}),
    );
    check(
        "pick = ['id = Id', 'name=Names[0]']",
        item(),
        json!({"id": "a", "name": "/web"}),
    );
    check(
        "pick = ['i = Image | none | Config.Image']",
        item(),
        json!({"i": "nginx"}),
    );
    check(
        "pick = ['labels = labels[].title', 'nets = Networks[keys]']",
        item(),
        json!({"labels": ["x", "y"], "nets": ["b", "c"]}),
    );
    check(
        "pick = ['q = labels[].none | labels[].title']",
        item(),
        json!({"q": ["x", "y"]}),
    );
    // What reaches nothing is not there.
    check(
        "pick = ['Id', 'x', 'none', 'Names[3]', 'y = Config.Image.z']",
        item(),
        json!({"Id": "a"}),
    );
    // Two members of one place, and a part of another.
    check(
        "pick = ['c = Config', 'Config.Image', 'copy = Config.Image']",
        item(),
        json!({"c": {"Image": "nginx", "Env": ["A=1"]}, "Image": "nginx", "copy": "nginx"}),
    );
    check(
        r#"pick = ['p = L["a.b=c"]']"#,
        json!({"L": {"a.b=c": 1}}),
        json!({"p": 1}),
    );
}

#[test]
fn picks_work_on_each_item() {
    let items = json!([{"a": 1, "b": 2}, {"b": 3}, "text", [7, 8]]);
    check(
        "pick = ['a']",
        items.clone(),
        json!([{"a": 1}, {}, "text", [7, 8]]),
    );
    check(
        "pick = ['a', 'first = [0]']",
        items.clone(),
        json!([{"a": 1}, {}, "text", {"first": 7}]),
    );
    check(
        "pick = ['it = .']",
        json!(["x", "y"]),
        json!([{"it": "x"}, {"it": "y"}]),
    );
}

#[test]
fn nested_picks() {
    let dashboard = json!({"panels": [
        {"id": 1, "title": "CPU", "gridPos": {}, "targets": [{"expr": "up", "refId": "A"}, {"query": "q"}]},
        {"id": 2, "type": "row"},
    ], "one": {"x": 1, "y": 2}});
    check(
        "pick = [{ at = 'panels[]', pick = ['id', 'title', { as = 'queries', at = 'targets', pick = ['query = expr | query'] }] }]",
        dashboard.clone(),
        json!({"panels": [{"id": 1, "title": "CPU", "queries": [{"query": "up"}, {"query": "q"}]}, {"id": 2}]}),
    );
    check(
        "pick = [{ as = 'o', at = 'one', pick = ['x'] }]",
        dashboard,
        json!({"o": {"x": 1}}),
    );
    let ports = json!({"Ports": [
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"PrivatePort": 443, "Type": "tcp"},
    ]});
    let toml = "pick = [{ as = 'ports', at = 'Ports[]', where = [{ path = 'PublicPort', exists = true }], format = '{PublicPort}:{PrivatePort}/{Type}{none}' }]";
    check(toml, ports, json!({"ports": ["8080:80/tcp"]}));
    check(toml, json!({"Ports": []}), json!({}));
    let toml = "pick = [{ at = 'l[]', where = [{ path = 'n', eq = '{query}' }], pick = ['n'] }]";
    let value = json!({"l": [{"n": 1}, {"n": 2}]});
    assert_eq!(
        shaped(toml, json!({"query": 2}), value.clone()),
        json!({"l": [{"n": 2}]})
    );
    assert_eq!(shaped(toml, json!({}), value.clone()), value);
}

#[test]
fn a_single_value_that_does_not_hold_is_left_out() {
    let pick = "pick = ['id', { as = 'host', at = 'l', where = [{ path = 'h', ne = 'null' }], format = '{h}' }]";
    check(
        pick,
        json!([{"id": 1, "l": {"h": "nas"}}, {"id": 2, "l": {"h": "null"}}, {"id": 3}]),
        json!([{"id": 1, "host": "nas"}, {"id": 2}, {"id": 3}]),
    );
    check(
        "pick = ['id', { at = 'state', where = [{ path = 'on', eq = true }], pick = ['since'] }]",
        json!([{"id": 1, "state": {"on": true, "since": 7}}, {"id": 2, "state": {"on": false, "since": 8}}]),
        json!([{"id": 1, "state": {"since": 7}}, {"id": 2}]),
    );
}

#[test]
fn dropped_members() {
    let items = json!([{"id": 1, "data": [1], "m": {"a": 1, "b": 2}}, {"id": 2}]);
    check(
        "drop = ['data', 'm.a']",
        items.clone(),
        json!([{"id": 1, "m": {"b": 2}}, {"id": 2}]),
    );
    check("drop = ['Data', 'm.c', 'id.x']", items.clone(), items);
}

#[test]
fn secrets_are_masked() {
    let stack = || {
        json!({"Env": [{"name": "PW", "value": "hunter2"}, {"name": "E", "value": null}],
            "Config": {"Env": ["A=b=c", "B", "C="]}, "env": {"K": "v", "n": 1, "on": true},
            "json": {"secureData": {"x": ["s", 5]}, "apiToken": 7, "hasPassword": true, "user": "u"}})
    };
    let env = "redact = { env = ['Config.Env', 'env'], values = ['Env[].value'], keys = ['secure', 'TOKEN', 'password'] }";
    let masked = json!({"Env": [{"name": "PW", "value": "***"}, {"name": "E", "value": null}],
        "Config": {"Env": ["A=***", "B", "C=***"]}, "env": {"K": "***", "n": "***", "on": true},
        "json": {"secureData": {"x": ["***", "***"]}, "apiToken": "***", "hasPassword": true, "user": "u"}});
    check(env, stack(), masked.clone());
    check(
        "redact = { env = ['Config.Env[]'] }\npick = ['e = Config.Env']",
        stack(),
        json!({"e": ["A=***", "B", "C=***"]}),
    );
    check("redact = { keys = ['nothing'] }", stack(), stack());
    // `full` shows everything but those, and what stands beside is looked through as well.
    let toml = format!("{env}\nfull = '{{full}}'\npick = ['Config']\ndrop = ['json']");
    assert_eq!(shaped(&toml, json!({"full": true}), stack()), masked);
    assert_eq!(
        shaped(&toml, json!({"full": false}), stack()),
        json!({"Config": {"Env": ["A=***", "B", "C=***"]}})
    );
    let beside = answer(
        "at = '/a'\nbeside = { m = '/m' }\nredact = { keys = ['token'] }",
        json!({}),
        br#"{"a":[],"m":{"token":"s"}}"#,
    );
    assert_eq!(
        beside.text_blocks(),
        r#"{"items":[],"shown":0,"total":0,"m":{"token":"***"}}"#
    );
}

#[test]
fn what_stands_beside() {
    let toml = "at = '/data'\nbeside = { warnings = '/warnings', infos = '/infos', more = '/x/y' }";
    let body = br#"{"data":["a"],"warnings":["w"],"infos":[]}"#;
    assert_eq!(
        answer(toml, json!({}), body).text_blocks(),
        r#"{"items":["a"],"shown":1,"total":1,"warnings":["w"]}"#
    );
    let body = br#"{"data":{"a":1,"more":2},"warnings":["w"],"x":{"y":3}}"#;
    assert_eq!(
        answer(toml, json!({}), body).text_blocks(),
        r#"{"a":1,"more":2,"warnings":["w"]}"#
    );
    let body = br#"{"data":"text","warnings":["w"]}"#;
    assert_eq!(
        answer(toml, json!({}), body).text_blocks(),
        "text\n[warnings: [\"w\"]]"
    );
}

#[test]
fn headers_stand_beside_or_are_the_result() {
    let toml = "decode = 'none'\nheaders = { modified = 'X-Last-Modified', perm = 'X-Permission' }\ntime = { modified = 'ms' }";
    let response = super::response(toml);
    let wanted: Vec<_> = response.headers().collect();
    assert_eq!(
        wanted,
        [("modified", "X-Last-Modified"), ("perm", "X-Permission")]
    );
    let mut document = response.document(Value::Null).unwrap();
    document.put_beside("modified", json!("1700000000000"));
    document.put_beside("perm", json!(""));
    let shaped = response.shape(document, &object(json!({})));
    assert_eq!(
        shaped.into_value(),
        json!({"modified": "2023-11-14T22:13:20Z"})
    );
    let listing = super::response("at = '/l'\nlimit = 9");
    let mut document = listing.document(json!({"l": [1]})).unwrap();
    document.put_beside("perm", json!("rw"));
    document.set_total(7);
    let shaped = listing.shape(document, &object(json!({})));
    let text = listing.render(shaped, &object(json!({}))).text_blocks();
    assert_eq!(
        text,
        r#"{"items":[1],"shown":1,"total":7,"perm":"rw","note":"1 of 7 shown"}"#
    );
}
