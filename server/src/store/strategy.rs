//! The write interface: a change is described once, and each database has its strategy.

use futures::future::BoxFuture;
use sea_orm::DatabaseTransaction;

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
}
