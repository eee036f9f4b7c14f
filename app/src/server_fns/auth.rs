//! `/api/auth`: registration, login, refresh, verification, logout.

use leptos::prelude::*;
use server_fn::codec::DeleteUrl;

use super::{client::ApiClient, json::Json, transparent};
#[cfg(feature = "ssr")]
use crate::backend::{LoginAttempt, PasswordAttempt, RequestContext, set_status};
use crate::protocol::{
    Done, LoggedIn, Reauthenticated, Refreshed, Registered, Verified,
    addresses::{Undo, Undone},
    auth::{Credentials, Reauthentication, Registration},
    error::ApiError,
};

/// Registers an account. Responds with 201.
#[server(
    prefix = "/api", endpoint = "auth/register", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn register(registration: Registration) -> Result<Registered, ApiError> {
    let request = RequestContext::current()?;
    let (new, client) = (registration.into(), request.client_info.clone());
    let user = request.backend.accounts.register(new, client).await?;
    set_status(http::StatusCode::CREATED);
    Ok(Registered { message: request.message(|messages| messages.registered), user })
}

transparent!(Register { registration: Registration });

/// Starts a session. With `remember` (the default) it survives closing the browser.
#[server(
    prefix = "/api", endpoint = "auth/login", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn login(credentials: Credentials) -> Result<LoggedIn, ApiError> {
    let request = RequestContext::current()?;
    let (cookies, client) = (request.device_cookies.clone(), request.client_info.clone());
    let attempt = LoginAttempt::parse(credentials)?;
    let outcome = request.backend.sessions.login(attempt, cookies, client).await?;
    outcome.device_cookie.set(<Login as server_fn::ServerFn>::PATH, &request.client_info);
    let message = request.message(|messages| messages.logged_in);
    Ok(LoggedIn::new(message, outcome.tokens, outcome.user))
}

transparent!(Login { credentials: Credentials });

/// Rotates the token pair. The caller presents the refresh token.
#[server(prefix = "/api", endpoint = "auth/refresh", input = Json, output = Json, client = ApiClient)]
pub async fn refresh() -> Result<Refreshed, ApiError> {
    let request = RequestContext::current()?;
    let client = request.client_info.clone();
    let tokens = request.backend.sessions.refresh(request.caller()?, client).await?;
    Ok(Refreshed::new(request.message(|messages| messages.refreshed), tokens))
}

/// Returns the state of the caller's access token.
#[server(prefix = "/api", endpoint = "auth/verify", input = Json, output = Json, client = ApiClient)]
pub async fn verify() -> Result<Verified, ApiError> {
    let request = RequestContext::current()?;
    let profile = request.backend.accounts.profile(request.caller()?).await?;
    let (username, expiration_time) = (profile.username, profile.expiration_time);
    Ok(Verified { active: true, username, expiration_time, fresh: profile.fresh })
}

/// Exchanges the password for a fresh access token of the same session.
#[server(
    prefix = "/api", endpoint = "auth/reauthenticate", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn reauthenticate(body: Reauthentication) -> Result<Reauthenticated, ApiError> {
    let request = RequestContext::current()?;
    let password = PasswordAttempt::new("password", body.password)?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    let token = request.backend.sessions.reauthenticate(caller, password, client).await?;
    Ok(token.into_response(request.message(|messages| messages.reauthenticated)))
}

transparent!(Reauthenticate { body: Reauthentication });

/// Revokes the session of the caller's token, which may be of either type.
#[server(prefix = "/api", endpoint = "auth/logout", input = DeleteUrl, output = Json, client = ApiClient)]
pub async fn logout() -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    request.backend.sessions.logout(request.caller()?, request.client_info.clone()).await?;
    Ok(Done { message: request.message(|messages| messages.logged_out) })
}

/// Undoes what an alert was about ("It was not me").
#[server(
    prefix = "/api", endpoint = "auth/undo", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn undo_change(body: Undo) -> Result<Undone, ApiError> {
    let request = RequestContext::current()?;
    let undoing = request.backend.sessions.undo(body.token, request.client_info.clone());
    undoing.await?.set(&request.client_info);
    Ok(Undone { message: request.message(|messages| messages.undone), reset: true })
}

transparent!(UndoChange { body: Undo });
