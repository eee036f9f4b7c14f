//! File lock of a database: every process that uses it holds a shared lock on a file beside it, and
//! an exclusive lock while it prepares or replaces the database.
//!
//! SQLite's own locks last as long as a transaction. This lock lasts as long as the process, so
//! `gatehouse restore` is refused beside a running server, and a single process checks and
//! migrates.

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

/// Interval between attempts to take a lock that another process holds.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// Time limit of the wait for another process that migrates, checks or restores the database.
const LOCK_TIMEOUT: Duration = Duration::from_mins(10);

/// A held lock, released on drop or at the end of the process.
#[derive(Debug)]
pub(super) struct DatabaseLock {
    file: File,
    path: PathBuf,
}

/// Mode of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LockMode {
    /// No other process uses the database.
    Exclusive,
    /// Other processes use it too.
    Shared,
}

impl DatabaseLock {
    /// Takes an exclusive lock if no other process uses the database, a shared one otherwise. Waits
    /// while another process holds it exclusively.
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

    /// Takes an exclusive lock; [`None`] if another process uses the database.
    pub(super) fn try_exclusive(database: &Path) -> Result<Option<Self>, OpenError> {
        let lock = Self::open(database)?;
        Ok(lock.try_lock(FlockOperation::NonBlockingLockExclusive)?.then_some(lock))
    }

    /// Turns the exclusive lock into a shared one. The system may grant another process an
    /// exclusive lock in between; this waits for it.
    pub(super) async fn share(&self) -> Result<(), OpenError> {
        let mut waited = Duration::ZERO;
        while !self.try_lock(FlockOperation::NonBlockingLockShared)? {
            self.wait(&mut waited).await?;
        }
        Ok(())
    }

    /// Returns the identity of the database file that the last exclusive holder has recorded.
    pub(super) fn recorded(&self) -> Option<FileIdentity> {
        let mut text = String::new();
        let mut file = &self.file;
        file.rewind().ok()?;
        file.read_to_string(&mut text).ok()?;
        FileIdentity::parse(&text)
    }

    /// Records the identity of the database file. Requires an exclusive lock.
    pub(super) fn record(&self, identity: FileIdentity) -> Result<(), OpenError> {
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
    async fn recorded_identity_is_read_by_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("db");
        let identity = FileIdentity::of(folder.path()).unwrap().unwrap();
        let lock = DatabaseLock::try_exclusive(&database).unwrap().unwrap();
        assert_eq!(lock.recorded(), None);
        lock.record(identity).unwrap();
        drop(lock);
        assert_eq!(DatabaseLock::acquire(&database).await.unwrap().0.recorded(), Some(identity));
    }
}
