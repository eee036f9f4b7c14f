//! Migrations. A released migration is never changed; another one follows it.

use std::path::Path;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _,
};
use sea_orm_migration::prelude::*;

use super::{OpenError, connection::open_error};

mod m0001_core;
mod m0002_sessions;
mod m0003_login_failures;
mod m0004_username_skeletons;
mod m0005_audit_details;
mod m0006_profiles;
mod m0007_devices;
mod m0008_files;
mod m0009_admin;
mod m0010_cleanup;
mod m0011_device_epoch;
mod m0012_standard_names;

pub(super) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_core::Migration),
            Box::new(m0002_sessions::Migration),
            Box::new(m0003_login_failures::Migration),
            Box::new(m0004_username_skeletons::Migration),
            Box::new(m0005_audit_details::Migration),
            Box::new(m0006_profiles::Migration),
            Box::new(m0007_devices::Migration),
            Box::new(m0008_files::Migration),
            Box::new(m0009_admin::Migration),
            Box::new(m0010_cleanup::Migration),
            Box::new(m0011_device_epoch::Migration),
            Box::new(m0012_standard_names::Migration),
        ]
    }
}

/// Attempts to begin a transaction beside another process, each as long as the busy timeout: five
/// minutes together.
const ATTEMPTS: u32 = 60;

/// Applies all pending migrations and records them in one transaction, so that a crash leaves the
/// former tables or the new ones. Takes no write lock if none is pending.
pub(super) async fn run(connection: &DatabaseConnection, path: &Path) -> Result<(), OpenError> {
    let failed = |source: DbErr| open_error(path, source);
    // A new database has no table of migrations yet; querying them would create it.
    let manager = SchemaManager::new(connection);
    if manager.has_table(Migrator::migration_table_name().to_string()).await.map_err(failed)? {
        let applied = Migrator::get_migration_models(connection).await.map_err(failed)?;
        let applied: Vec<_> = applied.into_iter().map(|model| model.version).collect();
        if let Some(newest) = unknown(&applied) {
            return Err(OpenError::Newer { path: path.to_owned(), newest });
        }
        if applied.len() == Migrator::migrations().len() {
            return Ok(());
        }
    }
    let transaction = begin(connection).await.map_err(failed)?;
    // Another process may have finished meanwhile: looked up again under the lock.
    let applied = Migrator::get_migration_models(&transaction).await.map_err(failed)?;
    let applied: Vec<_> = applied.into_iter().map(|model| model.version).collect();
    if let Some(newest) = unknown(&applied) {
        return Err(OpenError::Newer { path: path.to_owned(), newest });
    }
    Migrator::up(&transaction, None).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
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

/// Returns the newest applied migration that this program does not know.
fn unknown(applied: &[String]) -> Option<String> {
    let known = Migrator::migrations();
    applied
        .iter()
        .rfind(|name| !known.iter().any(|migration| migration.name() == name.as_str()))
        .cloned()
}
