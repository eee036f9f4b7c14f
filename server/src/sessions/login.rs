//! Logging in: a name, a password, a new session.

use std::sync::Arc;

use app::{
    api::error::Code,
    backend::{Cookie, Credentials, Entry, Failure, Origin},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    attempts::{Attempt, Refused, Subject},
    devices::Device,
    service::Inner,
};
use crate::{
    accounts::{
        hashing::{Client, Verdict},
        password::Password,
        username,
    },
    failure::internal,
    store::{AuditEntry, Event, NewSession, Outcome, Session, StoreError, StoredUser},
};

/// Living sessions that a user may have.
const PER_USER: u64 = 100;
/// Bytes of the hash that stands for an account's name: what people type there is not always a name.
const NAME_BYTES: usize = 16;

/// What name and password have shown.
pub(super) enum Checked {
    Right {
        account: StoredUser,
        /// The hash that is kept of it now.
        hash: String,
    },
    /// The right password of a disabled account.
    Disabled(Uuid),
    Wrong(Uuid),
    Unknown,
}

impl Inner {
    /// What is wrong is not told, and costs the same: without a device that is known, whether there is an account is asked only
    /// of those who were let in; of them each costs one look-up, one hash, one write.
    pub(super) async fn login(
        self: &Arc<Self>,
        credentials: Credentials,
        cookies: &[Cookie],
        origin: Origin,
    ) -> Result<Entry, Failure> {
        let Credentials { username, password, remember } = credentials;
        let key = username::lookup_key(&username);
        let name = key.as_deref().unwrap_or(&username);
        let device = self.devices.recognise(name, cookies);
        let subjects = self.subjects(name, device.as_ref(), &origin);
        let trying = self.entry(Event::LoggedIn, None, None, origin.clone());
        let attempt = self.admit(subjects, key.as_deref(), trying).await?;
        let refused = |user, outcome| AuditEntry { outcome, ..self.entry(Event::LoggedIn, user, None, origin.clone()) };
        let (account, hash) = match self.check_password(key.as_deref(), password, Client::of(&origin)).await? {
            Checked::Right { account, hash } => (account, hash),
            Checked::Disabled(user) => {
                tracing::info!(%user, "log-in refused: disabled");
                let entry = refused(Some(user), Outcome::Disabled);
                self.store.insert_audit_entry(entry).await.map_err(internal)?;
                return Err(Code::AccountDisabled.into());
            }
            Checked::Wrong(user) => {
                tracing::info!(%user, "log-in refused: wrong password");
                attempt.fail(&self.store, refused(Some(user), Outcome::WrongPassword)).await.map_err(internal)?;
                return Err(Code::InvalidCredentials.into());
            }
            Checked::Unknown => {
                tracing::info!("log-in refused: no such account");
                attempt.fail(&self.store, refused(None, Outcome::UnknownAccount)).await.map_err(internal)?;
                return Err(Code::InvalidCredentials.into());
            }
        };
        let user = account.user.id;
        let begun = self.begin(user, hash, remember, device.is_some(), &attempt, origin.clone());
        let Some(session) = begun.await.map_err(internal)? else {
            tracing::info!(%user, "log-in refused: the password has just been changed");
            attempt.fail(&self.store, refused(Some(user), Outcome::WrongPassword)).await.map_err(internal)?;
            return Err(Code::InvalidCredentials.into());
        };
        let tokens = self.pair(&session, true).map_err(internal)?;
        Ok(Entry { tokens, user: account.user, device: self.devices.cookie(name, device) })
    }

    /// What a failure would count against. A device that is known is counted by itself: strangers who try the same account, or
    /// who share its address, do not keep its person out.
    pub(super) fn subjects(&self, name: &str, device: Option<&Device>, origin: &Origin) -> Vec<Subject> {
        let Some(limits) = &self.throttle.limits else { return Vec::new() };
        if let Some(device) = device {
            return vec![Subject { name: format!("device:{}", device.name()), quota: limits.login_account }];
        }
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(name.as_bytes())[..NAME_BYTES]);
        let account = Subject { name: format!("account:{hash}"), quota: limits.login_account };
        let address = self.throttle.addresses.counted(origin.address);
        let address =
            address.map(|network| Subject { name: format!("address:{network}"), quota: limits.login_address });
        [Some(account), address].into_iter().flatten().collect()
    }

    /// Lets an attempt in, or tells the audit log which was not.
    pub(super) async fn admit(
        &self,
        subjects: Vec<Subject>,
        username_key: Option<&str>,
        trying: AuditEntry,
    ) -> Result<Attempt, Failure> {
        self.attempts.admit(subjects).await.map_err(|refused| match refused {
            Refused::Throttled { subject, retry_after } => {
                self.throttle.tell(&subject, username_key.map(str::to_owned), trying);
                Failure::TooManyAttempts(retry_after)
            }
            Refused::Failed(failure) => failure,
        })
    }

    /// Compares a password with what is kept of the one of an account.
    pub(super) async fn check_password(
        &self,
        username_key: Option<&str>,
        password: String,
        client: Client,
    ) -> Result<Checked, Failure> {
        let password = Password::presented(password);
        loop {
            let found = match username_key {
                Some(key) => self.store.user_with_hash(key).await.map_err(internal)?,
                None => None,
            };
            let stored = found.as_ref().map(|(_, hash)| hash.as_str());
            let verdict = self.hasher.verify(&password, stored, client).await.map_err(internal)?;
            let Some((account, mut hash)) = found else { return Ok(Checked::Unknown) };
            let user = account.user.id;
            match verdict {
                Verdict::Wrong => return Ok(Checked::Wrong(user)),
                Verdict::Right => {}
                Verdict::RightButOutdated(new) => {
                    if !self.store.replace_hash(user, &hash, &new).await.map_err(internal)? {
                        // Somebody else was faster: what they have left is what counts.
                        continue;
                    }
                    hash = new;
                }
            }
            let is_disabled = account.disabled_at.is_some();
            return Ok(if is_disabled { Checked::Disabled(user) } else { Checked::Right { account, hash } });
        }
    }

    /// Begins a session, unless the password has been changed since it was looked at, and forgives the failures before it that
    /// counted against the one who begins it: those of others, from the same address, go on to count.
    async fn begin(
        &self,
        user: Uuid,
        password_hash: String,
        remember: bool,
        is_known_device: bool,
        attempt: &Attempt,
        origin: Origin,
    ) -> Result<Option<Session>, StoreError> {
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
        let forgiven = attempt.first().map(str::to_owned);
        let new = NewSession { session: session.clone(), password_hash, is_known_device, forgiven };
        let Some(ended) = self.store.insert_session(new, PER_USER, entry).await? else { return Ok(None) };
        for ended in ended {
            self.seen.forget(&ended.id);
        }
        tracing::info!(%user, session = %session.id, "logged in");
        Ok(Some(session))
    }
}
