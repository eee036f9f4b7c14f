//! The end of an account: everything that is kept of it goes, at once.

use app::api::Role;
use sea_orm::{ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Store, StoreError, administration, audit,
    entities::{session, user},
    files, login_failures, names,
};

/// What has become of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone, and with it these sessions.
    Done(Vec<Uuid>),
    /// Nobody would be left to manage accounts: it stays as it is.
    LastAdmin,
    /// There was none.
    NoAccount,
}

impl Store {
    /// Deletes the actor's account with all that is kept of it, forgets the failed log-ins that counted against subjects, and makes
    /// its name free. The audit log keeps what has happened, and forgets to whom and from where.
    ///
    /// # Errors
    ///
    /// [`ActError`]
    pub async fn delete_user(
        &self,
        actor: Actor,
        forgotten: Vec<String>,
        entry: AuditEntry,
    ) -> Result<Deletion, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move { delete(transaction, actor.user, forgotten, entry).await })
        })
        .await
    }
}

async fn delete(
    connection: &impl ConnectionTrait,
    id: Uuid,
    forgotten: Vec<String>,
    entry: AuditEntry,
) -> Result<Deletion, StoreError> {
    let Some(account) = user::Entity::find_by_id(id).one(connection).await? else { return Ok(Deletion::NoAccount) };
    let may_manage = account.role == Role::Admin.as_str() && account.disabled_at.is_none();
    if may_manage && !administration::has_other_admin(connection, id).await? {
        return Ok(Deletion::LastAdmin);
    }
    let of_account = Condition::all().add(session::Column::UserId.eq(id));
    let sessions = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(of_account.clone())
        .into_tuple()
        .all(connection)
        .await?;
    session::Entity::delete_many().filter(of_account).exec(connection).await?;
    files::abandon_all(connection, id, entry.at).await?;
    user::Entity::delete_by_id(id).exec(connection).await?;
    if let Some(skeleton) = account.username_skeleton {
        names::release(connection, &skeleton).await?;
    }
    for subject in forgotten {
        login_failures::forgive(connection, &subject).await?;
    }
    audit::forget_person(connection, id).await?;
    audit::insert(connection, entry).await?;
    Ok(Deletion::Done(sessions))
}
