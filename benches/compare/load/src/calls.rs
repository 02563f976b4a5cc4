//! Calls over HTTP, as many at a time as there are connections.
//!
//! ```text
//!   session:           initialize ─▶ initialized ─▶ call ─▶ call ─▶ …
//!   session per call:  initialize ─▶ initialized ─▶ call ─▶ DELETE ─▶ initialize …
//!   stateless, raw:    call ─▶ call ─▶ …
//!   HTTP+SSE:          GET ─▶ initialize ─▶ initialized ─▶ call ─▶ …, with answers on the stream of the GET
//! ```

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::expect::{Checker, Want, decimal};
use crate::http::{self, Chunks, Framing};
use crate::report::Report;
use crate::requests::{self, Ask, Era, FIRST_ID};
use crate::sys::{self, Epoll};

/// What to do.
pub struct Plan {
    pub port: u16,
    pub path: String,
    pub era: Era,
    pub ask: Ask,
    pub tool: String,
    pub tools: usize,
    pub connections: usize,
    pub warm_up: Duration,
    pub time: Duration,
    /// A run may also end by this many calls.
    pub calls_max: usize,
    /// Go on when the server goes away, as in a restart; otherwise the run ends with the tenth failure.
    pub must_go_on: bool,
    pub pid: u32,
}

/// Between attempts to reach a server that has gone.
const RETRY: Duration = Duration::from_millis(5);
/// The warm-up waits at most this long for the slowest connection's first answer.
const WARM_UP_MAX: Duration = Duration::from_secs(20);
/// A connection that is silent for this long has failed.
const SILENCE_MAX: Duration = Duration::from_secs(30);
const FAILURES_MAX: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// HTTP+SSE: the endpoint is not known yet.
    Opening,
    Initializing,
    Notifying,
    Calling,
    Deleting,
}

struct Connection {
    index: u64,
    stream: Option<TcpStream>,
    events: Option<Events>,
    input: Vec<u8>,
    phase: Phase,
    path: String,
    session: Option<String>,
    /// The call's request, with its id at `id_at`.
    call: Vec<u8>,
    id_at: usize,
    id: u64,
    sent: Instant,
    /// HTTP+SSE: which of the two answers of a request have come.
    is_accepted: bool,
    is_answered: bool,
    retry_at: Option<Instant>,
    has_called: bool,
}

/// The stream of HTTP+SSE.
struct Events {
    stream: TcpStream,
    input: Vec<u8>,
    /// None before the head has come; without chunks the body is read as it is.
    body: Option<Option<Chunks>>,
    text: Vec<u8>,
}

pub struct Calls {
    plan: Plan,
    epoll: Epoll,
    report: Report,
    next_id: u64,
    answers: Checker,
    greetings: Checker,
    buf: Vec<u8>,
}

/// Runs the plan and says what was.
pub fn run(plan: Plan) -> Result<String, String> {
    let want = match (plan.era, plan.ask) {
        (Era::Raw, _) => Want::Constant,
        (_, Ask::Call) => Want::Sum,
        (_, Ask::List) => Want::Tools(plan.tools),
    };
    let mut calls = Calls {
        epoll: Epoll::new().map_err(|error| format!("epoll: {error}"))?,
        report: Report::new(plan.pid),
        next_id: FIRST_ID,
        answers: Checker::new(want),
        greetings: Checker::new(Want::Initialized),
        buf: vec![0; 256 * 1024],
        plan,
    };
    calls.run()
}

impl Calls {
    fn run(&mut self) -> Result<String, String> {
        let mut connections: Vec<Connection> = (0..self.plan.connections as u64)
            .map(Connection::new)
            .collect();
        for connection in &mut connections {
            self.open(connection);
        }
        let begun = Instant::now();
        let mut counts_from = Some(begun + self.plan.warm_up);
        let mut end = begun + self.plan.warm_up + self.plan.time;
        let mut keys = Vec::new();
        let mut looked_at = begun;
        loop {
            self.epoll
                .wait(&mut keys, RETRY)
                .map_err(|error| format!("epoll_wait: {error}"))?;
            for key in &keys {
                let connection = &mut connections[(key / 2) as usize];
                if let Err(why) = self.read(connection, key % 2 == 1) {
                    self.fail(connection, why);
                }
            }
            let now = Instant::now();
            if counts_from.is_some_and(|at| at <= now)
                && (now >= begun + WARM_UP_MAX
                    || connections.iter().all(|connection| connection.has_called))
            {
                counts_from = None;
                self.report.begin();
                end = Instant::now() + self.plan.time;
            }
            let is_over = counts_from.is_none() && now >= end;
            if is_over || self.report.len() >= self.plan.calls_max {
                break;
            }
            if !self.plan.must_go_on && self.report.failures() >= FAILURES_MAX {
                break;
            }
            if now.duration_since(looked_at) >= RETRY {
                looked_at = now;
                for connection in &mut connections {
                    if connection.retry_at.is_some_and(|at| at <= now) {
                        connection.retry_at = None;
                        self.report.reconnected();
                        self.open(connection);
                    } else if connection.stream.is_some()
                        && now.saturating_duration_since(connection.sent) > SILENCE_MAX
                    {
                        self.fail(
                            connection,
                            format!("no answer for {} s", SILENCE_MAX.as_secs()),
                        );
                    }
                }
            }
        }
        Ok(self.report.end())
    }

    /// Connects, and says the first thing.
    fn open(&mut self, connection: &mut Connection) {
        if let Err(error) = self.try_open(connection) {
            if self.plan.must_go_on {
                self.report.refused();
                connection.close();
                connection.retry_at = Some(Instant::now() + RETRY);
            } else {
                self.fail(connection, format!("connecting: {error}"));
            }
        }
    }

    fn try_open(&mut self, connection: &mut Connection) -> std::io::Result<()> {
        connection.close();
        let stream = sys::connect(self.plan.port)?;
        self.epoll.add(sys::fd(&stream), connection.index * 2)?;
        connection.stream = Some(stream);
        connection.path.clone_from(&self.plan.path);
        connection.sent = Instant::now();
        match self.plan.era {
            Era::HttpSse => {
                let mut stream = sys::connect(self.plan.port)?;
                self.epoll.add(sys::fd(&stream), connection.index * 2 + 1)?;
                stream.write_all(&requests::get(&self.plan.path, None))?;
                connection.phase = Phase::Opening;
                connection.events = Some(Events {
                    stream,
                    input: Vec::new(),
                    body: None,
                    text: Vec::new(),
                });
                Ok(())
            }
            Era::Raw | Era::Stateless => {
                self.prepare_call(connection);
                self.send_call(connection)
            }
            Era::Session | Era::SessionPerCall => self.send_initialize(connection),
        }
    }

    fn fail(&mut self, connection: &mut Connection, why: String) {
        self.report.fail(format!("{:?}: {why}", connection.phase));
        connection.close();
        connection.retry_at = Some(Instant::now() + RETRY);
    }

    fn called(&mut self, connection: &mut Connection, now: Instant) {
        connection.has_called = true;
        self.report.call(connection.sent, now);
    }

    // --- sending ------------------------------------------------------------------------------

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn send_initialize(&mut self, connection: &mut Connection) -> std::io::Result<()> {
        connection.phase = Phase::Initializing;
        connection.session = None;
        connection.id = self.id();
        connection.sent = Instant::now();
        let body = requests::initialize(connection.id, self.plan.era);
        self.post(connection, &body)
    }

    fn send_initialized(&mut self, connection: &mut Connection) -> std::io::Result<()> {
        connection.phase = Phase::Notifying;
        self.post(connection, requests::INITIALIZED)
    }

    fn post(&mut self, connection: &mut Connection, body: &str) -> std::io::Result<()> {
        let session = connection.session.as_deref();
        let request = requests::post(
            &connection.path,
            self.plan.era,
            self.plan.ask,
            "",
            session,
            body,
        );
        connection.send(&request)
    }

    fn prepare_call(&mut self, connection: &mut Connection) {
        let body = requests::call(FIRST_ID, self.plan.era, self.plan.ask, &self.plan.tool);
        // What no MCP server reads is as long as what one reads.
        let session = match self.plan.era {
            Era::Raw => Some("0123456789abcdef0123456789abcdef"),
            _ => connection.session.as_deref(),
        };
        let plan = &self.plan;
        connection.call = requests::post(
            &connection.path,
            plan.era,
            plan.ask,
            &plan.tool,
            session,
            &body,
        );
        connection.id_at = requests::id_place(&connection.call);
    }

    fn send_call(&mut self, connection: &mut Connection) -> std::io::Result<()> {
        connection.phase = Phase::Calling;
        connection.id = self.id();
        let mut digits = [0; 20];
        let digits = decimal(&mut digits, connection.id);
        connection.call[connection.id_at..connection.id_at + digits.len()].copy_from_slice(digits);
        if self.plan.era != Era::SessionPerCall {
            connection.sent = Instant::now();
        }
        connection.is_accepted = false;
        connection.is_answered = false;
        let Some(stream) = &mut connection.stream else {
            return Err(ErrorKind::NotConnected.into());
        };
        stream.write_all(&connection.call)
    }

    // --- reading ------------------------------------------------------------------------------

    fn read(&mut self, connection: &mut Connection, is_events: bool) -> Result<(), String> {
        let stream = match (&mut connection.stream, &mut connection.events) {
            (Some(stream), _) if !is_events => stream,
            (_, Some(events)) if is_events => &mut events.stream,
            // It was closed while this event waited.
            _ => return Ok(()),
        };
        let count = match stream.read(&mut self.buf) {
            Ok(0) => return Err("the server closed the connection".into()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        if is_events {
            return self.read_events(connection, count);
        }
        if connection.input.is_empty() {
            // The usual case: an answer comes whole, and is looked at where it is.
            let buf = std::mem::take(&mut self.buf);
            let read = self.take_responses(connection, &buf[..count]);
            if let Ok(taken) = read
                && connection.stream.is_some()
            {
                connection.input.extend_from_slice(&buf[taken..count]);
            }
            self.buf = buf;
            return read.map(|_| ());
        }
        connection.input.extend_from_slice(&self.buf[..count]);
        let input = std::mem::take(&mut connection.input);
        let taken = self.take_responses(connection, &input)?;
        connection
            .input
            .splice(0..0, input[taken..].iter().copied());
        Ok(())
    }

    fn take_responses(
        &mut self,
        connection: &mut Connection,
        input: &[u8],
    ) -> Result<usize, String> {
        let mut at = 0;
        while let Some(response) = http::response(&input[at..])? {
            at += response.len;
            self.take(connection, &response)?;
            if response.closes && connection.stream.is_some() {
                self.report.reconnected();
                self.open(connection);
                break;
            }
        }
        Ok(at)
    }

    fn take(
        &mut self,
        connection: &mut Connection,
        response: &http::Response<'_>,
    ) -> Result<(), String> {
        let now = Instant::now();
        let is_ok = match connection.phase {
            Phase::Initializing | Phase::Calling if self.plan.era == Era::HttpSse => {
                response.status == 202
            }
            Phase::Initializing | Phase::Calling => response.status == 200,
            Phase::Notifying => response.status == 202,
            Phase::Deleting => (200..300).contains(&response.status),
            Phase::Opening => false,
        };
        if !is_ok {
            let body = String::from_utf8_lossy(&response.body);
            return Err(format!("status {}: {body}", response.status));
        }
        if self.plan.era == Era::HttpSse {
            connection.is_accepted = true;
            return self.go_on(connection, now);
        }
        let text = || match response.is_events {
            true => http::last_data(&response.body)
                .unwrap_or_default()
                .as_bytes(),
            false => &response.body,
        };
        match connection.phase {
            Phase::Initializing => {
                self.greetings.check(text(), connection.id)?;
                connection.session = response.session.map(str::to_owned);
                self.send_initialized(connection)
            }
            Phase::Notifying => {
                self.prepare_call(connection);
                self.send_call(connection)
            }
            Phase::Calling => {
                if self.answers.is_constant() {
                    self.answers.check_constant(text())?;
                } else {
                    self.answers.check(text(), connection.id)?;
                }
                match (&connection.session, self.plan.era) {
                    (Some(session), Era::SessionPerCall) => {
                        connection.phase = Phase::Deleting;
                        let request = requests::delete(&connection.path, session);
                        connection.send(&request)
                    }
                    (None, Era::SessionPerCall) => {
                        self.called(connection, now);
                        self.send_initialize(connection)
                    }
                    _ => {
                        self.called(connection, now);
                        if response.closes {
                            Ok(())
                        } else {
                            self.send_call(connection)
                        }
                    }
                }
            }
            Phase::Deleting => {
                self.called(connection, now);
                self.send_initialize(connection)
            }
            Phase::Opening => Ok(()),
        }
        .map_err(|error| error.to_string())
    }

    /// HTTP+SSE: once a request is accepted and answered, the next.
    fn go_on(&mut self, connection: &mut Connection, now: Instant) -> Result<(), String> {
        let sent = match connection.phase {
            Phase::Initializing if connection.is_accepted && connection.is_answered => {
                self.send_initialized(connection)
            }
            Phase::Notifying if connection.is_accepted => {
                self.prepare_call(connection);
                self.send_call(connection)
            }
            Phase::Calling if connection.is_accepted && connection.is_answered => {
                self.called(connection, now);
                self.send_call(connection)
            }
            _ => return Ok(()),
        };
        sent.map_err(|error| error.to_string())
    }

    fn read_events(&mut self, connection: &mut Connection, count: usize) -> Result<(), String> {
        let Some(events) = &mut connection.events else {
            return Ok(());
        };
        events.input.extend_from_slice(&self.buf[..count]);
        events.decode()?;
        loop {
            let Some(events) = &mut connection.events else {
                return Ok(());
            };
            let Some(event) = http::event(&events.text) else {
                return Ok(());
            };
            let (name, data, len) = (event.name.to_owned(), event.data.to_owned(), event.len);
            events.text.drain(..len);
            // Comments, as a silent stream has them: what has no data is no event.
            if data.is_empty() {
                continue;
            }
            match (connection.phase, name.as_str()) {
                (Phase::Opening, "endpoint") => {
                    connection.path = http::endpoint(&self.plan.path, &data);
                    connection.is_accepted = false;
                    connection.is_answered = false;
                    self.send_initialize(connection)
                        .map_err(|error| error.to_string())?;
                }
                (Phase::Initializing, "message") => {
                    self.greetings.check(data.as_bytes(), connection.id)?;
                    connection.is_answered = true;
                    self.go_on(connection, Instant::now())?;
                }
                (Phase::Calling, "message") => {
                    self.answers.check(data.as_bytes(), connection.id)?;
                    connection.is_answered = true;
                    self.go_on(connection, Instant::now())?;
                }
                // Pings.
                _ => (),
            }
        }
    }
}

impl Connection {
    fn new(index: u64) -> Connection {
        Connection {
            index,
            stream: None,
            events: None,
            input: Vec::new(),
            phase: Phase::Opening,
            path: String::new(),
            session: None,
            call: Vec::new(),
            id_at: 0,
            id: 0,
            sent: Instant::now(),
            is_accepted: false,
            is_answered: false,
            retry_at: None,
            has_called: false,
        }
    }

    fn close(&mut self) {
        self.stream = None;
        self.events = None;
        self.input.clear();
    }

    fn send(&mut self, request: &[u8]) -> std::io::Result<()> {
        self.is_accepted = false;
        self.is_answered = false;
        match &mut self.stream {
            Some(stream) => stream.write_all(request),
            None => Err(ErrorKind::NotConnected.into()),
        }
    }
}

impl Events {
    fn decode(&mut self) -> Result<(), String> {
        if self.body.is_none() {
            let Some(head) = http::head(&self.input)? else {
                return Ok(());
            };
            if head.status != 200 || !head.is_events {
                return Err(format!("the stream's status is {}", head.status));
            }
            self.body = Some((head.framing == Framing::Chunked).then(Chunks::default));
            let len = head.len;
            self.input.drain(..len);
        }
        match &mut self.body {
            Some(Some(chunks)) => {
                let taken = chunks.decode(&self.input, &mut self.text)?;
                self.input.drain(..taken);
            }
            _ => self.text.append(&mut self.input),
        }
        Ok(())
    }
}
