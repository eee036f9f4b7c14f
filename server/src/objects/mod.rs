//! Bytes that are too many for the database: in a folder, or wherever else [`ObjectStore`] reaches.

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

use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, local::LocalFileSystem};

/// Seconds after which a file that was never finished belongs to somebody who has gone.
const UNFINISHED: i64 = 3600;

/// Why an object could not be kept, read or removed.
#[derive(Debug, thiserror::Error)]
#[error("what is kept beside the database cannot be reached: {0}")]
pub struct ObjectError(#[from] pub object_store::Error);

/// Objects by their keys. A handle: clones are the same.
#[derive(Clone)]
pub struct Objects(Arc<dyn ObjectStore>);

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An object that is about to be read.
pub struct Content {
    /// Its bytes.
    pub size: u64,
    /// They themselves.
    pub stream: BoxStream<'static, Result<Bytes, object_store::Error>>,
}

impl Objects {
    /// Objects as files in a folder, which is made where there is none, for its owner alone. What was left there unfinished long
    /// before `now`, in seconds of Unix time, is removed.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn in_folder(folder: &Path, now: i64) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let until = Duration::from_secs(u64::try_from(now.saturating_sub(UNFINISHED)).unwrap_or_default());
        remove_unfinished(folder, until)?;
        // What was answered is on disk, as it is with the database; a person's last file takes its folder along.
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self(Arc::new(store)))
    }

    /// Objects in a store that speaks S3. Nothing is asked of it before the first object.
    ///
    /// # Errors
    ///
    /// [`ObjectError`] where its address is none.
    pub fn in_s3(place: &S3) -> Result<Self, ObjectError> {
        Ok(Self(s3::open(place)?))
    }

    /// Keeps an object: whole, or not at all.
    ///
    /// # Errors
    ///
    /// [`ObjectError`]
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), ObjectError> {
        self.0.put(&key.into(), PutPayload::from_bytes(bytes)).await?;
        Ok(())
    }

    /// An object; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`ObjectError`]
    pub async fn get(&self, key: &str) -> Result<Option<Content>, ObjectError> {
        match self.0.get(&key.into()).await {
            Ok(found) => Ok(Some(Content { size: found.meta.size, stream: found.into_stream() })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an object. That there is none is as good.
    ///
    /// # Errors
    ///
    /// [`ObjectError`]
    pub async fn remove(&self, key: &str) -> Result<(), ObjectError> {
        match self.0.delete(&key.into()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The store writes a file beside the place where it is to be, with a `#` in its name, which no key has: a process that is killed
/// meanwhile leaves it there. Another process may be at work on one that is not old.
fn remove_unfinished(folder: &Path, until: Duration) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        if about.is_dir() {
            remove_unfinished(&entry.path(), until)?;
        } else if entry.file_name().to_string_lossy().contains('#') && about.modified()? <= UNIX_EPOCH + until {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt as _;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[tokio::test]
    async fn an_object_is_there_until_it_is_removed() {
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
        assert!(!folder.path().join("objects/files/a").exists(), "a person's last file takes its folder along");
    }

    #[test]
    fn what_was_never_finished_goes_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        let at = |name: &str, age: i64| {
            let file = fs::File::create(folder.path().join("files").join(name)).unwrap();
            let modified = Duration::from_secs(u64::try_from(NOW - age).unwrap());
            file.set_modified(UNIX_EPOCH + modified).unwrap();
        };
        at("old", 9_000);
        at("old#1", 3_600);
        at("new#1", 3_599);
        Objects::in_folder(folder.path(), NOW).unwrap();
        let names = fs::read_dir(folder.path().join("files")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["new#1", "old"]);
    }
}
