//! What is kept: the only place that knows SQL or a database's name.

mod actor;
mod administration;
mod audit;
mod cleanup;
mod deletion;
mod devices;
mod entities;
mod error;
mod files;
mod identity;
mod journal;
mod listing;
mod lock;
mod login_failures;
mod migrations;
mod names;
mod open;
mod replacement;
mod revoked_tokens;
mod sessions;
mod snapshot;
mod strays;
mod users;
mod writer;

pub use actor::{ActError, Actor, Denied};
pub use administration::{AccountChange, Act, ChangeError, Changed};
pub use audit::{AuditEntry, AuditFilter, Event, Outcome, StoredEntry};
pub use deletion::Deletion;
pub use devices::StoredDevice;
pub use error::{OpenError, StoreError};
pub use files::{FilesMax, FilesUsage, Kept, StoredFile};
pub use listing::{Place, Search, Wanted};
pub use names::Name;
pub(crate) use open::without_password;
pub use replacement::{Replaced as ReplacedFile, Replacement};
pub use revoked_tokens::BlockedToken;
pub use sessions::{Begun, Change, EndReason, NewSession, Replaced, Session};
pub use snapshot::{Inspection, inspect};
pub use users::{DeviceEpoch, NewUser, PasswordChange, StoredUser, UserChange};

use std::sync::{Arc, atomic::AtomicI64};

use sea_orm::DatabaseConnection;

/// The database.
///
/// Reads go to a pool; changes go to one writer with a connection of its own, as SQLite has it
/// anyway: nobody is turned away because another one writes, and those that come together share a
/// commit.
#[derive(Clone, Debug)]
pub struct Store {
    read: DatabaseConnection,
    write: DatabaseConnection,
    writer: writer::Writer,
    files: Arc<identity::DatabaseFiles>,
    /// Counts the connections that `write` has opened so far.
    connections: Arc<AtomicI64>,
    /// Held until the last clone is dropped.
    lock: Arc<lock::DatabaseLock>,
}
