//! The rules of the house, read off the files: who imports whom, where what may stand.
//!
//! The layer table is the one in ARCHITECTURE.md: changing it there changes the rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that no commit holds.
const UNTRACKED: [&str; 6] = [
    ".cache",
    ".git",
    "__pycache__",
    "artifacts",
    "node_modules",
    "target",
];

/// The files of `src` that may be longer than most, because they are one table or one story.
const LONG: [(&str, usize); 6] = [
    ("jsonrpc/parse.rs", 680),
    ("mcp/tool/mod.rs", 550),
    ("metrics/mod.rs", 600),
    ("rt/sys.rs", 550),
    ("server/state.rs", 550),
    ("transport/connection.rs", 600),
];
const LINES_MAX: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under `folder` that a commit may hold.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !UNTRACKED.contains(&name) {
                found.extend(files(&path));
            }
        } else if path != root().join(".git") {
            found.push(path);
        }
    }
    found
}

/// Modules of `src` as path below it and text; tests left out.
fn modules() -> Vec<(String, String)> {
    let src = root().join("src");
    let found: Vec<_> = files(&src)
        .into_iter()
        .map(|path| {
            let name = path
                .strip_prefix(&src)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let text = fs::read_to_string(&path).unwrap();
            (name, text)
        })
        .filter(|(name, _)| name.ends_with(".rs"))
        .filter(|(name, _)| !name.contains("tests/") && !name.ends_with("tests.rs"))
        .collect();
    assert!(found.len() > 100, "only {} modules found", found.len());
    found
}

/// The lines of a module that are neither comments nor its tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let end = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..end]
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

/// The folder, or single file, that a module belongs to.
fn layer(module: &str) -> &str {
    let first = module.split('/').next().unwrap();
    first.trim_end_matches(".rs")
}

/// `who -> whom` as ARCHITECTURE.md allows it.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, rest) = text
        .split_once("<!-- layers -->\n")
        .expect("the table has its mark");
    let (table, _) = rest
        .split_once("<!-- end -->")
        .expect("the table has its end");
    let words = |cell: &str| -> BTreeSet<String> {
        let quoted = cell.split('`').skip(1).step_by(2);
        quoted.map(str::to_owned).collect()
    };
    let mut allowed = BTreeMap::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for who in words(cells[1]) {
            allowed.insert(who, words(cells[2]));
        }
    }
    allowed
}

/// The layers a line names: `crate::mcp::…`, or a member of `use crate::{…}` on one line.
fn named(line: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut named = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let members = group.split(',').map(|member| member.trim());
            named.extend(members.filter_map(|member| member.split(|c| !is_word(c)).next()));
        } else {
            named.extend(rest.split(|c| !is_word(c)).next());
        }
    }
    named
}

#[test]
fn a_line_names_its_layers() {
    assert_eq!(named("use crate::mcp::json;"), ["mcp"]);
    assert_eq!(named("use crate::{log::escape, rt};"), ["log", "rt"]);
    assert_eq!(named("a(crate::rt::now(), crate::gate::x)"), ["rt", "gate"]);
    assert!(named("use super::site;").is_empty());
}

#[test]
fn folders_import_only_what_the_layer_table_allows() {
    let allowed = table();
    let mut edges = BTreeSet::new();
    let mut wrong = Vec::new();
    for (module, text) in modules() {
        let who = layer(&module);
        // The crate's root.
        if matches!(who, "lib" | "main") {
            continue;
        }
        let Some(may) = allowed.get(who) else {
            wrong.push(format!("`{who}` has no row in ARCHITECTURE.md, \"Layers\""));
            continue;
        };
        for whom in code(&text).flat_map(named) {
            // A name of the crate's root, not of a folder.
            if whom == who || !allowed.contains_key(whom) {
                continue;
            }
            edges.insert((who.to_owned(), whom.to_owned()));
            if !may.contains(whom) && !may.contains("*") {
                wrong.push(format!("src/{module} names `crate::{whom}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(edges.len() > 30, "only {} edges found", edges.len());
    // What nobody uses is no rule any more, and a folder that does not exist has none.
    for (who, may) in &allowed {
        let folder = root().join("src").join(who);
        let exists = folder.is_dir() || folder.with_extension("rs").is_file();
        assert!(exists, "ARCHITECTURE.md has `{who}`, src has not");
        for whom in may.iter().filter(|whom| *whom != "*") {
            let edge = (who.clone(), whom.clone());
            assert!(edges.contains(&edge), "nobody uses `{who}` -> `{whom}`");
        }
    }
}

#[test]
fn the_layer_table_has_no_circle() {
    let mut left = table();
    let all: BTreeSet<String> = left.keys().cloned().collect();
    while !left.is_empty() {
        let lowest = left.iter().find(|(who, may)| {
            let mut may = may.iter().flat_map(|whom| match whom.as_str() {
                "*" => all.iter().filter(|other| other != who).collect(),
                _ => vec![whom],
            });
            may.all(|whom| !left.contains_key(whom))
        });
        let lowest = lowest.map(|(who, _)| who.clone());
        left.remove(&lowest.unwrap_or_else(|| panic!("a circle among {:?}", left.keys())));
    }
}

/// Where something stands that may stand in few places only.
#[track_caller]
fn check_only_in(allowed: &[&str], what: &str, is_it: impl Fn(&str) -> bool) {
    let mut found = BTreeSet::new();
    for (module, text) in modules() {
        if code(&text).any(&is_it) {
            found.insert(module);
        }
    }
    let stray: Vec<_> = found
        .iter()
        .filter(|module| !allowed.iter().any(|allowed| module.starts_with(allowed)))
        .collect();
    assert!(
        stray.is_empty(),
        "{what} in {stray:?}; it belongs into {allowed:?}"
    );
    assert!(
        !found.is_empty(),
        "{what} was found nowhere: the test looks for the wrong thing"
    );
}

#[test]
fn only_rt_names_the_runtime() {
    check_only_in(&["rt/"], "the runtime", |line| {
        ["smol::", "async_io::", "async_signal::", "rustls::"]
            .iter()
            .any(|name| line.contains(name))
    });
}

#[test]
fn unsafe_code_stands_in_one_file() {
    check_only_in(&["rt/sys.rs"], "unsafe code", |line| {
        [
            "unsafe {",
            "unsafe fn",
            "unsafe impl",
            "unsafe extern",
            "[unsafe(",
        ]
        .iter()
        .any(|unsafe_code| line.contains(unsafe_code))
    });
    let allow = concat!("allow(", "unsafe_code");
    check_only_in(&["rt/sys.rs"], "leave for it", |line| line.contains(allow));
}

#[test]
fn revisions_are_told_apart_in_one_file() {
    // `metrics` imports nothing of ours; a test beside its labels holds them to the revisions.
    check_only_in(
        &["mcp/revision.rs", "metrics/labels.rs"],
        "a revision's date",
        |line| {
            let bytes = line.as_bytes();
            bytes
                .windows(12)
                .any(|window| window[0] == b'"' && window[11] == b'"' && is_date(&window[1..11]))
        },
    );
}

fn is_date(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, byte)| match at {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    })
}

#[test]
fn pure_folders_name_no_clock_and_no_socket() {
    let pure = [
        "calendar.rs",
        "gate/",
        "html/",
        "http1/",
        "jsonrpc/",
        "mcp/",
        "tools/schema/",
    ];
    let mut seen = 0;
    for (module, text) in modules() {
        if !pure.iter().any(|folder| module.starts_with(folder)) {
            continue;
        }
        seen += 1;
        for line in code(&text) {
            for name in [
                "Instant::now",
                "SystemTime::now",
                "std::fs",
                "TcpStream",
                "std::env",
            ] {
                assert!(!line.contains(name), "src/{module} names `{name}`");
            }
        }
    }
    assert!(seen > 30, "only {seen} pure modules found");
}

#[test]
fn every_module_says_what_it_is() {
    for (module, text) in modules() {
        assert!(
            text.starts_with("//! "),
            "src/{module} does not open with `//!`"
        );
    }
}

#[test]
fn files_are_of_a_readable_length() {
    for (module, text) in modules() {
        let long = LONG.iter().find(|(long, _)| *long == module);
        let lines_max = long.map_or(LINES_MAX, |(_, lines_max)| *lines_max);
        let lines = text.lines().count();
        let remedy = "split it by noun, or give it a row in `LONG`";
        assert!(
            lines <= lines_max,
            "src/{module} has {lines} lines of {lines_max}; {remedy}"
        );
        if long.is_some() {
            assert!(
                lines > LINES_MAX,
                "src/{module} needs no row in `LONG` any more"
            );
        }
    }
}

#[test]
fn no_file_names_a_private_place() {
    // Put together here, so that this file does not name them either.
    let private = [
        ["/wo", "rk/"],
        ["registry.npm", "js.org"],
        ["static.crates", ".io"],
        ["index.crates", ".io"],
        ["pypi", ".org"],
        ["files.python", "hosted.org"],
        ["deb.debian", ".org"],
        ["/root", "/"],
    ]
    .map(|parts| parts.concat());
    let mut texts = 0;
    for path in files(root()) {
        // Recorded files of other machines, and samples for the fuzzers, are bytes of their own kind.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        texts += 1;
        for place in &private {
            assert!(
                !text.contains(place.as_str()),
                "{} names `{place}`",
                path.display()
            );
        }
    }
    assert!(texts > 300, "only {texts} files found");
}

#[test]
fn what_the_documents_point_to_exists() {
    let mut links = 0;
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ] {
        let text = fs::read_to_string(root().join(name)).unwrap();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            links += 1;
            assert!(root().join(target).exists(), "{name} points to `{target}`");
        }
    }
    assert!(links > 10, "only {links} links found");
}

/// Every `module::test` of the list of attacks is a test, every path a file, and every row is there.
#[test]
fn the_list_of_attacks_names_tests_that_exist() {
    let tests = check_rows("tests/robustness/README.md", "", 54);
    assert!(tests > 100, "only {tests} tests found");
}

/// The same for what the guide of the AWS documentation server promises.
#[test]
fn the_list_of_the_guides_promises_names_tests_that_exist() {
    let tests = check_rows("deploy/aws-documentation/README.md", "S", 33);
    assert!(tests > 33, "only {tests} tests found");
}

/// Looks at a table whose rows are numbered from 1 to `last`, with `prefix` before the number: each has to name tests or files, and
/// all of them have to exist. How many there are.
#[track_caller]
fn check_rows(document: &str, prefix: &str, last: u32) -> usize {
    let text = fs::read_to_string(root().join(document)).unwrap();
    let mut rows = BTreeSet::new();
    let mut tests = 0;
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let number = cells[1].strip_prefix(prefix).map(str::parse::<u32>);
        let Some(Ok(number)) = number else {
            continue;
        };
        rows.insert(number);
        let mut here = 0;
        for word in row.split('`').skip(1).step_by(2) {
            if let Some((module, test)) = word.rsplit_once("::") {
                here += 1;
                let path = match module.strip_prefix("siskin::") {
                    Some(module) => format!("src/{}", module.replace("::", "/")),
                    None => format!("tests/it/{}", module.replace("::", "/")),
                };
                // Tests stand in the module itself, in `mod tests` at its end, or in a file beside it.
                let places = [format!("{path}.rs"), format!("{path}/mod.rs")];
                let place = places.iter().find(|place| root().join(place).is_file());
                let place = place.unwrap_or_else(|| panic!("row {number}: no module `{module}`"));
                let code = fs::read_to_string(root().join(place)).unwrap();
                let is_there = [format!("fn {test}("), format!("    fn {test}(")]
                    .iter()
                    .any(|start| code.contains(start.as_str()));
                assert!(is_there, "row {number}: {place} has no test `{test}`");
            } else if word.contains('/') && !word.contains([' ', '*']) && !word.starts_with('/') {
                here += 1;
                assert!(root().join(word).exists(), "row {number}: no file `{word}`");
            }
        }
        assert!(here > 0, "row {number} names nothing that attacks");
        tests += here;
    }
    assert!(rows.iter().copied().eq(1..=last), "{document}: {rows:?}");
    tests
}

#[test]
fn architecture_names_files_and_tests_that_exist() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut paths = 0;
    for word in text.split('`').skip(1).step_by(2) {
        let is_path = [
            "src/",
            "tests/",
            "config/",
            "examples/",
            "benches/",
            "fuzz/",
        ]
        .iter()
        .any(|folder| word.starts_with(folder));
        if is_path && !word.contains(['*', ' ', '…']) {
            paths += 1;
            assert!(root().join(word).exists(), "ARCHITECTURE.md names `{word}`");
        }
    }
    assert!(paths > 20, "only {paths} paths found");
}
