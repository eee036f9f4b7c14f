//! Shared configuration of the rate limits, and their audit entries.

use std::sync::Arc;

use super::{Addresses, Limiter, Limits, Quota};
use crate::{
    clock::Env,
    store::{AuditEntry, Outcome, Store},
    task::Tasks,
};

/// Rate limit of audit entries about one throttled subject.
const AUDIT_QUOTA: Quota = Quota { times: 1, seconds: 900 };

/// The rate limits, and the audit of requests beyond them.
pub struct Throttle {
    /// The limits; `None` if they are disabled.
    pub limits: Option<Limits>,
    /// Rate-limit keys of client addresses.
    pub addresses: Addresses,
    audited: Limiter<String>,
    store: Store,
    tasks: Tasks,
}

impl Throttle {
    /// Creates the limits over the clock of `env`.
    #[must_use]
    pub fn new(limits: Option<Limits>, store: Store, env: &Env, tasks: Tasks) -> Self {
        let audited = Limiter::new(AUDIT_QUOTA, Arc::clone(&env.clock));
        Self { limits, addresses: Addresses::default(), audited, store, tasks }
    }

    /// Records a throttled request in the audit log, in the background. One entry stands for all
    /// requests of the subject within a quarter of an hour, so a flood does not fill the disk. The
    /// account is looked up by the username of the attempt, if there is one.
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
        self.tasks.spawn(telling);
    }
}
