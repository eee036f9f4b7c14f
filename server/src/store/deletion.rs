//! Deletion of accounts. The account row is deleted at once; its other rows are deleted in batches,
//! so that no other change waits for them.

use app::protocol::Role;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    QueryFilter as _, QuerySelect as _,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Change, Store, StoreError, addresses, administration, audit,
    changes,
    cleanup::{BATCH, batch},
    entities::{deleted_user, session, user},
    files, login_failures, names, one_time_codes, outbox, removal_notices,
    sessions::active_sessions_of,
    user_words,
};

/// Deleted accounts per query.
const ACCOUNTS: u64 = 100;

/// Outcome of [`Store::delete_user`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeletionOutcome {
    /// The account was deleted; these sessions were active.
    Deleted(Vec<Uuid>),
    /// The account is the last active administrator and was not deleted.
    LastAdmin,
    /// There is no such account.
    NoAccount,
}

impl Store {
    /// Deletes the actor's account, clears the failed logins of the subjects, and releases its
    /// username. Audit entries of the account become anonymous. If more rows are left than a batch,
    /// [`Store::continue_deletions`] deletes them; until then they are not shown.
    pub async fn delete_user(
        &self,
        actor: Actor,
        failure_subjects: Vec<String>,
        entry: AuditEntry,
    ) -> Result<DeletionOutcome, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move { delete(transaction, actor.user, failure_subjects, entry).await })
        })
        .await
    }

    /// Deletes a batch of the remaining rows of each deleted account, and returns whether more may
    /// be left.
    pub async fn continue_deletions(&self) -> Result<bool, StoreError> {
        let accounts = deleted_user::Entity::find().limit(ACCOUNTS).all(&self.read).await?;
        let is_more = !accounts.is_empty();
        for deleted_user::Model { user_id, deleted_at } in accounts {
            let removing = self.writer.write(move |transaction| {
                Box::pin(async move {
                    if !delete_batch(transaction, user_id, deleted_at).await? {
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
    failure_subjects: Vec<String>,
    entry: AuditEntry,
) -> Result<DeletionOutcome, StoreError> {
    let Some(account) = user::Entity::find_by_id(id).one(connection).await? else {
        return Ok(DeletionOutcome::NoAccount);
    };
    let may_manage = account.role == Role::Admin.as_str() && account.disabled_at.is_none();
    if may_manage && !administration::has_other_admin(connection, id).await? {
        return Ok(DeletionOutcome::LastAdmin);
    }
    let sessions: Vec<Uuid> = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(active_sessions_of(id, entry.at))
        .into_tuple()
        .all(connection)
        .await?;
    user::Entity::delete_by_id(id).exec(connection).await?;
    let ended = sessions.iter().copied().map(Change::Session);
    changes::record(connection, ended.chain([Change::Account(id)])).await?;
    user_words::delete(connection, id).await?;
    addresses::delete_all(connection, id).await?;
    removal_notices::delete_all(connection, id).await?;
    one_time_codes::delete_all(connection, id).await?;
    outbox::delete_all(connection, id).await?;
    files::mark_avatar_orphaned(connection, account.avatar_url.as_deref(), entry.at).await?;
    names::release(connection, &account.username_skeleton).await?;
    for subject in failure_subjects {
        login_failures::clear(connection, &subject).await?;
    }
    if delete_batch(connection, id, entry.at).await? {
        let rest = deleted_user::ActiveModel { user_id: Set(id), deleted_at: Set(entry.at) };
        deleted_user::Entity::insert(rest).exec_without_returning(connection).await?;
    }
    audit::insert(connection, entry).await?;
    Ok(DeletionOutcome::Deleted(sessions))
}

/// Deletes a batch of the remaining rows of a deleted account, and returns whether more may be
/// left. No rows are added meanwhile: every transaction that adds one checks that the account
/// exists.
async fn delete_batch(
    connection: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<bool, StoreError> {
    let of_user = Condition::all().add(session::Column::UserId.eq(user));
    let sessions = session::Entity::delete_many()
        .filter(
            session::Column::Id.in_subquery(batch::<session::Entity>(session::Column::Id, of_user)),
        )
        .exec(connection)
        .await?
        .rows_affected;
    let files = files::delete_batch(connection, user, now).await?;
    let entries = audit::anonymize_batch(connection, user).await?;
    Ok([sessions, files, entries].contains(&BATCH))
}
