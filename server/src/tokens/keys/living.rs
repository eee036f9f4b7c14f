//! The keys of a server that runs: those of the file, as it is now.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use secrecy::SecretString;

use super::{
    KeyError, KeyRing,
    disk::{Disk, Identity},
    file::KeyFile,
};
use crate::{clock::World, tokens::algorithm::Algorithm};

/// The keys as they are now. They change when somebody changes the file.
pub struct Keys {
    disk: Disk,
    algorithm: Algorithm,
    /// A secret that takes the place of the keys in the file.
    configured: Option<SecretString>,
    ring: RwLock<Arc<KeyRing>>,
    seen: Mutex<Seen>,
}

/// What was found when the file was looked at last: each is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// A file, good or damaged.
    File(Identity),
    /// None that could be read.
    Trouble(io::ErrorKind),
}

/// What opening the keys has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// They are used as they were.
    Found,
    /// There were none: the first one was made.
    Made,
    /// They have signed by another algorithm than the configured one: a new one signs from now on.
    Rotated,
}

impl Keys {
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
        world: &World,
    ) -> Result<(Self, Opened), KeyError> {
        let disk = Disk::new(folder);
        let is_wanted = |file: &KeyFile| configured.is_some() || file.algorithm() == algorithm;
        let opened = match disk.keys()? {
            Some(file) if is_wanted(&file) => Opened::Found,
            _ => {
                let lock = disk.lock().map_err(|error| disk.trouble(error))?;
                // Where two programs start at once, one of them has made it meanwhile.
                match lock.keys()? {
                    Some(file) if is_wanted(&file) => Opened::Found,
                    Some(mut file) => {
                        file.rotate(algorithm, world);
                        lock.keep(&file)?;
                        Opened::Rotated
                    }
                    None => {
                        lock.keep(&KeyFile::generate(algorithm, world))?;
                        Opened::Made
                    }
                }
            }
        };
        let (identity, content) = disk.read().map_err(|error| disk.trouble(error))?;
        let ring = KeyFile::parse(&content).and_then(|file| file.ring(configured.as_ref()));
        let ring = RwLock::new(Arc::new(ring.map_err(|why| disk.damaged(why))?));
        Ok((
            Self { disk, algorithm, configured, ring, seen: Mutex::new(Seen::File(identity)) },
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
    pub fn having(&self, ring: Arc<KeyRing>, kid: &str) -> Arc<KeyRing> {
        if ring.get(kid).is_some() {
            return ring;
        }
        self.follow();
        self.ring()
    }

    /// Reads the file where it is another one than the last time: one look at its metadata, as long
    /// as nothing has changed. A file that cannot be used is told to the log, and the keys stay
    /// what they were.
    pub fn follow(&self) {
        let found = self.disk.identity();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_ok_and(|found| *seen == Seen::File(found)) {
            return;
        }
        let (now, read) = match self.disk.read() {
            Ok((identity, content)) => {
                let ring =
                    KeyFile::parse(&content).and_then(|file| file.ring(self.configured.as_ref()));
                (Seen::File(identity), ring.map_err(|why| self.disk.damaged(why)))
            }
            Err(error) => (Seen::Trouble(error.kind()), Err(self.disk.trouble(error))),
        };
        if *seen == now {
            return;
        }
        *seen = now;
        match read {
            Ok(ring) => self.take(ring),
            Err(error) => {
                tracing::error!(%error, "the key file cannot be read; the keys in memory stay in use");
            }
        }
    }

    fn take(&self, ring: KeyRing) {
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
