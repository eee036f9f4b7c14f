//! Lookup of accounts by name.

use uuid::Uuid;

use crate::{
    domain::username::lookup_key,
    store::{Store, StoreError},
};

/// Finds an account by its username or its verified address in any spelling, or by its id, even if
/// it was deleted.
///
/// # Errors
///
/// [`StoreError`] if the query fails.
pub async fn find(store: &Store, typed: &str) -> Result<Option<Uuid>, StoreError> {
    if let Ok(id) = Uuid::try_parse(typed) {
        return Ok(Some(id));
    }
    let Some(key) = lookup_key(typed) else { return Ok(None) };
    match store.user_with_hash(&key).await? {
        Some((account, _)) => Ok(Some(account.user.id)),
        None => store.owner_of_address(&key).await,
    }
}
