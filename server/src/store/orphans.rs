//! Orphaned objects: objects in the object store that no row references, or not yet. Each key is
//! recorded before the object is written and in the transaction that deletes the last row that
//! references it, so a crash in between leaves no object behind for good.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, sea_query::OnConflict,
};

use super::{
    Store, StoreError,
    entities::orphaned_object::{self, Column},
};

impl Store {
    /// Records objects that are about to be written. Unless a row comes to reference them, they are
    /// deleted after `due_at`, in seconds of Unix time.
    pub async fn mark_pending(&self, keys: Vec<String>, due_at: i64) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move { mark_orphaned(transaction, keys, due_at).await })
            })
            .await
    }

    /// Returns the keys of objects that may be deleted, longest due first.
    pub async fn orphaned_objects(
        &self,
        now: i64,
        at_most: u64,
    ) -> Result<Vec<String>, StoreError> {
        Ok(orphaned_object::Entity::find()
            .select_only()
            .column(Column::Key)
            .filter(Column::DueAt.lte(now))
            .order_by_asc(Column::DueAt)
            .limit(at_most)
            .into_tuple()
            .all(&self.read)
            .await?)
    }

    /// Removes the records of objects that have been deleted.
    pub async fn unmark_objects(&self, keys: Vec<String>) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| Box::pin(async move { unmark(transaction, keys).await }))
            .await
    }
}

/// Marks objects as orphaned from `due_at` on.
pub(super) async fn mark_orphaned(
    connection: &impl ConnectionTrait,
    keys: Vec<String>,
    due_at: i64,
) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let rows = keys
        .into_iter()
        .map(|key| orphaned_object::ActiveModel { key: Set(key), due_at: Set(due_at) });
    let conflict = OnConflict::column(Column::Key).update_column(Column::DueAt).to_owned();
    orphaned_object::Entity::insert_many(rows)
        .on_conflict(conflict)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

/// Removes the marks of objects that are referenced now, or deleted.
pub(super) async fn unmark(
    connection: &impl ConnectionTrait,
    keys: Vec<String>,
) -> Result<(), StoreError> {
    orphaned_object::Entity::delete_many().filter(Column::Key.is_in(keys)).exec(connection).await?;
    Ok(())
}
