//! Bytes and rows are kept in two places, and anything may end between them: so what is on its way
//! is written down first, and whatever belongs to nobody is swept away.

use app::backend::Failure;
use axum::body::Bytes;

use super::{FileService, Inner};
use crate::{failure::internal, objects::ObjectError, store::StoreError};

/// Seconds after which objects that no row names were left behind by something that has ended: an
/// upload takes minutes at most.
const DEADLINE: i64 = 3600;
/// Objects that are removed in one go.
const TOGETHER: u64 = 500;

/// Why what belongs to nobody was not swept away.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What lies beside it.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The folder that it lies in.
    #[error("the folder of objects cannot be read: {0}")]
    Folder(#[from] std::io::Error),
}

impl FileService {
    /// Removes objects that no row names, and files that were never finished.
    ///
    /// # Errors
    ///
    /// [`SweepError`]: what is left is removed the next time.
    pub async fn sweep(&self) -> Result<(), SweepError> {
        while self.sweep_some().await? {}
        Ok(self.0.objects.remove_unfinished(self.0.env.now()).await?)
    }

    /// Removes some orphaned objects, and returns whether there may be more.
    pub(super) async fn sweep_some(&self) -> Result<bool, SweepError> {
        let keys = self.0.store.stray_objects(self.0.env.now(), TOGETHER).await?;
        if keys.is_empty() {
            return Ok(false);
        }
        for key in &keys {
            self.0.objects.remove(key).await?;
        }
        self.0.store.forget_objects(keys).await?;
        Ok(true)
    }
}

impl Inner {
    /// Keeps objects that a row is about to name: all of them or none.
    pub(super) async fn put_all(&self, objects: Vec<(String, Bytes)>) -> Result<(), Failure> {
        let keys: Vec<_> = objects.iter().map(|(key, _)| key.clone()).collect();
        self.store
            .expect_objects(keys.clone(), self.env.now().saturating_add(DEADLINE))
            .await
            .map_err(internal)?;
        for (key, bytes) in objects {
            if let Err(error) = self.objects.put(&key, bytes).await {
                self.discard(keys).await;
                return Err(internal(error));
            }
        }
        Ok(())
    }

    /// Removes objects that are written down as belonging to nobody. What cannot be removed now is
    /// swept away later.
    pub(super) async fn discard(&self, keys: Vec<String>) {
        let mut gone = Vec::with_capacity(keys.len());
        for key in keys {
            match self.objects.remove(&key).await {
                Ok(()) => gone.push(key),
                Err(error) => {
                    tracing::warn!(%error, key, "object could not be deleted; the next cleanup retries");
                }
            }
        }
        if gone.is_empty() {
            return;
        }
        if let Err(error) = self.store.forget_objects(gone).await {
            tracing::warn!(%error, "deleted objects could not be unmarked; the next cleanup retries");
        }
    }
}
