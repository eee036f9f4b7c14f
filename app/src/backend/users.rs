//! What administrators ask of the server.

use async_trait::async_trait;
use uuid::Uuid;

use super::{Caller, ClientInfo, Failure, FieldErrors};
use crate::{
    protocol::{
        Role,
        error::Code,
        users::{Account, AccountPage, AccountSort},
    },
    validation::ServerProblem,
};

/// Accounts of a page where nobody says how many.
const LIMIT: u64 = 50;
/// Accounts of the largest page.
const LIMIT_MAX: u64 = 100;

/// What administrators do about others. Who calls is one: the gate has seen to it.
#[async_trait]
pub trait Administration: Send + Sync {
    /// A page of accounts.
    async fn accounts(&self, search: AccountSearch) -> Result<AccountPage, Failure>;
    /// Changes an account.
    async fn change_account(
        &self,
        caller: &Caller,
        changes: AccountChanges,
        client_info: ClientInfo,
    ) -> Result<Account, Failure>;
}

/// Which accounts are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSearch {
    /// As typed; `None` for all of them.
    pub search: Option<String>,
    /// In which order.
    pub sort: AccountSort,
    /// After which one: what an answer before this one has said.
    pub after: Option<String>,
    /// How many, at the most.
    pub limit: u64,
}

impl AccountSearch {
    /// A search as it came. What is empty counts as absent.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] where there is no such order, or no page of that size.
    pub fn new(
        search: Option<String>,
        sort: Option<&str>,
        after: Option<String>,
        limit: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut fields = FieldErrors::default();
        let sort =
            sort.filter(|sort| !sort.is_empty()).map_or(Ok(AccountSort::default()), |sort| {
                AccountSort::parse(sort).ok_or(ServerProblem::SortUnknown)
            });
        let limit = limit.filter(|limit| !limit.is_empty()).map_or(Ok(LIMIT), |limit| {
            let limit = limit.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
            limit.ok_or(ServerProblem::LimitOutside { max: LIMIT_MAX })
        });
        let (sort, limit) = (fields.check("sort", sort), fields.check("limit", limit));
        fields.into_result()?;
        let (Some(sort), Some(limit)) = (sort, limit) else {
            return Err(Code::InternalError.into());
        };
        let search =
            search.map(|search| search.trim().to_owned()).filter(|search| !search.is_empty());
        Ok(Self { search, sort, after: after.filter(|after| !after.is_empty()), limit })
    }
}

/// What is to become of an account. What is `None` stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountChanges {
    /// Which one.
    pub id: Uuid,
    /// Whether nobody may use it.
    pub disabled: Option<bool>,
    /// What its person may do.
    pub role: Option<Role>,
    /// Whether its person is to be signed out everywhere.
    pub end_sessions: bool,
}

impl AccountChanges {
    /// A change as it came.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] where no account is named, or the caller's own is to be disabled;
    /// `not_found` for what is no id.
    pub fn new(
        caller: &Caller,
        id: Option<String>,
        disabled: Option<bool>,
        role: Option<Role>,
        end_sessions: Option<bool>,
    ) -> Result<Self, Failure> {
        let mut fields = FieldErrors::default();
        let id = id.filter(|id| !id.is_empty());
        if id.is_none() {
            fields.reject("id", ServerProblem::IdMissing);
        }
        let id = id.and_then(|id| Uuid::try_parse(&id).ok());
        if disabled == Some(true) && id == Some(caller.user) {
            fields.reject("disabled", ServerProblem::DisablesOneself);
        }
        fields.into_result()?;
        let id = id.ok_or(Failure::Plain(Code::NotFound))?;
        Ok(Self { id, disabled, role, end_sessions: end_sessions.unwrap_or_default() })
    }
}
