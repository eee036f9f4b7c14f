//! The session's state, as pages read it.

use crate::protocol::{User, error::Reason};

/// Authentication state of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AuthState {
    /// The browser's storage has not been read yet. The initial state on the server and in the
    /// browser, so that hydration finds the markup that the server rendered.
    #[default]
    Unknown,
    /// No user is signed in.
    Guest,
    /// A user is signed in.
    SignedIn(User),
}

impl AuthState {
    /// The user, if one is signed in.
    #[must_use]
    pub const fn user(&self) -> Option<&User> {
        match self {
            Self::SignedIn(user) => Some(user),
            Self::Unknown | Self::Guest => None,
        }
    }

    /// Returns whether it is known that no user is signed in.
    #[must_use]
    pub const fn is_guest(&self) -> bool {
        matches!(self, Self::Guest)
    }
}

/// Reason for which the server ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// It expired, or the reason is unknown.
    Expired,
    /// It was revoked, for a reason.
    Revoked(Reason),
}

impl SessionEnd {
    /// The end for a reason; [`Expired`](Self::Expired) without one.
    #[must_use]
    pub fn of(reason: Option<Reason>) -> Self {
        reason.map_or(Self::Expired, Self::Revoked)
    }

    /// The reason for revocation.
    #[must_use]
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::Expired => None,
            Self::Revoked(reason) => Some(reason),
        }
    }
}

/// Outcome of a logout. The session has ended in this browser in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutOutcome {
    /// The server has ended the session too.
    Everywhere,
    /// The server could not be reached: the tokens stay valid until they expire.
    LocalOnly,
}
