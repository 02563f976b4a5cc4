use super::*;

/// What serde_json takes for one value.
fn peer(text: &str) -> Option<&str> {
    serde_json::from_str::<&RawValue>(text)
        .ok()
        .map(RawValue::get)
}

#[track_caller]
fn check(text: &str) {
    assert_eq!(Raw::parse(text).map(Raw::get), peer(text), "{text:?}");
}

const TEXTS: [&str; 12] = [
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":4.0e1,"b":-2}}}"#,
    " \t\r\n[ 1 , [ ] , { } , [ { \"a\" : [ true , false , null ] } ] ] \n",
    r#""\"\\\/\b\f\n\r\t\u0041\ud83d\ude00\uDC00 and so on, for some words""#,
    r#"{"é":"ü€😀, and more than eight bytes of it","":{"":""}}"#,
    "[0,-0,1,10,0.5,-1.25,1e5,1E+5,1.5e-5,123456789012345678901234567890]",
    "true",
    "null",
    "-1",
    "\"\"",
    "{}",
    "[]",
    r#"[[[[["a"]]]],{"a":{"b":{"c":[{"d":1}]}}}]"#,
];

#[test]
fn agrees_with_serde_json() {
    for text in TEXTS {
        assert!(peer(text).is_some(), "{text}");
        check(text);
        // Whatever is cut off, left out, or in a place of another.
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let (before, rest) = text.split_at(at);
            check(before);
            check(rest);
            let mut after = rest.chars();
            after.next();
            check(&format!("{before}{}", after.as_str()));
            for other in "{}[],:\"\\ \n\u{0}\u{1f}\u{7f}0159.-+eEtfnu/é".chars() {
                check(&format!("{before}{other}{}", after.as_str()));
                check(&format!("{before}{other}{rest}"));
            }
        }
    }
    for text in [
        "", " ", "01", "1.", ".5", "+1", "1e", "-", "tru", "nulls", "{} {}",
    ] {
        assert_eq!(Raw::parse(text), None, "{text}");
        check(text);
    }
}

#[test]
fn deep_texts_are_read_to_a_bound() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":"#, "}]")] {
        for depth in [1, 63, 64, 65, 511, 512] {
            let times = depth / (close.len());
            let text = format!("{}0{}", open.repeat(times), close.repeat(times));
            check(&text);
            assert!(Raw::parse(&text).is_some(), "{depth}");
        }
    }
    let text = |depth: usize| "[".repeat(depth) + "0" + &"]".repeat(depth);
    assert_eq!(Raw::parse(&text(DEPTH_MAX + 1)), None);
    let text = "[".repeat(DEPTH_MAX) + "{}" + &"]".repeat(DEPTH_MAX);
    assert_eq!(Raw::parse(&text), None);
    // Brackets that close another kind, on both sides of a word of the memory.
    for depth in [1, 64, 65, 130] {
        let text = "[".repeat(depth) + "0" + &"]".repeat(depth - 1) + "}";
        assert_eq!(Raw::parse(&text), None, "{depth}");
    }
}

fn members(text: &str) -> Result<Vec<(String, String)>, Invalid> {
    let mut members = Members::of(text, 3);
    let mut found = Vec::new();
    while let Some((name, value)) = members.next_member()? {
        found.push((name.into_owned(), value.get().to_owned()));
    }
    Ok(found)
}

#[test]
fn members_are_those_of_an_object() {
    let text = r#" { "a" : 1 , "\u0062\n":[ {} , 2 ],"a":"x", "":null } "#;
    let expected = [
        ("a", "1"),
        ("b\n", "[ {} , 2 ]"),
        ("a", "\"x\""),
        ("", "null"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(members(text), Ok(expected.to_vec()));
    assert_eq!(members(" {\n} "), Ok(Vec::new()));
    for text in [
        "",
        "{",
        "[]",
        "1",
        "\"{}\"",
        "{}{}",
        "{} x",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1",
        "{a:1}",
        "{1:1}",
        "{\"a\" 1}",
        "{\"\\ud800\":1}",
    ] {
        assert_eq!(members(text), Err(Invalid::Syntax), "{text}");
    }
    // Every text that is cut off somewhere.
    for at in 0..text.trim_end().len() {
        assert_eq!(
            members(&text[..at]),
            Err(Invalid::Syntax),
            "{}",
            &text[..at]
        );
    }
}

#[test]
fn elements_are_those_of_an_array() {
    let elements = |text| {
        let mut elements = Elements::of(text, 3);
        let mut found = Vec::new();
        while let Some(element) = elements.next_element()? {
            found.push(element.get());
        }
        Ok((found, elements.has_escapes()))
    };
    let text = " [ 1 , {\"a\":[]} ,\"]\\n\" ] ";
    let expected = vec!["1", "{\"a\":[]}", "\"]\\n\""];
    assert_eq!(elements(text), Ok((expected, true)));
    assert_eq!(elements("[ ]"), Ok((Vec::new(), false)));
    for text in ["", "{}", "[", "[1", "[1,]", "[,]", "[1 2]", "[1]]", "[1] x"] {
        assert_eq!(elements(text), Err(Invalid::Syntax), "{text}");
    }
    assert_eq!(elements("[[[]],[[[]]]]"), Err(Invalid::TooDeep));
}

#[test]
fn members_nest_to_a_bound() {
    for text in ["{}", r#"{"a":{"b":[]}}"#, r#"{"a":[{},{"b":1}]}"#] {
        assert!(members(text).is_ok(), "{text}");
    }
    for text in [r#"{"a":{"b":[{}]}}"#, r#"{"a":1,"b":[[{"c":1}]]}"#] {
        assert_eq!(members(text), Err(Invalid::TooDeep), "{text}");
    }
}

#[test]
fn members_are_picked_by_name() {
    let pick = |text| Raw::parse(text).map(|raw| raw.pick(["a", "b"]));
    let value = |text| Raw::parse(text);
    assert_eq!(
        pick(r#"{"b":[1],"c":1,"\u0061":"x","c":2}"#),
        Some(Ok([value("\"x\""), value("[1]")]))
    );
    assert_eq!(pick(r#"{"a":null}"#), Some(Ok([None, None])));
    for text in [r#"{"a":1,"a":2}"#, r#"{"a":null,"\u0061":2}"#, "[]", "null"] {
        assert_eq!(pick(text), Some(Err(Invalid::Syntax)), "{text}");
    }
}

#[test]
fn a_string_has_a_text() {
    let text = |json| Raw::parse(json).and_then(Raw::text);
    assert!(matches!(text(r#""x y""#), Some(Cow::Borrowed("x y"))));
    assert_eq!(text(r#""x\n\u00e9\"""#).as_deref(), Some("x\né\""));
    assert_eq!(text("\"\"").as_deref(), Some(""));
    for other in ["1", "null", "[\"a\"]", "{}", r#""\ud800""#] {
        assert_eq!(text(other), None, "{other}");
    }
    let raw: &RawValue = serde_json::from_str(" { \"a\" : 1 } ").unwrap();
    assert_eq!(Raw::from(raw).get(), "{ \"a\" : 1 }");
    assert_eq!(Raw::from(raw).keep().get(), raw.get());
    assert!(Raw::from(raw).is_object() && Raw::parse("null").is_some_and(Raw::is_null));
}
