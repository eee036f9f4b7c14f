//! Rate limits: rules as functions of time, and their state in memory.

mod addresses;
mod changes;
mod failures;
mod mails;
mod rate;
mod throttle;

pub use addresses::Addresses;
pub use changes::{ChangeLimit, ChangeLimiter};
pub use failures::{RateDecision, check_failures};
pub use mails::MailLimiter;
pub use rate::Limiter;
pub use throttle::Throttle;

/// A number of events in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Number of events.
    pub times: u32,
    /// Period in seconds.
    pub seconds: i64,
}

/// All rate limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Failed logins to an account.
    pub login_account: Quota,
    /// Failed logins from a client network.
    pub login_address: Quota,
    /// Registrations from a client network.
    pub registration: Quota,
    /// Mails to an account that were asked for.
    pub mails_account: Quota,
    /// Mails that a client network has asked for.
    pub mails_address: Quota,
    /// Refreshes of a session.
    pub refresh: Quota,
    /// Passwords of a client network that wait for hashing.
    pub waiting_hashes: u32,
    /// Changes by a session.
    pub changes_session: Quota,
    /// Changes by all sessions of an account together.
    pub changes_account: Quota,
}
