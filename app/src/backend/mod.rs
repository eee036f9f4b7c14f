//! The traits that the server implements for the server functions, and the context of a request.

mod activity;
mod addresses;
mod code_request_cookie;
mod cookies;
mod credentials;
mod device_cookie;
mod failure;
mod request_context;
mod users;

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

pub use activity::ActivitySearch;
pub use addresses::{Addresses, CodeAttempt, CreatedInvitation, ResetAttempt};
pub(crate) use addresses::{account_id, forgotten_name, verification_request};
pub use code_request_cookie::CodeRequestCookie;
pub use cookies::cookies;
pub use credentials::{LoginAttempt, NewAccount, NewPassword, PasswordAttempt};
pub use device_cookie::DeviceCookie;
pub use failure::{Failure, FieldErrors};
pub use request_context::{Caller, ClientInfo, RequestContext, RequestId, api_lang};
pub(crate) use request_context::{codec_failure, set_error_head, set_status};
pub use users::{AccountSearch, AccountUpdate, Administration, AuditSearch, RemovalRequest};

use crate::{
    i18n::Lang,
    protocol::{
        Profile, ProfileChanged, ProfileChanges, Reauthenticated, TokenPair, TokenScheme, User,
        activity::ActivityPage,
        files::FileList,
        moderation::RemovalNotice,
        sessions::{SessionInfo, SessionSelector},
        users::AccountFilesQuery,
    },
};

/// The use cases of the server.
#[derive(Clone)]
pub struct Backend {
    /// Account creation and profiles.
    pub accounts: Arc<dyn Accounts>,
    /// Login, refresh, logout, session list.
    pub sessions: Arc<dyn Sessions>,
    /// Verification of addresses, password reset and invitations.
    pub addresses: Arc<dyn Addresses>,
    /// Files of users.
    pub files: Arc<dyn Files>,
    /// Administration of user accounts.
    pub administration: Arc<dyn Administration>,
}

/// Account creation and profiles.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Creates an account.
    async fn register(&self, account: NewAccount, client_info: ClientInfo)
    -> Result<User, Failure>;
    /// Returns the caller's profile and the lifetime of the caller's token.
    async fn profile(&self, caller: &Caller) -> Result<Profile, Failure>;
    /// Updates the caller's profile. Changing email or mobile requires a fresh token. `lang` tells
    /// the country of a phone number without a country code.
    async fn change_profile(
        &self,
        caller: &Caller,
        changes: ProfileChanges,
        lang: Lang,
        client_info: ClientInfo,
    ) -> Result<UpdatedProfile, Failure>;
}

/// Login, refresh, logout, session list.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Starts a session. `cookies` are the known-device cookies of the browser.
    async fn login(
        &self,
        attempt: LoginAttempt,
        cookies: Vec<DeviceCookie>,
        client_info: ClientInfo,
    ) -> Result<LoginOutcome, Failure>;
    /// Issues the next token pair for the refresh token of the caller.
    async fn refresh(&self, caller: &Caller, client_info: ClientInfo)
    -> Result<TokenPair, Failure>;
    /// Issues a fresh access token of the caller's session for the account's password.
    async fn reauthenticate(
        &self,
        caller: &Caller,
        password: PasswordAttempt,
        client_info: ClientInfo,
    ) -> Result<FreshToken, Failure>;
    /// Changes the password of the caller's account, and revokes the account's other sessions.
    /// Returns the new device cookie of this browser.
    async fn change_password(
        &self,
        caller: &Caller,
        change: NewPassword,
        client_info: ClientInfo,
    ) -> Result<Option<DeviceCookie>, Failure>;
    /// Lists the active sessions of the caller's account: the current one first.
    async fn list_sessions(&self, caller: &Caller) -> Result<Vec<SessionInfo>, Failure>;
    /// Revokes one of the caller's sessions, or all except the current one.
    async fn revoke_sessions(
        &self,
        caller: &Caller,
        selector: SessionSelector,
        client_info: ClientInfo,
    ) -> Result<(), Failure>;
    /// Lists the events of the caller's account, newest first.
    async fn activity(
        &self,
        caller: &Caller,
        search: ActivitySearch,
    ) -> Result<ActivityPage, Failure>;
    /// Deletes the caller's account and its data. `typed` has to be its username.
    async fn delete_account(&self, caller: &Caller, typed: String) -> Result<(), Failure>;
    /// Undoes what an alert was about, with the token of its link: ends all sessions of the account
    /// and starts a reset, of which the digits count in the browser with the returned cookie.
    async fn undo(
        &self,
        token: Option<String>,
        client_info: ClientInfo,
    ) -> Result<CodeRequestCookie, Failure>;
    /// Revokes the caller's session.
    async fn logout(&self, caller: &Caller, client_info: ClientInfo) -> Result<(), Failure>;
}

/// Files of users.
#[async_trait]
pub trait Files: Send + Sync {
    /// Deletes the caller's avatar.
    async fn delete_avatar(
        &self,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<User, Failure>;
    /// Lists a page of the caller's files, newest first.
    async fn list_files(
        &self,
        caller: &Caller,
        after: Option<Uuid>,
        limit: Option<u32>,
    ) -> Result<FileList, Failure>;
    /// Deletes one of the caller's files.
    async fn delete_file(&self, caller: &Caller, id: Uuid) -> Result<(), Failure>;
    /// Lists a page of the files of any account, newest first. The caller is an administrator; the
    /// first page is recorded in the audit log.
    async fn list_files_of(
        &self,
        caller: &Caller,
        query: AccountFilesQuery,
        client_info: ClientInfo,
    ) -> Result<FileList, Failure>;
    /// Removes a picture of any account, and leaves its owner a notice. The caller is an
    /// administrator.
    async fn remove_picture(
        &self,
        caller: &Caller,
        removal: RemovalRequest,
        client_info: ClientInfo,
    ) -> Result<(), Failure>;
    /// Lists the notices to the caller, newest first.
    async fn notices(&self, caller: &Caller) -> Result<Vec<RemovalNotice>, Failure>;
    /// Dismisses a notice to the caller.
    async fn dismiss_notice(&self, caller: &Caller, id: Uuid) -> Result<(), Failure>;
    /// Deletes objects that no account refers to. Objects that cannot be deleted now are retried
    /// later.
    async fn delete_orphans(&self);
}

/// A profile after an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatedProfile {
    /// The public part.
    pub user: User,
    /// Email address.
    pub email: Option<String>,
    /// Address that replaces it once it is verified.
    pub pending_email: Option<String>,
    /// True if the change waits for the verification of an address.
    pub awaits_verification: bool,
    /// Phone number.
    pub mobile: Option<String>,
}

impl UpdatedProfile {
    /// The response that reports it.
    pub(crate) fn into_response(self, message: String) -> ProfileChanged {
        let Self { user, email, pending_email, mobile, awaits_verification: _ } = self;
        ProfileChanged { message, user, email, pending_email, mobile }
    }
}

/// Result of a successful login.
pub struct LoginOutcome {
    /// The tokens of the new session.
    pub tokens: TokenPair,
    /// The authenticated user.
    pub user: User,
    /// The cookie that marks the browser as a known device of the account.
    pub device_cookie: DeviceCookie,
}

/// A fresh access token.
pub struct FreshToken {
    /// The token.
    pub text: String,
    /// Seconds until it expires.
    pub expires_in: i64,
}

impl FreshToken {
    /// The response that carries it.
    pub(crate) fn into_response(self, message: String) -> Reauthenticated {
        Reauthenticated {
            message,
            access_token: self.text,
            token_type: TokenScheme::Bearer,
            expires_in: self.expires_in,
        }
    }
}
