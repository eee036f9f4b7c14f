//! IP networks.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::{IpNet, Ipv6Net};

/// Prefix length of the IPv6 network of one client: a client with one address of it has them all
/// (RFC 6177).
const CLIENT_PREFIX: u8 = 64;

/// An IP network (RFC 4632 §3.1, RFC 4291 §2.3), or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

impl Network {
    /// Returns the network of one client: an IPv4 address, or the /64 around an IPv6 address.
    #[must_use]
    pub fn of_client(address: IpAddr) -> Self {
        match address.to_canonical() {
            v4 @ IpAddr::V4(_) => Self(v4.into()),
            IpAddr::V6(v6) => Self(Ipv6Net::new_assert(v6, CLIENT_PREFIX).trunc().into()),
        }
    }

    /// Returns whether the network contains an address. IPv4-mapped IPv6 addresses count as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            write!(f, "{}", self.0.addr())
        } else {
            write!(f, "{}", self.0)
        }
    }
}

/// Error of parsing a network.
#[derive(Debug, thiserror::Error)]
#[error("not an IP address or network (examples: 10.0.0.1, 10.0.0.0/8, fd00::/8)")]
pub struct ParseNetworkError;

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let network: IpNet = if text.contains('/') {
            text.parse().map_err(|_| ParseNetworkError)?
        } else {
            text.parse::<IpAddr>().map_err(|_| ParseNetworkError)?.into()
        };
        // An address with bits beyond the prefix is a typing error.
        if network.trunc() == network { Ok(Self(network)) } else { Err(ParseNetworkError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(text: &str) -> Network {
        text.parse().expect(text)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn contains_address_with_same_prefix_returns_true() {
        for (network_text, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
            ("127.0.0.1", "::ffff:127.0.0.1", "::1"),
        ] {
            assert!(network(network_text).contains(address(inside)), "{network_text} {inside}");
            assert!(!network(network_text).contains(address(outside)), "{network_text} {outside}");
            assert_eq!(network(network_text).to_string(), network_text);
        }
    }

    #[test]
    fn parse_of_invalid_network_fails() {
        for text in [
            "",
            "x",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.1/8",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "1.2.3",
            "fd00::1/64",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn of_client_is_ipv4_address_or_ipv6_prefix() {
        let of = |text| Network::of_client(address(text)).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }

    proptest! {
        #[test]
        fn of_client_contains_its_address(bytes: [u8; 16]) {
            let address = IpAddr::from(bytes);
            prop_assert!(Network::of_client(address).contains(address));
            let v4 = IpAddr::from([bytes[0], bytes[1], bytes[2], bytes[3]]);
            prop_assert!(Network::of_client(v4).contains(v4));
        }

        #[test]
        fn parse_of_displayed_network_gives_the_same(bytes: [u8; 16], prefix in 0..=128_u8) {
            for network in [
                IpNet::new(IpAddr::from(bytes), prefix),
                IpNet::new(IpAddr::from([bytes[0], bytes[1], bytes[2], bytes[3]]), prefix % 33),
            ] {
                let network = Network(network.unwrap().trunc());
                prop_assert_eq!(network.to_string().parse::<Network>().unwrap(), network);
            }
        }
    }
}
