//! `/api/me/sessions`: the active sessions of the caller's account.

use leptos::prelude::*;
use server_fn::codec::{DeleteUrl, GetUrl};

use super::{client::ApiClient, json::Json, transparent};
use crate::protocol::{
    Done,
    error::ApiError,
    sessions::{SessionList, SessionQuery},
};
#[cfg(feature = "ssr")]
use crate::{backend::RequestContext, protocol::sessions::SessionSelector};

/// Lists the active sessions of the caller's account.
#[server(prefix = "/api", endpoint = "me/sessions", input = GetUrl, output = Json, client = ApiClient)]
pub async fn list_sessions() -> Result<SessionList, ApiError> {
    let request = RequestContext::current()?;
    Ok(SessionList { sessions: request.backend.sessions.list_sessions(request.caller()?).await? })
}

/// Revokes one of the caller's sessions, or all except the current one.
#[server(
    prefix = "/api", endpoint = "me/sessions", input = DeleteUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn revoke_sessions(query: SessionQuery) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let message = request.message(|messages| match query.id {
        SessionSelector::One(_) => messages.session_ended,
        SessionSelector::AllOthers => messages.sessions_ended,
    });
    let (caller, client) = (request.caller()?, request.client_info.clone());
    request.backend.sessions.revoke_sessions(caller, query.id, client).await?;
    Ok(Done { message })
}

transparent!(RevokeSessions { query: SessionQuery });
