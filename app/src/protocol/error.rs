//! What an operation answers when it fails: its codes and statuses, in one place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

/// A failure on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ApiError {
    /// What went wrong, for programs: stable.
    pub code: Code,
    /// What went wrong, for a person: in the language of the request.
    pub message: String,
    /// Which fields were refused and why, for a person.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Why a token is no longer good, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Names this answer in the server's log.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(required = true, pattern = "^[0-9a-f]{16}$"))]
    pub request_id: String,
    /// Seconds after which another try may succeed: the answer's `Retry-After`, never its body.
    #[serde(default, skip_serializing)]
    #[cfg_attr(feature = "ssr", schema(ignore))]
    pub retry_after: Option<u32>,
}

/// What went wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The body is not JSON or of the wrong shape.
    BadRequest,
    /// A field is missing or refused.
    ValidationFailed,
    /// There is no such account, or its password is another.
    InvalidCredentials,
    /// No token was presented.
    TokenMissing,
    /// What was presented has not the form of a token.
    TokenMalformed,
    /// Signature, algorithm, key or a claim is wrong.
    TokenInvalid,
    /// A refresh token where an access token is asked for, or the reverse.
    TokenWrongType,
    /// The token's time is over.
    TokenExpired,
    /// The token or its session was ended.
    TokenRevoked,
    /// The operation asks for a token that comes straight from a password.
    FreshRequired,
    /// The account has been disabled.
    AccountDisabled,
    /// Signed in, but not allowed.
    Forbidden,
    /// There is no such thing, or not for the caller.
    NotFound,
    /// The address does not take this method.
    MethodNotAllowed,
    /// Another account has this name.
    UsernameTaken,
    /// Nobody would be left to manage accounts.
    LastAdmin,
    /// The body is too large.
    PayloadTooLarge,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The caller has failed too often.
    TooManyAttempts,
    /// The server's fault.
    InternalError,
    /// The server cannot answer now.
    Unavailable,
    /// No answer came: said by the browser's client, never by the server.
    Network,
    /// A code that this version does not know, or an answer that is none of ours.
    #[serde(other)]
    Unknown,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The person has logged out.
    LoggedOut,
    /// The person has ended it from another device, or it gave way to newer ones.
    EndedElsewhere,
    /// One of its refresh tokens was used twice: somebody else may have it.
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
    /// The status of the answer (RFC 9110 §15).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::ValidationFailed => 400,
            Self::InvalidCredentials
            | Self::TokenMissing
            | Self::TokenMalformed
            | Self::TokenInvalid
            | Self::TokenWrongType
            | Self::TokenExpired
            | Self::TokenRevoked
            | Self::FreshRequired => 401,
            Self::AccountDisabled | Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::UsernameTaken | Self::LastAdmin => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooManyAttempts => 429,
            Self::InternalError | Self::Network | Self::Unknown => 500,
            Self::Unavailable => 503,
        }
    }

    /// Whether the access token was refused in a way that a refresh may mend.
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
    /// A failure that the browser itself has found: it has a code, and its words are the page's.
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

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    #[cfg(feature = "ssr")]
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        crate::backend::codec_failure(&error).into()
    }

    #[cfg(not(feature = "ssr"))]
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::local(match error {
            // A body that cannot be read is none of our server's.
            ServerFnErrorErr::Request(_)
            | ServerFnErrorErr::Response(_)
            | ServerFnErrorErr::Deserialization(_) => Code::Network,
            _ => Code::Unknown,
        })
    }

    /// Runs for each failed call, whichever layer has failed it: the one place that sets its status
    /// and headers.
    #[cfg(feature = "ssr")]
    fn ser(&self) -> bytes::Bytes {
        crate::backend::set_error_head(self);
        self.body()
    }
}

#[cfg(feature = "ssr")]
impl ApiError {
    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> bytes::Bytes {
        // A structure of strings always encodes; if it ever did not, the status still tells.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// The answer's status.
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
