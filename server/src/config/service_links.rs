//! Service link variables: Kubernetes sets them in every container, for each service of the
//! namespace.

use std::net::IpAddr;

/// Protocols of a Kubernetes service port.
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Returns whether Kubernetes has set this variable for a service called `gatehouse` or
/// `gatehouse-…`. The name is given without the prefix of settings. The value has to fit as well,
/// so that a misspelt setting is still reported.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    Link::parse(name).any(|link| match link {
        Link::Host => is_address(value),
        Link::Port => is_port(value),
        Link::Url => PROTOCOLS.iter().any(|protocol| is_url(value, protocol)),
        Link::PortUrl(protocol) => is_url(value, protocol),
        Link::PortProtocol(protocol) => value.eq_ignore_ascii_case(protocol),
    })
}

/// A service link variable, by the value that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link<'a> {
    /// `…SERVICE_HOST`, `…PORT_80_TCP_ADDR`: an IP address.
    Host,
    /// `…SERVICE_PORT`, `…SERVICE_PORT_HTTP`, `…PORT_80_TCP_PORT`: a port number.
    Port,
    /// `…PORT`: the URL of the first port.
    Url,
    /// `…PORT_80_TCP`: the URL of a port.
    PortUrl(&'a str),
    /// `…PORT_80_TCP_PROTO`: the protocol of a port.
    PortProtocol(&'a str),
}

impl<'a> Link<'a> {
    /// Returns the possible types of a variable with this name. The rest of the service's name, any
    /// number of words, precedes them.
    fn parse(name: &'a str) -> impl Iterator<Item = Self> {
        let words: Vec<_> = name.split('_').collect();
        (0..words.len()).filter_map(move |start| Self::of_words(words.get(start..)?))
    }

    fn of_words(words: &[&'a str]) -> Option<Self> {
        let is_number = |word: &str| word.parse::<u16>().is_ok();
        let protocol = |word: &&'a str| PROTOCOLS.contains(word).then_some(*word);
        match words {
            ["SERVICE", "HOST"] => Some(Self::Host),
            ["SERVICE", "PORT", name @ ..] if name.iter().all(|word| !word.is_empty()) => {
                Some(Self::Port)
            }
            ["PORT"] => Some(Self::Url),
            ["PORT", port, proto] if is_number(port) => protocol(proto).map(Self::PortUrl),
            ["PORT", port, proto, "PROTO"] if is_number(port) => {
                protocol(proto).map(Self::PortProtocol)
            }
            ["PORT", port, proto, "PORT"] if is_number(port) => protocol(proto).map(|_| Self::Port),
            ["PORT", port, proto, "ADDR"] if is_number(port) => protocol(proto).map(|_| Self::Host),
            _ => None,
        }
    }
}

/// Returns whether a value is a URL such as `tcp://10.0.0.7:80` or `tcp://[2001:db8::7]:80`.
fn is_url(value: &str, protocol: &str) -> bool {
    let authority =
        value.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case(protocol));
    authority.is_some_and(|(_, authority)| authority.parse::<std::net::SocketAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::SETTINGS;

    #[test]
    fn is_service_link_accepts_every_variable_of_a_service() {
        for service in ["", "DB_", "HTTP_SERVICE_"] {
            for (name, value) in [
                ("SERVICE_HOST", "10.96.14.7"),
                ("SERVICE_HOST", "fd00::7"),
                ("SERVICE_PORT", "80"),
                ("SERVICE_PORT_HTTP", "80"),
                ("SERVICE_PORT_HTTP_METRICS", "9100"),
                ("PORT", "tcp://10.96.14.7:80"),
                ("PORT", "udp://10.96.14.7:53"),
                ("PORT", "sctp://[fd00::7]:36412"),
                ("PORT_80_TCP", "tcp://10.96.14.7:80"),
                ("PORT_80_TCP_PROTO", "tcp"),
                ("PORT_80_TCP_PORT", "80"),
                ("PORT_80_TCP_ADDR", "10.96.14.7"),
                ("PORT_53_UDP", "udp://10.96.14.7:53"),
                ("PORT_36412_SCTP_ADDR", "fd00::7"),
            ] {
                assert!(
                    is_service_link(&format!("{service}{name}"), value),
                    "{service}{name}={value}"
                );
            }
        }
    }

    #[test]
    fn is_service_link_rejects_other_names_and_values() {
        for (name, value) in [
            ("ADRR", "127.0.0.1:3000"),
            ("PORT", "3000"),
            ("PORT", "http://10.96.14.7:80"),
            ("PORT", "tcp://gatehouse"),
            ("PORTS", "tcp://10.96.14.7:80"),
            ("SERVICE_HOST", "gatehouse.example"),
            ("SERVICE_HOSTS", "10.96.14.7"),
            ("SERVICE_PORT", "all"),
            ("SERVICE_PORT_", "80"),
            ("PORT_HTTP_TCP", "tcp://10.96.14.7:80"),
            ("PORT_80_TCP", "udp://10.96.14.7:80"),
            ("PORT_80_ICMP", "icmp://10.96.14.7:80"),
            ("PORT_80_TCP_NAME", "http"),
            ("PORT_99999_TCP_PORT", "80"),
        ] {
            assert!(!is_service_link(name, value), "{name}={value}");
        }
    }

    #[test]
    fn no_setting_is_named_like_a_service_link() {
        for setting in SETTINGS {
            assert_eq!(Link::parse(setting.name).next(), None, "{}", setting.name);
        }
    }
}
