//! `/api/users`: other people's accounts, for administrators.
#![expect(
    missing_docs,
    reason = "the macro makes public fields of the arguments, which the functions describe"
)]

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::{GetUrl, Json, PatchJson};
use uuid::Uuid;

use super::{Role, client::ApiClient, error::ApiError};
#[cfg(feature = "ssr")]
use crate::{
    backend::{AccountChanges, AccountSearch, RequestContext},
    i18n::messages::Messages,
};

/// An account, as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Account {
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
    /// Where the person may be written to, as the person says.
    pub email: Option<String>,
    /// When the account was made, in seconds of Unix time.
    pub created_at: i64,
    /// When it was disabled, in seconds of Unix time; `null` while it may be used.
    pub disabled_at: Option<i64>,
    /// How many of its sessions have not ended.
    pub sessions: u64,
}

/// Some accounts of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AccountPage {
    /// The accounts, in the order that was asked for.
    pub users: Vec<Account>,
    /// What `after` has to be for those that follow; `null` where these are the last.
    pub next: Option<String>,
}

/// In which order accounts are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountSort {
    /// The oldest account first.
    Oldest,
    /// The newest account first.
    #[default]
    Newest,
    /// By name.
    Name,
    /// By name, from the end.
    NameReversed,
}

impl AccountSort {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Newest, Self::Oldest, Self::Name, Self::NameReversed];

    /// As it stands in an address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oldest => "created_at",
            Self::Newest => "-created_at",
            Self::Name => "username",
            Self::NameReversed => "-username",
        }
    }

    /// What an address says.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

/// An account that was changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AccountChanged {
    /// A sentence for the person.
    pub message: String,
    /// The account as it is now.
    pub user: Account,
}

/// A page of all accounts, or of those that are found: by the beginning of a name or nickname, or
/// by a whole e-mail address or id.
///
/// # Errors
///
/// `validation_failed`, `forbidden`, the `token_*` codes, `unavailable`.
#[server(prefix = "/api", endpoint = "users", input = GetUrl, output = Json, client = ApiClient)]
pub async fn users(
    search: Option<String>,
    sort: Option<String>,
    after: Option<String>,
    limit: Option<String>,
) -> Result<AccountPage, ApiError> {
    let request = RequestContext::current()?;
    request.caller()?;
    let search = AccountSearch::new(search, sort.as_deref(), after, limit.as_deref())?;
    Ok(request.backend.administration.accounts(search).await?)
}

/// Disables or enables an account, changes what its person may do, ends its sessions. What is
/// absent stays as it is.
///
/// # Errors
///
/// `validation_failed`, `not_found`, `last_admin`, `forbidden`, `fresh_required`, the `token_*`
/// codes, `unavailable`.
#[server(prefix = "/api", endpoint = "users", input = PatchJson, output = Json, client = ApiClient)]
pub async fn change_account(
    id: Option<String>,
    disabled: Option<bool>,
    role: Option<Role>,
    end_sessions: Option<bool>,
) -> Result<AccountChanged, ApiError> {
    let request = RequestContext::current()?;
    let caller = request.caller()?;
    let changes = AccountChanges::new(caller, id, disabled, role, end_sessions)?;
    let user = request
        .backend
        .administration
        .change_account(caller, changes, request.client_info.clone())
        .await?;
    Ok(AccountChanged { message: Messages::of(request.lang).account_saved.into(), user })
}
