//! A lock for browsers without Web Locks, as on plain HTTP: a lease in the storage that all tabs
//! share, with the holder's name and an expiry time.
//!
//! Storage has no compare-and-swap. A tab that finds the lease free writes its name, waits until
//! writes of other tabs have become visible, and holds the lease if its own name is still there. A
//! tab that crashed or is suspended loses the lease when it expires; a tab that resumes learns that
//! from [`Lease::extend`].

use std::{rc::Rc, time::Duration};

use futures::future::LocalBoxFuture;

/// Duration of a lease in milliseconds: longer than the timeout of a request, so that no other tab
/// sends one meanwhile. Other tabs wait this long for a tab that crashes; one that is closed
/// releases its lease.
pub const LEASE_DURATION_MS: u64 = 32_000;
/// Shortest remaining time of a lease that can be extended, in milliseconds: tabs that wait for its
/// expiry must see the extension in time.
const EXTENSION_MARGIN_MS: u64 = 1_000;
/// Time after which a write is visible in every tab.
pub const WRITE_SETTLE_DELAY: Duration = Duration::from_millis(50);
/// Interval at which waiting tabs read the lease.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Storage of one lease.
pub trait LeaseStorage {
    /// Reads the record.
    fn read(&self) -> Option<String>;
    /// Writes the record. Returns whether that succeeded.
    fn write(&self, record: &str) -> bool;
    /// Removes the record.
    fn clear(&self);
    /// The time in milliseconds, by a clock that all tabs share.
    fn now(&self) -> u64;
    /// Completes after a duration.
    fn sleep(&self, time: Duration) -> LocalBoxFuture<'static, ()>;
}

/// A lease; released on drop.
pub struct Lease {
    storage: Rc<dyn LeaseStorage>,
    holder: String,
}

impl Lease {
    /// Waits until the lease is acquired, under a holder name that no other tab uses.
    pub async fn acquire(storage: Rc<dyn LeaseStorage>, holder: u64) -> Self {
        let holder = holder.to_string();
        loop {
            let now = storage.now();
            if is_free(storage.read().as_deref(), now) {
                // From here on it is released even if the caller is cancelled.
                let lease = Self { storage: Rc::clone(&storage), holder: holder.clone() };
                let can_write = lease.write(now);
                if can_write {
                    storage.sleep(WRITE_SETTLE_DELAY).await;
                }
                // Without working storage there is no session that tabs share.
                if !can_write || lease.is_held() {
                    return lease;
                }
            }
            storage.sleep(POLL_INTERVAL).await;
        }
    }

    /// Extends the lease to its full duration from now. Returns whether it is still held.
    #[must_use]
    pub fn extend(&self) -> bool {
        let (record, now) = (self.storage.read(), self.storage.now());
        match record {
            // It could not be written to begin with, or all storage was cleared.
            None => !self.write(now),
            Some(record) => {
                is_of(&record, &self.holder)
                    && expires_at(&record) > now + EXTENSION_MARGIN_MS
                    && self.write(now)
            }
        }
    }

    /// Releases the lease if it is held.
    pub fn release(&self) {
        if self.is_held() {
            self.storage.clear();
        }
    }

    fn is_held(&self) -> bool {
        self.storage.read().is_some_and(|record| is_of(&record, &self.holder))
    }

    fn write(&self, now: u64) -> bool {
        self.storage.write(&format!("{} {}", self.holder, now + LEASE_DURATION_MS))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.release();
    }
}

fn is_of(record: &str, holder: &str) -> bool {
    record.split(' ').next() == Some(holder)
}

/// Expiry time of a record in milliseconds; 0 if the record is invalid.
fn expires_at(record: &str) -> u64 {
    record.split(' ').nth(1).and_then(|time| time.parse().ok()).unwrap_or(0)
}

/// Returns whether a lease can be taken: there is no record, it has expired, or it was written
/// before the clock was set back.
fn is_free(record: Option<&str>, now: u64) -> bool {
    let expires_at = record.map_or(0, expires_at);
    expires_at <= now || expires_at > now + LEASE_DURATION_MS
}
