//! `/api/users`: user accounts, for administrators.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Role;

/// A user account, as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Account {
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
    /// Email address for contact.
    pub email: Option<String>,
    /// Creation of the account, in seconds of Unix time.
    pub created_at: i64,
    /// Time when the account was disabled, in seconds of Unix time; `null` if it is active.
    pub disabled_at: Option<i64>,
    /// Number of active sessions.
    pub sessions: u64,
}

/// A page of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AccountPage {
    /// The accounts, in the requested order.
    pub users: Vec<Account>,
    /// Cursor of the next page: its `after`; `null` on the last page.
    pub next: Option<String>,
}

/// Query of an account list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AccountQuery {
    /// Prefix of the username (any spelling) or of the nickname (ASCII case-insensitive), or the
    /// exact email address or id.
    pub search: Option<String>,
    /// Sort order, default `-created_at` (newest first).
    #[cfg_attr(feature = "ssr", param(value_type = AccountSort, inline, required = false))]
    pub sort: Option<String>,
    /// The `next` cursor of the previous page, in the same order.
    pub after: Option<String>,
    /// Page size: 1 to 100, default 50.
    #[cfg_attr(feature = "ssr", param(value_type = super::PageSize, inline, required = false))]
    pub limit: Option<String>,
}

/// Sort order of an account list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountSort {
    /// Oldest account first.
    Oldest,
    /// Newest account first.
    #[default]
    Newest,
    /// By username, ascending.
    Name,
    /// By username, descending.
    NameReversed,
}

impl AccountSort {
    /// All orders.
    pub const ALL: [Self; 4] = [Self::Newest, Self::Oldest, Self::Name, Self::NameReversed];

    /// The value of the query parameter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oldest => "created_at",
            Self::Newest => "-created_at",
            Self::Name => "username",
            Self::NameReversed => "-username",
        }
    }

    /// Parses the value of the query parameter.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

#[cfg(feature = "ssr")]
impl utoipa::PartialSchema for AccountSort {
    /// An empty value counts as absent: HTML forms send empty fields.
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(Self::ALL.map(Self::as_str).into_iter().chain([""])))
            .into()
    }
}

#[cfg(feature = "ssr")]
impl utoipa::ToSchema for AccountSort {}

/// Body of an account change. Absent members stay unchanged.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AccountChanges {
    /// The `id` of the account.
    #[cfg_attr(feature = "ssr", schema(value_type = Uuid, required = true))]
    pub id: Option<String>,
    /// Disables or enables the account. Disabling revokes its sessions.
    pub disabled: Option<bool>,
    /// The role of the account.
    pub role: Option<Role>,
    /// Revokes all sessions of the account.
    pub end_sessions: Option<bool>,
}

/// Response to an account change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AccountChanged {
    /// Confirmation for the user.
    pub message: String,
    /// The account after the change.
    pub user: Account,
}
