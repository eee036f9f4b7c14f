//! The port: what the server functions need of the server, found through context.

mod credentials;
mod device_cookie;
mod failure;
mod request_context;
mod users;

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

pub use credentials::{Credentials, NewAccount, NewPassword, PasswordAttempt};
pub use device_cookie::{DeviceCookie, cookies};
pub use failure::{Failure, FieldErrors};
pub use request_context::{Caller, ClientInfo, RequestContext, RequestId, api_lang, set_status};
pub(crate) use request_context::{codec_failure, set_error_head};
pub use users::{AccountChanges, AccountSearch, Administration};

use crate::{
    i18n::Lang,
    protocol::{
        Profile, ProfileChanges, TokenPair, User,
        files::FileList,
        sessions::{SessionInfo, SessionSelector},
    },
};

/// The server, as the server functions see it.
#[derive(Clone)]
pub struct Backend {
    /// Who there is.
    pub accounts: Arc<dyn Accounts>,
    /// Who is signed in.
    pub sessions: Arc<dyn Sessions>,
    /// What they keep here.
    pub files: Arc<dyn Files>,
    /// What administrators do about others.
    pub administration: Arc<dyn Administration>,
}

/// Who there is.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes an account.
    async fn register(&self, account: NewAccount, client_info: ClientInfo)
    -> Result<User, Failure>;
    /// The caller's account and the life of the caller's token.
    async fn profile(&self, caller: &Caller) -> Result<Profile, Failure>;
    /// Changes the caller's profile. Another address or number takes a fresh token. A number
    /// without its country is read as the language of the request has it.
    async fn change_profile(
        &self,
        caller: &Caller,
        changes: ProfileChanges,
        lang: Lang,
        client_info: ClientInfo,
    ) -> Result<UpdatedProfile, Failure>;
}

/// Who is signed in.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Begins a session. Of the browser's cookies only those are looked at that say which devices
    /// it was.
    async fn login(
        &self,
        credentials: Credentials,
        cookies: Vec<DeviceCookie>,
        client_info: ClientInfo,
    ) -> Result<LoginOutcome, Failure>;
    /// Hands out the next pair for the refresh token that the caller has presented.
    async fn refresh(&self, caller: &Caller, client_info: ClientInfo)
    -> Result<TokenPair, Failure>;
    /// Hands out a fresh access token of the caller's session for the account's password.
    async fn reauthenticate(
        &self,
        caller: &Caller,
        password: PasswordAttempt,
        client_info: ClientInfo,
    ) -> Result<FreshToken, Failure>;
    /// Changes the password of the caller's account, and ends the account's other sessions.
    async fn change_password(
        &self,
        caller: &Caller,
        change: NewPassword,
        client_info: ClientInfo,
    ) -> Result<(), Failure>;
    /// The devices that the caller's account is signed in on: this one first.
    async fn list_sessions(&self, caller: &Caller) -> Result<Vec<SessionInfo>, Failure>;
    /// Ends one of the caller's sessions, or all others.
    async fn revoke_sessions(
        &self,
        caller: &Caller,
        ending: SessionSelector,
        client_info: ClientInfo,
    ) -> Result<(), Failure>;
    /// Deletes the caller's account, with everything that is kept of it. What was typed must be its
    /// name.
    async fn delete_account(&self, caller: &Caller, typed: String) -> Result<(), Failure>;
    /// Ends the caller's session.
    async fn logout(&self, caller: &Caller, client_info: ClientInfo) -> Result<(), Failure>;
}

/// Somebody, as they see themself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatedProfile {
    /// What others may see.
    pub user: User,
    /// Where the person may be written to.
    pub email: Option<String>,
    /// The number of the person's phone.
    pub mobile: Option<String>,
}

/// What people keep here.
#[async_trait]
pub trait Files: Send + Sync {
    /// Takes the caller's picture away.
    async fn remove_avatar(
        &self,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<User, Failure>;
    /// Some of the caller's files, newest first.
    async fn files(
        &self,
        caller: &Caller,
        after: Option<Uuid>,
        limit: Option<u32>,
    ) -> Result<FileList, Failure>;
    /// Removes one of the caller's files.
    async fn remove_file(&self, caller: &Caller, id: Uuid) -> Result<(), Failure>;
    /// Removes what belongs to nobody any more. What cannot be removed now is removed later.
    async fn delete_orphans(&self);
}

/// What a log-in has given.
pub struct LoginOutcome {
    /// The new session's tokens.
    pub tokens: TokenPair,
    /// Who has logged in.
    pub user: User,
    /// What the browser is to keep, so that it is known again.
    pub device_cookie: DeviceCookie,
}

/// An access token that comes straight from a password.
pub struct FreshToken {
    /// The token.
    pub text: String,
    /// Seconds until it expires.
    pub expires_in: i64,
}
