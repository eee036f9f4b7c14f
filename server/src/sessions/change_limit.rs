//! Rate limits of changing operations, with their audit entries.

use std::fmt::Display;

use app::backend::{Caller, ClientInfo, Failure};

use super::SessionService;
use crate::{
    limits::ChangeLimit,
    store::{AuditEntry, Event},
};

impl SessionService {
    /// Counts a change against the rate limits of its session and account.
    ///
    /// # Errors
    ///
    /// `too_many_attempts` beyond a limit.
    pub fn admit_change(
        &self,
        caller: &Caller,
        limit: ChangeLimit,
        endpoint: impl Display,
        client_info: &ClientInfo,
    ) -> Result<(), Failure> {
        let Some(changes) = &self.inner().changes else { return Ok(()) };
        changes.take(caller, limit).map_err(|refused| {
            let entry = AuditEntry {
                detail: Some(endpoint.to_string()),
                ..self.inner().entry(
                    Event::ChangeRefused,
                    Some(caller.user),
                    Some(caller.session),
                    client_info.clone(),
                )
            };
            self.inner().throttle.audit_throttled(&refused.subject, None, entry);
            Failure::TooManyAttempts(refused.retry_after)
        })
    }
}
