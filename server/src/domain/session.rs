//! A session, and the reasons for its end.

use app::protocol::error::Reason;
use uuid::Uuid;

/// Reason for the end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Logout.
    LoggedOut,
    /// Revoked from another session, by an administrator, or by a newer login.
    EndedElsewhere,
    /// Reuse of one of its tokens was detected.
    Reused,
    /// The account was disabled.
    Disabled,
    /// The account's password was changed.
    PasswordChanged,
}

impl EndReason {
    const ALL: [Self; 5] = [
        Self::LoggedOut,
        Self::EndedElsewhere,
        Self::Reused,
        Self::Disabled,
        Self::PasswordChanged,
    ];

    /// Stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::EndedElsewhere => "ended_elsewhere",
            Self::Reused => "reused",
            Self::Disabled => "disabled",
            Self::PasswordChanged => "password_changed",
        }
    }

    /// Parses the stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

impl From<EndReason> for Reason {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::LoggedOut => Self::LoggedOut,
            EndReason::EndedElsewhere => Self::EndedElsewhere,
            EndReason::Reused => Self::Reused,
            EndReason::Disabled => Self::Disabled,
            EndReason::PasswordChanged => Self::PasswordChanged,
        }
    }
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// A UUIDv7: the claim `sid`.
    pub id: Uuid,
    /// The account.
    pub user: Uuid,
    /// Number of refreshes.
    pub generation: i64,
    /// Generation that the current one was derived from.
    pub parent_generation: Option<i64>,
    /// "Remember me": the session outlives the browser window.
    pub remember: bool,
    /// Set once a token of the current generation was presented: the client has received it then.
    pub acknowledged: bool,
    /// Generations that were issued but never delivered, as long as tokens of them may be valid.
    pub undelivered: Vec<UndeliveredGenerations>,
    /// Time of the login, in seconds of Unix time.
    pub created_at: i64,
    /// Time of the last refresh, in seconds of Unix time.
    pub refreshed_at: i64,
    /// End of the session whatever is refreshed, in seconds of Unix time.
    pub expires_at: i64,
    /// Reason for an end before that.
    pub ended: Option<EndReason>,
}

/// Range of generations that were issued but never delivered; a token of one was stolen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UndeliveredGenerations {
    /// First generation.
    pub first: i64,
    /// Last generation.
    pub last: i64,
    /// Expiry of their last access token, in seconds of Unix time.
    pub until: i64,
}
