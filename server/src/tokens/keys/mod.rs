//! Signing keys: one signs, and older ones verify the tokens they have signed.

mod key;
mod key_file;
mod key_file_io;
mod key_info;
mod key_store;
mod ring;
mod rotate;

use std::{io, path::PathBuf};

pub use key::{Key, SignError};
pub use key_file_io::check_file;
pub use key_info::{KeyInfo, KeyRotation, KeyStatus};
pub use key_store::{KeyStore, Opened};
pub use ring::KeyRing;
pub use rotate::{KeyChangeError, list, retire, rotate};

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
}
