//! Admission control of connections: limits in total and per client address, and the log of refused
//! connections.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::ConnectionLimits;
use crate::network::Network;

/// Interval between lines in the log that report refused connections.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// A limit of connections that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Total,
    PerAddress,
}

/// The open connections.
pub(super) struct OpenConnections {
    limits: ConnectionLimits,
    trusted_proxies: Arc<[Network]>,
    pub(super) counts: Mutex<Counts>,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) total: usize,
    pub(super) per_address: HashMap<Network, usize>,
}

/// An open connection.
pub(super) struct Permit {
    open: Arc<OpenConnections>,
    /// The client address that it counts for; `None` if the limit for client addresses does not apply to it.
    address: Option<Network>,
}

impl OpenConnections {
    pub(super) fn new(limits: ConnectionLimits, trusted_proxies: Arc<[Network]>) -> Arc<Self> {
        Arc::new(Self { limits, trusted_proxies, counts: Mutex::default() })
    }

    /// Counts a connection, unless a limit is reached.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Permit, Limit> {
        let address = self.counted(peer);
        let mut counts = self.counts.lock();
        if counts.total >= self.limits.total {
            return Err(Limit::Total);
        }
        if let Some(address) = address {
            let count = counts.per_address.entry(address).or_default();
            if *count >= self.limits.per_address {
                return Err(Limit::PerAddress);
            }
            *count += 1;
        }
        counts.total += 1;
        Ok(Permit { open: Arc::clone(self), address })
    }

    /// The address that a connection is counted for. Connections of this machine and of trusted
    /// proxies carry the requests of many clients.
    fn counted(&self, peer: IpAddr) -> Option<Network> {
        let peer = peer.to_canonical();
        let is_shared =
            peer.is_loopback() || self.trusted_proxies.iter().any(|proxy| proxy.contains(peer));
        (!is_shared).then(|| Network::of_client(peer))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.open.counts.lock();
        counts.total = counts.total.saturating_sub(1);
        if let Some(address) = self.address
            && let Some(count) = counts.per_address.get_mut(&address)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.per_address.remove(&address);
            }
        }
    }
}

/// Connections refused since the last line in the log.
#[derive(Default)]
pub(super) struct Refusals {
    count: u64,
    logged: Option<Instant>,
}

impl Refusals {
    pub(super) fn log(&mut self, peer: IpAddr, limit: Limit) {
        self.count += 1;
        if self.logged.is_some_and(|logged| logged.elapsed() < LOG_INTERVAL) {
            return;
        }
        let refused = self.count;
        match limit {
            Limit::Total => tracing::warn!(
                refused,
                "connections are refused: GATEHOUSE_MAX_CONNECTIONS are open"
            ),
            Limit::PerAddress => tracing::warn!(
                refused,
                address = %peer,
                "connections are refused: GATEHOUSE_MAX_CONNECTIONS_PER_ADDRESS of one client address are open; if it is a proxy, \
                 name it in GATEHOUSE_TRUSTED_PROXIES"
            ),
        }
        *self = Self { count: 0, logged: Some(Instant::now()) };
    }
}
