//! Objects beside the database that belong to nobody, or do not yet: each is written down before it
//! is made and whenever the last row that names it goes, so that whatever crashes in between leaves
//! nothing behind for good.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, sea_query::OnConflict,
};

use super::{
    Store, StoreError,
    entities::stray_object::{self, Column},
};

impl Store {
    /// Writes down that objects are about to be made. Unless a row comes to name them, they may be
    /// removed from the moment `due_at` on, in seconds of Unix time.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn expect_objects(&self, keys: Vec<String>, due_at: i64) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move { abandon(transaction, keys, due_at).await })
            })
            .await
    }

    /// Objects that may be removed, the longest due first.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn stray_objects(&self, now: i64, at_most: u64) -> Result<Vec<String>, StoreError> {
        Ok(stray_object::Entity::find()
            .select_only()
            .column(Column::Key)
            .filter(Column::DueAt.lte(now))
            .order_by_asc(Column::DueAt)
            .limit(at_most)
            .into_tuple()
            .all(&self.read)
            .await?)
    }

    /// Forgets objects that are gone.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn forget_objects(&self, keys: Vec<String>) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| Box::pin(async move { adopt(transaction, keys).await }))
            .await
    }
}

/// From `due_at` on these objects belong to nobody.
pub(super) async fn abandon(
    connection: &impl ConnectionTrait,
    keys: Vec<String>,
    due_at: i64,
) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let rows = keys
        .into_iter()
        .map(|key| stray_object::ActiveModel { key: Set(key), due_at: Set(due_at) });
    let conflict = OnConflict::column(Column::Key).update_column(Column::DueAt).to_owned();
    stray_object::Entity::insert_many(rows)
        .on_conflict(conflict)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

/// These objects belong to somebody, or are gone.
pub(super) async fn adopt(
    connection: &impl ConnectionTrait,
    keys: Vec<String>,
) -> Result<(), StoreError> {
    stray_object::Entity::delete_many().filter(Column::Key.is_in(keys)).exec(connection).await?;
    Ok(())
}
