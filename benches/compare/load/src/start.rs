//! From starting a server to its first answered `initialize` over HTTP.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::expect::{Checker, Want};
use crate::http;
use crate::requests::{self, Ask, Era, FIRST_ID};

/// How long a server may take.
const START_MAX: Duration = Duration::from_secs(60);
/// Between attempts to connect: short beside the fastest start, and rare enough to leave the other core alone.
const ATTEMPT: Duration = Duration::from_micros(100);

/// Starts `command` `runs` times: the milliseconds of each start.
pub fn run(command: &[String], runs: usize, port: u16, path: &str) -> Result<String, String> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let (program, arguments) = command.split_first().ok_or("no command after `--`")?;
        let begun = Instant::now();
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("`{program}`: {error}"))?;
        let mut server = Server(child);
        initialize(&mut server, port, path)?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(serde_json::json!({ "ms": times }).to_string())
}

/// Ends the server with it.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // SAFETY: a signal to a child that has not been waited for.
        unsafe { libc::kill(self.0.id() as i32, libc::SIGTERM) };
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end {
            if let Ok(Some(_)) = self.0.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn initialize(server: &mut Server, port: u16, path: &str) -> Result<(), String> {
    let end = Instant::now() + START_MAX;
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(error) if error.kind() != ErrorKind::ConnectionRefused => {
                return Err(error.to_string());
            }
            Err(_) if Instant::now() > end => return Err("it does not listen".into()),
            Err(_) => (),
        }
        if let Ok(Some(status)) = server.0.try_wait() {
            return Err(format!("it ended: {status}"));
        }
        std::thread::sleep(ATTEMPT);
    };
    _ = stream.set_read_timeout(Some(START_MAX));
    let body = requests::initialize(FIRST_ID, Era::Session);
    let request = requests::post(path, Era::Session, Ask::Call, "", None, &body);
    stream
        .write_all(&request)
        .map_err(|error| error.to_string())?;
    let mut input = Vec::new();
    let mut buf = [0; 16 * 1024];
    loop {
        match stream.read(&mut buf) {
            Ok(0) => return Err("it closed the connection".into()),
            Ok(count) => input.extend_from_slice(&buf[..count]),
            Err(error) => return Err(error.to_string()),
        }
        if let Some(response) = http::response(&input)? {
            let text = match response.is_events {
                true => http::last_data(&response.body)
                    .unwrap_or_default()
                    .as_bytes(),
                false => &response.body,
            };
            if response.status != 200 {
                return Err(format!(
                    "status {}: {}",
                    response.status,
                    String::from_utf8_lossy(text)
                ));
            }
            return Checker::new(Want::Initialized).check(text, FIRST_ID);
        }
    }
}
