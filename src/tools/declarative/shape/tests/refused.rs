//! What loading refuses, with the place in the file; the accepted neighbours stand with each key's own tests.

use super::{refused, unread};

#[test]
fn pointers_and_paths() {
    refused(
        "at = 'data'",
        "'data'",
        "`at`: `data` is no JSON pointer: write `/a/b`, or an empty text for the whole document",
    );
    refused(
        "total = '/a~2'",
        "'/a~2'",
        "`total`: `/a~2` is no JSON pointer: write `/a/b`, or an empty text for the whole document",
    );
    refused(
        "beside = { w = 'w' }",
        "'w'",
        "`beside`: `w` is no JSON pointer: write `/a/b`, or an empty text for the whole document",
    );
    refused(
        "beside = { items = '/w' }",
        "'/w'",
        "`beside`: `items` is the name of something else in a result: choose another",
    );
    refused(
        "headers = { a = 'X A' }",
        "'X A'",
        "`headers`: `X A` is no header name: write one such as `X-Total-Count`",
    );
    refused(
        "headers = { note = 'X-A' }",
        "'X-A'",
        "`headers`: `note` is the name of something else in a result: choose another",
    );
    refused(
        "each = 'a.b'",
        "'a.b'",
        "`each`: `a.b` reaches one value: write `[]` where the elements are",
    );
    refused(
        "drop = ['a', 'b..c']",
        "'b..c'",
        "`drop`: `b..c` has an empty step: write `a.b`",
    );
    refused(
        "drop = ['.']",
        "'.'",
        "`drop`: `.` is the item itself: use `where` to leave out items",
    );
    refused(
        "sort = ['a', '-']",
        "['a', '-']",
        "`sort`: an empty path: write `.` for the item itself",
    );
    refused(
        "sort = []",
        "[]",
        "`sort`: an empty list sorts by nothing: name a path",
    );
    let keys = "`[keys]` reaches names, which cannot be changed: end with the member or `[]`";
    refused(
        "time = { 'a[keys]' = 'ms' }",
        "'a[keys]'",
        &format!("`time`: {keys}"),
    );
    refused(
        "redact = { values = ['a[keys]'] }",
        "'a[keys]'",
        &format!("`values`: {keys}"),
    );
}

#[test]
fn arguments() {
    let no = |key: &str, name: &str| {
        format!("`{key}`: the tool has no argument `{name}`: declare it, or mend the name")
    };
    refused("limit = '{max}'", "'{max}'", &no("limit", "max"));
    refused(
        "where = [{ path = 'a', eq = '{x}' }]",
        "'{x}'",
        &no("eq", "x"),
    );
    refused(
        "where = [{ path = 'a', in = '{x}' }]",
        "'{x}'",
        &no("in", "x"),
    );
    refused(
        "where = [{ path = 'a', eq = 1, when = '{x}' }]",
        "'{x}'",
        &no("when", "x"),
    );
    refused("text = 'a {x} b'", "'a {x} b'", &no("text", "x"));
    refused(
        "narrow = ['limit', 'x']",
        "['limit', 'x']",
        &no("narrow", "x"),
    );
    refused(
        "full = 'full'\ndrop = ['a']",
        "'full'",
        "`full`: found `full`, expected a boolean argument: write `\"{name}\"`",
    );
    refused(
        "full = '{full}'",
        "'{full}'",
        "`full`: nothing is left out without it: write `pick` or `drop`, or leave it away",
    );
    refused(
        "points = { path = 'a', max = '{x}' }",
        "'{x}'",
        &no("max", "x"),
    );
}

#[test]
fn numbers() {
    for found in ["0", "-1", "true"] {
        refused(
            &format!("limit = {found}"),
            found,
            &format!(
                "`limit`: found {found}, expected a whole number from 1, or an argument: `\"{{limit}}\"`"
            ),
        );
    }
    for found in ["0", "16"] {
        refused(
            &format!("round = {{ a = {found} }}"),
            found,
            &format!("`round`: found {found} digits, expected 1 to 15"),
        );
    }
    for (found, shown) in [
        ("1023", "1023"),
        ("1048577", "1048577"),
        ("'2MiB'", "\"2MiB\""),
        ("'32KB'", "\"32KB\""),
        ("'1025KiB'", "\"1025KiB\""),
    ] {
        let text = format!(
            "`max_output`: found {shown}, expected 1024 to 1048576 bytes, as a number or as `\"32KiB\"` or `\"1MiB\"`"
        );
        refused(&format!("max_output = {found}"), found, &text);
    }
    for accepted in [
        "max_output = 1024",
        "max_output = '1 MiB'",
        "max_output = 1048576",
        "max_response = '16MiB'",
        "round = { a = 15 }",
        "limit = 1",
    ] {
        super::response(accepted);
    }
}

#[test]
fn conditions() {
    let tests = |found: usize| {
        format!(
            "`where`: found {found} tests beside `path`, expected exactly one of `eq`, `ne`, `contains`, `icontains`, `starts_with`, `ends_with`, `exists`, `in`"
        )
    };
    refused("where = [{ path = 'a' }]", "{ path = 'a' }", &tests(0));
    refused(
        "where = [{ path = 'a', eq = 1, ne = 2 }]",
        "{ path = 'a', eq = 1, ne = 2 }",
        &tests(2),
    );
    let either =
        "`where`: a condition is either a `path` with one test, or one of `any`, `all`, `not`";
    refused("where = [{ eq = 1 }]", "{ eq = 1 }", either);
    refused(
        "where = [{ any = [], all = [] }]",
        "{ any = [], all = [] }",
        either,
    );
    refused(
        "where = [{ path = 'a', eq = 1, any = [] }]",
        "{ path = 'a', eq = 1, any = [] }",
        either,
    );
    refused(
        "where = [{ path = 'a', in = 'x' }]",
        "'x'",
        "`in`: found \"x\", expected a list or an argument",
    );
    let deep = |depth: usize| {
        format!(
            "where = [{}{{ path = 'a', eq = 1 }}{}]",
            "{ not = ".repeat(depth),
            " }".repeat(depth)
        )
    };
    super::response(&deep(7));
    refused(
        &deep(8),
        "{ path = 'a', eq = 1 }",
        "`where`: conditions stand more than 8 deep within each other",
    );
}

#[test]
fn picks_and_texts() {
    refused(
        "pick = ['a', 'b.a']",
        "'b.a'",
        "`pick`: two members would be called `a`: rename one, `other = a`",
    );
    refused(
        "pick = ['[0]']",
        "'[0]'",
        "`pick`: the path has no name in it: give one, `name = path`, or `as` in a table",
    );
    refused(
        "pick = ['a = b |']",
        "'a = b |'",
        "`pick`: an empty path: write `.` for the item itself",
    );
    refused(
        "pick = [{ pick = ['a'] }]",
        "{ pick = ['a'] }",
        "`pick`: a table needs `at`, the path of what it is made of",
    );
    let one_of = "`pick`: a table needs exactly one of `pick` and `format`";
    refused("pick = [{ at = 'a' }]", "{ at = 'a' }", one_of);
    refused(
        "pick = [{ at = 'a', pick = ['b'], format = 'x' }]",
        "{ at = 'a', pick = ['b'], format = 'x' }",
        one_of,
    );
    let deep = |depth: usize| {
        format!(
            "pick = [{}'a'{}]",
            "{ at = 'a', pick = [".repeat(depth),
            "] }".repeat(depth)
        )
    };
    super::response(&deep(8));
    refused(
        &deep(9),
        "{ at = 'a', pick = ['a'] }",
        "`pick`: entries stand more than 8 deep within each other",
    );
    refused(
        "text = 'a } b'",
        "'a } b'",
        "`text`: a lone `}`: write `}}` for the character",
    );
    refused(
        "text = 'a {query'",
        "'a {query'",
        "`text`: a lone `{`: write `{{` for the character",
    );
    refused(
        "text = 'a {result.x..y}'",
        "'a {result.x..y}'",
        "`text`: `x..y` has an empty step: write `a.b`",
    );
    refused(
        "trim = { a = {} }",
        "a",
        "`trim`: nothing to trim: write `prefix`, `suffix`, `until`, `chars` or `excerpt`",
    );
    refused(
        "redact = { keys = [''] }",
        "''",
        "`keys`: an empty word is part of every name: write part of a name",
    );
}

#[test]
fn what_the_types_refuse() {
    unread("pikc = ['a']", "unknown key `pikc`; did you mean `pick`?");
    unread(
        "where = [{ path = 'a', equals = 1 }]",
        "unknown key `equals`",
    );
    unread(
        "pick = [{ at = 'a', piick = ['b'] }]",
        "unknown key `piick`",
    );
    unread("redact = { name = ['a'] }", "unknown key `name`");
    unread(
        "decode = 'yaml'",
        "expected `docker_logs`, `grafana_frames`, `json`, `ndjson`, `none`, `prom_api`, `prom_text`, `text`, found `yaml`",
    );
    unread("keep = 'middle'", "expected `head`, `tail`, found `middle`");
    unread(
        "time = { a = 's' }",
        "expected `ms`, `ns`, `unix`, found `s`",
    );
    unread(
        "pick = [5]",
        "expected a path, `name = path`, or a table with `at`",
    );
    unread(
        "limit = []",
        "expected a text, a number or a boolean, found a list",
    );
    unread("sort = [5]", "expected a text, found an integer");
    unread(
        "where = [{ path = 'a', eq = nan }]",
        "found a number that is not finite",
    );
    unread("at = { a = 1 }", "expected a text or a list of texts");
}
