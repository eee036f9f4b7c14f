//! What was read from the database and is asked for on each request, kept in memory.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use app::backend::Failure;
use tracing::Instrument as _;

use crate::failure::internal;

/// Runs a change to its end, also when whoever asked for it has hung up: between the database and
/// its mirror in memory nothing may get lost.
pub(crate) async fn to_its_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    tokio::spawn(change.in_current_span()).await.map_err(internal)?
}

/// Rows in memory. A row that was read before a change and arrives after it is not taken in.
#[derive(Debug)]
pub struct Mirror<K, V> {
    rows: RwLock<Rows<K, V>>,
    capacity: usize,
}

#[derive(Debug)]
struct Rows<K, V> {
    /// Counts the changes: what was read under an older number may be out of date.
    changes: u64,
    by_key: HashMap<K, V>,
}

impl<K: Eq + Hash, V: Clone> Mirror<K, V> {
    /// An empty mirror of at most this many rows.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { rows: RwLock::new(Rows { changes: 0, by_key: HashMap::new() }), capacity }
    }

    /// The row, from memory or else as `load` reads it. That there is none is not remembered.
    ///
    /// # Errors
    ///
    /// Those of `load`.
    pub async fn get_or_load<E>(
        &self,
        key: K,
        load: impl AsyncFnOnce() -> Result<Option<V>, E>,
    ) -> Result<Option<V>, E> {
        let before = {
            let rows = self.read();
            if let Some(row) = rows.by_key.get(&key) {
                return Ok(Some(row.clone()));
            }
            rows.changes
        };
        // A query is a large future: whoever finds the row in memory does not carry it around.
        let loaded = Box::pin(load()).await?;
        if let Some(row) = &loaded {
            let mut rows = self.write();
            if rows.changes == before {
                if rows.by_key.len() >= self.capacity {
                    // Everything can be read again; which rows are worth keeping is not worth
                    // knowing.
                    rows.by_key.clear();
                }
                rows.by_key.insert(key, row.clone());
            }
        }
        Ok(loaded)
    }

    /// Changes a row where it is kept here, without a change in the database.
    pub fn amend(&self, key: &K, change: impl FnOnce(&mut V)) {
        if let Some(row) = self.write().by_key.get_mut(key) {
            change(row);
        }
    }

    /// Forgets a row, after it was changed in the database.
    pub fn forget(&self, key: &K) {
        let mut rows = self.write();
        rows.changes += 1;
        rows.by_key.remove(key);
    }

    /// Forgets all rows.
    pub fn clear(&self) {
        let mut rows = self.write();
        rows.changes += 1;
        rows.by_key.clear();
    }

    fn read(&self) -> RwLockReadGuard<'_, Rows<K, V>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows<K, V>> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, convert::Infallible};

    async fn ask(mirror: &Mirror<u8, u8>, loads: &Cell<u32>, value: Option<u8>) -> Option<u8> {
        let load = async || {
            loads.set(loads.get() + 1);
            Ok::<_, Infallible>(value)
        };
        mirror.get_or_load(1, load).await.unwrap_or_default()
    }

    #[tokio::test]
    async fn a_row_is_loaded_once_until_it_changes() {
        let (mirror, loads) = (Mirror::new(10), Cell::new(0));
        assert_eq!(ask(&mirror, &loads, Some(5)).await, Some(5));
        assert_eq!(ask(&mirror, &loads, Some(6)).await, Some(5));
        assert_eq!(loads.get(), 1);
        mirror.forget(&1);
        assert_eq!(ask(&mirror, &loads, Some(6)).await, Some(6));
        mirror.clear();
        assert_eq!(ask(&mirror, &loads, None).await, None);
        assert_eq!(ask(&mirror, &loads, Some(7)).await, Some(7), "an absence is not remembered");
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept() {
        let (mirror, loads) = (Mirror::new(10), Cell::new(0));
        let slow = mirror.get_or_load(1, async || {
            mirror.forget(&1);
            Ok::<_, Infallible>(Some(5))
        });
        assert_eq!(slow.await, Ok(Some(5)));
        assert_eq!(ask(&mirror, &loads, Some(6)).await, Some(6));
    }

    #[tokio::test]
    async fn it_does_not_grow_beyond_its_capacity() {
        let mirror = Mirror::new(3);
        for key in 0..10_u8 {
            let _ = mirror.get_or_load(key, async || Ok::<_, Infallible>(Some(key))).await;
        }
        assert!(mirror.read().by_key.len() <= 3);
    }
}
