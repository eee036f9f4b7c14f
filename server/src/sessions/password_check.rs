//! Checks of passwords: of a username at login, and of an authenticated user.

use app::{
    backend::{Caller, ClientInfo, Failure, PasswordAttempt},
    protocol::error::{Code, Reason},
};
use uuid::Uuid;

use super::{
    login_attempts::{Attempt, Subject},
    service::Inner,
};
use crate::{
    accounts::hashing::{Client, PasswordMatch},
    domain::{password::Password, username},
    failure::internal,
    store::{AuditEntry, Event, Outcome, StoredUser},
};

/// Result of checking username and password.
pub(super) enum PasswordCheck {
    Correct {
        account: Box<StoredUser>,
        /// The stored hash.
        hash: String,
    },
    /// The correct password of a disabled account.
    Disabled(Uuid),
    Wrong(Uuid),
    Unknown,
}

/// A verified current password.
pub(super) struct VerifiedPassword {
    /// The stored hash.
    pub(super) hash: String,
    pub(super) attempt: Attempt,
    /// Audit entry of the action it was verified for.
    pub(super) entry: AuditEntry,
}

impl Inner {
    /// Verifies the caller's password. Failures count against the session: failed logins do not
    /// lock out an authenticated user, and guesses with a stolen token do not keep the user from
    /// logging in.
    pub(super) async fn verify_password(
        &self,
        caller: &Caller,
        password: PasswordAttempt,
        event: Event,
        client_info: ClientInfo,
    ) -> Result<VerifiedPassword, Failure> {
        let gone = || Failure::Revoked(None);
        let account = self.user_cache.get(caller.user).await.map_err(internal)?.ok_or_else(gone)?;
        let key = username::lookup_key(&account.user.username).ok_or_else(gone)?;
        let quota = self.throttle.limits.map(|limits| limits.login_account);
        let subject =
            quota.is_some().then(|| Subject { name: format!("session:{}", caller.session), quota });
        let client = Client::of(&client_info);
        let entry = self.entry(event, Some(caller.user), Some(caller.session), client_info);
        let attempt = self.admit(subject.into_iter().collect(), None, entry.clone()).await?;
        match self.check_password(Some(&key), password.0, client).await? {
            PasswordCheck::Correct { account, hash } if account.user.id == caller.user => {
                Ok(VerifiedPassword { hash, attempt, entry })
            }
            PasswordCheck::Wrong(user) => {
                tracing::info!(%user, event = event.as_str(), "re-authentication rejected: wrong password");
                let refused = AuditEntry { outcome: Outcome::WrongPassword, ..entry };
                attempt.fail(&self.store, refused).await.map_err(internal)?;
                Err(Code::InvalidCredentials.into())
            }
            PasswordCheck::Disabled(_) => Err(Failure::Revoked(Some(Reason::Disabled))),
            // The account was deleted a moment ago; its username may belong to a new one.
            PasswordCheck::Correct { .. } | PasswordCheck::Unknown => Err(gone()),
        }
    }

    /// Compares a password with the stored hash of an account.
    pub(super) async fn check_password(
        &self,
        username_key: Option<&str>,
        password: String,
        client: Client,
    ) -> Result<PasswordCheck, Failure> {
        let password = Password::presented(password);
        loop {
            let found = match username_key {
                Some(key) => self.store.user_with_hash(key).await.map_err(internal)?,
                None => None,
            };
            let stored = found.as_ref().map(|(_, hash)| hash.as_str());
            let verdict = self.hasher.verify(&password, stored, client).await.map_err(internal)?;
            let Some((account, mut hash)) = found else { return Ok(PasswordCheck::Unknown) };
            let user = account.user.id;
            match verdict {
                PasswordMatch::Mismatch => return Ok(PasswordCheck::Wrong(user)),
                PasswordMatch::Match => {}
                PasswordMatch::MatchOutdated(new) => {
                    if !self.store.replace_hash(user, &hash, &new).await.map_err(internal)? {
                        // A concurrent change was faster: compare with its hash.
                        continue;
                    }
                    hash = new;
                }
            }
            let is_disabled = account.disabled_at.is_some();
            return Ok(if is_disabled {
                PasswordCheck::Disabled(user)
            } else {
                PasswordCheck::Correct { account: Box::new(account), hash }
            });
        }
    }
}
