//! The contract: data and server functions, one file an area.

pub mod auth;
pub mod client;
pub mod delete_json;
pub mod error;
pub mod files;
mod flat;
pub mod me;
#[cfg(feature = "ssr")]
pub mod operations;
mod patch;
#[cfg(feature = "ssr")]
mod schema;
pub mod sessions;
pub mod users;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use patch::Patch;

/// What a person may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everybody.
    #[default]
    User,
    /// May manage other people's accounts.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::User, Self::Admin];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// What is written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// A person, as others may see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct User {
    /// A `UUIDv7` (RFC 9562 §5.7), made at registration.
    pub id: Uuid,
    /// The account's name as the person wrote it.
    pub username: String,
    /// How the person wants to be called: 1 to 64 characters.
    pub nickname: Option<String>,
    /// Where the person's picture is.
    pub avatar_url: Option<String>,
    /// What the person may do.
    pub role: Role,
}

/// The `user` and `message` of a registration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Registered {
    /// A sentence for the person.
    pub message: String,
    /// The new account.
    pub user: User,
}

/// A session's tokens (RFC 6749 §5.1).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPair {
    /// Signs calls: `Authorization: Bearer <access token>`.
    pub access_token: String,
    /// Gets the next pair.
    pub refresh_token: String,
    /// How the tokens are presented: `Bearer` (RFC 6750).
    pub token_type: TokenScheme,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Seconds until the refresh token expires.
    pub refresh_expires_in: i64,
}

/// How tokens are presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum TokenScheme {
    /// In an `Authorization` header (RFC 6750 §2.1).
    Bearer,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The tokens sign people in: they are never printed.
        f.debug_struct("TokenPair")
            .field("expires_in", &self.expires_in)
            .field("refresh_expires_in", &self.refresh_expires_in)
            .finish_non_exhaustive()
    }
}

/// The answer to a log-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "flat::FlatTokens", into = "flat::FlatTokens")]
pub struct LoggedIn {
    /// A sentence for the person.
    pub message: String,
    /// The new session's tokens.
    pub tokens: TokenPair,
    /// Who has logged in.
    pub user: User,
}

/// The answer to a refresh.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "flat::FlatTokens", into = "flat::FlatTokens")]
pub struct Refreshed {
    /// A sentence for the person.
    pub message: String,
    /// The session's next tokens.
    pub tokens: TokenPair,
}

/// The answer to a password that somebody who is signed in has proven to know: another access token
/// of the same session. The refresh token stays.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Reauthenticated {
    /// A sentence for the person.
    pub message: String,
    /// Signs calls, and is fresh.
    pub access_token: String,
    /// How the token is presented: `Bearer` (RFC 6750).
    pub token_type: TokenScheme,
    /// Seconds until it expires.
    pub expires_in: i64,
}

impl std::fmt::Debug for Reauthenticated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token signs calls: it is never printed.
        f.debug_struct("Reauthenticated")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// The answer to an operation that has nothing else to tell.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Done {
    /// A sentence for the person.
    pub message: String,
}

/// What a living access token says (compare RFC 7662 §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Verified {
    /// Always true: a token that is not active is answered with 401.
    pub active: bool,
    /// The account's name.
    pub username: String,
    /// The token's `exp`, in seconds of Unix time.
    pub expiration_time: i64,
    /// Whether the token comes straight from a password.
    pub fresh: bool,
}

/// The person behind the token, and the token's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "flat::FlatProfile", into = "flat::FlatProfile")]
pub struct Profile {
    /// Who it is.
    pub user: User,
    /// Where the person may be written to.
    pub email: Option<String>,
    /// The number of the person's phone, as E.164 has it.
    pub mobile: Option<String>,
    /// When the account was made, in seconds of Unix time.
    pub created_at: i64,
    /// The token's `iat`, in seconds of Unix time.
    pub login_time: i64,
    /// The token's `exp`, in seconds of Unix time.
    pub expiration_time: i64,
    /// Which token this is: always `access`.
    pub token_type: TokenType,
    /// Whether the token comes straight from a password.
    pub fresh: bool,
}

/// What is to change of a person's profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChanges {
    /// How the person wants to be called: 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub nickname: Patch,
    /// Where the person may be written to.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub email: Patch,
    /// The number of the person's phone: `+`, the country's code and the rest.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub mobile: Patch,
}

/// The profile after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ProfileChanged {
    /// A sentence for the person.
    pub message: String,
    /// As others may see the person.
    pub user: User,
    /// Where the person may be written to.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub email: Option<String>,
    /// The number of the person's phone, as E.164 has it.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub mobile: Option<String>,
}

/// What a token is for: its claim `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// Signs calls.
    Access,
    /// Gets the next pair.
    Refresh,
}
