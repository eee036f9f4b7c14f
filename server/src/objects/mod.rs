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
#[error("the object store is unavailable: {0}")]
pub struct ObjectError(#[from] pub object_store::Error);

/// Objects by their keys. A handle: clones are the same.
#[derive(Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// Their folder, where they are files.
    folder: Option<Arc<Path>>,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.store)
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
    /// Objects as files in a folder, which is made where there is none, for its owner alone. What
    /// was left there unfinished long before `now`, in seconds of Unix time, is removed.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn in_folder(folder: &Path, now: i64) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        remove_unfinished(folder, now)?;
        // What was answered is on disk, as it is with the database; a person's last file takes its
        // folder along.
        let store =
            LocalFileSystem::new_with_prefix(folder)?.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self { store: Arc::new(store), folder: Some(folder.into()) })
    }

    /// Objects in a store that speaks S3. Nothing is asked of it before the first object.
    ///
    /// # Errors
    ///
    /// [`ObjectError`] where its address is none.
    pub fn in_s3(place: &S3) -> Result<Self, ObjectError> {
        Ok(Self { store: s3::open(place)?, folder: None })
    }

    /// Keeps an object: whole, or not at all.
    ///
    /// # Errors
    ///
    /// [`ObjectError`]
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), ObjectError> {
        self.store.put(&key.into(), PutPayload::from_bytes(bytes)).await?;
        Ok(())
    }

    /// An object; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`ObjectError`]
    pub async fn get(&self, key: &str) -> Result<Option<Content>, ObjectError> {
        match self.store.get(&key.into()).await {
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
        match self.store.delete(&key.into()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Objects {
    /// Removes files that were left unfinished long before `now`, in seconds of Unix time: those of
    /// a process that was killed, or of a disk that was full. A store that speaks S3 has none.
    ///
    /// # Errors
    ///
    /// [`io::Error`] of the folder; files that were not reached stay until the next time.
    pub async fn remove_unfinished(&self, now: i64) -> io::Result<()> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        tokio::task::spawn_blocking(move || remove_unfinished(&folder, now))
            .await
            .map_err(io::Error::other)?
    }
}

/// The store writes a file beside the place where it is to be, with a `#` in its name, which no key
/// has: a process that is killed meanwhile leaves it there. Another process may be at work on one
/// that is not old.
fn remove_unfinished(folder: &Path, now: i64) -> io::Result<()> {
    let until =
        Duration::from_secs(u64::try_from(now.saturating_sub(UNFINISHED)).unwrap_or_default());
    // Folders come and go with their files while this runs.
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
        assert!(
            !folder.path().join("objects/files/a").exists(),
            "a person's last file takes its folder along"
        );
    }

    #[tokio::test]
    async fn what_was_never_finished_goes_when_it_is_old() {
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
