//! The keys that sign tokens: several at once, of which one signs and the others check what they
//! have signed.

mod change;
mod disk;
mod file;
mod key;
mod listed;
mod living;
mod ring;

use std::{io, path::PathBuf};

pub use change::{ChangeError, list, retire, rotate};
pub use disk::check_file;
pub use key::{Key, SignError};
pub use listed::{Listed, Rotated, State};
pub use living::{Keys, Opened};
pub use ring::KeyRing;

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
