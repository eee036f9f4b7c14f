//! Session list of a user, and revocation of its sessions.

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Change, Store, StoreError, audit, changes,
    entities::session::{self, Column},
    sessions::{active_sessions_of, end, revoked},
    users,
};
use crate::domain::session::{EndReason, Session};

/// A session with its last seen client.
#[derive(Clone, Debug)]
pub struct StoredSession {
    /// The session.
    pub session: Session,
    /// IP address.
    pub address: Option<String>,
    /// User agent.
    pub user_agent: Option<String>,
    /// Set if the session began on a device that was new to the account.
    pub is_new: bool,
}

impl TryFrom<session::Model> for StoredSession {
    type Error = StoreError;

    fn try_from(mut row: session::Model) -> Result<Self, StoreError> {
        let (address, user_agent, is_new) =
            (row.address.take(), row.user_agent.take(), row.new_device);
        Ok(Self { session: row.try_into()?, address, user_agent, is_new })
    }
}

impl Store {
    /// Returns the active sessions of a user.
    pub async fn devices(&self, user: Uuid, now: i64) -> Result<Vec<StoredSession>, StoreError> {
        let rows =
            session::Entity::find().filter(active_sessions_of(user, now)).all(&self.read).await?;
        rows.into_iter().map(StoredSession::try_from).collect()
    }

    /// Returns all stored sessions of a user, ended ones too, newest first.
    pub async fn all_sessions(&self, user: Uuid) -> Result<Vec<StoredSession>, StoreError> {
        let rows = session::Entity::find()
            .filter(Column::UserId.eq(user))
            .order_by_desc(Column::CreatedAt);
        rows.all(&self.read).await?.into_iter().map(StoredSession::try_from).collect()
    }

    /// Revokes an active session of the user in `entry`. Returns whether there was one.
    pub async fn end_device(
        &self,
        actor: Actor,
        id: Uuid,
        entry: AuditEntry,
    ) -> Result<bool, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                let this = Condition::all().add(Column::Id.eq(id));
                Ok(!revoke_where(transaction, this, EndReason::EndedElsewhere, &entry)
                    .await?
                    .is_empty())
            })
        })
        .await
    }

    /// Revokes the active sessions of the user in `entry` except the actor's, and returns their
    /// ids.
    pub async fn end_other_sessions(
        &self,
        actor: Actor,
        entry: AuditEntry,
    ) -> Result<Vec<Uuid>, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                end_others(transaction, Some(actor.session), EndReason::EndedElsewhere, &entry)
                    .await
            })
        })
        .await
    }
}

/// Revokes the active sessions of the user in `because` except the kept one, invalidates the user's
/// device cookies, and returns the ids of the sessions.
pub(super) async fn end_others(
    connection: &impl ConnectionTrait,
    kept: Option<Uuid>,
    reason: EndReason,
    because: &AuditEntry,
) -> Result<Vec<Uuid>, StoreError> {
    if let Some(user) = because.user {
        users::invalidate_device_cookies(connection, user).await?;
    }
    let others = Condition::all().add_option(kept.map(|kept| Column::Id.ne(kept)));
    revoke_where(connection, others, reason, because).await
}

async fn revoke_where(
    connection: &impl ConnectionTrait,
    which: Condition,
    reason: EndReason,
    because: &AuditEntry,
) -> Result<Vec<Uuid>, StoreError> {
    let Some(user) = because.user else { return Ok(Vec::new()) };
    let which = active_sessions_of(user, because.at).add(which);
    let ended = end(which.into(), reason, because.at).exec_with_returning(connection).await?;
    changes::record(connection, ended.iter().map(|session| Change::Session(session.id))).await?;
    let entries = ended.iter().map(|session| revoked(session.id, reason, because)).collect();
    audit::insert_all(connection, entries).await?;
    Ok(ended.into_iter().map(|session| session.id).collect())
}
