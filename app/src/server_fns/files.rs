//! `/api/me/avatar` and `/api/me/files`: pictures of the caller. Uploads and downloads are handlers
//! of the server: they carry bytes, not JSON.

use leptos::prelude::*;
use server_fn::codec::{DeleteUrl, GetUrl};

use super::{client::ApiClient, json::Json, transparent};
#[cfg(feature = "ssr")]
use crate::backend::RequestContext;
use crate::protocol::{
    Done,
    error::ApiError,
    files::{FileList, FileListQuery, FileQuery, UserChanged},
};

/// Deletes the avatar of the caller.
#[server(prefix = "/api", endpoint = "me/avatar", input = DeleteUrl, output = Json, client = ApiClient)]
pub async fn delete_avatar() -> Result<UserChanged, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    let user = request.backend.files.delete_avatar(caller, client).await?;
    Ok(UserChanged { message: request.message(|messages| messages.avatar_removed), user })
}

/// Lists the files of the caller, newest first.
#[server(
    prefix = "/api", endpoint = "me/files", input = GetUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn list_files(query: FileListQuery) -> Result<FileList, ApiError> {
    let request = RequestContext::current()?;
    let FileListQuery { after, limit } = query;
    Ok(request.backend.files.list_files(request.caller()?, after, limit).await?)
}

transparent!(ListFiles { query: FileListQuery });

/// Deletes a file of the caller.
#[server(
    prefix = "/api", endpoint = "me/files", input = DeleteUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn delete_file(query: FileQuery) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    request.backend.files.delete_file(request.caller()?, query.id).await?;
    Ok(Done { message: request.message(|messages| messages.file_deleted) })
}

transparent!(DeleteFile { query: FileQuery });
