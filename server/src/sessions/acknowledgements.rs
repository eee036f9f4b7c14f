//! Acknowledged generations: those whose tokens were presented. They are kept in memory and written
//! in batches, so that no request waits for the disk. A crash in between only makes the server
//! lenient.

use std::collections::HashMap;

use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

/// The newest unwritten generation of each session.
#[derive(Debug, Default)]
pub(super) struct Acknowledgements {
    unwritten: Mutex<HashMap<Uuid, i64>>,
}

impl Acknowledgements {
    /// Records that a token of a session's generation was presented.
    pub(super) fn note(&self, session: Uuid, generation: i64) {
        let mut unwritten = self.lock();
        let noted = unwritten.entry(session).or_insert(generation);
        *noted = generation.max(*noted);
    }

    /// Returns whether a generation is recorded and not yet written.
    pub(super) fn has(&self, session: Uuid, generation: i64) -> bool {
        self.lock().get(&session) == Some(&generation)
    }

    /// Returns the unwritten generations. They stay recorded until they are written.
    pub(super) fn unwritten(&self) -> Vec<(Uuid, i64)> {
        self.lock().iter().map(|(session, generation)| (*session, *generation)).collect()
    }

    /// Removes generations that are written, or no longer current, unless a later one was recorded
    /// meanwhile.
    pub(super) fn remove(&self, generations: &[(Uuid, i64)]) {
        let mut unwritten = self.lock();
        for (session, generation) in generations {
            if unwritten.get(session) == Some(generation) {
                unwritten.remove(session);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, i64>> {
        self.unwritten.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn note_stays_recorded_until_written() {
        let (acknowledgements, session) = (Acknowledgements::default(), Uuid::nil());
        acknowledgements.note(session, 3);
        acknowledgements.note(session, 2);
        assert!(acknowledgements.has(session, 3) && !acknowledgements.has(session, 2));
        let writing = acknowledgements.unwritten();
        assert_eq!(writing, [(session, 3)]);
        assert!(acknowledgements.has(session, 3), "the disk may still fail");
        acknowledgements.note(session, 4);
        acknowledgements.remove(&writing);
        assert!(acknowledgements.has(session, 4));
        acknowledgements.remove(&[(session, 4)]);
        assert!(acknowledgements.unwritten().is_empty());
    }
}
