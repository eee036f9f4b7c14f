//! Events and entries of the audit log.

use app::backend::ClientInfo;
use uuid::Uuid;

/// Type of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An account was registered.
    Registered,
    /// A login attempt.
    LoggedIn,
    /// A token refresh that failed; successful ones are not logged.
    Refreshed,
    /// Reuse of a refresh token or a stolen access token was detected.
    RefreshReused,
    /// A user logged out.
    LoggedOut,
    /// A session was revoked for another reason than logout or token reuse; `detail` is the reason.
    SessionRevoked,
    /// A new signing key was created.
    KeyRotated,
    /// A signing key was removed; its tokens are rejected.
    KeyRetired,
    /// A user changed their profile; `detail` names the fields.
    ProfileChanged,
    /// A password was changed.
    PasswordChanged,
    /// A re-authentication attempt.
    Reauthenticated,
    /// A login from a device that is new to the account.
    NewDevice,
    /// A user exported their account data.
    Exported,
    /// An account was deleted. The entry is anonymous.
    AccountDeleted,
    /// An administrator created an account.
    UserCreated,
    /// An administrator disabled an account.
    UserDisabled,
    /// An administrator enabled an account.
    UserEnabled,
    /// An administrator changed a role; `detail` is the new role.
    RoleChanged,
    /// A session or an account exceeded the rate limit of changes; only the first rejection of a
    /// window is logged. `detail` names the operation.
    ChangeRefused,
    /// An administrator looked at the pictures of a user.
    PicturesViewed,
    /// An administrator removed a picture; `detail` says which and why.
    PictureRemoved,
    /// The link of an alert was used ("It was not me").
    AlertUndone,
    /// A message could not be sent; `detail` is its kind, and the answer of the mail server.
    MailFailed,
    /// An address of the account was verified.
    AddressVerified,
    /// Another account has verified the address that was the username of this one.
    AddressLost,
    /// A reset of the password was requested.
    ResetRequested,
    /// The password was reset by a code of a mail.
    PasswordReset,
    /// A verification of an address was requested.
    VerificationSent,
    /// An administrator created an invitation.
    InvitationCreated,
    /// An administrator revoked an invitation.
    InvitationRevoked,
}

/// Outcome of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Success.
    Success,
    /// There is no such account.
    UnknownAccount,
    /// Wrong password.
    WrongPassword,
    /// The account is disabled.
    Disabled,
    /// The account has no verified address, which is required.
    AddressUnverified,
    /// Rejected by a rate limit before the password was checked; only the first rejection of a
    /// window is logged.
    Throttled,
}

/// A new entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Seconds of Unix time.
    pub at: i64,
    /// Type of the event.
    pub event: Event,
    /// Outcome of the event.
    pub outcome: Outcome,
    /// The account, if any.
    pub user: Option<Uuid>,
    /// The session, if any.
    pub session: Option<Uuid>,
    /// Client of the request.
    pub client_info: ClientInfo,
    /// Details: the key id or the reason, for example.
    pub detail: Option<String>,
}

/// Filter of entries; all given criteria must match.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter {
    /// Type of the event.
    pub event: Option<Event>,
    /// Outcome of the event.
    pub outcome: Option<Outcome>,
    /// The account.
    pub user: Option<Uuid>,
    /// Earliest time, in seconds of Unix time.
    pub since: Option<i64>,
}

/// A stored entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Increases with each entry.
    pub id: i64,
    /// Seconds of Unix time.
    pub at: i64,
    /// Type of the event.
    pub event: String,
    /// Outcome of the event.
    pub outcome: String,
    /// The account.
    pub user: Option<Uuid>,
    /// The session.
    pub session: Option<Uuid>,
    /// IP address of the client.
    pub address: Option<String>,
    /// User agent of the client.
    pub user_agent: Option<String>,
    /// Details.
    pub detail: Option<String>,
}

impl AuditEntry {
    /// Creates an entry of a successful event without account, session and detail.
    #[must_use]
    pub fn of(event: Event, at: i64, client_info: ClientInfo) -> Self {
        Self {
            at,
            event,
            outcome: Outcome::Success,
            user: None,
            session: None,
            client_info,
            detail: None,
        }
    }

    /// Creates an entry about a signing key: without account and client.
    #[must_use]
    pub fn of_key(event: Event, at: i64, kid: &str) -> Self {
        Self { detail: Some(kid.to_owned()), ..Self::of(event, at, ClientInfo::default()) }
    }
}

impl Event {
    /// All variants.
    pub const ALL: [Self; 30] = [
        Self::Registered,
        Self::LoggedIn,
        Self::Refreshed,
        Self::RefreshReused,
        Self::LoggedOut,
        Self::SessionRevoked,
        Self::KeyRotated,
        Self::KeyRetired,
        Self::ProfileChanged,
        Self::PasswordChanged,
        Self::Reauthenticated,
        Self::NewDevice,
        Self::Exported,
        Self::AccountDeleted,
        Self::UserCreated,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::RoleChanged,
        Self::ChangeRefused,
        Self::PicturesViewed,
        Self::PictureRemoved,
        Self::AlertUndone,
        Self::MailFailed,
        Self::AddressVerified,
        Self::AddressLost,
        Self::ResetRequested,
        Self::PasswordReset,
        Self::VerificationSent,
        Self::InvitationCreated,
        Self::InvitationRevoked,
    ];

    /// Stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::LoggedIn => "logged_in",
            Self::Refreshed => "refreshed",
            Self::RefreshReused => "refresh_reused",
            Self::LoggedOut => "logged_out",
            Self::SessionRevoked => "session_revoked",
            Self::KeyRotated => "key_rotated",
            Self::KeyRetired => "key_retired",
            Self::ProfileChanged => "profile_changed",
            Self::PasswordChanged => "password_changed",
            Self::Reauthenticated => "reauthenticated",
            Self::NewDevice => "new_device",
            Self::Exported => "exported",
            Self::AccountDeleted => "account_deleted",
            Self::UserCreated => "user_created",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::RoleChanged => "role_changed",
            Self::ChangeRefused => "change_refused",
            Self::PicturesViewed => "pictures_viewed",
            Self::PictureRemoved => "picture_removed",
            Self::AlertUndone => "alert_undone",
            Self::MailFailed => "mail_failed",
            Self::AddressVerified => "address_verified",
            Self::AddressLost => "address_lost",
            Self::ResetRequested => "reset_requested",
            Self::PasswordReset => "password_reset",
            Self::VerificationSent => "verification_sent",
            Self::InvitationCreated => "invitation_created",
            Self::InvitationRevoked => "invitation_revoked",
        }
    }

    /// Parses the stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == text)
    }
}

impl Outcome {
    /// All variants.
    pub const ALL: [Self; 6] = [
        Self::Success,
        Self::UnknownAccount,
        Self::WrongPassword,
        Self::Disabled,
        Self::AddressUnverified,
        Self::Throttled,
    ];

    /// Stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::UnknownAccount => "unknown_account",
            Self::WrongPassword => "wrong_password",
            Self::Disabled => "disabled",
            Self::AddressUnverified => "address_unverified",
            Self::Throttled => "throttled",
        }
    }

    /// Parses the stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_outcomes_of_the_protocol_are_those_of_the_log() {
        assert_eq!(Event::ALL.map(Event::as_str), app::protocol::audit::EVENTS);
        assert_eq!(Outcome::ALL.map(Outcome::as_str), app::protocol::audit::OUTCOMES);
    }
}
