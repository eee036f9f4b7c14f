//! Authentication of requests by their bearer token.

use std::sync::Arc;

use app::{
    backend::{Caller, ClientInfo, Failure},
    protocol::{
        Role, TokenType,
        error::{Code, Reason},
    },
};
use axum::http::HeaderMap;
use uuid::Uuid;

use super::service::Inner;
use crate::{
    domain::{access::AuthRequirement, session::Session},
    failure::internal,
    metrics::{Revocation, metrics},
    store::{Event, SessionChange, StoreError},
    tokens::bearer::bearer,
};

impl Inner {
    /// Authenticates a request. The codec checks format, signature, expiry, issuer and audience;
    /// here follow type, session, blocklist and account.
    ///
    /// A token from the future is rejected, unless the database has its session and this server can
    /// have issued it: then the clock was set back, which must not end sessions.
    pub(super) async fn authenticate(
        self: &Arc<Self>,
        headers: &HeaderMap,
        auth: AuthRequirement,
        client_info: &ClientInfo,
    ) -> Result<Caller, Failure> {
        let now = self.env.now();
        let bearer = bearer(headers)?;
        let mut verified = self.codec.verify(bearer, now);
        if verified.is_err() && self.codec.lacks_key_of(bearer) {
            Box::pin(self.codec.reload_keys()).await.map_err(internal)?;
            verified = self.codec.verify(bearer, now);
        }
        let token = verified?;
        self.ensure_current()?;
        if !token.is_ahead() {
            token.check_type(auth)?;
        }
        let mut session = self.session(token.caller().session).await.map_err(internal)?;
        if session.as_ref().is_some_and(|session| token.caller().generation > session.generation) {
            // Another process has rotated it: refreshes are not among the changes that are followed
            // (`store/changes.rs`).
            self.session_cache.invalidate(&token.caller().session);
            session = self.session(token.caller().session).await.map_err(internal)?;
        }
        if token.is_ahead() {
            let is_ours = |session: &Session| {
                token.is_of_session(session.user, session.generation, session.expires_at)
            };
            if !session.as_ref().is_some_and(is_ours) {
                return Err(Code::TokenInvalid.into());
            }
            token.check_type(auth)?;
        }
        let caller = token.into_caller();
        let Some(session) = session else { return Err(Failure::Revoked(None)) };
        let is_known = session.user == caller.user && caller.generation <= session.generation;
        if !session.is_active(now)
            || !is_known
            || self.is_revoked(&caller.jti).await.map_err(internal)?
        {
            return Err(Failure::Revoked(session.ended.map(Reason::from)));
        }
        if caller.token_type == TokenType::Access && session.is_undelivered(caller.generation) {
            let ending = Arc::clone(self).end_reused(session.id, client_info.clone());
            Box::pin(self.tasks.run_to_completion(async { ending.await.map_err(internal) }))
                .await?;
            return Err(Failure::Revoked(Some(Reason::Reused)));
        }
        if caller.generation == session.generation && !session.acknowledged {
            self.acknowledgements.note(session.id, session.generation);
            // The next requests of this session find it acknowledged.
            self.session_cache.update_cached(&session.id, |seen| {
                seen.acknowledged |= seen.generation == session.generation;
            });
        }
        match self.user_cache.get(caller.user).await.map_err(internal)? {
            None => Err(Failure::Revoked(None)),
            Some(account) if account.disabled_at.is_some() => {
                Err(Failure::Revoked(Some(Reason::Disabled)))
            }
            Some(account) if auth.is_for_admins() && account.user.role != Role::Admin => {
                Err(Code::Forbidden.into())
            }
            Some(_) if auth.is_fresh() && !caller.fresh => Err(Code::FreshRequired.into()),
            Some(_) => Ok(caller),
        }
    }

    /// Returns whether a token is revoked, by the blocklist or else by the table.
    async fn is_revoked(&self, jti: &str) -> Result<bool, StoreError> {
        match self.blocklist.contains(jti) {
            Some(is_revoked) => Ok(is_revoked),
            None => Box::pin(self.store.is_revoked(jti)).await,
        }
    }

    /// Ends a session after reuse of one of its tokens was detected.
    async fn end_reused(
        self: Arc<Self>,
        id: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), StoreError> {
        let inner = Arc::clone(&self);
        let changed = self
            .store
            .change_session(id, move |session| match session.ended {
                Some(_) => {
                    SessionChange { session: None, seen_from: None, entry: None, answer: false }
                }
                None => inner.end_by_reuse(session.reused(), client_info, true),
            })
            .await;
        self.session_cache.invalidate(&id);
        if matches!(changed, Ok(Some(true))) {
            metrics().revocations.of(Revocation::Reuse).inc();
        }
        tracing::warn!(session = %id, "token of an undelivered generation presented: session revoked");
        changed.map(|_| ())
    }

    /// Returns the change that ends a session after reuse, with its audit entry.
    pub(super) fn end_by_reuse<T>(
        &self,
        ended: Session,
        client_info: ClientInfo,
        answer: T,
    ) -> SessionChange<T> {
        let entry = self.entry(Event::RefreshReused, Some(ended.user), Some(ended.id), client_info);
        SessionChange { session: Some(ended), seen_from: None, entry: Some(entry), answer }
    }
}
