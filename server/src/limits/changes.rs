//! Rate limits of changing operations.

use std::sync::Arc;

use app::{backend::Caller, protocol::operations::Operation};
use uuid::Uuid;

use super::{Limiter, Limits};
use crate::clock::Clock;

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
    /// [`TooManyChanges`] if the caller's session or account has reached its limit.
    pub fn take(&self, caller: &Caller, operation: &Operation) -> Result<(), TooManyChanges> {
        if !operation.is_limited_change() {
            return Ok(());
        }
        let refused = |subject: String| move |retry_after| TooManyChanges { subject, retry_after };
        self.by_session
            .take(&caller.session)
            .map_err(refused(format!("changes:session:{}", caller.session)))?;
        if operation.protects_account() {
            return Ok(());
        }
        self.by_account
            .take(&caller.user)
            .map_err(refused(format!("changes:account:{}", caller.user)))
    }
}
