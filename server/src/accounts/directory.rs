//! Accounts by id: asked on each request, so kept in memory and dropped when they are written.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    mirror::Mirror,
    store::{Store, StoreError, StoredUser},
};

/// Accounts that are kept in memory at most: about 300 bytes each.
const CAPACITY: usize = 20_000;

/// Accounts by id.
#[derive(Debug)]
pub struct Directory {
    store: Store,
    seen: Mirror<Uuid, Arc<StoredUser>>,
}

impl Directory {
    /// The accounts of a database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, seen: Mirror::new(CAPACITY) }
    }

    /// The account of this id.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn get(&self, id: Uuid) -> Result<Option<Arc<StoredUser>>, StoreError> {
        self.seen.get_or_load(id, async || Ok(self.store.user(id).await?.map(Arc::new))).await
    }

    /// Reads an account anew, after it was written.
    pub fn forget(&self, id: Uuid) {
        self.seen.forget(&id);
    }

    /// Reads all accounts anew, after another process has written.
    pub fn clear(&self) {
        self.seen.clear();
    }
}
