//! Identity of the database files: detects that a path no longer names the open file.
//!
//! An open file stays usable after it was moved, removed or replaced, but the next start would not
//! find what is written to it. Changes are refused from then on.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
};

use parking_lot::Mutex;
use sea_orm::DbErr;

use super::StoreError;

/// Device and inode of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// Returns the identity of the file at a path; [`None`] if there is no file.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self { device: metadata.dev(), inode: metadata.ino() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Parses the output of [`std::fmt::Display`].
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (device, inode) = text.trim().split_once(' ')?;
        Some(Self { device: device.parse().ok()?, inode: inode.parse().ok()? })
    }
}

impl std::fmt::Display for FileIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.device, self.inode)
    }
}

/// Returns the path of a file that belongs to a database: its name plus a suffix, as SQLite does.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Identities of the files of an open database.
#[derive(Debug)]
pub(super) struct DatabaseFiles {
    /// Database, write-ahead log and shared memory file. SQLite does not replace them while a
    /// connection is open.
    files: Vec<(PathBuf, FileIdentity)>,
    is_missing: AtomicBool,
    /// Serializes checks: an older result must not overwrite a newer one.
    checking: Mutex<()>,
    /// Number of times that the files were missing and came back.
    recoveries: AtomicI64,
}

impl DatabaseFiles {
    /// Records the files of an open database of which a page was read: its write-ahead log exists
    /// then.
    pub(super) fn record(path: &Path) -> io::Result<Self> {
        let mut files = Vec::with_capacity(3);
        for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
            if let Some(identity) = FileIdentity::of(&path)? {
                files.push((path, identity));
            }
        }
        Ok(Self {
            files,
            is_missing: AtomicBool::new(false),
            checking: Mutex::new(()),
            recoveries: AtomicI64::new(0),
        })
    }

    /// Checks that every path names the open file. Logs when the result changes.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let _checking = self.checking.lock();
        let found = self.files.iter().try_for_each(|(path, opened)| {
            let problem = match FileIdentity::of(path) {
                Ok(Some(found)) if found == *opened => return Ok(()),
                Ok(Some(_)) => "was replaced by another file".to_owned(),
                Ok(None) => "was moved or removed".to_owned(),
                Err(error) => format!("cannot be looked at ({error})"),
            };
            Err(format!("{} {problem} while the server is running", path.display()))
        });
        let was_missing = self.is_missing.swap(found.is_err(), Ordering::AcqRel);
        match found {
            Ok(()) => {
                if was_missing {
                    self.recoveries.fetch_add(1, Ordering::AcqRel);
                    tracing::info!(
                        "the database's files are in their place again; requests are answered again"
                    );
                }
                Ok(())
            }
            Err(problem) => {
                if !was_missing {
                    tracing::error!(
                        "{problem}: changes are refused, because the next start would not find them. Put the file back, \
                         or stop the server and start it again with the file that is there now"
                    );
                }
                Err(StoreError::Unavailable(DbErr::Custom(problem)))
            }
        }
    }

    /// Returns the result of the last check.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the files were not in place.
    pub(super) fn last_check(&self) -> Result<(), StoreError> {
        if self.is_missing.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable(DbErr::Custom(
                "the database's files are not in their place".into(),
            )));
        }
        Ok(())
    }

    /// Returns how many times the files were missing and came back. Another process may have
    /// changed them meanwhile.
    pub(super) fn recoveries(&self) -> i64 {
        self.recoveries.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_after_move_replacement_or_removal_refuses_until_the_file_is_back() {
        let folder = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (folder.path().join("db"), folder.path().join("elsewhere"));
        fs::write(&path, "one").unwrap();
        fs::write(beside(&path, "-wal"), "journal").unwrap();
        let files = DatabaseFiles::record(&path).unwrap();
        files.check().unwrap();
        for file in [path.clone(), beside(&path, "-wal")] {
            let recoveries = files.recoveries();
            fs::rename(&file, &elsewhere).unwrap();
            assert!(files.check().unwrap_err().to_string().contains("moved or removed"));
            assert!(files.last_check().is_err());
            fs::write(&file, "another").unwrap();
            assert!(files.check().unwrap_err().to_string().contains("replaced"));
            fs::rename(&elsewhere, &file).unwrap();
            files.check().unwrap();
            files.last_check().unwrap();
            assert_eq!(files.recoveries(), recoveries + 1);
        }
    }

    #[test]
    fn parse_of_displayed_identity_returns_it() {
        let identity = FileIdentity::of(Path::new("/")).unwrap().unwrap();
        assert_eq!(FileIdentity::parse(&format!("{identity}\n")), Some(identity));
        assert_eq!(FileIdentity::parse("1 x"), None);
    }
}
