//! What the parts that limit something share: which limits there are, whom they apply to, and what
//! the audit log is told.

use std::sync::Arc;

use tracing::Instrument as _;

use super::{Addresses, Limiter, Limits, Quota};
use crate::{
    clock::Env,
    store::{AuditEntry, Outcome, Store},
};

/// How often the audit log is told that the same thing is still tried too often.
const AUDIT_QUOTA: Quota = Quota { times: 1, seconds: 900 };

/// The limits, and what is done about whatever is beyond them.
pub struct Throttle {
    /// The limits; `None` where they are switched off.
    pub limits: Option<Limits>,
    /// Which addresses they apply to.
    pub addresses: Addresses,
    audited: Limiter<String>,
    store: Store,
}

impl Throttle {
    /// Limits that go by the clock of `Env`.
    #[must_use]
    pub fn new(limits: Option<Limits>, store: Store, env: &Env) -> Self {
        let audited = Limiter::new(AUDIT_QUOTA, Arc::clone(&env.clock));
        Self { limits, addresses: Addresses::default(), audited, store }
    }

    /// Puts into the audit log that something was tried too often. One entry stands for all that
    /// follow within a quarter of an hour: a flood must not fill the disk. Nobody waits for it.
    /// Whose account it is, where there is one, is looked up by the name that was tried.
    pub fn audit_throttled(&self, subject: &str, username_key: Option<String>, entry: AuditEntry) {
        if self.audited.take(&subject.to_owned()).is_err() {
            return;
        }
        tracing::warn!(event = entry.event.as_str(), "rate limited");
        let (store, mut entry) =
            (self.store.clone(), AuditEntry { outcome: Outcome::Throttled, ..entry });
        let telling = async move {
            if let Some(key) = username_key {
                match store.user_with_hash(&key).await {
                    Ok(found) => entry.user = found.map(|(account, _)| account.user.id),
                    Err(error) => {
                        tracing::error!(%error, "the account of a rate-limited attempt could not be looked up");
                    }
                }
            }
            if let Err(error) = store.insert_audit_entry(entry).await {
                tracing::error!(%error, "audit entry of a rate-limited attempt could not be written");
            }
        };
        tokio::spawn(telling.in_current_span());
    }
}
