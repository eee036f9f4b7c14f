//! `/api/auth`: registration, login, refresh, verification, logout.

use serde::{Deserialize, Serialize};

use super::{User, redact};

/// Body of a registration.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Registration {
    /// Email address or handle.
    #[cfg_attr(
        feature = "ssr",
        schema(value_type = String, required = true, min_length = 1, examples("ada@example.com"))
    )]
    pub username: Option<String>,
    /// The password.
    #[cfg_attr(
        feature = "ssr",
        schema(
            value_type = String, required = true, min_length = 1,
            examples("correct horse battery")
        )
    )]
    pub password: Option<String>,
    /// Display name, up to 64 characters.
    pub nickname: Option<String>,
    /// Token of an invitation, where registration requires one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
}

/// Response to a registration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Registered {
    /// Confirmation for the user.
    pub message: String,
    /// The new account.
    pub user: User,
}

/// Body of a login.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Credentials {
    /// The username, in any spelling.
    #[cfg_attr(
        feature = "ssr",
        schema(value_type = String, required = true, min_length = 1, examples("ada@example.com"))
    )]
    pub username: Option<String>,
    /// The password, at most 1024 bytes.
    #[cfg_attr(
        feature = "ssr",
        schema(
            value_type = String, required = true, min_length = 1, max_length = 1024,
            examples("correct horse battery")
        )
    )]
    pub password: Option<String>,
    /// True if the refresh token gets the long lifetime (default true).
    pub remember: Option<bool>,
}

/// Response to a login: the first token pair of the session (RFC 6749 §5.1).
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LoggedIn {
    /// Confirmation for the user.
    pub message: String,
    /// Authenticates requests: `Authorization: Bearer <access token>`.
    pub access_token: String,
    /// Obtains the next token pair.
    pub refresh_token: String,
    /// Authentication scheme of the tokens.
    pub token_type: TokenScheme,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Seconds until the refresh token expires.
    pub refresh_expires_in: i64,
    /// The authenticated user.
    pub user: User,
}

impl LoggedIn {
    /// A response with these tokens.
    #[must_use]
    pub fn new(message: String, tokens: TokenPair, user: User) -> Self {
        let TokenPair { access_token, refresh_token, token_type, expires_in, refresh_expires_in } =
            tokens;
        Self {
            message,
            access_token,
            refresh_token,
            token_type,
            expires_in,
            refresh_expires_in,
            user,
        }
    }

    /// The tokens and the user.
    #[must_use]
    pub fn into_parts(self) -> (TokenPair, User) {
        let Self {
            access_token, refresh_token, token_type, expires_in, refresh_expires_in, ..
        } = self;
        let tokens =
            TokenPair { access_token, refresh_token, token_type, expires_in, refresh_expires_in };
        (tokens, self.user)
    }
}

/// Response to a refresh: the next token pair of the session (RFC 6749 §5.1).
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Refreshed {
    /// Confirmation for the user.
    pub message: String,
    /// Authenticates requests: `Authorization: Bearer <access token>`.
    pub access_token: String,
    /// Obtains the next token pair.
    pub refresh_token: String,
    /// Authentication scheme of the tokens.
    pub token_type: TokenScheme,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Seconds until the refresh token expires.
    pub refresh_expires_in: i64,
}

impl Refreshed {
    /// A response with these tokens.
    #[must_use]
    pub fn new(message: String, tokens: TokenPair) -> Self {
        let TokenPair { access_token, refresh_token, token_type, expires_in, refresh_expires_in } =
            tokens;
        Self { message, access_token, refresh_token, token_type, expires_in, refresh_expires_in }
    }

    /// The tokens.
    #[must_use]
    pub fn into_tokens(self) -> TokenPair {
        let Self {
            access_token, refresh_token, token_type, expires_in, refresh_expires_in, ..
        } = self;
        TokenPair { access_token, refresh_token, token_type, expires_in, refresh_expires_in }
    }
}

/// The tokens of a session.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// Authenticates requests.
    pub access_token: String,
    /// Obtains the next token pair.
    pub refresh_token: String,
    /// Authentication scheme of the tokens.
    pub token_type: TokenScheme,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Seconds until the refresh token expires.
    pub refresh_expires_in: i64,
}

/// Authentication scheme of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum TokenScheme {
    /// In an `Authorization` header (RFC 6750 §2.1).
    Bearer,
}

/// Body of a re-authentication.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Reauthentication {
    /// The account's password, at most 1024 bytes.
    #[cfg_attr(
        feature = "ssr",
        schema(
            value_type = String, required = true, min_length = 1, max_length = 1024,
            examples("correct horse battery")
        )
    )]
    pub password: Option<String>,
}

/// Response to a re-authentication: a fresh access token of the same session. The refresh token
/// stays valid.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Reauthenticated {
    /// Confirmation for the user.
    pub message: String,
    /// Authenticates requests; fresh.
    pub access_token: String,
    /// Authentication scheme of the token.
    pub token_type: TokenScheme,
    /// Seconds until the token expires.
    pub expires_in: i64,
}

/// State of a valid access token (compare RFC 7662 §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Verified {
    /// Always true: the response for an inactive token is 401.
    pub active: bool,
    /// The username of the account.
    pub username: String,
    /// The token's `exp`, in seconds of Unix time.
    pub expiration_time: i64,
    /// True if the token was issued for a password, not for a refresh.
    pub fresh: bool,
}

/// Purpose of a token: its claim `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// Authenticates requests.
    Access,
    /// Obtains the next token pair.
    Refresh,
}

redact!(
    Registration,
    Credentials,
    LoggedIn,
    Refreshed,
    TokenPair,
    Reauthentication,
    Reauthenticated
);
