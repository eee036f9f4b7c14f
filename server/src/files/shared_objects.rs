//! Check that all servers with one database also have one object store. A file that one of them has
//! stored would be missing for the others.

use axum::body::Bytes;
use uuid::Uuid;

use crate::{
    clock::Env,
    objects::{ObjectError, Objects},
    store::{Store, StoreError},
};

/// Error of opening the object store.
#[derive(Debug, thiserror::Error)]
pub enum SharedObjectsError {
    /// The database belongs to another object store.
    #[error(
        "the uploads of this database are in another place than {objects}: all nodes need the same S3 bucket (GATEHOUSE_S3_…), or a folder \
         that they share (GATEHOUSE_UPLOADS_DIR). If the uploads were moved without the file {key}: stop all nodes, \
         DELETE FROM object_stores, and start again"
    )]
    Other {
        /// The object store of this server.
        objects: String,
        /// Key of the missing object.
        key: String,
    },
    /// The object store.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks that the object store has the marker of the database. The first server creates it.
///
/// # Errors
///
/// [`SharedObjectsError::Other`] if it has not.
pub async fn ensure_shared(
    store: &Store,
    objects: &Objects,
    env: &Env,
) -> Result<(), SharedObjectsError> {
    let marker = match store.object_marker().await? {
        Some(marker) => marker,
        None => insert_marker(store, objects, env).await?,
    };
    let key = key_of(marker);
    match objects.get(&key).await? {
        Some(_) => Ok(()),
        None => Err(SharedObjectsError::Other { objects: format!("{objects:?}"), key }),
    }
}

/// Stores a marker in both places, and returns that of the database.
async fn insert_marker(
    store: &Store,
    objects: &Objects,
    env: &Env,
) -> Result<Uuid, SharedObjectsError> {
    let new = env.uuid();
    // The object first: a server that finds the row finds the object as well, unless it has another
    // store. Its key is the marker, so that of two servers that start at once, neither overwrites
    // the object of the other.
    objects.put(&key_of(new), Bytes::from_static(b"")).await?;
    store.insert_object_marker(new).await?;
    let stored = store.object_marker().await?.unwrap_or(new);
    if stored != new {
        objects.remove(&key_of(new)).await?;
    }
    Ok(stored)
}

fn key_of(marker: Uuid) -> String {
    format!("markers/{marker}")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn store(folder: &tempfile::TempDir) -> Store {
        let url = format!("sqlite://{}", folder.path().join("gatehouse.sqlite").display());
        Store::open(&url).await.unwrap()
    }

    fn objects(folder: &tempfile::TempDir, name: &str) -> Objects {
        Objects::in_folder(&folder.path().join(name), 1_800_000_000).unwrap()
    }

    #[tokio::test]
    async fn ensure_shared_with_another_folder_fails_and_names_the_remedy() {
        let (folder, env) = (tempfile::tempdir().unwrap(), Env::system());
        let store = store(&folder).await;
        for _ in 0..2 {
            ensure_shared(&store, &objects(&folder, "one"), &env).await.unwrap();
        }
        let error = ensure_shared(&store, &objects(&folder, "another"), &env).await.unwrap_err();
        assert!(error.to_string().contains("GATEHOUSE_UPLOADS_DIR"), "{error}");
        ensure_shared(&store, &objects(&folder, "one"), &env).await.unwrap();
    }

    #[tokio::test]
    async fn ensure_shared_by_servers_that_start_at_once_agrees() {
        let (folder, env) = (tempfile::tempdir().unwrap(), Env::system());
        let (store, objects) = (store(&folder).await, objects(&folder, "one"));
        let all = (0..8).map(|_| ensure_shared(&store, &objects, &env));
        for outcome in futures::future::join_all(all).await {
            outcome.unwrap();
        }
        let markers = std::fs::read_dir(folder.path().join("one/markers")).unwrap();
        assert_eq!(markers.count(), 1);
    }
}
