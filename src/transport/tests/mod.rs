//! A server that is spoken to in memory, for rules about who comes and when: peers have any address, and time moves by
//! hand.

mod caller;
mod turns;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::builder::Builder;
use crate::gate::host::{HostRule, Reach};
use crate::gate::origin::OriginRule;
use crate::metrics::{Limit, Metrics};
use crate::rt::shutdown::Shutdown;
use crate::rt::{self, Accepted, Clock, Deadlines, Peer, Stream};
use crate::server::Server;

use super::http::{Http, SiteCell};
use super::site::{Groups, Settings, Site};

/// What is on its way to a server at most: more than it reads in one turn.
const PIPE_BYTES: usize = 1 << 18;

/// A server and the way to it.
pub struct Door {
    pub http: Rc<Http>,
    pub clock: Clock,
    site: SiteCell,
}

/// Runs a test against a server with these settings.
pub fn at_the_door(settings: Settings, test: impl AsyncFnOnce(Door)) {
    let server = Builder::new("test", "1").build().unwrap();
    let (server, catalog) = server.into_parts();
    rt::run(async move {
        let clock = Clock::manual();
        let deadlines = Deadlines::new(&clock);
        let metrics = Rc::new(Metrics::new());
        let server = Server::new(server, catalog, metrics, deadlines, [7; 32]);
        let (shutdown, tick) = (Shutdown::new(), Duration::from_secs(15));
        let http = Http::new(server, settings, shutdown, &clock, tick, tick);
        let site = Site {
            groups: Groups::ALL,
            host: HostRule::new(Reach::Loopback, &[]).unwrap(),
            origin: OriginRule::new(Reach::Loopback, &[]).unwrap(),
            tls: None,
        };
        let site = Rc::new(RefCell::new(Rc::new(site)));
        test(Door { http, clock, site }).await;
    });
}

impl Door {
    /// A connection from this address, or from `unix`.
    pub fn connect(&self, peer: &str) -> Stream {
        let (near, stream) = Stream::memory(PIPE_BYTES);
        let peer = match peer {
            "unix" => Peer::Unix,
            peer => Peer::Tcp(peer.parse::<SocketAddr>().unwrap()),
        };
        let accepted = Accepted { stream, peer };
        self.http.clone().begin(accepted, &self.site);
        near
    }

    /// How often a limit refused something.
    pub fn hits(&self, limit: Limit) -> u64 {
        self.metric(&format!(
            "mcp_limit_hits_total{{limit=\"{}\"}} ",
            limit.as_str()
        ))
    }

    /// The value of a sample.
    pub fn metric(&self, sample: &str) -> u64 {
        let mut text = String::new();
        self.http.server.metrics.render(&mut text);
        let value = text.lines().find_map(|line| line.strip_prefix(sample));
        value.unwrap().parse().unwrap()
    }
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let start = format!("{name}: ");
        self.text.lines().find_map(|line| line.strip_prefix(&start))
    }
}

/// Sends a request, its line as `GET /path`, with these header lines, and reads what comes back at once. Without a
/// request line it only reads.
pub async fn exchange(stream: &Stream, line: &str, headers: &str) -> Answer {
    exchange_body(stream, line, headers, "").await
}

/// The same with a body.
pub async fn exchange_body(stream: &Stream, line: &str, headers: &str, body: &str) -> Answer {
    if !line.is_empty() {
        let len = match body.len() {
            0 => String::new(),
            len => format!("Content-Type: application/json\r\nContent-Length: {len}\r\n"),
        };
        let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{headers}{len}\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
    }
    let mut buf = vec![0; 1 << 16];
    // It comes in one write, which the pipe takes whole.
    let len = stream.read(&mut buf).await.unwrap();
    let text = std::str::from_utf8(&buf[..len]).unwrap().to_owned();
    Answer {
        status: text[9..12].parse().unwrap(),
        text,
    }
}
