//! async-h1's client, an HTTP/1.1 of another author, against our server: what it sends we read, and
//! what we send it reads.

use async_h1::connect;
use http_types::{Body, Method, Request, Response, Url};
use smol::io::{AsyncBufReadExt as _, BufReader, Cursor};
use smol::net::TcpStream;
use smol::stream::StreamExt as _;

use crate::support::Server;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{
    "protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"h1","version":"1"}}}"#;
const LIST: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;

/// A request as a client of Streamable HTTP makes it.
pub fn request(address: &str, method: Method, session: Option<&str>) -> Request {
    let url = Url::parse(&format!("http://{address}/mcp")).unwrap();
    let mut request = Request::new(method, url);
    let accept = match method {
        Method::Get => "text/event-stream",
        _ => "application/json, text/event-stream",
    };
    request.insert_header("Accept", accept);
    if let Some(session) = session {
        request.insert_header("Mcp-Session-Id", session);
    }
    request
}

/// A POST of known length.
pub fn post(address: &str, session: Option<&str>, message: &str) -> Request {
    let mut request = request(address, Method::Post, session);
    request.set_body(Body::from_string(message.to_owned()));
    request.insert_header("Content-Type", "application/json");
    request
}

/// Opens a session; the answer has been read, so that the connection can go on.
pub async fn initialize(stream: &TcpStream, address: &str) -> String {
    let mut response = connect(stream.clone(), post(address, None, INITIALIZE))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let text = response.body_string().await.unwrap();
    assert!(text.contains(r#""protocolVersion":"2025-11-25""#), "{text}");
    response["Mcp-Session-Id"].as_str().to_owned()
}

/// The first event with an id of a stream, with all that came before.
pub async fn primed(response: Response) -> String {
    assert_eq!(response.status(), 200);
    assert_eq!(response["Content-Type"].as_str(), "text/event-stream");
    let mut lines = BufReader::new(response).lines();
    let mut seen = String::new();
    while let Some(line) = lines.next().await {
        seen.push_str(&line.unwrap());
        seen.push('\n');
        if seen.contains("\nid:") && seen.ends_with("\n\n") {
            return seen;
        }
    }
    panic!("no event with an id in {seen:?}");
}

#[test]
fn one_connection_takes_several_requests() {
    let server = Server::start(&[]);
    let address = server.addr.to_string();
    smol::block_on(async {
        let stream = TcpStream::connect(&*address).await.unwrap();
        let session = initialize(&stream, &address).await;
        for _ in 0..3 {
            let list = post(&address, Some(&session), LIST);
            let mut response = connect(stream.clone(), list).await.unwrap();
            let text = response.body_string().await.unwrap();
            assert!(text.contains("device_memory"), "{text}");
        }
        let delete = request(&address, Method::Delete, Some(&session));
        let response = connect(stream.clone(), delete).await.unwrap();
        assert_eq!(response.status(), 204);
        let list = post(&address, Some(&session), LIST);
        let response = connect(stream, list).await.unwrap();
        assert_eq!(response.status(), 404);
    });
}

#[test]
fn a_body_without_a_length_is_read_in_its_chunks() {
    let server = Server::start(&[]);
    let address = server.addr.to_string();
    smol::block_on(async {
        let stream = TcpStream::connect(&*address).await.unwrap();
        // Larger than any one chunk of the client's.
        let padding = "x".repeat(90_000);
        let message = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"padding":"{padding}"}}}}"#
        );
        let mut request = post(&address, None, "");
        request.insert_header("MCP-Protocol-Version", "2025-03-26");
        request.set_body(Body::from_reader(Cursor::new(message), None));
        request.insert_header("Content-Type", "application/json");
        let mut url = request.url().clone();
        url.set_path("/api/mcp/v1/call");
        *request.url_mut() = url;
        let mut response = connect(stream, request).await.unwrap();
        let text = response.body_string().await.unwrap();
        assert_eq!(response.status(), 200, "{text}");
        assert!(text.contains(r#""result":{}"#), "{text}");
    });
}

#[test]
fn its_event_stream_is_read_as_it_comes() {
    let server = Server::start(&[]);
    let address = server.addr.to_string();
    smol::block_on(async {
        let stream = TcpStream::connect(&*address).await.unwrap();
        let session = initialize(&stream, &address).await;
        let get = request(&address, Method::Get, Some(&session));
        let event = primed(connect(stream, get).await.unwrap()).await;
        assert!(event.contains("retry:"), "{event}");
    });
}
