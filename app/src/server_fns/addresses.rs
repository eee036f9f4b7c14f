//! Verification of addresses and password reset, in `/api/auth`, `/api/me/addresses` and
//! `/api/users`.

use leptos::prelude::*;

use super::{client::ApiClient, json::Json, transparent};
use crate::protocol::{
    Done,
    addresses::{
        AddressOwner, AddressVerification, AddressVerified, ForgottenPassword, PasswordReset,
        VerificationRequest,
    },
    error::ApiError,
};
#[cfg(feature = "ssr")]
use crate::{
    backend::{
        CodeAttempt, RequestContext, ResetAttempt, account_id, forgotten_name, set_status,
        verification_request,
    },
    i18n::messages::Messages,
};

/// Responds with 202: a message is on its way, or would be if there were an account.
#[cfg(feature = "ssr")]
fn accepted(request: &RequestContext, message: impl FnOnce(&Messages) -> &'static str) -> Done {
    set_status(http::StatusCode::ACCEPTED);
    Done { message: request.message(message) }
}

/// Asks for a mail that resets the password. The response is the same with and without an account.
#[server(
    prefix = "/api", endpoint = "auth/forgot", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn forgot_password(body: ForgottenPassword) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let (username, client) = (forgotten_name(body)?, request.client_info.clone());
    let cookie = request.backend.addresses.request_reset(username, client).await?;
    cookie.set(&request.client_info);
    Ok(accepted(&request, |messages| messages.reset_requested))
}

transparent!(ForgotPassword { body: ForgottenPassword });

/// Sets a new password for a one-time code, and ends all sessions of the account.
#[server(
    prefix = "/api", endpoint = "auth/reset", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn reset_password(body: PasswordReset) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let attempt = ResetAttempt::parse(body, request.code_request.clone())?;
    request.backend.addresses.reset_password(attempt, request.client_info.clone()).await?;
    Ok(Done { message: request.message(|messages| messages.password_reset) })
}

transparent!(ResetPassword { body: PasswordReset });

/// Verifies an address by the token of a mail, or by its digits for the account of the caller.
#[server(
    prefix = "/api", endpoint = "auth/verify-address", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn verify_address(body: AddressVerification) -> Result<AddressVerified, ApiError> {
    let request = RequestContext::current()?;
    let (code, client) = (CodeAttempt::of_verification(body)?, request.client_info.clone());
    let addresses = &request.backend.addresses;
    let email = addresses.verify_address(code, request.caller.as_ref(), client).await?;
    Ok(AddressVerified { message: request.message(|messages| messages.address_verified), email })
}

transparent!(VerifyAddress { body: AddressVerification });

/// Sends the verification of an account that may not log in without it.
#[server(
    prefix = "/api", endpoint = "auth/send-verification", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn send_verification(body: VerificationRequest) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let (cookies, client) = (request.device_cookies.clone(), request.client_info.clone());
    let attempt = verification_request(body)?;
    request.backend.addresses.send_verification(attempt, cookies, client).await?;
    Ok(accepted(&request, |messages| messages.verification_sent))
}

transparent!(SendVerification { body: VerificationRequest });

/// Sends the verification of the caller's address again.
#[server(
    prefix = "/api", endpoint = "me/addresses/verify", input = Json, output = Json, client = ApiClient
)]
pub async fn send_own_verification() -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    request.backend.addresses.send_own_verification(caller, client).await?;
    Ok(accepted(&request, |messages| messages.verification_sent))
}

/// Verifies the address of an account without a message.
#[server(
    prefix = "/api", endpoint = "users/verify-address", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn verify_account_address(body: AddressOwner) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    request.backend.addresses.verify_address_of(caller, account_id(body)?, client).await?;
    Ok(Done { message: request.message(|messages| messages.address_verified) })
}

transparent!(VerifyAccountAddress { body: AddressOwner });

/// Sends the verification of an account.
#[server(
    prefix = "/api", endpoint = "users/send-verification", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn send_account_verification(body: AddressOwner) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    request.backend.addresses.send_verification_of(caller, account_id(body)?, client).await?;
    Ok(accepted(&request, |messages| messages.verification_sent))
}

transparent!(SendAccountVerification { body: AddressOwner });
