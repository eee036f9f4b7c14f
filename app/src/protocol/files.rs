//! `/api/me/avatar` and `/api/me/files`: what a person sends. The sending itself and the pictures'
//! bytes are handlers of the server: here is what the wire carries beside them.
#![expect(
    missing_docs,
    reason = "the macro makes public fields of the arguments, which the functions describe"
)]

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::{DeleteUrl, GetUrl, Json};
use uuid::Uuid;

use super::{Done, User, client::ApiClient, error::ApiError};
#[cfg(feature = "ssr")]
use crate::{backend::RequestContext, i18n::messages::Messages};

/// A picture that a person keeps here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FileEntry {
    /// A `UUIDv7` (RFC 9562 §5.7): later files have greater ones.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// Its bytes.
    pub size: i64,
    /// Pixels, the right side up.
    pub width: i32,
    /// Pixels, the right side up.
    pub height: i32,
    /// Its media type: `image/jpeg`, `image/png` or `image/webp`.
    #[serde(rename = "type")]
    pub media_type: String,
    /// When it was sent, in seconds of Unix time.
    pub created_at: i64,
}

/// Some of a person's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FileList {
    /// Newest first.
    pub files: Vec<FileEntry>,
    /// What the next page comes after; null on the last one.
    pub next: Option<Uuid>,
    /// Bytes that all of the person's files take up, with the small pictures that were made of
    /// them.
    pub used: i64,
    /// Bytes that they may take up.
    pub quota: i64,
}

/// The answer to an upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FileKept {
    /// A sentence for the person.
    pub message: String,
    /// What is kept from now on.
    pub file: FileEntry,
}

/// The answer to a change of what others may see of a person.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UserChanged {
    /// A sentence for the person.
    pub message: String,
    /// The person, as they are now.
    pub user: User,
}

/// Takes the caller's picture away.
///
/// # Errors
///
/// The `token_*` codes, `unavailable`.
#[server(prefix = "/api", endpoint = "me/avatar", input = DeleteUrl, output = Json, client = ApiClient)]
pub async fn remove_avatar() -> Result<UserChanged, ApiError> {
    let request = RequestContext::current()?;
    let user =
        request.backend.files.remove_avatar(request.caller()?, request.client_info.clone()).await?;
    Ok(UserChanged { message: Messages::of(request.lang).avatar_removed.into(), user })
}

/// Some of the caller's files, newest first: those before the one whose id is `after`, at most
/// `limit` (1 to 100, 50 by default).
///
/// # Errors
///
/// The `token_*` codes, `bad_request`, `unavailable`.
#[server(prefix = "/api", endpoint = "me/files", input = GetUrl, output = Json, client = ApiClient)]
pub async fn files(after: Option<Uuid>, limit: Option<u32>) -> Result<FileList, ApiError> {
    let request = RequestContext::current()?;
    Ok(request.backend.files.files(request.caller()?, after, limit).await?)
}

/// Removes one of the caller's files.
///
/// # Errors
///
/// The `token_*` codes, `bad_request`, `not_found`, `unavailable`.
#[server(prefix = "/api", endpoint = "me/files", input = DeleteUrl, output = Json, client = ApiClient)]
pub async fn remove_file(id: Uuid) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    request.backend.files.remove_file(request.caller()?, id).await?;
    Ok(Done { message: Messages::of(request.lang).file_deleted.into() })
}
