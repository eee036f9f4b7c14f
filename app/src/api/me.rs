//! `/api/me`: the person behind the token.

use leptos::prelude::*;
use server_fn::codec::{GetUrl, Json};

use super::{Profile, client::ApiClient, error::ApiError};
#[cfg(feature = "ssr")]
use crate::backend::Request;

/// The caller, and the life of the caller's token.
///
/// # Errors
///
/// The `token_*` codes, `unavailable`.
#[server(prefix = "/api", endpoint = "me", input = GetUrl, output = Json, client = ApiClient)]
pub async fn me() -> Result<Profile, ApiError> {
    let request = Request::current()?;
    Ok(request.backend.accounts.profile(request.caller()?).await?)
}
