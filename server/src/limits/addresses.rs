//! Rate-limit keys of client addresses.

use std::{net::IpAddr, sync::Once};

use crate::network::Network;

/// Maps client addresses to rate-limit keys. Loopback addresses are exempt: behind a proxy that was
/// not configured, all clients share one.
#[derive(Debug)]
pub struct Addresses {
    warned: Once,
}

impl Default for Addresses {
    fn default() -> Self {
        Self { warned: Once::new() }
    }
}

impl Addresses {
    /// Returns the client's network; `None` for exempt or unknown addresses.
    pub fn rate_limit_key(&self, address: Option<IpAddr>) -> Option<Network> {
        let address = address?.to_canonical();
        if address.is_loopback() {
            self.warned.call_once(|| {
                tracing::warn!(
                    "calls come from this machine itself: limits by address do not apply to them; if they come through a proxy, \
                     name it in GATEHOUSE_TRUSTED_PROXIES"
                );
            });
            return None;
        }
        Some(Network::of_client(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_limit_key_of_loopback_address_is_none() {
        let addresses = Addresses::default();
        for text in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(addresses.rate_limit_key(Some(text.parse().expect(text))), None, "{text}");
        }
        assert_eq!(addresses.rate_limit_key(None), None);
        let counted = addresses.rate_limit_key(Some("2001:db8::7".parse().expect("an address")));
        assert_eq!(counted.map(|network| network.to_string()).as_deref(), Some("2001:db8::/64"));
    }
}
