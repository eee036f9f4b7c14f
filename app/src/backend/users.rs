//! Administration of user accounts.

use async_trait::async_trait;
use uuid::Uuid;

use super::{Caller, ClientInfo, Failure, FieldErrors};
use crate::{
    protocol::{
        Role,
        audit::{AuditPage, AuditQuery, EVENTS, OUTCOMES},
        error::Code,
        moderation::{PictureRemoval, RemovalReason, TEXT_MAX},
        sessions::SessionInfo,
        users::{
            Account, AccountChanges, AccountDetails, AccountPage, AccountQuery, AccountSort,
            AccountStatus,
        },
    },
    validation::{Problem, ServerProblem, is_invisible},
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
    /// Returns an account in detail.
    async fn account(&self, id: Uuid) -> Result<AccountDetails, Failure>;
    /// Lists the active sessions of an account, by last use.
    async fn sessions(&self, caller: &Caller, id: Uuid) -> Result<Vec<SessionInfo>, Failure>;
    /// Revokes a session of an account.
    async fn revoke_session(
        &self,
        caller: &Caller,
        id: Uuid,
        session: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure>;
    /// Lists entries of the audit log.
    async fn audit_entries(&self, search: AuditSearch) -> Result<AuditPage, Failure>;
}

/// Search in the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSearch {
    /// Type of the event: one of [`EVENTS`].
    pub event: Option<String>,
    /// Outcome: one of [`OUTCOMES`].
    pub outcome: Option<String>,
    /// Account: id, or username as typed.
    pub user: Option<String>,
    /// Earliest time, in seconds of Unix time.
    pub since: Option<i64>,
    /// Cursor: `next` of newer entries.
    pub before: Option<String>,
    /// Cursor: `latest` of an earlier response. Not together with `before`.
    pub after: Option<String>,
    /// Page size.
    pub limit: u64,
}

impl AuditSearch {
    /// Parses a query. An empty parameter counts as absent.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] if event, outcome or time are unknown, the page size is out of
    /// bounds, or both cursors are given.
    pub fn parse(query: AuditQuery) -> Result<Self, Failure> {
        let mut fields = FieldErrors::default();
        let one_of = |all: &[&str], text: Option<String>, problem| {
            let text = filled(text);
            match text.as_deref() {
                Some(text) if !all.contains(&text) => Err(problem),
                _ => Ok(text),
            }
        };
        let event = one_of(&EVENTS, query.event, ServerProblem::EventUnknown);
        let outcome = one_of(&OUTCOMES, query.outcome, ServerProblem::OutcomeUnknown);
        let time = |text: String| text.parse().ok().filter(|time: &i64| *time >= 0);
        let since = filled(query.since)
            .map(|since| time(since).ok_or(ServerProblem::TimeInvalid))
            .transpose();
        let event = fields.check("event", event);
        let outcome = fields.check("outcome", outcome);
        let since = fields.check("since", since);
        let limit = fields.check("limit", page_size(query.limit));
        let (after, before) = (filled(query.after), filled(query.before));
        if after.is_some() && before.is_some() {
            fields.reject("before", ServerProblem::CursorInvalid);
        }
        fields.into_result()?;
        let (Some(event), Some(outcome), Some(since), Some(limit)) = (event, outcome, since, limit)
        else {
            return Err(Code::InternalError.into());
        };
        let user = filled(query.user.map(|user| user.trim().to_owned()));
        Ok(Self { event, outcome, user, since, before, after, limit })
    }
}

/// Removal of a picture of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovalRequest {
    /// The account.
    pub id: Uuid,
    /// The file; `None` for the avatar.
    pub file: Option<Uuid>,
    /// The reason.
    pub reason: RemovalReason,
    /// Explanation for the owner.
    pub text: Option<String>,
}

impl RemovalRequest {
    /// Parses a removal.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] if the account's id or the reason is missing, or the text is missing,
    /// too long or has control characters; `not_found` if an id is not a UUID.
    pub fn parse(removal: PictureRemoval) -> Result<Self, Failure> {
        let PictureRemoval { id, file, reason, text } = removal;
        let mut fields = FieldErrors::default();
        let id = filled(id);
        if id.is_none() {
            fields.reject("id", ServerProblem::IdMissing);
        }
        let reason = filled(reason).and_then(|reason| RemovalReason::parse(&reason));
        if reason.is_none() {
            fields.reject("reason", ServerProblem::ReasonMissing);
        }
        let text = filled(text.map(|text| text.trim().to_owned()));
        match &text {
            None if reason == Some(RemovalReason::Other) => {
                fields.reject("text", ServerProblem::ExplanationMissing);
            }
            Some(text) if text.chars().count() > TEXT_MAX => {
                fields.reject("text", ServerProblem::ExplanationTooLong { max: TEXT_MAX });
            }
            Some(text) if text.chars().any(|letter| letter != '\n' && is_invisible(letter)) => {
                fields.reject("text", Problem::NicknameCharacters);
            }
            _ => {}
        }
        fields.into_result()?;
        let uuid = |id: String| Uuid::try_parse(&id).map_err(|_| Failure::Plain(Code::NotFound));
        let (Some(id), Some(reason)) = (id, reason) else { return Err(Code::InternalError.into()) };
        Ok(Self { id: uuid(id)?, file: filled(file).map(uuid).transpose()?, reason, text })
    }
}

/// Search for accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSearch {
    /// As typed; `None` for all accounts.
    pub search: Option<String>,
    /// Role; `None` for any.
    pub role: Option<Role>,
    /// Status; `None` for any.
    pub status: Option<AccountStatus>,
    /// Sort order.
    pub sort: AccountSort,
    /// Cursor: `next` of the page before.
    pub after: Option<String>,
    /// Cursor: `previous` of the page behind. Not together with `after`.
    pub before: Option<String>,
    /// Page size.
    pub limit: u64,
}

impl AccountSearch {
    /// Parses a query. An empty parameter counts as absent.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] if sort order, role or status are unknown, the page size is out of
    /// bounds, or both cursors are given.
    pub fn parse(query: AccountQuery) -> Result<Self, Failure> {
        let mut fields = FieldErrors::default();
        let sort = filled(query.sort).map_or(Ok(AccountSort::default()), |sort| {
            AccountSort::parse(&sort).ok_or(ServerProblem::SortUnknown)
        });
        let role = filled(query.role)
            .map(|role| Role::parse(&role).ok_or(ServerProblem::RoleUnknown))
            .transpose();
        let status = filled(query.status)
            .map(|status| AccountStatus::parse(&status).ok_or(ServerProblem::StatusUnknown))
            .transpose();
        let sort = fields.check("sort", sort);
        let role = fields.check("role", role);
        let status = fields.check("status", status);
        let limit = fields.check("limit", page_size(query.limit));
        let (after, before) = (filled(query.after), filled(query.before));
        if after.is_some() && before.is_some() {
            fields.reject("before", ServerProblem::CursorInvalid);
        }
        fields.into_result()?;
        let (Some(sort), Some(role), Some(status), Some(limit)) = (sort, role, status, limit)
        else {
            return Err(Code::InternalError.into());
        };
        let search = filled(query.search.map(|search| search.trim().to_owned()));
        Ok(Self { search, role, status, sort, after, before, limit })
    }
}

/// Returns a query parameter; an empty one counts as absent.
pub(super) fn filled(parameter: Option<String>) -> Option<String> {
    parameter.filter(|text| !text.is_empty())
}

/// Parses a page size.
pub(super) fn page_size(limit: Option<String>) -> Result<u64, ServerProblem> {
    filled(limit).map_or(Ok(DEFAULT_LIMIT), |limit| {
        let limit = limit.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or(ServerProblem::LimitOutOfRange { max: MAX_LIMIT })
    })
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
