//! `/api/me`: profile, password and deletion of the caller's account.

use leptos::prelude::*;
use server_fn::codec::GetUrl;

#[cfg(feature = "ssr")]
use super::auth::Login;
use super::{
    client::ApiClient,
    delete_json::DeleteJson,
    json::{Json, PatchJson},
    transparent,
};
#[cfg(feature = "ssr")]
use crate::backend::{RequestContext, set_status};
use crate::protocol::{
    Done, Profile, ProfileChanged, ProfileChanges,
    error::ApiError,
    profile::{Confirmation, PasswordChange},
};

/// Returns the profile of the caller and the lifetime of the access token.
#[server(prefix = "/api", endpoint = "me", input = GetUrl, output = Json, client = ApiClient)]
pub async fn get_profile() -> Result<Profile, ApiError> {
    let request = RequestContext::current()?;
    Ok(request.backend.accounts.profile(request.caller()?).await?)
}

/// Updates the profile of the caller. Changing the email address or the phone number requires a
/// fresh token. Responds with 202 where mail is configured and the address is new: it replaces the
/// other one once it is verified.
#[server(
    prefix = "/api", endpoint = "me", input = PatchJson, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn update_profile(changes: ProfileChanges) -> Result<ProfileChanged, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    let accounts = &request.backend.accounts;
    let updated = accounts.change_profile(caller, changes, request.lang, client).await?;
    if updated.awaits_verification {
        set_status(http::StatusCode::ACCEPTED);
        let message = request.message(|messages| messages.verification_sent);
        return Ok(updated.into_response(message));
    }
    Ok(updated.into_response(request.message(|messages| messages.profile_saved)))
}

transparent!(UpdateProfile { changes: ProfileChanges });

/// Changes the password of the caller, and revokes the account's other sessions.
#[server(
    prefix = "/api", endpoint = "me/password", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn change_password(change: PasswordChange) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    let cookie = request.backend.sessions.change_password(caller, change.into(), client).await?;
    if let Some(cookie) = cookie {
        cookie.set(<Login as server_fn::ServerFn>::PATH, &request.client_info);
    }
    Ok(Done { message: request.message(|messages| messages.password_changed) })
}

transparent!(ChangePassword { change: PasswordChange });

/// Deletes the account of the caller with all of its data. The confirmation repeats the username.
#[server(
    prefix = "/api", endpoint = "me", input = DeleteJson, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn delete_account(confirmation: Confirmation) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let typed = confirmation.username.unwrap_or_default();
    request.backend.sessions.delete_account(request.caller()?, typed).await?;
    // The files of the account are orphans now.
    request.backend.files.delete_orphans().await;
    Ok(Done { message: request.message(|messages| messages.account_deleted) })
}

transparent!(DeleteAccount { confirmation: Confirmation });
