//! Re-authentication and password changes of authenticated users.

use app::{
    backend::{Caller, ClientInfo, Failure, FieldErrors, FreshToken, NewPassword, PasswordAttempt},
    protocol::error::{Code, Reason},
    validation::ServerProblem,
};

use super::{
    login::PasswordCheck,
    login_attempts::{Attempt, Subject},
    service::Inner,
};
use crate::{
    accounts::{
        hashing::Client,
        password::Password,
        username::{self, Username},
    },
    failure::{act_failure, internal},
    store::{Actor, AuditEntry, Event, Outcome, PasswordChange},
    tokens::codec::Grant,
};

/// A verified current password.
struct VerifiedPassword {
    /// The stored hash.
    hash: String,
    attempt: Attempt,
    /// Audit entry of the action it was verified for.
    entry: AuditEntry,
}

impl Inner {
    /// Verifies the caller's password. Failures count against the session: failed logins do not
    /// lock out an authenticated user, and guesses with a stolen token do not keep the user from
    /// logging in.
    async fn verify_password(
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

    /// Issues a fresh access token for the password.
    pub(super) async fn reauthenticate(
        &self,
        caller: &Caller,
        password: PasswordAttempt,
        client_info: ClientInfo,
    ) -> Result<FreshToken, Failure> {
        let VerifiedPassword { attempt, entry, .. } =
            self.verify_password(caller, password, Event::Reauthenticated, client_info).await?;
        let cleared_subject = attempt.first().map(str::to_owned);
        let actor = Actor::new(caller, self.env.now());
        self.store
            .clear_login_failures(actor, cleared_subject, entry)
            .await
            .map_err(act_failure)?;
        let session =
            self.session(caller.session).await.map_err(internal)?.ok_or(Failure::Revoked(None))?;
        let now = self.env.now();
        // Of the caller's generation: the answer with the current one may be lost, and presenting a
        // token of it would acknowledge it, so that the caller's next refresh would look like
        // reuse.
        let grant =
            Grant { generation: caller.generation, ..session.access_grant(now, &self.lifetimes) };
        let text = self.codec.access(&grant, true, &self.env).map_err(internal)?;
        tracing::info!(user = %caller.user, session = %caller.session, "reauthenticated");
        Ok(FreshToken { text, expires_in: grant.expires_at - now })
    }

    /// Changes the password. All other sessions of the account end.
    pub(super) async fn change_password(
        &self,
        caller: &Caller,
        change: NewPassword,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let gone = || Failure::Revoked(None);
        let account = self.user_cache.get(caller.user).await.map_err(internal)?.ok_or_else(gone)?;
        let name = Username::parse(&account.user.username).ok();
        let mut fields = FieldErrors::default();
        let current = fields.check(CURRENT, PasswordAttempt::parse(change.current));
        let chosen =
            fields.check("password", Password::chosen(change.new, &self.policy, name.as_ref()));
        fields.into_result()?;
        let (Some(current), Some(chosen)) = (current, chosen) else {
            return Err(Code::InternalError.into());
        };

        let client = Client::of(&client_info);
        let VerifiedPassword { hash, attempt, entry } = self
            .verify_password(caller, current, Event::PasswordChanged, client_info)
            .await
            .map_err(|failure| match failure {
                Failure::Plain(Code::InvalidCredentials) => wrong(),
                other => other,
            })?;
        let change = PasswordChange {
            user: caller.user,
            old_hash: Some(hash),
            new_hash: self.hasher.hash(&chosen, client).await.map_err(internal)?,
            kept: Some(caller.session),
            cleared_subject: attempt.first().map(str::to_owned),
        };
        // Hashing took a while: the write checks the actor and the current password again.
        let done =
            self.store.change_password_as(Actor::new(caller, self.env.now()), change, entry).await;
        match &done {
            Ok(ended) => {
                for session in ended.iter().flatten() {
                    self.session_cache.invalidate(session);
                }
            }
            // The ended sessions are unknown.
            Err(_) => self.session_cache.invalidate_all(),
        }
        // `None`: a concurrent request has changed the password, so the given one is not current
        // any more.
        done.map_err(act_failure)?.ok_or_else(wrong)?;
        tracing::info!(user = %caller.user, "password changed");
        Ok(())
    }
}

const CURRENT: &str = "current_password";

fn wrong() -> Failure {
    Failure::field(CURRENT, ServerProblem::PasswordWrong)
}
