//! Injected time and randomness: the only module that asks the system for either.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

/// A source of time.
pub trait Clock: Send + Sync {
    /// Milliseconds of Unix time.
    fn now_ms(&self) -> i64;

    /// Monotonic time since some fixed moment, for measuring.
    fn elapsed(&self) -> Duration;

    /// Seconds of Unix time.
    fn now(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }
}

/// The system clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock for tests, which stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: AtomicI64,
    elapsed_ms: AtomicI64,
}

impl ManualClock {
    /// A clock at this Unix time in seconds.
    #[must_use]
    pub const fn new(seconds: i64) -> Self {
        Self { now_ms: AtomicI64::new(seconds * 1000), elapsed_ms: AtomicI64::new(seconds * 1000) }
    }

    /// Lets seconds pass; negative ones move the clock back.
    pub fn advance(&self, seconds: i64) {
        self.set(seconds);
        self.elapsed_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Steps the clock by seconds, while no time passes.
    pub fn set(&self, seconds: i64) {
        self.now_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// Formats seconds of Unix time as a UTC timestamp of RFC 3339: `2027-01-15T08:00:00Z`.
#[must_use]
pub fn utc(seconds: i64) -> String {
    let limit = if seconds < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or(limit);
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Formats seconds of Unix time to the minute, for texts in any language: `2027-01-15 08:00 UTC`.
#[must_use]
pub fn utc_minute(seconds: i64) -> String {
    let text = utc(seconds);
    match (text.split_once('T'), text.rsplit_once(':')) {
        (Some((date, _)), Some((minutes, _))) => {
            format!("{date} {} UTC", minutes.rsplit('T').next().unwrap_or_default())
        }
        _ => text,
    }
}

/// A cryptographically secure source of random bytes.
pub trait RandomSource: Send + Sync {
    /// Fills a buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    /// # Panics
    ///
    /// If the operating system has no randomness: no token or salt may be made then.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn fill(&self, buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            panic!("the operating system gives no random bytes: {error}");
        }
    }
}

/// The injected environment: clock and random source.
#[derive(Clone)]
pub struct Env {
    /// A source of time.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub rng: Arc<dyn RandomSource>,
}

impl Env {
    /// The system's clock and random generator.
    #[must_use]
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock::default()), rng: Arc::new(SystemRandom) }
    }

    /// Seconds of Unix time.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Returns random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill(&mut bytes);
        bytes
    }

    /// Returns a new UUIDv7 (RFC 9562 §5.7).
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.uuid_at(self.clock.now_ms())
    }

    /// Returns a UUIDv7 of another time, in milliseconds of Unix time.
    #[must_use]
    pub fn uuid_at(&self, millis: i64) -> Uuid {
        let millis = u64::try_from(millis).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &self.random::<10>()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn utc_formats_as_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_800_000_000, "2027-01-15T08:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(seconds), text);
        }
    }

    #[test]
    fn utc_minute_formats_date_and_time_without_seconds() {
        assert_eq!(utc_minute(1_800_000_059), "2027-01-15 08:00 UTC");
        assert_eq!(utc_minute(-1), "1969-12-31 23:59 UTC");
    }

    proptest! {
        #[test]
        fn utc_of_later_time_sorts_later(seconds in 0_i64..253_402_300_799, more in 1_i64..100_000_000) {
            prop_assert!(utc(seconds) < utc((seconds + more).min(253_402_300_799)));
        }

        #[test]
        fn utc_of_any_time_succeeds(seconds: i64) {
            prop_assert!(utc(seconds).ends_with('Z'));
        }
    }
}
