//! How the person proves to be there still: one question for the password, however many calls wait
//! for it.

use futures::channel::oneshot;

use super::{core::Session, message::Message, token};
use crate::protocol::Reauthenticated;

impl Session {
    /// A token that comes straight from the password, for a call whose own one does not; nothing
    /// where the person would rather not, or the session is another by now.
    pub(super) async fn proven(&self, used: &str, number: u32) -> Option<String> {
        let (proven, answer) = oneshot::channel();
        let is_first = {
            let mut inner = self.inner.borrow_mut();
            let held = inner.held.as_ref().filter(|_| inner.number == number && !inner.leaving)?;
            // Proven while the call was on its way.
            if let Some(proof) =
                inner.proof.as_ref().filter(|proof| *proof != used && **proof == held.saved.access)
            {
                return Some(proof.clone());
            }
            inner.waiting.push(proven);
            inner.waiting.len() == 1
        };
        if is_first {
            self.ports.observer.asking(true);
        }
        answer.await.ok()
    }

    /// The server has taken the person's password: the session goes on with a fresh token, and so
    /// do the calls that wait for it.
    pub fn prove(&self, proof: Reauthenticated) {
        let life = self.life(proof.expires_in);
        let token = proof.access_token;
        let (saved, waiting) = {
            let mut inner = self.inner.borrow_mut();
            let Some(held) = &mut inner.held else { return };
            // Somebody else may have logged in meanwhile.
            if token::claims(&token).is_none_or(|claims| claims.sid != held.saved.session()) {
                return;
            }
            held.saved.access.clone_from(&token);
            held.life = Some(life);
            held.is_kept = self.ports.storage.save(held.place, &held.saved);
            let saved = held.saved.clone();
            inner.proof = Some(token.clone());
            (saved, std::mem::take(&mut inner.waiting))
        };
        self.ports.channel.tell(&Message::Renewed(saved));
        for call in waiting {
            // It may have been given up.
            let _ = call.send(token.clone());
        }
        self.ports.observer.asking(false);
        self.ports.observer.renewed();
        self.ports.observer.planned();
    }

    /// The person would rather not say: the calls that wait end as they were answered.
    pub fn decline(&self) {
        let waiting = std::mem::take(&mut self.inner.borrow_mut().waiting);
        if !waiting.is_empty() {
            drop(waiting);
            self.ports.observer.asking(false);
        }
    }
}
