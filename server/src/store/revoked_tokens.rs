//! Persistent blocklist: single tokens that are rejected although their session is active. The
//! tokens of an ended session are rejected because of its row, without entries here.

use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::{
    Store, StoreError,
    entities::revoked_token::{self, Column},
};

/// An entry of the blocklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedToken {
    /// Increases with each entry, never reused.
    pub seq: i64,
    /// Token id.
    pub jti: String,
    /// Its `exp`, in seconds of Unix time.
    pub expires_at: i64,
}

impl Store {
    /// Returns the first revoked tokens after this `seq`.
    pub async fn revoked_tokens(
        &self,
        after: i64,
        at_most: u64,
    ) -> Result<Vec<BlockedToken>, StoreError> {
        let rows = revoked_token::Entity::find()
            .filter(Column::Seq.gt(after))
            .order_by_asc(Column::Seq)
            .limit(at_most)
            .all(&self.read)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| BlockedToken { seq: row.seq, jti: row.jti, expires_at: row.expires_at })
            .collect())
    }

    /// Returns whether a token is revoked.
    pub async fn is_revoked(&self, jti: &str) -> Result<bool, StoreError> {
        let found =
            revoked_token::Entity::find().filter(Column::Jti.eq(jti)).one(&self.read).await?;
        Ok(found.is_some())
    }

    /// Deletes the entries of expired tokens.
    pub async fn sweep_revoked_tokens(&self, now: i64) -> Result<u64, StoreError> {
        let expired = Condition::all().add(Column::ExpiresAt.lte(now));
        self.delete_in_batches::<revoked_token::Entity>(Column::Seq, expired).await
    }
}
