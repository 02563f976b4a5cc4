//! What is said on standard error at the start: one line per address for machines, and for people what to paste into
//! their client.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr};

use serde_json::json;

use crate::config::{Address, Config, Groups, LogFormat};
use crate::rt::sys;

/// Says that `address` takes connections, as `listening http 127.0.0.1:8000`, or `https` where it speaks TLS.
/// Supervisors and tests wait for this line, whatever the format of the log.
pub fn print_listening(scheme: &str, address: &str) {
    print(&format!("listening {scheme} {address}\n"));
}

/// Says how to connect, if somebody may be reading: on a terminal, or where the log has what happens at start. Never
/// among JSON lines.
pub fn print_hint(config: &Config, bound: &[String]) {
    let is_wanted =
        io::stderr().is_terminal() || config.log.level.filter() >= log::LevelFilter::Info;
    if !is_wanted || config.log.format == LogFormat::Json {
        return;
    }
    let program = std::env::current_exe().unwrap_or_else(|_| "siskin".into());
    let hint = hint(config, bound, &program.to_string_lossy(), &own_address());
    print(&hint);
}

/// A reader that is gone is no reason to stop.
fn print(text: &str) {
    _ = io::stderr().lock().write_all(text.as_bytes());
}

/// What to paste where. `bound` are the addresses of the configured listeners, in their order.
fn hint(config: &Config, bound: &[String], program: &str, own_address: &str) -> String {
    let server = &config.server;
    let mut text = String::new();
    let listeners = config.listeners();
    let mcp = listeners
        .iter()
        .zip(bound)
        .find(|(listener, _)| listener.groups.contains(Groups::MCP));
    let url = mcp.and_then(|(listener, bound)| match listener.address {
        Address::Tcp(_) => base_url(listener.tls == Some(true), bound, own_address),
        Address::Unix(_) => None,
    });
    let stdio =
        json!({ "mcpServers": { &server.name: { "command": program, "args": ["stdio"] } } });
    if let Some(url) = url {
        let endpoint = format!("{url}{}", server.mcp_path);
        // Who can ask an issuer needs no token in its configuration.
        let entry = match config.asks_for_token() && config.auth.resource.is_none() {
            true => {
                let headers = json!({ "Authorization": "Bearer YOUR-TOKEN" });
                json!({ "type": "http", "url": endpoint, "headers": headers })
            }
            false => json!({ "type": "http", "url": endpoint }),
        };
        let http = json!({ "mcpServers": { &server.name: entry } });
        line(
            &mut text,
            "MCP endpoint",
            &format!("{url}{}", server.mcp_path),
        );
        line(
            &mut text,
            "older clients",
            &format!("{url}{}", server.sse_path),
        );
        line(&mut text, "client config", &http.to_string());
    }
    line(&mut text, "over stdio", &stdio.to_string());
    text
}

fn line(out: &mut String, name: &str, value: &str) {
    _ = writeln!(out, "  {name:<14} {value}");
}

/// The URL of an address as one would type it elsewhere: an address that stands for all of them is replaced.
fn base_url(is_tls: bool, bound: &str, own_address: &str) -> Option<String> {
    let address: SocketAddr = bound.parse().ok()?;
    let scheme = if is_tls { "https" } else { "http" };
    match address.ip().is_unspecified() {
        true => Some(format!("{scheme}://{own_address}:{}", address.port())),
        false => Some(format!("{scheme}://{address}")),
    }
}

/// An address of this machine that others may reach.
fn own_address() -> String {
    let addresses = sys::interface_addresses();
    let found = addresses
        .iter()
        .map(|known| known.address)
        .find(|ip| matches!(ip, IpAddr::V4(v4) if !v4.is_loopback() && !v4.is_link_local()));
    found.map_or_else(|| "localhost".to_owned(), |ip| ip.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(config: &Config, bound: &str) -> Vec<String> {
        let hint = hint(config, &[bound.to_owned()], "/bin/siskin", "192.0.2.7");
        hint.lines().map(|line| line[17..].to_owned()).collect()
    }

    #[test]
    fn what_is_shown_can_be_pasted() {
        let lines = lines(&Config::default(), "127.0.0.1:4711");
        assert_eq!(lines[0], "http://127.0.0.1:4711/mcp");
        assert_eq!(lines[1], "http://127.0.0.1:4711/sse/");
        let client: serde_json::Value = serde_json::from_str(&lines[2]).unwrap();
        assert_eq!(client["mcpServers"]["siskin"]["url"], lines[0]);
        let stdio: serde_json::Value = serde_json::from_str(&lines[3]).unwrap();
        assert_eq!(stdio["mcpServers"]["siskin"]["command"], "/bin/siskin");
    }

    #[test]
    fn all_addresses_become_one_and_a_token_is_hinted_at_and_not_shown() {
        let mut config = Config::default();
        config.server.api_token = Some(crate::config::Secret::new("canary".to_owned()));
        let text = lines(&config, "0.0.0.0:80").join("\n");
        assert!(text.starts_with("http://192.0.2.7:80/mcp\n"), "{text}");
        assert!(text.contains("Bearer YOUR-TOKEN"));
        assert!(!text.contains("canary"));
    }

    #[test]
    fn without_a_listener_for_mcp_there_is_stdio_alone() {
        let mut config = Config::default();
        config.server.listeners = vec![crate::config::Listener {
            address: Address::parse("127.0.0.1:0").unwrap(),
            groups: Groups::ADMIN,
            tls: None,
        }];
        assert_eq!(lines(&config, "127.0.0.1:4711").len(), 1);
        config.server.listeners[0] = crate::config::Listener {
            address: Address::parse("unix:/run/s").unwrap(),
            groups: Groups::ALL,
            tls: None,
        };
        assert_eq!(lines(&config, "unix:/run/s").len(), 1);
    }
}
