//! Change of the password by an authenticated user.

use app::{
    backend::{
        Caller, ClientInfo, DeviceCookie, Failure, FieldErrors, NewPassword, PasswordAttempt,
    },
    protocol::error::Code,
    validation::ServerProblem,
};

use super::{password_check::VerifiedPassword, service::Inner};
use crate::{
    accounts::hashing::Client,
    domain::{password::Password, username::Username},
    failure::internal,
    metrics::{Revocation, metrics},
    store::{Actor, Event, PasswordChange},
};

const CURRENT: &str = "current_password";

impl Inner {
    /// Changes the password, and returns a new device cookie for this browser: the former cookies of
    /// the account are no longer valid. All other sessions of the account end.
    pub(super) async fn change_password(
        &self,
        caller: &Caller,
        change: NewPassword,
        client_info: ClientInfo,
    ) -> Result<Option<DeviceCookie>, Failure> {
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
        self.invalidate_ended(done.as_ref().map(|ended| ended.iter().flatten()));
        self.user_cache.invalidate(caller.user);
        // `None`: a concurrent request has changed the password, so the given one is not current
        // any more.
        let ended = done.map_err(Failure::from)?.ok_or_else(wrong)?;
        metrics().revocations.of(Revocation::PasswordChanged).inc_by(ended.len() as u64);
        tracing::info!(user = %caller.user, "password changed");
        Ok(self.device_cookie_of(name.as_ref()).await)
    }

    /// Returns a cookie for a device on which the user has just presented the password. [`None`] if
    /// the database does not answer: then the next login is reported as one from a new device.
    async fn device_cookie_of(&self, name: Option<&Username>) -> Option<DeviceCookie> {
        let key = name?.key();
        match self.store.device_epoch(key).await {
            Ok(epoch) => Some(self.device_cookies.cookie(key, epoch?, None)),
            Err(error) => {
                tracing::warn!(%error, "no device cookie was set after a change of the password");
                None
            }
        }
    }
}

fn wrong() -> Failure {
    Failure::field(CURRENT, ServerProblem::PasswordWrong)
}
