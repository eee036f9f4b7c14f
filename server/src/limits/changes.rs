//! How often callers who are signed in may change something.

use std::sync::Arc;

use app::{backend::Caller, protocol::operations::Operation};
use uuid::Uuid;

use super::{Limiter, Limits};
use crate::clock::Clock;

/// Changes are limited by session and by account: a stolen token uses up the limit of its own
/// session, and a hundred sessions do not multiply what an account may write.
pub struct ChangeLimiter {
    by_session: Limiter<Uuid>,
    by_account: Limiter<Uuid>,
}

/// A change too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooManyChanges {
    /// The session or the account that has made too many.
    pub subject: String,
    /// Seconds until another one is let through.
    pub retry_after: u32,
}

impl ChangeLimiter {
    /// Limits that go by a clock.
    #[must_use]
    pub fn new(limits: &Limits, clock: &Arc<dyn Clock>) -> Self {
        Self {
            by_session: Limiter::new(limits.changes_session, Arc::clone(clock)),
            by_account: Limiter::new(limits.changes_account, Arc::clone(clock)),
        }
    }

    /// Takes one call of an operation, if it is a change.
    ///
    /// # Errors
    ///
    /// `TooManyChanges` where the caller's session or account has used up its limit.
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
