//! Error responses: the codes, their statuses and headers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Body of an error response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ApiError {
    /// The error, for programs: stable.
    pub code: Code,
    /// The error, for the user: in the language of the request.
    pub message: String,
    /// Rejected fields, each with the reason for the user.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "super::json::string_map"
    )]
    pub fields: BTreeMap<String, String>,
    /// Reason for which the session of the token ended, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Identifies the request in the server's log.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(required = true, pattern = "^[0-9a-f]{16}$"))]
    pub request_id: String,
    /// Seconds after which a retry may succeed: sent as `Retry-After`, not in the body.
    #[serde(default, skip_serializing)]
    #[cfg_attr(feature = "ssr", schema(ignore))]
    pub retry_after: Option<u32>,
}

/// Error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The body or query cannot be parsed.
    BadRequest,
    /// A field is missing or invalid.
    ValidationFailed,
    /// Unknown username or wrong password.
    InvalidCredentials,
    /// No token was presented.
    TokenMissing,
    /// The token cannot be parsed.
    TokenMalformed,
    /// Signature, algorithm, key or a claim is invalid.
    TokenInvalid,
    /// A refresh token where an access token is required, or the reverse.
    TokenWrongType,
    /// The token has expired.
    TokenExpired,
    /// The token or its session was revoked.
    TokenRevoked,
    /// The operation requires a fresh token.
    FreshRequired,
    /// The one-time code is unknown, used or expired.
    CodeInvalid,
    /// The account is disabled.
    AccountDisabled,
    /// The account has no verified address, which the server requires for a login. Only after the
    /// right password.
    AddressUnverified,
    /// The server admits no registrations, or none without an invitation.
    RegistrationClosed,
    /// The caller is authenticated, but not allowed.
    Forbidden,
    /// The resource does not exist, or not for the caller.
    NotFound,
    /// The path does not support the method.
    MethodNotAllowed,
    /// The username is taken.
    UsernameTaken,
    /// Another account has verified the address. Only for the owner of the mailbox.
    AddressTaken,
    /// No active administrator would remain.
    LastAdmin,
    /// The body is too large.
    PayloadTooLarge,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// Rate limit exceeded.
    TooManyAttempts,
    /// Unexpected error of the server.
    InternalError,
    /// The server is overloaded or a dependency is down.
    Unavailable,
    /// No response: reported by the browser's client, never by the server.
    Network,
    /// A code that this version does not know, or a response of another server.
    #[serde(other)]
    Unknown,
}

/// Reason for the end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The user logged out.
    LoggedOut,
    /// The user revoked it from another session, or newer sessions replaced it.
    EndedElsewhere,
    /// Reuse of a refresh token was detected: the token may be stolen.
    Reused,
    /// The account was disabled.
    Disabled,
    /// The account's password was changed.
    PasswordChanged,
    /// A reason that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Code {
    /// The status of the response (RFC 9110 §15).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::ValidationFailed | Self::CodeInvalid => 400,
            Self::InvalidCredentials
            | Self::TokenMissing
            | Self::TokenMalformed
            | Self::TokenInvalid
            | Self::TokenWrongType
            | Self::TokenExpired
            | Self::TokenRevoked
            | Self::FreshRequired => 401,
            Self::AccountDisabled
            | Self::AddressUnverified
            | Self::RegistrationClosed
            | Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::UsernameTaken | Self::AddressTaken | Self::LastAdmin => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooManyAttempts => 429,
            Self::InternalError | Self::Network | Self::Unknown => 500,
            Self::Unavailable => 503,
        }
    }

    /// Returns whether the access token was rejected and a refresh may help.
    #[must_use]
    pub const fn is_about_token(self) -> bool {
        matches!(
            self,
            Self::TokenMissing
                | Self::TokenMalformed
                | Self::TokenInvalid
                | Self::TokenWrongType
                | Self::TokenExpired
                | Self::TokenRevoked
        )
    }
}

impl ApiError {
    /// An error that the browser detected itself: it has a code but no message.
    #[must_use]
    pub fn local(code: Code) -> Self {
        Self {
            code,
            message: String::new(),
            fields: BTreeMap::new(),
            reason: None,
            request_id: String::new(),
            retry_after: None,
        }
    }
}

/// Takes an action on something that does not exist any more for done: another tab or another
/// person has ended, removed or used it meanwhile, as intended.
///
/// # Errors
///
/// Those of the action but [`Code::NotFound`].
pub fn done_or_gone<T>(result: Result<T, ApiError>) -> Result<(), ApiError> {
    match result {
        Err(error) if error.code != Code::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(feature = "ssr")]
impl ApiError {
    /// The body of the response.
    #[must_use]
    pub fn body(&self) -> bytes::Bytes {
        // A structure of strings always serializes; otherwise the status still tells.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> http::StatusCode {
        http::StatusCode::from_u16(self.code.status())
            .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The headers that go with the status: `WWW-Authenticate` (RFC 6750 §3, RFC 9470 §3) and
    /// `Retry-After` (RFC 9110 §10.2.3).
    pub fn headers(&self) -> impl Iterator<Item = (http::HeaderName, http::HeaderValue)> {
        let retry_after =
            self.retry_after.map(|seconds| (http::header::RETRY_AFTER, seconds.into()));
        let challenge = self.code.challenge().map(|challenge| {
            (http::header::WWW_AUTHENTICATE, http::HeaderValue::from_static(challenge))
        });
        retry_after.into_iter().chain(challenge)
    }
}

#[cfg(feature = "ssr")]
impl Code {
    /// The challenge of a 401.
    const fn challenge(self) -> Option<&'static str> {
        Some(match self {
            Self::InvalidCredentials | Self::TokenMissing => "Bearer",
            Self::TokenMalformed => {
                r#"Bearer error="invalid_token", error_description="The token is malformed""#
            }
            Self::TokenInvalid => {
                r#"Bearer error="invalid_token", error_description="The token is not valid""#
            }
            Self::TokenWrongType => {
                r#"Bearer error="invalid_token", error_description="The token is of the wrong type""#
            }
            Self::TokenExpired => {
                r#"Bearer error="invalid_token", error_description="The token has expired""#
            }
            Self::TokenRevoked => {
                r#"Bearer error="invalid_token", error_description="The token has been revoked""#
            }
            Self::FreshRequired => {
                r#"Bearer error="insufficient_user_authentication", error_description="A fresh token is required""#
            }
            _ => return None,
        })
    }
}
