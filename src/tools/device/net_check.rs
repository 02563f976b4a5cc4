//! `net_check`: whether a TCP port can be reached from here, and how fast.
//!
//! In scope: the arguments and the wording of the outcome. Not in scope: resolving, connecting and timing, which [`super::call()`] does with
//! the runtime; this module names no clock and opens no socket.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Serialize;

use super::{Annotations, DeviceError, DeviceTool, Facts, Run, args::Args, args::excerpt, units};

/// The tool.
pub const TOOL: DeviceTool = DeviceTool {
    name: "net_check",
    title: "Check TCP reachability",
    description: "Tries to open a TCP connection from this machine to a host and port, closes it at once, and returns whether that worked, \
the address used and the latency in milliseconds, or why not: refused (the host is up, nothing listens), timed_out (host down or a firewall drops), \
unreachable (no route) or name_not_found. Use it to find out whether a service in the home network is up. It sends no data. \
Arguments: `host` (name or IP address), `port`, and `timeout_ms` (100 to 30000, default 3000).",
    input_schema: r#"{"type":"object","properties":{"host":{"type":"string","minLength":1,"maxLength":253,"description":"Host name or IP address, without scheme or port"},"port":{"type":"integer","minimum":1,"maximum":65535},"timeout_ms":{"type":"integer","minimum":100,"maximum":30000,"default":3000}},"required":["host","port"],"additionalProperties":false}"#,
    output_schema: r#"{"type":"object","properties":{"host":{"type":"string"},"port":{"type":"integer"},"reachable":{"type":"boolean"},"outcome":{"type":"string","enum":["connected","refused","timed_out","unreachable","name_not_found","not_permitted","failed"]},"address":{"type":"string","description":"Address connected to or tried last"},"latency_ms":{"type":"number","description":"Time to connect, name lookup excluded"},"detail":{"type":"string"}},"required":["host","port","reachable","outcome"]}"#,
    annotations: Annotations {
        read_only: true,
        destructive: false,
        idempotent: true,
        open_world: true,
    },
    enabled_by_default: true,
    run: Run::Connect,
};

/// What to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Name or address; an IPv6 address is without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// For the lookup and all addresses together.
    pub timeout: Duration,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The connection stood; it is closed by now.
    Connected {
        /// The peer.
        address: IpAddr,
        /// From the first packet to the connection.
        latency: Duration,
    },
    /// Anything else, in the system's words.
    Failed {
        /// The error's text.
        detail: String,
    },
    /// The name has no address, or nobody could be asked for it.
    NameNotFound {
        /// The resolver's words.
        detail: String,
    },
    /// The operator's rules or the system forbid it.
    NotPermitted,
    /// The host answered that nothing listens.
    Refused {
        /// Who answered.
        address: IpAddr,
    },
    /// Nobody answered within the timeout.
    TimedOut,
    /// There is no route, or a router said so.
    Unreachable,
}

impl Outcome {
    /// The outcome of a failed connect to `address`.
    pub fn from_error(address: SocketAddr, error: &std::io::Error) -> Outcome {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::ConnectionRefused => Outcome::Refused {
                address: address.ip(),
            },
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
                Outcome::Unreachable
            }
            ErrorKind::TimedOut => Outcome::TimedOut,
            ErrorKind::PermissionDenied => Outcome::NotPermitted,
            _ => Outcome::Failed {
                detail: error.to_string(),
            },
        }
    }
}

impl Outcome {
    /// How much it tells, for a name with several addresses: a refusal shows a machine that is up, a missing route to one
    /// address (IPv6, usually) shows nothing about the others.
    pub fn rank(&self) -> u8 {
        match self {
            Outcome::Connected { .. } => 6,
            Outcome::Refused { .. } => 5,
            Outcome::NotPermitted => 4,
            Outcome::TimedOut => 3,
            Outcome::Failed { .. } => 2,
            Outcome::Unreachable => 1,
            Outcome::NameNotFound { .. } => 0,
        }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    host: &'a str,
    port: u16,
    reachable: bool,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl Target {
    /// Reads the arguments of a call.
    pub fn parse(text: &str) -> Result<Target, DeviceError> {
        let args = Args::parse(text, &["host", "port", "timeout_ms"])?;
        let found = args
            .string("host", HOST)?
            .ok_or(DeviceError::MissingArgument {
                name: "host",
                expected: HOST,
            })?;
        let host = parse_host(&found).ok_or_else(|| DeviceError::WrongArgument {
            name: "host",
            found: excerpt(&found),
            expected: HOST,
        })?;
        let port = args
            .integer("port", 1..=65_535, PORT)?
            .and_then(|port| u16::try_from(port).ok());
        let port = port.ok_or(DeviceError::MissingArgument {
            name: "port",
            expected: PORT,
        })?;
        let timeout_ms = args.integer(
            "timeout_ms",
            100..=30_000,
            "a whole number of milliseconds from 100 to 30000",
        )?;
        Ok(Target {
            host,
            port,
            timeout: Duration::from_millis(timeout_ms.unwrap_or(TIMEOUT_MS_DEFAULT)),
        })
    }

    /// Words the outcome. A port that cannot be reached is an answer, not a failure of the tool.
    pub fn facts(&self, outcome: &Outcome) -> Facts {
        let (word, address, latency, detail) = match outcome {
            Outcome::Connected { address, latency } => {
                ("connected", Some(*address), Some(*latency), None)
            }
            Outcome::Failed { detail } => ("failed", None, None, Some(detail.as_str())),
            Outcome::NameNotFound { detail } => {
                ("name_not_found", None, None, Some(detail.as_str()))
            }
            Outcome::NotPermitted => ("not_permitted", None, None, None),
            Outcome::Refused { address } => ("refused", Some(*address), None, None),
            Outcome::TimedOut => ("timed_out", None, None, None),
            Outcome::Unreachable => ("unreachable", None, None, None),
        };
        let latency_ms =
            latency.map(|latency| units::tenths(latency.as_secs_f64() * 10_000.0) / 10.0);
        let (host, port) = (self.host.as_str(), self.port);
        let text = match outcome {
            Outcome::Connected { address, .. } => format!(
                "{host} port {port} is reachable at {address}, connected in {:.2} ms\n",
                latency_ms.unwrap_or(0.0)
            ),
            Outcome::Failed { detail } => {
                format!("{host} port {port} could not be reached: {detail}\n")
            }
            Outcome::NameNotFound { detail } => format!("{host} was not found: {detail}\n"),
            Outcome::NotPermitted => format!("connecting to {host} port {port} is not permitted\n"),
            Outcome::Refused { address } => {
                format!("{host} ({address}) is up, but nothing listens on port {port}\n")
            }
            Outcome::TimedOut => format!(
                "{host} port {port} did not answer within {} ms\n",
                self.timeout.as_millis()
            ),
            Outcome::Unreachable => format!("there is no route to {host}\n"),
        };
        let reachable = matches!(outcome, Outcome::Connected { .. });
        Facts::new(
            &Report {
                host,
                port,
                reachable,
                outcome: word,
                address,
                latency_ms,
                detail,
            },
            text,
        )
    }
}

/// An IP address, with or without the brackets of a URL, or a host name (RFC 1123 2.1; underscores, as many home names have one).
/// The last label must not be all digits, or `192.168.1` would be looked up as a name.
fn parse_host(text: &str) -> Option<String> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return (bare == text || address.is_ipv6()).then(|| address.to_string());
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        let plain = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let numeric = name
        .rsplit('.')
        .next()?
        .bytes()
        .all(|byte| byte.is_ascii_digit());
    (name.len() <= 253 && !numeric && name.split('.').all(is_label)).then(|| name.to_string())
}

const HOST: &str = "a host name or IP address without scheme and port";
const PORT: &str = "a whole number from 1 to 65535";
/// Long enough for a sleeping Wi-Fi device, short enough for a conversation.
const TIMEOUT_MS_DEFAULT: u64 = 3_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(args: &str, text: &str) {
        assert_eq!(Target::parse(args).unwrap_err().to_string(), text);
    }

    #[test]
    fn arguments_have_defaults_and_bounds() {
        let target = Target::parse(r#"{"host":"nas.lan","port":445}"#).unwrap();
        assert_eq!(
            target,
            Target {
                host: "nas.lan".into(),
                port: 445,
                timeout: Duration::from_secs(3)
            }
        );
        for (timeout, accepted) in [(99, false), (100, true), (30_000, true), (30_001, false)] {
            assert_eq!(
                Target::parse(&format!(
                    r#"{{"host":"a","port":1,"timeout_ms":{timeout}}}"#
                ))
                .is_ok(),
                accepted,
                "{timeout}"
            );
        }
        for (port, accepted) in [
            ("0", false),
            ("1", true),
            ("65535", true),
            ("65536", false),
            ("-1", false),
            ("\"80\"", false),
        ] {
            assert_eq!(
                Target::parse(&format!(r#"{{"host":"a","port":{port}}}"#)).is_ok(),
                accepted,
                "{port}"
            );
        }
    }

    #[test]
    fn refusals_name_the_argument() {
        refused(
            "{}",
            "argument `host` is missing, expected a host name or IP address without scheme and port",
        );
        refused(
            r#"{"host":"a"}"#,
            "argument `port` is missing, expected a whole number from 1 to 65535",
        );
        refused(
            r#"{"host":"http://a","port":1}"#,
            "argument `host` is `http://a`, expected a host name or IP address without scheme and port",
        );
        refused(
            r#"{"host":"a","port":70000}"#,
            "argument `port` is `70000`, expected a whole number from 1 to 65535",
        );
        refused(
            r#"{"host":"a","prot":1}"#,
            "unknown argument `prot`, known are `host`, `port`, `timeout_ms`",
        );
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        for (text, host) in [
            ("nas", "nas"),
            ("my_tv.local.", "my_tv.local"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("192.168.1.10", "192.168.1.10"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("::1", "::1"),
        ] {
            assert_eq!(parse_host(text).as_deref(), Some(host));
        }
        for text in [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "a b",
            "a:80",
            "192.168.1",
            "192.168.1.256",
            "[192.168.1.1]",
            "[nas]",
            "bücher",
            "a/b",
            "user@a",
            "a\0",
            "fe80::1%eth0",
        ] {
            assert_eq!(parse_host(text), None, "{text}");
        }
        for (len, accepted) in [(62, true), (63, true), (64, false)] {
            assert_eq!(
                parse_host(&"a".repeat(len)).is_some(),
                accepted,
                "label of {len}"
            );
        }
        let label = "a".repeat(63);
        for (last, accepted) in [(60, true), (61, true), (62, false)] {
            let name = format!("{label}.{label}.{label}.{}", "a".repeat(last));
            assert_eq!(
                parse_host(&name).is_some(),
                accepted,
                "name of {}",
                name.len()
            );
        }
    }

    #[test]
    fn outcomes_are_worded() {
        let target = Target::parse(r#"{"host":"nas","port":22}"#).unwrap();
        let address: SocketAddr = "10.0.0.2:22".parse().unwrap();
        let facts = target.facts(&Outcome::Connected {
            address: address.ip(),
            latency: Duration::from_micros(1_234),
        });
        assert_eq!(
            facts.structured,
            r#"{"host":"nas","port":22,"reachable":true,"outcome":"connected","address":"10.0.0.2","latency_ms":1.23}"#
        );
        assert_eq!(
            facts.text,
            "nas port 22 is reachable at 10.0.0.2, connected in 1.23 ms\n"
        );
        let refused = Outcome::from_error(address, &std::io::ErrorKind::ConnectionRefused.into());
        assert_eq!(
            target.facts(&refused).structured,
            r#"{"host":"nas","port":22,"reachable":false,"outcome":"refused","address":"10.0.0.2"}"#
        );
        assert_eq!(
            target.facts(&Outcome::TimedOut).text,
            "nas port 22 did not answer within 3000 ms\n"
        );
    }

    #[test]
    fn the_most_telling_of_several_outcomes_is_reported() {
        let address: SocketAddr = "10.0.0.2:22".parse().unwrap();
        let outcome = |kind: std::io::ErrorKind| Outcome::from_error(address, &kind.into());
        use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, TimedOut};
        for (kinds, word) in [
            ([HostUnreachable, ConnectionRefused], "refused"),
            ([ConnectionRefused, TimedOut], "refused"),
            ([TimedOut, HostUnreachable], "timed_out"),
            ([HostUnreachable, HostUnreachable], "unreachable"),
        ] {
            let telling = kinds
                .map(outcome)
                .into_iter()
                .max_by_key(Outcome::rank)
                .unwrap();
            let facts = Target::parse(r#"{"host":"nas","port":22}"#)
                .unwrap()
                .facts(&telling);
            assert!(
                facts
                    .structured
                    .contains(&format!("\"outcome\":\"{word}\"")),
                "{}",
                facts.structured
            );
        }
    }
}
