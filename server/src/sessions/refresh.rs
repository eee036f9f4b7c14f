//! Refresh: a new token pair for a refresh token.

use std::sync::Arc;

use app::{
    backend::{Caller, ClientInfo, Failure},
    protocol::{TokenPair, error::Reason},
};

use super::service::Inner;
use crate::{
    domain::{claims::Grant, rotation::RefreshOutcome},
    failure::internal,
    store::{Event, SessionChange},
};

impl Inner {
    /// Refreshes the caller's session.
    pub(super) async fn refresh(
        self: &Arc<Self>,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<TokenPair, Failure> {
        if let Some(Err(retry_after)) =
            self.refreshes.as_ref().map(|refreshes| refreshes.take(&caller.session))
        {
            let entry =
                self.entry(Event::Refreshed, Some(caller.user), Some(caller.session), client_info);
            self.throttle.audit_throttled(&format!("session:{}", caller.session), None, entry);
            return Err(Failure::TooManyAttempts(retry_after));
        }
        if !self.rotates {
            return self.repeat(caller).await;
        }
        let (now, presented, inner) = (self.env.now(), caller.generation, Arc::clone(self));
        let changed = self
            .store
            .change_session(caller.session, move |session| {
                let acknowledged = inner.acknowledgements.has(session.id, session.generation);
                match session.refresh(presented, acknowledged, now, &inner.lifetimes) {
                    RefreshOutcome::Rotated(next)
                    | RefreshOutcome::RepeatedAfterClockReset(next) => SessionChange {
                        session: Some(next.clone()),
                        seen_from: Some(client_info),
                        entry: None,
                        answer: Ok(next),
                    },
                    RefreshOutcome::Repeated => SessionChange {
                        session: None,
                        seen_from: None,
                        entry: None,
                        answer: Ok(session),
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
            .await;
        self.session_cache.invalidate(&caller.session);
        match changed.map_err(internal)? {
            Some(Ok(session)) => self.pair(&session, false).map_err(internal),
            Some(Err(reason)) => {
                if reason == Some(Reason::Reused) {
                    tracing::warn!(user = %caller.user, session = %caller.session, "refresh token reuse detected: session revoked");
                }
                Err(Failure::Revoked(reason))
            }
            None => Err(Failure::Revoked(None)),
        }
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
