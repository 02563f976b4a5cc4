//! A whole call of a built-in tool: arguments in, facts out, with the pause, the connection or the datagram in between.
//!
//! In scope: carrying out what [`Run`] asks for. Not in scope: who calls and how a failure is told to a client; see
//! [`DeviceError::is_argument`]. Dropping the future leaves nothing behind: a sample stays for the next call.

use std::net::SocketAddr;
use std::time::Duration;

use crate::rt;

use super::net_check::{Outcome, Target};
use super::wake_on_lan::Wake;
use super::{Device, DeviceError, DeviceTool, Facts, Run};

/// Calls `tool` with `args`, the JSON of its arguments (empty for none).
pub async fn call(device: &Device, tool: &DeviceTool, args: &str) -> Result<Facts, DeviceError> {
    match tool.run {
        Run::Connect => {
            let target = Target::parse(args)?;
            let outcome = connect(&target).await;
            Ok(target.facts(&outcome))
        }
        Run::Read(read) => read(device, args),
        Run::Sample { prime, read } => {
            let pause = prime(device);
            if pause > Duration::ZERO {
                rt::sleep(pause).await;
            }
            read(device, args)
        }
        Run::Send => {
            let wake = Wake::parse(args)?;
            let sent = rt::udp_send(SocketAddr::V4(wake.to), &wake.packet(), true).await;
            sent.map_err(|error| DeviceError::NotSent {
                to: wake.to,
                detail: error.to_string(),
            })?;
            Ok(wake.facts())
        }
    }
}

/// Looks the host up and tries its addresses in turn. What is left of the timeout is shared by those still to be tried, so that
/// a dead IPv6 path leaves time for IPv4.
async fn connect(target: &Target) -> Outcome {
    let started = rt::now();
    let looked_up = rt::timeout(target.timeout, rt::resolve(&target.host, target.port)).await;
    let addresses = match looked_up {
        Err(rt::Expired) => return Outcome::TimedOut,
        Ok(Err(error)) => {
            return Outcome::NameNotFound {
                detail: error.to_string(),
            };
        }
        Ok(Ok(addresses)) => addresses,
    };
    let mut outcomes = Vec::new();
    let mut untried = u32::try_from(addresses.len().min(ADDRESSES_MAX)).unwrap_or(1);
    for address in addresses.into_iter().take(ADDRESSES_MAX) {
        let began = rt::now();
        let left = target
            .timeout
            .saturating_sub(began.saturating_duration_since(started));
        let share = left.checked_div(untried).unwrap_or(left);
        match rt::tcp_connect(address, share).await {
            Ok(_stream) => {
                return Outcome::Connected {
                    address: address.ip(),
                    latency: rt::now().saturating_duration_since(began),
                };
            }
            Err(error) => outcomes.push(Outcome::from_error(address, &error)),
        }
        untried = untried.saturating_sub(1);
    }
    let telling = outcomes.into_iter().max_by_key(Outcome::rank);
    telling.unwrap_or(Outcome::NameNotFound {
        detail: "the name has no address".to_string(),
    })
}

/// Addresses of one name that are tried. More belong to the farms of the big sites, where the first few answer.
const ADDRESSES_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use serde_json::Value;

    use super::*;
    use crate::tools::device::{Root, net_check, system, wake_on_lan};

    fn answer(tool: &DeviceTool, args: &str) -> Result<Value, DeviceError> {
        let device = Device::new(Root::new("/"));
        let facts = rt::run(call(&device, tool, args))?;
        Ok(serde_json::from_str(&facts.structured).unwrap())
    }

    #[test]
    fn an_open_port_is_reachable_and_a_closed_one_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let args = format!(r#"{{"host":"127.0.0.1","port":{port}}}"#);
        let open = answer(&net_check::TOOL, &args).unwrap();
        assert_eq!(
            (&open["outcome"], &open["address"]),
            (&"connected".into(), &"127.0.0.1".into())
        );
        assert!(
            open["latency_ms"]
                .as_f64()
                .is_some_and(|latency| latency >= 0.0)
        );
        drop(listener);
        let closed = answer(&net_check::TOOL, &args).unwrap();
        assert_eq!(
            (&closed["outcome"], &closed["reachable"]),
            (&"refused".into(), &false.into())
        );
    }

    #[test]
    fn a_name_is_looked_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let found = answer(
            &net_check::TOOL,
            &format!(r#"{{"host":"localhost","port":{port}}}"#),
        )
        .unwrap();
        assert_eq!(found["outcome"], "connected", "{found}");
    }

    #[test]
    fn the_packet_arrives_whole() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let port = socket.local_addr().unwrap().port();
        let args =
            format!(r#"{{"mac":"00:11:32:aa:bb:cc","broadcast":"127.0.0.1","port":{port}}}"#);
        assert_eq!(
            answer(&wake_on_lan::TOOL, &args).unwrap()["sent_bytes"],
            102
        );
        let mut buf = [0; 256];
        let (len, _) = socket.recv_from(&mut buf).unwrap();
        assert_eq!(buf[..len], Wake::parse(&args).unwrap().packet());
    }

    #[test]
    fn arguments_are_refused_before_anything_is_sent() {
        for (tool, args) in [
            (&net_check::TOOL, "{}"),
            (&wake_on_lan::TOOL, r#"{"mac":"x"}"#),
            (&system::TOOL, r#"{"x":1}"#),
        ] {
            assert!(
                answer(tool, args).unwrap_err().is_argument(),
                "{}",
                tool.name
            );
        }
        let unsent = DeviceError::NotSent {
            to: "10.0.0.255:9".parse().unwrap(),
            detail: "network is unreachable".into(),
        };
        assert!(!unsent.is_argument());
        assert_eq!(
            unsent.to_string(),
            "packet to 10.0.0.255:9 was not sent: network is unreachable"
        );
    }
}
