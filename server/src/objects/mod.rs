//! Object storage for uploaded files: in a folder or in an S3-compatible store.

mod s3;

use std::{
    fmt,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use axum::body::Bytes;
use futures::stream::BoxStream;
pub use s3::S3;

use crate::failure::{ErrorClass, InternalError};
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, local::LocalFileSystem};

/// Seconds after which an incomplete file was left by a process that has ended.
const UNFINISHED: i64 = 3600;

/// Error of the object store.
#[derive(Debug, thiserror::Error)]
#[error("the object store is unavailable: {0}")]
pub struct ObjectError(#[from] pub object_store::Error);

impl InternalError for ObjectError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Unavailable
    }
}

/// Object store. Clones share it.
#[derive(Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// The folder, if objects are files.
    folder: Option<Arc<Path>>,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.store)
    }
}

/// An opened object.
pub struct Content {
    /// Size in bytes.
    pub size: u64,
    /// Content.
    pub stream: BoxStream<'static, Result<Bytes, object_store::Error>>,
}

impl Objects {
    /// Opens a store of files in a folder, which is created with mode 0700 if it does not exist.
    /// Deletes incomplete files from long before `now`, in seconds of Unix time.
    ///
    /// # Errors
    ///
    /// [`io::Error`] if the folder cannot be created or read.
    pub fn in_folder(folder: &Path, now: i64) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        remove_unfinished(folder, now)?;
        // A written object is on disk, as a committed change is; the last file of a user removes
        // its folder.
        let store =
            LocalFileSystem::new_with_prefix(folder)?.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self { store: Arc::new(store), folder: Some(folder.into()) })
    }

    /// Opens an S3-compatible store. It is not contacted before the first object.
    ///
    /// # Errors
    ///
    /// [`ObjectError`] if the endpoint is not a valid URL.
    pub fn in_s3(place: &S3) -> Result<Self, ObjectError> {
        Ok(Self { store: s3::open(place)?, folder: None })
    }

    /// Writes an object, atomically.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), ObjectError> {
        self.store.put(&key.into(), PutPayload::from_bytes(bytes)).await?;
        Ok(())
    }

    /// Opens an object; [`None`] if it does not exist.
    pub async fn get(&self, key: &str) -> Result<Option<Content>, ObjectError> {
        match self.store.get(&key.into()).await {
            Ok(found) => Ok(Some(Content { size: found.meta.size, stream: found.into_stream() })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes an object. Succeeds if it does not exist.
    pub async fn remove(&self, key: &str) -> Result<(), ObjectError> {
        match self.store.delete(&key.into()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Objects {
    /// Deletes incomplete files from long before `now`, in seconds of Unix time, as a killed
    /// process or a full disk leaves them. An S3 store has none.
    ///
    /// # Errors
    ///
    /// [`io::Error`] if the folder cannot be read; remaining files are deleted the next time.
    pub async fn remove_unfinished(&self, now: i64) -> io::Result<()> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        tokio::task::spawn_blocking(move || remove_unfinished(&folder, now))
            .await
            .map_err(io::Error::other)?
    }
}

/// `LocalFileSystem` writes a file beside its destination, with a `#` in its name, which no key
/// contains; a killed process leaves it there. Recent ones may belong to another process.
fn remove_unfinished(folder: &Path, now: i64) -> io::Result<()> {
    let until =
        Duration::from_secs(u64::try_from(now.saturating_sub(UNFINISHED)).unwrap_or_default());
    // Folders may disappear with their last file while this runs.
    let Some(entries) = unless_gone(fs::read_dir(folder))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_unfinished(&entry.path(), now)?;
        } else if entry.file_name().to_string_lossy().contains('#') {
            let Some(about) = unless_gone(entry.metadata())? else { continue };
            if about.modified()? <= UNIX_EPOCH + until {
                unless_gone(fs::remove_file(entry.path()))?;
            }
        }
    }
    Ok(())
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt as _;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[tokio::test]
    async fn get_returns_object_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::in_folder(&folder.path().join("objects"), NOW).unwrap();
        assert!(objects.get("files/a/b").await.unwrap().is_none());
        objects.remove("files/a/b").await.unwrap();
        objects.put("files/a/b", Bytes::from_static(b"whole")).await.unwrap();
        let content = objects.get("files/a/b").await.unwrap().unwrap();
        let read: Vec<Bytes> = content.stream.try_collect().await.unwrap();
        assert_eq!((content.size, read.concat()), (5, b"whole".to_vec()));
        objects.remove("files/a/b").await.unwrap();
        assert!(objects.get("files/a/b").await.unwrap().is_none());
        assert!(
            !folder.path().join("objects/files/a").exists(),
            "a person's last file takes its folder along"
        );
    }

    #[tokio::test]
    async fn remove_unfinished_deletes_old_incomplete_files_only() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        let at = |name: &str, age: i64| {
            let file = fs::File::create(folder.path().join("files").join(name)).unwrap();
            let modified = Duration::from_secs(u64::try_from(NOW - age).unwrap());
            file.set_modified(UNIX_EPOCH + modified).unwrap();
        };
        let names = || {
            let names = fs::read_dir(folder.path().join("files"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name());
            let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
            names.sort();
            names
        };
        at("old", 9_000);
        at("old#1", 3_600);
        at("new#1", 3_599);
        let objects = Objects::in_folder(folder.path(), NOW).unwrap();
        assert_eq!(names(), ["new#1", "old"]);
        objects.remove_unfinished(NOW).await.unwrap();
        assert_eq!(names(), ["new#1", "old"], "another process may be at work on it");
        objects.remove_unfinished(NOW + 1).await.unwrap();
        assert_eq!(names(), ["old"], "without another start");
    }
}
