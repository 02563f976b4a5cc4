//! What is refused when a server is built or served.

use super::*;

#[track_caller]
fn refused(builder: Builder, expected: &str) {
    match builder.build() {
        Ok(_) => panic!("built, though {expected}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

#[test]
fn mistakes_are_found_when_it_is_built() {
    let tool = |name: &str| {
        let tool = Tool::new(name);
        builder().tool_now(tool, |_: &Context, _: NoArguments| Ok("ok"))
    };
    let again = |builder: Builder, name: &str| {
        builder.tool(Tool::new(name), async |_: Context, _: NoArguments| Ok("ok"))
    };
    assert!(again(tool("a"), "b").alias("c", "b").build().is_ok());
    refused(again(tool("a"), "a"), "two tools are named `a`; rename one");
    refused(
        tool("a").alias("a", "a"),
        "two tools are named `a`; rename one",
    );
    refused(
        tool("a").alias("b", "c"),
        "alias `b` stands for the tool `c`, which does not exist",
    );
    refused(
        tool("a b"),
        "tool name `a b` has 3 characters; use 1 to 128 of `A-Za-z0-9_.-`",
    );

    let resource = |builder: Builder| {
        let resource = Resource::new("x:y", "n");
        builder.resource(resource, async |_: Context, uri: Uri| {
            Ok(ResourceContents::text(uri, ""))
        })
    };
    assert!(resource(builder()).build().is_ok());
    refused(
        resource(resource(builder())),
        "two resources are named `x:y`; rename one",
    );

    let template = |builder: Builder| {
        let template = ResourceTemplate::new("x:{y}", "n").unwrap();
        builder.template(template, async |_: Context, uri: Uri| {
            Ok(ResourceContents::text(uri, ""))
        })
    };
    assert!(template(builder()).build().is_ok());
    refused(
        template(template(builder())),
        "two resource templates are named `x:{y}`; rename one",
    );

    let prompt = |builder: Builder| {
        builder.prompt(Prompt::new("p"), async |_: Context, _: Arguments| Ok("hi"))
    };
    assert!(prompt(builder()).build().is_ok());
    refused(
        prompt(prompt(builder())),
        "two prompts are named `p`; rename one",
    );

    let completed = |builder: Builder| {
        builder.complete_prompt("p", async |_: Context, _: CompletionQuery| Ok(vec!["x"]))
    };
    assert!(completed(prompt(builder())).build().is_ok());
    let message = "a completion for the prompt `p` has nothing to complete; \
                   add the prompt, and one completion for it";
    refused(completed(builder()), message);
    refused(completed(completed(prompt(builder()))), message);
}

#[test]
fn tokens_are_looked_at_when_it_is_built() {
    assert!(
        builder()
            .token("ann", "a-secret-of-some-length")
            .build()
            .is_ok()
    );
    let two = |second: &str| {
        builder()
            .token("ann", "a-secret-of-some-length")
            .token("bob", second)
            .build()
    };
    assert!(two("another-secret-of-length").is_ok());
    for bad in ["", "a b", "sha256:12"] {
        let error = two(bad).err().map(|error| error.to_string());
        assert!(error.unwrap().starts_with("token `bob`: "), "{bad:?}");
    }
}

#[test]
fn addresses_that_cannot_be_served_are_refused() {
    let refusal = |builder: Builder, address: &str| {
        let never = |_: &str| panic!("listens on {address}");
        let served = builder.build().unwrap().serve_http_then(address, never);
        served.unwrap_err().to_string()
    };
    let open = refusal(builder(), "0.0.0.0:0");
    assert!(
        open.starts_with("other machines can reach 0.0.0.0:0"),
        "{open}"
    );
    let unread = refusal(builder(), "here:80:80");
    assert!(
        unread.starts_with("`here:80:80` is not a listen address"),
        "{unread}"
    );
    // With a token it gets as far as the system, which has no such address.
    let bound = refusal(
        builder().token("ann", "a-secret-of-some-length"),
        "192.0.2.1:0",
    );
    assert!(bound.starts_with("cannot listen on 192.0.2.1:0"), "{bound}");
}
