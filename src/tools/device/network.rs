//! `device_network`: interfaces, addresses and traffic.
//!
//! In scope: what the kernel says about each interface, the default gateway, name servers. Not in scope: reaching anything
//! ([`super::net_check`]) and Wi-Fi passwords or neighbours. Called through [`super::TOOLS`].

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use super::{
    Device, DeviceError, DeviceTool, Facts, READS_THIS_MACHINE, Root, Run, args::Args,
    root::printable, units,
};

/// The tool.
pub const TOOL: DeviceTool = DeviceTool {
    name: "device_network",
    title: "Network interfaces",
    description: "Returns the network interfaces of this machine with kind, state, MAC address, IPv4 and IPv6 addresses, link speed, \
bytes, packets, errors and drops in both directions since boot, and the default gateway and name servers. Use it to find this machine's address, \
to see whether a cable or Wi-Fi link is up, or to look for errors. Container-side cables (veth) are left out unless `include_virtual` is true. \
Inside a container without host networking only the container's own interfaces are visible.",
    input_schema: r#"{"type":"object","properties":{"include_virtual":{"type":"boolean","default":false,"description":"Also list veth interfaces, of which every container adds one"}},"additionalProperties":false}"#,
    output_schema: r#"{"type":"object","properties":{"interfaces":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"kind":{"type":"string","description":"loopback, ethernet, wireless, bridge, bond, vlan, wireguard, tunnel, veth or virtual"},"state":{"type":"string","description":"up, down, dormant or unknown, as the kernel says"},"mac":{"type":"string"},"addresses":{"type":"array","items":{"type":"object","properties":{"address":{"type":"string"},"family":{"type":"string","enum":["ipv4","ipv6"]},"prefix_length":{"type":"integer","minimum":0},"link_local":{"type":"boolean"}},"required":["address","family","link_local"]}},"speed_megabits_per_second":{"type":"integer","minimum":0},"duplex":{"type":"string"},"mtu_bytes":{"type":"integer","minimum":0},"received_bytes":{"type":"integer","minimum":0},"received_packets":{"type":"integer","minimum":0},"received_errors":{"type":"integer","minimum":0},"received_dropped":{"type":"integer","minimum":0},"sent_bytes":{"type":"integer","minimum":0},"sent_packets":{"type":"integer","minimum":0},"sent_errors":{"type":"integer","minimum":0},"sent_dropped":{"type":"integer","minimum":0}},"required":["name","kind","addresses"]}},"hidden_virtual":{"type":"integer","minimum":0,"description":"veth interfaces left out"},"default_gateway":{"type":"string"},"default_interface":{"type":"string"},"name_servers":{"type":"array","items":{"type":"string"}}},"required":["interfaces","hidden_virtual","name_servers"]}"#,
    annotations: READS_THIS_MACHINE,
    enabled_by_default: true,
    run: Run::Read(facts),
};

/// Interfaces and the way out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Network {
    /// In the kernel's order.
    pub interfaces: Vec<Interface>,
    /// veth interfaces left out.
    pub hidden_virtual: u64,
    /// IPv4 address of the default route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_gateway: Option<Ipv4Addr>,
    /// Its interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_interface: Option<String>,
    /// From `/etc/resolv.conf`.
    pub name_servers: Vec<IpAddr>,
}

/// One interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interface {
    /// Such as `eth0`.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// The kernel's operational state; loopback and tunnels are `unknown` when they work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Hardware address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// IPv4 and IPv6.
    pub addresses: Vec<Address>,
    /// Of the link, when it is up and has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_megabits_per_second: Option<u64>,
    /// `full` or `half`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplex: Option<String>,
    /// Largest packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu_bytes: Option<u64>,
    /// Since boot.
    #[serde(flatten)]
    pub counters: Option<Counters>,
}

/// One address.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// `ipv4` or `ipv6`.
    pub family: &'static str,
    /// Bits that name the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_length: Option<u32>,
    /// Valid on this link only.
    pub link_local: bool,
}

/// A line of `/proc/net/dev`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Bytes in.
    pub received_bytes: u64,
    /// Packets in.
    pub received_packets: u64,
    /// Packets in that were broken.
    pub received_errors: u64,
    /// Packets in that nobody took.
    pub received_dropped: u64,
    /// Bytes out.
    pub sent_bytes: u64,
    /// Packets out.
    pub sent_packets: u64,
    /// Packets out that failed.
    pub sent_errors: u64,
    /// Packets out given up.
    pub sent_dropped: u64,
}

/// Answers a call.
pub fn facts(device: &Device, args: &str) -> Result<Facts, DeviceError> {
    let include_virtual = Args::parse(args, &["include_virtual"])?.flag("include_virtual")?;
    let network = read(device, include_virtual);
    Ok(Facts::new(&network, network.text()))
}

/// Reads the facts.
pub fn read(device: &Device, include_virtual: bool) -> Network {
    let root = &device.root;
    let counters = root
        .text("proc/net/dev")
        .map(|text| parse_counters(&text))
        .unwrap_or_default();
    let known = (device.host.addresses)();
    // sysfs may be hidden and procfs may be old: each names interfaces the other does not show.
    let mut names: Vec<String> = counters.iter().map(|(name, _)| name.clone()).collect();
    let further = root
        .names("sys/class/net")
        .into_iter()
        .filter(|name| root.exists(&format!("sys/class/net/{name}/type")));
    for name in further.chain(known.iter().map(|entry| entry.interface.clone())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let all = names.len();
    names.retain(|name| include_virtual || kind(root, name) != "veth");
    let hidden_virtual = u64::try_from(all.saturating_sub(names.len())).unwrap_or(u64::MAX);
    let interfaces = names.into_iter().map(|name| {
        let folder = format!("sys/class/net/{name}");
        Interface {
            kind: kind(root, &name),
            state: root.line(&format!("{folder}/operstate")),
            mac: root.line(&format!("{folder}/address")).filter(|mac| {
                mac.contains(':') && mac.bytes().any(|byte| !matches!(byte, b'0' | b':'))
            }),
            addresses: known
                .iter()
                .filter(|entry| entry.interface == name)
                .map(|entry| address(entry.address, entry.prefix_length))
                .collect(),
            // An interface that is down answers with -1 or not at all.
            speed_megabits_per_second: root
                .number(&format!("{folder}/speed"))
                .filter(|&speed| speed > 0 && speed < u64::from(u32::MAX)),
            duplex: root
                .line(&format!("{folder}/duplex"))
                .filter(|duplex| duplex != "unknown"),
            mtu_bytes: root.number(&format!("{folder}/mtu")),
            counters: counters
                .iter()
                .find(|(counted, _)| *counted == name)
                .map(|&(_, counters)| counters),
            name,
        }
    });
    let interfaces = interfaces.collect();
    let route = root
        .text("proc/net/route")
        .and_then(|text| parse_default_route(&text));
    let (default_interface, default_gateway) = route
        .map_or((None, None), |(interface, gateway)| {
            (Some(interface), gateway)
        });
    let name_servers = root
        .text("etc/resolv.conf")
        .map(|text| parse_name_servers(&text))
        .unwrap_or_default();
    Network {
        interfaces,
        hidden_virtual,
        default_gateway,
        default_interface,
        name_servers,
    }
}

fn address(address: IpAddr, prefix_length: Option<u32>) -> Address {
    let (family, link_local) = match address {
        IpAddr::V4(v4) => ("ipv4", v4.is_link_local()),
        IpAddr::V6(v6) => ("ipv6", v6.is_unicast_link_local()),
    };
    Address {
        address,
        family,
        prefix_length,
        link_local,
    }
}

/// What an interface is, from the hardware type (linux/if_arp.h) and the driver's own word for it.
fn kind(root: &Root, name: &str) -> &'static str {
    let folder = format!("sys/class/net/{name}");
    let number = root.number(&format!("{folder}/type"));
    let uevent = root.text(&format!("{folder}/uevent")).unwrap_or_default();
    match uevent
        .lines()
        .find_map(|line| line.strip_prefix("DEVTYPE="))
    {
        Some("wlan") => return "wireless",
        Some("bridge") => return "bridge",
        Some("bond") => return "bond",
        Some("vlan") => return "vlan",
        Some("wireguard") => return "wireguard",
        _ => (),
    }
    match number {
        Some(772) => "loopback",
        None if name == "lo" => "loopback",
        _ if root.exists(&format!("{folder}/wireless")) => "wireless",
        _ if root.exists(&format!("{folder}/bridge")) => "bridge",
        _ if root.exists(&format!("{folder}/tun_flags")) => "tunnel",
        _ if name.starts_with("veth") => "veth",
        // 768, 769, 776, 778: IP in IP, IPv6 in IP, GRE; 65534: a tunnel without any hardware type.
        Some(768 | 769 | 776 | 778 | 65_534) => "tunnel",
        // A container's end of a veth pair has no device behind it and is the ethernet it knows.
        Some(1)
            if root.exists(&format!("{folder}/device"))
                || name.starts_with("eth")
                || name.starts_with("en") =>
        {
            "ethernet"
        }
        _ => "virtual",
    }
}

/// Parses `/proc/net/dev`: two heading lines, then a name and sixteen counters each. Old kernels leave no space after the colon.
pub fn parse_counters(text: &str) -> Vec<(String, Counters)> {
    let line = |line: &str| {
        // The last colon: an alias such as `eth0:1` has one of its own.
        let (name, rest) = line.rsplit_once(':')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let counters = Counters {
            received_bytes: number(0)?,
            received_packets: number(1)?,
            received_errors: number(2)?,
            received_dropped: number(3)?,
            sent_bytes: number(8)?,
            sent_packets: number(9)?,
            sent_errors: number(10)?,
            sent_dropped: number(11)?,
        };
        let name = name.trim();
        (!name.is_empty()).then(|| (printable(name), counters))
    };
    text.lines().filter_map(line).collect()
}

/// The default route of `/proc/net/route` with the lowest metric: its interface, and its gateway unless the link itself is the way.
pub fn parse_default_route(text: &str) -> Option<(String, Option<Ipv4Addr>)> {
    let routes = text.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let name = printable(fields.first()?);
        let (destination, mask) = (hex(fields.get(1)?)?, hex(fields.get(7)?)?);
        let is_default = destination == 0 && mask == 0;
        // The kernel prints the address as a number of its own byte order.
        let gateway = Ipv4Addr::from(hex(fields.get(2)?)?.to_ne_bytes());
        let metric: u64 = fields.get(6)?.parse().ok()?;
        is_default.then(|| {
            (
                metric,
                name,
                Some(gateway).filter(|gateway| !gateway.is_unspecified()),
            )
        })
    });
    routes
        .min_by_key(|(metric, ..)| *metric)
        .map(|(_, interface, gateway)| (interface, gateway))
}

fn hex(digits: &str) -> Option<u32> {
    u32::from_str_radix(digits, 16)
        .ok()
        .filter(|_| digits.len() == 8)
}

/// The `nameserver` lines of resolv.conf(5), at most [`NAME_SERVERS_MAX`].
pub fn parse_name_servers(text: &str) -> Vec<IpAddr> {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let address = (words.next()? == "nameserver").then(|| words.next())??;
        // A link-local server carries its interface: `fe80::1%eth0`.
        address.split('%').next()?.parse().ok()
    };
    text.lines()
        .filter_map(line)
        .take(NAME_SERVERS_MAX)
        .collect()
}

impl Network {
    /// The facts, a few lines per interface.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for interface in &self.interfaces {
            _ = write!(text, "{} ({}", interface.name, interface.kind);
            if let Some(state) = &interface.state {
                _ = write!(text, ", {state}");
            }
            if let Some(speed) = interface.speed_megabits_per_second {
                _ = write!(text, ", {speed} Mbit/s");
            }
            text.push(')');
            for (at, address) in interface.addresses.iter().enumerate() {
                let prefix = address
                    .prefix_length
                    .map(|length| format!("/{length}"))
                    .unwrap_or_default();
                _ = write!(
                    text,
                    "{} {}{prefix}",
                    if at == 0 { "" } else { "," },
                    address.address
                );
            }
            text.push('\n');
            if let Some(counters) = &interface.counters {
                _ = write!(
                    text,
                    "  received {}, sent {}",
                    units::bytes(counters.received_bytes),
                    units::bytes(counters.sent_bytes)
                );
                let errors = counters
                    .received_errors
                    .saturating_add(counters.sent_errors);
                text.push_str(&if errors > 0 {
                    format!(", {}\n", units::count(errors, "error", "errors"))
                } else {
                    "\n".to_string()
                });
            }
        }
        if self.interfaces.is_empty() {
            text.push_str("no network interfaces found\n");
        }
        match (&self.default_gateway, &self.default_interface) {
            (Some(gateway), Some(interface)) => {
                _ = writeln!(text, "gateway {gateway} on {interface}")
            }
            (None, Some(interface)) => _ = writeln!(text, "default route through {interface}"),
            _ => (),
        }
        if !self.name_servers.is_empty() {
            let servers: Vec<String> = self.name_servers.iter().map(IpAddr::to_string).collect();
            _ = writeln!(text, "name servers {}", servers.join(", "));
        }
        text
    }
}

/// The resolver itself reads three; systemd-resolved lists more.
pub const NAME_SERVERS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stand_after_the_colon() {
        let text = "Inter-|   Receive  |  Transmit\n face |bytes packets errs\n    lo:    3193      29    1    2    0     0          0         0     3194      30    3    4    0     0       0          0\neth0:1:5 6 7 8 0 0 0 0 9 10 11 12 0 0 0 0\n";
        let counters = parse_counters(text);
        assert_eq!(counters[0].0, "lo");
        assert_eq!(
            (
                counters[0].1.received_bytes,
                counters[0].1.received_dropped,
                counters[0].1.sent_packets,
                counters[0].1.sent_dropped
            ),
            (3193, 2, 30, 4)
        );
        assert_eq!(
            (counters[1].0.as_str(), counters[1].1.sent_bytes),
            ("eth0:1", 9)
        );
        for text in [
            "",
            "eth0",
            "eth0:",
            "eth0: 1 2 3",
            "eth0: 1 2 3 x 0 0 0 0 1 2 3 4",
            ": 1 2 3 4 5 6 7 8 9 10 11 12",
        ] {
            assert_eq!(parse_counters(text), [], "{text}");
        }
    }

    /// Routes as a little-endian kernel prints them; the other byte order would need samples of its own.
    #[cfg(target_endian = "little")]
    #[test]
    fn the_default_route_with_the_lowest_metric_wins() {
        let head =
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
        let wlan = "wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n";
        let eth = "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
        let local = "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
        let ppp = "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n";
        let route = |text: String| parse_default_route(&text);
        assert_eq!(
            route(format!("{head}{wlan}{local}{eth}")),
            Some(("eth0".to_string(), Some(Ipv4Addr::new(192, 168, 1, 1))))
        );
        assert_eq!(
            route(format!("{head}{ppp}{eth}")),
            Some(("ppp0".to_string(), None))
        );
        assert_eq!(route(format!("{head}{local}")), None);
        assert_eq!(
            route(format!(
                "{head}eth0\t0000000\t0101A8C0\t0003\t0\t0\t100\t00000000\n"
            )),
            None,
            "seven digits are no address"
        );
        assert_eq!(route(String::new()), None);
    }

    #[test]
    fn name_servers_are_addresses() {
        let text = "# comment\nnameserver 192.168.1.1\nnameserver fe80::1%eth0\nnameserver\nnameserver x\n#nameserver 9.9.9.9\nsearch lan\n";
        assert_eq!(
            parse_name_servers(text),
            [
                "192.168.1.1".parse::<IpAddr>().unwrap(),
                "fe80::1".parse().unwrap()
            ]
        );
        for (count, listed) in [
            (NAME_SERVERS_MAX, NAME_SERVERS_MAX),
            (NAME_SERVERS_MAX + 1, NAME_SERVERS_MAX),
        ] {
            assert_eq!(
                parse_name_servers(&"nameserver 10.0.0.1\n".repeat(count)).len(),
                listed
            );
        }
    }
}
