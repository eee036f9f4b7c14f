//! Who is signed in, as the pages see it.

use crate::protocol::{User, error::Reason};

/// Who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// The browser's storage has not been read yet. So it begins on both sides: what the server
    /// renders is what the browser wakes up.
    #[default]
    Unknown,
    /// Nobody.
    Guest,
    /// Somebody.
    SignedIn(User),
}

impl Auth {
    /// Who is signed in.
    #[must_use]
    pub const fn user(&self) -> Option<&User> {
        match self {
            Self::SignedIn(user) => Some(user),
            Self::Unknown | Self::Guest => None,
        }
    }

    /// Whether it is known that nobody is.
    #[must_use]
    pub const fn is_guest(&self) -> bool {
        matches!(self, Self::Guest)
    }
}

/// How the server has ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its time was over, or no more is known.
    Expired,
    /// For a reason.
    Revoked(Reason),
}

impl Ending {
    /// The end for a reason, where one is known.
    #[must_use]
    pub fn of(reason: Option<Reason>) -> Self {
        reason.map_or(Self::Expired, Self::Revoked)
    }

    /// Its reason.
    #[must_use]
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::Expired => None,
            Self::Revoked(reason) => Some(reason),
        }
    }
}

/// How logging out went. The session has ended here in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoggedOut {
    /// The server has ended it too.
    Everywhere,
    /// The server could not be told: its tokens live on until they expire.
    HereOnly,
}
