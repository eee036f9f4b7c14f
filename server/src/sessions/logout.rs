//! Logout: ends the session of a token.

use app::backend::{Caller, ClientInfo, Failure};

use super::service::Inner;
use crate::{
    domain::session::EndReason,
    failure::internal,
    metrics::{Revocation, metrics},
    store::{ActError, Actor, Event},
};

impl Inner {
    /// Ends the caller's session. Logout is idempotent.
    pub(super) async fn logout(
        &self,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let found = self.store.session(caller.session).await.map_err(internal)?;
        let Some(session) = found else { return Ok(()) };
        let entry = self.entry(Event::LoggedOut, Some(caller.user), Some(session.id), client_info);
        let actor = Actor::new(caller, entry.at);
        let done = self.store.end_session(actor, EndReason::LoggedOut, entry).await;
        // Invalidate even if the write's outcome is unknown, so the cache never disagrees with the
        // database.
        self.session_cache.invalidate(&session.id);
        match done {
            Ok(()) => metrics().revocations.of(Revocation::Logout).inc(),
            // The session has ended meanwhile: logout is idempotent.
            Err(ActError::Denied(_)) => return Ok(()),
            Err(ActError::Store(error)) => return Err(internal(error)),
        }
        tracing::info!(user = %caller.user, session = %session.id, "logged out");
        Ok(())
    }
}
