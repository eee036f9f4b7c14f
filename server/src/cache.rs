//! Read-through caches of database rows that each request needs.

use std::{collections::HashMap, hash::Hash};

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::metrics::{Cache, metrics};

/// A bounded read-through cache. A row that was read before an invalidation and arrives after it is
/// not cached.
#[derive(Debug)]
pub struct ReadThroughCache<K, V> {
    rows: RwLock<Rows<K, V>>,
    capacity: usize,
    /// The name under which lookups are counted.
    name: Cache,
}

#[derive(Debug)]
struct Rows<K, V> {
    /// Number of invalidations: a row that was read under an older number may be stale.
    invalidations: u64,
    by_key: HashMap<K, V>,
}

impl<K: Eq + Hash, V: Clone> ReadThroughCache<K, V> {
    /// Creates a cache of at most `capacity` rows.
    #[must_use]
    pub fn new(name: Cache, capacity: usize) -> Self {
        let rows = RwLock::new(Rows { invalidations: 0, by_key: HashMap::new() });
        Self { rows, capacity, name }
    }

    /// Returns the row from the cache, or else from `load`. Absent rows are not cached.
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
                metrics().cache_hits.of(self.name).inc();
                return Ok(Some(row.clone()));
            }
            rows.invalidations
        };
        metrics().cache_misses.of(self.name).inc();
        // Boxed, because a query is a large future and most calls find the row in the cache.
        let loaded = Box::pin(load()).await?;
        if let Some(row) = &loaded {
            let mut rows = self.write();
            if rows.invalidations == before {
                if rows.by_key.len() >= self.capacity {
                    // Clearing is cheaper than tracking usage: every row can be loaded again.
                    rows.by_key.clear();
                }
                rows.by_key.insert(key, row.clone());
            }
        }
        Ok(loaded)
    }

    /// Updates a cached row in place, without a change in the database.
    pub fn update_cached(&self, key: &K, change: impl FnOnce(&mut V)) {
        if let Some(row) = self.write().by_key.get_mut(key) {
            change(row);
        }
    }

    /// Invalidates a row, after it was changed in the database.
    pub fn invalidate(&self, key: &K) {
        let mut rows = self.write();
        rows.invalidations += 1;
        rows.by_key.remove(key);
    }

    /// Invalidates all rows.
    pub fn invalidate_all(&self) {
        let mut rows = self.write();
        rows.invalidations += 1;
        rows.by_key.clear();
    }

    fn read(&self) -> RwLockReadGuard<'_, Rows<K, V>> {
        self.rows.read()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows<K, V>> {
        self.rows.write()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, convert::Infallible};

    async fn ask(
        cache: &ReadThroughCache<u8, u8>,
        loads: &Cell<u32>,
        value: Option<u8>,
    ) -> Option<u8> {
        let load = async || {
            loads.set(loads.get() + 1);
            Ok::<_, Infallible>(value)
        };
        cache.get_or_load(1, load).await.unwrap_or_default()
    }

    #[tokio::test]
    async fn get_or_load_loads_once_until_invalidated() {
        let (cache, loads) = (ReadThroughCache::new(Cache::Users, 10), Cell::new(0));
        assert_eq!(ask(&cache, &loads, Some(5)).await, Some(5));
        assert_eq!(ask(&cache, &loads, Some(6)).await, Some(5));
        assert_eq!(loads.get(), 1);
        cache.invalidate(&1);
        assert_eq!(ask(&cache, &loads, Some(6)).await, Some(6));
        cache.invalidate_all();
        assert_eq!(ask(&cache, &loads, None).await, None);
        assert_eq!(ask(&cache, &loads, Some(7)).await, Some(7), "an absence is not remembered");
    }

    #[tokio::test]
    async fn get_or_load_overtaken_by_invalidation_is_not_cached() {
        let (cache, loads) = (ReadThroughCache::new(Cache::Users, 10), Cell::new(0));
        let slow = cache.get_or_load(1, async || {
            cache.invalidate(&1);
            Ok::<_, Infallible>(Some(5))
        });
        assert_eq!(slow.await, Ok(Some(5)));
        assert_eq!(ask(&cache, &loads, Some(6)).await, Some(6));
    }

    #[tokio::test]
    async fn get_or_load_beyond_capacity_stays_bounded() {
        let cache = ReadThroughCache::new(Cache::Users, 3);
        for key in 0..10_u8 {
            let _ = cache.get_or_load(key, async || Ok::<_, Infallible>(Some(key))).await;
        }
        assert!(cache.read().by_key.len() <= 3);
    }
}
