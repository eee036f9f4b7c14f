//! What can go wrong with what is kept.

use std::path::PathBuf;

use sea_orm::{DbErr, SqlErr};

/// Why a query was not answered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with this value is there already.
    #[error("a row with this value exists already")]
    Conflict,
    /// The database cannot be asked, or cannot keep what it was given.
    #[error("the database is unavailable: {0}")]
    Unavailable(DbErr),
    /// A row that this program cannot have written.
    #[error("the database contains an invalid row: {0}")]
    Unreadable(String),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict,
            _ => Self::Unavailable(error),
        }
    }
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A kind of database that is not supported.
    #[error(
        "GATEHOUSE_DATABASE_URL: {0} is not supported by this version, which keeps its data in SQLite (sqlite://path/to/file)"
    )]
    Unsupported(String),
    /// A newer version of the program has been at work here.
    #[error(
        "the database {} was written by a newer version of Gatehouse (it knows \"{newest}\"); run that version, or restore a backup from before", .path.display()
    )]
    Newer {
        /// The database's file.
        path: PathBuf,
        /// The migration that this program does not know.
        newest: String,
    },
    /// The file is no database, or damaged.
    #[error(
        "the database {} is damaged and was left as it is ({source}); restore it from a backup, or move it away to start with an empty one", .path.display()
    )]
    Damaged {
        /// The database's file.
        path: PathBuf,
        /// What SQLite says.
        source: DbErr,
    },
    /// The journal that lies beside the database was written for another one, or one of them is
    /// damaged.
    #[error(
        "the database {path} and its journal {path}-wal do not fit together ({finding}), and were left as they are. If you have put \
         a backup in the database's place, the journal belongs to the former database: move {path}-wal and {path}-shm away and start \
         again. Otherwise the database is damaged: restore a backup with gatehouse restore", path = .path.display()
    )]
    Journal {
        /// The database's file.
        path: PathBuf,
        /// What SQLite's integrity check says.
        finding: String,
    },
    /// Other processes use a file that was moved away from here.
    #[error(
        "the database {} is not the file that a running gatehouse uses: it was moved or replaced. Stop what runs, or put the former file back", .path.display()
    )]
    Replaced {
        /// Where it should be.
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
    /// There is none yet.
    #[error("the database {} does not exist; the server creates it at its first start", .path.display())]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// Anything else.
    #[error("the database {} cannot be opened: {source}", .path.display())]
    Failed {
        /// The database's file.
        path: PathBuf,
        /// What SQLite says.
        source: DbErr,
    },
    /// The file cannot be made.
    #[error("the database {} cannot be created: {source}", .path.display())]
    File {
        /// The database's file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}
