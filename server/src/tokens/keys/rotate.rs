//! Listing, rotating and retiring keys by an administrator. Running servers reload the file.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    KeyError, KeyInfo, KeyRotation,
    key_file::{KeyFile, RetireError},
    key_file_io::KeyFileLocation,
};
use crate::{clock::Env, tokens::algorithm::Algorithm};

/// Error of changing the keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyChangeError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] KeyError),
    /// There is no key file. The server creates it; the folder may be the wrong one.
    #[error("there are no keys yet: the server creates {} at its first start; check GATEHOUSE_DATA_DIR if it has been started", .path.display())]
    Missing {
        /// Its expected path.
        path: PathBuf,
    },
    /// There are no keys in the database.
    #[error("there are no keys yet: the server creates them at its first start")]
    NotStarted,
    /// No key has this id.
    #[error("unknown key {kid}; `gatehouse keys list` prints the existing keys")]
    Unknown {
        /// The id.
        kid: String,
    },
    /// The key is the signing key.
    #[error(
        "the key {kid} is the signing key and cannot be retired; run `gatehouse keys rotate` first"
    )]
    StillSigning {
        /// Its id.
        kid: String,
    },
}

/// Returns public information on the keys in a folder, oldest first; empty without a key file.
///
/// # Errors
///
/// [`KeyError`] if the file cannot be read or is damaged.
pub fn list(folder: &Path) -> Result<Vec<KeyInfo>, KeyError> {
    let location = KeyFileLocation::new(folder);
    Ok(location.load()?.map(|file| file.list()).unwrap_or_default())
}

/// Creates a new signing key. Older keys go on verifying, so no session ends.
///
/// # Errors
///
/// [`KeyChangeError`] if the file is missing or cannot be used, or the key cannot be retired.
pub fn rotate(
    folder: &Path,
    algorithm: Algorithm,
    env: &Env,
) -> Result<KeyRotation, KeyChangeError> {
    change(folder, |file| Ok(file.rotate(algorithm, env)))
}

/// Removes a verification-only key: its tokens are rejected from now on.
///
/// # Errors
///
/// [`KeyChangeError`] if the file is missing or cannot be used, or the key cannot be retired.
pub fn retire(folder: &Path, kid: &str) -> Result<KeyInfo, KeyChangeError> {
    change(folder, |file| {
        file.retire(kid).map_err(|kept| match kept {
            RetireError::UnknownKey => KeyChangeError::Unknown { kid: kid.to_owned() },
            RetireError::SigningKey => KeyChangeError::StillSigning { kid: kid.to_owned() },
        })
    })
}

fn change<T>(
    folder: &Path,
    change: impl FnOnce(&mut KeyFile) -> Result<T, KeyChangeError>,
) -> Result<T, KeyChangeError> {
    let location = KeyFileLocation::new(folder);
    let missing = || KeyChangeError::Missing { path: location.path().to_owned() };
    // Read under the lock: otherwise a concurrent change could be overwritten.
    let lock = match location.lock() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
        locked => locked.map_err(|error| location.io_error(error))?,
    };
    let mut file = lock.load()?.ok_or_else(missing)?;
    let changed = change(&mut file)?;
    lock.save(&file)?;
    Ok(changed)
}

#[cfg(test)]
mod tests;
