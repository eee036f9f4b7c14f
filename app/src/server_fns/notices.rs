//! `/api/me/notices`: notices to the caller about removed pictures.

use leptos::prelude::*;
use server_fn::codec::{DeleteUrl, GetUrl};

use super::{client::ApiClient, json::Json, transparent};
#[cfg(feature = "ssr")]
use crate::backend::RequestContext;
use crate::protocol::{
    Done,
    error::ApiError,
    moderation::{NoticeList, NoticeQuery},
};

/// Lists the notices to the caller.
#[server(prefix = "/api", endpoint = "me/notices", input = GetUrl, output = Json, client = ApiClient)]
pub async fn list_notices() -> Result<NoticeList, ApiError> {
    let request = RequestContext::current()?;
    Ok(NoticeList { notices: request.backend.files.notices(request.caller()?).await? })
}

/// Dismisses a notice to the caller.
#[server(
    prefix = "/api", endpoint = "me/notices", input = DeleteUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn dismiss_notice(query: NoticeQuery) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    request.backend.files.dismiss_notice(request.caller()?, query.id).await?;
    Ok(Done { message: request.message(|messages| messages.notice_dismissed) })
}

transparent!(DismissNotice { query: NoticeQuery });
