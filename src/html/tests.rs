//! Trees and their Markdown, on small pages. What whole pages come to stands in `tests/fixtures/aws-docs`.

use super::*;

#[track_caller]
fn check(html: &str, expected: &str) {
    let mut document = Document::parse(html);
    document.merge_texts();
    assert_eq!(to_markdown(&document).as_deref(), Ok(expected), "{html}");
}

fn all_text(html: &str) -> String {
    let document = Document::parse(html);
    document.text(document.root())
}

#[test]
fn end_tags_close_what_is_open() {
    check("<p>a<p>b", "a\n\nb");
    check("<b>a<i>b</b>c</i>", "**a*b***c");
    check("a</div>b<br></br>c", "ab  \nc");
    check("<x/>a<p/>b", "ab");
    check("<UL><LI>a</li></UL>", "* a");
}

#[test]
fn what_is_no_tag_is_text() {
    check("a < b and 3<4 </ p></3>c", "a < b and 3<4 c");
    check("a<![CDATA[<b>]]>c<!x>d<!-- e -->", "a<b>cd");
    check("a<p", "a");
}

#[test]
fn scripts_hold_text_alone() {
    let document = Document::parse("<script>if (a<b) '</b>'</script><p>c</p><style><p></style>");
    let paragraphs: Vec<_> = document
        .select(document.root(), &Selector::Tag("p"))
        .collect();
    assert_eq!(paragraphs.len(), 1);
    let script = document
        .find(document.root(), &Selector::Tag("script"))
        .unwrap();
    assert_eq!(document.text(script), "if (a<b) '</b>'");
    assert_eq!(document.text(document.root()), "c");
    assert_eq!(all_text("<script/>a"), "a");
}

#[test]
fn the_last_of_equal_attributes_counts() {
    check(r#"<a href="1" HREF='2' title>t</a>"#, "[t](2)");
    check("<a href=x?a=1&amp;b=2>t</a>", "[t](x?a=1&b=2)");
}

#[test]
fn selectors_are_exact() {
    let document =
        Document::parse(r#"<div id="A" class="x content"><div role="main"></div></div>"#);
    let root = document.root();
    for (selector, finds) in [
        (Selector::Id("A"), true),
        (Selector::Id("a"), false),
        (Selector::Class("content"), true),
        (Selector::Class("conten"), false),
        (Selector::Tag("div"), true),
        (Selector::Tag("di"), false),
        (Selector::TagWith("div", "role", "main"), true),
        (Selector::TagWith("p", "role", "main"), false),
    ] {
        assert_eq!(
            document.find(root, &selector).is_some(),
            finds,
            "{selector:?}"
        );
    }
}

#[test]
fn white_space_alone_shrinks_outside_of_pre() {
    assert_eq!(all_text("<p>  \n </p><p> \t</p><pre> \n </pre>"), "\n  \n ");
}

#[test]
fn changes_leave_a_whole_tree() {
    let mut document = Document::parse("<p>a<b>b<i>c</i></b>d</p>e<u></u>f");
    let root = document.root();
    for name in ["b", "u"] {
        let id = document.find(root, &Selector::Tag(name)).unwrap();
        document.unwrap(id);
    }
    let italic = document.find(root, &Selector::Tag("i")).unwrap();
    document.remove(italic);
    document.merge_texts();
    let texts: Vec<_> = document
        .descendants(root)
        .filter_map(|id| document.text_node(id))
        .collect();
    assert_eq!(texts, ["abd", "ef"]);
}

#[test]
fn copies_are_whole_and_counted() {
    let html = "<section><h2>a</h2><p>b<i>c</i></p></section><p>d</p>";
    let parts = |document: &Document| -> Vec<NodeId> {
        let names = [
            Selector::Tag("section"),
            Selector::Tag("h2"),
            Selector::Tag("p"),
        ];
        names
            .iter()
            .filter_map(|selector| document.find(document.root(), selector))
            .collect()
    };
    let mut document = Document::parse(html);
    let kept = parts(&document);
    assert!(document.keep_copies(&kept, 13));
    assert_eq!(document.text(document.root()), "abcabc");
    let mut document = Document::parse(html);
    let kept = parts(&document);
    assert!(!document.keep_copies(&kept, 12));
}

#[test]
fn rows_have_headers() {
    let line = "| --- | --- |";
    check(
        "<table><tr><th>a<th>b</tr></table>",
        &format!("| a b | |\n{line}"),
    );
    check(
        "<table><tr><td>a</td><td>b</td></tr></table>",
        &format!("|  |  |\n{line}\n| a | b |"),
    );
    check(
        "<table><thead><tr><td>a</td><td>b</td></tr></thead></table>",
        &format!("| a | b |\n{line}"),
    );
    check(
        r#"<table><tr><th colspan="2">a</th></tr></table>"#,
        &format!("| a | |\n{line}"),
    );
    check(
        r#"<table><tr><th colspan="x">a</th></tr></table>"#,
        "| a |\n| --- |",
    );
}

#[test]
fn depth_is_no_matter() {
    let depth = 100_000;
    let html = format!("{}x{}", "<div>".repeat(depth), "</div>".repeat(depth));
    check(&html, "x");
    check(
        &format!("{}x", "<ul><li>".repeat(200)),
        &format!("{}x", &"* + - ".repeat(67)[..400]),
    );
}

#[test]
fn growth_has_an_end() {
    let quotes = format!("{}{}", "<blockquote>".repeat(200), "<p>x".repeat(100));
    let columns = format!("<table><tr>{}", r#"<td colspan="1000">"#.repeat(200));
    let held = "<p>long enough</p>".repeat(200);
    for (html, work, held) in [
        (quotes, 100_000, 1_000_000),
        (columns, 100_000, 1_000_000),
        (held, 1_000_000, 1_000),
    ] {
        let document = Document::parse(&html);
        let convert = |work, held| {
            let mut conversion = Conversion::within(&document, work, held);
            std::iter::from_fn(|| Some(conversion.advance()))
                .find_map(|done| done)
                .unwrap()
        };
        assert_eq!(convert(work, held), Err(TooMuchWork));
        assert!(convert(work * 1_000, held * 1_000).is_ok());
    }
}

#[test]
fn slices_make_the_whole() {
    let html = "<p>a <b>b</b></p>".repeat(10_000);
    let source = Source::new(&html);
    let mut parsing = Parsing::new(&source);
    let slices = std::iter::from_fn(|| parsing.advance().then_some(())).count();
    assert!(slices > 5, "{slices}");
    let document = parsing.finish();
    let mut conversion = Conversion::new(&document);
    let mut slices = 0;
    let markdown = loop {
        slices += 1;
        if let Some(done) = conversion.advance() {
            break done.unwrap();
        }
    };
    assert!(slices > 1, "{slices}");
    assert_eq!(markdown, to_markdown(&Document::parse(&html)).unwrap());
}

#[test]
fn fuzz_seeds_pass() {
    for page in [
        "",
        "<",
        "&",
        "<a href=&#x;>&amp<table><tr><td></main>",
        "<main><pre> <!--",
        "\u{feff}\0<\0>",
    ] {
        fuzz_html(page);
    }
}
