//! The end of an account. The account itself is deleted at once; what else is kept of it is removed
//! in portions, so that no other change waits for it.

use app::protocol::Role;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    QueryFilter as _, QuerySelect as _,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Store, StoreError, administration, audit,
    cleanup::{PORTION, portion},
    entities::{deleted_user, session, user},
    files, login_failures, names,
    sessions::living_of,
};

/// Deleted accounts that are looked up at a time.
const ACCOUNTS: u64 = 100;

/// What has become of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone, and with it these sessions, which had not ended.
    Done(Vec<Uuid>),
    /// Nobody would be left to manage accounts: it stays as it is.
    LastAdmin,
    /// There was none.
    NoAccount,
}

impl Store {
    /// Deletes the actor's account, forgets the failed log-ins that counted against subjects, and
    /// makes its name free. The audit log keeps what has happened, and forgets to whom and from
    /// where. Where more is kept of the account than a portion, the rest is left to
    /// [`Store::continue_deletions`]; until then nothing shows it.
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

    /// Removes a portion of what is left of each deleted account, and returns whether there may be
    /// more.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn continue_deletions(&self) -> Result<bool, StoreError> {
        let accounts = deleted_user::Entity::find().limit(ACCOUNTS).all(&self.read).await?;
        let is_more = !accounts.is_empty();
        for deleted_user::Model { user_id, deleted_at } in accounts {
            let removing = self.writer.write(move |transaction| {
                Box::pin(async move {
                    if !remove_portion(transaction, user_id, deleted_at).await? {
                        deleted_user::Entity::delete_by_id(user_id).exec(transaction).await?;
                    }
                    Ok(())
                })
            });
            removing.await?;
        }
        Ok(is_more)
    }
}

async fn delete(
    connection: &impl ConnectionTrait,
    id: Uuid,
    forgotten: Vec<String>,
    entry: AuditEntry,
) -> Result<Deletion, StoreError> {
    let Some(account) = user::Entity::find_by_id(id).one(connection).await? else {
        return Ok(Deletion::NoAccount);
    };
    let may_manage = account.role == Role::Admin.as_str() && account.disabled_at.is_none();
    if may_manage && !administration::has_other_admin(connection, id).await? {
        return Ok(Deletion::LastAdmin);
    }
    let sessions = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(living_of(id, entry.at))
        .into_tuple()
        .all(connection)
        .await?;
    user::Entity::delete_by_id(id).exec(connection).await?;
    files::abandon_avatar(connection, account.avatar_url.as_deref(), entry.at).await?;
    if let Some(skeleton) = account.username_skeleton {
        names::release(connection, &skeleton).await?;
    }
    for subject in forgotten {
        login_failures::forgive(connection, &subject).await?;
    }
    if remove_portion(connection, id, entry.at).await? {
        let rest = deleted_user::ActiveModel { user_id: Set(id), deleted_at: Set(entry.at) };
        deleted_user::Entity::insert(rest).exec_without_returning(connection).await?;
    }
    audit::insert(connection, entry).await?;
    Ok(Deletion::Done(sessions))
}

/// Removes a portion of what is left of an account that is gone, and returns whether there may be
/// more. Since the account is gone, nothing is added to it any more: whatever adds something looks
/// for the account in its own transaction.
async fn remove_portion(
    connection: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<bool, StoreError> {
    let of_user = Condition::all().add(session::Column::UserId.eq(user));
    let sessions = session::Entity::delete_many()
        .filter(
            session::Column::Id
                .in_subquery(portion::<session::Entity>(session::Column::Id, of_user)),
        )
        .exec(connection)
        .await?
        .rows_affected;
    let files = files::abandon_portion(connection, user, now).await?;
    let entries = audit::forget_portion(connection, user).await?;
    Ok([sessions, files, entries].contains(&PORTION))
}
