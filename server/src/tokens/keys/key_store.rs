//! The keys of a running server, reloaded when the key file changes.

use std::{io, path::Path, sync::Arc};

use parking_lot::{Mutex, RwLock};
use secrecy::SecretString;

use super::{
    KeyError, KeyRing,
    key_file::KeyFile,
    key_file_io::{FileFingerprint, KeyFileLocation},
};
use crate::{clock::Env, tokens::algorithm::Algorithm};

/// The current keys, reloaded when the key file changes.
pub struct KeyStore {
    location: KeyFileLocation,
    algorithm: Algorithm,
    /// A configured secret, which replaces the keys of the file.
    configured: Option<SecretString>,
    ring: RwLock<Arc<KeyRing>>,
    last_read: Mutex<LastRead>,
}

/// State of the file at the last read; each state is logged once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastRead {
    /// A file, valid or damaged.
    File(FileFingerprint),
    /// No readable file.
    Unreadable(io::ErrorKind),
}

/// Outcome of opening the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Existing keys are used.
    Existing,
    /// The first key was created.
    Created,
    /// A new signing key was created, because the previous one was for another algorithm than
    /// configured.
    Rotated,
}

impl KeyStore {
    /// Opens the keys of the data folder, and creates them at the first start; a configured secret
    /// replaces them. If the signing key is not for the configured algorithm, a new one is created,
    /// and the others go on verifying.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the file cannot be read or written, or is damaged.
    pub fn open(
        folder: &Path,
        algorithm: Algorithm,
        configured: Option<SecretString>,
        env: &Env,
    ) -> Result<(Self, Opened), KeyError> {
        let location = KeyFileLocation::new(folder);
        let is_wanted = |file: &KeyFile| configured.is_some() || file.algorithm() == algorithm;
        let opened = match location.load()? {
            Some(file) if is_wanted(&file) => Opened::Existing,
            _ => {
                let lock = location.lock().map_err(|error| location.io_error(error))?;
                // Of two processes that start at once, the other one may have created it.
                match lock.load()? {
                    Some(file) if is_wanted(&file) => Opened::Existing,
                    Some(mut file) => {
                        file.rotate(algorithm, env);
                        lock.save(&file)?;
                        Opened::Rotated
                    }
                    None => {
                        lock.save(&KeyFile::generate(algorithm, env))?;
                        Opened::Created
                    }
                }
            }
        };
        let (fingerprint, content) = location.read().map_err(|error| location.io_error(error))?;
        let ring = KeyFile::parse(&content).and_then(|file| file.ring(configured.as_ref()));
        let ring = RwLock::new(Arc::new(ring.map_err(|why| location.damaged(why))?));
        Ok((
            Self {
                location,
                algorithm,
                configured,
                ring,
                last_read: Mutex::new(LastRead::File(fingerprint)),
            },
            opened,
        ))
    }

    /// Returns the current keys.
    #[must_use]
    pub fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read())
    }

    /// Returns these keys, or reloaded ones if they lack the `kid`: another process may have
    /// rotated a moment ago.
    #[must_use]
    pub fn ring_with_key(&self, ring: Arc<KeyRing>, kid: &str) -> Arc<KeyRing> {
        if ring.get(kid).is_some() {
            return ring;
        }
        self.reload_if_changed();
        self.ring()
    }

    /// Reloads the file if its metadata has changed. If it cannot be used, the error is logged and
    /// the keys stay in use.
    pub fn reload_if_changed(&self) {
        let found = self.location.fingerprint();
        let mut last_read = self.last_read.lock();
        if found.is_ok_and(|found| *last_read == LastRead::File(found)) {
            return;
        }
        let (now, read) = match self.location.read() {
            Ok((fingerprint, content)) => {
                let ring =
                    KeyFile::parse(&content).and_then(|file| file.ring(self.configured.as_ref()));
                (LastRead::File(fingerprint), ring.map_err(|why| self.location.damaged(why)))
            }
            Err(error) => (LastRead::Unreadable(error.kind()), Err(self.location.io_error(error))),
        };
        if *last_read == now {
            return;
        }
        *last_read = now;
        match read {
            Ok(ring) => self.replace_ring(ring),
            Err(error) => {
                tracing::error!(%error, "the key file cannot be read; the keys in memory stay in use");
            }
        }
    }

    fn replace_ring(&self, ring: KeyRing) {
        let signing = ring.signing();
        tracing::info!(kid = signing.kid, algorithm = %signing.algorithm, "key file reloaded");
        if self.configured.is_none() && signing.algorithm != self.algorithm {
            let algorithm = self.algorithm.as_str();
            tracing::warn!(
                algorithm,
                "the signing key has another algorithm than configured; the next start creates a new one"
            );
        }
        *self.ring.write() = Arc::new(ring);
    }
}

#[cfg(test)]
mod tests;
