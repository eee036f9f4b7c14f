//! What is kept: the only place that knows SQL or a database's name.

mod entities;
mod error;
mod migrations;
mod open;
mod revoked_tokens;
mod sessions;
mod users;

pub use error::{OpenError, StoreError};
pub(crate) use open::without_password;
pub use revoked_tokens::RevokedToken;
pub use sessions::{EndReason, Session};
pub use users::{NewUser, StoredUser};

use sea_orm::DatabaseConnection;

/// The database.
///
/// Reads go to a pool; writes go one at a time through a connection of their own, as SQLite has it anyway: nobody is turned
/// away because another one writes.
#[derive(Clone, Debug)]
pub struct Store {
    read: DatabaseConnection,
    write: DatabaseConnection,
}
