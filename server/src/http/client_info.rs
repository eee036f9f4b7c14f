//! The client of a request, from the connection and the headers of trusted proxies.

use std::net::{IpAddr, SocketAddr};

use app::backend::{ClientInfo, api_lang};
use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderName, header, request::Parts},
};

use crate::network::Network;

/// Characters of a user agent that are kept. Text values of headers have no control characters.
const USER_AGENT_MAX: usize = 256;
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Returns the client of a request.
pub(super) fn of(parts: &Parts, trusted: &[Network]) -> ClientInfo {
    let peer = peer(&parts.extensions);
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    ClientInfo {
        address: peer.map(|peer| client(peer, &parts.headers, trusted)),
        user_agent: user_agent.map(|text| text.chars().take(USER_AGENT_MAX).collect()),
        is_encrypted: is_encrypted(&parts.extensions, &parts.headers, trusted),
        lang: api_lang(&parts.headers),
    }
}

/// Returns whether a request came over TLS, according to a trusted proxy.
pub(super) fn is_encrypted(
    extensions: &Extensions,
    headers: &HeaderMap,
    trusted: &[Network],
) -> bool {
    peer(extensions).is_some_and(|peer| is_trusted(peer, trusted)) && is_https(headers)
}

/// Returns the IP address of the peer.
fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// Returns the client IP: the rightmost address that is not a trusted proxy. Each proxy appends the
/// address of its peer, so addresses left of an untrusted one may be forged.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut nearest = peer;
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    for hop in lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')) {
        if !is_trusted(nearest, trusted) {
            break;
        }
        let Some(hop) = address(hop.trim()) else { break };
        nearest = hop;
    }
    nearest
}

/// Parses an address as proxies write it: some add the port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    bare().or_else(with_port).or_else(in_brackets).map(|address: IpAddr| address.to_canonical())
}

/// Returns whether the last proxy was called over TLS.
fn is_https(headers: &HeaderMap) -> bool {
    let line =
        headers.get_all(FORWARDED_PROTO).iter().next_back().and_then(|line| line.to_str().ok());
    line.and_then(|line| line.rsplit(',').next())
        .is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, Request};

    fn of(peer: &str, trusted: &[&str], headers: &[(HeaderName, &str)]) -> ClientInfo {
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().expect(text)).collect();
        let mut parts = Request::new(()).into_parts().0;
        parts.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().expect(peer), 4711)));
        for (name, value) in headers {
            parts.headers.append(name, HeaderValue::from_str(value).expect("a header"));
        }
        super::of(&parts, &trusted)
    }

    #[track_caller]
    fn assert_client(peer: &str, trusted: &[&str], forwarded: &[&str], expected: &str) {
        let headers: Vec<_> = forwarded.iter().map(|line| (FORWARDED_FOR, *line)).collect();
        assert_eq!(
            of(peer, trusted, &headers).address,
            Some(expected.parse().expect(expected)),
            "{forwarded:?}"
        );
    }

    #[test]
    fn forwarded_address_from_untrusted_peer_is_ignored() {
        assert_client("192.0.2.1", &[], &["198.51.100.7"], "192.0.2.1");
        assert_client("192.0.2.1", &["10.0.0.0/8"], &["198.51.100.7"], "192.0.2.1");
    }

    #[test]
    fn forwarded_addresses_of_trusted_proxies_end_at_first_untrusted_hop() {
        let trusted = ["10.0.0.0/8", "::1"];
        assert_client("10.0.0.1", &trusted, &["198.51.100.7"], "198.51.100.7");
        assert_client("10.0.0.1", &trusted, &["203.0.113.9, 198.51.100.7"], "198.51.100.7");
        assert_client(
            "10.0.0.1",
            &trusted,
            &["203.0.113.9", "198.51.100.7, 10.1.1.1"],
            "198.51.100.7",
        );
        assert_client("::ffff:10.0.0.1", &trusted, &["198.51.100.7:4711"], "198.51.100.7");
        assert_client("::1", &trusted, &["[2001:db8::7]:443"], "2001:db8::7");
        assert_client("::1", &trusted, &["[2001:db8::7]"], "2001:db8::7");
        assert_client("10.0.0.1", &trusted, &["10.0.0.3, 10.0.0.2"], "10.0.0.3");
    }

    #[test]
    fn forwarded_value_without_address_ends_the_chain() {
        let trusted = ["10.0.0.0/8"];
        for forwarded in ["", "unknown", "198.51.100.7, unknown", "\"198.51.100.7\"", "_hidden"] {
            assert_client("10.0.0.1", &trusted, &[forwarded], "10.0.0.1");
        }
        assert_client("10.0.0.1", &trusted, &[], "10.0.0.1");
    }

    #[test]
    fn forwarded_proto_counts_from_trusted_proxy_only() {
        for (trusted, proto, expected) in [
            (&["10.0.0.1"][..], "https", true),
            (&["10.0.0.1"], "http, HTTPS", true),
            (&["10.0.0.1"], "https, http", false),
            (&["10.0.0.1"], "", false),
            (&[], "https", false),
        ] {
            assert_eq!(
                of("10.0.0.1", trusted, &[(FORWARDED_PROTO, proto)]).is_encrypted,
                expected,
                "{proto}"
            );
        }
    }
}
