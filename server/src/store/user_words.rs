//! Words by which accounts are found, kept in the transaction that changes a name.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _,
};
use uuid::Uuid;

use super::{
    StoreError,
    entities::{
        user,
        user_word::{self, Column},
    },
};
use crate::domain::search_words;

/// Inserts the words of an account that has none.
pub(super) async fn insert(
    connection: &impl ConnectionTrait,
    account: &user::Model,
) -> Result<(), StoreError> {
    let texts = [account.nickname.as_deref(), Some(&*account.username), account.email.as_deref()];
    let rows: Vec<_> = search_words::words(texts.into_iter().flatten())
        .into_iter()
        .map(|word| user_word::ActiveModel {
            word: Set(word),
            user_id: Set(account.id),
            created_at: Set(account.created_at),
            username_key: Set(account.username_key.clone()),
        })
        .collect();
    if !rows.is_empty() {
        user_word::Entity::insert_many(rows).exec_without_returning(connection).await?;
    }
    Ok(())
}

/// Replaces the words of an account whose names have changed.
pub(super) async fn replace(
    connection: &impl ConnectionTrait,
    account: &user::Model,
) -> Result<(), StoreError> {
    delete(connection, account.id).await?;
    insert(connection, account).await
}

/// Deletes the words of an account.
pub(super) async fn delete(
    connection: &impl ConnectionTrait,
    user: Uuid,
) -> Result<(), StoreError> {
    user_word::Entity::delete_many().filter(Column::UserId.eq(user)).exec(connection).await?;
    Ok(())
}
