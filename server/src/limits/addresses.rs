//! Which addresses limits apply to.

use std::{net::IpAddr, sync::Once};

use crate::network::Network;

/// Which addresses limits apply to: not to this machine's own. Behind a proxy that was not
/// configured all clients have that one.
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
    /// What is counted for an address; `None` where nothing is.
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
    fn this_machine_is_not_counted() {
        let addresses = Addresses::default();
        for text in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(addresses.rate_limit_key(Some(text.parse().expect(text))), None, "{text}");
        }
        assert_eq!(addresses.rate_limit_key(None), None);
        let counted = addresses.rate_limit_key(Some("2001:db8::7".parse().expect("an address")));
        assert_eq!(counted.map(|network| network.to_string()).as_deref(), Some("2001:db8::/64"));
    }
}
