//! From where a call comes: the connection tells, and proxies that are trusted.

use std::net::{IpAddr, SocketAddr};

use app::backend::ClientInfo;
use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderName, header, request::Parts},
};

use crate::network::Network;

/// Characters of a program's name that are kept. Header values that are text have no control
/// characters.
const USER_AGENT_MAX: usize = 256;
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// From where a request came.
pub(super) fn of(parts: &Parts, trusted: &[Network]) -> ClientInfo {
    let peer = peer(&parts.extensions);
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    ClientInfo {
        address: peer.map(|peer| client(peer, &parts.headers, trusted)),
        user_agent: user_agent.map(|text| text.chars().take(USER_AGENT_MAX).collect()),
        is_encrypted: is_encrypted(&parts.extensions, &parts.headers, trusted),
    }
}

/// Whether a request came over TLS: a proxy that is trusted says so.
pub(super) fn is_encrypted(
    extensions: &Extensions,
    headers: &HeaderMap,
    trusted: &[Network],
) -> bool {
    peer(extensions).is_some_and(|peer| is_trusted(peer, trusted)) && is_https(headers)
}

/// Whoever is at the other end of the connection.
fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// The nearest address that nobody has to be believed for: each proxy adds the one that it was
/// called from at the right, and what stands left of the first that is not trusted may be made up.
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

/// An address as proxies write it: some add the port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    bare().or_else(with_port).or_else(in_brackets).map(|address: IpAddr| address.to_canonical())
}

/// Whether the nearest proxy was called over TLS.
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
    fn nobody_is_believed_who_is_not_trusted() {
        assert_client("192.0.2.1", &[], &["198.51.100.7"], "192.0.2.1");
        assert_client("192.0.2.1", &["10.0.0.0/8"], &["198.51.100.7"], "192.0.2.1");
    }

    #[test]
    fn of_the_hops_the_nearest_that_is_not_trusted_counts() {
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
    fn what_is_no_address_ends_the_way_back() {
        let trusted = ["10.0.0.0/8"];
        for forwarded in ["", "unknown", "198.51.100.7, unknown", "\"198.51.100.7\"", "_hidden"] {
            assert_client("10.0.0.1", &trusted, &[forwarded], "10.0.0.1");
        }
        assert_client("10.0.0.1", &trusted, &[], "10.0.0.1");
    }

    #[test]
    fn only_a_trusted_proxy_says_that_it_was_called_over_tls() {
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
