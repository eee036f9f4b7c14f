//! Assignment of an object store to the database, by a marker that both have.

use sea_orm::{ActiveValue::Set, EntityTrait as _, sea_query::OnConflict};
use uuid::Uuid;

use super::{
    Store, StoreError,
    entities::object_store::{self, Column},
};

/// Id of the only row of its table.
const ROW: i64 = 1;

impl Store {
    /// Returns the marker of the object store; [`None`] before the first start of a server.
    pub async fn object_marker(&self) -> Result<Option<Uuid>, StoreError> {
        let row = object_store::Entity::find_by_id(ROW).one(&self.read).await?;
        Ok(row.map(|row| row.marker))
    }

    /// Stores the marker of the object store, unless there is one.
    pub async fn insert_object_marker(&self, marker: Uuid) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let row = object_store::ActiveModel { id: Set(ROW), marker: Set(marker) };
                    let conflict = OnConflict::column(Column::Id).do_nothing().to_owned();
                    let insert = object_store::Entity::insert(row).on_conflict(conflict);
                    insert.exec_without_returning(transaction).await?;
                    Ok(())
                })
            })
            .await
    }
}
