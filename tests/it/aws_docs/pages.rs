//! Pages that are large, or made to be trouble: each is answered, in bounded memory, and the server is as good as ever.

use super::hosts::{Upstream, page};
use crate::support::{Mcp, Server, Value, Way, json, status_kb};

const PLACE: &str = "docs.aws.amazon.com/a.html";

/// Reads a page; its answer, and how many times the page's size the server grew by at most while it did.
#[track_caller]
fn read(html: &str) -> (Value, u64) {
    let upstream = Upstream::start(vec![page(PLACE, html), page(PLACE, "<main>as ever</main>")]);
    let server = Server::start(&[
        ("AWS_DOCUMENTATION_PARTITION", "aws"),
        ("APP_AWS__HOSTS", upstream.hosts.as_str()),
        ("APP_LIMITS__UPSTREAM_BYTES", "6MiB"),
    ]);
    let mut mcp = Mcp::open(Way::Streamable, &server, super::REVISION);
    let before = status_kb(&server, "VmHWM");
    let url = json!({"url": format!("https://{PLACE}")});
    let result = mcp.call("read_documentation", url.clone());
    let grown = status_kb(&server, "VmHWM") - before;
    let again = mcp.call("read_documentation", url);
    let text = again["content"][0]["text"].as_str().unwrap();
    assert!(text.ends_with("\n\nas ever"), "{again}");
    (result, grown * 1024 / html.len() as u64)
}

/// Of the shape that the documentation's pages have.
fn ordinary(bytes: usize) -> String {
    let mut html =
        String::from("<html><head><title>t</title></head><body><div id=\"main-content\">");
    let mut at = 0;
    while html.len() < bytes {
        at += 1;
        html.push_str(&format!(
            "<h2 id=\"h-{at}\">Setting {at}</h2><p>Use <code class=\"code\">set_{at}</code> with <a href=\"./s-{at}.html\">its \
             page</a>, &amp; wait for <b>both</b> ends.</p><div class=\"table-container\"><table id=\"t{at}\"><thead><tr><th>Name</th>\
             <th>Default</th></tr></thead><tr><td>kiln.{at}</td><td>{at} &deg;C</td></tr></table></div><ul><li><p>one</p></li>\
             <li>two</li></ul><pre class=\"programlisting\"><code>kiln --set {at}\n  --wait</code></pre>\n"
        ));
    }
    html.push_str("</div></body></html>");
    html
}

#[test]
fn five_megabytes_are_read_in_bounded_memory() {
    let (result, times) = read(&ordinary(5 << 20));
    let text = result["content"][0]["text"].as_str().unwrap();
    let begin = "AWS Documentation from https://docs.aws.amazon.com/a.html:\n\n## Setting 1\n\nUse `set_1` with";
    assert!(text.starts_with(begin), "{text}");
    assert!(
        text.contains("with start_index=5000 to get more content."),
        "{text}"
    );
    assert!(times < TIMES_MAX, "it grew by {times} times the page");
}

/// Body, source, tree, texts and Markdown, each of about the page's size or below it; nodes are what there are most of.
const TIMES_MAX: u64 = 10;

#[test]
fn no_depth_and_no_disorder_is_too_much() {
    // The stack of a thread is 8 MiB; a frame for each of these would not fit.
    let deep = format!("<main>{}x", "<div>".repeat(200_000));
    let closed = format!("<main>{}{}", "<i>".repeat(100_000), "</i>".repeat(100_000));
    let lists = format!("<main>{}x", "<ul><li>".repeat(50_000));
    let tables = format!("<main>{}x", "<table><tr><td>".repeat(20_000));
    let attributes = format!("<main><p {}>x</p>", "a=1 b='2' ".repeat(20_000));
    let pieces = [
        "<p",
        "<main>",
        "</main>",
        "<a href='",
        "\"",
        "&amp",
        "&#x110000;",
        "<!--",
        "-->",
        "<![CDATA[",
        "<table><tr>",
        "</td>",
        "<pre>\n",
        "</ul>",
        "<li>",
        "\u{0}",
        "é",
        " \n",
        "<script>",
        "</script",
        "<b><i></b>",
        "text",
        "=",
        ">",
        "<td colspan=99999999999>",
        "</",
    ];
    let mut soup = String::from("<html>");
    let mut seed: u32 = 1;
    while soup.len() < 300_000 {
        // A linear congruential generator: the same soup every time.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        soup.push_str(pieces[(seed >> 16) as usize % pieces.len()]);
    }
    for (what, html) in [
        ("deep", deep),
        ("closed", closed),
        ("lists", lists),
        ("tables", tables),
        ("attributes", attributes),
        ("soup", soup),
    ] {
        let (result, times) = read(&html);
        let text = result["content"][0]["text"].as_str().unwrap();
        let is_told = match result["isError"] == true {
            false => text.starts_with("AWS Documentation from "),
            true => text.contains(" could not be read: "),
        };
        assert!(is_told, "{what}: {text}");
        // Elements of a few bytes each; a node and its place on the way down take several times that.
        assert!(times < 64, "{what}: it grew by {times} times the page");
    }
}
