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
    users::ROWS_PER_INSERT,
};
use crate::domain::search_words;

/// Inserts the words of an account that has none.
pub(super) async fn insert(
    connection: &impl ConnectionTrait,
    account: &user::Model,
) -> Result<(), StoreError> {
    insert_all(connection, std::slice::from_ref(account)).await
}

/// Inserts the words of accounts that have none.
pub(super) async fn insert_all(
    connection: &impl ConnectionTrait,
    accounts: &[user::Model],
) -> Result<(), StoreError> {
    let rows: Vec<_> = accounts.iter().flat_map(rows).collect();
    for part in rows.chunks(ROWS_PER_INSERT) {
        let part = part.iter().cloned();
        user_word::Entity::insert_many(part).exec_without_returning(connection).await?;
    }
    Ok(())
}

fn rows(account: &user::Model) -> Vec<user_word::ActiveModel> {
    let texts = [account.nickname.as_deref(), Some(&*account.username), account.email.as_deref()];
    let row = |word| user_word::ActiveModel {
        word: Set(word),
        user_id: Set(account.id),
        created_at: Set(account.created_at),
        username_key: Set(account.username_key.clone()),
    };
    search_words::words(texts.into_iter().flatten()).into_iter().map(row).collect()
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
