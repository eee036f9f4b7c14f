//! `/api/auth`: register, log in, refresh, verify, log out.
#![expect(
    missing_docs,
    reason = "the macro makes public fields of the arguments, which the functions describe"
)]

use leptos::prelude::*;
use server_fn::codec::{DeleteUrl, Json};

use super::{
    Done, LoggedIn, Reauthenticated, Refreshed, Registered, Verified, client::ApiClient,
    error::ApiError,
};
#[cfg(feature = "ssr")]
use crate::{
    backend::{Credentials, NewAccount, Presented, Request, respond},
    i18n::messages::Messages,
    protocol::TokenScheme,
};

/// Makes an account. 201.
///
/// # Errors
///
/// `validation_failed`, `username_taken`, `too_many_attempts`, `unavailable`.
#[server(prefix = "/api", endpoint = "auth/register", input = Json, output = Json, client = ApiClient)]
pub async fn register(
    username: Option<String>,
    password: Option<String>,
    nickname: Option<String>,
) -> Result<Registered, ApiError> {
    let request = Request::current()?;
    let user = request
        .backend
        .accounts
        .register(NewAccount::new(username, password, nickname), request.origin.clone())
        .await?;
    respond(http::StatusCode::CREATED);
    Ok(Registered { message: Messages::of(request.lang).registered.into(), user })
}

/// Begins a session. With `remember` (the default) it outlives the browser's window.
///
/// # Errors
///
/// `validation_failed`, `invalid_credentials`, `account_disabled`, `too_many_attempts`,
/// `unavailable`.
#[server(prefix = "/api", endpoint = "auth/login", input = Json, output = Json, client = ApiClient)]
pub async fn login(
    username: Option<String>,
    password: Option<String>,
    remember: Option<bool>,
) -> Result<LoggedIn, ApiError> {
    let request = Request::current()?;
    let credentials = Credentials::new(username, password, remember)?;
    let entry = request
        .backend
        .sessions
        .login(credentials, request.devices.clone(), request.origin.clone())
        .await?;
    entry.device.keep(<Login as server_fn::ServerFn>::PATH, request.origin.is_encrypted);
    Ok(LoggedIn {
        message: Messages::of(request.lang).logged_in.into(),
        tokens: entry.tokens,
        user: entry.user,
    })
}

/// Hands out the session's next pair. The caller presents the refresh token.
///
/// # Errors
///
/// The `token_*` codes, `too_many_attempts`, `unavailable`.
#[server(prefix = "/api", endpoint = "auth/refresh", input = Json, output = Json, client = ApiClient)]
pub async fn refresh() -> Result<Refreshed, ApiError> {
    let request = Request::current()?;
    let tokens =
        request.backend.sessions.refresh(request.caller()?, request.origin.clone()).await?;
    Ok(Refreshed { message: Messages::of(request.lang).refreshed.into(), tokens })
}

/// Tells whether the caller's access token is good.
///
/// # Errors
///
/// The `token_*` codes, `unavailable`.
#[server(prefix = "/api", endpoint = "auth/verify", input = Json, output = Json, client = ApiClient)]
pub async fn verify() -> Result<Verified, ApiError> {
    let request = Request::current()?;
    let caller = request.caller()?;
    let profile = request.backend.accounts.profile(caller).await?;
    Ok(Verified {
        active: true,
        username: profile.user.username,
        expiration_time: profile.expiration_time,
        fresh: profile.fresh,
    })
}

/// Asks whoever is signed in for the password, and hands out an access token that is fresh. The
/// session goes on as it is.
///
/// # Errors
///
/// `validation_failed`, `invalid_credentials`, the `token_*` codes, `too_many_attempts`,
/// `unavailable`.
#[server(prefix = "/api", endpoint = "auth/reauthenticate", input = Json, output = Json, client = ApiClient)]
pub async fn reauthenticate(password: Option<String>) -> Result<Reauthenticated, ApiError> {
    let request = Request::current()?;
    let password = Presented::new("password", password)?;
    let token = request
        .backend
        .sessions
        .reauthenticate(request.caller()?, password, request.origin.clone())
        .await?;
    Ok(Reauthenticated {
        message: Messages::of(request.lang).reauthenticated.into(),
        access_token: token.text,
        token_type: TokenScheme::Bearer,
        expires_in: token.expires_in,
    })
}

/// Ends the session of the caller's token, which may be of either type.
///
/// # Errors
///
/// The `token_*` codes, `unavailable`.
#[server(prefix = "/api", endpoint = "auth/logout", input = DeleteUrl, output = Json, client = ApiClient)]
pub async fn logout() -> Result<Done, ApiError> {
    let request = Request::current()?;
    request.backend.sessions.logout(request.caller()?, request.origin.clone()).await?;
    Ok(Done { message: Messages::of(request.lang).logged_out.into() })
}
