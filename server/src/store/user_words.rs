//! Words by which accounts are found, kept in the transaction that changes a name.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
};
use uuid::Uuid;

use super::{
    StoreError, bulk_insert,
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
    insert_all(connection, std::slice::from_ref(account)).await
}

/// Inserts the words of accounts that have none.
pub(super) async fn insert_all(
    connection: &impl ConnectionTrait,
    accounts: &[user::Model],
) -> Result<(), StoreError> {
    let mut rows: Vec<_> = accounts.iter().flat_map(rows).collect();
    rows.sort_by(|one, other| (&one.word, one.user_id).cmp(&(&other.word, other.user_id)));
    let rows = rows.into_iter().map(user_word::Model::into_active_model);
    bulk_insert::insert(connection, rows).await
}

fn rows(account: &user::Model) -> Vec<user_word::Model> {
    let texts = [account.nickname.as_deref(), Some(&*account.username), account.email.as_deref()];
    let row = |word| user_word::Model {
        word,
        user_id: account.id,
        created_at: account.created_at,
        username_key: account.username_key.clone(),
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
