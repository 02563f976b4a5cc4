//! How values look, and how results are written: `drop_empty` to `narrow`.

use serde_json::{Value, json};

use super::{answer, check, object, response, shaped};

#[test]
fn empty_members_go() {
    let item = json!({"a": null, "b": "", "c": [], "d": {}, "e": {"f": {"g": null}}, "h": "0001-01-01T00:00:00Z",
        "zero": 0, "no": false, "l": [null, {"x": ""}, ""]});
    let kept = json!({"zero": 0, "no": false, "l": [null, {}, ""]});
    check("drop_empty = true", item.clone(), kept.clone());
    check("", item.clone(), item.clone());
    check("pick = ['it = .']", item.clone(), json!({"it": kept}));
    check(
        "pick = ['it = .']\ndrop_empty = false",
        item.clone(),
        json!({"it": item}),
    );
    check(
        "drop_empty = true",
        json!([null, "", {"a": ""}]),
        json!([null, "", {}]),
    );
}

#[test]
fn mapped_words() {
    let toml = "map = { t = { 1 = 'swarm', 2 = 'compose' }, 's' = { true = 'on', '*' = 0 }, 'l[]' = { a = 'A' } }";
    check(
        toml,
        json!({"t": 1, "s": true, "l": ["a", "b"]}),
        json!({"t": "swarm", "s": "on", "l": ["A", "b"]}),
    );
    check(
        toml,
        json!({"t": "2", "s": "x"}),
        json!({"t": "compose", "s": 0}),
    );
    check(
        toml,
        json!({"t": 3, "s": null, "l": [["a"]]}),
        json!({"t": 3, "s": null, "l": [["a"]]}),
    );
}

#[test]
fn times() {
    let toml = "time = { s = 'unix', m = 'ms', n = 'ns' }";
    check(
        toml,
        json!({"s": 1700000000.25, "m": 1700000000000_u64, "n": "1700000000000000000"}),
        json!({"s": "2023-11-14T22:13:20.250Z", "m": "2023-11-14T22:13:20Z", "n": "2023-11-14T22:13:20Z"}),
    );
    let odd = json!({"s": 0, "m": -5, "n": "soon"});
    check(toml, odd.clone(), odd);
    let odd = json!({"s": 1e300, "m": null, "n": ["1"]});
    check(toml, odd.clone(), odd);
}

#[test]
fn trimmed_texts() {
    let trim = |rule: &str, text: Value| {
        shaped(&format!("trim = {{ '.' = {{ {rule} }} }}"), json!({}), text)
    };
    for (rule, text, expected) in [
        ("prefix = '/'", "/web", "web"),
        ("prefix = '/'", "web/", "web/"),
        ("suffix = '.md'", "a.md", "a"),
        ("suffix = '.md'", "a.mdx", "a.mdx"),
        ("until = '='", "A=b=c", "A"),
        ("until = '='", "A", "A"),
        ("chars = 3", "äbcd", "äbc"),
        ("chars = 4", "äbcd", "äbcd"),
        ("excerpt = 4", "one two", "one…"),
        ("excerpt = 7", "one two", "one two"),
        ("prefix = './', suffix = '.md', chars = 2", "./abc.md", "ab"),
    ] {
        assert_eq!(trim(rule, json!(text)), expected, "{rule} {text}");
    }
    assert_eq!(trim("chars = 1", json!(12)), 12);
}

#[test]
fn rounded_numbers() {
    let round = |digits: usize, value: Value| {
        shaped(
            &format!("round = {{ v = {digits} }}"),
            json!({}),
            json!({"v": value}),
        )["v"]
            .to_string()
    };
    for (digits, value, expected) in [
        (6, json!(1234.5678), "1234.57"),
        (3, json!(1234.5678), "1235"),
        (3, json!("0.93827160"), "\"0.938\""),
        (3, json!(0.000123456), "0.000123"),
        (2, json!(-99.96), "-100"),
        (2, json!(1e14 + 0.5), "100000000000000"),
        (3, json!("1e-3"), "\"0.001\""),
        // Whole numbers and what is no number stay.
        (1, json!(1234567), "1234567"),
        (1, json!("1234567"), "\"1234567\""),
        (3, json!("NaN"), "\"NaN\""),
        (3, json!("v1.2.3"), "\"v1.2.3\""),
        (3, json!(0.0), "0.0"),
        (3, json!(1e300), "1e+300"),
        (3, json!(null), "null"),
    ] {
        assert_eq!(round(digits, value.clone()), expected, "{digits} {value}");
    }
}

#[test]
fn thinned_lists() {
    let series = |len: u64| json!([{"values": (0..len).collect::<Vec<u64>>()}]);
    let thin = |max: usize, len| {
        shaped(
            &format!("points = {{ path = 'values', max = {max} }}"),
            json!({}),
            series(len),
        )[0]["values"]
            .to_string()
    };
    assert_eq!(thin(3, 3), "[0,1,2]");
    assert_eq!(thin(3, 4), "[0,1,3]");
    assert_eq!(thin(5, 101), "[0,25,50,75,100]");
    assert_eq!(thin(2, 9), "[0,8]");
    assert_eq!(thin(1, 9), "[8]");
    assert_eq!(
        shaped(
            "points = { path = 'values', max = '{limit}' }",
            json!({}),
            series(9)
        ),
        series(9)
    );
    let told = answer(
        "points = { path = 'values', max = '{limit}' }",
        json!({"limit": 2}),
        b"[{\"values\":[1,2,3]},{\"values\":[4]}]",
    );
    assert_eq!(
        told.text_blocks(),
        r#"{"items":[{"values":[1,3]},{"values":[4]}],"shown":2,"total":2,"note":"lists of up to 3 elements are thinned to 2"}"#
    );
}

#[test]
fn text_instead_of_json() {
    let text = |toml: &str, arguments: Value, body: &str| {
        answer(toml, arguments, body.as_bytes()).text_blocks()
    };
    assert_eq!(
        text(
            "text = 'Page {query} created.'\ndecode = 'none'",
            json!({"query": "A"}),
            "<html>"
        ),
        "Page A created."
    );
    assert_eq!(
        text(
            "text = '{{x}} {result.id}: {result.l[].n} {result.o} {result.none}{query}'",
            json!({}),
            r#"{"id":5,"l":[{"n":"a"},{"n":true}],"o":{"k":[1]}}"#
        ),
        "{x} 5: a, true {\"k\":[1]} "
    );
    assert_eq!(
        text(
            "text = '{result}'\nat = '/a'",
            json!({}),
            r#"{"a":["x","y"]}"#
        ),
        "x, y"
    );
    assert_eq!(text("decode = 'none'", json!({}), "anything"), "done");
    assert_eq!(text("", json!({}), ""), "done");
    let result = answer("text = 'x{result[0]}'", json!({}), b"[1]");
    assert_eq!(
        (result.text_blocks().as_str(), result.structured.is_none()),
        ("x1", true)
    );
}

#[test]
fn structured_content() {
    let structured = |toml: &str, body: &[u8]| {
        let result = answer(toml, json!({}), body);
        result.structured.map(|json| json.get().to_owned())
    };
    assert_eq!(
        structured("", b"[1]").unwrap(),
        r#"{"items":[1],"shown":1,"total":1}"#
    );
    assert_eq!(
        structured("", br#"{"b":1,"a":2}"#).unwrap(),
        r#"{"a":2,"b":1}"#
    );
    assert_eq!(structured("", b"true").unwrap(), r#"{"value":true}"#);
    assert_eq!(answer("", json!({}), b"true").text_blocks(), "true");
    assert_eq!(structured("structured = false", b"[1]"), None);
    assert_eq!(structured("decode = 'text'", b"[1]"), None);
}

#[test]
fn the_arguments_it_uses_are_known() {
    let response = response(
        "limit = '{limit}'\nwhere = [{ path = 'a', in = '{names}', when = '{only_down}' }]\nfull = '{full}'\ndrop = ['x']\ntext = '{query}'\nnarrow = ['state']",
    );
    let used: Vec<&str> = response.arguments().iter().map(String::as_str).collect();
    assert_eq!(used, ["full", "limit", "names", "only_down", "query"]);
    let empty = super::response("");
    assert_eq!(empty.arguments().iter().len(), 0);
    assert_eq!(empty.max_response, None);
    assert_eq!(
        super::response("max_response = '4MiB'").max_response,
        Some(4 << 20)
    );
    assert!(empty.answer(b"{", None, &object(json!({}))).is_err());
}
