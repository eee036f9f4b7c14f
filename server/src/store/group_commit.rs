//! Group commit: changes that arrive during a commit share the next one, and each returns once its
//! commit is on disk. A commit waits for the disk once, whether it holds one change or many.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::{FutureExt as _, future::BoxFuture};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tracing::Instrument as _;

use super::{StoreError, identity::DatabaseFiles};
use crate::metrics::metrics;

/// Maximum number of changes in a commit; keeps the wait of a change within some milliseconds.
const MAX_BATCH: usize = 256;
/// Capacity of the queue; further callers wait for a free slot.
const QUEUE_CAPACITY: usize = 4096;

/// A change, and the notification of its caller.
type Job = Box<
    dyn for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, Result<CommitNotifier, StoreError>>
        + Send,
>;
type CommitNotifier = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Handle of the writer task, which ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the writer task on a pool of one connection that nothing else writes through.
    pub(super) fn start(connection: DatabaseConnection, files: Arc<DatabaseFiles>) -> Self {
        let (sender, jobs) = mpsc::channel(QUEUE_CAPACITY);
        tokio::spawn(write_all(
            Committer { connection, files, is_clean: true, is_failing: false },
            jobs,
        ));
        Self { jobs: sender }
    }

    /// Makes a change and returns once it is on disk. If `work` returns [`StoreError::Conflict`],
    /// it must not have written anything; any other error rolls back the changes of the same batch.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, Result<T, StoreError>>
            + Send
            + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let span = tracing::Span::current();
        let job: Job = Box::new(move |transaction| {
            let doing = work(transaction).instrument(span);
            Box::pin(async move {
                let done = doing.await;
                // The caller may have been cancelled: sending fails then.
                match done {
                    Ok(value) => Ok(Box::new(move |committed: Result<(), StoreError>| {
                        let _ = answer.send(committed.map(|()| value));
                    }) as CommitNotifier),
                    Err(StoreError::Conflict) => {
                        let _ = answer.send(Err(StoreError::Conflict));
                        Ok(Box::new(|_: Result<(), StoreError>| {}) as CommitNotifier)
                    }
                    Err(error) => {
                        let _ = answer.send(Err(error.clone()));
                        Err(error)
                    }
                }
            })
        });
        self.jobs.send(job).await.map_err(|_| not_committed())?;
        answered.await.map_err(|_| not_committed())?
    }
}

/// The writer has ended, or another change of the same batch has failed.
fn not_committed() -> StoreError {
    StoreError::Unavailable(DbErr::Custom("the change was not made".into()))
}

async fn write_all(mut committer: Committer, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while jobs.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let mut notifiers = Vec::with_capacity(batch.len());
        let (changes, started_at) = (batch.len(), Instant::now());
        let outcome = committer.commit(&mut batch, &mut notifiers).await;
        metrics().record_commit(changes, started_at.elapsed(), outcome.is_ok());
        // Dropping the jobs that were not run tells their callers that the change was not made.
        batch.clear();
        for notify in notifiers {
            notify(outcome.clone());
        }
    }
}

/// Commits batches on the writing connection, and replaces that connection after a failure.
///
/// SQLite rolls back a transaction by itself on a full disk, an I/O error or a lack of memory. The
/// connection pool still counts it as open then: its ROLLBACK fails, and later writes go into a
/// savepoint of a transaction that is never committed. So a connection is not used again after a
/// failure.
struct Committer {
    connection: DatabaseConnection,
    files: Arc<DatabaseFiles>,
    /// Set if the connection is known to be outside of a transaction.
    is_clean: bool,
    /// Set if the last batch failed; recovery is logged once.
    is_failing: bool,
}

impl Committer {
    async fn commit(
        &mut self,
        batch: &mut Vec<Job>,
        notifiers: &mut Vec<CommitNotifier>,
    ) -> Result<(), StoreError> {
        self.files.check()?;
        if !self.is_clean {
            self.replace_connection().await?;
        }
        self.is_clean = false;
        let changes = batch.len();
        let committed =
            AssertUnwindSafe(commit(&self.connection, batch, notifiers)).catch_unwind().await;
        let committed =
            committed.unwrap_or_else(|_| Err(StoreError::Unreadable("a change panicked".into())));
        if let Err(error) = committed {
            self.is_failing = true;
            tracing::error!(%error, changes, "the database refused changes; its connection is replaced");
            // Immediately, so that no lock of the failed transaction lasts until the next batch.
            if let Err(error) = self.replace_connection().await {
                tracing::error!(%error, "the connection could not be replaced; changes are refused until it can");
            }
            return Err(error);
        }
        self.is_clean = true;
        if std::mem::take(&mut self.is_failing) {
            tracing::info!("the database takes changes again");
        }
        // A commit into files that are no longer in place would be lost at a restart.
        self.files.check()
    }

    /// Closes the pool's only connection, which rolls back open transactions. The pool opens
    /// another one on demand.
    async fn replace_connection(&mut self) -> Result<(), StoreError> {
        let failed = |error: sea_orm::sqlx::Error| {
            StoreError::Unavailable(DbErr::Conn(RuntimeErr::SqlxError(error.into())))
        };
        let connection =
            self.connection.get_sqlite_connection_pool().acquire().await.map_err(failed)?;
        if let Err(error) = connection.close().await {
            // Its thread has ended, so there is nothing left to close.
            tracing::warn!(%error, "a failed database connection was not closed cleanly");
        }
        self.is_clean = true;
        Ok(())
    }
}

async fn commit(
    connection: &DatabaseConnection,
    batch: &mut Vec<Job>,
    notifiers: &mut Vec<CommitNotifier>,
) -> Result<(), StoreError> {
    // Takes the write lock first: rows that the transaction reads cannot be changed by other
    // processes before it commits.
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    for job in batch.drain(..) {
        notifiers.push(job(&transaction).await?);
    }
    Ok(transaction.commit().await?)
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use sea_orm::{ConnectionTrait as _, Database, Statement};

    use super::*;
    use crate::store::Store;

    struct Fixture {
        _folder: tempfile::TempDir,
        url: String,
        store: Store,
    }

    /// A database with a table of numbers. Number 666 fails like a full disk: SQLite ends the
    /// transaction by itself. A parent must exist at the commit.
    async fn fixture() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("gatehouse.sqlite").display());
        let store = Store::open(&url).await.unwrap();
        for sql in [
            "CREATE TABLE numbers (number INTEGER PRIMARY KEY, parent INTEGER REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TRIGGER full BEFORE INSERT ON numbers WHEN NEW.number = 666 \
             BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
        ] {
            store.write().execute_unprepared(sql).await.unwrap();
        }
        Fixture { _folder: folder, url, store }
    }

    async fn insert(store: &Store, row: &str) -> Result<(), StoreError> {
        let sql = format!("INSERT INTO numbers VALUES ({row})");
        store
            .writer
            .write(move |transaction| {
                Box::pin(async move { Ok(transaction.execute_unprepared(&sql).await.map(|_| ())?) })
            })
            .await
    }

    /// Reads the numbers over another connection.
    async fn numbers(url: &str) -> Vec<i64> {
        let connection = Database::connect(url).await.unwrap();
        let select = Statement::from_string(
            connection.get_database_backend(),
            "SELECT number FROM numbers ORDER BY number",
        );
        let rows = connection.query_all_raw(select).await.unwrap();
        connection.close().await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    #[tokio::test]
    async fn write_after_refused_batches_keeps_exactly_the_answered_changes() {
        let Fixture { url, mut store, _folder } = fixture().await;
        let (mut next, mut answered) = (1000, Vec::new());
        for failing in 0..5 {
            // Two failing batches in a row, each with its failure at this position, then a
            // successful one.
            for round in 0..3 {
                let rows: Vec<i64> = (0..5)
                    .map(|place| if round < 2 && place == failing { 666 } else { next + place })
                    .collect();
                next += 5;
                let texts: Vec<_> = rows.iter().map(|row| format!("{row}, NULL")).collect();
                let results = join_all(texts.iter().map(|row| insert(&store, row))).await;
                for (row, result) in rows.into_iter().zip(results) {
                    assert_eq!(result.is_ok(), round == 2, "{row}: {result:?}");
                    if result.is_ok() {
                        answered.push(row);
                    }
                }
                assert_eq!(numbers(&url).await, answered, "another process sees it at once");
            }
            store.close().await;
            store = Store::open(&url).await.unwrap();
            assert_eq!(numbers(&url).await, answered, "it is there after a restart");
        }
    }

    #[tokio::test]
    async fn write_after_failed_commits_keeps_exactly_the_answered_changes() {
        let Fixture { url, store, _folder } = fixture().await;
        for round in 0..3 {
            let refused = insert(&store, &format!("{}, 999", round + 10)).await;
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
            let refused = insert(&store, &format!("{}, 999", round + 20)).await;
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
            insert(&store, &format!("{round}, NULL")).await.unwrap();
        }
        assert_eq!(numbers(&url).await, [0, 1, 2]);
    }

    #[tokio::test]
    async fn write_after_panicking_change_succeeds() {
        let Fixture { url, store, _folder } = fixture().await;
        for _ in 0..2 {
            let refused: Result<(), _> =
                store.writer.write(|_| Box::pin(async { panic!("a mistake") })).await;
            assert!(refused.is_err());
        }
        insert(&store, "1, NULL").await.unwrap();
        assert_eq!(numbers(&url).await, [1]);
    }

    #[tokio::test]
    async fn write_with_conflict_fails_alone_and_keeps_the_connection() {
        let Fixture { url, store, _folder } = fixture().await;
        let results =
            join_all(["1, NULL", "1, NULL", "2, NULL"].map(|row| insert(&store, row))).await;
        assert!(
            matches!(results.as_slice(), [Ok(()), Err(StoreError::Conflict), Ok(())]),
            "{results:?}"
        );
        assert_eq!(numbers(&url).await, [1, 2]);
    }
}
