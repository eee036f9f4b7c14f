//! Cleanup of expired rows in batches, between which other changes are written.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, Condition, EntityTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{OnConflict, Query, SelectStatement},
};

use super::{
    Store, StoreError,
    entities::{audit_event, cleanup},
};

/// Rows that one transaction deletes at most; it takes some milliseconds.
pub(super) const BATCH: u64 = 500;
/// Id of the only row of its table.
const ROW: i64 = 1;

/// Selects the keys of a batch of rows that meet a condition.
pub(super) fn batch<E: EntityTrait>(key: E::Column, which: Condition) -> SelectStatement {
    Query::select()
        .column(key)
        .from(E::default().table_ref())
        .cond_where(which)
        .limit(BATCH)
        .to_owned()
}

impl Store {
    /// Deletes the rows that meet a condition and returns their number. `key` is the primary key.
    pub(super) async fn delete_in_batches<E: EntityTrait>(
        &self,
        key: E::Column,
        which: Condition,
    ) -> Result<u64, StoreError> {
        let mut total = 0;
        loop {
            let delete = E::delete_many().filter(key.in_subquery(batch::<E>(key, which.clone())));
            let deleting = self.writer.write(move |transaction| {
                Box::pin(async move { Ok(delete.exec(transaction).await?.rows_affected) })
            });
            let deleted = deleting.await?;
            total += deleted;
            if deleted < BATCH {
                return Ok(total);
            }
        }
    }

    /// Returns the time of the last cleanup, in seconds of Unix time.
    pub async fn last_cleanup(&self) -> Result<Option<i64>, StoreError> {
        Ok(cleanup::Entity::find_by_id(ROW).one(&self.read).await?.map(|row| row.at))
    }

    /// Records the time of a cleanup.
    pub async fn record_cleanup(&self, at: i64) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let row = cleanup::ActiveModel { id: Set(ROW), at: Set(at) };
                    let conflict = OnConflict::column(cleanup::Column::Id)
                        .update_column(cleanup::Column::At)
                        .to_owned();
                    cleanup::Entity::insert(row)
                        .on_conflict(conflict)
                        .exec_without_returning(transaction)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Returns id and time of the newest audit entry.
    pub async fn newest_audit_entry(&self) -> Result<Option<(i64, i64)>, StoreError> {
        Ok(audit_event::Entity::find()
            .select_only()
            .column(audit_event::Column::Id)
            .column(audit_event::Column::At)
            .order_by_desc(audit_event::Column::Id)
            .limit(1)
            .into_tuple()
            .one(&self.read)
            .await?)
    }
}
