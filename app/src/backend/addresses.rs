//! Verification of addresses, password reset and invitations.

use async_trait::async_trait;
use uuid::Uuid;

use super::{
    Caller, ClientInfo, CodeRequestCookie, DeviceCookie, Failure, FieldErrors, LoginAttempt,
};
use crate::{
    protocol::{
        addresses::{
            AddressOwner, AddressVerification, ForgottenPassword, PasswordReset,
            VerificationRequest,
        },
        auth::Credentials,
        error::Code,
        invitations::Invitation,
    },
    validation::{Problem, ServerProblem},
};

/// Verification of addresses, password reset and invitations.
#[async_trait]
pub trait Addresses: Send + Sync {
    /// Sends a mail that resets the password of an account, if there is one that gets it. Returns the
    /// id that binds the digits of the mail to the browser, account or not.
    async fn request_reset(
        &self,
        username: String,
        client_info: ClientInfo,
    ) -> Result<CodeRequestCookie, Failure>;
    /// Sets a new password for a one-time code. All sessions of the account end.
    async fn reset_password(
        &self,
        attempt: ResetAttempt,
        client_info: ClientInfo,
    ) -> Result<(), Failure>;
    /// Verifies an address by a one-time code, and returns it. Digits require a caller.
    async fn verify_address(
        &self,
        code: CodeAttempt,
        caller: Option<&Caller>,
        client_info: ClientInfo,
    ) -> Result<String, Failure>;
    /// Sends the caller the verification of the address that waits for it.
    async fn send_own_verification(
        &self,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<(), Failure>;
    /// Sends the verification of an account that may not log in without it.
    async fn send_verification(
        &self,
        attempt: LoginAttempt,
        cookies: Vec<DeviceCookie>,
        client_info: ClientInfo,
    ) -> Result<(), Failure>;
    /// Verifies the address of an account without a message. The caller is an administrator.
    async fn verify_address_of(
        &self,
        caller: &Caller,
        id: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure>;
    /// Sends the verification of an account. The caller is an administrator.
    async fn send_verification_of(
        &self,
        caller: &Caller,
        id: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure>;
    /// Lists the valid invitations, newest first. The caller is an administrator.
    async fn invitations(&self) -> Result<Vec<Invitation>, Failure>;
    /// Creates an invitation, and sends it to the address if there is one and mail is configured. The
    /// caller is an administrator.
    async fn invite(
        &self,
        caller: &Caller,
        email: Option<String>,
        client_info: ClientInfo,
    ) -> Result<CreatedInvitation, Failure>;
    /// Revokes an invitation. The caller is an administrator.
    async fn revoke_invitation(
        &self,
        caller: &Caller,
        id: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure>;
}

/// A new invitation.
#[derive(Clone, Debug)]
pub struct CreatedInvitation {
    /// Its id.
    pub id: Uuid,
    /// Its link.
    pub link: String,
    /// Seconds of Unix time.
    pub expires_at: i64,
    /// True if it was sent.
    pub sent: bool,
}

/// A one-time code as a client presents it, before it is parsed.
#[derive(Clone, PartialEq, Eq)]
pub enum CodeAttempt {
    /// Token of a link.
    Token(String),
    /// Digits.
    Digits(String),
}

impl CodeAttempt {
    /// Parses the members of a request. The token counts if both are given.
    ///
    /// # Errors
    ///
    /// `code_invalid` if both are missing or empty.
    pub fn parse(token: Option<String>, digits: Option<String>) -> Result<Self, Failure> {
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        filled(token)
            .map(Self::Token)
            .or_else(|| filled(digits).map(Self::Digits))
            .ok_or(Failure::Plain(Code::CodeInvalid))
    }

    /// Parses the body of a verification.
    ///
    /// # Errors
    ///
    /// `code_invalid` if it has no code.
    pub fn of_verification(body: AddressVerification) -> Result<Self, Failure> {
        Self::parse(body.token, body.code)
    }
}

/// A password reset, before its code and password are checked.
#[derive(Clone)]
pub struct ResetAttempt {
    /// The code.
    pub code: CodeAttempt,
    /// The name that the mail was requested for, as typed; needed with digits.
    pub username: String,
    /// The new password, as typed.
    pub password: String,
    /// The cookie that binds digits to the browser.
    pub request: Option<CodeRequestCookie>,
}

impl ResetAttempt {
    /// Parses the body of a reset.
    ///
    /// # Errors
    ///
    /// `code_invalid` if it has no code; [`Failure::Validation`] if digits come without a username.
    pub fn parse(body: PasswordReset, request: Option<CodeRequestCookie>) -> Result<Self, Failure> {
        let code = CodeAttempt::parse(body.token, body.code)?;
        let username = body.username.unwrap_or_default();
        if matches!(code, CodeAttempt::Digits(_)) && username.trim().is_empty() {
            return Err(Failure::field("username", Problem::UsernameMissing));
        }
        Ok(Self { code, username, password: body.password.unwrap_or_default(), request })
    }
}

/// Parses the body of a request for a reset: returns the name as it was typed.
///
/// # Errors
///
/// [`Failure::Validation`] if the name is missing.
pub(crate) fn forgotten_name(body: ForgottenPassword) -> Result<String, Failure> {
    let username = body.username.unwrap_or_default();
    if username.trim().is_empty() {
        return Err(Failure::field("username", Problem::UsernameMissing));
    }
    Ok(username)
}

/// Parses the body of a request for a verification before the login.
///
/// # Errors
///
/// Those of [`LoginAttempt::parse`].
pub(crate) fn verification_request(body: VerificationRequest) -> Result<LoginAttempt, Failure> {
    let VerificationRequest { username, password } = body;
    LoginAttempt::parse(Credentials { username, password, remember: None })
}

/// Parses the id of an account in a body.
///
/// # Errors
///
/// [`Failure::Validation`] if it is missing; `not_found` if it is not a UUID.
pub(crate) fn account_id(body: AddressOwner) -> Result<Uuid, Failure> {
    let mut fields = FieldErrors::default();
    let id = body.id.filter(|id| !id.is_empty());
    if id.is_none() {
        fields.reject("id", ServerProblem::IdMissing);
    }
    fields.into_result()?;
    id.and_then(|id| Uuid::try_parse(&id).ok()).ok_or(Failure::Plain(Code::NotFound))
}
