//! Log in, refresh, log out, and who calls.

use std::sync::Arc;

use app::{
    api::{
        TokenPair, TokenScheme, TokenType, User,
        error::{Code, Reason},
        operations::Auth,
    },
    backend::{Caller, Credentials, Failure, Origin, Sessions},
};
use async_trait::async_trait;
use axum::http::HeaderMap;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{
    acknowledgements::Acknowledgements,
    rotation::{Lifetimes, Step},
};
use crate::{
    accounts::{
        directory::Directory,
        hashing::{Hasher, Verdict},
        password::Password,
        username,
    },
    clock::World,
    failure::{Internal, internal},
    mirror::Mirror,
    store::{AuditEntry, Change, EndReason, Event, Outcome, RevokedToken, Session, Store, StoreError, StoredUser},
    tokens::{
        bearer::bearer,
        blocklist::Blocklist,
        codec::{Codec, Grant},
    },
};

/// Sessions that are kept in memory at most: about 150 bytes each.
const CAPACITY: usize = 50_000;
/// Living sessions that a user may have.
const PER_USER: u64 = 100;

/// Sessions. A handle: clones are the same.
#[derive(Clone)]
pub struct SessionService(Arc<Inner>);

struct Inner {
    store: Store,
    directory: Arc<Directory>,
    hasher: Arc<Hasher>,
    codec: Codec,
    blocklist: Blocklist,
    seen: Mirror<Uuid, Session>,
    acknowledgements: Acknowledgements,
    lifetimes: Lifetimes,
    rotates: bool,
    world: World,
}

impl SessionService {
    /// The sessions of a database, with what was revoked read into memory.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn start(
        store: Store,
        directory: Arc<Directory>,
        hasher: Arc<Hasher>,
        codec: Codec,
        lifetimes: Lifetimes,
        rotates: bool,
        world: World,
    ) -> Result<Self, StoreError> {
        let inner = Inner {
            store,
            directory,
            hasher,
            codec,
            blocklist: Blocklist::default(),
            seen: Mirror::new(CAPACITY),
            acknowledgements: Acknowledgements::default(),
            lifetimes,
            rotates,
            world,
        };
        inner.read_blocklist().await?;
        Ok(Self(Arc::new(inner)))
    }

    /// Who calls, by the token in a request's headers.
    ///
    /// # Errors
    ///
    /// The `token_*` codes, `bad_request`, `unavailable`.
    pub async fn authenticate(&self, headers: &HeaderMap, auth: Auth, origin: &Origin) -> Result<Caller, Failure> {
        Inner::authenticate(&self.0, headers, auth, origin).await
    }

    /// Writes down which generations were presented since the last time.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: they stay noted then.
    pub async fn write_acknowledgements(&self) -> Result<(), StoreError> {
        let generations = self.0.acknowledgements.unwritten();
        if !generations.is_empty() {
            self.0.store.acknowledge(generations.clone()).await?;
            self.0.acknowledgements.written(&generations);
        }
        Ok(())
    }

    /// Reads everything anew, after another process has written to the database.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn read_again(&self) -> Result<(), StoreError> {
        self.0.seen.clear();
        self.0.directory.clear();
        self.0.read_blocklist().await
    }

    /// A number that changes when another process has written to the database.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn changes_elsewhere(&self) -> Result<i64, StoreError> {
        self.0.store.changes_elsewhere().await
    }

    /// Forgets sessions and revoked tokens that can no longer be presented.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let Inner { store, blocklist, lifetimes, world, .. } = &*self.0;
        let now = world.now();
        blocklist.sweep(now);
        let tokens = store.sweep_revoked_tokens(now).await?;
        let longest = lifetimes.refresh.max(lifetimes.refresh_short).max(lifetimes.access);
        let sessions = store.sweep_sessions(longest, now).await?;
        tracing::debug!(tokens, sessions, "swept");
        Ok(())
    }
}

/// Runs a change to its end, also when whoever asked for it has hung up: between the database and its mirror in memory nothing
/// may get lost.
async fn to_its_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    tokio::spawn(change.in_current_span()).await.map_err(internal)?
}

#[async_trait]
impl Sessions for SessionService {
    async fn login(&self, credentials: Credentials, origin: Origin) -> Result<(TokenPair, User), Failure> {
        let account = Inner::check_password(&self.0, &credentials, &origin).await?;
        let inner = Arc::clone(&self.0);
        to_its_end(async move {
            let session = inner.begin(account.user.id, credentials.remember, origin).await.map_err(internal)?;
            Ok((inner.pair(&session, true).map_err(internal)?, account.user))
        })
        .await
    }

    async fn refresh(&self, caller: &Caller, origin: Origin) -> Result<TokenPair, Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        to_its_end(async move { Inner::refresh(&inner, &caller, origin).await }).await
    }

    async fn logout(&self, caller: &Caller, origin: Origin) -> Result<(), Failure> {
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        to_its_end(async move { inner.logout(&caller, origin).await.map_err(internal) }).await
    }
}

impl Inner {
    /// Form, signature, time, issuer, audience and type are the codec's to check; here follow blocklist and session.
    async fn authenticate(
        self: &Arc<Self>,
        headers: &HeaderMap,
        auth: Auth,
        origin: &Origin,
    ) -> Result<Caller, Failure> {
        let now = self.world.now();
        let caller = self.codec.verify(bearer(headers)?, auth, now)?;
        let Some(mut session) = self.session(caller.session).await.map_err(internal)? else {
            return Err(Failure::Revoked(None));
        };
        if caller.generation > session.generation {
            // Another process may have refreshed it a moment ago.
            self.seen.forget(&caller.session);
            session = self.session(caller.session).await.map_err(internal)?.ok_or(Failure::Revoked(None))?;
        }
        let is_known = session.user == caller.user && caller.generation <= session.generation;
        if !session.is_living(now) || !is_known || self.blocklist.contains(&caller.jti) {
            return Err(Failure::Revoked(session.ended.map(Reason::from)));
        }
        if caller.token_type == TokenType::Access && session.is_replaced(caller.generation) {
            let (inner, origin) = (Arc::clone(self), origin.clone());
            to_its_end(async move { inner.end_reused(session.id, &origin).await.map_err(internal) }).await?;
            return Err(Failure::Revoked(Some(Reason::Reused)));
        }
        if caller.generation == session.generation && !session.acknowledged {
            self.acknowledgements.note(session.id, session.generation);
            // From here on this session's calls find it acknowledged, and note nothing.
            self.seen.amend(&session.id, |seen| seen.acknowledged |= seen.generation == session.generation);
        }
        match self.directory.get(caller.user).await.map_err(internal)? {
            None => Err(Failure::Revoked(None)),
            Some(account) if account.disabled_at.is_some() => Err(Failure::Revoked(Some(Reason::Disabled))),
            Some(_) => Ok(caller),
        }
    }

    /// The account that these credentials are for. What is wrong is not told, and costs the same: one look-up, one hash.
    async fn check_password(
        self: &Arc<Self>,
        credentials: &Credentials,
        origin: &Origin,
    ) -> Result<StoredUser, Failure> {
        let password = Password::presented(credentials.password.clone());
        let found = match username::lookup_key(&credentials.username) {
            Some(key) => self.store.user_with_hash(&key).await.map_err(internal)?,
            None => None,
        };
        let stored = found.as_ref().map(|(_, hash)| hash.as_str());
        let verdict = self.hasher.verify(&password, stored).await.map_err(internal)?;
        let Some((account, old_hash)) = found else {
            tracing::info!("log-in refused: no such account");
            self.note_refusal(None, Outcome::UnknownAccount, origin);
            return Err(Code::InvalidCredentials.into());
        };
        let user = Some(account.user.id);
        match verdict {
            Verdict::Wrong => {
                tracing::info!(user = %account.user.id, "log-in refused: wrong password");
                self.note_refusal(user, Outcome::WrongPassword, origin);
                return Err(Code::InvalidCredentials.into());
            }
            Verdict::Right => {}
            Verdict::RightButOutdated(new_hash) => {
                self.store.replace_hash(account.user.id, &old_hash, &new_hash).await.map_err(internal)?;
            }
        }
        if account.disabled_at.is_some() {
            tracing::info!(user = %account.user.id, "log-in refused: disabled");
            self.note_refusal(user, Outcome::Disabled, origin);
            return Err(Code::AccountDisabled.into());
        }
        Ok(account)
    }

    /// Puts a refused log-in into the audit log. Nobody waits for it: the answer takes the same time whatever was wrong.
    fn note_refusal(self: &Arc<Self>, user: Option<Uuid>, outcome: Outcome, origin: &Origin) {
        let entry = AuditEntry { outcome, ..self.entry(Event::LoggedIn, user, None, origin.clone()) };
        let inner = Arc::clone(self);
        let noting = async move {
            if let Err(error) = inner.store.insert_audit_entry(entry).await {
                tracing::error!(%error, "a refused log-in is missing in the audit log");
            }
        };
        tokio::spawn(noting.in_current_span());
    }

    fn entry(&self, event: Event, user: Option<Uuid>, session: Option<Uuid>, origin: Origin) -> AuditEntry {
        AuditEntry { at: self.world.now(), event, outcome: Outcome::Success, user, session, origin }
    }

    async fn begin(&self, user: Uuid, remember: bool, origin: Origin) -> Result<Session, StoreError> {
        let now = self.world.now();
        let session = Session {
            id: self.world.uuid(),
            user,
            generation: 1,
            parent_generation: None,
            acknowledged: false,
            replaced: Vec::new(),
            remember,
            created_at: now,
            refreshed_at: now,
            expires_at: now.saturating_add(self.lifetimes.session),
            ended: None,
        };
        let entry = self.entry(Event::LoggedIn, Some(user), Some(session.id), origin);
        for ended in self.store.insert_session(session.clone(), PER_USER, entry).await? {
            self.seen.forget(&ended.id);
        }
        tracing::info!(%user, session = %session.id, "logged in");
        Ok(session)
    }

    async fn refresh(self: &Arc<Self>, caller: &Caller, origin: Origin) -> Result<TokenPair, Failure> {
        if !self.rotates {
            return self.repeat(caller).await;
        }
        let (now, presented, inner) = (self.world.now(), caller.generation, Arc::clone(self));
        let changed = self
            .store
            .change_session(caller.session, move |session| {
                let acknowledged = inner.acknowledgements.has(session.id, session.generation);
                match session.refresh(presented, acknowledged, now, &inner.lifetimes) {
                    Step::Next(next) => Change { session: Some(next.clone()), entry: None, answer: Ok(next) },
                    Step::Same => Change { session: None, entry: None, answer: Ok(session) },
                    Step::Reuse(ended) => {
                        let entry = inner.entry(Event::RefreshReused, Some(ended.user), Some(ended.id), origin);
                        Change { session: Some(ended), entry: Some(entry), answer: Err(Some(Reason::Reused)) }
                    }
                    Step::Refuse => Change { session: None, entry: None, answer: Err(session.ended.map(Reason::from)) },
                }
            })
            .await;
        self.seen.forget(&caller.session);
        match changed.map_err(internal)? {
            Some(Ok(session)) => self.pair(&session, false).map_err(internal),
            Some(Err(reason)) => {
                if reason == Some(Reason::Reused) {
                    tracing::warn!(user = %caller.user, session = %caller.session, "a refresh token was used again");
                }
                Err(Failure::Revoked(reason))
            }
            None => Err(Failure::Revoked(None)),
        }
    }

    /// Without rotation: the refresh token that came, again, with a new access token.
    async fn repeat(&self, caller: &Caller) -> Result<TokenPair, Failure> {
        let session = self.session(caller.session).await.map_err(internal)?.ok_or(Failure::Revoked(None))?;
        let presented = Grant {
            generation: caller.generation,
            issued_at: caller.issued_at,
            expires_at: caller.expires_at,
            ..session.refresh_grant(&self.lifetimes)
        };
        self.pair_with(&session, &presented, false).map_err(internal)
    }

    /// Ends a session one of whose tokens was presented by somebody who should not have had it.
    async fn end_reused(self: &Arc<Self>, id: Uuid, origin: &Origin) -> Result<(), StoreError> {
        let (inner, origin) = (Arc::clone(self), origin.clone());
        let changed = self
            .store
            .change_session(id, move |session| {
                if session.ended.is_some() {
                    return Change { session: None, entry: None, answer: () };
                }
                let entry = inner.entry(Event::RefreshReused, Some(session.user), Some(id), origin);
                Change { session: Some(session.reused()), entry: Some(entry), answer: () }
            })
            .await;
        self.seen.forget(&id);
        tracing::warn!(session = %id, "a token that nobody was given was presented");
        changed.map(|_| ())
    }

    async fn logout(&self, caller: &Caller, origin: Origin) -> Result<(), Internal> {
        let Some(session) = self.store.session(caller.session).await? else { return Ok(()) };
        let revoked = vec![
            RevokedToken { jti: caller.jti.clone(), token_type: caller.token_type, expires_at: caller.expires_at },
            RevokedToken {
                jti: self.codec.refresh_jti(session.id, session.generation)?,
                token_type: TokenType::Refresh,
                expires_at: session.refresh_grant(&self.lifetimes).expires_at,
            },
        ];
        let entry = self.entry(Event::LoggedOut, Some(caller.user), Some(session.id), origin);
        let done = self.store.end_session(session.id, EndReason::LoggedOut, revoked.clone(), entry).await;
        // Also where it is not known whether the database has got it: memory must not know better.
        self.seen.forget(&session.id);
        done?;
        self.blocklist.add(revoked.into_iter().map(|token| (token.jti, token.expires_at)));
        tracing::info!(user = %caller.user, session = %session.id, "logged out");
        Ok(())
    }

    async fn session(&self, id: Uuid) -> Result<Option<Session>, StoreError> {
        self.seen.get_or_load(id, self.store.session(id)).await
    }

    async fn read_blocklist(&self) -> Result<(), StoreError> {
        self.blocklist.add(self.store.revoked_tokens(self.world.now()).await?);
        Ok(())
    }

    fn pair(&self, session: &Session, fresh: bool) -> Result<TokenPair, Internal> {
        self.pair_with(session, &session.refresh_grant(&self.lifetimes), fresh)
    }

    fn pair_with(&self, session: &Session, refresh: &Grant, fresh: bool) -> Result<TokenPair, Internal> {
        let now = self.world.now();
        let access = session.access_grant(now, &self.lifetimes);
        Ok(TokenPair {
            access_token: self.codec.access(&access, fresh, &self.world)?,
            refresh_token: self.codec.refresh(refresh)?,
            token_type: TokenScheme::Bearer,
            expires_in: access.expires_at - now,
            refresh_expires_in: refresh.expires_at - now,
        })
    }
}
