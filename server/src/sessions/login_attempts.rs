//! Admission control for password checks. Failures are counted in the database, so a restart clears
//! nothing. In-flight attempts count against the quota, so concurrent requests cannot exceed it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use app::backend::Failure;
use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::Notify, time::timeout};

use crate::{
    clock::Env,
    failure::internal,
    limits::{Quota, RateDecision, check_failures},
    store::{AuditEntry, Store, StoreError},
};

/// Longest wait for earlier attempts to finish.
const SLOT_TIMEOUT: Duration = Duration::from_secs(5);

/// A subject that failures count against.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// Its key in the database: at most 64 characters.
    pub(super) name: String,
    /// Its quota; `None` if it does not limit this attempt, and only counts its failure.
    pub(super) quota: Option<Quota>,
}

/// In-flight attempts by subject.
pub(super) struct LoginAttempts {
    store: Store,
    env: Env,
    in_flight: Mutex<HashMap<String, InFlight>>,
}

/// In-flight attempts of one subject.
#[derive(Default)]
struct InFlight {
    /// Waiting and admitted attempts: the entry lives as long as there is one.
    present: u32,
    /// Admitted attempts.
    admitted: u32,
    /// Failures during the life of the entry.
    failed: u64,
    /// Wakes one attempt when a slot is free, or all after a failure.
    changed: Arc<Notify>,
}

/// Reason for rejecting an attempt.
#[derive(Debug)]
pub(super) enum AdmissionError {
    /// The quota is used up.
    Throttled {
        /// The subject whose quota it is.
        subject: String,
        /// Seconds until the next attempt is allowed.
        retry_after: u32,
    },
    /// The failures could not be counted.
    Unavailable(Failure),
}

impl From<StoreError> for AdmissionError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(internal(error))
    }
}

impl LoginAttempts {
    pub(super) fn new(store: Store, env: Env) -> Self {
        Self { store, env, in_flight: Mutex::default() }
    }

    /// Admits an attempt once it is within the quotas of all its subjects, even if all earlier
    /// attempts fail.
    pub(super) async fn admit(
        self: &Arc<Self>,
        subjects: Vec<Subject>,
    ) -> Result<Attempt, AdmissionError> {
        // Subjects are in the same order in all attempts, so attempts cannot deadlock.
        let (mut slots, mut counted) = (Vec::with_capacity(subjects.len()), Vec::new());
        for Subject { name, quota } in subjects {
            match quota {
                Some(quota) => slots.push(self.slot(name, quota).await?),
                None => counted.push(name),
            }
        }
        Ok(Attempt { attempts: Arc::clone(self), slots, counted })
    }

    async fn slot(self: &Arc<Self>, name: String, quota: Quota) -> Result<Slot, AdmissionError> {
        let mut slot = Slot::new(Arc::clone(self), name, quota);
        let changed = slot.with_entry(|in_flight| Arc::clone(&in_flight.changed));
        loop {
            // Read before the query: a failure that the query does not see is newer.
            let failed = slot.with_entry(|in_flight| in_flight.failed);
            let remaining = slot.remaining().await?;
            loop {
                let (notified, is_news) = slot.with_entry(|in_flight| {
                    let is_news = in_flight.failed != failed;
                    if !is_news && in_flight.admitted < remaining {
                        in_flight.admitted += 1;
                        return (None, false);
                    }
                    (Some(changed.notified()), is_news)
                });
                let Some(notified) = notified else {
                    slot.is_admitted = true;
                    return Ok(slot);
                };
                if is_news {
                    break;
                }
                timeout(SLOT_TIMEOUT, notified)
                    .await
                    .map_err(|_| AdmissionError::Unavailable(Failure::Unavailable(1)))?;
            }
        }
    }

    /// Makes the waiting attempts of a subject query the failures again.
    fn note_failure(&self, name: &str) {
        if let Some(in_flight) = self.lock().get_mut(name) {
            in_flight.failed += 1;
            in_flight.changed.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, InFlight>> {
        self.in_flight.lock()
    }
}

/// A slot among the in-flight attempts of a subject, released on drop.
struct Slot {
    attempts: Arc<LoginAttempts>,
    /// Key of the subject.
    name: String,
    quota: Quota,
    is_admitted: bool,
}

impl Slot {
    fn new(attempts: Arc<LoginAttempts>, name: String, quota: Quota) -> Self {
        attempts.lock().entry(name.clone()).or_default().present += 1;
        Self { attempts, name, quota, is_admitted: false }
    }

    fn with_entry<T>(&self, look: impl FnOnce(&mut InFlight) -> T) -> T {
        look(self.attempts.lock().entry(self.name.clone()).or_default())
    }

    /// Returns the failures until the quota is used up, as far as the database knows.
    async fn remaining(&self) -> Result<u32, AdmissionError> {
        let Self { name, quota, .. } = self;
        let now = self.attempts.env.now();
        let counting = now.saturating_sub(quota.seconds);
        let failures = self.attempts.store.login_failures(name, counting, now, quota.times).await?;
        match check_failures(*quota, &failures, now) {
            RateDecision::Allowed { remaining } => Ok(remaining),
            RateDecision::Limited { retry_after } => {
                Err(AdmissionError::Throttled { subject: name.clone(), retry_after })
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut all = self.attempts.lock();
        if let Some(in_flight) = all.get_mut(&self.name) {
            in_flight.present -= 1;
            in_flight.admitted -= u32::from(self.is_admitted);
            in_flight.changed.notify_one();
            if in_flight.present == 0 {
                all.remove(&self.name);
            }
        }
    }
}

/// An admitted attempt. Its slots are released on drop.
pub(super) struct Attempt {
    attempts: Arc<LoginAttempts>,
    slots: Vec<Slot>,
    /// Subjects without a quota, which only count its failure.
    counted: Vec<String>,
}

impl Attempt {
    /// Returns its first subject.
    pub(super) fn first(&self) -> Option<&str> {
        self.slots.first().map(|slot| slot.name.as_str())
    }

    /// Records its failure.
    pub(super) async fn fail(self, store: &Store, entry: AuditEntry) -> Result<(), StoreError> {
        let names: Vec<_> =
            self.slots.iter().map(|slot| &slot.name).chain(&self.counted).cloned().collect();
        store.insert_login_failure(names.clone(), entry).await?;
        for name in &names {
            self.attempts.note_failure(name);
        }
        Ok(())
    }
}
