//! Cache of user accounts by id, which every authenticated request needs.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    cache::ReadThroughCache,
    metrics::Cache,
    store::{Store, StoreError, StoredUser},
};

/// Largest number of cached accounts: about 300 bytes each.
const CAPACITY: usize = 20_000;

/// Read-through cache of accounts by id.
#[derive(Debug)]
pub struct UserCache {
    store: Store,
    rows: ReadThroughCache<Uuid, Arc<StoredUser>>,
}

impl UserCache {
    /// An empty cache over a database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, rows: ReadThroughCache::new(Cache::Users, CAPACITY) }
    }

    /// Returns the account with this id.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the account is not cached and the query fails.
    pub async fn get(&self, id: Uuid) -> Result<Option<Arc<StoredUser>>, StoreError> {
        self.rows.get_or_load(id, async || Ok(self.store.user(id).await?.map(Arc::new))).await
    }

    /// Invalidates an account, after it was written.
    pub fn invalidate(&self, id: Uuid) {
        self.rows.invalidate(&id);
    }

    /// Invalidates all accounts, after another process has written.
    pub fn invalidate_all(&self) {
        self.rows.invalidate_all();
    }
}
