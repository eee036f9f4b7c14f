//! The blocklist, as it is kept.

use app::api::TokenType;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    sea_query::OnConflict,
};

use super::{EndReason, Store, StoreError, entities::revoked_token};

/// A token that was revoked before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedToken {
    /// Its name.
    pub jti: String,
    /// What it was for.
    pub token_type: TokenType,
    /// Its `exp`, in seconds of Unix time.
    pub expires_at: i64,
}

impl Store {
    /// The names and ends of the revoked tokens that have not expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn revoked_tokens(&self, now: i64) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(revoked_token::Entity::find()
            .select_only()
            .column(revoked_token::Column::Jti)
            .column(revoked_token::Column::ExpiresAt)
            .filter(revoked_token::Column::ExpiresAt.gt(now))
            .into_tuple()
            .all(&self.read)
            .await?)
    }

    /// Forgets the revoked tokens that have expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn sweep_revoked_tokens(&self, now: i64) -> Result<u64, StoreError> {
        let expired = revoked_token::Entity::delete_many().filter(revoked_token::Column::ExpiresAt.lte(now));
        self.writer
            .write(move |transaction| Box::pin(async move { Ok(expired.exec(transaction).await?.rows_affected) }))
            .await
    }
}

/// Writes tokens down as revoked; one that is there already stays as it is.
pub(super) async fn insert(
    connection: &impl ConnectionTrait,
    tokens: &[RevokedToken],
    reason: EndReason,
    now: i64,
) -> Result<(), DbErr> {
    if tokens.is_empty() {
        return Ok(());
    }
    let rows = tokens.iter().map(|token| revoked_token::ActiveModel {
        jti: Set(token.jti.clone()),
        token_type: Set(match token.token_type {
            TokenType::Access => "access".to_owned(),
            TokenType::Refresh => "refresh".to_owned(),
        }),
        expires_at: Set(token.expires_at),
        revoked_at: Set(now),
        reason: Set(reason.as_str().to_owned()),
    });
    revoked_token::Entity::insert_many(rows)
        .on_conflict(OnConflict::column(revoked_token::Column::Jti).do_nothing().to_owned())
        .exec_without_returning(connection)
        .await?;
    Ok(())
}
