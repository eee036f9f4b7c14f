//! The write interface: a change is described once, and each database has its strategy.

use futures::{TryFutureExt as _, future::BoxFuture};
use sea_orm::{DatabaseTransaction, EntityTrait, UpdateMany};

use super::{StoreError, group_commit, serializable};

/// Strategy of making changes.
#[derive(Clone, Debug)]
pub(super) enum Writer {
    /// SQLite: one writer, which commits waiting changes together.
    GroupCommit(group_commit::Writer),
    /// PostgreSQL: concurrent transactions, each repeated until no other contradicts it.
    Serializable(serializable::Writer),
}

impl Writer {
    /// Makes a change as if no other were made meanwhile, and returns once it is on disk.
    ///
    /// `work` may run several times, each time on a new transaction and with a copy of what it has
    /// captured: it must have no other effect than on the transaction. If it returns
    /// [`StoreError::Conflict`], it must not have written anything; any other error undoes what it
    /// has written. A statement that violates a constraint ends a transaction of PostgreSQL, so
    /// `work` does not go on after an error: `ON CONFLICT` and the number of rows tell without one.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, Result<T, StoreError>>
            + Clone
            + Send
            + 'static,
    {
        match self {
            Self::GroupCommit(writer) => writer.write(work).await,
            Self::Serializable(writer) => writer.write(work).await,
        }
    }

    /// Makes a change of one statement, which needs no transaction of its own, and returns the number
    /// of changed rows once it is on disk. [`None`] if PostgreSQL refuses it because of a concurrent
    /// change, or has closed the connection: then it may have been made.
    pub(super) async fn update<E: EntityTrait>(
        &self,
        update: UpdateMany<E>,
    ) -> Result<Option<u64>, StoreError> {
        match self {
            Self::GroupCommit(writer) => {
                let updated =
                    writer.write(move |transaction| Box::pin(update.exec(transaction).err_into()));
                Ok(Some(updated.await?.rows_affected))
            }
            Self::Serializable(writer) => writer.update(update).await,
        }
    }
}
