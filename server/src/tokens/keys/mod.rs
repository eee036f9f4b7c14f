//! Signing keys: one signs, and older ones verify the tokens they have signed.

mod key;
mod key_file;
mod key_file_io;
mod key_info;
mod key_store;
mod ring;
mod rotate;
mod seal;
mod shared;

use std::{io, path::PathBuf};

use crate::{
    failure::{ErrorClass, InternalError},
    store::StoreError,
};

pub use key::{Key, SignError};
pub use key_file_io::check_file;
pub use key_info::{KeyInfo, KeyRotation, KeyStatus};
pub use key_store::{KeyStore, Opened};
pub use ring::KeyRing;
pub use rotate::{KeyChangeError, list, retire, rotate};
pub use shared::SharedKeys;

/// Name of the key file in the data folder.
pub const FILE: &str = "keys.json";
/// The `kid` of a configured secret.
pub const CONFIGURED: &str = "configured";

/// Error of opening the keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the key file {} cannot be used: {source}", .path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is not a valid key file.
    #[error("the key file {} is damaged ({why}); restore it from a backup, or remove it (this ends all sessions)", .path.display())]
    Damaged {
        /// Its path.
        path: PathBuf,
        /// The defect.
        why: String,
    },
    /// The keys would be in a database, and there is no secret to encrypt them with.
    #[error(
        "with PostgreSQL the signing keys are in the database, encrypted: set GATEHOUSE_KEYS_SECRET to at least 32 bytes, the same on all \
         nodes (make one with: openssl rand -base64 48)"
    )]
    NoSecret,
    /// The keys in the database are encrypted with another secret, or were changed.
    #[error(
        "the signing keys in the database are encrypted with another secret; set GATEHOUSE_KEYS_SECRET (or else GATEHOUSE_JWT_SECRET) to \
         that of the other nodes. If that secret is lost: stop all nodes, DELETE FROM signing_keys, and start again (this ends all \
         sessions)"
    )]
    Sealed,
    /// The decrypted keys are not valid.
    #[error("the signing keys in the database cannot be used: {0}")]
    Unusable(String),
    /// The row of the keys was deleted while the server is running.
    #[error("the signing keys are not in the database any more; restart the server")]
    Gone,
    /// Encryption fails.
    #[error("the signing keys cannot be encrypted")]
    Cipher,
    /// A signing key for another algorithm could not be created.
    #[error("a signing key for the configured algorithm could not be created: {0}")]
    Rotation(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl InternalError for KeyError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Store(error) => error.class(),
            _ => ErrorClass::Failed,
        }
    }
}
