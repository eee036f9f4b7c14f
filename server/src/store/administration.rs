//! Changes of accounts by administrators. Checks, change and audit entries share a transaction.

use app::{
    backend::{Caller, ClientInfo},
    i18n::mail::AlertKind,
    protocol::Role,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Change, Denied, Event, Store, StoreError,
    alerts::{AlertEvent, Alerts},
    audit, changes,
    entities::user::{self, Column},
    user_sessions,
};
use crate::domain::session::EndReason;

/// Change of an account. Fields that are [`None`] stay unchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountChange {
    /// Disables or enables the account. Disabling revokes its sessions for good.
    pub disabled: Option<bool>,
    /// New role.
    pub role: Option<Role>,
    /// Revokes all sessions.
    pub end_sessions: bool,
}

/// Context of a change for its audit entries.
#[derive(Clone, Debug)]
pub struct AuditContext {
    /// Seconds of Unix time.
    pub at: i64,
    /// Actor as named in the audit log: an account id or the command line.
    pub by: String,
    /// Client of the request.
    pub client_info: ClientInfo,
}

impl AuditContext {
    /// The context of a change by an administrator's request.
    #[must_use]
    pub fn of(caller: &Caller, at: i64, client_info: ClientInfo) -> Self {
        Self { at, by: caller.user.to_string(), client_info }
    }

    /// Creates an audit entry about an account; `what` goes into its details.
    #[must_use]
    pub fn entry(&self, event: Event, user: Option<Uuid>, what: Option<&str>) -> AuditEntry {
        let detail =
            [what, Some("by"), Some(&self.by)].into_iter().flatten().collect::<Vec<_>>().join(" ");
        AuditEntry {
            user,
            detail: Some(detail),
            ..AuditEntry::of(event, self.at, self.client_info.clone())
        }
    }
}

/// Result of [`Store::change_account`].
#[derive(Clone, Debug)]
pub struct AccountChangeOutcome {
    /// Sessions that were revoked.
    pub ended: Vec<Uuid>,
}

/// Error of [`Store::change_account`].
#[derive(Debug, thiserror::Error)]
pub enum AccountChangeError {
    /// There is no account with this id.
    #[error("there is no such account")]
    NoAccount,
    /// The account is the last active administrator.
    #[error("this is the last active administrator; create another one first")]
    LastAdmin,
    /// The session of the actor is not authorized any more.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ActError> for AccountChangeError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Denied(denied) => denied.into(),
            ActError::Store(error) => error.into(),
        }
    }
}

impl Store {
    /// Changes an account. The last active administrator cannot be disabled or lose the role.
    ///
    /// # Errors
    ///
    /// [`AccountChangeError`]: nothing was changed.
    pub async fn change_account(
        &self,
        id: Uuid,
        change: AccountChange,
        context: AuditContext,
    ) -> Result<AccountChangeOutcome, AccountChangeError> {
        let alerts = self.alerts.clone();
        self.writer
            .write(move |transaction| {
                Box::pin(async move { decide(transaction, id, change, &context, &alerts).await })
            })
            .await?
    }

    /// Like [`Store::change_account`], on behalf of an administrator's session.
    ///
    /// # Errors
    ///
    /// [`AccountChangeError`]: nothing was changed.
    pub async fn change_account_as(
        &self,
        actor: Actor,
        id: Uuid,
        change: AccountChange,
        context: AuditContext,
    ) -> Result<AccountChangeOutcome, AccountChangeError> {
        let alerts = self.alerts.clone();
        self.write_as(actor, move |transaction| {
            Box::pin(async move { decide(transaction, id, change, &context, &alerts).await })
        })
        .await?
    }
}

async fn decide(
    connection: &impl ConnectionTrait,
    id: Uuid,
    change: AccountChange,
    context: &AuditContext,
    alerts: &Alerts,
) -> Result<Result<AccountChangeOutcome, AccountChangeError>, StoreError> {
    let Some(before) = user::Entity::find_by_id(id).one(connection).await? else {
        return Ok(Err(AccountChangeError::NoAccount));
    };
    let was_admin = before.role == Role::Admin.as_str();
    let is_admin = change.role.map_or(was_admin, |role| role == Role::Admin);
    let was_disabled = before.disabled_at.is_some();
    let is_disabled = change.disabled.unwrap_or(was_disabled);
    let steps_down = was_admin && !was_disabled && (!is_admin || is_disabled);
    if steps_down && !has_other_admin(connection, id).await? {
        return Ok(Err(AccountChangeError::LastAdmin));
    }
    if let Some(role) = change.role
        && was_admin != is_admin
    {
        set(connection, id, Column::Role, Expr::value(role.as_str())).await?;
        audit::insert(connection, context.entry(Event::RoleChanged, Some(id), Some(role.as_str())))
            .await?;
    }
    let mut ended = Vec::new();
    if was_disabled != is_disabled {
        set(connection, id, Column::DisabledAt, Expr::value(is_disabled.then_some(context.at)))
            .await?;
        let event = if is_disabled { Event::UserDisabled } else { Event::UserEnabled };
        audit::insert(connection, context.entry(event, Some(id), None)).await?;
        // Also on enabling: a login that was in progress while the account was disabled may have
        // created a session.
        ended = end(connection, id, EndReason::Disabled, context).await?;
        if is_disabled {
            // Without the client, which is the administrator's.
            let kind = AlertKind::AccountDisabled;
            let event = AlertEvent { kind, user: id, at: context.at, client: None };
            alerts.send(connection, event).await?;
        }
    }
    if change.end_sessions {
        ended.extend(end(connection, id, EndReason::EndedElsewhere, context).await?);
    }
    Ok(Ok(AccountChangeOutcome { ended }))
}

/// Returns whether another active administrator exists.
pub(super) async fn has_other_admin(
    connection: &impl ConnectionTrait,
    id: Uuid,
) -> Result<bool, StoreError> {
    let other = user::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(
            Column::Role
                .eq(Role::Admin.as_str())
                .and(Column::DisabledAt.is_null())
                .and(Column::Id.ne(id)),
        )
        .limit(1)
        .into_tuple::<Uuid>()
        .one(connection)
        .await?;
    Ok(other.is_some())
}

async fn set(
    connection: &impl ConnectionTrait,
    id: Uuid,
    column: Column,
    value: Expr,
) -> Result<(), StoreError> {
    let update = user::Entity::update_many().col_expr(column, value).filter(Column::Id.eq(id));
    update.exec(connection).await?;
    changes::record(connection, [Change::Account(id)]).await
}

async fn end(
    connection: &impl ConnectionTrait,
    user: Uuid,
    reason: EndReason,
    context: &AuditContext,
) -> Result<Vec<Uuid>, StoreError> {
    user_sessions::end_others(
        connection,
        None,
        reason,
        &context.entry(Event::SessionRevoked, Some(user), None),
    )
    .await
}
