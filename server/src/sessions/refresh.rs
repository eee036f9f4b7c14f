//! Refresh: a new token pair for a refresh token.

use std::sync::Arc;

use app::{
    backend::{Caller, ClientInfo, Failure},
    protocol::{
        TokenPair,
        error::{Code, Reason},
    },
};

use super::service::Inner;
use crate::{
    domain::{claims::Grant, rotation::RefreshOutcome, session::Session},
    failure::internal,
    metrics::{Refresh, Revocation, metrics},
    store::{Event, SessionChange, StoreError},
};

impl Inner {
    /// Refreshes the caller's session.
    pub(super) async fn refresh(
        self: &Arc<Self>,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<TokenPair, Failure> {
        let refreshed = self.try_refresh(caller, client_info).await;
        let outcome = match &refreshed {
            Ok((_, outcome)) => *outcome,
            Err(failure) => outcome_of(failure),
        };
        metrics().refreshes.of(outcome).inc();
        Ok(refreshed?.0)
    }

    async fn try_refresh(
        self: &Arc<Self>,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<(TokenPair, Refresh), Failure> {
        if let Some(Err(retry_after)) =
            self.refreshes.as_ref().map(|refreshes| refreshes.take(&caller.session))
        {
            let entry =
                self.entry(Event::Refreshed, Some(caller.user), Some(caller.session), client_info);
            self.throttle.audit_throttled(&format!("session:{}", caller.session), None, entry);
            return Err(Failure::TooManyAttempts(retry_after));
        }
        if !self.rotates {
            return Ok((self.repeat(caller).await?, Refresh::Repeated));
        }
        let version = self.session_cache.version(&caller.session);
        let changed = match self.rotate_cached(caller, &client_info).await {
            Ok(Some(next)) => Ok(Some(Ok((next, Refresh::Rotated)))),
            Ok(None) => self.change_by_refresh(caller, client_info).await,
            Err(error) => Err(error),
        };
        match &changed {
            // The next request and the next refresh find the session in the cache.
            Ok(Some(Ok((session, _)))) => {
                self.session_cache.replace(session.id, session.clone(), version);
            }
            // Ended, or the outcome is unknown.
            _ => self.session_cache.invalidate(&caller.session),
        }
        match changed.map_err(internal)? {
            Some(Ok((session, outcome))) => {
                // What was noted of the presented generation is not written: it is not the current
                // one any more.
                if session.generation != caller.generation {
                    self.acknowledgements.remove(&[(session.id, caller.generation)]);
                }
                Ok((self.pair(&session, false).map_err(internal)?, outcome))
            }
            Some(Err(reason)) => {
                if reason == Some(Reason::Reused) {
                    metrics().revocations.of(Revocation::Reuse).inc();
                    tracing::warn!(user = %caller.user, session = %caller.session, "refresh token reuse detected: session revoked");
                }
                Err(Failure::Revoked(reason))
            }
            None => Err(Failure::Revoked(None)),
        }
    }

    /// Rotates the session if the token is of the generation that is cached, and returns the changed
    /// session. [`None`] if the token is of another generation, or the session has changed since it
    /// was cached: then only the database can tell.
    async fn rotate_cached(
        &self,
        caller: &Caller,
        client_info: &ClientInfo,
    ) -> Result<Option<Session>, StoreError> {
        let session = self.session(caller.session).await?;
        let Some(session) = session.filter(|session| session.generation == caller.generation)
        else {
            return Ok(None);
        };
        let (presented, now) = (caller.generation, self.env.now());
        let RefreshOutcome::Rotated(next) = session.refresh(presented, false, now, &self.lifetimes)
        else {
            return Ok(None);
        };
        let is_rotated = self.store.rotate_session(&next, client_info.clone()).await?;
        Ok(is_rotated.then_some(next))
    }

    /// Changes the session as the refresh says, in a transaction that reads it. [`None`] if there is
    /// no such session.
    async fn change_by_refresh(
        self: &Arc<Self>,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<Option<Advanced>, StoreError> {
        let (now, presented, inner) = (self.env.now(), caller.generation, Arc::clone(self));
        self.store
            .change_session(caller.session, move |session| {
                let acknowledged = inner.acknowledgements.has(session.id, session.generation);
                match session.refresh(presented, acknowledged, now, &inner.lifetimes) {
                    RefreshOutcome::Rotated(next) => {
                        let is_current = presented == session.generation;
                        let outcome = if is_current { Refresh::Rotated } else { Refresh::Replaced };
                        advance(next, outcome, client_info)
                    }
                    RefreshOutcome::RepeatedAfterClockReset(next) => {
                        advance(next, Refresh::Repeated, client_info)
                    }
                    RefreshOutcome::Repeated => SessionChange {
                        session: None,
                        seen_from: None,
                        entry: None,
                        answer: Ok((session, Refresh::Repeated)),
                    },
                    RefreshOutcome::ReuseDetected(ended) => {
                        inner.end_by_reuse(ended, client_info, Err(Some(Reason::Reused)))
                    }
                    RefreshOutcome::Rejected => SessionChange {
                        session: None,
                        seen_from: None,
                        entry: None,
                        answer: Err(session.ended.map(Reason::from)),
                    },
                }
            })
            .await
    }

    /// Answers a refresh without rotation: the same refresh token, and a new access token.
    async fn repeat(&self, caller: &Caller) -> Result<TokenPair, Failure> {
        let session =
            self.session(caller.session).await.map_err(internal)?.ok_or(Failure::Revoked(None))?;
        let presented = Grant {
            generation: caller.generation,
            issued_at: caller.issued_at,
            expires_at: caller.expires_at,
            ..session.refresh_grant(&self.lifetimes)
        };
        self.pair_with(&session, &presented, false).map_err(internal)
    }
}

/// Answer of the change that a refresh makes.
type Advanced = Result<(Session, Refresh), Option<Reason>>;

/// Returns the change that advances a session.
fn advance(next: Session, outcome: Refresh, client_info: ClientInfo) -> SessionChange<Advanced> {
    SessionChange {
        session: Some(next.clone()),
        seen_from: Some(client_info),
        entry: None,
        answer: Ok((next, outcome)),
    }
}

/// Returns the outcome that a failed refresh counts as.
pub(super) fn outcome_of(failure: &Failure) -> Refresh {
    match failure {
        Failure::Revoked(Some(Reason::Reused)) => Refresh::Reuse,
        Failure::TooManyAttempts(_) => Refresh::Throttled,
        Failure::Unavailable(_) | Failure::Plain(Code::InternalError) => Refresh::Failed,
        _ => Refresh::Refused,
    }
}
