//! "It was not me": use of the link in an alert.

use app::{
    backend::{ClientInfo, Failure},
    protocol::error::Code,
};

use super::service::Inner;
use crate::{
    accounts::{addresses::renaming, hashing::unusable_hash},
    domain::one_time_code::{OneTimeCode, Purpose, RequestId, Token},
    failure::internal,
    metrics::{Revocation, metrics},
    store::{Event, UndoRequest},
};

impl Inner {
    /// Ends all sessions of the account of an alert, restores the address that the alert was sent
    /// to, takes the password away, and sends a reset to that address. Returns the id of the
    /// request, in whose browser the digits of the reset count.
    pub(super) async fn undo(
        &self,
        token: Option<&str>,
        client_info: ClientInfo,
    ) -> Result<RequestId, Failure> {
        let invalid = || Failure::from(Code::CodeInvalid);
        let token = token.and_then(Token::parse).ok_or_else(invalid)?;
        if !self.store.is_undo_token(&token, self.env.now()).await.map_err(internal)? {
            return Err(invalid());
        }
        let browser = RequestId::generate(&self.env);
        let (purpose, request) = (Purpose::Reset, Some(browser.clone()));
        let request = UndoRequest {
            token,
            password_hash: unusable_hash(&self.env).map_err(internal)?,
            reset: OneTimeCode::generate(&self.env, purpose, None, None, request),
            message: self.env.uuid(),
            address: self.env.uuid(),
            renaming: renaming(&self.env).map_err(internal)?,
        };
        let entry = self.entry(Event::AlertUndone, None, None, client_info);
        let done = self.store.undo(request, entry).await;
        self.invalidate_ended(done.as_ref().map(|done| done.iter().flat_map(|done| &done.ended)));
        // `None`: a concurrent request has used the link.
        let undone = done.map_err(internal)?.ok_or_else(invalid)?;
        for user in [Some(undone.user), undone.former].into_iter().flatten() {
            self.user_cache.invalidate(user);
        }
        let ended = undone.ended.len() as u64;
        metrics().revocations.of(Revocation::PasswordChanged).inc_by(ended);
        tracing::info!(user = %undone.user, "alert undone");
        Ok(browser)
    }
}
