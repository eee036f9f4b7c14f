//! Traits for what the session needs of the browser, so that its rules are tested without one.

use std::time::Duration;

use futures::future::LocalBoxFuture;

use super::{
    message::Message,
    state::{AuthState, SessionEnd},
    token,
    transport::{ApiRequest, ApiResponse, NetworkError},
};
use crate::protocol::User;

/// Sends requests to the server.
pub trait Fetch {
    /// Sends a request, with `Authorization: Bearer` if a token is given.
    fn send(
        &self,
        request: ApiRequest,
        bearer: Option<String>,
    ) -> LocalBoxFuture<'static, Result<ApiResponse, NetworkError>>;
}

/// The storage that holds a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageScope {
    /// `sessionStorage`: the session belongs to one tab.
    SessionStorage,
    /// `localStorage`: the session is remembered, and all tabs share it.
    LocalStorage,
}

/// The stored part of a session.
#[derive(Clone, PartialEq, Eq)]
pub struct PersistedSession {
    /// Authenticates requests.
    pub access_token: String,
    /// Gets the next pair of tokens.
    pub refresh_token: String,
    /// The session's user.
    pub user: User,
}

impl PersistedSession {
    /// Returns whether both tokens are well-formed and belong to the same session. Reading while
    /// another tab is writing may give the tokens of two sessions.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        token::is_well_formed(&self.access_token)
            && token::is_well_formed(&self.refresh_token)
            && sid(&self.access_token).unwrap_or_default() == self.session_id()
    }

    /// The session's id (`sid`).
    #[must_use]
    pub fn session_id(&self) -> String {
        sid(&self.refresh_token).unwrap_or_default()
    }

    /// Returns whether it belongs to the same session and was issued later.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.session_id() == other.session_id() && self.version() > other.version()
    }

    /// Generation and time of issue. All refresh tokens of a generation are equal; its access
    /// tokens differ in their time of issue.
    fn version(&self) -> Option<(i64, i64)> {
        let generation = token::claims(&self.refresh_token)?.generation;
        Some((generation, token::claims(&self.access_token)?.iat))
    }
}

fn sid(token: &str) -> Option<String> {
    Some(token::claims(token)?.sid)
}

/// The browser's storage. It may be missing, full, forbidden, or contain invalid values; none of
/// these is an error.
pub trait Storage {
    /// Loads the stored session; it may be inconsistent.
    fn load(&self, scope: StorageScope) -> Option<PersistedSession>;
    /// Stores a session completely or not at all. Returns whether it was stored.
    fn save(&self, scope: StorageScope, persisted: &PersistedSession) -> bool;
    /// Removes the stored session.
    fn clear(&self, scope: StorageScope);
}

/// Clock, timers and background tasks.
pub trait Runtime {
    /// The time since an arbitrary moment, by a monotonic clock.
    fn now(&self) -> Duration;
    /// Completes after a duration.
    fn sleep(&self, time: Duration) -> LocalBoxFuture<'static, ()>;
    /// Runs a future to completion in the background.
    fn spawn(&self, task: LocalBoxFuture<'static, ()>);
}

/// A lock shared by the tabs of a browser.
pub trait Lock {
    /// Acquires the lock of a name; `None` on timeout. A tab that crashes loses its locks after a
    /// bounded time.
    fn acquire(&self, name: String) -> LocalBoxFuture<'static, Option<Box<dyn LockGuard>>>;
}

/// A lock that is held. It is released on drop, or a moment later, so that messages and storage
/// writes made under it reach the other tabs first.
pub trait LockGuard {
    /// Extends the lock for as long as a request may take. Returns whether this tab still holds it:
    /// a lease may have passed to another tab while this one was suspended.
    fn extend(&self) -> bool;
}

/// A channel to the browser's other tabs.
pub trait Channel {
    /// Sends a message to all other tabs.
    fn broadcast(&self, message: &Message);
}

/// Receives the session's events.
pub trait Observer {
    /// The authentication state has changed.
    fn auth_changed(&self, auth: AuthState);
    /// The session has newer tokens.
    fn tokens_refreshed(&self);
    /// The time of the next renewal has changed, or has become known.
    fn renewal_rescheduled(&self);
    /// Re-authentication was requested, or the request was completed or cancelled.
    fn reauth_pending(&self, is_pending: bool);
    /// The server has ended the session; [`auth_changed`](Observer::auth_changed) follows.
    fn session_ended(&self, end: SessionEnd);
}
