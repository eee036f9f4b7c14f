//! `/api/me`: the person behind the token.
#![expect(
    missing_docs,
    reason = "the macro makes public fields of the arguments, which the functions describe"
)]

use leptos::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use server_fn::codec::{GetUrl, Json, PatchJson};

use super::{
    Done, Profile, ProfileChanged, ProfileChanges, client::ApiClient, delete_json::DeleteJson,
    error::ApiError,
};
#[cfg(feature = "ssr")]
use crate::{
    backend::{NewPassword, RequestContext},
    i18n::messages::Messages,
};

/// Where everything about the caller is, as a ZIP.
pub const EXPORT: &str = "/api/me/export";

/// The caller, and the life of the caller's token.
///
/// # Errors
///
/// The `token_*` codes, `unavailable`.
#[server(prefix = "/api", endpoint = "me", input = GetUrl, output = Json, client = ApiClient)]
pub async fn me() -> Result<Profile, ApiError> {
    let request = RequestContext::current()?;
    Ok(request.backend.accounts.profile(request.caller()?).await?)
}

/// Changes what the caller has said about themself. Another e-mail address or mobile number takes a
/// fresh token.
///
/// # Errors
///
/// `validation_failed`, `fresh_required`, the `token_*` codes, `unavailable`.
#[server(
    prefix = "/api", endpoint = "me", input = PatchJson, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn change_profile(changes: ProfileChanges) -> Result<ProfileChanged, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client_info) = (request.caller()?, request.client_info.clone());
    let person =
        request.backend.accounts.change_profile(caller, changes, request.lang, client_info).await?;
    Ok(ProfileChanged {
        message: Messages::of(request.lang).profile_saved.into(),
        user: person.user,
        email: person.email,
        mobile: person.mobile,
    })
}

/// Changes the caller's password. The caller's other sessions end.
///
/// # Errors
///
/// `validation_failed`, the `token_*` codes, `fresh_required`, `too_many_attempts`, `unavailable`.
#[server(prefix = "/api", endpoint = "me/password", input = Json, output = Json, client = ApiClient)]
pub async fn change_password(
    current_password: Option<String>,
    password: Option<String>,
) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let change = NewPassword::new(current_password, password);
    request
        .backend
        .sessions
        .change_password(request.caller()?, change, request.client_info.clone())
        .await?;
    Ok(Done { message: Messages::of(request.lang).password_changed.into() })
}

/// Deletes the caller's account with everything that is kept of it, at once. What is typed must be
/// the account's name.
///
/// # Errors
///
/// `validation_failed`, `last_admin`, the `token_*` codes, `fresh_required`, `unavailable`.
#[server(prefix = "/api", endpoint = "me", input = DeleteJson, output = Json, client = ApiClient)]
pub async fn delete_account(username: Option<String>) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    request
        .backend
        .sessions
        .delete_account(request.caller()?, username.unwrap_or_default())
        .await?;
    // What lay beside the database belongs to nobody now.
    request.backend.files.delete_orphans().await;
    Ok(Done { message: Messages::of(request.lang).account_deleted.into() })
}

// On the wire the changes are the body itself: what the macro would derive puts them one level
// deeper.

impl Serialize for ChangeProfile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.changes.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ChangeProfile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ProfileChanges::deserialize(deserializer).map(|changes| Self { changes })
    }
}
