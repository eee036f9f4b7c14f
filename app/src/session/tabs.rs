//! How the browser's tabs follow each other. A remembered session is all tabs'; a session of a tab
//! is its own, and that of the tabs that were duplicated from it.

use super::{
    core::{Held, Session},
    message::Message,
    ports::{Place, Saved},
    state::{Auth, Ending},
};
use crate::protocol::{User, error::Reason};

impl Session {
    /// Reads the storage when the page begins: the tab's own session goes before the remembered
    /// one.
    pub fn restore(&self) {
        self.look_again();
        if self.inner.borrow().held.is_none() {
            self.ports.observer.changed(Auth::Guest);
        }
    }

    /// Looks what has happened while this tab could not hear: into storage, and by asking where
    /// that does not tell.
    pub fn look_again(&self) {
        let place = self.inner.borrow().held.as_ref().map(|held| held.place);
        match place {
            Some(place) => self.look_into(place),
            None => {
                for place in [Place::Tab, Place::Browser] {
                    self.look_into(place);
                }
            }
        }
        if !self.storage_vouches() {
            self.ask();
        }
    }

    /// Hears what another tab tells.
    pub fn hear(&self, message: Message) {
        match message {
            Message::Began(saved) => self.consider(saved, Place::Browser, false),
            Message::Renewed(saved) => {
                let place = self.place_of(&saved.session());
                if let Some(place) = place {
                    self.consider(saved, place, false);
                }
            }
            Message::Known(user) => {
                // What all tabs share was written by who has told.
                self.show_as(user, |place| place == Place::Tab);
            }
            Message::Ended { session, why } => {
                if self.place_of(&session).is_some() {
                    self.ended_elsewhere(why);
                }
            }
            Message::Asked { session } => {
                if self.place_of(&session).is_some() {
                    self.show();
                }
            }
        }
    }

    /// Shows a person, who is the same, as they are from now on, and tells the other tabs.
    pub fn know(&self, user: User) {
        if self.show_as(user.clone(), |_| true) {
            self.ports.channel.tell(&Message::Known(user));
        }
    }

    /// Whether that was the person at hand, and news.
    fn show_as(&self, user: User, keeps: fn(Place) -> bool) -> bool {
        {
            let mut inner = self.inner.borrow_mut();
            let Some(held) = &mut inner.held else { return false };
            if held.saved.user.id != user.id || held.saved.user == user {
                return false;
            }
            held.saved.user = user.clone();
            if keeps(held.place) {
                held.is_kept = self.ports.storage.save(held.place, &held.saved);
            }
        }
        self.ports.observer.changed(Auth::SignedIn(user));
        true
    }

    /// Whether storage would show a newer pair, if there were one. That of a tab would not: a
    /// duplicate has one of its own.
    pub(super) fn storage_vouches(&self) -> bool {
        let inner = self.inner.borrow();
        inner.held.as_ref().is_none_or(|held| held.place == Place::Browser && held.is_kept)
    }

    fn look_into(&self, place: Place) {
        match self.ports.storage.load(place) {
            // Half of it is another session's: somebody is writing.
            Some(kept) if !kept.is_whole() => {}
            Some(kept) => self.consider(kept, place, true),
            None => {
                let was_kept = self
                    .inner
                    .borrow()
                    .held
                    .as_ref()
                    .is_some_and(|held| held.place == place && held.is_kept);
                if was_kept {
                    self.ended_elsewhere(Ending::Revoked(Reason::LoggedOut));
                }
            }
        }
    }

    /// Takes over what another tab has left or told, where it is news to this one.
    fn consider(&self, saved: Saved, place: Place, is_kept: bool) {
        {
            let mut inner = self.inner.borrow_mut();
            let is_leaving = inner.leaving;
            if let Some(held) = &mut inner.held {
                // Who is logging out follows nobody.
                if held.place != place || is_leaving {
                    return;
                }
                if held.saved.session() == saved.session() && !saved.succeeds(&held.saved) {
                    held.is_kept |= is_kept;
                    // The tokens are no news; what the person is called may be.
                    drop(inner);
                    if is_kept {
                        self.show_as(saved.user, |_| false);
                    }
                    return;
                }
            }
        }
        self.adopt(saved, place, is_kept);
    }

    fn adopt(&self, saved: Saved, place: Place, is_kept: bool) {
        // What is in the storage of all tabs was written there by who has told.
        let is_kept = is_kept || place == Place::Tab && self.ports.storage.save(place, &saved);
        let user = saved.user.clone();
        let held = Held { saved, place, is_kept, life: None };
        let (news, before) = {
            let mut inner = self.inner.borrow_mut();
            match &mut inner.held {
                Some(before) if before.saved.user.id == held.saved.user.id => {
                    let before = std::mem::replace(before, held);
                    (inner.news.take(), before.saved.user)
                }
                _ => {
                    drop(inner);
                    self.put(Some(held));
                    return;
                }
            }
        };
        self.learn_life();
        if let Some(news) = news {
            // Nobody may wait for it any more.
            let _ = news.send(());
        }
        if before != user {
            self.ports.observer.changed(Auth::SignedIn(user));
        }
        self.ports.observer.renewed();
        self.ports.observer.planned();
    }

    fn ended_elsewhere(&self, why: Ending) {
        // Who is logging out knows.
        if !self.inner.borrow().leaving {
            self.ports.observer.ended(why);
            self.end(None);
        }
    }

    /// Where the session is kept, if it is the one at hand.
    fn place_of(&self, session: &str) -> Option<Place> {
        let inner = self.inner.borrow();
        inner.held.as_ref().filter(|held| held.saved.session() == session).map(|held| held.place)
    }

    fn ask(&self) {
        let session = self.inner.borrow().held.as_ref().map(|held| held.saved.session());
        if let Some(session) = session {
            self.ports.channel.tell(&Message::Asked { session });
        }
    }

    fn show(&self) {
        let saved = self.inner.borrow().held.as_ref().map(|held| held.saved.clone());
        if let Some(saved) = saved {
            self.ports.channel.tell(&Message::Renewed(saved));
        }
    }
}
