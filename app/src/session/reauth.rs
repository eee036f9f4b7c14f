//! Re-authentication (step-up authentication, RFC 9470): one password prompt shared by all requests
//! that returned `fresh_required`.

use futures::channel::oneshot;

use super::{core::Session, message::Message, token};
use crate::protocol::Reauthenticated;

impl Session {
    /// Waits for a fresh access token, for a request that was rejected with the token `used`.
    /// Returns `None` if the prompt is cancelled or the session has changed.
    pub(super) async fn require_fresh_token(&self, used: &str, epoch: u32) -> Option<String> {
        let (waiter, token) = oneshot::channel();
        let is_first = {
            let mut inner = self.inner.borrow_mut();
            let current =
                inner.current.as_ref().filter(|_| inner.epoch == epoch && !inner.is_logging_out)?;
            // Re-authentication completed while the request was in flight.
            if let Some(fresh) = inner
                .fresh_token
                .as_ref()
                .filter(|fresh| *fresh != used && **fresh == current.persisted.access_token)
            {
                return Some(fresh.clone());
            }
            inner.reauth_waiters.push(waiter);
            inner.reauth_waiters.len() == 1
        };
        if is_first {
            self.ports.observer.reauth_pending(true);
        }
        token.await.ok()
    }

    /// Continues the session and the waiting requests with a fresh token, once the server has
    /// accepted the password.
    pub fn complete_reauth(&self, response: Reauthenticated) {
        let expiry = self.expiry_in(response.expires_in);
        let token = response.access_token;
        let (persisted, waiters) = {
            let mut inner = self.inner.borrow_mut();
            let Some(current) = &mut inner.current else { return };
            // Another user may have logged in since.
            if token::claims(&token)
                .is_none_or(|claims| claims.sid != current.persisted.session_id())
            {
                return;
            }
            current.persisted.access_token.clone_from(&token);
            current.expiry = Some(expiry);
            current.is_stored = self.ports.storage.save(current.scope, &current.persisted);
            let persisted = current.persisted.clone();
            inner.fresh_token = Some(token.clone());
            (persisted, std::mem::take(&mut inner.reauth_waiters))
        };
        self.ports.channel.broadcast(&Message::TokensRefreshed(persisted));
        for waiter in waiters {
            // Fails if the request was cancelled.
            let _ = waiter.send(token.clone());
        }
        self.ports.observer.reauth_pending(false);
        self.ports.observer.tokens_refreshed();
        self.ports.observer.renewal_rescheduled();
    }

    /// Cancels the password prompt: the waiting requests return their `fresh_required` response.
    pub fn cancel_reauth(&self) {
        let waiters = std::mem::take(&mut self.inner.borrow_mut().reauth_waiters);
        if !waiters.is_empty() {
            drop(waiters);
            self.ports.observer.reauth_pending(false);
        }
    }
}
