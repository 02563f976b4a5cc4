//! Resources, templates, prompts and completions.

use super::*;

fn library() -> McpServer {
    let books = ResourceTemplate::new("book://{id}/text", "books").unwrap();
    let server = builder()
        .resource(
            Resource::new("book://index", "index").mime_type("text/plain"),
            async |_: Context, uri: Uri| Ok(ResourceContents::text(uri, "1 2")),
        )
        .template(
            books.mime_type("text/markdown"),
            async |_: Context, uri: Uri| match uri.variable("id") {
                Some("1") => Ok(vec![
                    ResourceContents::text(&uri, "# One"),
                    ResourceContents::blob(&uri, &[0]).mime_type("image/png"),
                ]),
                _ => Err(CallError::NotFound),
            },
        )
        .complete_template(
            "book://{id}/text",
            async |_: Context, query: CompletionQuery| {
                Ok(Completion::by_prefix(&query.value, ["1", "2"].into_iter()))
            },
        )
        .prompt(
            Prompt::new("summary")
                .argument("book", "which")
                .optional_argument("style", ""),
            async |_: Context, arguments: Arguments| {
                let style = arguments.get("style").map_or("short", String::as_str);
                Ok(format!("Summarise book {}, {style}.", arguments["book"]))
            },
        )
        .complete_prompt("summary", async |_: Context, query: CompletionQuery| {
            Ok(vec![format!("{}={}", query.argument, query.value)])
        });
    server.build().unwrap()
}

#[test]
fn resources_and_templates() {
    speak(library(), json!({}), async |client| {
        let read = async |uri: &str| client.send("resources/read", json!({"uri": uri})).await;
        assert_eq!(
            read("book://index").await["result"]["contents"],
            json!([{"uri": "book://index", "mimeType": "text/plain", "text": "1 2"}])
        );
        assert_eq!(
            read("book://1/text").await["result"]["contents"],
            json!([
                {"uri": "book://1/text", "mimeType": "text/markdown", "text": "# One"},
                {"uri": "book://1/text", "mimeType": "image/png", "blob": "AA=="},
            ])
        );
        for absent in ["book://2/text", "book://1", "other:"] {
            let error = &read(absent).await["error"];
            assert_eq!(
                (&error["code"], &error["data"]["uri"]),
                (&json!(-32602), &json!(absent))
            );
        }
    });
}

#[test]
fn prompts() {
    speak(library(), json!({}), async |client| {
        let rendered = async |arguments: Value| {
            let params = json!({"name": "summary", "arguments": arguments});
            client.send("prompts/get", params).await
        };
        let said = rendered(json!({"book": "1"})).await;
        let text = &said["result"]["messages"][0]["content"]["text"];
        assert_eq!(*text, "Summarise book 1, short.");
        let said = rendered(json!({"style": "long"})).await;
        assert_eq!(said["error"]["code"], -32602);
        assert_eq!(said["error"]["message"], "argument `book` is missing");
    });
}

#[test]
fn completions() {
    speak(library(), json!({}), async |client| {
        let complete = async |reference: Value, value: &str| {
            let argument = json!({"name": "id", "value": value});
            let params = json!({"ref": reference, "argument": argument});
            client.send("completion/complete", params).await
        };
        let template = json!({"type": "ref/resource", "uri": "book://{id}/text"});
        let prompt = json!({"type": "ref/prompt", "name": "summary"});
        let absent = json!({"type": "ref/prompt", "name": "sumary"});
        let values = |answer: Value| answer["result"]["completion"]["values"].clone();
        assert_eq!(values(complete(template, "2").await), json!(["2"]));
        assert_eq!(values(complete(prompt, "x").await), json!(["id=x"]));
        assert_eq!(complete(absent, "x").await["error"]["code"], -32602);
    });
}
