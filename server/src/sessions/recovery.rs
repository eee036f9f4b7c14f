//! Password reset by mail.
//!
//! A reset goes to the verified address of an account; to one without, to the username, if that is an
//! address. An unverified contact address gets none: it may be mistyped, and would give the account
//! to a stranger. The reader of the mail is the owner of the address from then on: password,
//! sessions, pending addresses and codes of the account end with the reset.

use std::sync::Arc;

use app::{
    backend::{ClientInfo, CodeAttempt, CodeRequestCookie, Failure, ResetAttempt},
    i18n::mail::Mail,
    protocol::error::Code,
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    login::{account_subject, devices_subject},
    service::Inner,
};
use crate::{
    accounts::{
        addresses::{code_of_token, username_address, verification_context},
        hashing::Client,
    },
    domain::{
        email_address::EmailAddress,
        message::Message,
        one_time_code::{Digits, OneTimeCode, PresentedCode, Purpose, RequestId},
        password::Password,
        username::Username,
    },
    failure::internal,
    store::{AuditEntry, Event, Outcome, ResetChange, StoreError, StoredUser},
};

impl Inner {
    /// Requests a reset. What depends on the account is done in the background, after the response:
    /// neither its bytes nor its time tell whether there is one. Requests beyond the limit of an
    /// account are dropped silently, those beyond that of a client are refused.
    pub(super) async fn request_reset(
        self: &Arc<Self>,
        typed: &str,
        client_info: ClientInfo,
    ) -> Result<CodeRequestCookie, Failure> {
        if !self.mail.is_on {
            return Err(Code::NotFound.into());
        }
        let entry = self.entry(Event::ResetRequested, None, None, client_info);
        self.mail.limits.admit_client(&self.throttle, &entry)?;
        let request = RequestId::generate(&self.env);
        let cookie = CodeRequestCookie(request.as_str().to_owned());
        // Fails while the database does not answer, account or not.
        let key = self.account_key(typed).await?;
        let inner = Arc::clone(self);
        let name = key.clone().unwrap_or_else(|| typed.to_owned());
        let sending = async move {
            if let Err(error) = inner.send_reset(&name, key.as_deref(), request, entry).await {
                tracing::error!(%error, "a reset could not be sent");
            }
        };
        self.tasks.spawn(sending);
        Ok(cookie)
    }

    async fn send_reset(
        &self,
        name: &str,
        username_key: Option<&str>,
        request: RequestId,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        if self.mail.limits.admit_account(name).is_err() {
            let key = username_key.map(str::to_owned);
            self.throttle.audit_throttled(&format!("reset:{}", account_subject(name)), key, entry);
            return Ok(());
        }
        let found = match username_key {
            Some(key) => self.store.user_with_hash(key).await?.map(|(account, _)| account),
            None => None,
        };
        let code = |user, address: Option<&EmailAddress>| {
            let address = address.map(|address| address.shown().to_owned());
            OneTimeCode::generate(
                &self.env,
                Purpose::Reset,
                Some(user),
                address,
                Some(request.clone()),
            )
        };
        let Some(account) = found else {
            // Digits are checked against a code of this name as if there were an account.
            let entry = AuditEntry { outcome: Outcome::UnknownAccount, ..entry };
            return self.store.issue_code(code(decoy(name), None), None, entry).await;
        };
        let user = account.user.id;
        let entry = AuditEntry { user: Some(user), ..entry };
        match recipient(&account) {
            Ok(address) => {
                let code = code(user, Some(&address));
                let mail = Mail::ResetPassword {
                    username: account.user.username.clone(),
                    code: code.parts(),
                };
                let message = Message::new(
                    &self.env,
                    Some(user),
                    address.shown().to_owned(),
                    account.lang,
                    mail,
                );
                self.store.issue_code(code, Some(message), entry).await
            }
            Err(outcome) => {
                let entry = AuditEntry { outcome, ..entry };
                self.store.issue_code(code(decoy(name), None), None, entry).await
            }
        }
    }

    /// Sets a new password for a code.
    pub(super) async fn reset_password(
        &self,
        attempt: ResetAttempt,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let ResetAttempt { code, username, password, request } = attempt;
        let invalid = || Failure::from(Code::CodeInvalid);
        let entry = self.entry(Event::PasswordReset, None, None, client_info.clone());
        let (code, name) = match code {
            CodeAttempt::Token(text) => {
                let (token, found) =
                    code_of_token(&self.store, &text, &[Purpose::Reset], entry.at).await?;
                let user = found.user.ok_or_else(invalid)?;
                let account = self.user_cache.get(user).await.map_err(internal)?;
                let name = account.ok_or_else(invalid)?.user.username.clone();
                (PresentedCode::Token(token), name)
            }
            CodeAttempt::Digits(typed) => {
                let digits = Digits::parse(&typed).ok_or_else(invalid)?;
                let user = self.user_of_digits(&username).await?;
                let request = request.and_then(|cookie| RequestId::parse(&cookie.0));
                (PresentedCode::Digits { user, digits, request }, username)
            }
        };
        let chosen = Password::chosen(password, &self.policy, Username::parse(&name).ok().as_ref())
            .map_err(|problem| Failure::field("password", problem))?;
        // Digits are compared in the transaction only, which counts wrong ones: until then they cost
        // a hash, account or not.
        let client = Client::of(&client_info);
        let reset = ResetChange {
            code,
            new_hash: self.hasher.hash(&chosen, client).await.map_err(internal)?,
            verification: verification_context(&self.env).map_err(internal)?,
            subjects: failure_subjects,
        };
        let done = self.store.reset_password(reset, entry).await;
        self.invalidate_access(done.as_ref().map(Option::as_ref));
        let reset = done.map_err(internal)?.ok_or_else(invalid)?;
        tracing::info!(user = %reset.user, "password reset");
        Ok(())
    }

    /// Returns the account that digits are for, or one that does not exist.
    async fn user_of_digits(&self, typed: &str) -> Result<Uuid, Failure> {
        let key = self.account_key(typed).await?;
        let found = match &key {
            Some(key) => self.store.user_with_hash(key).await.map_err(internal)?,
            None => None,
        };
        let name = key.as_deref().unwrap_or(typed);
        Ok(match found {
            Some((account, _)) if recipient(&account).is_ok() => account.user.id,
            _ => decoy(name),
        })
    }
}

/// Returns the address that gets the resets of an account, or the reason for none.
fn recipient(account: &StoredUser) -> Result<EmailAddress, Outcome> {
    if account.disabled_at.is_some() {
        return Err(Outcome::Disabled);
    }
    let verified = account.addresses.verified.clone();
    verified.or_else(|| username_address(&account.user.username)).ok_or(Outcome::AddressUnverified)
}

/// Returns the id that stands for the account of a name that gets no mail: no account has it.
fn decoy(name: &str) -> Uuid {
    let digest = Sha256::digest(format!("no account {name}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // Version 8 (RFC 9562 §5.8): accounts have version 7.
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Returns the subjects whose failures a reset forgives.
fn failure_subjects(account: &StoredUser, username_key: &str) -> Vec<String> {
    vec![account_subject(username_key), devices_subject(account.user.id)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoy_of_a_name_is_the_same_each_time_and_no_id_of_an_account() {
        assert_eq!(decoy("ada"), decoy("ada"));
        assert_ne!(decoy("ada"), decoy("bob"));
        assert_eq!(decoy("ada").get_version_num(), 8);
    }
}
