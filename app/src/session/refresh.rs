//! Token refresh: one request, however many requests and tabs need it.

use std::{rc::Rc, time::Duration};

use futures::{
    channel::oneshot,
    future::{Either, FutureExt, LocalBoxFuture, Shared, select},
};

use super::{
    core::Session,
    message::Message,
    ports::PersistedSession,
    state::SessionEnd,
    transport::{ApiRequest, ApiResponse, NetworkError},
};
use crate::protocol::{Refreshed, TokenPair};

/// Delay before a failed renewal is repeated, so that an outage is not made worse.
const RETRY_BACKOFF: Duration = Duration::from_secs(15);
/// Time that other tabs have to reply with newer tokens.
const PEER_REPLY_TIMEOUT: Duration = Duration::from_millis(100);

/// A refresh in flight, and the access token that it replaces.
pub(super) struct InFlightRefresh {
    used: String,
    outcome: Shared<LocalBoxFuture<'static, RefreshOutcome>>,
}

/// Outcome of a refresh.
#[derive(Clone)]
pub(super) enum RefreshOutcome {
    /// A newer access token.
    Refreshed(String),
    /// The session has ended, or another has taken its place.
    SessionOver,
    /// The refresh failed without being rejected: the tokens are kept.
    Failed(Result<ApiResponse, NetworkError>),
}

impl Session {
    /// Returns a newer access token than `used`, which was rejected or is about to expire: the
    /// current one if it is newer, else that of a refresh. Concurrent callers share one request.
    pub(super) async fn refresh(self: &Rc<Self>, used: String, epoch: u32) -> RefreshOutcome {
        if let Some(outcome) = self.outcome_without_request(&used, epoch) {
            return outcome;
        }
        let outcome = {
            let mut inner = self.inner.borrow_mut();
            match &inner.in_flight {
                Some(in_flight) if in_flight.used == used => in_flight.outcome.clone(),
                _ => {
                    let (session, replaced) = (Rc::clone(self), used.clone());
                    let outcome = async move { session.run_refresh(&replaced, epoch).await }
                        .boxed_local()
                        .shared();
                    inner.in_flight = Some(InFlightRefresh { used, outcome: outcome.clone() });
                    // Runs to completion even if every caller is cancelled: an abandoned refresh
                    // would hold the lock that other tabs wait for.
                    self.ports.runtime.spawn(outcome.clone().map(drop).boxed_local());
                    outcome
                }
            }
        };
        outcome.await
    }

    /// The outcome, if it is known without a request.
    fn outcome_without_request(&self, used: &str, epoch: u32) -> Option<RefreshOutcome> {
        let now = self.ports.runtime.now();
        let inner = self.inner.borrow();
        match inner.current.as_ref().filter(|_| inner.epoch == epoch && !inner.is_logging_out) {
            // Logged out since, or logged in as another user.
            None => Some(RefreshOutcome::SessionOver),
            // A newer token, unless it has expired too.
            Some(current)
                if current.persisted.access_token != used
                    && current.expiry.is_none_or(|expiry| now < expiry.expires_at) =>
            {
                Some(RefreshOutcome::Refreshed(current.persisted.access_token.clone()))
            }
            Some(_) => None,
        }
    }

    async fn run_refresh(&self, used: &str, epoch: u32) -> RefreshOutcome {
        let outcome = self.refresh_under_lock(used, epoch).await;
        self.inner.borrow_mut().in_flight.take_if(|in_flight| in_flight.used == used);
        outcome
    }

    /// Refreshes in one tab at a time. If another tab has got the next pair, this one takes it
    /// over: a refresh token that is used twice counts as stolen (reuse detection).
    async fn refresh_under_lock(&self, used: &str, epoch: u32) -> RefreshOutcome {
        let (guard, superseded) = loop {
            let (sender, superseded) = oneshot::channel();
            let name = self.lock_name(Some(sender));
            let Either::Left((Some(guard), superseded)) =
                select(self.ports.lock.acquire(name.clone()), superseded).await
            else {
                return self
                    .outcome_without_request(used, epoch)
                    .unwrap_or_else(|| self.refresh_failed(Err(NetworkError)));
            };
            self.sync();
            // Storage may hold another session by now, which has a lock of its own.
            if self.lock_name(None) == name {
                break (guard, superseded);
            }
        };
        if !self.storage_is_authoritative() {
            select(self.ports.runtime.sleep(PEER_REPLY_TIMEOUT), superseded).await;
        }
        if let Some(outcome) = self.outcome_without_request(used, epoch) {
            return outcome;
        }
        let refresh_token = self
            .inner
            .borrow()
            .current
            .as_ref()
            .map(|current| current.persisted.refresh_token.clone());
        let Some(refresh_token) = refresh_token.filter(|_| guard.extend()) else {
            return self.refresh_failed(Err(NetworkError));
        };
        let result = self.send_once(ApiRequest::refresh(), Some(refresh_token.clone())).await;
        if !guard.extend() {
            // Another tab has refreshed since, and its response counts: it may have replaced ours.
            self.sync();
            return self
                .outcome_without_request(used, epoch)
                .unwrap_or_else(|| self.refresh_failed(Err(NetworkError)));
        }
        // A tab that was suspended meanwhile has received no messages: another may have logged out.
        self.sync_with_storage();
        let refreshed = result.as_ref().ok().and_then(ApiResponse::success::<Refreshed>);
        if let Some(refreshed) =
            refreshed.filter(|_| self.epoch() == epoch && !self.inner.borrow().is_logging_out)
        {
            return self.replace_tokens(refreshed.into_tokens(), used);
        }
        if let Some(outcome) = self.outcome_without_request(used, epoch) {
            return outcome;
        }
        match result {
            // Rejection of a refresh token that is not the current one says nothing about it.
            _ if !self.is_current_refresh_token(&refresh_token) => {
                self.refresh_failed(Err(NetworkError))
            }
            // Only a rejection by the server itself ends a session: a status alone may come from
            // any proxy in between.
            Ok(response) if response.is_token_rejected() => {
                let end = SessionEnd::of(response.reason());
                self.ports.observer.session_ended(end);
                self.end_session(Some(end));
                RefreshOutcome::SessionOver
            }
            Ok(response) if response.status >= 400 => self.refresh_failed(Ok(response)),
            // A success without tokens must not be returned as the response to the request.
            Ok(_) | Err(NetworkError) => self.refresh_failed(Err(NetworkError)),
        }
    }

    /// The name of the current session's lock. Registers the sender that is notified once newer
    /// tokens replace the current ones.
    fn lock_name(&self, superseded: Option<oneshot::Sender<()>>) -> String {
        let mut inner = self.inner.borrow_mut();
        if superseded.is_some() {
            inner.superseded = superseded;
        }
        inner.current.as_ref().map(|current| current.persisted.session_id()).unwrap_or_default()
    }

    fn is_current_refresh_token(&self, token: &str) -> bool {
        let inner = self.inner.borrow();
        inner.current.as_ref().is_some_and(|current| current.persisted.refresh_token == token)
    }

    fn refresh_failed(&self, result: Result<ApiResponse, NetworkError>) -> RefreshOutcome {
        self.inner.borrow_mut().backoff_until = self.ports.runtime.now() + RETRY_BACKOFF;
        self.ports.observer.renewal_rescheduled();
        RefreshOutcome::Failed(result)
    }

    /// Stores a session's next pair of tokens, and sends it to the other tabs.
    fn replace_tokens(&self, tokens: TokenPair, used: &str) -> RefreshOutcome {
        let expiry = self.expiry_of(&tokens);
        let persisted = {
            let mut inner = self.inner.borrow_mut();
            let Some(current) = &mut inner.current else { return RefreshOutcome::SessionOver };
            let persisted = PersistedSession {
                access_token: tokens.access_token,
                refresh_token: tokens.refresh_token,
                user: current.persisted.user.clone(),
            };
            // Without a working lock another tab may have been faster.
            if current.persisted.access_token != used
                && !persisted.is_newer_than(&current.persisted)
            {
                return RefreshOutcome::Refreshed(current.persisted.access_token.clone());
            }
            current.persisted = persisted.clone();
            current.expiry = Some(expiry);
            current.is_stored = self.ports.storage.save(current.scope, &persisted);
            persisted
        };
        let access_token = persisted.access_token.clone();
        self.ports.channel.broadcast(&Message::TokensRefreshed(persisted));
        self.ports.observer.tokens_refreshed();
        self.ports.observer.renewal_rescheduled();
        RefreshOutcome::Refreshed(access_token)
    }
}
