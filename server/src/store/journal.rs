//! Check of a write-ahead log that an unclean stop has left beside the database.
//!
//! SQLite applies a write-ahead log (`-wal`) to whatever database file lies beside it. If a backup
//! was copied over the database and the old log was left, that corrupts the backup. Nothing in the
//! two files shows that they belong together, so the database is checked together with the log
//! before SQLite writes to it, unless the timestamps or the pages prove that it cannot be harmed.
//! The check reads the whole database: 19 s for a million accounts (860 MB).

mod frames;

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbErr, Statement,
};

use super::{OpenError, connection::open_error, identity::beside};

/// Maximum number of problems in an error message.
const MAX_PROBLEMS: usize = 3;

/// Checks the database together with its write-ahead log, if the log has content. `is_same_file`:
/// the database is the file that the last process used.
///
/// Read-only: both files are left as they are, whatever the result.
pub(super) async fn check(path: &Path, is_same_file: bool) -> Result<(), OpenError> {
    let wal = beside(path, "-wal");
    let Ok(journal) = fs::metadata(&wal) else { return Ok(()) };
    if journal.len() == 0 {
        return Ok(());
    }
    let database =
        fs::metadata(path).map_err(|source| OpenError::File { path: path.to_owned(), source })?;
    // A running server writes to the log first, and to the database some time later. A database
    // file that was copied here or overwritten afterwards has a later change time (ctime, which
    // programs cannot set) than the log.
    let changed = (database.ctime(), database.ctime_nsec());
    let written = (journal.mtime(), journal.mtime_nsec());
    if is_same_file && changed <= written {
        tracing::debug!("the journal was written by the last process that used this database");
        return Ok(());
    }
    // The server was killed between a checkpoint and the next change, or the files were copied then.
    match frames::are_checkpointed(path, &wal) {
        Ok(true) => {
            tracing::debug!("the database has every page of the journal already");
            return Ok(());
        }
        Ok(false) => {}
        Err(error) => tracing::debug!(%error, "the journal cannot be compared with the database"),
    }
    tracing::warn!(journal = %wal.display(), "the last process did not stop cleanly: checking the database and its journal");
    let connection = connect(path).await.map_err(|source| open_error(path, source))?;
    let problems = problems(&connection).await;
    let closed = connection.close().await;
    // SQLite may detect corruption while it reads pages or the schema.
    let problems = match problems {
        Err(error) if error.to_string().contains("malformed") => vec![error.to_string()],
        problems => problems.map_err(|source| open_error(path, source))?,
    };
    closed.map_err(|source| open_error(path, source))?;
    if problems.is_empty() {
        tracing::info!("the database and its journal are sound");
        return Ok(());
    }
    Err(OpenError::Journal { path: path.to_owned(), finding: problems.join("; ") })
}

/// Opens a database read-only: the log is not checkpointed.
pub(super) async fn connect(path: &Path) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new("sqlite://gatehouse");
    let path = path.to_owned();
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options| options.filename(&path).read_only(true));
    Database::connect(options).await
}

/// Returns the findings of SQLite's integrity and foreign key checks; empty if the database is
/// sound.
pub(super) async fn problems(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let backend = connection.get_database_backend();
    let found = connection
        .query_all_raw(Statement::from_string(backend, "PRAGMA integrity_check(3)"))
        .await?;
    let mut problems: Vec<String> =
        found.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
    problems.retain(|problem| problem != "ok");
    if problems.is_empty() {
        let found = connection
            .query_all_raw(Statement::from_string(backend, "PRAGMA foreign_key_check"))
            .await?;
        for row in found.iter().take(MAX_PROBLEMS) {
            let (table, parent): (String, String) =
                (row.try_get_by_index(0)?, row.try_get_by_index(2)?);
            problems.push(format!("a row of {table} names one of {parent} that does not exist"));
        }
    }
    Ok(problems)
}
