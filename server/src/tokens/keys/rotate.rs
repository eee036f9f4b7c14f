//! What an administrator does with the keys. It is done to the file; a server that runs follows it.

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

/// Why keys were not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyChangeError {
    /// The file.
    #[error(transparent)]
    File(#[from] KeyError),
    /// There is no file, and making one is the server's: the folder may be the wrong one.
    #[error("there are no keys yet: the server creates {} at its first start; check GATEHOUSE_DATA_DIR if it has been started", .path.display())]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// No key has this name.
    #[error("unknown key {kid}; `gatehouse keys list` prints the existing keys")]
    Unknown {
        /// The name.
        kid: String,
    },
    /// The key is needed.
    #[error(
        "the key {kid} is the signing key and cannot be retired; run `gatehouse keys rotate` first"
    )]
    StillSigning {
        /// Its name.
        kid: String,
    },
}

/// What may be told of the keys in a folder, oldest first; nothing where there is no key file.
///
/// # Errors
///
/// [`KeyError`]
pub fn list(folder: &Path) -> Result<Vec<KeyInfo>, KeyError> {
    let location = KeyFileLocation::new(folder);
    Ok(location.load()?.map(|file| file.list()).unwrap_or_default())
}

/// Lets a new key sign from now on. Those before it go on checking what they have signed: nobody is
/// logged out.
///
/// # Errors
///
/// [`KeyChangeError`]
pub fn rotate(
    folder: &Path,
    algorithm: Algorithm,
    env: &Env,
) -> Result<KeyRotation, KeyChangeError> {
    change(folder, |file| Ok(file.rotate(algorithm, env)))
}

/// Removes a key that does not sign any more: what it has signed is refused from now on.
///
/// # Errors
///
/// [`KeyChangeError`]
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
    // Who reads before the lock may put back what another one has changed meanwhile.
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
