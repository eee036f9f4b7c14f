//! The keys of a server that runs: those of the file, as it is now.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use secrecy::SecretString;

use super::{
    KeyError, KeyRing,
    key_file::KeyFile,
    key_file_io::{FileFingerprint, KeyFileLocation},
};
use crate::{clock::Env, tokens::algorithm::Algorithm};

/// The keys as they are now. They change when somebody changes the file.
pub struct KeyStore {
    location: KeyFileLocation,
    algorithm: Algorithm,
    /// A secret that takes the place of the keys in the file.
    configured: Option<SecretString>,
    ring: RwLock<Arc<KeyRing>>,
    last_read: Mutex<LastRead>,
}

/// What was found when the file was looked at last: each is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastRead {
    /// A file, good or damaged.
    File(FileFingerprint),
    /// None that could be read.
    Unreadable(io::ErrorKind),
}

/// What opening the keys has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// They are used as they were.
    Existing,
    /// There were none: the first one was made.
    Created,
    /// They have signed by another algorithm than the configured one: a new one signs from now on.
    Rotated,
}

impl KeyStore {
    /// The keys in the data folder, made there at the first start; a configured secret signs
    /// instead of theirs. Where the newest one is not for the configured algorithm, another one is
    /// made, and those before it go on checking.
    ///
    /// # Errors
    ///
    /// [`KeyError`]
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
                // Where two programs start at once, one of them has made it meanwhile.
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

    /// The keys as they are now.
    #[must_use]
    pub fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// These keys, or those of now where none of these has this name: another process may have made
    /// it a moment ago, and what it has signed is good here, too.
    #[must_use]
    pub fn ring_with_key(&self, ring: Arc<KeyRing>, kid: &str) -> Arc<KeyRing> {
        if ring.get(kid).is_some() {
            return ring;
        }
        self.reload_if_changed();
        self.ring()
    }

    /// Reads the file where it is another one than the last time: one look at its metadata, as long
    /// as nothing has changed. A file that cannot be used is told to the log, and the keys stay
    /// what they were.
    pub fn reload_if_changed(&self) {
        let found = self.location.fingerprint();
        let mut last_read = self.last_read.lock().unwrap_or_else(PoisonError::into_inner);
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
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }
}

#[cfg(test)]
mod tests;
