//! Lookup of accounts by username.

use uuid::Uuid;

use crate::{
    domain::username::lookup_key,
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
