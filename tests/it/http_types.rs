//! The endpoint mounted in an async-h1 server, spoken to over a socket by async-h1's client.

use std::future::Future;

use async_h1::connect;
use http_types::{Method, Request};
use siskin::{Builder, Context, McpServer, NoArguments, Tool, rt};
use smol::net::{TcpListener, TcpStream};

use crate::interop::{initialize, post, primed, request};

fn server() -> Builder {
    Builder::new("mounted", "1.0.0")
        .tool_now(Tool::new("now"), |_: &Context, _: NoArguments| {
            Ok("at once")
        })
        .tool(Tool::new("steps"), async |ctx: Context, _: NoArguments| {
            ctx.progress(0.5, Some(1.0));
            Ok("done")
        })
}

/// Runs `client` against `server` on a port of its own, on one thread.
fn check<F: Future<Output = ()>>(server: McpServer, client: impl FnOnce(String) -> F) {
    rt::run(async {
        let mcp = server.mount();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = rt::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mcp = mcp.clone();
                rt::spawn(async move {
                    // A client that goes away is an error here, and none of ours.
                    _ = async_h1::accept(stream, |request: Request| {
                        let mcp = mcp.clone();
                        async move { Ok(mcp.respond(request).await) }
                    })
                    .await;
                })
                .detach();
            }
        });
        client(address).await;
        drop(serving);
    });
}

fn call(tool: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"{tool}","arguments":{{}},"_meta":{{"progressToken":"p"}}}}}}"#
    )
}

#[test]
fn a_session_lists_calls_and_ends() {
    check(server().build().unwrap(), async |address| {
        let stream = TcpStream::connect(&*address).await.unwrap();
        let session = initialize(&stream, &address).await;
        let now = post(&address, Some(&session), &call("now"));
        let mut response = connect(stream.clone(), now).await.unwrap();
        assert_eq!(response["Content-Type"].as_str(), "application/json");
        let text = response.body_string().await.unwrap();
        assert!(
            text.contains("at once") && text.contains(r#""id":7"#),
            "{text}"
        );

        let mut rather = post(&address, Some(&session), &call("now"));
        rather.insert_header("Accept", "text/event-stream, application/json");
        let mut response = connect(stream.clone(), rather).await.unwrap();
        assert_eq!(response["Content-Type"].as_str(), "text/event-stream");
        let text = response.body_string().await.unwrap();
        assert!(text.contains("data:") && text.contains("at once"), "{text}");

        let accepted = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        let accepted = post(&address, Some(&session), accepted);
        let response = connect(stream.clone(), accepted).await.unwrap();
        assert_eq!(response.status(), 202);

        for status in [204, 404] {
            let delete = request(&address, Method::Delete, Some(&session));
            let mut response = connect(stream.clone(), delete).await.unwrap();
            assert_eq!(response.status(), status);
            _ = response.body_bytes().await.unwrap();
        }
    });
}

#[test]
fn a_call_with_progress_becomes_a_stream_that_ends() {
    check(server().build().unwrap(), async |address| {
        let stream = TcpStream::connect(&*address).await.unwrap();
        let session = initialize(&stream, &address).await;
        let steps = post(&address, Some(&session), &call("steps"));
        let mut response = connect(stream, steps).await.unwrap();
        assert_eq!(response["Content-Type"].as_str(), "text/event-stream");
        let text = response.body_string().await.unwrap();
        let progress = text.find("notifications/progress").expect(&text);
        let answer = text.find(r#""id":7"#).expect(&text);
        assert!(progress < answer, "{text}");
    });
}

#[test]
fn a_stream_by_get_is_primed_and_one_without_a_session_refused() {
    check(server().build().unwrap(), async |address| {
        let stream = TcpStream::connect(&*address).await.unwrap();
        let get = request(&address, Method::Get, None);
        let mut response = connect(stream.clone(), get).await.unwrap();
        assert_eq!(response.status(), 405);
        _ = response.body_bytes().await.unwrap();
        let session = initialize(&stream, &address).await;
        let get = request(&address, Method::Get, Some(&session));
        let event = primed(connect(stream, get).await.unwrap()).await;
        assert!(event.contains("retry:"), "{event}");
    });
}

#[test]
fn strangers_and_foreign_pages_are_refused() {
    let server = server().token("me", "0123456789abcdef0123456789abcdef");
    check(server.build().unwrap(), async |address| {
        let stream = TcpStream::connect(&*address).await.unwrap();
        let ask = |name: &'static str, value: &'static str| {
            let mut request = post(
                &address,
                None,
                r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
            );
            request.insert_header(name, value);
            let stream = stream.clone();
            async move {
                let mut response = connect(stream, request).await.unwrap();
                _ = response.body_bytes().await.unwrap();
                response
            }
        };
        let response = ask("Authorization", "Bearer wrong").await;
        assert_eq!(response.status(), 401);
        assert!(response["WWW-Authenticate"].as_str().starts_with("Bearer"));
        assert_eq!(ask("Origin", "https://evil.example").await.status(), 403);
        let token = "Bearer 0123456789abcdef0123456789abcdef";
        assert_ne!(ask("Authorization", token).await.status(), 401);
    });
}

#[test]
fn a_body_beyond_the_limit_is_refused_and_one_of_the_limit_is_not() {
    check(server().build().unwrap(), async |address| {
        let bytes_max = 1 << 20;
        for (len, status) in [(bytes_max, 200), (bytes_max + 1, 413)] {
            let stream = TcpStream::connect(&*address).await.unwrap();
            let session = initialize(&stream, &address).await;
            let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
            let padding = " ".repeat(len - ping.len());
            let padded = post(&address, Some(&session), &(padding + ping));
            let response = connect(stream, padded).await.unwrap();
            assert_eq!(response.status(), status, "{len}");
        }
    });
}
