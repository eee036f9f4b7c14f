//! `/api/me`: profile, password and deletion of the caller's account.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Patch, Role, TokenType, User, redact};

/// The profile of the caller, and the lifetime of the access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Profile {
    /// A `UUIDv7` (RFC 9562 §5.7), created at registration.
    pub id: Uuid,
    /// The username as it was registered.
    pub username: String,
    /// Display name: 1 to 64 characters.
    pub nickname: Option<String>,
    /// Path of the avatar.
    pub avatar_url: Option<String>,
    /// The role of the account.
    pub role: Role,
    /// Email address for contact; not a login name.
    pub email: Option<String>,
    /// True if the address is verified: it can be used to log in.
    #[serde(default)]
    pub email_verified: bool,
    /// Address that replaces it once it is verified.
    #[serde(default)]
    pub pending_email: Option<String>,
    /// True if the user gets a mail about logins on new devices.
    #[serde(default)]
    pub alert_new_device: bool,
    /// Phone number in E.164 format; not a login name.
    pub mobile: Option<String>,
    /// Creation of the account, in seconds of Unix time.
    pub created_at: i64,
    /// Time when the password was set, in seconds of Unix time.
    pub password_changed_at: i64,
    /// The token's `iat`, in seconds of Unix time.
    pub login_time: i64,
    /// The token's `exp`, in seconds of Unix time.
    pub expiration_time: i64,
    /// Type of the token: always `access`.
    pub token_type: TokenType,
    /// True if the token was issued for a password, not for a refresh.
    pub fresh: bool,
}

impl Profile {
    /// The public part of the profile.
    #[must_use]
    pub fn user(&self) -> User {
        User {
            id: self.id,
            username: self.username.clone(),
            nickname: self.nickname.clone(),
            avatar_url: self.avatar_url.clone(),
            role: self.role,
        }
    }

    /// Replaces the public part of the profile.
    pub fn set_user(&mut self, user: User) {
        let User { id, username, nickname, avatar_url, role } = user;
        (self.id, self.username, self.nickname) = (id, username, nickname);
        (self.avatar_url, self.role) = (avatar_url, role);
    }
}

/// Changes of a profile (compare RFC 7396, JSON Merge Patch).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ProfileChanges {
    /// Display name, up to 64 characters.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
    pub nickname: Patch,
    /// Email address, at most 254 characters.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
    pub email: Patch,
    /// Phone number in E.164 format: `+` and 8 to 15 digits. Spaces, hyphens and parentheses are
    /// removed.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
    pub mobile: Patch,
    /// True to send a mail about logins on new devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_new_device: Option<bool>,
}

/// Response to a change of the profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ProfileChanged {
    /// Confirmation for the user.
    pub message: String,
    /// The public part of the profile.
    pub user: User,
    /// Email address for contact.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub email: Option<String>,
    /// Address that replaces it once it is verified.
    #[serde(default)]
    pub pending_email: Option<String>,
    /// Phone number in E.164 format.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub mobile: Option<String>,
}

/// Body of a password change.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PasswordChange {
    /// The current password, at most 1024 bytes.
    #[cfg_attr(
        feature = "ssr",
        schema(
            value_type = String, required = true, min_length = 1, max_length = 1024,
            examples("correct horse battery")
        )
    )]
    pub current_password: Option<String>,
    /// The new password.
    #[cfg_attr(
        feature = "ssr",
        schema(
            value_type = String, required = true, min_length = 1,
            examples("battery horse correct")
        )
    )]
    pub password: Option<String>,
}

/// Body of the deletion of an account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Confirmation {
    /// The username, in any spelling.
    #[cfg_attr(
        feature = "ssr",
        schema(value_type = String, required = true, min_length = 1, examples("ada@example.com"))
    )]
    pub username: Option<String>,
}

redact!(PasswordChange);
