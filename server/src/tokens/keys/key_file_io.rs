//! The file that keeps the keys: read whole, written whole or not at all, changed by one at a time.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{FILE, KeyError, key_file::KeyFile};

/// What is written before it takes the file's place.
const DRAFT: &str = "keys.json.draft";

/// Where the file is.
pub(super) struct KeyFileLocation {
    folder: PathBuf,
    path: PathBuf,
}

/// What tells a file from the one that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileFingerprint {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Nobody else changes the file while this is held.
pub(super) struct KeyFileLock<'a> {
    location: &'a KeyFileLocation,
    folder: File,
}

/// Checks that a file, wherever it is, holds keys that this program can use.
///
/// # Errors
///
/// [`KeyError`]
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

    /// The file as it is, and which one that was.
    pub(super) fn read(&self) -> io::Result<(FileFingerprint, Zeroizing<Vec<u8>>)> {
        let mut file = File::open(&self.path)?;
        // Before it is read: what is written to it meanwhile makes it another one.
        let fingerprint = file.metadata()?.into();
        let mut content = Zeroizing::new(Vec::new());
        file.read_to_end(&mut content)?;
        Ok((fingerprint, content))
    }

    /// What is kept, if there is a file.
    pub(super) fn load(&self) -> Result<Option<KeyFile>, KeyError> {
        match self.read() {
            Ok((_, content)) => KeyFile::parse(&content).map(Some).map_err(|why| self.damaged(why)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io_error(error)),
        }
    }

    /// Waits until nobody else changes the file. The folder itself is locked: no file is left, and
    /// none can be forgotten.
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
    /// What is kept, if there is a file.
    pub(super) fn load(&self) -> Result<Option<KeyFile>, KeyError> {
        self.location.load()
    }

    /// Keeps these keys instead. What has come back from here is on disk.
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
            // Why it was not written is what is to be told.
            let _ = fs::remove_file(&draft);
        }
        written.and_then(|()| self.folder.sync_all())
    }

    fn draft(&self, draft: &Path, content: &[u8]) -> io::Result<()> {
        match fs::remove_file(draft) {
            // A crash has left one, whoever may read it.
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
        if let Ok(before) = fs::metadata(&self.location.path) {
            let ours = file.metadata()?;
            if (before.uid(), before.gid()) != (ours.uid(), ours.gid()) {
                // The administrator has called: the server must be able to read it afterwards.
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
    fn it_is_written_whole_for_its_owner_alone_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let location = KeyFileLocation::new(folder.path());
        assert!(location.lock().unwrap().load().unwrap().is_none());
        // A crash has left a draft that anybody may read.
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
    fn what_cannot_be_written_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let location = KeyFileLocation::new(folder.path());
        location.lock().unwrap().write(b"one").unwrap();
        fs::create_dir(folder.path().join(DRAFT)).unwrap();
        assert!(location.lock().unwrap().write(b"two").is_err());
        assert_eq!(location.read().unwrap().1.as_slice(), b"one");
    }

    #[test]
    fn each_file_has_an_identity_of_its_own() {
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
    fn whoever_writes_it_its_owner_stays() {
        let folder = tempfile::tempdir().unwrap();
        let location = KeyFileLocation::new(folder.path());
        location.lock().unwrap().write(b"one").unwrap();
        // Only the administrator can give a file away: for anybody else it is their own before and
        // after.
        let given = chown(location.path(), Some(65_534), Some(65_534)).is_ok();
        location.lock().unwrap().write(b"two").unwrap();
        let owner = fs::metadata(location.path()).unwrap().uid();
        assert_eq!(owner == 65_534, given);
    }

    #[test]
    fn one_at_a_time_changes_it() {
        let folder = tempfile::tempdir().unwrap();
        let location = KeyFileLocation::new(folder.path());
        let lock = location.lock().unwrap();
        // Another process comes with a handle of its own.
        let other = File::open(folder.path()).unwrap();
        assert!(matches!(other.try_lock(), Err(fs::TryLockError::WouldBlock)));
        drop(lock);
        other.try_lock().unwrap();
    }
}
