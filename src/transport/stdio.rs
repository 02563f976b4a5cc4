//! stdio: one JSON-RPC message per line in and out, nothing else on stdout (`basic/transports`,
//! "stdio"). Old and new clients share the process: `initialize` opens the one legacy session, a
//! request with `_meta` of 2026-07-28 stands for itself.

use std::rc::Rc;
use std::time::Duration;

use crate::gate::Principal;
use crate::jsonrpc::{self, Envelope, Incoming, Rules};
use crate::log::{RequestId, traced};
use crate::metrics::{Limit, Transport};
use crate::rt::shutdown::{Phase, Shutdown};
use crate::rt::stdio::{Input, Output};
use crate::rt::{self, Line};
use crate::server::arrival::{Arrival, Carrier, Reply, Running};
use crate::server::outlet::{EndReason, Item, Outlet, Status};
use crate::server::session::Session;
use crate::server::{Server, join_batch};

/// Bytes waiting for a slow reader of stdout before no further line is read from stdin.
const UNWRITTEN_BYTES_SOFT: usize = 256 * 1024;
/// Bytes waiting before messages are dropped and the process ends: nobody reads.
const UNWRITTEN_BYTES_HARD: usize = 16 * 1024 * 1024;

/// How a stdio server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StdioEnd {
    /// stdin ended, and what ran has been answered.
    EndOfInput,
    /// stdout does not take anything any more.
    OutputClosed,
    /// It was told to stop.
    Shutdown,
}

/// Serves stdin and stdout until one of them ends or the server is told to stop.
pub async fn serve(
    server: Rc<Server>,
    rules: Rules,
    line_bytes_max: usize,
    grace: Duration,
    shutdown: Shutdown,
) -> std::io::Result<StdioEnd> {
    let input = Input::stdin(line_bytes_max)?;
    let output = Output::stdout()?;
    let caller = Rc::new(Principal::anonymous());
    let outlet = Outlet::new(UNWRITTEN_BYTES_HARD);
    let session = Rc::new(Session::new(
        "".into(),
        caller.clone(),
        Some(outlet.clone()),
        rt::now(),
    ));
    server.keep_session(session.clone());
    let mut writer = rt::spawn(write_all(outlet.clone(), output.clone()));
    let rules = Rules {
        envelope: Envelope::Strict,
        ..rules
    };
    let end = loop {
        while outlet.queued_bytes() > UNWRITTEN_BYTES_SOFT && outlet.ended().is_none() {
            rt::sleep(Duration::from_millis(10)).await;
        }
        if outlet.ended().is_some() {
            break StdioEnd::OutputClosed;
        }
        let stop = async {
            _ = rt::race(shutdown.wait(Phase::Graceful), &mut writer).await;
        };
        let line = match rt::race(input.next(), stop).await {
            Err(()) if shutdown.is_triggered() => break StdioEnd::Shutdown,
            Err(()) => break StdioEnd::OutputClosed,
            Ok(None) => break StdioEnd::EndOfInput,
            Ok(Some(Err(error))) => {
                log::warn!("stdin: {error}");
                break StdioEnd::EndOfInput;
            }
            Ok(Some(Ok(line))) => line,
        };
        traced(RequestId::next(), async {
            receive(
                &server,
                &rules,
                line_bytes_max,
                &caller,
                &session,
                &outlet,
                line,
            );
        })
        .await;
    };
    if end != StdioEnd::OutputClosed {
        let drained = rt::race(server.stop(), shutdown.wait(Phase::Now));
        _ = rt::timeout(grace, drained).await;
    }
    outlet.end(EndReason::Complete);
    let written = async {
        if !writer.is_finished() {
            (&mut writer).await;
        }
        output.flush().await
    };
    // A reader that takes nothing holds the end up for as long as work may, and no longer.
    let flushed = rt::race(written, shutdown.wait(Phase::Now));
    _ = rt::timeout(grace, flushed).await;
    session.end(EndReason::SessionOver);
    Ok(end)
}

fn receive(
    server: &Rc<Server>,
    rules: &Rules,
    line_bytes_max: usize,
    caller: &Rc<Principal>,
    session: &Rc<Session>,
    outlet: &Outlet,
    line: Line,
) {
    let arrival = Arrival {
        transport: Transport::Stdio,
        caller,
        carrier: Carrier::Connection {
            session,
            outlet,
            is_dual: true,
        },
    };
    let text = match line {
        Line::Text(text) if text.iter().all(u8::is_ascii_whitespace) => return,
        Line::Text(text) => text,
        Line::TooLong { bytes } => {
            server.metrics.limit_hit(Limit::LineBytes);
            let answer = server.refuse_line(bytes, line_bytes_max, &arrival);
            outlet.push(Item::answer(answer.text, answer.status));
            return;
        }
    };
    let reply = match jsonrpc::parse(&text, rules) {
        Ok(Incoming::Single(message)) => server.receive(message, &arrival),
        Ok(Incoming::Batch(messages)) => server.receive_batch(messages, &arrival),
        Err(error) => Reply::Ready(server.refuse(&error, &arrival)),
    };
    match reply {
        Reply::Accepted => (),
        Reply::Ready(answer) => _ = outlet.push(Item::answer(answer.text, answer.status)),
        Reply::Running(running) => forward(running, outlet),
    }
}

/// Lets a running request answer by the connection's outlet. A single one does so by itself; the
/// answers of a batch are collected into one array.
pub fn forward(running: Running, outlet: &Outlet) {
    if running.outlet.is(outlet) {
        return;
    }
    let outlet = outlet.clone();
    rt::spawn(async move {
        let mut answers = Vec::new();
        let mut answered = 0;
        while answered < running.answers {
            match running.outlet.next().await {
                Ok(Item::Answer(packet, _)) => {
                    answered += 1;
                    answers.push(packet.text);
                }
                Ok(Item::Unanswered) => answered += 1,
                Ok(item) => _ = outlet.push(item),
                Err(_) => break,
            }
        }
        if !answers.is_empty() {
            let text = join_batch(answers.iter().map(|text| &**text));
            outlet.push(Item::answer(text, Status::Answered));
        }
    })
    .detach();
}

/// Writes each item as a line.
async fn write_all(outlet: Outlet, output: Output) {
    loop {
        // A write that fails is reported later, so the failure is waited for as well: a client that
        // closed our stdout and says nothing more would otherwise keep the process.
        let item = match rt::race(outlet.next(), output.failed()).await {
            Ok(Ok(Item::Answer(packet, _) | Item::Message(packet))) => packet,
            Ok(Ok(_)) => continue,
            Ok(Err(_)) => return,
            Err(_) => break,
        };
        let mut line = item.text.to_vec();
        line.push(b'\n');
        if output.write(line).await.is_err() {
            break;
        }
    }
    outlet.end(EndReason::ReaderGone);
}
