//! Which addresses belong to the public internet.
//!
//! The tables are IANA's special-purpose registries (RFC 6890). What is not certainly public is not public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Network and prefix length of every IPv4 block that is not globally reachable.
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// All that is allocated for the public internet.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Blocks within it that are not: protocol assignments (with Teredo, which embeds IPv4), documentation, 6to4.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// IPv4 behind a translator (RFC 6052): as public as what it embeds.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether `address` is one of the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) if is_in_v6(address, NAT64) => {
            let [.., a, b, c, d] = address.octets();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        IpAddr::V6(address) => {
            is_in_v6(address, GLOBAL_V6)
                && !SPECIAL_V6.iter().any(|block| is_in_v6(address, *block))
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    !SPECIAL_V4
        .iter()
        .any(|(network, len)| (bits ^ u32::from(*network)).leading_zeros() >= *len)
}

fn is_in_v6(address: Ipv6Addr, (network, len): (Ipv6Addr, u32)) -> bool {
    (u128::from(address) ^ u128::from(network)).leading_zeros() >= len
}

/// Whether a name is local by definition (RFC 6761, 6762, 8375 and `.internal`): what can be told without a lookup,
/// when a proxy does that.
pub(super) fn is_local_name(name: &str) -> bool {
    match name.rsplit_once('.') {
        None => true,
        Some((rest, "arpa")) => rest == "home" || rest.ends_with(".home"),
        Some((_, last)) => LOCAL_ENDS.contains(&last),
    }
}

/// Last labels that no public name has.
const LOCAL_ENDS: [&str; 6] = ["home", "internal", "intranet", "lan", "local", "localhost"];

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and last address of a block that is not public, and its public neighbours where it has some.
    #[track_caller]
    fn check(first: &str, last: &str, neighbours: &[&str]) {
        for text in [first, last] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in neighbours {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn ipv4_blocks_end_where_they_end() {
        check("0.0.0.0", "0.255.255.255", &["1.0.0.0"]);
        check("10.0.0.0", "10.255.255.255", &["9.255.255.255", "11.0.0.0"]);
        check(
            "100.64.0.0",
            "100.127.255.255",
            &["100.63.255.255", "100.128.0.0"],
        );
        check(
            "127.0.0.0",
            "127.255.255.255",
            &["126.255.255.255", "128.0.0.0"],
        );
        check(
            "169.254.0.0",
            "169.254.169.254",
            &["169.253.255.255", "169.255.0.0"],
        );
        check(
            "172.16.0.0",
            "172.31.255.255",
            &["172.15.255.255", "172.32.0.0"],
        );
        check(
            "192.0.0.0",
            "192.0.0.255",
            &["191.255.255.255", "192.0.1.0"],
        );
        check("192.0.2.0", "192.0.2.255", &["192.0.3.0"]);
        check(
            "192.168.0.0",
            "192.168.255.255",
            &["192.167.255.255", "192.169.0.0"],
        );
        check(
            "198.18.0.0",
            "198.19.255.255",
            &["198.17.255.255", "198.20.0.0"],
        );
        check(
            "203.0.113.0",
            "203.0.113.255",
            &["203.0.112.255", "203.0.114.0"],
        );
        check("224.0.0.0", "255.255.255.255", &["223.255.255.255"]);
    }

    #[test]
    fn ipv6_is_public_only_where_it_is_allocated() {
        check("::", "::1", &[]);
        check("fc00::", "fdff::1", &[]);
        check("fe80::1", "fec0::1", &[]);
        check("ff02::1", "4000::1", &["2600::1"]);
        check("2001::1", "2001:1ff::1", &["2001:200::1"]);
        check("2001:db8::1", "2002:7f00:1::", &["2003::1"]);
        check("3fff::1", "3fff:fff::1", &["3fff:1000::1"]);
    }

    #[test]
    fn embedded_addresses_are_looked_at() {
        check("::ffff:127.0.0.1", "::ffff:10.0.0.1", &["::ffff:8.8.8.8"]);
        check("64:ff9b::7f00:1", "64:ff9b::a00:1", &["64:ff9b::808:808"]);
        check("::127.0.0.1", "64:ff9b:1::808:808", &[]);
    }

    #[test]
    fn local_names() {
        for (name, expected) in [
            ("localhost", true),
            ("nas", true),
            ("a.localhost", true),
            ("nas.local", true),
            ("metadata.google.internal", true),
            ("nas.home.arpa", true),
            ("home.arpa", true),
            ("in-addr.arpa", false),
            ("docs.example.com", false),
            ("local.example.com", false),
            ("example.localhost.com", false),
        ] {
            assert_eq!(is_local_name(name), expected, "{name}");
        }
    }
}
