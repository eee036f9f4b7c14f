//! Who may try a password. Failures are counted in the database, so that a restart forgives
//! nothing; attempts that nobody knows the end of yet hold a place in memory, so that a thousand at
//! once are not a thousand guesses.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::backend::Failure;
use tokio::{sync::Notify, time::timeout};

use crate::{
    clock::Env,
    failure::internal,
    limits::{Quota, RateDecision, check_failures},
    store::{AuditEntry, Store, StoreError},
};

/// How long an attempt waits for those before it to end.
const SLOT_TIMEOUT: Duration = Duration::from_secs(5);

/// What failures count against.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// Its name in the database: at most 64 characters.
    pub(super) name: String,
    /// How many may fail; `None` where this attempt is not limited by it, and its failure counts
    /// for others.
    pub(super) quota: Option<Quota>,
}

/// All attempts.
pub(super) struct LoginAttempts {
    store: Store,
    env: Env,
    in_flight: Mutex<HashMap<String, InFlight>>,
}

/// Attempts whose end nobody knows yet, of a subject.
#[derive(Default)]
struct InFlight {
    /// Those that wait, too: the entry stays as long as there is one.
    present: u32,
    /// Those that were let in.
    admitted: u32,
    /// How many have failed while the entry was there.
    failed: u64,
    /// Tells one that a place is free, or all that one has failed.
    changed: Arc<Notify>,
}

/// Why an attempt was not let in.
#[derive(Debug)]
pub(super) enum AdmissionError {
    /// Too many have failed.
    Throttled {
        /// Whose failures.
        subject: String,
        /// Seconds until another one is let in.
        retry_after: u32,
    },
    /// Nobody knows whether too many have failed.
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

    /// Lets an attempt in, once it is certain that it is within the quotas of all of its subjects
    /// even if all before it fail.
    pub(super) async fn admit(
        self: &Arc<Self>,
        subjects: Vec<Subject>,
    ) -> Result<Attempt, AdmissionError> {
        // The subjects of all attempts are in one order, so no attempts wait for each other in a
        // circle.
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
            // Counted before the database is asked: a failure that it does not know yet is one that
            // comes after.
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

    /// Has attempts that wait for a subject ask the database again.
    fn note_failure(&self, name: &str) {
        if let Some(in_flight) = self.lock().get_mut(name) {
            in_flight.failed += 1;
            in_flight.changed.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, InFlight>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the undecided attempts of a subject, given back when it is dropped.
struct Slot {
    attempts: Arc<LoginAttempts>,
    /// The subject's name.
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

    /// How many may fail before nobody is let in any more, as far as the database knows.
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

/// An attempt that was let in. Its places are given back when it is dropped.
pub(super) struct Attempt {
    attempts: Arc<LoginAttempts>,
    slots: Vec<Slot>,
    /// Subjects that do not limit it, and that its failure counts against.
    counted: Vec<String>,
}

impl Attempt {
    /// What its failure would count against in the first place.
    pub(super) fn first(&self) -> Option<&str> {
        self.slots.first().map(|slot| slot.name.as_str())
    }

    /// Writes down that it has failed.
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
