//! An IP network in CIDR form, for the list of trusted proxies.

use std::fmt;
use std::net::IpAddr;

/// An address and the number of its leading bits that count. A bare address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The address as it was written.
    pub address: IpAddr,
    /// Bits that count, at most 32 or 128.
    pub prefix_bits: u8,
}

impl Network {
    /// Reads `10.0.0.0/8` or `::1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                prefix.parse().ok()?
            }
            Some(_) => return None,
            None => bits_max,
        };
        (prefix_bits <= bits_max).then_some(Network {
            address,
            prefix_bits,
        })
    }

    /// Whether `address` belongs to it. An IPv4 address seen through an IPv6 socket (`::ffff:a.b.c.d`) counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differing = u32::from(ours) ^ u32::from(theirs);
                differing.leading_zeros() >= u32::from(self.prefix_bits.min(32))
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differing = u128::from(ours) ^ u128::from(theirs);
                differing.leading_zeros() >= u32::from(self.prefix_bits.min(128))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[track_caller]
    fn check(network: &str, address: &str, expected: bool) {
        let network = Network::parse(network).expect("a network");
        assert_eq!(network.contains(address.parse().unwrap()), expected);
    }

    #[test]
    fn contains_compares_the_leading_bits() {
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("0.0.0.0/0", "203.0.113.9", true);
        check("0.0.0.0/0", "::1", false);
        check("192.168.1.4", "192.168.1.4", true);
        check("192.168.1.4", "192.168.1.5", false);
        check("172.16.0.0/12", "::ffff:172.17.0.2", true);
        check("fd00::/8", "fd12::1", true);
        check("fd00::/8", "fe12::1", false);
    }

    #[test]
    fn parse_refuses_the_neighbours() {
        for text in [
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::/129",
            "nas.lan",
            "",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
