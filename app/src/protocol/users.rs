//! `/api/users`: user accounts, for administrators.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Role;
#[cfg(feature = "ssr")]
use super::word_parameter;

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
    /// Cursor of the next page: its `after`; `null` on the last page. A search for frequent words goes
    /// through a part of the list at a time: a page with few accounts, or none, and a `next` is not
    /// the last.
    pub next: Option<String>,
    /// Cursor of the previous page: its `before`; `null` on the first page.
    pub previous: Option<String>,
    /// Number of the first account of the page, from 1; 0 if the page is empty. Changes of the list
    /// between two pages may shift it.
    pub first: u64,
    /// Number of accounts that match the query.
    pub total: u64,
    /// False if more than `total` accounts may match: at most 10,000 are counted.
    pub total_exact: bool,
}

/// Query of an account list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AccountQuery {
    /// Words, in any case: each has to begin a word of the nickname, the username or the email
    /// address. Or an account id.
    pub search: Option<String>,
    /// Only accounts with this role.
    #[cfg_attr(feature = "ssr", param(value_type = RoleFilter, inline, required = false))]
    pub role: Option<String>,
    /// Only active or only disabled accounts.
    #[cfg_attr(feature = "ssr", param(value_type = AccountStatus, inline, required = false))]
    pub status: Option<String>,
    /// Sort order, default `-created_at` (newest first).
    #[cfg_attr(feature = "ssr", param(value_type = AccountSort, inline, required = false))]
    pub sort: Option<String>,
    /// The `next` cursor of the page before, in the same order.
    pub after: Option<String>,
    /// The `previous` cursor of the page behind, in the same order; not together with `after`.
    pub before: Option<String>,
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

    /// Returns whether the list is in the order of creation.
    #[must_use]
    pub const fn is_by_age(self) -> bool {
        matches!(self, Self::Oldest | Self::Newest)
    }

    /// Returns whether the greatest sort key comes first.
    #[must_use]
    pub const fn is_descending(self) -> bool {
        matches!(self, Self::Newest | Self::NameReversed)
    }
}

/// Status of an account, as a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// The account may be used.
    Active,
    /// An administrator has disabled the account.
    Disabled,
}

impl AccountStatus {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Active, Self::Disabled];

    /// The value of the query parameter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    /// Parses the value of the query parameter.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Schema of the filter by role.
#[cfg(feature = "ssr")]
struct RoleFilter;

#[cfg(feature = "ssr")]
word_parameter!(AccountSort, AccountSort::ALL.map(AccountSort::as_str));
#[cfg(feature = "ssr")]
word_parameter!(AccountStatus, AccountStatus::ALL.map(AccountStatus::as_str));
#[cfg(feature = "ssr")]
word_parameter!(RoleFilter, Role::ALL.map(Role::as_str));

/// An account in detail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AccountDetails {
    /// The account.
    pub user: Account,
    /// True if the address of the account is verified.
    #[serde(default)]
    pub email_verified: bool,
    /// Address that replaces it once it is verified.
    #[serde(default)]
    pub pending_email: Option<String>,
    /// Last login, in seconds of Unix time.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub last_login_at: Option<i64>,
    /// Number of files.
    pub files: u64,
    /// Bytes used by the files, thumbnails included.
    pub files_used: i64,
}

/// Query that names an account.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AccountId {
    /// The `id` of the account.
    pub id: Uuid,
}

/// Query that names a session of an account.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AccountSessionId {
    /// The `id` of the account.
    pub id: Uuid,
    /// The `id` of the session.
    pub session: Uuid,
}

/// Query of the files of an account.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AccountFilesQuery {
    /// The `id` of the account.
    pub id: Uuid,
    /// The `next` cursor of the previous page.
    #[cfg_attr(feature = "ssr", param(value_type = String, required = false))]
    pub after: Option<Uuid>,
    /// Page size: 1 to 100, default 50.
    #[cfg_attr(feature = "ssr", param(value_type = super::PageSize, inline, required = false))]
    pub limit: Option<u32>,
}

/// Query of a file of an account.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AccountFileQuery {
    /// The `id` of the account.
    pub id: Uuid,
    /// The `id` of the file.
    pub file: Uuid,
    /// `full` (default) or `thumb`: a JPEG of at most 512 pixels width.
    #[cfg_attr(feature = "ssr", param(inline))]
    pub size: Option<super::files::FileSize>,
}

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
