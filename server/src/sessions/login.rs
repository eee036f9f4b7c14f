//! Login: checks username and password, and begins a session.

use std::sync::Arc;

use app::{
    backend::{ClientInfo, DeviceCookie, Failure, LoginAttempt, LoginOutcome},
    protocol::error::Code,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    device_cookie::KnownDevice,
    login_attempts::{AdmissionError, Attempt, Subject},
    password_check::PasswordCheck,
    service::Inner,
};
use crate::{
    accounts::hashing::Client,
    domain::{session::Session, username},
    failure::internal,
    metrics::{Login, Revocation, metrics},
    store::{
        AuditEntry, DeviceEpoch, Event, InsertSessionOutcome, NewSession, Outcome, StoreError,
        StoredUser,
    },
};

/// Active sessions a user may have.
const MAX_SESSIONS_PER_USER: u64 = 100;
/// Bytes of the hash that stands for a typed username in the database: a user may have typed the
/// password there.
const ACCOUNT_HASH_BYTES: usize = 16;

/// A login whose password is right.
pub(super) struct CheckedLogin {
    pub(super) account: Box<StoredUser>,
    /// The stored hash.
    hash: String,
    attempt: Attempt,
    device: Option<KnownDevice>,
    /// Key of the username, account or not.
    name: String,
}

impl Inner {
    /// Logs in, and counts the outcome.
    pub(super) async fn login(
        self: &Arc<Self>,
        credentials: LoginAttempt,
        cookies: &[DeviceCookie],
        client_info: ClientInfo,
    ) -> Result<LoginOutcome, Failure> {
        let outcome = self.try_login(credentials, cookies, client_info).await;
        let counted = match &outcome {
            Ok(_) => Some(Login::Succeeded),
            // Counted where it is known why.
            Err(Failure::Plain(Code::InvalidCredentials)) => None,
            Err(Failure::Plain(Code::AccountDisabled)) => Some(Login::Disabled),
            Err(Failure::Plain(Code::AddressUnverified)) => Some(Login::AddressUnverified),
            Err(Failure::TooManyAttempts(_)) => Some(Login::Throttled),
            Err(_) => Some(Login::Failed),
        };
        if let Some(counted) = counted {
            metrics().logins.of(counted).inc();
        }
        outcome
    }

    /// Logs in.
    async fn try_login(
        self: &Arc<Self>,
        credentials: LoginAttempt,
        cookies: &[DeviceCookie],
        client_info: ClientInfo,
    ) -> Result<LoginOutcome, Failure> {
        let remember = credentials.remember;
        let checked = self.check_login(credentials, cookies, client_info.clone()).await?;
        let CheckedLogin { account, hash, attempt, device, name } = checked;
        let user = account.user.id;
        let refused = |outcome| AuditEntry {
            outcome,
            ..self.entry(Event::LoggedIn, Some(user), None, client_info.clone())
        };
        if self.mail.requires_verified_address && !account.is_email_verified() {
            let entry = refused(Outcome::AddressUnverified);
            return Err(self.refuse(attempt, entry, Code::AddressUnverified).await);
        }
        let session = self.new_session(user, remember);
        let begun =
            self.begin(session.clone(), hash, device.is_some(), &attempt, client_info.clone());
        let epoch = match begun.await.map_err(internal)? {
            InsertSessionOutcome::Inserted { device_epoch, .. } => {
                DeviceEpoch { user, epoch: device_epoch }
            }
            InsertSessionOutcome::PasswordChanged => {
                tracing::info!(%user, "login rejected: password changed meanwhile");
                let entry = refused(Outcome::WrongPassword);
                attempt.fail(&self.store, entry).await.map_err(internal)?;
                metrics().logins.of(Login::WrongPassword).inc();
                return Err(Code::InvalidCredentials.into());
            }
            InsertSessionOutcome::AccountDisabled => {
                let entry = refused(Outcome::Disabled);
                return Err(self.refuse(attempt, entry, Code::AccountDisabled).await);
            }
        };
        let tokens = self.pair(&session, true).map_err(internal)?;
        Ok(LoginOutcome {
            tokens,
            user: account.user,
            device_cookie: self.device_cookies.cookie(&name, epoch, device),
        })
    }

    /// Checks username and password. Failures are indistinguishable by response and by time: every
    /// admitted attempt looks up the name, hashes once and writes once, account or not. Without a
    /// known device the account is looked up after admission only.
    pub(super) async fn check_login(
        self: &Arc<Self>,
        credentials: LoginAttempt,
        cookies: &[DeviceCookie],
        client_info: ClientInfo,
    ) -> Result<CheckedLogin, Failure> {
        let LoginAttempt { username, password, .. } = credentials;
        let key = self.account_key(&username).await?;
        let name = key.clone().unwrap_or(username);
        let device = self.recognize(&name, key.as_deref(), cookies).await?;
        let subjects = self.subjects(&name, device.as_ref(), &client_info);
        let trying = self.entry(Event::LoggedIn, None, None, client_info.clone());
        let attempt = self.admit(subjects, key.as_deref(), trying).await?;
        let refused = |user, outcome| AuditEntry {
            outcome,
            ..self.entry(Event::LoggedIn, user, None, client_info.clone())
        };
        match self.check_password(key.as_deref(), password, Client::of(&client_info)).await? {
            PasswordCheck::Correct { account, hash } => {
                Ok(CheckedLogin { account, hash, attempt, device, name })
            }
            PasswordCheck::Disabled(user) => {
                let entry = refused(Some(user), Outcome::Disabled);
                Err(self.refuse(attempt, entry, Code::AccountDisabled).await)
            }
            PasswordCheck::Wrong(user) => {
                tracing::info!(%user, "login rejected: wrong password");
                attempt
                    .fail(&self.store, refused(Some(user), Outcome::WrongPassword))
                    .await
                    .map_err(internal)?;
                metrics().logins.of(Login::WrongPassword).inc();
                Err(Code::InvalidCredentials.into())
            }
            PasswordCheck::Unknown => {
                tracing::info!("login rejected: unknown account");
                attempt
                    .fail(&self.store, refused(None, Outcome::UnknownAccount))
                    .await
                    .map_err(internal)?;
                metrics().logins.of(Login::UnknownAccount).inc();
                Err(Code::InvalidCredentials.into())
            }
        }
    }

    /// Returns the username key of the account that a typed name means: that of the account which
    /// has verified the name as its address, else the name's own, account or not. So both names of
    /// an account share their failures and their devices.
    pub(super) async fn account_key(&self, typed: &str) -> Result<Option<String>, Failure> {
        let Some(key) = username::lookup_key(typed) else { return Ok(None) };
        // No other username has an at sign.
        if !key.contains('@') {
            return Ok(Some(key));
        }
        let owner = self.store.username_key_of_address(&key).await.map_err(internal)?;
        Ok(Some(owner.unwrap_or(key)))
    }

    /// Audits and returns the rejection of an account that may not log in although the password is
    /// right. It counts as a failure, so that it cannot fill the audit log.
    async fn refuse(&self, attempt: Attempt, entry: AuditEntry, code: Code) -> Failure {
        let reason = match code {
            Code::AddressUnverified => "no verified address",
            _ => "account disabled",
        };
        tracing::info!(user = ?entry.user, "login rejected: {reason}");
        match attempt.fail(&self.store, entry).await {
            Ok(()) => code.into(),
            Err(error) => internal(error),
        }
    }

    /// Recognizes the device by its cookie. A lookup is done if the request has a cookie for this
    /// username, account or not.
    async fn recognize(
        &self,
        name: &str,
        username_key: Option<&str>,
        cookies: &[DeviceCookie],
    ) -> Result<Option<KnownDevice>, Failure> {
        let Some(cookie) = self.device_cookies.cookie_for(name, cookies) else { return Ok(None) };
        let Some(key) = username_key else { return Ok(None) };
        let epoch = self.store.device_epoch(key).await.map_err(internal)?;
        Ok(self.device_cookies.recognize(cookie, epoch))
    }

    /// Returns the subjects that a failure counts against.
    ///
    /// The known devices of an account share a quota, and so do those of a network; unknown devices
    /// cannot use these up. So an attacker who guesses the password, or shares the network, does
    /// not lock the user out. Failures of known devices also count against the unknown ones of the
    /// network.
    fn subjects(
        &self,
        name: &str,
        device: Option<&KnownDevice>,
        client_info: &ClientInfo,
    ) -> Vec<Subject> {
        let Some(limits) = &self.throttle.limits else { return Vec::new() };
        let subject = |name, quota| Some(Subject { name, quota });
        let (account, network) = (
            Some(limits.login_account),
            self.throttle.addresses.rate_limit_key(client_info.address),
        );
        let address = Some(limits.login_address);
        let of_address = |network| format!("address:{network}");
        let subjects = match device {
            Some(device) => [
                subject(devices_subject(device.user), account),
                network.and_then(|network| subject(format!("known-address:{network}"), address)),
                network.and_then(|network| subject(of_address(network), None)),
            ],
            None => [
                subject(account_subject(name), account),
                network.and_then(|network| subject(of_address(network), address)),
                None,
            ],
        };
        subjects.into_iter().flatten().collect()
    }

    /// Admits an attempt, or audits its rejection.
    pub(super) async fn admit(
        &self,
        subjects: Vec<Subject>,
        username_key: Option<&str>,
        trying: AuditEntry,
    ) -> Result<Attempt, Failure> {
        self.attempts.admit(subjects).await.map_err(|refused| match refused {
            AdmissionError::Throttled { subject, retry_after } => {
                self.throttle.audit_throttled(&subject, username_key.map(str::to_owned), trying);
                Failure::TooManyAttempts(retry_after)
            }
            AdmissionError::Unavailable(failure) => failure,
        })
    }

    fn new_session(&self, user: Uuid, remember: bool) -> Session {
        let now = self.env.now();
        Session {
            id: self.env.uuid(),
            user,
            generation: 1,
            parent_generation: None,
            acknowledged: false,
            undelivered: Vec::new(),
            remember,
            created_at: now,
            refreshed_at: now,
            expires_at: now.saturating_add(self.lifetimes.session),
            ended: None,
        }
    }

    /// Begins a session, unless the account was changed since the password was compared. Clears the
    /// failures of the first subject; those of the network keep counting.
    async fn begin(
        &self,
        session: Session,
        password_hash: String,
        is_known_device: bool,
        attempt: &Attempt,
        client_info: ClientInfo,
    ) -> Result<InsertSessionOutcome, StoreError> {
        let (user, id) = (session.user, session.id);
        let entry = self.entry(Event::LoggedIn, Some(user), Some(id), client_info);
        let cleared_subject = attempt.first().map(str::to_owned);
        let new = NewSession { session, password_hash, is_known_device, cleared_subject };
        let begun = self.store.insert_session(new, MAX_SESSIONS_PER_USER, entry).await?;
        if let InsertSessionOutcome::Inserted { ended, .. } = &begun {
            for ended in ended {
                self.session_cache.invalidate(&ended.id);
                metrics().revocations.of(Revocation::NewerLogin).inc();
            }
            tracing::info!(%user, session = %id, "logged in");
        }
        Ok(begun)
    }
}

/// Returns the subject of unknown devices at an account. The typed name is hashed: a user may have
/// typed the password there.
pub(super) fn account_subject(name: &str) -> String {
    format!(
        "account:{}",
        URL_SAFE_NO_PAD.encode(&Sha256::digest(name.as_bytes())[..ACCOUNT_HASH_BYTES])
    )
}

/// Returns the subject of the known devices of an account.
pub(super) fn devices_subject(user: Uuid) -> String {
    format!("devices:{user}")
}
