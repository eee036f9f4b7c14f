//! Reading tables by increasing numbers while they are written.
//!
//! SQLite has one writer at a time, so that rows are committed in the order of their numbers. On
//! PostgreSQL changes commit in another order than they take numbers: a reader that has seen a number
//! may find a smaller one later.

use std::{collections::HashSet, time::Duration};

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, Statement};

use super::{Store, StoreError};

/// Interval and number of the looks at changes in progress: two seconds together.
const INTERVAL: Duration = Duration::from_millis(3);
const LOOKS: u32 = 700;

impl Store {
    /// Waits until the rows of all numbers that have been taken so far, in these tables, are
    /// committed or given up.
    ///
    /// PostgreSQL locks a table before it takes numbers for its rows, until the transaction ends. So
    /// this waits for the transactions that have such a lock now, and not for later ones.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if one of them does not end.
    pub(super) async fn complete(&self, tables: &[&str]) -> Result<(), StoreError> {
        if self.read.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let mut in_progress = self.changes_of(tables).await?;
        for _ in 0..LOOKS {
            if in_progress.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(INTERVAL).await;
            let now = self.changes_of(tables).await?;
            in_progress.retain(|change| now.contains(change));
        }
        Err(StoreError::Unavailable(DbErr::Custom("a change does not end".into())))
    }

    /// Returns the transactions that have written to one of the tables, or are about to.
    async fn changes_of(&self, tables: &[&str]) -> Result<HashSet<String>, StoreError> {
        let tables: Vec<_> = tables.iter().map(|table| format!("'{table}'::regclass")).collect();
        let locks = format!(
            "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' \
             AND relation IN ({}) AND mode = 'RowExclusiveLock' AND granted \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            tables.join(", ")
        );
        let locks = Statement::from_string(DbBackend::Postgres, locks);
        let rows = self.read.query_all_raw(locks).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
    }
}
