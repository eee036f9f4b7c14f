//! Changes on PostgreSQL: each is a serializable transaction of its own on a pool of connections.
//!
//! `SERIALIZABLE` gives a change the guarantee that it has with SQLite's single writer: what it has
//! read is still so when it commits. Where two changes contradict each other, PostgreSQL refuses one
//! of them, and it is made again from the start. No change has to lock the rows that it relies on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, EntityTrait, TransactionTrait as _, UpdateMany,
};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{StoreError, changes, postgres, signals::Signals};
use crate::metrics::metrics;

/// Attempts of a change that concurrent changes contradict; some seconds together.
const MAX_ATTEMPTS: u32 = 200;
/// Longest pause before another attempt.
const MAX_PAUSE: Duration = Duration::from_millis(50);
/// Attempts to begin on a connection that is still open. Those that a restart of the database has
/// closed are found one at a time.
const MAX_BEGINS: u32 = 64;
/// Time limit of the wait for a connection and of `BEGIN`, which waits for no other change.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit of an attempt: the database has a shorter one for each statement, but its answer may
/// not arrive.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// Handle of the pool that changes are made on. Its sessions are serializable by default
/// (`postgres.rs`).
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pool: DatabaseConnection,
    /// Announces changes that other servers must know of.
    signals: Arc<Signals>,
    /// Spreads the attempts of changes that have contradicted each other.
    attempts: Arc<AtomicU64>,
}

impl Writer {
    pub(super) fn new(pool: DatabaseConnection, signals: Arc<Signals>) -> Self {
        Self { pool, signals, attempts: Arc::default() }
    }

    /// Makes a change and returns once it is committed. Any error of `work` rolls it back. The
    /// change is also completed if the caller is cancelled.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, Result<T, StoreError>>
            + Clone
            + Send
            + 'static,
    {
        let writer = self.clone();
        let started_at = Instant::now();
        let changed = completed(async move { writer.repeat(work).await }).await;
        let is_made = matches!(changed, Ok(_) | Err(StoreError::Conflict));
        metrics().record_commit(1, started_at.elapsed(), is_made);
        changed
    }

    /// Makes a change of one statement: see [`super::strategy::Writer::update`]. It is also completed
    /// if the caller is cancelled.
    pub(super) async fn update<E: EntityTrait>(
        &self,
        update: UpdateMany<E>,
    ) -> Result<Option<u64>, StoreError> {
        let pool = self.pool.clone();
        let started_at = Instant::now();
        let updated = completed(async move {
            match tokio::time::timeout(ATTEMPT_TIMEOUT, update.exec(&pool)).await {
                Ok(Err(error))
                    if postgres::is_contention(&error) || postgres::is_closed(&error) =>
                {
                    Ok(None)
                }
                Ok(updated) => Ok(Some(updated?.rows_affected)),
                Err(_) => Err(StoreError::no_answer()),
            }
        });
        let updated = updated.await;
        // A change that was not made is made again by a transaction, which is counted.
        if !matches!(updated, Ok(None)) {
            metrics().record_commit(1, started_at.elapsed(), updated.is_ok());
        }
        updated
    }

    async fn repeat<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        W: for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, Result<T, StoreError>> + Clone,
    {
        let mut attempt = 1;
        loop {
            let changing = tokio::time::timeout(ATTEMPT_TIMEOUT, self.attempt(work.clone()));
            let changed = changing.await.unwrap_or_else(|_| Err(StoreError::no_answer()));
            match changed {
                Err(StoreError::Unavailable(error))
                    if attempt < MAX_ATTEMPTS && postgres::is_contention(&error) =>
                {
                    tokio::time::sleep(self.pause(attempt)).await;
                    attempt += 1;
                }
                changed => return changed,
            }
        }
    }

    async fn attempt<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        W: for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, Result<T, StoreError>>,
    {
        let transaction = self.begin().await?;
        let (done, has_recorded) = changes::noting_records(work(&transaction)).await;
        match done {
            Ok(value) => {
                let committed = transaction.commit().await;
                // Also if the outcome is unknown.
                if has_recorded {
                    self.signals.announce();
                }
                committed?;
                Ok(value)
            }
            Err(error) => {
                if let Err(error) = transaction.rollback().await {
                    // The pool does not use the connection again.
                    tracing::debug!(%error, "a transaction was not rolled back; its connection is closed");
                }
                Err(error)
            }
        }
    }

    /// Begins a transaction, on another connection if the database has closed the first one.
    async fn begin(&self) -> Result<DatabaseTransaction, StoreError> {
        let beginning = async {
            let mut attempt = 1;
            loop {
                match self.pool.begin().await {
                    Err(error) if attempt < MAX_BEGINS && postgres::is_closed(&error) => {
                        attempt += 1;
                    }
                    begun => return Ok(begun?),
                }
            }
        };
        let begun = tokio::time::timeout(BEGIN_TIMEOUT, beginning).await;
        begun.unwrap_or_else(|_| Err(StoreError::no_answer()))
    }

    /// Returns how long to wait before the next attempt: a part of a time that doubles with each.
    fn pause(&self, attempt: u32) -> Duration {
        // Consecutive numbers fall far apart (Knuth, "The Art of Computer Programming", 6.4).
        let number = self.attempts.fetch_add(1, Ordering::Relaxed);
        let part = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54;
        let longest = Duration::from_millis(1 << attempt.min(6)).min(MAX_PAUSE);
        longest * u32::try_from(part).unwrap_or_default() / 1024
    }
}

/// Runs a change to its end, also if the caller is cancelled.
async fn completed<T: Send + 'static>(
    changing: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let changed = tokio::spawn(changing.in_current_span()).await;
    changed.unwrap_or_else(|_| Err(StoreError::Unreadable("a change panicked".into())))
}
