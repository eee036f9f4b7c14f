//! The keys that sign tokens: several at once, of which one signs and the others check what they
//! have signed.

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

/// The file's name in the data folder.
pub const FILE: &str = "keys.json";
/// The `kid` of a configured secret.
pub const CONFIGURED: &str = "configured";

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the key file {} cannot be used: {source}", .path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is there, and is no key file.
    #[error("the key file {} is damaged ({why}); restore it from a backup, or remove it (this ends all sessions)", .path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}
