//! Calls that are counted in memory, whether they succeed or not: the generic cell rate algorithm
//! of `governor`.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{RateLimiter, middleware::NoOpMiddleware, nanos::Nanos, state::StateStore};

use super::Quota;
use crate::clock::Clock;

/// Keys that are remembered at most: some hundred bytes each at the most.
const CAPACITY: usize = 50_000;

/// Lets so many calls with the same key through at once, and then one for each that has run out.
pub struct Limiter<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, TheoreticalArrivals<K>, Ticks, NoOpMiddleware<Duration>>,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// A limiter that goes by a clock.
    #[must_use]
    pub fn new(quota: Quota, clock: Arc<dyn Clock>) -> Self {
        Self::with_capacity(quota, clock, CAPACITY)
    }

    fn with_capacity(quota: Quota, clock: Arc<dyn Clock>, capacity: usize) -> Self {
        let times = NonZeroU32::new(quota.times).unwrap_or(NonZeroU32::MIN);
        let one = Duration::from_secs(quota.seconds.unsigned_abs()) / times.get();
        // A quota of no time at all is none: as good as a second.
        let quota = governor::Quota::with_period(one)
            .unwrap_or(governor::Quota::per_second(times))
            .allow_burst(times);
        let remembered = TheoreticalArrivals { one: one.into(), ends: Mutex::default(), capacity };
        Self { limiter: RateLimiter::new(quota, remembered, Ticks(clock)) }
    }

    /// Takes one call of a key.
    ///
    /// # Errors
    ///
    /// The seconds after which another one is let through.
    pub fn take(&self, key: &K) -> Result<(), u32> {
        self.limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(governor::clock::Clock::now(self.limiter.clock()));
            u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
        })
    }
}

/// Our clock, as governor asks for it.
struct Ticks(Arc<dyn Clock>);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// For each key when its calls will have run out ("theoretical arrival time"), counted from the
/// limiter's beginning.
struct TheoreticalArrivals<K> {
    /// How long one call takes to run out.
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
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let before = ends.get(key).copied();
        let (answer, end) = decide(before)?;
        if before.is_none() && ends.len() >= self.capacity {
            // The first call of a key ends one from now. Keys whose calls have run out are as good
            // as new.
            let now = end.saturating_sub(self.one);
            ends.retain(|_, end| *end > now);
            // Were few of them forgotten each time, each new key would pass all others: whoever has
            // so many addresses is not stopped by counting them.
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
        limiter.limiter.into_state_store().ends.into_inner().unwrap().len()
    }

    #[test]
    fn so_many_at_once_and_then_one_for_each_that_has_run_out() {
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
    fn what_has_run_out_makes_room() {
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
    fn memory_is_bounded_however_many_come() {
        let (limiter, _) = limiter(100);
        for key in 0..10_000 {
            assert_eq!(limiter.take(&key), Ok(()));
        }
        assert!(remembered(limiter) <= 100);
    }
}
