//! The signing keys of servers that share a database, encrypted by `tokens/keys/`.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    sea_query::{Expr, OnConflict},
};

use super::{
    AuditEntry, Change, Store, StoreError, audit, changes,
    entities::signing_key::{self, Column},
};

/// Id of the only row of its table.
const ROW: i64 = 1;

/// The encrypted keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKeys {
    /// Increases with each change.
    pub revision: i64,
    /// The keys as encrypted text.
    pub sealed: String,
}

impl Store {
    /// Returns the keys; [`None`] before the first start of a server.
    pub async fn sealed_keys(&self) -> Result<Option<SealedKeys>, StoreError> {
        let row = signing_key::Entity::find_by_id(ROW).one(&self.read).await?;
        Ok(row.map(|row| SealedKeys { revision: row.revision, sealed: row.sealed }))
    }

    /// Stores the first keys. Returns whether there were none.
    pub async fn insert_sealed_keys(&self, sealed: String) -> Result<bool, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let row = signing_key::ActiveModel {
                        id: Set(ROW),
                        revision: Set(1),
                        sealed: Set(sealed),
                    };
                    let conflict = OnConflict::column(Column::Id).do_nothing().to_owned();
                    let insert = signing_key::Entity::insert(row).on_conflict(conflict);
                    Ok(insert.exec_without_returning(transaction).await? == 1)
                })
            })
            .await
    }

    /// Replaces the keys of a revision, with an audit entry. Returns whether that was the stored
    /// one; otherwise nothing is done.
    pub async fn replace_sealed_keys(
        &self,
        revision: i64,
        sealed: String,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let updated = signing_key::Entity::update_many()
                        .col_expr(Column::Revision, Expr::value(revision + 1))
                        .col_expr(Column::Sealed, Expr::value(sealed))
                        .filter(Column::Id.eq(ROW).and(Column::Revision.eq(revision)))
                        .exec(transaction)
                        .await?;
                    if updated.rows_affected == 0 {
                        return Ok(false);
                    }
                    changes::record(transaction, [Change::SigningKeys]).await?;
                    audit::insert(transaction, entry).await?;
                    Ok(true)
                })
            })
            .await
    }
}
