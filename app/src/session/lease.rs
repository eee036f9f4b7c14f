//! A lock where the browser has none, as on pages that came over plain HTTP: a note in the storage
//! that the tabs share, of who has the lock and until when.
//!
//! Storage has no way to change what is there only if it still is what it was. So who finds the
//! lock free writes its name, waits until everybody's writing can be read, and looks whose name has
//! stayed. A tab that is gone, or asleep, loses the lock with time; one that wakes up finds out by
//! [`Lease::extend`].

use std::{rc::Rc, time::Duration};

use futures::future::LocalBoxFuture;

/// How long a lease lasts, in milliseconds: longer than a call is waited for, so that no other tab
/// sends one meanwhile. This is what a tab that crashes costs the others; one that is closed gives
/// its lease back.
pub const TERM: u64 = 32_000;
/// What is left of a lease that can still be extended, in milliseconds: whoever waits for its end
/// must see that in time.
const MARGIN: u64 = 1_000;
/// After this time every tab reads what one has written.
pub const SETTLING: Duration = Duration::from_millis(50);
/// How often those who wait look.
const INTERVAL: Duration = Duration::from_millis(100);

/// Where the note is.
pub trait Slate {
    /// What it says.
    fn read(&self) -> Option<String>;
    /// Writes it; whether that was possible.
    fn write(&self, note: &str) -> bool;
    /// Takes it away.
    fn wipe(&self);
    /// The time by a clock that all tabs share, in milliseconds.
    fn now(&self) -> u64;
    /// Is ready after a while.
    fn wait(&self, time: Duration) -> LocalBoxFuture<'static, ()>;
}

/// The lock, while it is ours.
pub struct Lease {
    slate: Rc<dyn Slate>,
    holder: String,
}

impl Lease {
    /// Waits for the lock, under a name that no other holder has.
    pub async fn take(slate: Rc<dyn Slate>, holder: u64) -> Self {
        let holder = holder.to_string();
        loop {
            let now = slate.now();
            if is_free(slate.read().as_deref(), now) {
                // From here on it is given back also where nobody waits for it any more.
                let lease = Self { slate: Rc::clone(&slate), holder: holder.clone() };
                let can_write = lease.write(now);
                if can_write {
                    slate.wait(SETTLING).await;
                }
                // Where nothing can be written, nobody else has anything to share.
                if !can_write || lease.is_ours() {
                    return lease;
                }
            }
            slate.wait(INTERVAL).await;
        }
    }

    /// Makes it last for a whole term from now on; whether it is still there.
    #[must_use]
    pub fn extend(&self) -> bool {
        let (note, now) = (self.slate.read(), self.slate.now());
        match note {
            // It could not be written to begin with, or somebody has wiped everything.
            None => !self.write(now),
            Some(note) => {
                is_of(&note, &self.holder) && until(&note) > now + MARGIN && self.write(now)
            }
        }
    }

    /// Gives it back.
    pub fn give_back(&self) {
        if self.is_ours() {
            self.slate.wipe();
        }
    }

    fn is_ours(&self) -> bool {
        self.slate.read().is_some_and(|note| is_of(&note, &self.holder))
    }

    fn write(&self, now: u64) -> bool {
        self.slate.write(&format!("{} {}", self.holder, now + TERM))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.give_back();
    }
}

fn is_of(note: &str, holder: &str) -> bool {
    note.split(' ').next() == Some(holder)
}

/// Until when a note is good; rubbish is not.
fn until(note: &str) -> u64 {
    note.split(' ').nth(1).and_then(|until| until.parse().ok()).unwrap_or(0)
}

/// Whether a note keeps nobody away: there is none, its time is over, or it was written by a clock
/// that has been set back since.
fn is_free(note: Option<&str>, now: u64) -> bool {
    let until = note.map_or(0, until);
    until <= now || until > now + TERM
}
