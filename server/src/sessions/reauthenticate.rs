//! Re-authentication: a fresh access token for the password (step-up, RFC 9470).

use app::backend::{Caller, ClientInfo, Failure, FreshToken, PasswordAttempt};

use super::{password_check::VerifiedPassword, service::Inner};
use crate::{
    domain::claims::Grant,
    failure::internal,
    store::{Actor, Event},
};

impl Inner {
    /// Issues a fresh access token for the password.
    pub(super) async fn reauthenticate(
        &self,
        caller: &Caller,
        password: PasswordAttempt,
        client_info: ClientInfo,
    ) -> Result<FreshToken, Failure> {
        let VerifiedPassword { attempt, entry, .. } =
            self.verify_password(caller, password, Event::Reauthenticated, client_info).await?;
        let cleared_subject = attempt.first().map(str::to_owned);
        let actor = Actor::new(caller, self.env.now());
        self.store
            .clear_login_failures(actor, cleared_subject, entry)
            .await
            .map_err(Failure::from)?;
        let session =
            self.session(caller.session).await.map_err(internal)?.ok_or(Failure::Revoked(None))?;
        let now = self.env.now();
        // Of the caller's generation: the answer with the current one may be lost, and presenting a
        // token of it would acknowledge it, so that the caller's next refresh would look like
        // reuse.
        let grant =
            Grant { generation: caller.generation, ..session.access_grant(now, &self.lifetimes) };
        let text = self.codec.access(&grant, true, &self.env).map_err(internal)?;
        tracing::info!(user = %caller.user, session = %caller.session, "reauthenticated");
        Ok(FreshToken { text, expires_in: grant.expires_at - now })
    }
}
