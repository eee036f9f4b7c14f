//! The keys of a running server, reloaded when they change.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};
use secrecy::SecretString;

use super::{
    KeyError, KeyRing, SharedKeys,
    key_file::KeyFile,
    key_file_io::{FileFingerprint, KeyFileLocation},
};
use crate::{clock::Env, store::StoreError, tokens::algorithm::Algorithm};

/// The current keys, reloaded when they change.
pub struct KeyStore {
    source: Source,
    algorithm: Algorithm,
    ring: RwLock<Arc<KeyRing>>,
}

/// Storage of the keys.
enum Source {
    File(FileSource),
    Database(DatabaseSource),
}

/// A key file in the data folder.
struct FileSource {
    location: KeyFileLocation,
    /// A configured secret, which replaces the keys of the file.
    configured: Option<SecretString>,
    last_read: Mutex<LastRead>,
}

/// A database that other servers share.
struct DatabaseSource {
    keys: SharedKeys,
    /// Number of reloads that have begun. Concurrent callers share one.
    begun: AtomicU64,
    /// Number of the last one that has succeeded; locked while one runs.
    succeeded: tokio::sync::Mutex<u64>,
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
        let last_read = Mutex::new(LastRead::File(fingerprint));
        let source = Source::File(FileSource { location, configured, last_read });
        Ok((Self { source, algorithm, ring }, opened))
    }

    /// Opens the keys of a database, and creates them at the first start of a server. If the signing
    /// key is not for the configured algorithm, a new one is created.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the keys cannot be read, decrypted or written.
    pub async fn open_shared(
        keys: SharedKeys,
        algorithm: Algorithm,
        env: &Env,
    ) -> Result<(Self, Opened), KeyError> {
        let (ring, opened) = keys.open(algorithm, env).await?;
        let source = DatabaseSource {
            keys,
            begun: AtomicU64::new(0),
            succeeded: tokio::sync::Mutex::default(),
        };
        let ring = RwLock::new(Arc::new(ring));
        Ok((Self { source: Source::Database(source), algorithm, ring }, opened))
    }

    /// Returns the current keys.
    #[must_use]
    pub fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read())
    }

    /// Returns these keys, or those of the reloaded file if they lack the `kid`: another process may
    /// have rotated a moment ago. Keys in a database are reloaded by [`KeyStore::reload`].
    #[must_use]
    pub fn ring_with_key(&self, ring: Arc<KeyRing>, kid: &str) -> Arc<KeyRing> {
        if ring.get(kid).is_some() {
            return ring;
        }
        self.reload_if_changed();
        self.ring()
    }

    /// Reloads the keys: those of a file if its metadata has changed, those of a database with a
    /// query that concurrent callers share. If they cannot be used, the error is logged and the keys
    /// stay in use.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database cannot be read.
    pub async fn reload(&self) -> Result<(), StoreError> {
        let Source::Database(source) = &self.source else {
            self.reload_if_changed();
            return Ok(());
        };
        let before = source.begun.load(Ordering::Acquire);
        let mut succeeded = source.succeeded.lock().await;
        // One that has begun after this call, and succeeded, has read what this call is about.
        if *succeeded > before {
            return Ok(());
        }
        let number = source.begun.fetch_add(1, Ordering::AcqRel) + 1;
        match source.keys.ring().await {
            Ok(ring) => self.replace_ring(ring, false),
            Err(KeyError::Store(error)) => return Err(error),
            Err(error) => tracing::error!(%error, "the keys in memory stay in use"),
        }
        *succeeded = number;
        Ok(())
    }

    /// Reloads the file if its metadata has changed. If it cannot be used, the error is logged and
    /// the keys stay in use.
    pub fn reload_if_changed(&self) {
        let Source::File(FileSource { location, configured, last_read }) = &self.source else {
            return;
        };
        let found = location.fingerprint();
        let mut last_read = last_read.lock();
        if found.is_ok_and(|found| *last_read == LastRead::File(found)) {
            return;
        }
        let (now, read) = match location.read() {
            Ok((fingerprint, content)) => {
                let ring = KeyFile::parse(&content).and_then(|file| file.ring(configured.as_ref()));
                (LastRead::File(fingerprint), ring.map_err(|why| location.damaged(why)))
            }
            Err(error) => (LastRead::Unreadable(error.kind()), Err(location.io_error(error))),
        };
        if *last_read == now {
            return;
        }
        *last_read = now;
        match read {
            Ok(ring) => self.replace_ring(ring, configured.is_some()),
            Err(error) => {
                tracing::error!(%error, "the key file cannot be read; the keys in memory stay in use");
            }
        }
    }

    fn replace_ring(&self, ring: KeyRing, is_configured: bool) {
        if ring.has_keys_of(&self.ring.read()) {
            // Its verified tokens stay known.
            return;
        }
        let signing = ring.signing();
        tracing::info!(kid = signing.kid, algorithm = %signing.algorithm, "signing keys reloaded");
        if !is_configured && signing.algorithm != self.algorithm {
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
