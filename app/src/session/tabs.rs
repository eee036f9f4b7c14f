//! Synchronisation between tabs. Sessions in `localStorage` are shared by all tabs; sessions in
//! `sessionStorage` belong to one tab and its duplicates.

use super::{
    core::{CurrentSession, Session},
    message::Message,
    ports::{PersistedSession, StorageScope},
    state::{AuthState, SessionEnd},
    token,
};
use crate::protocol::{User, error::Reason};

impl Session {
    /// Restores the session from storage when the page loads. `sessionStorage` takes precedence
    /// over `localStorage`.
    pub fn restore(&self) {
        self.sync();
        if self.inner.borrow().current.is_none() {
            self.ports.observer.auth_changed(AuthState::Guest);
        }
    }

    /// Catches up with changes made while this tab received no messages: reads storage, and
    /// requests the tokens from other tabs where storage is not authoritative.
    pub fn sync(&self) {
        self.sync_with_storage();
        if !self.storage_is_authoritative() {
            self.request_tokens();
        }
    }

    /// Reads the storage of the current session, or all storage if there is none.
    pub(super) fn sync_with_storage(&self) {
        let scope = self.inner.borrow().current.as_ref().map(|current| current.scope);
        match scope {
            Some(scope) => self.sync_with(scope),
            None => {
                for scope in [StorageScope::SessionStorage, StorageScope::LocalStorage] {
                    self.sync_with(scope);
                }
            }
        }
    }

    /// Handles a message from another tab.
    pub fn receive(&self, message: Message) {
        match message {
            Message::SessionStarted(persisted) => {
                if !self.is_outdated_login(&persisted) {
                    self.merge_if_newer(persisted, StorageScope::LocalStorage, false);
                }
            }
            Message::TokensRefreshed(persisted) => {
                let scope = self.scope_of(&persisted.session_id());
                if let Some(scope) = scope {
                    self.merge_if_newer(persisted, scope, false);
                }
            }
            Message::UserUpdated(user) => {
                // The sender has written the storage that all tabs share.
                self.apply_user(user, |scope| scope == StorageScope::SessionStorage);
            }
            Message::SessionEnded { session_id, end } => {
                if self.scope_of(&session_id).is_some() {
                    self.ended_by_peer(end);
                }
            }
            Message::TokensRequested { session_id } => {
                if self.scope_of(&session_id).is_some() {
                    self.share_tokens();
                }
            }
        }
    }

    /// Returns whether this tab has seen a later state than that of a login message. A tab that was
    /// suspended reads storage before it receives the messages that have waited for it.
    fn is_outdated_login(&self, peer: &PersistedSession) -> bool {
        let Some(peer) = token::claims(&peer.access_token) else { return false };
        let inner = self.inner.borrow();
        match (&inner.current, &inner.ended) {
            // Without storage, messages are all that a tab learns from others.
            (Some(current), _) if !current.is_stored => false,
            (Some(current), _) => token::claims(&current.persisted.access_token)
                .is_some_and(|current| current.sid != peer.sid && current.iat > peer.iat),
            (None, Some(ended)) => ended.sid == peer.sid || ended.iat > peer.iat,
            (None, None) => false,
        }
    }

    /// Updates the name and avatar of the current user, and notifies the other tabs.
    pub fn update_user(&self, user: User) {
        if self.apply_user(user.clone(), |_| true) {
            self.ports.channel.broadcast(&Message::UserUpdated(user));
        }
    }

    /// Replaces the current user's data, and stores it if `is_stored_in` says so for the session's
    /// scope. Returns whether it has changed; another user's data is ignored.
    fn apply_user(&self, user: User, is_stored_in: fn(StorageScope) -> bool) -> bool {
        {
            let mut inner = self.inner.borrow_mut();
            let Some(current) = &mut inner.current else { return false };
            if current.persisted.user.id != user.id || current.persisted.user == user {
                return false;
            }
            current.persisted.user = user.clone();
            if is_stored_in(current.scope) {
                current.is_stored = self.ports.storage.save(current.scope, &current.persisted);
            }
        }
        self.ports.observer.auth_changed(AuthState::SignedIn(user));
        true
    }

    /// Returns whether storage would hold newer tokens if another tab had them. `sessionStorage`
    /// would not: each duplicate of a tab has its own copy.
    pub(super) fn storage_is_authoritative(&self) -> bool {
        let inner = self.inner.borrow();
        inner
            .current
            .as_ref()
            .is_none_or(|current| current.scope == StorageScope::LocalStorage && current.is_stored)
    }

    fn sync_with(&self, scope: StorageScope) {
        match self.ports.storage.load(scope) {
            // Another tab is writing: the tokens are of two sessions.
            Some(stored) if !stored.is_consistent() => {}
            Some(stored) => self.merge_if_newer(stored, scope, true),
            None => {
                let was_stored = self
                    .inner
                    .borrow()
                    .current
                    .as_ref()
                    .is_some_and(|current| current.scope == scope && current.is_stored);
                if was_stored {
                    self.ended_by_peer(SessionEnd::Revoked(Reason::LoggedOut));
                }
            }
        }
    }

    /// Takes over a session from storage or from a message if it is newer than the current one.
    fn merge_if_newer(&self, peer: PersistedSession, scope: StorageScope, is_stored: bool) {
        {
            let mut inner = self.inner.borrow_mut();
            let is_logging_out = inner.is_logging_out;
            if let Some(current) = &mut inner.current {
                if current.scope != scope || is_logging_out {
                    return;
                }
                if current.persisted.session_id() == peer.session_id()
                    && !peer.is_newer_than(&current.persisted)
                {
                    current.is_stored |= is_stored;
                    // The tokens are not newer, but the user's data may be.
                    drop(inner);
                    if is_stored {
                        self.apply_user(peer.user, |_| false);
                    }
                    return;
                }
            }
        }
        self.replace_from_peer(peer, scope, is_stored);
    }

    fn replace_from_peer(&self, peer: PersistedSession, scope: StorageScope, is_stored: bool) {
        // `localStorage` was written by the tab that sent the message.
        let is_stored = is_stored
            || scope == StorageScope::SessionStorage && self.ports.storage.save(scope, &peer);
        let user = peer.user.clone();
        let current = CurrentSession { persisted: peer, scope, is_stored, expiry: None };
        let (superseded, before) = {
            let mut inner = self.inner.borrow_mut();
            match &mut inner.current {
                Some(before) if before.persisted.user.id == current.persisted.user.id => {
                    let before = std::mem::replace(before, current);
                    (inner.superseded.take(), before.persisted.user)
                }
                _ => {
                    drop(inner);
                    self.replace_session(Some(current));
                    return;
                }
            }
        };
        self.update_expiry();
        if let Some(superseded) = superseded {
            // Fails if the refresh has completed.
            let _ = superseded.send(());
        }
        if before != user {
            self.ports.observer.auth_changed(AuthState::SignedIn(user));
        }
        self.ports.observer.tokens_refreshed();
        self.ports.observer.renewal_rescheduled();
    }

    fn ended_by_peer(&self, end: SessionEnd) {
        // A logout in this tab is reported by its own caller.
        if !self.inner.borrow().is_logging_out {
            self.ports.observer.session_ended(end);
            self.end_session(None);
        } else if let Some(current) = &self.inner.borrow().current {
            // A reload before its response must not restore the session.
            self.clear_stored(current);
        }
    }

    /// The storage scope of a session, if it is the current one.
    fn scope_of(&self, session_id: &str) -> Option<StorageScope> {
        let inner = self.inner.borrow();
        inner
            .current
            .as_ref()
            .filter(|current| current.persisted.session_id() == session_id)
            .map(|current| current.scope)
    }

    fn request_tokens(&self) {
        let session_id =
            self.inner.borrow().current.as_ref().map(|current| current.persisted.session_id());
        if let Some(session_id) = session_id {
            self.ports.channel.broadcast(&Message::TokensRequested { session_id });
        }
    }

    fn share_tokens(&self) {
        let persisted =
            self.inner.borrow().current.as_ref().map(|current| current.persisted.clone());
        if let Some(persisted) = persisted {
            self.ports.channel.broadcast(&Message::TokensRefreshed(persisted));
        }
    }
}
