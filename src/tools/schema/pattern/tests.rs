//! Patterns against texts, each accepted sample with a refused neighbour.

use super::*;

#[track_caller]
fn check(pattern: &str, matching: &[&str], others: &[&str]) {
    let pattern = Pattern::compile(pattern).unwrap();
    for text in matching {
        assert!(
            pattern.matches(text, &mut Work::new()),
            "{pattern:?} {text:?}"
        );
    }
    for text in others {
        assert!(
            !pattern.matches(text, &mut Work::new()),
            "{pattern:?} {text:?}"
        );
    }
}

#[test]
fn patterns_match_as_in_ecma_262() {
    check("b", &["b", "abc"], &["", "ac"]);
    check("", &["", "a"], &[]);
    check("^a", &["a", "ab"], &["ba", ""]);
    check("a$", &["a", "ba"], &["ab", "a\n"]);
    check("^(?:a|bc|)d$", &["ad", "bcd", "d"], &["bd", "abcd"]);
    check("^a|b$", &["ax", "xb"], &["xax", "bx"]);
    check(
        "^.$",
        &["x", "é", "😀", "\t"],
        &["", "\n", "\u{2028}", "xx"],
    );
    check("^[a-c_-]+$", &["a-c_", "-"], &["d", "", "a b"]);
    check("^[^a-c]$", &["d", "\n", "😀"], &["a", "c"]);
    check("^[]$", &[], &["", "]", "a"]);
    check("^[^]$", &["a", "\n"], &[""]);
    check("^[\\]\\\\^]$", &["]", "\\", "^"], &["["]);
    check("^\\d{3}-\\d{4}$", &["555-1234"], &["55-1234", "٣٣٣-1234"]);
    check("^a{2,3}$", &["aa", "aaa"], &["a", "aaaa"]);
    check("^a{2,}$", &["aa", "aaaaa"], &["a"]);
    check("^a{0}b$", &["b"], &["ab"]);
    check("^(ab)*?c$", &["c", "ababc"], &["abac"]);
    check("^\\w+\\s\\S$", &["a_1 x", "a\u{a0}x"], &["a-1 x", "a  "]);
    check("^[\\D]$", &["a"], &["1"]);
    check("^[^\\W_]+$", &["aZ9"], &["a_", "é"]);
    check("\\bcat\\b", &["a cat.", "cat"], &["cats", "concat"]);
    check("\\Bcat", &["concat"], &["a cat"]);
    check("^\\u00e9\\x41\\u{1F600}\\/\\.$", &["éA😀/."], &["éA😀/x"]);
    check("^[\\u0041-\\x43\\b]$", &["B", "\u{8}"], &["D"]);
    check("^(?<year>\\d{4})$", &["2026"], &["26"]);
    check("^(a*)*$", &["", "aaaa"], &["b"]);
    check("^(?:a?){20}a{20}$", &[&"a".repeat(20)], &[&"a".repeat(19)]);
    check("^((){900}){2}$", &[""], &["a"]);
    check("^\\0\\t\\n\\v\\f\\r$", &["\0\t\n\u{b}\u{c}\r"], &["0tnvfr"]);
}

#[track_caller]
fn refused(pattern: &str, expected: &str) {
    let problem = Pattern::compile(pattern).unwrap_err();
    assert!(problem.contains(expected), "{pattern}: {problem}");
}

#[test]
fn what_is_not_known_is_refused() {
    refused("(?=a)", "look-around");
    refused("(?<!a)", "look-around");
    refused("(?i)a", "only `(?:");
    refused("(?<>a)", "name");
    refused("(a)\\1", "refers back");
    refused("\\k<a>", "refers back");
    refused("\\p{L}", "as a class");
    refused("\\q", "`\\q`");
    refused("a\\", "lone `\\`");
    refused("[a\\", "lone `\\`");
    refused("[a", "without its `]`");
    refused("[a-", "without its `]`");
    refused("(a", "without its `)`");
    refused("a)", "closes nothing");
    refused("*a", "nothing to repeat");
    refused("a**", "nothing to repeat");
    refused("^*", "takes no character");
    refused("{1}", "lone `{`");
    refused("a{,3}", "no repetition");
    refused("a{3", "no repetition");
    refused("a{3,2}", "from 3 to 2");
    refused("a{1001}", "more than 1000");
    refused("(a{1000}){1000}", "2000 steps");
    refused("((){1000}){1000}", "2000 steps");
    refused("[z-a]", "backwards");
    refused("[\\d-z]", "a range with a set");
    refused("\\ud800", "no character");
    refused("\\u{110000}", "no character");
    refused("\\u{}", "hex digits");
    refused("\\xg0", "hex digits");
    refused(&"(".repeat(40), "32 deep");
    refused(&"a".repeat(1001), "1001 bytes");
}

#[test]
fn work_is_counted_and_runs_out() {
    let pattern = Pattern::compile("(a|aa|aaa)*(x+x+)+y").unwrap();
    let text = "a".repeat(100_000) + &"x".repeat(100_000);
    let mut work = Work::new();
    assert!(!pattern.matches(&text, &mut work));
    assert!(!work.is_used_up());
    // A pattern of its greatest size over a megabyte is more than one check is given.
    let pattern = Pattern::compile("(a?){600}b").unwrap();
    assert!(!pattern.matches(&"a".repeat(1 << 20), &mut work));
    assert!(work.is_used_up());
}

#[test]
fn whole_patterns_match_whole_texts() {
    let pattern = Pattern::compile_whole("a|bc").unwrap();
    assert!(pattern.fits("a") && pattern.fits("bc"));
    assert!(!pattern.fits("ab") && !pattern.fits("xbc") && !pattern.fits("a\n"));
    assert_eq!(pattern.source(), "a|bc");
    assert!(Pattern::compile_whole("a)(?:b").is_err());
}
