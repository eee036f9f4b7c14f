//! Lock of a database: every process that uses it holds a shared lock on a file beside it, and an
//! exclusive one while it prepares or replaces the database.
//!
//! SQLite's own locks are on the database file and last as long as a transaction. This one lasts as
//! long as a process, so that `gatehouse restore` refuses beside a running server, and that one
//! process alone checks and migrates.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::{
    OpenError,
    identity::{FileIdentity, beside},
};

/// How often a lock that is held elsewhere is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// How long another process may take to migrate, check or restore a database.
const LOCK_TIMEOUT: Duration = Duration::from_mins(10);

/// A lock, released when it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct DatabaseLock {
    file: File,
    path: PathBuf,
}

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LockMode {
    /// No other process uses the database.
    Exclusive,
    /// Other processes use it, too.
    Shared,
}

impl DatabaseLock {
    /// Takes the lock: alone where no other process uses the database, together with the others
    /// otherwise. Waits while another process holds it alone.
    pub(super) async fn acquire(database: &Path) -> Result<(Self, LockMode), OpenError> {
        let lock = Self::open(database)?;
        let mut waited = Duration::ZERO;
        loop {
            for (operation, mode) in [
                (FlockOperation::NonBlockingLockExclusive, LockMode::Exclusive),
                (FlockOperation::NonBlockingLockShared, LockMode::Shared),
            ] {
                if lock.try_lock(operation)? {
                    return Ok((lock, mode));
                }
            }
            lock.wait(&mut waited).await?;
        }
    }

    /// Takes the lock alone, or returns [`None`] where another process uses the database.
    pub(super) fn try_exclusive(database: &Path) -> Result<Option<Self>, OpenError> {
        let lock = Self::open(database)?;
        Ok(lock.try_lock(FlockOperation::NonBlockingLockExclusive)?.then_some(lock))
    }

    /// Lets other processes use the database, too. The system may let another one have it alone
    /// before: then this waits.
    pub(super) async fn share(&self) -> Result<(), OpenError> {
        let mut waited = Duration::ZERO;
        while !self.try_lock(FlockOperation::NonBlockingLockShared)? {
            self.wait(&mut waited).await?;
        }
        Ok(())
    }

    /// The identity of the database file that the last process with an exclusive lock has noted.
    pub(super) fn noted(&self) -> Option<FileIdentity> {
        let mut text = String::new();
        let mut file = &self.file;
        file.rewind().ok()?;
        file.read_to_string(&mut text).ok()?;
        FileIdentity::parse(&text)
    }

    /// Notes the identity of the database file. Only for the holder of an exclusive lock.
    pub(super) fn note(&self, identity: FileIdentity) -> Result<(), OpenError> {
        let write = || {
            let mut file = &self.file;
            file.rewind()?;
            let text = format!("{identity}\n");
            file.write_all(text.as_bytes())?;
            file.set_len(u64::try_from(text.len()).unwrap_or(u64::MAX))
        };
        write().map_err(|source| self.failed(source))
    }

    fn open(database: &Path) -> Result<Self, OpenError> {
        let path = beside(database, "-lock");
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        match opened {
            Ok(file) => Ok(Self { file, path }),
            Err(source) => Err(OpenError::File { path, source }),
        }
    }

    fn try_lock(&self, operation: FlockOperation) -> Result<bool, OpenError> {
        match flock(&self.file, operation) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
            Err(error) => Err(self.failed(error.into())),
        }
    }

    async fn wait(&self, waited: &mut Duration) -> Result<(), OpenError> {
        if waited.is_zero() {
            tracing::info!(lock = %self.path.display(), "waiting for another process that prepares the database");
        }
        if *waited >= LOCK_TIMEOUT {
            return Err(self.failed(io::ErrorKind::TimedOut.into()));
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
        *waited += RETRY_INTERVAL;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> OpenError {
        OpenError::File { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn exclusive_lock_is_refused_while_a_shared_one_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("db");
        let (first, mode) = DatabaseLock::acquire(&database).await.unwrap();
        assert_eq!(mode, LockMode::Exclusive);
        assert!(DatabaseLock::try_exclusive(&database).unwrap().is_none());
        let waiting = tokio::spawn({
            let database = database.clone();
            async move { DatabaseLock::acquire(&database).await.unwrap().1 }
        });
        first.share().await.unwrap();
        assert_eq!(
            waiting.await.unwrap(),
            LockMode::Shared,
            "it waits until the database is prepared"
        );
        assert!(DatabaseLock::try_exclusive(&database).unwrap().is_none());
        drop(first);
        assert!(DatabaseLock::try_exclusive(&database).unwrap().is_some());
    }

    #[tokio::test]
    async fn noted_identity_is_found_by_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("db");
        let identity = FileIdentity::of(folder.path()).unwrap().unwrap();
        let lock = DatabaseLock::try_exclusive(&database).unwrap().unwrap();
        assert_eq!(lock.noted(), None);
        lock.note(identity).unwrap();
        drop(lock);
        assert_eq!(DatabaseLock::acquire(&database).await.unwrap().0.noted(), Some(identity));
    }
}
