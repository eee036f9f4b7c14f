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
    clock::World,
    failure::internal,
    limits::{Quota, Verdict, judge},
    store::{AuditEntry, Store, StoreError},
};

/// How long an attempt waits for those before it to end.
const PATIENCE: Duration = Duration::from_secs(5);

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
pub(super) struct Attempts {
    store: Store,
    world: World,
    undecided: Mutex<HashMap<String, Undecided>>,
}

/// Attempts whose end nobody knows yet, of a subject.
#[derive(Default)]
struct Undecided {
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
pub(super) enum Refused {
    /// Too many have failed.
    Throttled {
        /// Whose failures.
        subject: String,
        /// Seconds until another one is let in.
        retry_after: u32,
    },
    /// Nobody knows whether too many have failed.
    Failed(Failure),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Failed(internal(error))
    }
}

impl Attempts {
    pub(super) fn new(store: Store, world: World) -> Self {
        Self { store, world, undecided: Mutex::default() }
    }

    /// Lets an attempt in, once it is certain that it is within the quotas of all of its subjects
    /// even if all before it fail.
    pub(super) async fn admit(
        self: &Arc<Self>,
        subjects: Vec<Subject>,
    ) -> Result<Attempt, Refused> {
        // The subjects of all attempts are in one order, so no attempts wait for each other in a
        // circle.
        let (mut places, mut counted) = (Vec::with_capacity(subjects.len()), Vec::new());
        for Subject { name, quota } in subjects {
            match quota {
                Some(quota) => places.push(self.place(name, quota).await?),
                None => counted.push(name),
            }
        }
        Ok(Attempt { attempts: Arc::clone(self), places, counted })
    }

    async fn place(self: &Arc<Self>, name: String, quota: Quota) -> Result<Place, Refused> {
        let mut place = Place::new(Arc::clone(self), name, quota);
        let changed = place.here(|undecided| Arc::clone(&undecided.changed));
        loop {
            // Counted before the database is asked: a failure that it does not know yet is one that
            // comes after.
            let failed = place.here(|undecided| undecided.failed);
            let left = place.left().await?;
            loop {
                let (notified, is_news) = place.here(|undecided| {
                    let is_news = undecided.failed != failed;
                    if !is_news && undecided.admitted < left {
                        undecided.admitted += 1;
                        return (None, false);
                    }
                    (Some(changed.notified()), is_news)
                });
                let Some(notified) = notified else {
                    place.is_admitted = true;
                    return Ok(place);
                };
                if is_news {
                    break;
                }
                timeout(PATIENCE, notified)
                    .await
                    .map_err(|_| Refused::Failed(Failure::Unavailable(1)))?;
            }
        }
    }

    /// Has attempts that wait for a subject ask the database again.
    fn note_failure(&self, name: &str) {
        if let Some(undecided) = self.lock().get_mut(name) {
            undecided.failed += 1;
            undecided.changed.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Undecided>> {
        self.undecided.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the undecided attempts of a subject, given back when it is dropped.
struct Place {
    attempts: Arc<Attempts>,
    /// The subject's name.
    name: String,
    quota: Quota,
    is_admitted: bool,
}

impl Place {
    fn new(attempts: Arc<Attempts>, name: String, quota: Quota) -> Self {
        attempts.lock().entry(name.clone()).or_default().present += 1;
        Self { attempts, name, quota, is_admitted: false }
    }

    fn here<T>(&self, look: impl FnOnce(&mut Undecided) -> T) -> T {
        look(self.attempts.lock().entry(self.name.clone()).or_default())
    }

    /// How many may fail before nobody is let in any more, as far as the database knows.
    async fn left(&self) -> Result<u32, Refused> {
        let Self { name, quota, .. } = self;
        let now = self.attempts.world.now();
        let counting = now.saturating_sub(quota.seconds);
        let failures = self.attempts.store.login_failures(name, counting, now, quota.times).await?;
        match judge(*quota, &failures, now) {
            Verdict::Open { left } => Ok(left),
            Verdict::Closed { retry_after } => {
                Err(Refused::Throttled { subject: name.clone(), retry_after })
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.attempts.lock();
        if let Some(undecided) = all.get_mut(&self.name) {
            undecided.present -= 1;
            undecided.admitted -= u32::from(self.is_admitted);
            undecided.changed.notify_one();
            if undecided.present == 0 {
                all.remove(&self.name);
            }
        }
    }
}

/// An attempt that was let in. Its places are given back when it is dropped.
pub(super) struct Attempt {
    attempts: Arc<Attempts>,
    places: Vec<Place>,
    /// Subjects that do not limit it, and that its failure counts against.
    counted: Vec<String>,
}

impl Attempt {
    /// What its failure would count against in the first place.
    pub(super) fn first(&self) -> Option<&str> {
        self.places.first().map(|place| place.name.as_str())
    }

    /// Writes down that it has failed.
    pub(super) async fn fail(self, store: &Store, entry: AuditEntry) -> Result<(), StoreError> {
        let names: Vec<_> =
            self.places.iter().map(|place| &place.name).chain(&self.counted).cloned().collect();
        store.insert_login_failure(names.clone(), entry).await?;
        for name in &names {
            self.attempts.note_failure(name);
        }
        Ok(())
    }
}
