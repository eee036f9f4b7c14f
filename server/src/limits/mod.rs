//! How often something may be tried: rules as functions of the time, and what is remembered for
//! them.

mod addresses;
mod changes;
mod failures;
mod rate;
mod throttle;

pub use addresses::Addresses;
pub use changes::ChangeLimiter;
pub use failures::{RateDecision, check_failures};
pub use rate::Limiter;
pub use throttle::Throttle;

/// So many times in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How often.
    pub times: u32,
    /// In how long, in seconds.
    pub seconds: i64,
}

/// All limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Failed log-ins to an account.
    pub login_account: Quota,
    /// Failed log-ins from an address.
    pub login_address: Quota,
    /// Registrations from an address.
    pub registration: Quota,
    /// Refreshes of a session.
    pub refresh: Quota,
    /// Passwords from an address that wait for hashing.
    pub waiting_hashes: u32,
    /// Changes that a session makes.
    pub changes_session: Quota,
    /// Changes that all sessions of an account make together.
    pub changes_account: Quota,
}
