//! Admission control of connections: limits in total and per client address, and the log of refused
//! connections.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::{ConnectionLimits, Purpose};
use crate::{
    metrics::{RefusedConnection, metrics},
    network::Network,
};

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
    purpose: Purpose,
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
    /// The client address that it counts for; `None` if the limit for client addresses does not
    /// apply to it.
    address: Option<Network>,
}

impl OpenConnections {
    pub(super) fn new(
        limits: ConnectionLimits,
        trusted_proxies: Arc<[Network]>,
        purpose: Purpose,
    ) -> Arc<Self> {
        if purpose == Purpose::Requests {
            metrics().connections_max.set(i64::try_from(limits.total).unwrap_or(i64::MAX));
        }
        Arc::new(Self { limits, trusted_proxies, purpose, counts: Mutex::default() })
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
        drop(counts);
        if self.purpose == Purpose::Requests {
            metrics().connections.inc();
            metrics().connections_accepted.inc();
        }
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
        if self.open.purpose == Purpose::Requests {
            metrics().connections.dec();
        }
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
pub(super) struct Refusals {
    purpose: Purpose,
    count: u64,
    logged: Option<Instant>,
}

impl Refusals {
    pub(super) fn new(purpose: Purpose) -> Self {
        Self { purpose, count: 0, logged: None }
    }

    /// Counts a refused connection, and logs those since the last line.
    pub(super) fn record(&mut self, peer: IpAddr, limit: Limit) {
        self.count += 1;
        if self.purpose == Purpose::Requests {
            let limit = match limit {
                Limit::Total => RefusedConnection::Total,
                Limit::PerAddress => RefusedConnection::PerAddress,
            };
            metrics().connections_refused.of(limit).inc();
        }
        if self.logged.is_some_and(|logged| logged.elapsed() < LOG_INTERVAL) {
            return;
        }
        let refused = self.count;
        match limit {
            _ if self.purpose == Purpose::Monitoring => tracing::warn!(
                refused,
                "connections to GATEHOUSE_METRICS_ADDR are refused: too many are open"
            ),
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
        (self.count, self.logged) = (0, Some(Instant::now()));
    }
}
