//! Errors of the store.

use std::path::PathBuf;

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

use super::PostgresProblem;
use crate::failure::{ErrorClass, InternalError};

/// Error of a query or change.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique constraint was violated.
    #[error("a row with this value exists already")]
    Conflict,
    /// The database cannot be read or written.
    #[error("the database is unavailable: {0}")]
    Unavailable(DbErr),
    /// A row contains a value that this program does not write.
    #[error("the database contains an invalid row: {0}")]
    Unreadable(String),
}

impl InternalError for StoreError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Unavailable(_) => ErrorClass::Unavailable,
            Self::Conflict | Self::Unreadable(_) => ErrorClass::Failed,
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict,
            _ => Self::Unavailable(error),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(DbErr::Query(RuntimeErr::SqlxError(error.into())))
    }
}

impl StoreError {
    /// The database did not answer within a time limit.
    pub(super) fn no_answer() -> Self {
        Self::Unavailable(DbErr::Custom("the database did not answer in time".into()))
    }
}

/// Error of opening the database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A database system that is not supported.
    #[error(
        "GATEHOUSE_DATABASE_URL: {0} is not supported; it is sqlite://path/to/file or postgres://user:password@host:5432/database"
    )]
    Unsupported(String),
    /// The database has migrations of a newer version.
    #[error(
        "the database {database} was written by a newer version of Gatehouse (it knows \"{newest}\"); run that version, or restore a backup from before"
    )]
    Newer {
        /// The database: its file, or its URL without the password.
        database: String,
        /// The migration that this program does not know.
        newest: String,
    },
    /// The database was written by a version from before the first release.
    #[error(
        "the database {database} was written by a version of Gatehouse from before its first release, which this version cannot read, and was left as it is; move it away to start with an empty one"
    )]
    Unreleased {
        /// The database: its file, or its URL without the password.
        database: String,
    },
    /// The database has tables of another program.
    #[error(
        "the database {database} has a table \"{table}\" that is not Gatehouse's, and was left as it is; give Gatehouse a database of its own (GATEHOUSE_DATABASE_URL)"
    )]
    Foreign {
        /// The database: its file, or its URL without the password.
        database: String,
        /// The table.
        table: String,
    },
    /// A table of the database lacks a column of this version.
    #[error(
        "the database {database} has no column \"{column}\" in its table \"{table}\", and was left as it is: it was written by a version of Gatehouse from before its first release, or altered by hand; restore a backup, or move it away to start with an empty one"
    )]
    Incomplete {
        /// The database: its file, or its URL without the password.
        database: String,
        /// The table.
        table: &'static str,
        /// The column that is missing.
        column: &'static str,
    },
    /// A PostgreSQL database that cannot be used.
    #[error("the database {database} cannot be used: {problem}")]
    Postgres {
        /// Its URL without the password.
        database: String,
        /// The reason.
        problem: PostgresProblem,
    },
    /// A command that copies or replaces the files of a SQLite database.
    #[error(
        "the database {database} is PostgreSQL: back it up with pg_dump and restore it with pg_restore; keys and uploads have a backup of their own (docs/deployment.md)"
    )]
    NoFile {
        /// Its URL without the password.
        database: String,
    },
    /// The file is not a database, or is corrupt.
    #[error(
        "the database {} is damaged and was left as it is ({source}); restore it from a backup, or move it away to start with an empty one", .path.display()
    )]
    Damaged {
        /// The database's file.
        path: PathBuf,
        /// Error of SQLite.
        source: DbErr,
    },
    /// The write-ahead log beside the database belongs to another one, or one of the two is
    /// corrupt.
    #[error(
        "the database {path} and its journal {path}-wal do not fit together ({finding}), and were left as they are. If you have put \
         a backup in the database's place, the journal belongs to the former database: move {path}-wal and {path}-shm away and start \
         again. Otherwise the database is damaged: restore a backup with gatehouse restore", path = .path.display()
    )]
    Journal {
        /// The database's file.
        path: PathBuf,
        /// Findings of SQLite's integrity check.
        finding: String,
    },
    /// Other processes have a file open that is not at this path any more.
    #[error(
        "the database {} is not the file that a running gatehouse uses: it was moved or replaced. Stop what runs, or put the former file back", .path.display()
    )]
    Replaced {
        /// The database's file.
        path: PathBuf,
    },
    /// Another process uses the database.
    #[error(
        "the database {} is in use: stop the server, and wait for other gatehouse commands to end", .path.display()
    )]
    InUse {
        /// The database's file.
        path: PathBuf,
    },
    /// The database does not exist.
    #[error("the database {} does not exist; the server creates it at its first start", .path.display())]
    Missing {
        /// The database's file.
        path: PathBuf,
    },
    /// Any other error of SQLite.
    #[error("the database {} cannot be opened: {source}", .path.display())]
    Failed {
        /// The database's file.
        path: PathBuf,
        /// Error of SQLite.
        source: DbErr,
    },
    /// The file cannot be created or read.
    #[error("the database {} cannot be created: {source}", .path.display())]
    File {
        /// The database's file.
        path: PathBuf,
        /// I/O error.
        source: std::io::Error,
    },
}
