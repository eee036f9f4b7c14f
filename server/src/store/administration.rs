//! What administrators do to accounts. Each is decided where nobody else writes, with its entries
//! in the audit log.

use app::{backend::ClientInfo, protocol::Role};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Denied, EndReason, Event, Store, StoreError, audit, devices,
    entities::user::{self, Column},
};

/// What is to become of an account. What is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountChange {
    /// Whether nobody may use it. Its sessions end, and do not come back when it is enabled again.
    pub disabled: Option<bool>,
    /// What its person may do.
    pub role: Option<Role>,
    /// Whether its sessions are to end.
    pub end_sessions: bool,
}

/// Who changes something, and when.
#[derive(Clone, Debug)]
pub struct Act {
    /// Seconds of Unix time.
    pub at: i64,
    /// Who it is, as the audit log tells it.
    pub by: String,
    /// From where.
    pub client_info: ClientInfo,
}

impl Act {
    /// What the audit log tells of it: about whose account it is, and what of it there is to tell.
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

/// What has come of it.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Sessions that have ended.
    pub ended: Vec<Uuid>,
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is none with this id.
    #[error("there is no such account")]
    NoAccount,
    /// Nobody would be left to manage accounts.
    #[error("this is the last active administrator; create another one first")]
    LastAdmin,
    /// The session that asked for it may not do it any more.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ActError> for ChangeError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Denied(denied) => denied.into(),
            ActError::Store(error) => error.into(),
        }
    }
}

impl Store {
    /// Changes an account. There is always an administrator whose account may be used, where there
    /// has been one.
    ///
    /// # Errors
    ///
    /// [`ChangeError`]: nothing is changed then.
    pub async fn change_account(
        &self,
        id: Uuid,
        change: AccountChange,
        act: Act,
    ) -> Result<Changed, ChangeError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move { decide(transaction, id, change, &act).await })
            })
            .await?
    }

    /// The same on behalf of an administrator's session.
    ///
    /// # Errors
    ///
    /// [`ChangeError`]: nothing is changed then.
    pub async fn change_account_as(
        &self,
        actor: Actor,
        id: Uuid,
        change: AccountChange,
        act: Act,
    ) -> Result<Changed, ChangeError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move { decide(transaction, id, change, &act).await })
        })
        .await?
    }
}

async fn decide(
    connection: &impl ConnectionTrait,
    id: Uuid,
    change: AccountChange,
    act: &Act,
) -> Result<Result<Changed, ChangeError>, StoreError> {
    let Some(before) = user::Entity::find_by_id(id).one(connection).await? else {
        return Ok(Err(ChangeError::NoAccount));
    };
    let was_admin = before.role == Role::Admin.as_str();
    let is_admin = change.role.map_or(was_admin, |role| role == Role::Admin);
    let was_disabled = before.disabled_at.is_some();
    let is_disabled = change.disabled.unwrap_or(was_disabled);
    let steps_down = was_admin && !was_disabled && (!is_admin || is_disabled);
    if steps_down && !has_other_admin(connection, id).await? {
        return Ok(Err(ChangeError::LastAdmin));
    }
    if let Some(role) = change.role
        && was_admin != is_admin
    {
        set(connection, id, Column::Role, Expr::value(role.as_str())).await?;
        audit::insert(connection, act.entry(Event::RoleChanged, Some(id), Some(role.as_str())))
            .await?;
    }
    let mut ended = Vec::new();
    if was_disabled != is_disabled {
        set(connection, id, Column::DisabledAt, Expr::value(is_disabled.then_some(act.at))).await?;
        let event = if is_disabled { Event::UserDisabled } else { Event::UserEnabled };
        audit::insert(connection, act.entry(event, Some(id), None)).await?;
        // Also when it is enabled again: a log-in that was under way while it was disabled has
        // begun a session.
        ended = end(connection, id, EndReason::Disabled, act).await?;
    }
    if change.end_sessions {
        ended.extend(end(connection, id, EndReason::EndedElsewhere, act).await?);
    }
    Ok(Ok(Changed { ended }))
}

/// Whether there is an administrator beside this one whose account may be used.
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
    Ok(())
}

async fn end(
    connection: &impl ConnectionTrait,
    user: Uuid,
    reason: EndReason,
    act: &Act,
) -> Result<Vec<Uuid>, StoreError> {
    devices::end_others(
        connection,
        None,
        reason,
        &act.entry(Event::SessionRevoked, Some(user), None),
    )
    .await
}
