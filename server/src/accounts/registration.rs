//! Registration, and profiles of users.

use std::sync::Arc;

use app::{
    backend::{Accounts, Caller, ClientInfo, Failure, FieldErrors, NewAccount, UpdatedProfile},
    i18n::Lang,
    protocol::{
        Profile, ProfileChanges, Role, TokenType, User, error::Code,
        invitations::RegistrationPolicy,
    },
    validation::{Problem, ServerProblem, nickname},
};
use async_trait::async_trait;

use super::{
    addresses::{code_of_token, mail_verification, username_address, verification_context},
    hashing::{Client, Hasher},
    user_cache::UserCache,
};
use crate::{
    clock::Env,
    domain::{
        one_time_code::{Purpose, SpentCode, Token},
        password::{Password, Policy},
        username::{Name, Username},
    },
    failure::internal,
    limits::{Limiter, MailLimiter, Throttle},
    network::Network,
    store::{AuditEntry, Event, NewRegistration, NewUser, RegistrationOutcome, Store, StoreError},
    task::Tasks,
};

/// Use cases of user accounts.
pub struct AccountService {
    /// The database.
    pub store: Store,
    /// Cached accounts.
    pub user_cache: Arc<UserCache>,
    /// The password hasher.
    pub hasher: Arc<Hasher>,
    /// Clock and random source.
    pub env: Env,
    /// Rate limits and their audit entries.
    pub throttle: Arc<Throttle>,
    /// Rate limit of registrations by client network.
    pub registrations: Option<Limiter<Network>>,
    /// Policy of registration.
    pub registration: RegistrationPolicy,
    /// True if addresses are verified by mail.
    pub has_mail: bool,
    /// True if a login requires a verified address.
    pub requires_verified_address: bool,
    /// Rate limits of mails.
    pub mails: Arc<MailLimiter>,
    /// Reserved usernames.
    pub reserved: Vec<Name>,
    /// The password policy.
    pub policy: Policy,
    /// Tasks that may outlive their request.
    pub tasks: Tasks,
}

impl AccountService {
    fn name(&self, typed: &str) -> Result<Username, Problem> {
        let username = Username::parse(typed)?;
        if self.reserved.iter().any(|reserved| username.name().is_taken_by(reserved)) {
            return Err(ServerProblem::UsernameReserved.into());
        }
        Ok(username)
    }

    /// Returns the invitation of a registration, which is used up with the account. Where
    /// registration is open, none is required, and one that is not valid is ignored.
    async fn invitation(&self, token: Option<&str>) -> Result<Option<(Token, SpentCode)>, Failure> {
        let is_required = match self.registration {
            RegistrationPolicy::Open => false,
            RegistrationPolicy::Invite => true,
            RegistrationPolicy::Closed => return Err(Code::RegistrationClosed.into()),
        };
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return if is_required { Err(Code::RegistrationClosed.into()) } else { Ok(None) };
        };
        match code_of_token(&self.store, token, &[Purpose::Invite], self.env.now()).await {
            Err(Failure::Plain(Code::CodeInvalid)) if !is_required => Ok(None),
            found => found.map(Some),
        }
    }

    /// Counts a registration against the rate limit, whatever its outcome: each response tells
    /// whether a name is taken.
    fn admit(&self, client_info: &ClientInfo) -> Result<(), Failure> {
        let Some(registrations) = &self.registrations else { return Ok(()) };
        let Some(network) = self.throttle.addresses.rate_limit_key(client_info.address) else {
            return Ok(());
        };
        registrations.take(&network).map_err(|retry_after| {
            let entry = AuditEntry::of(Event::Registered, self.env.now(), client_info.clone());
            self.throttle.audit_throttled(&format!("registration:{network}"), None, entry);
            Failure::TooManyAttempts(retry_after)
        })
    }
}

#[async_trait]
impl Accounts for AccountService {
    async fn register(
        &self,
        account: NewAccount,
        client_info: ClientInfo,
    ) -> Result<User, Failure> {
        let invitation = self.invitation(account.invitation.as_deref()).await?;
        let mut fields = FieldErrors::default();
        let username = fields.check("username", self.name(&account.username));
        let chosen = Password::chosen(account.password, &self.policy, username.as_ref());
        let password = fields.check("password", chosen);
        let nickname = fields.check("nickname", nickname::parse(&account.nickname));
        let address = username.as_ref().and_then(|name| username_address(name.shown()));
        let is_invited_by_mail =
            invitation.as_ref().is_some_and(|(_, invited)| invited.address.is_some());
        if self.requires_verified_address && address.is_none() && !is_invited_by_mail {
            fields.reject("username", Problem::EmailInvalid);
        }
        fields.into_result()?;
        let (Some(username), Some(password), Some(nickname)) = (username, password, nickname)
        else {
            return Err(Code::InternalError.into());
        };

        self.admit(&client_info)?;
        let taken = || Failure::UsernameTaken(username.shown().to_owned());
        // Saves a hash; the unique constraint below decides.
        if self.store.is_taken(username.name()).await.map_err(internal)? {
            return Err(taken());
        }
        let password_hash =
            self.hasher.hash(&password, Client::of(&client_info)).await.map_err(internal)?;
        let new = NewUser {
            id: self.env.uuid(),
            username: username.shown().to_owned(),
            name: username.name().clone(),
            password_hash,
            nickname: nickname.map(str::to_owned),
            email: None,
            role: Role::User,
            created_at: self.env.now(),
        };
        let entry = AuditEntry {
            user: Some(new.id),
            ..AuditEntry::of(Event::Registered, new.created_at, client_info)
        };
        let pending = address.filter(|_| self.has_mail).map(|address| {
            let lang = entry.client_info.lang;
            let mailed = mail_verification(&self.env, new.id, lang, &address, false);
            (self.env.uuid(), address, mailed)
        });
        let registration = NewRegistration {
            user: new,
            invitation: invitation.map(|(token, _)| token),
            pending,
            verification: verification_context(&self.env).map_err(internal)?,
        };
        let store = self.store.clone();
        let registering = async move { Ok(store.register(registration, entry).await) };
        match self.tasks.run_to_completion(registering).await? {
            Ok(RegistrationOutcome::Registered(stored)) => {
                tracing::info!(user = %stored.user.id, "registered");
                Ok(stored.user)
            }
            Ok(RegistrationOutcome::InvitationInvalid) => Err(Code::CodeInvalid.into()),
            Err(StoreError::Conflict) => Err(taken()),
            Err(error) => Err(internal(error)),
        }
    }

    async fn profile(&self, caller: &Caller) -> Result<Profile, Failure> {
        let account = self
            .user_cache
            .get(caller.user)
            .await
            .map_err(internal)?
            .ok_or(Failure::Revoked(None))?;
        let user = &account.user;
        Ok(Profile {
            id: user.id,
            username: user.username.clone(),
            nickname: user.nickname.clone(),
            avatar_url: user.avatar_url.clone(),
            role: user.role,
            email: account.email.clone(),
            email_verified: account.is_email_verified(),
            pending_email: account.pending_email(),
            alert_new_device: account.alert_new_device,
            mobile: account.mobile.clone(),
            created_at: account.created_at,
            password_changed_at: account.password_changed_at,
            login_time: caller.issued_at,
            expiration_time: caller.expires_at,
            token_type: TokenType::Access,
            fresh: caller.fresh,
        })
    }

    async fn change_profile(
        &self,
        caller: &Caller,
        changes: ProfileChanges,
        lang: Lang,
        client_info: ClientInfo,
    ) -> Result<UpdatedProfile, Failure> {
        self.change_own(caller, changes, lang, client_info).await
    }
}
