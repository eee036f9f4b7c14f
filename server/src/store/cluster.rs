//! Tasks of one server for all that share a PostgreSQL database, and the check of their clocks.

use sea_orm::sqlx::{self, PgConnection};

use super::{Engine, Store, StoreError};
use crate::clock::Clock;

/// Difference of clocks in milliseconds beyond which a warning is due. Tokens have a leeway of five
/// seconds.
const CLOCK_TOLERANCE: i64 = 2_000;

/// Periodic work that one server at a time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedTask {
    /// Deletion of expired rows.
    Cleanup,
    /// Deletion of orphaned objects.
    OrphanSweep,
}

impl SharedTask {
    /// Key of PostgreSQL's advisory lock.
    const fn key(self) -> i64 {
        i64::from_be_bytes(match self {
            Self::Cleanup => *b"gh-clean",
            Self::OrphanSweep => *b"gh-sweep",
        })
    }
}

/// While this is held, no other server does the same work.
#[derive(Debug)]
pub struct SharedTaskGuard {
    /// The connection has the lock, and gives it up some time after it is closed.
    connection: Option<PgConnection>,
}

impl SharedTaskGuard {
    /// Ends the work: from then on any server may begin it. A guard that is dropped does so a little
    /// later.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer; the lock ends with the connection.
    pub async fn end(self) -> Result<(), StoreError> {
        if let Some(mut connection) = self.connection {
            sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut connection).await?;
        }
        Ok(())
    }
}

/// Difference between the clock of the database and that of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockDifference {
    /// By how many milliseconds the database is ahead.
    pub ahead: i64,
    /// By how many milliseconds that may be wrong.
    pub uncertainty: i64,
}

impl ClockDifference {
    /// Returns whether the clocks differ too much.
    #[must_use]
    pub fn is_large(self) -> bool {
        self.ahead.saturating_abs() > CLOCK_TOLERANCE.saturating_add(self.uncertainty)
    }
}

impl Store {
    /// Returns a guard for work that one server at a time does; [`None`] if another one is doing it.
    /// Processes on one SQLite file do it one after the other.
    pub async fn begin_shared_task(
        &self,
        task: SharedTask,
    ) -> Result<Option<SharedTaskGuard>, StoreError> {
        let Engine::Postgres { signals, .. } = &self.engine else {
            return Ok(Some(SharedTaskGuard { connection: None }));
        };
        // Not one of a pool: the task itself needs those.
        let mut connection = signals.connect().await?;
        let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(task.key());
        let is_first: bool = lock.fetch_one(&mut connection).await?;
        Ok(is_first.then_some(SharedTaskGuard { connection: Some(connection) }))
    }

    /// Compares the clock of the database with this one; [`None`] for SQLite, which has no other.
    pub async fn compare_clocks(
        &self,
        clock: &dyn Clock,
    ) -> Result<Option<ClockDifference>, StoreError> {
        let Engine::Postgres { .. } = &self.engine else { return Ok(None) };
        let (began, now) = (clock.elapsed(), clock.now_ms());
        let query =
            sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
        let pool = self.read.get_postgres_connection_pool();
        let theirs: i64 = query.fetch_one(pool).await?;
        let took = clock.elapsed().saturating_sub(began).as_millis();
        let uncertainty = i64::try_from(took).unwrap_or(i64::MAX) / 2;
        let ahead = theirs.saturating_sub(now.saturating_add(uncertainty));
        Ok(Some(ClockDifference { ahead, uncertainty }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_difference_beyond_two_seconds_and_the_round_trip_is_large() {
        let difference = |ahead, uncertainty| ClockDifference { ahead, uncertainty }.is_large();
        for (ahead, uncertainty, is_large) in [
            (2_000, 0, false),
            (-2_000, 0, false),
            (2_001, 0, true),
            (-2_001, 0, true),
            (3_000, 1_000, false),
            (i64::MIN, 0, true),
        ] {
            assert_eq!(difference(ahead, uncertainty), is_large, "{ahead} {uncertainty}");
        }
    }
}
