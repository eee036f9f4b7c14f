//! Rate limits of mails that users ask for.

use std::sync::Arc;

use app::backend::Failure;

use super::{Limiter, Limits, Throttle};
use crate::{clock::Clock, network::Network, store::AuditEntry};

/// Limits mails by account and by client: a mailbox is not flooded, and one client does not fill
/// many.
pub struct MailLimiter {
    by_account: Option<Limiter<String>>,
    by_client: Option<Limiter<Network>>,
}

impl MailLimiter {
    /// Creates the limiter over a clock; without limits it admits all.
    #[must_use]
    pub fn new(limits: Option<&Limits>, clock: &Arc<dyn Clock>) -> Self {
        Self {
            by_account: limits.map(|limits| Limiter::new(limits.mails_account, Arc::clone(clock))),
            by_client: limits.map(|limits| Limiter::new(limits.mails_address, Arc::clone(clock))),
        }
    }

    /// Counts a mail against the client of a request.
    ///
    /// # Errors
    ///
    /// `too_many_attempts` if the client has reached its limit, which is audited.
    pub fn admit_client(&self, throttle: &Throttle, entry: &AuditEntry) -> Result<(), Failure> {
        let Some(limiter) = &self.by_client else { return Ok(()) };
        let network = throttle.addresses.rate_limit_key(entry.client_info.address);
        let Some(network) = network else { return Ok(()) };
        limiter.take(&network).map_err(|retry_after| {
            throttle.audit_throttled(&format!("mails:{network}"), None, entry.clone());
            Failure::TooManyAttempts(retry_after)
        })
    }

    /// Counts a mail against an account, by id or by name.
    ///
    /// # Errors
    ///
    /// The seconds until the next mail is allowed.
    pub fn admit_account(&self, account: &str) -> Result<(), u32> {
        match &self.by_account {
            Some(limiter) => limiter.take(&account.to_owned()),
            None => Ok(()),
        }
    }
}
