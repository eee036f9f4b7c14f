//! Generations whose tokens were presented, noted in memory and written down a moment later: a call
//! that presents one must not wait for the disk. A crash in between only makes the server lenient.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

/// What was acknowledged and is not yet written down: a session's generation.
#[derive(Debug, Default)]
pub(super) struct Acknowledgements {
    unwritten: Mutex<HashMap<Uuid, i64>>,
}

impl Acknowledgements {
    /// Notes that a token of a session's generation was presented.
    pub(super) fn note(&self, session: Uuid, generation: i64) {
        let mut unwritten = self.lock();
        let noted = unwritten.entry(session).or_insert(generation);
        *noted = generation.max(*noted);
    }

    /// Whether a session's generation was noted and is not yet written down.
    pub(super) fn has(&self, session: Uuid, generation: i64) -> bool {
        self.lock().get(&session) == Some(&generation)
    }

    /// What is to be written down. It stays noted until it is.
    pub(super) fn unwritten(&self) -> Vec<(Uuid, i64)> {
        self.lock().iter().map(|(session, generation)| (*session, *generation)).collect()
    }

    /// Forgets what was written down, unless a later generation has been noted meanwhile.
    pub(super) fn written(&self, generations: &[(Uuid, i64)]) {
        let mut unwritten = self.lock();
        for (session, generation) in generations {
            if unwritten.get(session) == Some(generation) {
                unwritten.remove(session);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, i64>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_stays_until_it_is_written_down() {
        let (acknowledgements, session) = (Acknowledgements::default(), Uuid::nil());
        acknowledgements.note(session, 3);
        acknowledgements.note(session, 2);
        assert!(acknowledgements.has(session, 3) && !acknowledgements.has(session, 2));
        let writing = acknowledgements.unwritten();
        assert_eq!(writing, [(session, 3)]);
        assert!(acknowledgements.has(session, 3), "the disk may still fail");
        acknowledgements.note(session, 4);
        acknowledgements.written(&writing);
        assert!(acknowledgements.has(session, 4));
        acknowledgements.written(&[(session, 4)]);
        assert!(acknowledgements.unwritten().is_empty());
    }
}
