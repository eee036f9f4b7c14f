//! Connections to a SQLite file, its URL and its errors.

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};

use super::{OpenError, migrations::MigrationError};

/// Time limit of a write that waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Parses the file path of a `sqlite:` URL.
pub(super) fn file_of(url: &str) -> Result<PathBuf, OpenError> {
    let path = url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    match path {
        Some(path) if !path.is_empty() && !path.contains('?') && path != ":memory:" => {
            Ok(PathBuf::from(path))
        }
        _ => Err(OpenError::Unsupported(without_password(url))),
    }
}

/// Redacts a URL: the part before the `@` of its authority may contain a password, and so may the
/// parameters of PostgreSQL.
pub(crate) fn without_password(url: &str) -> String {
    let url = match url.split_once('?') {
        Some((url, parameters)) if parameters.contains("password") => &format!("{url}?…"),
        _ => url,
    };
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}

/// Creates the file before SQLite does, with mode 0600; SQLite gives the write-ahead log the same
/// mode.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(OpenError::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Opens a connection pool.
pub(super) async fn connect(path: &Path, connections: u32) -> Result<DatabaseConnection, DbErr> {
    // The path is set below: in a URL some of its characters would have a meaning.
    let mut options = ConnectOptions::new("sqlite://gatehouse");
    let path = path.to_owned();
    options
        .min_connections(1)
        // Connections to a file do not become stale.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .max_connections(connections)
        .acquire_timeout(BUSY_TIMEOUT)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options| {
            options
                .filename(&path)
                .busy_timeout(BUSY_TIMEOUT)
                .foreign_keys(true)
                .pragma("journal_mode", "WAL")
                // A committed change is on disk.
                .pragma("synchronous", "FULL")
        });
    Database::connect(options).await
}

/// Converts an error of the migrations of a file.
pub(super) fn migration_error(path: &Path, error: MigrationError) -> OpenError {
    error.into_open_error(path.display().to_string(), |source| open_error(path, source))
}

/// Maps errors of SQLite that indicate corruption to [`OpenError::Damaged`].
pub(super) fn open_error(path: &Path, source: DbErr) -> OpenError {
    let damaged = ["malformed", "not a database", "file is encrypted"];
    let message = source.to_string();
    let path = path.to_owned();
    if damaged.iter().any(|sign| message.contains(sign)) {
        OpenError::Damaged { path, source }
    } else {
        OpenError::Failed { path, source }
    }
}
