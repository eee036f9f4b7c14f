//! The wire format of the API: request and response types, error codes and paths, one file an area.

pub mod activity;
pub mod addresses;
pub mod audit;
pub mod auth;
pub mod error;
pub mod files;
pub mod invitations;
pub mod json;
pub mod moderation;
mod patch;
pub mod paths;
pub mod profile;
pub mod sessions;
pub mod users;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use auth::{
    LoggedIn, Reauthenticated, Refreshed, Registered, TokenPair, TokenScheme, TokenType, Verified,
};
pub use patch::Patch;
pub use profile::{Profile, ProfileChanged, ProfileChanges};

/// Role of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// No rights beyond the own account.
    #[default]
    User,
    /// May manage the accounts of other users.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 2] = [Self::User, Self::Admin];

    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// Parses the value on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// The public part of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct User {
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
}

/// Response of an operation that returns no data.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Done {
    /// Confirmation for the user.
    pub message: String,
}

/// Schema of a page size: a number, or an empty value, which counts as absent: HTML forms send empty
/// fields.
#[cfg(feature = "ssr")]
struct PageSize;

#[cfg(feature = "ssr")]
impl utoipa::PartialSchema for PageSize {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{SchemaType, Type};
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(SchemaType::Array(vec![Type::Integer, Type::String]))
            .minimum(Some(1))
            .maximum(Some(100))
            .max_length(Some(0))
            .into()
    }
}

#[cfg(feature = "ssr")]
impl utoipa::ToSchema for PageSize {}

/// Implements the schema of a query parameter that is one of some words. An empty value counts as
/// absent: HTML forms send empty fields.
#[cfg(feature = "ssr")]
macro_rules! word_parameter {
    ($type:ty, $words:expr) => {
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some($words.into_iter().chain([""])))
                    .into()
            }
        }

        impl utoipa::ToSchema for $type {}
    };
}
#[cfg(feature = "ssr")]
use word_parameter;

/// Implements `Debug` for types that hold passwords or tokens: it prints the name of the type only.
macro_rules! redact {
    ($($type:ident),+) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    )+};
}
use redact;
