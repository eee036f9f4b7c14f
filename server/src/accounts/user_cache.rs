//! Accounts by id: asked on each request, so kept in memory and dropped when they are written.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    cache::ReadThroughCache,
    store::{Store, StoreError, StoredUser},
};

/// Accounts that are kept in memory at most: about 300 bytes each.
const CAPACITY: usize = 20_000;

/// Accounts by id.
#[derive(Debug)]
pub struct UserCache {
    store: Store,
    rows: ReadThroughCache<Uuid, Arc<StoredUser>>,
}

impl UserCache {
    /// The accounts of a database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, rows: ReadThroughCache::new(CAPACITY) }
    }

    /// The account of this id.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn get(&self, id: Uuid) -> Result<Option<Arc<StoredUser>>, StoreError> {
        self.rows.get_or_load(id, async || Ok(self.store.user(id).await?.map(Arc::new))).await
    }

    /// Reads an account anew, after it was written.
    pub fn invalidate(&self, id: Uuid) {
        self.rows.invalidate(&id);
    }

    /// Reads all accounts anew, after another process has written.
    pub fn invalidate_all(&self) {
        self.rows.invalidate_all();
    }
}
