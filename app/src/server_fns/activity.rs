//! `/api/me/activity`: the events of the caller's own account.

use leptos::prelude::*;
use server_fn::codec::GetUrl;

use super::{client::ApiClient, json::Json, transparent};
#[cfg(feature = "ssr")]
use crate::backend::{ActivitySearch, RequestContext};
use crate::protocol::{
    activity::{ActivityPage, ActivityQuery},
    error::ApiError,
};

/// Lists the events of the caller's account.
#[server(
    prefix = "/api", endpoint = "me/activity", input = GetUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn list_activity(query: ActivityQuery) -> Result<ActivityPage, ApiError> {
    let request = RequestContext::current()?;
    let search = ActivitySearch::parse(query)?;
    Ok(request.backend.sessions.activity(request.caller()?, search).await?)
}

transparent!(ListActivity { query: ActivityQuery });
