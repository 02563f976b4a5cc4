//! `wake_on_lan`: the magic packet that switches a sleeping machine on.
//!
//! In scope: the arguments, the packet, the wording of the result. Not in scope: sending it, which
//! [`super::call()`] does with the runtime. Off until the operator enables it, as it changes the state of another machine.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

use serde::Serialize;

use super::{Annotations, DeviceError, DeviceTool, Facts, Run, args::Args, args::excerpt};

/// The tool.
pub const TOOL: DeviceTool = DeviceTool {
    name: "wake_on_lan",
    title: "Wake a machine",
    description: "Sends a wake-on-LAN packet to the network card with the given MAC address, so that a machine that is off or asleep and \
prepared for it starts. There is no answer: use `net_check` some seconds later to see whether it came up. The machine must be in the same \
network segment, or `broadcast` must be the broadcast address of its network, such as 192.168.1.255. Arguments: `mac` (e.g. 00:11:32:aa:bb:cc), \
`broadcast` (default 255.255.255.255), `port` (default 9).",
    input_schema: r#"{"type":"object","properties":{"mac":{"type":"string","description":"MAC address: 00:11:32:aa:bb:cc, 00-11-32-AA-BB-CC, 0011.32aa.bbcc or 001132aabbcc"},"broadcast":{"type":"string","default":"255.255.255.255","description":"IPv4 address to send to"},"port":{"type":"integer","minimum":1,"maximum":65535,"default":9}},"required":["mac"],"additionalProperties":false}"#,
    output_schema: r#"{"type":"object","properties":{"mac":{"type":"string"},"broadcast":{"type":"string"},"port":{"type":"integer"},"sent_bytes":{"type":"integer","minimum":0}},"required":["mac","broadcast","port","sent_bytes"]}"#,
    annotations: Annotations {
        read_only: false,
        destructive: false,
        idempotent: true,
        open_world: true,
    },
    enabled_by_default: false,
    run: Run::Send,
};

/// A network card's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mac([u8; 6]);

/// Whom to wake, and where to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wake {
    /// The card.
    pub mac: Mac,
    /// Where the packet goes.
    pub to: SocketAddrV4,
}

#[derive(Serialize)]
struct Report {
    mac: String,
    broadcast: Ipv4Addr,
    port: u16,
    sent_bytes: usize,
}

impl Wake {
    /// Reads the arguments of a call.
    pub fn parse(text: &str) -> Result<Wake, DeviceError> {
        let args = Args::parse(text, &["broadcast", "mac", "port"])?;
        let found = args
            .string("mac", MAC)?
            .ok_or(DeviceError::MissingArgument {
                name: "mac",
                expected: MAC,
            })?;
        let mac = Mac::parse(&found).ok_or_else(|| DeviceError::WrongArgument {
            name: "mac",
            found: excerpt(&found),
            expected: MAC,
        })?;
        let broadcast = match args.string("broadcast", BROADCAST)? {
            None => Ipv4Addr::BROADCAST,
            Some(found) => {
                let address = found.parse().ok().filter(|address: &Ipv4Addr| {
                    !address.is_unspecified() && !address.is_multicast()
                });
                address.ok_or_else(|| DeviceError::WrongArgument {
                    name: "broadcast",
                    found: excerpt(&found),
                    expected: BROADCAST,
                })?
            }
        };
        let port = args
            .integer("port", 1..=65_535, "a whole number from 1 to 65535")?
            .and_then(|port| u16::try_from(port).ok());
        Ok(Wake {
            mac,
            to: SocketAddrV4::new(broadcast, port.unwrap_or(PORT_DEFAULT)),
        })
    }

    /// The packet: six bytes of ones, then the address sixteen times.
    pub fn packet(&self) -> [u8; PACKET_BYTES] {
        let mut packet = [0xff; PACKET_BYTES];
        let copies = self.mac.0.into_iter().cycle();
        for (byte, of_mac) in packet.iter_mut().skip(6).zip(copies) {
            *byte = of_mac;
        }
        packet
    }

    /// Words the result of sending.
    pub fn facts(&self) -> Facts {
        let (broadcast, port) = (*self.to.ip(), self.to.port());
        let text = format!(
            "sent a wake-on-LAN packet for {} to {broadcast} port {port}\n",
            self.mac
        );
        Facts::new(
            &Report {
                mac: self.mac.to_string(),
                broadcast,
                port,
                sent_bytes: PACKET_BYTES,
            },
            text,
        )
    }
}

impl Mac {
    /// Parses the four usual spellings; separators may not be mixed. A group address or all zeros belongs to no single card.
    pub fn parse(text: &str) -> Option<Mac> {
        let groups: Vec<&str> = match text {
            _ if text.contains(':') => text.split(':').collect(),
            _ if text.contains('-') => text.split('-').collect(),
            _ if text.contains('.') => text.split('.').collect(),
            _ => vec![text],
        };
        let digits_each = match (groups.len(), text.contains('.')) {
            (6, false) => 2,
            (3, true) => 4,
            (1, false) => 12,
            _ => return None,
        };
        if groups.iter().any(|group| {
            group.len() != digits_each || !group.bytes().all(|byte| byte.is_ascii_hexdigit())
        }) {
            return None;
        }
        let number = u64::from_str_radix(&groups.concat(), 16).ok()?;
        let [_, _, octets @ ..] = number.to_be_bytes();
        (octets[0] & 1 == 0 && number != 0).then_some(Mac(octets))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// Six bytes of ones and sixteen addresses.
pub const PACKET_BYTES: usize = 6 + 16 * 6;
/// The discard port, where a packet that wakes nobody bothers nobody.
const PORT_DEFAULT: u16 = 9;
const MAC: &str = "the MAC address of one network card, such as `00:11:32:aa:bb:cc`";
const BROADCAST: &str = "an IPv4 address such as `192.168.1.255`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_have_four_spellings() {
        for text in [
            "00:11:32:aa:bb:cc",
            "00-11-32-AA-BB-CC",
            "0011.32aa.bbcc",
            "001132AABBcc",
        ] {
            assert_eq!(Mac::parse(text).unwrap().to_string(), "00:11:32:aa:bb:cc");
        }
        for text in [
            "",
            ":",
            "00:11:32:aa:bb",
            "00:11:32:aa:bb:cc:dd",
            "0:11:32:aa:bb:cc",
            "00:11-32:aa:bb:cc",
            "001132aabbc",
            "001132aabbccd",
            "0011:32aa:bbcc",
            "00:11:32:aa:bb:cg",
            "+0:11:32:aa:bb:cc",
            "00.11.32.aa.bb.cc",
            "ff:ff:ff:ff:ff:ff",
            "01:00:5e:00:00:01",
            "00:00:00:00:00:00",
            "00:11:32:aa:bb:é",
            "00:11:32:aa:bb:cc ",
        ] {
            assert_eq!(Mac::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_packet_repeats_the_address() {
        let wake = Wake::parse(r#"{"mac":"00:11:32:aa:bb:cc"}"#).unwrap();
        let packet = wake.packet();
        assert_eq!(packet[..6], [0xff; 6]);
        let addresses: Vec<&[u8]> = packet[6..].chunks(6).collect();
        assert_eq!(
            addresses,
            vec![&[0x00, 0x11, 0x32, 0xaa, 0xbb, 0xcc][..]; 16]
        );
        assert_eq!(wake.to.to_string(), "255.255.255.255:9");
        assert_eq!(
            wake.facts().structured,
            r#"{"mac":"00:11:32:aa:bb:cc","broadcast":"255.255.255.255","port":9,"sent_bytes":102}"#
        );
    }

    #[test]
    fn refusals_name_the_argument() {
        for (args, text) in [
            (
                "{}",
                "argument `mac` is missing, expected the MAC address of one network card, such as `00:11:32:aa:bb:cc`",
            ),
            (
                r#"{"mac":"x"}"#,
                "argument `mac` is `x`, expected the MAC address of one network card, such as `00:11:32:aa:bb:cc`",
            ),
            (
                r#"{"mac":"001132aabbcc","broadcast":"ff02::1"}"#,
                "argument `broadcast` is `ff02::1`, expected an IPv4 address such as `192.168.1.255`",
            ),
            (
                r#"{"mac":"001132aabbcc","broadcast":"0.0.0.0"}"#,
                "argument `broadcast` is `0.0.0.0`, expected an IPv4 address such as `192.168.1.255`",
            ),
            (
                r#"{"mac":"001132aabbcc","port":0}"#,
                "argument `port` is `0`, expected a whole number from 1 to 65535",
            ),
            (
                r#"{"mca":"001132aabbcc"}"#,
                "unknown argument `mca`, known are `broadcast`, `mac`, `port`",
            ),
        ] {
            assert_eq!(Wake::parse(args).unwrap_err().to_string(), text);
        }
        assert_eq!(
            Wake::parse(r#"{"mac":"001132aabbcc","broadcast":"192.168.1.255","port":7}"#)
                .unwrap()
                .to
                .to_string(),
            "192.168.1.255:7"
        );
    }
}
