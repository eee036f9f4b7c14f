//! Verification of addresses by codes and by administrators.

use std::sync::Arc;

use app::{
    backend::{
        Addresses, Caller, ClientInfo, CodeAttempt, CodeRequestCookie, CreatedInvitation,
        DeviceCookie, Failure, LoginAttempt, ResetAttempt,
    },
    protocol::{error::Code, invitations::Invitation},
};
use async_trait::async_trait;
use uuid::Uuid;

use super::{SessionService, service::Inner};
use crate::{
    accounts::addresses::{self, code_of_token, verification, verification_context},
    domain::{
        email_address::EmailAddress,
        one_time_code::{Digits, PresentedCode, Purpose},
    },
    failure::internal,
    store::{
        Actor, AuditContext, AuditEntry, CodeVerification, Event, StoredUser, VerificationOutcome,
    },
};

#[async_trait]
impl Addresses for SessionService {
    async fn request_reset(
        &self,
        username: String,
        client_info: ClientInfo,
    ) -> Result<CodeRequestCookie, Failure> {
        self.inner().request_reset(&username, client_info).await
    }

    async fn reset_password(
        &self,
        attempt: ResetAttempt,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let inner = Arc::clone(self.inner());
        self.run_to_completion(async move { inner.reset_password(attempt, client_info).await })
            .await
    }

    async fn verify_address(
        &self,
        code: CodeAttempt,
        caller: Option<&Caller>,
        client_info: ClientInfo,
    ) -> Result<String, Failure> {
        let (inner, caller) = (Arc::clone(self.inner()), caller.map(|caller| caller.user));
        self.run_to_completion(async move { inner.verify_address(code, caller, client_info).await })
            .await
    }

    async fn send_own_verification(
        &self,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let (inner, user, session) = (Arc::clone(self.inner()), caller.user, Some(caller.session));
        self.run_to_completion(async move {
            let entry = inner.entry(Event::VerificationSent, Some(user), session, client_info);
            inner.send_verification(user, entry).await
        })
        .await
    }

    async fn send_verification(
        &self,
        attempt: LoginAttempt,
        cookies: Vec<DeviceCookie>,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let inner = Arc::clone(self.inner());
        self.run_to_completion(async move {
            if !inner.mail.is_on {
                return Err(Code::NotFound.into());
            }
            let checked = inner.check_login(attempt, &cookies, client_info.clone()).await?;
            let user = checked.account.user.id;
            let entry = inner.entry(Event::VerificationSent, Some(user), None, client_info);
            match inner.send_verification(user, entry).await {
                // It is verified already: the login will say so.
                Err(Failure::Plain(Code::NotFound)) => Ok(()),
                sent => sent,
            }
        })
        .await
    }

    async fn verify_address_of(
        &self,
        caller: &Caller,
        id: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let (inner, caller) = (Arc::clone(self.inner()), caller.clone());
        self.run_to_completion(
            async move { inner.verify_address_of(&caller, id, client_info).await },
        )
        .await
    }

    async fn send_verification_of(
        &self,
        caller: &Caller,
        id: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let inner = Arc::clone(self.inner());
        let context = AuditContext::of(caller, inner.env.now(), client_info);
        self.run_to_completion(async move {
            let entry = context.entry(Event::VerificationSent, Some(id), None);
            inner.send_verification(id, entry).await
        })
        .await
    }

    async fn invitations(&self) -> Result<Vec<Invitation>, Failure> {
        self.inner().invitations().await
    }

    async fn invite(
        &self,
        caller: &Caller,
        email: Option<String>,
        client_info: ClientInfo,
    ) -> Result<CreatedInvitation, Failure> {
        let (inner, caller) = (Arc::clone(self.inner()), caller.clone());
        self.run_to_completion(async move { inner.invite(&caller, email, client_info).await }).await
    }

    async fn revoke_invitation(
        &self,
        caller: &Caller,
        id: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let (inner, caller) = (Arc::clone(self.inner()), caller.clone());
        self.run_to_completion(
            async move { inner.revoke_invitation(&caller, id, client_info).await },
        )
        .await
    }
}

impl Inner {
    async fn verify_address(
        &self,
        code: CodeAttempt,
        caller: Option<Uuid>,
        client_info: ClientInfo,
    ) -> Result<String, Failure> {
        let invalid = || Failure::from(Code::CodeInvalid);
        let entry = self.entry(Event::AddressVerified, None, None, client_info);
        let code = match code {
            CodeAttempt::Token(text) => {
                let purposes = [Purpose::Verify, Purpose::Change];
                let (token, _) = code_of_token(&self.store, &text, &purposes, entry.at).await?;
                PresentedCode::Token(token)
            }
            CodeAttempt::Digits(typed) => {
                let user = caller.ok_or(Failure::Plain(Code::TokenMissing))?;
                let digits = Digits::parse(&typed).ok_or_else(invalid)?;
                PresentedCode::Digits { user, digits, request: None }
            }
        };
        let context = verification_context(&self.env).map_err(internal)?;
        let done = self.store.verify_by_code(code, context, entry).await;
        let found = done.as_ref().map(Option::as_ref);
        self.invalidate_access(found.map(|found| found.and_then(|found| found.outcome.access())));
        let CodeVerification { user, address, outcome } =
            done.map_err(internal)?.ok_or_else(invalid)?;
        ensure_verified(user, &outcome)?;
        Ok(address.shown().to_owned())
    }

    async fn verify_address_of(
        &self,
        caller: &Caller,
        id: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let not_found = || Failure::from(Code::NotFound);
        let account = self.store.user(id).await.map_err(internal)?.ok_or_else(not_found)?;
        let address = addresses::unverified(&account).ok_or_else(not_found)?;
        let context = AuditContext::of(caller, self.env.now(), client_info);
        let entry = context.entry(Event::AddressVerified, Some(id), None);
        let verification = verification(&self.env, id, address).map_err(internal)?;
        let actor = Actor::admin(caller, entry.at);
        let done = self.store.verify_address_as(actor, verification, entry).await;
        self.invalidate_access(done.as_ref().map(VerificationOutcome::access));
        match done.map_err(Failure::from)? {
            VerificationOutcome::NoAccount => Err(not_found()),
            outcome => ensure_verified(id, &outcome),
        }
    }

    /// Sends the verification of the address of an account that waits for it: `not_found` if there
    /// is none, or no mail.
    async fn send_verification(&self, user: Uuid, entry: AuditEntry) -> Result<(), Failure> {
        let not_found = || Failure::from(Code::NotFound);
        if !self.mail.is_on {
            return Err(not_found());
        }
        let account = self.store.user(user).await.map_err(internal)?.ok_or_else(not_found)?;
        let address = addresses::unverified(&account).ok_or_else(not_found)?;
        self.mail.limits.admit_client(&self.throttle, &entry)?;
        self.mail.limits.admit_account(&user.to_string()).map_err(Failure::TooManyAttempts)?;
        let mailed = addresses::mailed_verification(&self.env, &account, &address);
        // The profile shows what waits, also if it is the username.
        let pending = needs_row(&account, &address).then(|| (self.env.uuid(), address));
        self.store.send_verification(user, pending, mailed, entry).await.map_err(internal)?;
        self.user_cache.invalidate(user);
        Ok(())
    }
}

fn ensure_verified(user: Uuid, outcome: &VerificationOutcome) -> Result<(), Failure> {
    match outcome {
        VerificationOutcome::Verified(_) => {
            tracing::info!(%user, "address verified");
            Ok(())
        }
        VerificationOutcome::Taken => Err(Code::AddressTaken.into()),
        VerificationOutcome::NoAccount => Err(Code::CodeInvalid.into()),
    }
}

/// Returns whether an unverified address is neither the pending one nor the contact address.
fn needs_row(account: &StoredUser, address: &EmailAddress) -> bool {
    let is_pending =
        account.addresses.pending.as_ref().map(EmailAddress::key) == Some(address.key());
    let is_contact = account
        .email
        .as_deref()
        .and_then(|email| EmailAddress::parse(email).ok())
        .is_some_and(|email| email.key() == address.key());
    !is_pending && !is_contact
}
