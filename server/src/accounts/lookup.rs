//! Lookup of accounts by username.

use uuid::Uuid;

use crate::{
    domain::username::{lookup_key, name_of},
    store::{Store, StoreError},
};

/// Finds an account by its username in any spelling, or by its id, even if it was deleted.
///
/// # Errors
///
/// [`StoreError`] if the query fails.
pub async fn find(store: &Store, typed: &str) -> Result<Option<Uuid>, StoreError> {
    if let Ok(id) = Uuid::try_parse(typed) {
        return Ok(Some(id));
    }
    let Some(key) = lookup_key(typed) else { return Ok(None) };
    Ok(store.user_with_hash(&key).await?.map(|(account, _)| account.user.id))
}

/// Backfills the skeletons of accounts that were made before skeletons were stored.
///
/// # Errors
///
/// [`StoreError`] if the query fails.
pub async fn backfill_skeletons(store: &Store) -> Result<(), StoreError> {
    loop {
        let users = store.users_without_skeleton().await?;
        if users.is_empty() {
            return Ok(());
        }
        store
            .set_skeletons(users.into_iter().map(|(id, shown)| (id, name_of(&shown))).collect())
            .await?;
    }
}
