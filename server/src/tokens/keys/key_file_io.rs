//! Reading and writing the key file: atomically replaced, locked during changes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{FILE, KeyError, key_file::KeyFile};

/// Name of the temporary file, which is renamed over the key file.
const DRAFT: &str = "keys.json.draft";

/// Location of the key file.
pub(super) struct KeyFileLocation {
    folder: PathBuf,
    path: PathBuf,
}

/// Metadata that changes whenever the file is replaced or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileFingerprint {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Exclusive lock: other processes do not change the file while this is held.
pub(super) struct KeyFileLock<'a> {
    location: &'a KeyFileLocation,
    folder: File,
}

/// Checks that a file at any path holds usable keys.
///
/// # Errors
///
/// [`KeyError`] if the file cannot be read or is damaged.
pub fn check_file(path: &Path) -> Result<(), KeyError> {
    let location = KeyFileLocation { folder: PathBuf::new(), path: path.to_owned() };
    match location.load()? {
        Some(_) => Ok(()),
        None => Err(location.io_error(io::ErrorKind::NotFound.into())),
    }
}

impl KeyFileLocation {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), path: folder.join(FILE) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn fingerprint(&self) -> io::Result<FileFingerprint> {
        fs::metadata(&self.path).map(FileFingerprint::from)
    }

    /// Returns the file's contents and fingerprint.
    pub(super) fn read(&self) -> io::Result<(FileFingerprint, Zeroizing<Vec<u8>>)> {
        let mut file = File::open(&self.path)?;
        // Taken before reading: a write meanwhile changes the fingerprint.
        let fingerprint = file.metadata()?.into();
        let mut content = Zeroizing::new(Vec::new());
        file.read_to_end(&mut content)?;
        Ok((fingerprint, content))
    }

    /// Loads the keys; `None` without a file.
    pub(super) fn load(&self) -> Result<Option<KeyFile>, KeyError> {
        match self.read() {
            Ok((_, content)) => KeyFile::parse(&content).map(Some).map_err(|why| self.damaged(why)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io_error(error)),
        }
    }

    /// Waits for the exclusive lock. The folder itself is locked, so no lock file can be left
    /// behind.
    pub(super) fn lock(&self) -> io::Result<KeyFileLock<'_>> {
        let folder = File::open(&self.folder)?;
        folder.lock()?;
        Ok(KeyFileLock { location: self, folder })
    }

    pub(super) fn io_error(&self, source: io::Error) -> KeyError {
        KeyError::File { path: self.path.clone(), source }
    }

    pub(super) fn damaged(&self, why: String) -> KeyError {
        KeyError::Damaged { path: self.path.clone(), why }
    }
}

impl KeyFileLock<'_> {
    /// Loads the keys; `None` without a file.
    pub(super) fn load(&self) -> Result<Option<KeyFile>, KeyError> {
        self.location.load()
    }

    /// Replaces the file, durably: the data is on disk when this returns.
    pub(super) fn save(&self, keys: &KeyFile) -> Result<(), KeyError> {
        let content = keys.to_bytes().map_err(io::Error::other);
        content
            .and_then(|content| self.write(&content))
            .map_err(|error| self.location.io_error(error))
    }

    fn write(&self, content: &[u8]) -> io::Result<()> {
        let draft = self.location.folder.join(DRAFT);
        let written =
            self.draft(&draft, content).and_then(|()| fs::rename(&draft, &self.location.path));
        if written.is_err() {
            // The error of the write is the one to report.
            let _ = fs::remove_file(&draft);
        }
        written.and_then(|()| self.folder.sync_all())
    }

    fn draft(&self, draft: &Path, content: &[u8]) -> io::Result<()> {
        match fs::remove_file(draft) {
            // A crash has left one, with unknown permissions.
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
        if let Ok(before) = fs::metadata(&self.location.path) {
            let ours = file.metadata()?;
            if (before.uid(), before.gid()) != (ours.uid(), ours.gid()) {
                // The administrator runs as another user than the server, which must be able to
                // read the file.
                fchown(&file, Some(before.uid()), Some(before.gid()))?;
            }
        }
        file.write_all(content)?;
        file.sync_all()
    }
}

impl From<fs::Metadata> for FileFingerprint {
    fn from(metadata: fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;

    #[test]
    fn write_replaces_the_file_with_mode_0600_and_leaves_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let location = KeyFileLocation::new(folder.path());
        assert!(location.lock().unwrap().load().unwrap().is_none());
        // A crash has left a world-readable draft.
        fs::write(folder.path().join(DRAFT), "half").unwrap();
        for content in ["one", "two"] {
            location.lock().unwrap().write(content.as_bytes()).unwrap();
            assert_eq!(location.read().unwrap().1.as_slice(), content.as_bytes());
            assert_eq!(fs::metadata(location.path()).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [FILE]);
    }

    #[test]
    fn write_that_fails_keeps_the_previous_file() {
        let folder = tempfile::tempdir().unwrap();
        let location = KeyFileLocation::new(folder.path());
        location.lock().unwrap().write(b"one").unwrap();
        fs::create_dir(folder.path().join(DRAFT)).unwrap();
        assert!(location.lock().unwrap().write(b"two").is_err());
        assert_eq!(location.read().unwrap().1.as_slice(), b"one");
    }

    #[test]
    fn fingerprint_of_replaced_file_differs() {
        let folder = tempfile::tempdir().unwrap();
        let location = KeyFileLocation::new(folder.path());
        location.lock().unwrap().write(b"one").unwrap();
        let first = location.fingerprint().unwrap();
        assert_eq!(location.fingerprint().unwrap(), first);
        assert_eq!(location.read().unwrap().0, first);
        location.lock().unwrap().write(b"two").unwrap();
        assert_ne!(location.fingerprint().unwrap(), first);
    }

    #[test]
    fn write_by_another_user_keeps_the_owner() {
        let folder = tempfile::tempdir().unwrap();
        let location = KeyFileLocation::new(folder.path());
        location.lock().unwrap().write(b"one").unwrap();
        // Only root can change the owner; other users keep their own files.
        let given = chown(location.path(), Some(65_534), Some(65_534)).is_ok();
        location.lock().unwrap().write(b"two").unwrap();
        let owner = fs::metadata(location.path()).unwrap().uid();
        assert_eq!(owner == 65_534, given);
    }

    #[test]
    fn lock_excludes_other_processes() {
        let folder = tempfile::tempdir().unwrap();
        let location = KeyFileLocation::new(folder.path());
        let lock = location.lock().unwrap();
        // Another process has a handle of its own.
        let other = File::open(folder.path()).unwrap();
        assert!(matches!(other.try_lock(), Err(fs::TryLockError::WouldBlock)));
        drop(lock);
        other.try_lock().unwrap();
    }
}
