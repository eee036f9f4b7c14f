//! The session service: its state, and the use cases that it offers to the API.

use std::sync::Arc;

use app::{
    backend::{
        ActivitySearch, Caller, ClientInfo, CodeRequestCookie, DeviceCookie, Failure, FreshToken,
        LoginAttempt, LoginOutcome, NewPassword, PasswordAttempt, Sessions,
    },
    protocol::{
        TokenPair,
        activity::ActivityPage,
        sessions::{SessionInfo, SessionSelector},
    },
};
use async_trait::async_trait;
use axum::http::HeaderMap;
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use super::{
    acknowledgements::Acknowledgements, caches::LastHeard, cleanup::last_activity,
    clock_check::ClockCheck, device_cookie::DeviceCookies, login_attempts::LoginAttempts, refresh,
};
use crate::{
    accounts::{hashing::Hasher, user_cache::UserCache},
    cache::ReadThroughCache,
    clock::Env,
    domain::{access::AuthRequirement, password::Policy, rotation::Lifetimes, session::Session},
    limits::{ChangeLimiter, Limiter, MailLimiter, Throttle},
    metrics::{Cache, metrics},
    store::{AuditEntry, Event, Position, Store, StoreError},
    task::Tasks,
    tokens::{blocklist::Blocklist, codec::Codec, keys::SignError},
};

/// Largest number of cached sessions: about 150 bytes each.
const CAPACITY: usize = 50_000;

/// Dependencies and settings of the session service.
pub struct SessionDependencies {
    /// The database.
    pub store: Store,
    /// Cached accounts.
    pub user_cache: Arc<UserCache>,
    /// The password hasher.
    pub hasher: Arc<Hasher>,
    /// Signing and verification of tokens.
    pub codec: Codec,
    /// Settings.
    pub rules: SessionRules,
    /// Rate limits and their audit entries.
    pub throttle: Arc<Throttle>,
    /// Clock and random numbers.
    pub env: Env,
    /// Tasks that may outlive their request.
    pub tasks: Tasks,
}

/// Settings of sessions.
#[derive(Clone)]
pub struct SessionRules {
    /// Lifetimes of tokens and sessions.
    pub lifetimes: Lifetimes,
    /// Issue a new refresh token with each refresh.
    pub rotates: bool,
    /// The password policy.
    pub policy: Policy,
    /// Retention of the audit log in seconds.
    pub audit: i64,
    /// Mail.
    pub mail: MailRules,
}

/// Mail, as far as use cases need to know.
#[derive(Clone)]
pub struct MailRules {
    /// True if mail is sent.
    pub is_on: bool,
    /// True if a login requires a verified address.
    pub requires_verified_address: bool,
    /// Origin of links; [`None`] if it is not configured.
    pub site_url: Option<String>,
    /// Rate limits of mails.
    pub limits: Arc<MailLimiter>,
}

/// Error of starting the service.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key of the device cookies cannot be derived.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// The session service. A handle: clones share its state.
#[derive(Clone)]
pub struct SessionService(Arc<Inner>);

/// Dependencies, settings and caches of the service.
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
    pub(super) refreshes: Option<Limiter<Uuid>>,
    pub(super) changes: Option<ChangeLimiter>,
    pub(super) lifetimes: Lifetimes,
    pub(super) rotates: bool,
    pub(super) policy: Policy,
    pub(super) audit: i64,
    pub(super) mail: MailRules,
    pub(super) env: Env,
    /// Position after the changes that the caches know of.
    pub(super) changes_position: Mutex<Position>,
    pub(super) last_heard: LastHeard,
    /// Notified when an account was deleted whose data may remain.
    pub(super) deletions: Notify,
    pub(super) clock_check: Mutex<ClockCheck>,
    pub(super) tasks: Tasks,
}

impl SessionService {
    /// Starts the service: reads the blocklist into memory.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the database cannot be read or no key can be derived.
    pub async fn start(dependencies: SessionDependencies) -> Result<Self, StartError> {
        let SessionDependencies { store, user_cache, hasher, codec, rules, throttle, env, tasks } =
            dependencies;
        let SessionRules { lifetimes, rotates, policy, audit, mail } = rules;
        let refreshes =
            throttle.limits.map(|limits| Limiter::new(limits.refresh, Arc::clone(&env.clock)));
        let changes = throttle.limits.map(|limits| ChangeLimiter::new(&limits, &env.clock));
        // Before anything is read into a cache: later changes invalidate it.
        let changes_position = store.changes_position().await?;
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
            session_cache: ReadThroughCache::new(Cache::Sessions, CAPACITY),
            acknowledgements: Acknowledgements::default(),
            lifetimes,
            rotates,
            policy,
            audit,
            mail,
            env,
            changes_position: Mutex::new(changes_position),
            last_heard: LastHeard::default(),
            deletions: Notify::new(),
            clock_check: Mutex::new(clock_check),
            tasks,
        };
        inner.read_blocklist().await?;
        Ok(Self(Arc::new(inner)))
    }

    /// Runs a change to completion: see [`Tasks::run_to_completion`].
    pub(super) async fn run_to_completion<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        self.0.tasks.run_to_completion(change).await
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
        let caller = Inner::authenticate(&self.0, headers, auth, client_info).await;
        if auth == AuthRequirement::Refresh
            && let Err(failure) = &caller
        {
            metrics().refreshes.of(refresh::outcome_of(failure)).inc();
        }
        caller
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
        self.run_to_completion(async move { inner.login(credentials, &cookies, client_info).await })
            .await
    }

    async fn refresh(
        &self,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<TokenPair, Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        self.run_to_completion(async move { Inner::refresh(&inner, &caller, client_info).await })
            .await
    }

    async fn reauthenticate(
        &self,
        caller: &Caller,
        password: PasswordAttempt,
        client_info: ClientInfo,
    ) -> Result<FreshToken, Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        self.run_to_completion(
            async move { inner.reauthenticate(&caller, password, client_info).await },
        )
        .await
    }

    async fn change_password(
        &self,
        caller: &Caller,
        change: NewPassword,
        client_info: ClientInfo,
    ) -> Result<Option<DeviceCookie>, Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        self.run_to_completion(
            async move { inner.change_password(&caller, change, client_info).await },
        )
        .await
    }

    async fn delete_account(&self, caller: &Caller, typed: String) -> Result<(), Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        self.run_to_completion(async move { inner.delete_account(&caller, &typed).await }).await
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
        self.run_to_completion(
            async move { inner.revoke_sessions(&caller, ending, client_info).await },
        )
        .await
    }

    async fn activity(
        &self,
        caller: &Caller,
        search: ActivitySearch,
    ) -> Result<ActivityPage, Failure> {
        self.0.activity(caller, search).await
    }

    async fn undo(
        &self,
        token: Option<String>,
        client_info: ClientInfo,
    ) -> Result<CodeRequestCookie, Failure> {
        let inner = Arc::clone(&self.0);
        let undoing = async move { inner.undo(token.as_deref(), client_info).await };
        let browser = self.run_to_completion(undoing).await?;
        Ok(CodeRequestCookie(browser.as_str().to_owned()))
    }

    async fn logout(&self, caller: &Caller, client_info: ClientInfo) -> Result<(), Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        self.run_to_completion(async move { inner.logout(&caller, client_info).await }).await
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
}
