//! Labels and the closed sets of their values.

use std::marker::PhantomData;

/// A label whose values are known when the program is compiled.
pub trait Label: Copy + 'static {
    /// Its name.
    const NAME: &'static str;
    /// All values, in their order.
    const ALL: &'static [Self];

    /// Returns the value.
    fn as_str(self) -> &'static str;

    /// Returns its position in [`Label::ALL`].
    fn index(self) -> usize;
}

/// Declares a label.
macro_rules! label {
    ($(#[$doc:meta])* $type:ident, $name:literal: $($(#[$value_doc:meta])* $variant:ident = $value:literal,)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$value_doc])* $variant,)+
        }

        impl Label for $type {
            const NAME: &'static str = $name;
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $value,)+
                }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

label! {
    /// Outcome of a login.
    Login, "outcome":
    /// A session began.
    Succeeded = "succeeded",
    /// The password was wrong.
    WrongPassword = "wrong_password",
    /// There is no account with this username.
    UnknownAccount = "unknown_account",
    /// The account is disabled.
    Disabled = "disabled",
    /// The account has no verified address, which is required.
    AddressUnverified = "address_unverified",
    /// Too many failures, or too many passwords of the client wait.
    Throttled = "throttled",
    /// The server was overloaded or has failed.
    Failed = "failed",
}

label! {
    /// Outcome of a refresh.
    Refresh, "outcome":
    /// New tokens.
    Rotated = "rotated",
    /// The same tokens again: a retry within the grace period, or rotation is off.
    Repeated = "repeated",
    /// New tokens instead of those whose response was lost.
    Replaced = "replaced",
    /// A used token was presented: the session was revoked.
    Reuse = "reuse",
    /// The token or its session is not valid.
    Refused = "refused",
    /// Too many refreshes of the session.
    Throttled = "throttled",
    /// The server has failed.
    Failed = "failed",
}

label! {
    /// Reason for the end of a session.
    Revocation, "reason":
    /// Logout.
    Logout = "logout",
    /// By the user, from another session.
    OtherSession = "other_session",
    /// A newer login, beyond the limit of sessions.
    NewerLogin = "newer_login",
    /// Reuse of a token.
    Reuse = "reuse",
    /// The password was changed.
    PasswordChanged = "password_changed",
    /// By an administrator.
    Administrator = "administrator",
    /// The account was disabled.
    AccountDisabled = "account_disabled",
    /// The account was deleted.
    AccountDeleted = "account_deleted",
}

label! {
    /// Cache of rows.
    Cache, "cache":
    /// Sessions.
    Sessions = "sessions",
    /// User accounts.
    Users = "users",
}

label! {
    /// Reason for not hashing a password.
    HashRefusal, "reason":
    /// It would wait for too long, or has.
    Overloaded = "overloaded",
    /// Too many passwords of the client wait.
    Client = "client",
}

label! {
    /// Limit of connections that was reached.
    RefusedConnection, "limit":
    /// In all.
    Total = "total",
    /// Of one client address.
    PerAddress = "per_address",
}

label! {
    /// Connection pool of the database.
    Pool, "pool":
    /// For reading.
    Read = "read",
    /// For changes.
    Write = "write",
}

label! {
    /// State of a connection in a pool.
    PoolState, "state":
    /// Free.
    Idle = "idle",
    /// In use.
    Used = "used",
}

label! {
    /// Background task.
    Task, "task":
    /// Reads changes of other processes.
    PollChanges = "poll_changes",
    /// Reads changed signing keys.
    PollKeys = "poll_keys",
    /// Stores which tokens have arrived at their clients.
    Acknowledgements = "acknowledgements",
    /// Deletes expired rows.
    Cleanup = "cleanup",
    /// Deletes files without a row.
    OrphanSweep = "orphan_sweep",
    /// Deletes the data of deleted accounts.
    Deletions = "deletions",
    /// Sends messages.
    Mail = "mail",
    /// Counts the messages that wait.
    MailCount = "mail_count",
}

label! {
    /// Outcome of an attempt to send a message.
    MailOutcome, "outcome":
    /// The mail server has taken it.
    Sent = "sent",
    /// It is tried again later.
    Retried = "retried",
    /// It was given up.
    Failed = "failed",
}

/// One metric for each value of a label.
pub struct Values<L, M> {
    metrics: Vec<M>,
    label: PhantomData<fn(L)>,
}

impl<L: Label, M> Values<L, M> {
    pub(super) fn new(create: impl Fn(L) -> M) -> Self {
        Self { metrics: L::ALL.iter().map(|label| create(*label)).collect(), label: PhantomData }
    }

    /// Returns the metric of a value.
    #[must_use]
    pub fn of(&self, label: L) -> &M {
        // There is one for each value.
        &self.metrics[label.index()]
    }
}
