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
    backend::{Credentials, NewAccount, PasswordAttempt, RequestContext, set_status},
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
    let request = RequestContext::current()?;
    let user = request
        .backend
        .accounts
        .register(NewAccount::new(username, password, nickname), request.client_info.clone())
        .await?;
    set_status(http::StatusCode::CREATED);
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
    let request = RequestContext::current()?;
    let credentials = Credentials::new(username, password, remember)?;
    let outcome = request
        .backend
        .sessions
        .login(credentials, request.device_cookies.clone(), request.client_info.clone())
        .await?;
    outcome
        .device_cookie
        .set(<Login as server_fn::ServerFn>::PATH, request.client_info.is_encrypted);
    Ok(LoggedIn {
        message: Messages::of(request.lang).logged_in.into(),
        tokens: outcome.tokens,
        user: outcome.user,
    })
}

/// Hands out the session's next pair. The caller presents the refresh token.
///
/// # Errors
///
/// The `token_*` codes, `too_many_attempts`, `unavailable`.
#[server(prefix = "/api", endpoint = "auth/refresh", input = Json, output = Json, client = ApiClient)]
pub async fn refresh() -> Result<Refreshed, ApiError> {
    let request = RequestContext::current()?;
    let tokens =
        request.backend.sessions.refresh(request.caller()?, request.client_info.clone()).await?;
    Ok(Refreshed { message: Messages::of(request.lang).refreshed.into(), tokens })
}

/// Tells whether the caller's access token is good.
///
/// # Errors
///
/// The `token_*` codes, `unavailable`.
#[server(prefix = "/api", endpoint = "auth/verify", input = Json, output = Json, client = ApiClient)]
pub async fn verify() -> Result<Verified, ApiError> {
    let request = RequestContext::current()?;
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
    let request = RequestContext::current()?;
    let password = PasswordAttempt::new("password", password)?;
    let token = request
        .backend
        .sessions
        .reauthenticate(request.caller()?, password, request.client_info.clone())
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
    let request = RequestContext::current()?;
    request.backend.sessions.logout(request.caller()?, request.client_info.clone()).await?;
    Ok(Done { message: Messages::of(request.lang).logged_out.into() })
}
