//! Read-through caches of database rows that each request needs.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hash},
};

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::metrics::{Cache, metrics};

/// Number of counters of invalidations. The keys share them by their hash, so that the invalidation
/// of one row seldom prevents caching another one that is read at the same time.
const COUNTERS: usize = 4096;

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
    by_key: HashMap<K, V>,
    /// As many as [`COUNTERS`].
    invalidations: Vec<u64>,
}

/// Number of invalidations that a key had at one time: a row that was read before another one may be
/// stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(u64);

impl<K: Eq + Hash, V: Clone> ReadThroughCache<K, V> {
    /// Creates a cache of at most `capacity` rows.
    #[must_use]
    pub fn new(name: Cache, capacity: usize) -> Self {
        let invalidations = vec![0; COUNTERS];
        let rows = RwLock::new(Rows { by_key: HashMap::new(), invalidations });
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
        let version = {
            let rows = self.read();
            if let Some(row) = rows.by_key.get(&key) {
                metrics().cache_hits.of(self.name).inc();
                return Ok(Some(row.clone()));
            }
            rows.version(&key)
        };
        metrics().cache_misses.of(self.name).inc();
        // Boxed, because a query is a large future and most calls find the row in the cache.
        let loaded = Box::pin(load()).await?;
        if let Some(row) = &loaded {
            let mut rows = self.write();
            if rows.version(&key) == version {
                rows.insert(key, row.clone(), self.capacity);
            }
        }
        Ok(loaded)
    }

    /// Returns the version of a row, for [`Self::replace`].
    pub fn version(&self, key: &K) -> Version {
        self.read().version(key)
    }

    /// Invalidates a row that was changed in the database, and caches the changed one, unless it has
    /// been invalidated since `version`, which was asked for before the change.
    pub fn replace(&self, key: K, row: V, version: Version) {
        let mut rows = self.write();
        let is_current = rows.version(&key) == version;
        rows.invalidate(&key);
        if is_current {
            rows.insert(key, row, self.capacity);
        }
    }

    /// Updates a cached row in place, without a change in the database.
    pub fn update_cached(&self, key: &K, change: impl FnOnce(&mut V)) {
        if let Some(row) = self.write().by_key.get_mut(key) {
            change(row);
        }
    }

    /// Invalidates a row, after it was changed in the database.
    pub fn invalidate(&self, key: &K) {
        self.write().invalidate(key);
    }

    /// Invalidates all rows.
    pub fn invalidate_all(&self) {
        let mut rows = self.write();
        rows.invalidations.iter_mut().for_each(|counter| *counter += 1);
        rows.by_key.clear();
    }

    fn read(&self) -> RwLockReadGuard<'_, Rows<K, V>> {
        self.rows.read()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows<K, V>> {
        self.rows.write()
    }
}

impl<K: Eq + Hash, V> Rows<K, V> {
    fn version(&self, key: &K) -> Version {
        Version(self.invalidations[self.counter(key)])
    }

    fn invalidate(&mut self, key: &K) {
        let counter = self.counter(key);
        self.invalidations[counter] += 1;
        self.by_key.remove(key);
    }

    fn insert(&mut self, key: K, row: V, capacity: usize) {
        if self.by_key.len() >= capacity {
            // Clearing is cheaper than tracking usage: every row can be loaded again.
            self.by_key.clear();
        }
        self.by_key.insert(key, row);
    }

    fn counter(&self, key: &K) -> usize {
        let [first, second, ..] = self.by_key.hasher().hash_one(key).to_le_bytes();
        usize::from(u16::from_le_bytes([first, second])) % COUNTERS
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
    async fn get_or_load_overtaken_by_invalidation_of_another_row_is_cached() {
        let (cache, loads) = (ReadThroughCache::new(Cache::Users, 10), Cell::new(0));
        let counter = |key| cache.read().counter(&key);
        let other = (2..=255).find(|key| counter(*key) != counter(1));
        let slow = cache.get_or_load(1, async || {
            cache.invalidate(&other.unwrap_or_default());
            Ok::<_, Infallible>(Some(5))
        });
        assert!(other.is_some());
        assert_eq!(slow.await, Ok(Some(5)));
        assert_eq!(ask(&cache, &loads, Some(6)).await, Some(5));
    }

    #[tokio::test]
    async fn replace_caches_the_changed_row() {
        let (cache, loads) = (ReadThroughCache::new(Cache::Users, 10), Cell::new(0));
        assert_eq!(ask(&cache, &loads, Some(5)).await, Some(5));
        let version = cache.version(&1);
        cache.replace(1, 6, version);
        assert_eq!(ask(&cache, &loads, Some(7)).await, Some(6));
        assert_eq!(loads.get(), 1);
    }

    #[tokio::test]
    async fn replace_overtaken_by_an_invalidation_caches_nothing() {
        let cache = ReadThroughCache::new(Cache::Users, 10);
        let invalidations: [fn(&ReadThroughCache<u8, u8>); 3] = [
            |cache| cache.invalidate(&1),
            ReadThroughCache::invalidate_all,
            // Two concurrent changes: neither knows whether it was the later one.
            |cache| cache.replace(1, 8, cache.version(&1)),
        ];
        for (number, invalidate) in invalidations.into_iter().enumerate() {
            let loads = Cell::new(0);
            let version = cache.version(&1);
            invalidate(&cache);
            cache.replace(1, 6, version);
            assert_eq!(ask(&cache, &loads, Some(7)).await, Some(7), "{number}");
            cache.invalidate(&1);
        }
    }

    #[tokio::test]
    async fn get_or_load_overtaken_by_replace_is_not_cached() {
        let (cache, loads) = (ReadThroughCache::new(Cache::Users, 10), Cell::new(0));
        let slow = cache.get_or_load(1, async || {
            cache.replace(1, 6, cache.version(&1));
            Ok::<_, Infallible>(Some(5))
        });
        assert_eq!(slow.await, Ok(Some(5)));
        assert_eq!(ask(&cache, &loads, Some(7)).await, Some(6));
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
