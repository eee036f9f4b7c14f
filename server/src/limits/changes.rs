//! Rate limits of changing operations.

use std::sync::Arc;

use app::backend::Caller;
use uuid::Uuid;

use super::{Limiter, Limits};
use crate::clock::Clock;

/// Limits of changes that the requests of an endpoint count against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeLimit {
    /// Not at all.
    None,
    /// Against the limit of the session. For endpoints that protect the account: its owner can
    /// always call them, even if a stolen token has used up the limit of the account.
    Session,
    /// Against the limits of the session and of the account.
    Account,
}

/// Limits changes by session and by account: a stolen token uses up the limit of its own session,
/// and a hundred sessions do not multiply the writes of an account.
pub struct ChangeLimiter {
    by_session: Limiter<Uuid>,
    by_account: Limiter<Uuid>,
}

/// A change beyond the rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooManyChanges {
    /// The session or account that has reached its limit.
    pub subject: String,
    /// Seconds until the next change is allowed.
    pub retry_after: u32,
}

impl ChangeLimiter {
    /// Creates the limiter over a clock.
    #[must_use]
    pub fn new(limits: &Limits, clock: &Arc<dyn Clock>) -> Self {
        Self {
            by_session: Limiter::new(limits.changes_session, Arc::clone(clock)),
            by_account: Limiter::new(limits.changes_account, Arc::clone(clock)),
        }
    }

    /// Counts a call of an operation, if it is a change.
    ///
    /// # Errors
    ///
    /// `TooManyChanges` if the caller's session or account has reached its limit.
    pub fn take(&self, caller: &Caller, limit: ChangeLimit) -> Result<(), TooManyChanges> {
        if limit == ChangeLimit::None {
            return Ok(());
        }
        self.by_session.take(&caller.session).map_err(|retry_after| TooManyChanges {
            subject: format!("changes:session:{}", caller.session),
            retry_after,
        })?;
        if limit == ChangeLimit::Session {
            return Ok(());
        }
        self.by_account.take(&caller.user).map_err(|retry_after| TooManyChanges {
            subject: format!("changes:account:{}", caller.user),
            retry_after,
        })
    }
}
