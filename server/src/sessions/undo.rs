//! "It was not me": use of the link in an alert.

use app::{
    backend::{ClientInfo, Failure},
    protocol::error::Code,
};

use super::service::Inner;
use crate::{
    accounts::{
        addresses::{code_of_token, verification_context},
        hashing::unusable_hash,
    },
    domain::one_time_code::{OneTimeCode, Purpose, RequestId},
    failure::internal,
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
        let text = token.unwrap_or_default();
        let (token, _) = code_of_token(&self.store, text, &[Purpose::Undo], self.env.now()).await?;
        let browser = RequestId::generate(&self.env);
        let (purpose, request) = (Purpose::Reset, Some(browser.clone()));
        let request = UndoRequest {
            token,
            password_hash: unusable_hash(&self.env).map_err(internal)?,
            reset: OneTimeCode::generate(&self.env, purpose, None, None, request),
            message: self.env.uuid(),
            verification: verification_context(&self.env).map_err(internal)?,
        };
        let entry = self.entry(Event::AlertUndone, None, None, client_info);
        let done = self.store.undo(request, entry).await;
        self.invalidate_access(done.as_ref().map(Option::as_ref));
        // `None`: a concurrent request has used the link.
        let undone = done.map_err(internal)?.ok_or(Code::CodeInvalid)?;
        tracing::info!(user = %undone.user, "alert undone");
        Ok(browser)
    }
}
