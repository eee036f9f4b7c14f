//! Migrations. A released migration is never changed; another one follows it.

use std::collections::HashSet;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait as _,
};
use sea_orm_migration::prelude::{MigrationTrait, MigratorTrait};

use super::{OpenError, entities};

mod m0001_initial;
#[cfg(test)]
mod tests;
mod text;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_initial::Migration)]
    }
}

/// First migration of the versions before the first release.
const UNRELEASED: &str = "m0001_core";
/// Attempts to begin a transaction beside another process, each as long as the busy timeout: five
/// minutes together.
const ATTEMPTS: u32 = 60;
/// Key of PostgreSQL's advisory lock that one process at a time holds while it migrates; the letters
/// `gatehous`.
const ADVISORY_LOCK: i64 = i64::from_be_bytes(*b"gatehous");

/// Reason for which the tables are not those of this version.
#[derive(Debug, thiserror::Error)]
pub(super) enum MigrationError {
    /// They have migrations of a newer version; this is the newest.
    #[error("it has the migration {0:?} of a newer version")]
    Newer(String),
    /// They were written before the first release.
    #[error("it was written by a version from before the first release")]
    Unreleased,
    /// They belong to another program; this is one of them.
    #[error("it has a table {0:?} of another program")]
    Foreign(String),
    /// They lack a column of this version: they were written before the first release, when the
    /// initial migration was still being changed, or were altered by hand.
    #[error("its table {table:?} has no column {column:?}")]
    Incomplete {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The database.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl MigrationError {
    /// Converts it to an error of opening this database: its file, or its URL without the password.
    pub(super) fn into_open_error(
        self,
        database: String,
        of_database: impl FnOnce(DbErr) -> OpenError,
    ) -> OpenError {
        match self {
            Self::Newer(newest) => OpenError::Newer { database, newest },
            Self::Unreleased => OpenError::Unreleased { database },
            Self::Foreign(table) => OpenError::Foreign { database, table },
            Self::Incomplete { table, column } => OpenError::Incomplete { database, table, column },
            Self::Database(error) => of_database(error),
        }
    }
}

/// Applies all pending migrations and records them in one transaction, so that a crash leaves the
/// former tables or the new ones. Takes no lock if none is pending.
pub(super) async fn run(connection: &DatabaseConnection) -> Result<(), MigrationError> {
    if pending(connection).await? == 0 {
        return Ok(());
    }
    let transaction = begin(connection).await?;
    // Another process may have finished meanwhile: looked up again under the lock.
    pending(&transaction).await?;
    Migrator::up(&transaction, None).await?;
    Ok(transaction.commit().await?)
}

/// Returns the number of pending migrations. Does not create the table of migrations.
async fn pending(connection: &impl ConnectionTrait) -> Result<usize, MigrationError> {
    let known = Migrator::migrations();
    let tables = tables(connection).await?;
    let records = Migrator::migration_table_name().to_string();
    if !tables.contains(&records) {
        let own = entities::tables();
        let is_own = |table: &String| own.iter().any(|own| own.name == table);
        return match tables.into_iter().find(is_own) {
            Some(table) => Err(MigrationError::Foreign(table)),
            None => Ok(known.len()),
        };
    }
    let applied = Migrator::get_migration_models(connection).await?;
    let applied: Vec<_> = applied.into_iter().map(|model| model.version).collect();
    let is_known = |name: &String| known.iter().any(|migration| migration.name() == name);
    if applied.iter().any(|name| name == UNRELEASED) {
        return Err(MigrationError::Unreleased);
    }
    if let Some(unknown) = applied.iter().rfind(|name| !is_known(name)) {
        return Err(if applied.iter().any(is_known) {
            MigrationError::Newer(unknown.clone())
        } else {
            MigrationError::Foreign(records)
        });
    }
    let pending = known.len() - applied.len();
    if pending == 0 {
        check_columns(connection).await?;
    }
    Ok(pending)
}

/// Checks that all tables have the columns of the entities, so that a start fails in place of the
/// first requests.
async fn check_columns(connection: &impl ConnectionTrait) -> Result<(), MigrationError> {
    let backend = connection.get_database_backend();
    let select = match backend {
        // Also those that the role may not read, which `information_schema` leaves out.
        DbBackend::Postgres => {
            "SELECT relname::text, attname::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid \
             WHERE relnamespace = current_schema()::regnamespace AND attnum > 0 AND NOT attisdropped"
        }
        _ => {
            "SELECT tables.name, columns.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns \
             WHERE tables.type = 'table'"
        }
    };
    let rows = connection.query_all_raw(Statement::from_string(backend, select)).await?;
    let found: Result<HashSet<(String, String)>, DbErr> =
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect();
    let found = found?;
    for table in entities::tables() {
        for column in table.columns {
            if !found.contains(&(table.name.to_owned(), column.to_owned())) {
                return Err(MigrationError::Incomplete { table: table.name, column });
            }
        }
    }
    Ok(())
}

/// Returns the names of the tables.
async fn tables(connection: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let backend = connection.get_database_backend();
    let select = match backend {
        // Also those that the role may not read.
        DbBackend::Postgres => {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"
        }
        _ => "SELECT name FROM sqlite_schema WHERE type = 'table'",
    };
    let rows = connection.query_all_raw(Statement::from_string(backend, select)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Begins a transaction that excludes those of other processes.
async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    if connection.get_database_backend() == DbBackend::Postgres {
        let transaction = connection.begin().await?;
        let lock = format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})");
        transaction.execute_unprepared(&lock).await?;
        return Ok(transaction);
    }
    let immediate = || TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let mut attempt = 1;
    loop {
        match connection.begin_with_options(immediate()).await {
            Err(error)
                if attempt < ATTEMPTS && error.to_string().contains("database is locked") =>
            {
                tracing::info!(attempt, "waiting for another process that writes to the database");
                attempt += 1;
            }
            begun => return begun,
        }
    }
}
