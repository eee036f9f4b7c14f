//! Administration of user accounts.

use async_trait::async_trait;
use uuid::Uuid;

use super::{Caller, ClientInfo, Failure, FieldErrors};
use crate::{
    protocol::{
        Role,
        error::Code,
        users::{Account, AccountChanges, AccountPage, AccountQuery, AccountSort},
    },
    validation::ServerProblem,
};

/// Default page size.
const DEFAULT_LIMIT: u64 = 50;
/// Largest page size.
const MAX_LIMIT: u64 = 100;

/// Administration of user accounts. The caller is an administrator: the access rule of the endpoint
/// has been checked.
#[async_trait]
pub trait Administration: Send + Sync {
    /// Lists a page of accounts.
    async fn accounts(&self, search: AccountSearch) -> Result<AccountPage, Failure>;
    /// Changes an account.
    async fn change_account(
        &self,
        caller: &Caller,
        update: AccountUpdate,
        client_info: ClientInfo,
    ) -> Result<Account, Failure>;
}

/// Search for accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSearch {
    /// As typed; `None` for all accounts.
    pub search: Option<String>,
    /// Sort order.
    pub sort: AccountSort,
    /// Cursor: `next` of the previous page.
    pub after: Option<String>,
    /// Page size.
    pub limit: u64,
}

impl AccountSearch {
    /// Parses a query. An empty parameter counts as absent.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] if the sort order is unknown or the page size out of bounds.
    pub fn parse(query: AccountQuery) -> Result<Self, Failure> {
        let filled = |parameter: Option<String>| parameter.filter(|text| !text.is_empty());
        let mut fields = FieldErrors::default();
        let sort = filled(query.sort).map_or(Ok(AccountSort::default()), |sort| {
            AccountSort::parse(&sort).ok_or(ServerProblem::SortUnknown)
        });
        let limit = filled(query.limit).map_or(Ok(DEFAULT_LIMIT), |limit| {
            let limit = limit.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
            limit.ok_or(ServerProblem::LimitOutOfRange { max: MAX_LIMIT })
        });
        let (sort, limit) = (fields.check("sort", sort), fields.check("limit", limit));
        fields.into_result()?;
        let (Some(sort), Some(limit)) = (sort, limit) else {
            return Err(Code::InternalError.into());
        };
        let search = filled(query.search.map(|search| search.trim().to_owned()));
        Ok(Self { search, sort, after: filled(query.after), limit })
    }
}

/// Changes of an account. `None` keeps the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountUpdate {
    /// The account.
    pub id: Uuid,
    /// True if the account is disabled.
    pub disabled: Option<bool>,
    /// The role of the account.
    pub role: Option<Role>,
    /// True to revoke all of its sessions.
    pub end_sessions: bool,
}

impl AccountUpdate {
    /// Parses a change.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] if the id is missing, or the caller's own account is to be disabled;
    /// `not_found` if the id is not a UUID.
    pub fn parse(caller: &Caller, changes: AccountChanges) -> Result<Self, Failure> {
        let AccountChanges { id, disabled, role, end_sessions } = changes;
        let mut fields = FieldErrors::default();
        let id = id.filter(|id| !id.is_empty());
        if id.is_none() {
            fields.reject("id", ServerProblem::IdMissing);
        }
        let id = id.and_then(|id| Uuid::try_parse(&id).ok());
        if disabled == Some(true) && id == Some(caller.user) {
            fields.reject("disabled", ServerProblem::DisableOwnAccount);
        }
        fields.into_result()?;
        let id = id.ok_or(Failure::Plain(Code::NotFound))?;
        Ok(Self { id, disabled, role, end_sessions: end_sessions.unwrap_or_default() })
    }
}
