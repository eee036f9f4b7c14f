//! `/api/users`: user accounts, their sessions and pictures, for administrators.

use leptos::prelude::*;
use server_fn::codec::{DeleteUrl, GetUrl};

use super::{
    client::ApiClient,
    json::{Json, PatchJson},
    transparent,
};
#[cfg(feature = "ssr")]
use crate::backend::{AccountSearch, AccountUpdate, RemovalRequest, RequestContext};
use crate::protocol::{
    Done,
    error::ApiError,
    files::FileList,
    moderation::PictureRemoval,
    sessions::SessionList,
    users::{
        AccountChanged, AccountChanges, AccountDetails, AccountFilesQuery, AccountId, AccountPage,
        AccountQuery, AccountSessionId,
    },
};

/// Lists user accounts: all of them, or those that match a search.
#[server(
    prefix = "/api", endpoint = "users", input = GetUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn list_users(query: AccountQuery) -> Result<AccountPage, ApiError> {
    let request = RequestContext::current()?;
    request.caller()?;
    Ok(request.backend.administration.accounts(AccountSearch::parse(query)?).await?)
}

transparent!(ListUsers { query: AccountQuery });

/// Disables or enables an account, changes its role, revokes its sessions. Absent members stay
/// unchanged.
#[server(
    prefix = "/api", endpoint = "users", input = PatchJson, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn update_user(changes: AccountChanges) -> Result<AccountChanged, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    let update = AccountUpdate::parse(caller, changes)?;
    let user = request.backend.administration.change_account(caller, update, client).await?;
    Ok(AccountChanged { message: request.message(|messages| messages.account_saved), user })
}

transparent!(UpdateUser { changes: AccountChanges });

/// Returns an account in detail.
#[server(
    prefix = "/api", endpoint = "users/account", input = GetUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn get_account(query: AccountId) -> Result<AccountDetails, ApiError> {
    let request = RequestContext::current()?;
    request.caller()?;
    Ok(request.backend.administration.account(query.id).await?)
}

transparent!(GetAccount { query: AccountId });

/// Lists the active sessions of an account.
#[server(
    prefix = "/api", endpoint = "users/sessions", input = GetUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn list_account_sessions(query: AccountId) -> Result<SessionList, ApiError> {
    let request = RequestContext::current()?;
    let sessions = request.backend.administration.sessions(request.caller()?, query.id).await?;
    Ok(SessionList { sessions })
}

transparent!(ListAccountSessions { query: AccountId });

/// Revokes a session of an account.
#[server(
    prefix = "/api", endpoint = "users/sessions", input = DeleteUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn revoke_account_session(query: AccountSessionId) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    request.backend.administration.revoke_session(caller, query.id, query.session, client).await?;
    Ok(Done { message: request.message(|messages| messages.session_ended) })
}

transparent!(RevokeAccountSession { query: AccountSessionId });

/// Lists the files of an account.
#[server(
    prefix = "/api", endpoint = "users/files", input = GetUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn list_account_files(query: AccountFilesQuery) -> Result<FileList, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    Ok(request.backend.files.list_files_of(caller, query, client).await?)
}

transparent!(ListAccountFiles { query: AccountFilesQuery });

/// Removes a file or the avatar of an account, and leaves its owner a notice.
#[server(
    prefix = "/api", endpoint = "users/removals", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn remove_picture(removal: PictureRemoval) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    let removal = RemovalRequest::parse(removal)?;
    request.backend.files.remove_picture(caller, removal, client).await?;
    Ok(Done { message: request.message(|messages| messages.picture_removed) })
}

transparent!(RemovePicture { removal: PictureRemoval });
