//! Persistence in SQLite or PostgreSQL: entities, migrations and queries. No other module knows SQL.

mod account_codes;
mod actor;
mod addresses;
mod administration;
mod alerts;
mod audit;
mod audit_event;
mod audit_list;
mod bulk_insert;
mod changes;
mod cleanup;
mod cluster;
mod completeness;
mod connection;
mod deletion;
mod entities;
mod error;
mod files;
mod folder;
mod group_commit;
mod identity;
mod journal;
mod lock;
mod login_failures;
mod migrations;
mod names;
mod object_marker;
mod one_time_codes;
mod open;
mod orphans;
mod outbox;
mod passwords;
mod postgres;
mod removal_notices;
mod replacement;
mod revoked_tokens;
mod serializable;
mod sessions;
mod signals;
mod signing_keys;
mod snapshot;
mod strategy;
mod user_list;
mod user_sessions;
mod user_words;
mod users;

#[cfg(test)]
mod races;
#[cfg(test)]
#[path = "../../tests/support/database.rs"]
mod test_database;
#[cfg(test)]
mod test_store;

pub use account_codes::{
    CodeVerification, MailedCode, NewRegistration, RegistrationOutcome, ResetChange,
    StoredInvitation,
};
pub use actor::{ActError, Actor, Denied};
pub use addresses::{
    AccountAddresses, AddressVerification, EndedAccess, Renaming, VerificationContext,
    VerificationOutcome, VerifiedAddress,
};
pub use administration::{AccountChange, AccountChangeError, AccountChangeOutcome, AuditContext};
pub use alerts::UndoRequest;
pub use audit_event::{AuditEntry, AuditFilter, Event, Outcome, StoredEntry};
pub use audit_list::{AuditPage, AuditStart};
pub use changes::{Change, News, Position};
pub use cluster::{ClockDifference, SharedTask, SharedTaskGuard};
pub(crate) use connection::without_password;
pub use deletion::DeletionOutcome;
pub use error::{OpenError, StoreError};
pub use files::{FileLimits, FileUsage, InsertFileOutcome, StoredFile};
pub(crate) use folder::prepare_folder;
pub use open::{Place, PoolStatus};
pub use outbox::QueuedMessage;
pub use passwords::PasswordChange;
pub use postgres::PostgresProblem;
pub use removal_notices::PictureRemoval;
pub use replacement::{Replacement, StagedFile};
pub use revoked_tokens::BlockedToken;
pub use sessions::{InsertSessionOutcome, NewSession, SessionChange};
pub use signing_keys::SealedKeys;
pub use snapshot::{Inspection, inspect};
pub use user_list::{Cursor, PageStart, Total, UserPage, UserQuery, UserSearch};
pub use user_sessions::StoredSession;
pub use users::{DeviceEpoch, NewUser, StoredUser, UserChange};

use std::sync::Arc;

use sea_orm::DatabaseConnection;

/// Handle of the database. Clones share it.
///
/// Reads use a connection pool of their own, so that they do not wait for changes.
#[derive(Clone, Debug)]
pub struct Store {
    read: DatabaseConnection,
    writer: strategy::Writer,
    engine: Engine,
    /// Messages to the owners of accounts that changes cause.
    alerts: alerts::Alerts,
}

/// Connections and tasks that differ between the two databases.
#[derive(Clone, Debug)]
enum Engine {
    /// SQLite allows one writer at a time: changes go through one writer task with a connection of
    /// its own, so queued changes never fail as busy, and they share commits.
    Sqlite {
        write: DatabaseConnection,
        /// Reads the changes of other processes, without a wait for a connection of `read`.
        follow: DatabaseConnection,
        files: Arc<identity::DatabaseFiles>,
        /// Held until the last clone is dropped.
        _lock: Arc<lock::DatabaseLock>,
    },
    /// PostgreSQL: changes are made concurrently.
    Postgres { write: DatabaseConnection, signals: Arc<signals::Signals> },
}
