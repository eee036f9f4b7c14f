//! In-memory rate limits of calls, whether they succeed or not: the generic cell rate algorithm of
//! `governor`.

use std::{collections::HashMap, hash::Hash, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{RateLimiter, middleware::NoOpMiddleware, nanos::Nanos, state::StateStore};

use parking_lot::Mutex;

use super::Quota;
use crate::clock::Clock;

/// Largest number of keys in memory: some hundred bytes each at most.
const CAPACITY: usize = 50_000;

/// Allows a burst of `quota.times` calls a key, then one call each `seconds / times`.
pub struct Limiter<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, TheoreticalArrivals<K>, Ticks, NoOpMiddleware<Duration>>,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// Creates a limiter over a clock.
    #[must_use]
    pub fn new(quota: Quota, clock: Arc<dyn Clock>) -> Self {
        Self::with_capacity(quota, clock, CAPACITY)
    }

    fn with_capacity(quota: Quota, clock: Arc<dyn Clock>, capacity: usize) -> Self {
        let times = NonZeroU32::new(quota.times).unwrap_or(NonZeroU32::MIN);
        let one = Duration::from_secs(quota.seconds.unsigned_abs()) / times.get();
        // A period of zero counts as a second.
        let quota = governor::Quota::with_period(one)
            .unwrap_or(governor::Quota::per_second(times))
            .allow_burst(times);
        let remembered = TheoreticalArrivals { one: one.into(), ends: Mutex::default(), capacity };
        Self { limiter: RateLimiter::new(quota, remembered, Ticks(clock)) }
    }

    /// Counts a call of a key.
    ///
    /// # Errors
    ///
    /// The seconds until the next call is allowed, if the key has reached its limit.
    pub fn take(&self, key: &K) -> Result<(), u32> {
        self.limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(governor::clock::Clock::now(self.limiter.clock()));
            u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
        })
    }
}

/// Adapts our clock to governor.
struct Ticks(Arc<dyn Clock>);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The theoretical arrival time of each key, counted from the creation of the limiter.
struct TheoreticalArrivals<K> {
    /// The emission interval: the time that one call uses up.
    one: Nanos,
    ends: Mutex<HashMap<K, Nanos>>,
    capacity: usize,
}

impl<K: Hash + Eq + Clone> StateStore for TheoreticalArrivals<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut ends = self.ends.lock();
        let before = ends.get(key).copied();
        let (answer, end) = decide(before)?;
        if before.is_none() && ends.len() >= self.capacity {
            // The first call of a key arrives one interval from now. Keys whose arrival time has
            // passed are as good as new.
            let now = end.saturating_sub(self.one);
            ends.retain(|_, end| *end > now);
            // If each pass removed few keys, each new key would scan all others. A client with so
            // many addresses is not stopped by counting them.
            if ends.len() > self.capacity / 2 {
                ends.clear();
            }
        }
        ends.insert(key.clone(), end);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const QUOTA: Quota = Quota { times: 6, seconds: 60 };

    fn limiter(capacity: usize) -> (Limiter<u32>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(1_800_000_000));
        (Limiter::with_capacity(QUOTA, Arc::clone(&clock) as _, capacity), clock)
    }

    fn remembered(limiter: Limiter<u32>) -> usize {
        limiter.limiter.into_state_store().ends.into_inner().len()
    }

    #[test]
    fn take_allows_a_burst_and_then_one_call_an_interval() {
        let (limiter, clock) = limiter(CAPACITY);
        for _ in 0..6 {
            assert_eq!(limiter.take(&1), Ok(()));
        }
        assert_eq!(limiter.take(&1), Err(10));
        assert_eq!(limiter.take(&2), Ok(()), "others are not concerned");
        clock.advance(9);
        assert_eq!(limiter.take(&1), Err(1));
        clock.advance(1);
        assert_eq!(limiter.take(&1), Ok(()));
        assert_eq!(limiter.take(&1), Err(10));
        clock.advance(60);
        for _ in 0..6 {
            assert_eq!(limiter.take(&1), Ok(()));
        }
        assert_eq!(limiter.take(&1), Err(10));
    }

    #[test]
    fn take_at_capacity_evicts_expired_keys() {
        let (limiter, clock) = limiter(100);
        for key in 0..100 {
            assert_eq!(limiter.take(&key), Ok(()));
            clock.advance(1);
        }
        for _ in 0..6 {
            assert_eq!(limiter.take(&1000), Ok(()));
        }
        assert_eq!(limiter.take(&1000), Err(10), "it is remembered");
        assert!(remembered(limiter) <= 11);
    }

    #[test]
    fn take_with_many_keys_stays_within_capacity() {
        let (limiter, _) = limiter(100);
        for key in 0..10_000 {
            assert_eq!(limiter.take(&key), Ok(()));
        }
        assert!(remembered(limiter) <= 100);
    }
}
