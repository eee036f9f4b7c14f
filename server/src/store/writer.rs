//! One writer: changes that come while another one is being written share the next commit, and each is answered only once that
//! is on disk. A commit waits for the disk; a thousand changes wait for it once.

use futures::future::BoxFuture;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait as _,
};
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument as _;

use super::StoreError;

/// Changes that share a commit at the most: what one waits for the others stays within some milliseconds.
const TOGETHER: usize = 256;
/// Changes that wait at the most; who comes then waits for a place.
const WAITING: usize = 4096;

/// What a change does, and how whoever has asked for it is told of the commit.
type Job = Box<dyn for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, Result<Told, StoreError>> + Send>;
type Told = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The way to the writer. It ends when the last of its clones is dropped.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts writing over a connection that nobody else writes over.
    pub(super) fn start(connection: DatabaseConnection) -> Self {
        let (sender, jobs) = mpsc::channel(WAITING);
        tokio::spawn(write_all(connection, jobs));
        Self { jobs: sender }
    }

    /// Makes a change, and comes back once it is on disk. What `work` does before it fails with [`StoreError::Conflict`] must
    /// be nothing; any other failure takes back what was to be committed with it.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let span = tracing::Span::current();
        let job: Job = Box::new(move |transaction| {
            let doing = work(transaction).instrument(span);
            Box::pin(async move {
                let done = doing.await;
                // Whoever has asked may have gone: then nobody is told.
                match done {
                    Ok(value) => Ok(Box::new(move |committed: Result<(), StoreError>| {
                        let _ = tell.send(committed.map(|()| value));
                    }) as Told),
                    Err(StoreError::Conflict) => {
                        let _ = tell.send(Err(StoreError::Conflict));
                        Ok(Box::new(|_: Result<(), StoreError>| {}) as Told)
                    }
                    Err(error) => {
                        let _ = tell.send(Err(error.clone()));
                        Err(error)
                    }
                }
            })
        });
        self.jobs.send(job).await.map_err(|_| closed())?;
        told.await.map_err(|_| closed())?
    }
}

/// The writer has ended, or a change that was to share the commit has failed.
fn closed() -> StoreError {
    StoreError::Unavailable(DbErr::Custom("the change was not made".into()))
}

async fn write_all(connection: DatabaseConnection, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(TOGETHER);
    while jobs.recv_many(&mut batch, TOGETHER).await > 0 {
        let mut told = Vec::with_capacity(batch.len());
        let committed = commit(&connection, &mut batch, &mut told).await;
        // What the failure has kept from being tried is told, too.
        batch.clear();
        for tell in told {
            tell(committed.clone());
        }
    }
}

async fn commit(connection: &DatabaseConnection, batch: &mut Vec<Job>, told: &mut Vec<Told>) -> Result<(), StoreError> {
    // The lock first: what is read within is what will be written upon, whoever else shares the database.
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let transaction = connection.begin_with_options(options).await?;
    for job in batch.drain(..) {
        told.push(job(&transaction).await?);
    }
    Ok(transaction.commit().await?)
}
