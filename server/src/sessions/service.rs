//! The session service: its state, its caches and their maintenance.

use std::{fmt::Display, sync::Arc};

use app::{
    backend::{
        Caller, ClientInfo, DeviceCookie, Failure, FreshToken, LoginAttempt, LoginOutcome,
        NewPassword, PasswordAttempt, Sessions,
    },
    protocol::{
        TokenPair, TokenScheme,
        error::Reason,
        sessions::{SessionInfo, SessionSelector},
    },
};
use async_trait::async_trait;
use axum::http::HeaderMap;
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use super::{
    acknowledgements::Acknowledgements,
    clock_check::{ClockCheck, Plausibility},
    device_cookie::DeviceCookies,
    login_attempts::LoginAttempts,
    rotation::{Lifetimes, RefreshOutcome},
};
use crate::{
    accounts::{hashing::Hasher, password::Policy, user_cache::UserCache},
    cache::ReadThroughCache,
    clock::Env,
    domain::access::AuthRequirement,
    failure::{Internal, internal},
    limits::{ChangeLimit, ChangeLimiter, Limiter, Throttle},
    store::{
        ActError, Actor, AuditEntry, EndReason, Event, Session, SessionChange, Store, StoreError,
    },
    task::run_to_completion,
    tokens::{
        blocklist::Blocklist,
        codec::{Codec, Grant},
    },
};

/// Largest number of cached sessions: about 150 bytes each.
const CAPACITY: usize = 50_000;
/// Entries of the blocklist that are read at a time.
const BLOCKLIST_PAGE: u64 = 10_000;

/// Settings of sessions.
#[derive(Clone, Copy, Debug)]
pub struct SessionRules {
    /// Lifetimes of tokens and sessions.
    pub lifetimes: Lifetimes,
    /// Issue a new refresh token with each refresh.
    pub rotates: bool,
    /// The password policy.
    pub policy: Policy,
    /// Retention of the audit log in seconds.
    pub audit: i64,
}

/// The session service. A handle: clones share its state.
#[derive(Clone)]
pub struct SessionService(Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) user_cache: Arc<UserCache>,
    pub(super) hasher: Arc<Hasher>,
    pub(super) codec: Codec,
    pub(super) blocklist: Blocklist,
    pub(super) session_cache: ReadThroughCache<Uuid, Session>,
    pub(super) acknowledgements: Acknowledgements,
    pub(super) attempts: Arc<LoginAttempts>,
    pub(super) device_cookies: DeviceCookies,
    pub(super) throttle: Arc<Throttle>,
    refreshes: Option<Limiter<Uuid>>,
    changes: Option<ChangeLimiter>,
    pub(super) lifetimes: Lifetimes,
    pub(super) rotates: bool,
    pub(super) policy: Policy,
    audit: i64,
    pub(super) env: Env,
    /// The database's change counter at the last poll.
    changes_seen: Mutex<Option<i64>>,
    /// Notified when an account was deleted whose data may remain.
    pub(super) deletions: Notify,
    clock_check: Mutex<ClockCheck>,
}

impl SessionService {
    /// Starts the service: reads the blocklist into memory.
    ///
    /// # Errors
    ///
    /// [`Internal`] if the database cannot be read or no key can be derived.
    pub async fn start(
        store: Store,
        user_cache: Arc<UserCache>,
        hasher: Arc<Hasher>,
        codec: Codec,
        rules: SessionRules,
        throttle: Arc<Throttle>,
        env: Env,
    ) -> Result<Self, Internal> {
        let SessionRules { lifetimes, rotates, policy, audit } = rules;
        let refreshes =
            throttle.limits.map(|limits| Limiter::new(limits.refresh, Arc::clone(&env.clock)));
        let changes = throttle.limits.map(|limits| ChangeLimiter::new(&limits, &env.clock));
        let clock_check =
            ClockCheck::new(last_activity(&store).await?, env.now(), env.clock.elapsed());
        let inner = Inner {
            attempts: Arc::new(LoginAttempts::new(store.clone(), env.clone())),
            device_cookies: DeviceCookies::new(codec.mac_for("devices")?, env.clone()),
            throttle,
            refreshes,
            changes,
            store,
            user_cache,
            hasher,
            codec,
            blocklist: Blocklist::default(),
            session_cache: ReadThroughCache::new(CAPACITY),
            acknowledgements: Acknowledgements::default(),
            lifetimes,
            rotates,
            policy,
            audit,
            env,
            changes_seen: Mutex::new(None),
            deletions: Notify::new(),
            clock_check: Mutex::new(clock_check),
        };
        inner.read_blocklist().await?;
        Ok(Self(Arc::new(inner)))
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// Authenticates a request by its bearer token.
    ///
    /// # Errors
    ///
    /// The `token_*` codes if the token is missing or invalid, `bad_request` for several tokens,
    /// `unavailable` if the database does not answer.
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        auth: AuthRequirement,
        client_info: &ClientInfo,
    ) -> Result<Caller, Failure> {
        Inner::authenticate(&self.0, headers, auth, client_info).await
    }

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
        let Some(changes) = &self.0.changes else { return Ok(()) };
        changes.take(caller, limit).map_err(|refused| {
            let entry = AuditEntry {
                detail: Some(endpoint.to_string()),
                ..self.0.entry(
                    Event::ChangeRefused,
                    Some(caller.user),
                    Some(caller.session),
                    client_info.clone(),
                )
            };
            self.0.throttle.audit_throttled(&refused.subject, None, entry);
            Failure::TooManyAttempts(refused.retry_after)
        })
    }

    /// Writes the acknowledged generations recorded since the last time.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the write fails; they stay recorded then.
    pub async fn write_acknowledgements(&self) -> Result<(), StoreError> {
        let generations = self.0.acknowledgements.unwritten();
        if !generations.is_empty() {
            self.0.store.acknowledge(generations.clone()).await?;
            self.0.acknowledgements.written(&generations);
        }
        Ok(())
    }

    /// Invalidates cached sessions and accounts, and reads new entries of the blocklist, after
    /// another process has written.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a query fails.
    pub async fn invalidate_caches(&self) -> Result<(), StoreError> {
        self.0.session_cache.invalidate_all();
        self.0.user_cache.invalidate_all();
        self.0.read_blocklist().await
    }

    /// Invalidates the caches if another process has written since the last poll.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a query fails; the next poll tries again.
    pub async fn poll_changes(&self) -> Result<(), StoreError> {
        let mut seen = self.0.changes_seen.lock().await;
        let now = self.0.store.external_version().await?;
        if *seen != Some(now) {
            self.invalidate_caches().await?;
        }
        *seen = Some(now);
        Ok(())
    }

    /// Deletes expired sessions, revoked tokens, login failures and audit entries. While the clock
    /// is implausible, everything is kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a query fails.
    pub async fn delete_expired(&self) -> Result<(), StoreError> {
        let Inner { store, blocklist, lifetimes, throttle, audit, env, .. } = &*self.0;
        let now = env.now();
        if !self.0.is_clock_plausible(now).await? {
            return Ok(());
        }
        blocklist.remove_expired(now);
        let tokens = store.sweep_revoked_tokens(now).await?;
        let sessions = store.sweep_sessions(lifetimes.longest(), now).await?;
        let counting = throttle
            .limits
            .map_or(0, |limits| limits.login_account.seconds.max(limits.login_address.seconds));
        let failures = store.sweep_login_failures(now.saturating_sub(counting)).await?;
        let entries = store.sweep_audit_entries(now.saturating_sub(*audit)).await?;
        store.record_cleanup(now).await?;
        self.0.retry_incomplete_blocklist().await?;
        tracing::debug!(tokens, sessions, failures, entries, "swept");
        Ok(())
    }

    /// Deletes the remaining data of deleted accounts, in batches.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a write fails; the next call continues.
    pub async fn finish_deletions(&self) -> Result<(), StoreError> {
        while self.0.store.continue_deletions().await? {}
        Ok(())
    }

    /// Waits until an account is deleted.
    pub(super) async fn next_deletion(&self) {
        self.0.deletions.notified().await;
    }
}

/// Returns the last time at which the clock was known to be right: the last cleanup, or else the
/// newest audit entry.
async fn last_activity(store: &Store) -> Result<Option<i64>, StoreError> {
    match store.last_cleanup().await? {
        Some(at) => Ok(Some(at)),
        None => Ok(store.newest_audit_entry().await?.map(|(_, at)| at)),
    }
}

#[async_trait]
impl Sessions for SessionService {
    async fn login(
        &self,
        credentials: LoginAttempt,
        cookies: Vec<DeviceCookie>,
        client_info: ClientInfo,
    ) -> Result<LoginOutcome, Failure> {
        let inner = Arc::clone(&self.0);
        // Even if the client disconnects: the attempt counts.
        run_to_completion(async move { inner.login(credentials, &cookies, client_info).await })
            .await
    }

    async fn refresh(
        &self,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<TokenPair, Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        run_to_completion(async move { Inner::refresh(&inner, &caller, client_info).await }).await
    }

    async fn reauthenticate(
        &self,
        caller: &Caller,
        password: PasswordAttempt,
        client_info: ClientInfo,
    ) -> Result<FreshToken, Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        run_to_completion(async move { inner.reauthenticate(&caller, password, client_info).await })
            .await
    }

    async fn change_password(
        &self,
        caller: &Caller,
        change: NewPassword,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        run_to_completion(async move { inner.change_password(&caller, change, client_info).await })
            .await
    }

    async fn delete_account(&self, caller: &Caller, typed: String) -> Result<(), Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        run_to_completion(async move { inner.delete_account(&caller, &typed).await }).await
    }

    async fn list_sessions(&self, caller: &Caller) -> Result<Vec<SessionInfo>, Failure> {
        self.0.list_sessions(caller).await
    }

    async fn revoke_sessions(
        &self,
        caller: &Caller,
        ending: SessionSelector,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        run_to_completion(async move { inner.revoke_sessions(&caller, ending, client_info).await })
            .await
    }

    async fn logout(&self, caller: &Caller, client_info: ClientInfo) -> Result<(), Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        run_to_completion(async move { inner.logout(&caller, client_info).await }).await
    }
}

impl Inner {
    pub(super) fn entry(
        &self,
        event: Event,
        user: Option<Uuid>,
        session: Option<Uuid>,
        client_info: ClientInfo,
    ) -> AuditEntry {
        AuditEntry { user, session, ..AuditEntry::of(event, self.env.now(), client_info) }
    }

    async fn refresh(
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
            Ok(()) => {}
            // The session has ended meanwhile: logout is idempotent.
            Err(ActError::Denied(_)) => return Ok(()),
            Err(ActError::Store(error)) => return Err(internal(error)),
        }
        tracing::info!(user = %caller.user, session = %session.id, "logged out");
        Ok(())
    }

    /// Returns whether the clock is plausible, so that old rows may be deleted.
    async fn is_clock_plausible(&self, now: i64) -> Result<bool, StoreError> {
        let newest = self.store.newest_audit_entry().await?.map_or(0, |(id, _)| id);
        let verdict = self.clock_check.lock().await.check(now, self.env.clock.elapsed(), newest);
        match verdict {
            Plausibility::Confirmed => tracing::info!("the clock is confirmed: cleanup goes on"),
            Plausibility::Held { is_new, ahead } if is_new => tracing::warn!(
                days_ahead = ahead / 86_400,
                "the clock is far ahead of the last cleanup: nothing is cleaned up before it has gone on evenly for an hour \
                 and the audit log has a new entry; set the clock if it is wrong"
            ),
            Plausibility::Plausible | Plausibility::Held { .. } => {}
        }
        Ok(!matches!(verdict, Plausibility::Held { .. }))
    }

    pub(super) async fn session(&self, id: Uuid) -> Result<Option<Session>, StoreError> {
        self.session_cache.get_or_load(id, async || self.store.session(id).await).await
    }

    /// Reads new entries of the blocklist; expired ones, too, as the clock may be ahead.
    async fn read_blocklist(&self) -> Result<(), StoreError> {
        self.read_into(&self.blocklist).await
    }

    /// Reads the blocklist again if it did not fit into memory: it may fit by now.
    async fn retry_incomplete_blocklist(&self) -> Result<(), StoreError> {
        if self.blocklist.read_from().is_some() {
            return Ok(());
        }
        let blocklist = Blocklist::default();
        self.read_into(&blocklist).await?;
        self.blocklist.replace(blocklist);
        // Entries added meanwhile.
        self.read_blocklist().await
    }

    async fn read_into(&self, blocklist: &Blocklist) -> Result<(), StoreError> {
        while let Some(last) = blocklist.read_from() {
            let tokens = self.store.revoked_tokens(last, BLOCKLIST_PAGE).await?;
            let is_last = u64::try_from(tokens.len()).is_ok_and(|count| count < BLOCKLIST_PAGE);
            blocklist.add(tokens);
            if is_last {
                return Ok(());
            }
        }
        tracing::warn!(
            "there are more revoked tokens than fit into memory: each request looks its token up"
        );
        Ok(())
    }

    pub(super) fn pair(&self, session: &Session, fresh: bool) -> Result<TokenPair, Internal> {
        self.pair_with(session, &session.refresh_grant(&self.lifetimes), fresh)
    }

    fn pair_with(
        &self,
        session: &Session,
        refresh: &Grant,
        fresh: bool,
    ) -> Result<TokenPair, Internal> {
        let now = self.env.now();
        let access = session.access_grant(now, &self.lifetimes);
        Ok(TokenPair {
            access_token: self.codec.access(&access, fresh, &self.env)?,
            refresh_token: self.codec.refresh(refresh)?,
            token_type: TokenScheme::Bearer,
            expires_in: access.expires_at - now,
            refresh_expires_in: refresh.expires_at - now,
        })
    }
}
